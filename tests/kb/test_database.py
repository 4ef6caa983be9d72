"""The database of records: how it is opened, checked, migrated and what it says when the disk or the file fails it."""

import multiprocessing
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from kb import database as database_module
from kb import migrate
from kb.database import Database, open_database, sqlite_url
from kb.errors import DatabaseCorrupt, DatabaseTooNew, InvalidInput, StorageFull, StorageUnavailable
from kb.tables import SCHEMA_REVISIONS, counters, metadata, texts

pytestmark = pytest.mark.integration


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "kb.sqlite"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    opened = open_database(sqlite_url(path))
    yield opened
    opened.close()


def pragma(connection: Connection, name: str) -> object:
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def count_up(database: Database, name: str) -> None:
    with database.write() as connection:
        now = connection.execute(select(counters.c.value).where(counters.c.name == name)).scalar_one()
        connection.execute(counters.update().where(counters.c.name == name).values(value=now + 1))


def value_of(database: Database, name: str) -> int:
    with database.read() as connection:
        return connection.execute(select(counters.c.value).where(counters.c.name == name)).scalar_one()


class TestOpening:
    def test_a_new_database_is_private_durable_and_has_the_schema(self, database: Database, path: Path) -> None:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        with database.read() as connection:
            assert pragma(connection, "journal_mode") == "wal"
            assert pragma(connection, "synchronous") == 2  # FULL
            assert pragma(connection, "foreign_keys") == 1
            assert pragma(connection, "busy_timeout") == 5000
            assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == SCHEMA_REVISIONS[-1]

    def test_the_log_beside_the_database_is_private_too(self, database: Database, path: Path) -> None:
        with database.write() as connection:
            connection.execute(insert(counters).values(name="a", value=1))
        assert stat.S_IMODE(path.with_name("kb.sqlite-wal").stat().st_mode) == 0o600

    def test_what_was_written_is_there_after_opening_again(self, path: Path) -> None:
        first = open_database(sqlite_url(path))
        with first.write() as connection:
            connection.execute(insert(counters).values(name="a", value=7))
        first.close()
        second = open_database(sqlite_url(path))
        assert value_of(second, "a") == 7
        second.close()

    def test_opening_an_existing_database_does_not_import_alembic(self, database: Database, path: Path) -> None:
        code = (
            "import sys; from kb.database import open_database\n"
            f"open_database({sqlite_url(path)!r}).close()\n"
            "assert 'alembic' not in sys.modules"
        )
        subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])

    @pytest.mark.parametrize(
        "url",
        ["", "nonsense", "mysql://x/y", "sqlite://", "sqlite:///:memory:", "oracle+cx://a", "sqlite+aiosqlite:///x"],
    )
    def test_a_url_of_another_kind_is_refused(self, url: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            open_database(url)
        assert caught.value.field == "database_url"

    def test_odd_letters_in_the_path_are_only_letters(self, tmp_path: Path) -> None:
        odd = tmp_path / "a b?c#d%20é" / "kb.sqlite"
        open_database(sqlite_url(odd)).close()
        assert odd.exists()

    def test_a_password_is_not_shown(self) -> None:
        with pytest.raises(StorageUnavailable) as caught:
            open_database("postgresql://kb:hunter2@127.0.0.1:1/kb")
        assert "hunter2" not in str(caught.value)
        assert "***" in str(caught.value)

    def test_a_folder_that_cannot_be_made_is_a_clear_error(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(StorageUnavailable, match="cannot be created"):
            open_database(sqlite_url(tmp_path / "file" / "kb.sqlite"))


class TestSchema:
    def test_migrations_make_exactly_the_tables_of_this_release(self, database: Database) -> None:
        from alembic.autogenerate import compare_metadata
        from alembic.migration import MigrationContext

        with database.read() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, metadata) == []

    def test_the_newest_migration_is_the_schema_this_release_works_with(self) -> None:
        assert migrate.head() == SCHEMA_REVISIONS[-1]

    def test_every_migration_is_known(self) -> None:
        files = sorted(path.name.split("_")[0] for path in (migrate.MIGRATIONS / "versions").glob("*.py"))
        assert tuple(files) == SCHEMA_REVISIONS

    def test_a_newer_releases_database_is_refused_and_left_alone(self, path: Path) -> None:
        open_database(sqlite_url(path)).close()
        with sqlite3.connect(path) as raw:
            raw.execute("UPDATE alembic_version SET version_num = '9999'")
        raw.close()
        before = path.read_bytes()
        with pytest.raises(DatabaseTooNew, match="9999") as caught:
            open_database(sqlite_url(path))
        assert "newer release" in caught.value.advice
        assert path.read_bytes() == before

    def test_processes_that_start_at_once_migrate_once(self, path: Path) -> None:
        context = multiprocessing.get_context("spawn")
        starters = [context.Process(target=_open_and_close, args=(str(path),)) for _ in range(4)]
        for starter in starters:
            starter.start()
        for starter in starters:
            starter.join(60)
        assert [starter.exitcode for starter in starters] == [0, 0, 0, 0]

    def test_a_migration_that_dies_half_way_leaves_nothing_behind(self, path: Path) -> None:
        code = (
            "import os, signal\n"
            "from kb.database import open_database\n"
            "from sqlalchemy import event\n"
            "from sqlalchemy.engine import Engine\n"
            "def kill(connection, cursor, statement, *rest):\n"
            "    if 'CREATE TABLE versions' in statement: os.kill(os.getpid(), signal.SIGKILL)\n"
            "event.listen(Engine, 'before_cursor_execute', kill)\n"
            f"open_database({sqlite_url(path)!r})\n"
        )
        died = subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2])
        assert died.returncode == -9
        raw = sqlite3.connect(path)
        assert raw.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        raw.close()
        open_database(sqlite_url(path)).close()


def _open_and_close(path: str) -> None:
    open_database(sqlite_url(Path(path))).close()


class TestDamage:
    def test_a_file_that_is_no_database_is_refused(self, path: Path) -> None:
        path.parent.mkdir()
        path.write_bytes(b"This is a text that somebody put here by mistake." * 100)
        with pytest.raises(DatabaseCorrupt, match="damaged") as caught:
            open_database(sqlite_url(path))
        assert "backup" in caught.value.advice

    def test_damaged_pages_are_found_before_anything_is_served(self, path: Path) -> None:
        opened = open_database(sqlite_url(path))
        with opened.write() as connection:
            rows = [{"sha256": f"{n:064}", "size_bytes": 900, "content": b"x" * 900} for n in range(400)]
            connection.execute(insert(texts), rows)
        opened.close()
        sound = path.read_bytes()
        found = 0
        for page in range(1, len(sound) // 4096, 3):
            path.write_bytes(sound[: page * 4096] + b"\xff" * 4096 + sound[(page + 1) * 4096 :])
            try:
                open_database(sqlite_url(path)).close()
            except DatabaseCorrupt:
                found += 1
            except StorageUnavailable as other:
                pytest.fail(f"page {page}: {other}")
        assert found == len(range(1, len(sound) // 4096, 3))

    def test_a_truncated_database_is_refused(self, path: Path) -> None:
        open_database(sqlite_url(path)).close()
        path.write_bytes(path.read_bytes()[:20_000])
        with pytest.raises(DatabaseCorrupt):
            open_database(sqlite_url(path))

    def test_damage_met_while_serving_is_named(self, path: Path) -> None:
        opened = open_database(sqlite_url(path))
        with opened.write() as connection:
            rows = [{"sha256": f"{n:064}", "size_bytes": 900, "content": b"x" * 900} for n in range(400)]
            connection.execute(insert(texts), rows)
        opened.close()
        sound = path.read_bytes()
        first = sound.index(b"x" * 900) // 4096 * 4096
        path.write_bytes(sound[:first] + b"\xff" * 60_000 + sound[first + 60_000 :])
        serving = open_database(sqlite_url(path), check=False)
        with pytest.raises(DatabaseCorrupt, match="damaged"), serving.read() as connection:
            connection.execute(select(texts)).all()
        serving.close()


class TestTransactions:
    def test_a_broken_constraint_rolls_everything_back_and_stays_what_it_is(self, database: Database) -> None:
        def write_twice() -> None:
            with database.write() as connection:
                connection.execute(insert(counters).values(name="a", value=1))
                connection.execute(insert(counters).values(name="a", value=2))

        with pytest.raises(IntegrityError):
            write_twice()
        with database.read() as connection:
            assert connection.execute(select(func.count()).select_from(counters)).scalar() == 0

    def test_no_increment_of_many_threads_is_lost(self, database: Database) -> None:
        with database.write() as connection:
            connection.execute(insert(counters).values(name="hits", value=0))
        threads = [threading.Thread(target=_count_often, args=(database, 25)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert value_of(database, "hits") == 200

    def test_no_increment_of_many_processes_is_lost(self, database: Database, path: Path) -> None:
        with database.write() as connection:
            connection.execute(insert(counters).values(name="hits", value=0))
        context = multiprocessing.get_context("spawn")
        workers = [context.Process(target=_count_in_process, args=(str(path),)) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
        assert value_of(database, "hits") == 4 * 2 * 20

    def test_a_reader_sees_one_state_however_long_it_reads(self, database: Database) -> None:
        with database.write() as connection:
            connection.execute(insert(counters).values(name="hits", value=0))
        with database.read() as reader:
            before = reader.execute(select(counters.c.value)).scalar()
            count_up(database, "hits")
            assert reader.execute(select(counters.c.value)).scalar() == before == 0
        assert value_of(database, "hits") == 1

    def test_a_writer_that_waits_too_long_is_told_to_try_again(self, database: Database, path: Path) -> None:
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        with database.read() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout=50")
        started = time.monotonic()
        with pytest.raises(StorageUnavailable, match="busy") as caught, database.write():
            pytest.fail("wrote while another process was writing")
        assert time.monotonic() - started < 4
        assert caught.value.advice == "Try again in a moment."
        blocker.execute("ROLLBACK")
        blocker.close()
        with database.write() as connection:
            connection.execute(insert(counters).values(name="a", value=1))

    def test_a_thread_that_waits_too_long_is_told_to_try_again(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(database_module, "BUSY_TIMEOUT_S", 0.05)
        holds, lets_go = threading.Event(), threading.Event()

        def hold() -> None:
            with database.write():
                holds.set()
                lets_go.wait(10)

        holder = threading.Thread(target=hold)
        holder.start()
        holds.wait(10)
        with pytest.raises(StorageUnavailable, match="busy"), database.write():
            pytest.fail("two writers at once")
        lets_go.set()
        holder.join()


def _count_often(database: Database, times: int) -> None:
    for _ in range(times):
        count_up(database, "hits")


def _count_in_process(path: str) -> None:
    database = open_database(sqlite_url(Path(path)))
    threads = [threading.Thread(target=_count_often, args=(database, 20)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two MiB."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a file system needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("this machine does not allow to mount")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def remount(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


class TestDisk:
    def test_a_full_disk_loses_nothing_that_was_acknowledged_and_heals_when_there_is_room(
        self, small_disk: Path
    ) -> None:
        database = open_database(sqlite_url(small_disk / "kb.sqlite"))
        acknowledged = 0
        with pytest.raises(StorageFull) as caught:  # noqa: PT012 - the write that fails is not known beforehand
            for number in range(1000):
                with database.write() as connection:
                    connection.execute(
                        insert(texts).values(sha256=f"{number:064}", size_bytes=20_000, content=os.urandom(20_000))
                    )
                acknowledged += 1
        assert "Free some space" in caught.value.advice
        assert acknowledged > 20
        with database.read() as connection:
            assert connection.execute(select(func.count()).select_from(texts)).scalar() == acknowledged
            assert pragma(connection, "integrity_check") == "ok"
        remount(small_disk, "size=4m")
        with database.write() as connection:
            connection.execute(insert(counters).values(name="again", value=1))
        assert value_of(database, "again") == 1
        database.close()

    def test_a_database_on_a_read_only_disk_is_read_and_never_written(self, small_disk: Path) -> None:
        path = small_disk / "kb.sqlite"
        first = open_database(sqlite_url(path))
        with first.write() as connection:
            connection.execute(insert(counters).values(name="a", value=7))
        first.close()
        remount(small_disk, "ro")
        database = open_database(sqlite_url(path))
        assert database.read_only
        assert value_of(database, "a") == 7
        with pytest.raises(StorageUnavailable, match="read-only"), database.write():
            pytest.fail("wrote to a read-only disk")
        database.close()

    def test_what_a_crash_left_in_the_log_is_read_from_a_read_only_disk_too(self, small_disk: Path) -> None:
        path = small_disk / "kb.sqlite"
        code = (
            "import os\n"
            "from kb.database import open_database\n"
            "from kb.tables import counters\n"
            f"database = open_database({sqlite_url(path)!r})\n"
            "with database.write() as connection:\n"
            "    connection.execute(counters.insert().values(name='late', value=3))\n"
            "os._exit(0)\n"
        )
        subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
        assert path.with_name("kb.sqlite-wal").stat().st_size > 0
        remount(small_disk, "ro")
        database = open_database(sqlite_url(path))
        assert value_of(database, "late") == 3
        with pytest.raises(StorageUnavailable), database.write():
            pytest.fail("wrote to a private copy")
        database.close()

    def test_a_disk_that_turns_read_only_and_back_needs_no_restart(self, small_disk: Path) -> None:
        database = open_database(sqlite_url(small_disk / "kb.sqlite"))
        with database.write() as connection:
            connection.execute(insert(counters).values(name="a", value=0))
        database.close()  # an open log would not let the disk turn read-only
        remount(small_disk, "ro")
        with pytest.raises(StorageUnavailable):
            count_up(database, "a")
        remount(small_disk, "rw")
        count_up(database, "a")
        assert value_of(database, "a") == 1
        database.close()

    def test_a_new_database_on_a_read_only_disk_is_a_clear_error(self, small_disk: Path) -> None:
        remount(small_disk, "ro")
        with pytest.raises(StorageUnavailable, match="cannot be created"):
            open_database(sqlite_url(small_disk / "kb.sqlite"))
