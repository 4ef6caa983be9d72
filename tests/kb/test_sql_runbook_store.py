"""What the store over a database does beyond the contract: audit and events, healing, waiting for writers, knowing
unchanged files, and disks that refuse."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import func, select

from kb.audit import AuditLog
from kb.database import Database, open_database, sqlite_url
from kb.document_rows import Intent, load_intents, save_intent
from kb.errors import EditConflict, KBError, RunbookReadOnly, StorageFull, StorageUnavailable
from kb.outbox import Outbox
from kb.principal import DISK, Face, Principal, Role, local
from kb.runbook import Document, ReviewState, RunbookType
from kb.runbook_store import NewRunbook
from kb.sql_runbook_store import SqlRunbookStore
from kb.tables import texts, versions
from tests.kb.light_parse import parse_lightly

pytestmark = pytest.mark.integration

ANNA = Principal("anna", Role.ADMIN, Face.WEB)


def never(*args: object, **kwargs: object) -> Document:
    raise AssertionError("nothing was to be parsed")


@dataclass
class Ground:
    """A folder of runbooks, a database, a clock that stands still, and a store on them."""

    folder: Path
    data: Path
    database: Database
    now: datetime = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
    slept: list[float] = field(default_factory=list)
    while_sleeping: Callable[[], object] = field(default=lambda: None)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def runbooks(self) -> Path:
        return self.folder

    def store(self, *, settle_s: float = 0.0, parse: Callable[..., Document] = parse_lightly) -> SqlRunbookStore:
        return SqlRunbookStore(
            self.database,
            self.folder,
            parse=parse,
            now=lambda: self.now,
            new_id=lambda: f"n{next(self.numbers)}",
            redact=lambda text: text.replace("hunter2", "***"),
            scan_cache=self.data / "scan.json",
            settle_s=settle_s,
            sleep=self._sleep,
        )

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.while_sleeping()

    def put(self, path: str, raw: bytes) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(raw)
        return file

    def age(self, seconds: float = 60) -> None:
        """Make every file look as if it was written that long ago. Their change times stay, as they cannot be set."""
        for file in self.folder.rglob("*.md"):
            stamp = file.stat().st_mtime - seconds
            os.utime(file, (stamp, stamp))

    def intents(self) -> list[Intent]:
        with self.database.read() as connection:
            return load_intents(connection)

    def declare(self, action: str, path: str, raw: bytes, at: datetime | None = None) -> None:
        """As a writer that dies right after does."""
        intent = Intent(f"i{next(self.numbers)}", action, path, sha256(raw).hexdigest(), ANNA, "why", at or self.now)
        with self.database.write() as connection:
            save_intent(connection, intent)

    def leftovers(self) -> list[str]:
        return [file.name for file in self.folder.rglob(".sre-kb-*")]


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    (tmp_path / "runbooks").mkdir()
    database = open_database(sqlite_url(tmp_path / "data" / "kb.sqlite"))
    yield Ground(tmp_path / "runbooks", tmp_path / "data", database)
    database.close()


class TestRecords:
    def test_every_change_is_one_audit_line_and_one_event(self, ground: Ground) -> None:
        store = ground.store()
        store.create(NewRunbook("a", RunbookType.STATIC, b"one", note="password hunter2"), ANNA)
        store.update("a", b"two", ANNA, if_match=None)
        ground.put("static/a.md", b"three")
        store.sync(local(Face.CLI))
        (ground.folder / "static" / "a.md").rename(ground.folder / "static" / "b.md")
        store.sync(DISK)
        store.publish("a", ANNA, digest=sha256(b"three").hexdigest())
        store.delete("a", ANNA, if_match=None)
        audit = AuditLog(ground.database, now=lambda: ground.now, redact=str)
        lines = list(reversed(audit.latest()))
        assert [(line.action, line.object, line.actor, line.face) for line in lines] == [
            ("runbook.added", "a", "anna", "web"),
            ("runbook.edited", "a", "anna", "web"),
            ("runbook.edited", "a", "local", "cli"),
            ("runbook.moved", "a", "disk", "disk"),
            ("runbook.published", "a", "anna", "web"),
            ("runbook.removed", "a", "anna", "web"),
        ]
        assert '"note":"password ***"' in lines[0].details
        assert '"author":"disk"' in lines[2].details
        assert audit.verify().first_bad_seq is None
        events = Outbox(ground.database, now=lambda: ground.now, new_id=lambda: "x").pending("index")
        assert [event.payload["change"] for event in events] == [
            "added",
            "edited",
            "edited",
            "moved",
            "published",
            "removed",
        ]
        first = store.revision() - 5
        assert [event.payload["revision"] for event in events] == list(range(first, first + 6))
        assert events[3].payload["old_path"] == "static/a.md"

    def test_a_refused_write_leaves_no_trace(self, ground: Ground) -> None:
        store = ground.store()
        store.create(NewRunbook("a", RunbookType.STATIC, b"one"), ANNA)
        ground.put("static/a.md", b"unseen edit")
        with pytest.raises(EditConflict):
            store.update("a", b"two", ANNA, if_match='"' + sha256(b"one").hexdigest() + '"')
        assert ground.intents() == []
        assert ground.leftovers() == []
        assert len(AuditLog(ground.database, now=lambda: ground.now, redact=str).latest()) == 1

    def test_finished_writes_leave_no_intent(self, ground: Ground) -> None:
        store = ground.store()
        store.create(NewRunbook("a", RunbookType.STATIC, b"one"), ANNA)
        store.update("a", b"two", ANNA, if_match=None)
        store.delete("a", ANNA, if_match=None)
        store.restore("a", 1, ANNA, if_match=None)
        assert ground.intents() == []

    def test_a_text_is_kept_once_however_many_versions_have_it(self, ground: Ground) -> None:
        store = ground.store()
        store.create(NewRunbook("a", RunbookType.STATIC, b"one"), ANNA)
        store.update("a", b"two", ANNA, if_match=None)
        store.restore("a", 1, ANNA, if_match=None)
        store.create(NewRunbook("b", RunbookType.STATIC, b"two"), ANNA)
        with ground.database.read() as connection:
            assert connection.execute(select(func.count()).select_from(texts)).scalar() == 2
            assert connection.execute(select(func.count()).select_from(versions)).scalar() == 4

    def test_a_file_from_the_future_or_the_stone_age_gets_a_time_that_can_be(self, ground: Ground) -> None:
        os.utime(ground.put("static/a.md", b"a"), (4e9, 4e9))
        os.utime(ground.put("static/b.md", b"b"), (-1e9, -1e9))
        store = ground.store()
        store.sync(DISK)
        assert store.versions("a")[0].event_time == ground.now
        assert store.versions("b")[0].event_time == datetime(1970, 1, 1, tzinfo=UTC)

    def test_a_write_through_a_link_is_refused(self, ground: Ground) -> None:
        ground.put("static/.data/a.md", b"mounted")
        (ground.folder / "static" / "a.md").symlink_to(".data/a.md")
        store = ground.store()
        store.sync(DISK)
        with pytest.raises(RunbookReadOnly, match="link"):
            store.update("a", b"two", ANNA, if_match=None)
        with pytest.raises(RunbookReadOnly, match="link"):
            store.delete("a", ANNA, if_match=None)
        assert (ground.folder / "static" / ".data" / "a.md").read_bytes() == b"mounted"


class TestHealing:
    def test_a_file_written_before_a_crash_is_recorded_with_its_author(self, ground: Ground) -> None:
        store = ground.store()
        store.create(NewRunbook("a", RunbookType.STATIC, b"one"), ANNA)
        ground.declare("write", "static/a.md", b"two")
        ground.put("static/a.md", b"two")
        assert store.sync(DISK).changed == ("a",)
        newest = store.versions("a")[0]
        assert (newest.author, newest.face, newest.note, newest.state) == ("anna", Face.WEB, "why", "published")
        assert ground.intents() == []

    def test_a_new_file_written_before_a_crash_is_recorded_with_its_author(self, ground: Ground) -> None:
        ground.declare("write", "static/a.md", b"one")
        ground.put("static/a.md", b"one")
        store = ground.store()
        assert store.sync(DISK).added == ("a",)
        assert (store.get("a").author, store.get("a").state) == ("anna", ReviewState.PUBLISHED)

    def test_a_file_removed_before_a_crash_is_recorded_with_who_removed_it(self, ground: Ground) -> None:
        store = ground.store()
        store.create(NewRunbook("a", RunbookType.STATIC, b"one"), ANNA)
        ground.declare("delete", "static/a.md", b"one")
        (ground.folder / "static" / "a.md").unlink()
        assert store.sync(DISK).removed == ("a",)
        assert store.retired()[0].retired_by == "anna"
        ground.put("static/a.md", b"one")
        store.sync(DISK)
        assert store.get("a").state is ReviewState.UNREVIEWED  # deleting through a face took the publishing away

    def test_an_intent_says_nothing_about_other_bytes(self, ground: Ground) -> None:
        ground.declare("write", "static/a.md", b"what anna wrote")
        ground.put("static/a.md", b"what somebody wrote instead")
        store = ground.store()
        store.sync(DISK)
        assert (store.get("a").author, store.get("a").state) == ("disk", ReviewState.UNREVIEWED)

    def test_an_intent_that_came_to_nothing_is_forgotten_after_an_hour(self, ground: Ground) -> None:
        ground.declare("write", "static/a.md", b"never written")
        store = ground.store()
        ground.now += timedelta(minutes=59)
        store.sync(DISK)
        assert len(ground.intents()) == 1
        ground.now += timedelta(minutes=2)
        store.sync(DISK)
        assert ground.intents() == []

    def test_temporary_files_of_a_crash_are_gone_after_one_start(self, ground: Ground) -> None:
        ground.put("static/.sre-kb-x.new", b"half")
        ground.put("dynamic/deep/.sre-kb-y.old", b"old")
        ground.store().sync(DISK)
        assert ground.leftovers() == []


class TestWaiting:
    def test_a_fresh_file_that_grows_during_the_wait_is_left_for_later(self, ground: Ground) -> None:
        file = ground.put("static/a.md", b"first half")
        ground.while_sleeping = lambda: file.write_bytes(b"first half, second half")
        store = ground.store(settle_s=5)
        report = store.sync(DISK)
        assert ground.slept == [5]
        assert report.added == ()
        assert [(problem.code, problem.path) for problem in report.problems] == [("still-written", "static/a.md")]
        ground.while_sleeping = lambda: None
        assert store.sync(DISK).added == ("a",)
        assert len(store.versions("a")) == 1

    def test_a_known_file_that_is_being_written_keeps_its_last_version(self, ground: Ground) -> None:
        file = ground.put("static/a.md", b"one")
        store = ground.store(settle_s=5)
        store.sync(DISK)
        file.write_bytes(b"two, fir")
        ground.while_sleeping = lambda: file.write_bytes(b"two, first and last")
        report = store.sync(DISK)
        assert (report.changed, report.removed) == ((), ())
        assert store.get("a").version == 1

    def test_a_save_by_renaming_is_an_edit_and_not_a_removal(self, ground: Ground) -> None:
        file = ground.put("static/a.md", b"one")
        store = ground.store(settle_s=5)
        store.sync(DISK)
        file.rename(ground.folder / "static" / "a.md~")
        ground.while_sleeping = lambda: file.write_bytes(b"two")
        report = store.sync(DISK)
        assert (report.removed, report.changed) == ((), ("a",))
        assert [version.number for version in store.versions("a")] == [2, 1]

    def test_a_file_that_is_back_before_its_removal_is_recorded_is_not_removed(self, ground: Ground) -> None:
        file = ground.put("static/a.md", b"one")
        ground.store().sync(DISK)
        file.unlink()
        ground.put("static/b.md", b"another")

        def parse_slowly(raw: bytes, **place: object) -> Document:
            file.write_bytes(b"one")
            return parse_lightly(raw, **place)  # type: ignore[arg-type]  # passes on what it was given

        report = ground.store(parse=parse_slowly).sync(DISK)
        assert (report.added, report.removed) == (("b",), ())
        assert [version.number for version in ground.store().versions("a")] == [1]

    def test_nothing_is_waited_for_when_nothing_changed(self, ground: Ground) -> None:
        ground.put("static/a.md", b"one")
        store = ground.store(settle_s=5)
        store.sync(DISK)
        ground.slept.clear()
        store.sync(DISK)
        assert ground.slept == []

    def test_a_change_of_long_ago_is_not_waited_for(self, ground: Ground) -> None:
        ground.put("static/a.md", b"one")
        ground.age(60)
        assert ground.store(settle_s=5).sync(DISK).added == ("a",)
        assert ground.slept == []

    def test_a_file_truncated_a_moment_ago_is_taken_for_half_written(self, ground: Ground) -> None:
        file = ground.put("static/a.md", b"one")
        store = ground.store()
        store.sync(DISK)
        file.write_bytes(b"")
        report = store.sync(DISK)
        assert [problem.code for problem in report.problems] == ["half-written"]
        assert store.get("a").version == 1
        ground.age(60)
        assert store.sync(DISK).changed == ("a",)

    def test_a_new_empty_file_is_simply_empty(self, ground: Ground) -> None:
        ground.put("static/a.md", b"")
        assert ground.store().sync(DISK).added == ("a",)


class TestUnchangedFiles:
    def settled(self, ground: Ground, names: int = 3) -> SqlRunbookStore:
        """A store that knows its files from long after they were written."""
        for number in range(names):
            ground.put(f"static/{number}.md", b"# %d\n" % number)
        store = ground.store()
        store.sync(DISK)
        return store

    def test_a_question_about_changes_parses_nothing_and_a_second_sync_neither(self, ground: Ground) -> None:
        revision = self.settled(ground).revision()
        cold = ground.store(parse=never)
        assert cold.changed_since(revision) is False
        assert cold.sync(DISK).has_changes is False

    def test_an_edit_of_the_same_size_and_time_is_seen(self, ground: Ground) -> None:
        store = self.settled(ground)
        file = ground.folder / "static" / "1.md"
        before = file.stat()
        file.write_bytes(b"# X\n")
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert store.sync(DISK).changed == ("1",)

    def test_an_edit_within_the_clocks_tick_is_seen(self, ground: Ground) -> None:
        store = self.settled(ground)
        for letter in b"abcdefgh":
            (ground.folder / "static" / "1.md").write_bytes(bytes([letter]))
            assert store.sync(DISK).changed == ("1",), "same size, and written in the same moment as it was read"

    def test_files_known_from_long_ago_are_not_opened_again(
        self, ground: Ground, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(3):
            ground.put(f"static/{number}.md", b"# %d\n" % number)
        hours_later = lambda: 10**18 * 5  # noqa: E731 - nanoseconds, in the year 2128
        first = self.with_clock(ground, hours_later)
        first.sync(DISK)
        opened: list[str] = []
        really_open = os.open
        monkeypatch.setattr(
            os,
            "open",
            lambda path, *rest, **more: (opened.append(os.fsdecode(path)), really_open(path, *rest, **more))[1],
        )
        second = self.with_clock(ground, hours_later)
        assert second.sync(DISK).unchanged == ("0", "1", "2")
        assert [path for path in opened if path.endswith(".md")] == []
        assert second.sync(DISK, reread=True).unchanged == ("0", "1", "2")
        assert len([path for path in opened if path.endswith(".md")]) == 3

    def with_clock(self, ground: Ground, clock_ns: Callable[[], int]) -> SqlRunbookStore:
        return SqlRunbookStore(
            ground.database,
            ground.folder,
            parse=parse_lightly,
            now=lambda: ground.now,
            new_id=lambda: f"n{next(ground.numbers)}",
            redact=str,
            scan_cache=ground.data / "scan.json",
            settle_s=0,
            clock_ns=clock_ns,
        )

    @pytest.mark.parametrize(
        "damage",
        [
            lambda raw: b"",
            lambda raw: raw[: len(raw) // 2],
            lambda raw: raw.replace(b'"static/1.md"', b'"static/9.md"'),
            lambda raw: b"\xff" + raw[1:],
            lambda raw: b"[]",
            lambda raw: sha256(b"{}").hexdigest().encode() + b"\n{}",
            lambda raw: sha256(b'{"format":1}').hexdigest().encode() + b'\n{"format":1}',
            lambda raw: sha256(b"[1]").hexdigest().encode() + b"\n[1]",
        ],
    )
    def test_a_damaged_cache_of_the_folders_costs_a_reading_and_nothing_else(
        self, ground: Ground, damage: Callable[[bytes], bytes]
    ) -> None:
        self.settled(ground)
        cache = ground.data / "scan.json"
        cache.write_bytes(damage(cache.read_bytes()))
        (ground.folder / "static" / "1.md").write_bytes(b"# X\n")
        report = ground.store().sync(DISK)
        assert (report.changed, report.unchanged) == (("1",), ("0", "2"))

    def test_a_cache_of_another_folder_is_not_believed(self, ground: Ground, tmp_path: Path) -> None:
        self.settled(ground)
        shutil.copytree(ground.folder, tmp_path / "copy")
        (tmp_path / "copy" / "static" / "1.md").write_bytes(b"# X\n")
        moved = Ground(tmp_path / "copy", ground.data, ground.database, numbers=count(1000))
        assert moved.store().sync(DISK).changed == ("1",)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two MiB."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a file system needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], check=False).returncode:
        pytest.skip("this machine does not allow to mount")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Leave not a byte of room."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError:
                continue
    return ballast


class TestDisks:
    def test_a_full_disk_of_runbooks_refuses_a_write_and_keeps_everything(
        self, small_disk: Path, tmp_path: Path
    ) -> None:
        database = open_database(sqlite_url(tmp_path / "data" / "kb.sqlite"))
        ground = Ground(small_disk, tmp_path / "data", database)
        store = ground.store()
        store.create(NewRunbook("a", RunbookType.STATIC, b"one"), ANNA)
        ballast = fill(small_disk)
        with pytest.raises(StorageFull) as caught:
            store.update("a", b"x" * 100_000, ANNA, if_match=None)
        assert "Free some space" in caught.value.advice
        with pytest.raises(StorageFull):
            store.create(NewRunbook("b", RunbookType.STATIC, b"x" * 100_000), ANNA)
        assert (small_disk / "static" / "a.md").read_bytes() == b"one"
        assert ground.leftovers() == []
        assert ground.intents() == []
        assert store.get("a").version == 1
        ballast.unlink()
        assert store.update("a", b"two", ANNA, if_match=None).version == 2
        database.close()

    def test_a_full_disk_of_records_puts_the_file_back(self, small_disk: Path, tmp_path: Path) -> None:
        (tmp_path / "runbooks").mkdir()
        database = open_database(sqlite_url(small_disk / "kb.sqlite"))
        ground = Ground(tmp_path / "runbooks", tmp_path, database)
        store = ground.store()
        created = store.create(NewRunbook("a", RunbookType.STATIC, b"one"), ANNA)
        room = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
        (small_disk / "ballast").write_bytes(b"x" * (room - 60_000))  # room for an intent, none for the text
        with pytest.raises(StorageFull):
            store.update("a", os.urandom(200_000), ANNA, if_match=created.etag)
        assert (tmp_path / "runbooks" / "static" / "a.md").read_bytes() == b"one"
        with pytest.raises(StorageFull):
            store.create(NewRunbook("b", RunbookType.STATIC, os.urandom(200_000)), ANNA)
        assert not (tmp_path / "runbooks" / "static" / "b.md").exists()
        assert ground.leftovers() == []
        assert store.get("a").etag == created.etag
        assert list(store.documents()) == [store.get("a")]
        (small_disk / "ballast").unlink()
        assert store.update("a", b"two", ANNA, if_match=created.etag).version == 2
        assert store.sync(DISK).has_changes is False
        database.close()

    def test_a_delete_that_cannot_be_recorded_puts_the_file_back(self, small_disk: Path, tmp_path: Path) -> None:
        (tmp_path / "runbooks").mkdir()
        database = open_database(sqlite_url(small_disk / "kb.sqlite"))
        ground = Ground(tmp_path / "runbooks", tmp_path, database)
        store = ground.store()
        store.create(NewRunbook("a", RunbookType.STATIC, b"one"), ANNA)
        fill(small_disk)
        refused = 0
        for _ in range(3):  # a page or two may still be free inside the log
            try:
                store.delete("a", ANNA, if_match=None)
                store.restore("a", 1, ANNA, if_match=None)
            except StorageFull:
                refused += 1
                live = [stored.document.id for stored in store.documents()]
                assert (ground.folder / "static" / "a.md").exists() == (live == ["a"])
        assert refused
        database.close()

    def test_read_only_runbooks_are_read_and_not_written(self, small_disk: Path, tmp_path: Path) -> None:
        database = open_database(sqlite_url(tmp_path / "data" / "kb.sqlite"))
        ground = Ground(small_disk, tmp_path / "data", database)
        ground.put("static/a.md", b"one")
        subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
        store = ground.store()
        assert store.sync(DISK).added == ("a",)
        for act in (
            lambda: store.update("a", b"two", ANNA, if_match=None),
            lambda: store.delete("a", ANNA, if_match=None),
            lambda: store.create(NewRunbook("b", RunbookType.STATIC, b"b"), ANNA),
        ):
            with pytest.raises(StorageUnavailable, match="cannot be written"):
                act()
        assert store.get("a").version == 1
        assert ground.intents() == []
        assert store.publish("a", ANNA, digest=sha256(b"one").hexdigest()).state is ReviewState.PUBLISHED
        database.close()

    def test_records_on_a_read_only_disk_are_served_and_changes_reported(
        self, small_disk: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "runbooks").mkdir()
        first = open_database(sqlite_url(small_disk / "kb.sqlite"))
        Ground(tmp_path / "runbooks", small_disk, first).put("static/a.md", b"one")
        Ground(tmp_path / "runbooks", small_disk, first).store().sync(DISK)
        first.close()
        subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
        database = open_database(sqlite_url(small_disk / "kb.sqlite"))
        ground = Ground(tmp_path / "runbooks", small_disk, database)
        store = ground.store()
        assert [stored.document.id for stored in store.documents()] == ["a"]
        assert store.sync(DISK).problems == ()
        ground.put("static/b.md", b"two")
        assert [problem.code for problem in store.sync(DISK).problems] == ["not-recorded"]
        with pytest.raises(StorageUnavailable, match="read-only"):
            store.update("a", b"two", ANNA, if_match=None)
        assert (ground.folder / "static" / "a.md").read_bytes() == b"one"
        database.close()

    def test_a_folder_that_went_away_removes_nothing(self, ground: Ground) -> None:
        ground.put("static/a.md", b"one")
        store = ground.store()
        store.sync(DISK)
        shutil.rmtree(ground.folder)
        with pytest.raises(StorageUnavailable, match="is not there"):
            store.sync(DISK)
        assert store.get("a").version == 1


WITHOUT_UTF8 = """
import sys
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from kb.database import open_database, sqlite_url
from kb.principal import DISK, Face, local
from kb.sql_runbook_store import SqlRunbookStore
from tests.kb.light_parse import parse_lightly

numbers, folder = count(1), Path(sys.argv[1])
store = SqlRunbookStore(
    open_database(sqlite_url(folder / "data" / "kb.sqlite")), folder / "runbooks", parse=parse_lightly,
    now=lambda: datetime.now(UTC), new_id=lambda: f"{sys.argv[2]}x{next(numbers)}", redact=str, settle_s=0,
)
report = store.sync(DISK)
assert sys.getfilesystemencoding() == sys.argv[3], sys.getfilesystemencoding()
print(ascii([report.added, report.unchanged, report.removed, [(p.code, p.path) for p in report.problems]]))
store.update("cafe", ("by " + sys.argv[2]).encode(), local(Face.CLI), if_match=None, note=chr(252) + "ber")
print(ascii([(stored.document.path, stored.version) for stored in store.documents()]))
"""


def test_a_locale_without_utf8_changes_nothing(repository: Path, tmp_path: Path) -> None:
    static = tmp_path / "runbooks" / "static"
    (static / "größe").mkdir(parents=True)
    (static / "café.md").write_bytes(b"one")
    (static / "größe" / "日本.md").write_bytes(b"two")
    (static / "link.md").symlink_to("größe/日本.md")
    with open(os.fsencode(static) + b"/odd\xff.md", "wb") as odd:
        odd.write(b"three")
    said = []
    for name, encoding, locale in (("one", "utf-8", {}), ("two", "ascii", {"LC_ALL": "C", "PYTHONUTF8": "0"})):
        child = subprocess.run(
            [sys.executable, "-c", WITHOUT_UTF8, str(tmp_path), name, encoding],
            env={"PYTHONPATH": str(repository), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **locale},
            capture_output=True,
            text=True,
            check=False,
        )
        assert child.returncode == 0, child.stderr
        said.append(child.stdout.splitlines())
    odd_name = "('name-not-utf8', 'static/odd\\\\udcff.md')"
    ids = "('cafe', 'runbook-a88f3dd2', 'link')"
    assert said[0][0] == f"[{ids}, (), (), [{odd_name}]]"
    assert said[1][0] == f"[(), {ids}, (), [{odd_name}]]"
    assert (
        said[0][1]
        == "[('static/caf\\xe9.md', 2), ('static/gr\\xf6\\xdfe/\\u65e5\\u672c.md', 1), ('static/link.md', 1)]"
    )
    assert said[1][1] == said[0][1].replace(".md', 2", ".md', 3")
    assert (static / "café.md").read_bytes() == b"by two"


def test_no_error_that_is_not_ours_leaves_the_store_for_hostile_texts(ground: Ground) -> None:
    from kb.markdown import parse_document

    store = ground.store(parse=parse_document)
    hostile = [
        b"\x00" * 100,
        b"\xff\xfe" + "# UTF-16".encode("utf-16-le"),
        b"\xef\xbb\xbf# BOM\n",
        b"---\nid: \xed\xa0\x80\n---\n# lone surrogate\n",
        b'---\ntitle: "a\\0b"\nalerts: ["x\\0y"]\n---\n# \x00 in the title\n',
        "# \u202e desrever \U000e0041\n".encode(),
        b"# " + b"x" * 100_000 + b"\n",
        b"".join(b"## Alert: A%d\n\nx\n\n" % number for number in range(300)),
        b"".join(b"## Alert: Same\n\nx\n\n" for _ in range(50)),
        b"---\nid: search\n---\n# reserved\n",
        b"---\nid: ../../etc/passwd\n---\n# path\n",
        b"---\nid: " + b"x" * 5000 + b"\n---\n# long\n",
        b"---\n&a [*a]\n---\n# yaml\n",
        b"```\n" * 1001,
        b"\r\n\r\r\n# mac\r",
    ]
    for number, raw in enumerate(hostile):
        ground.put(f"static/h{number}.md", raw)
    report = store.sync(DISK)
    assert len(report.added) == len(hostile)
    for stored in store.documents():
        number = int(Path(stored.document.path).stem.removeprefix("h"))
        assert store.version_text(stored.document.id, 1) == hostile[number]
        for entry in stored.document.runbooks:
            assert store.get(entry.id).document.path == stored.document.path
    for number, raw in enumerate(hostile):
        try:
            store.create(NewRunbook(f"through-a-face-{number}", RunbookType.STATIC, raw, note="\x00\ud800\n"), ANNA)
        except KBError:
            continue
    assert store.sync(DISK).has_changes is False
    assert AuditLog(ground.database, now=lambda: ground.now, redact=str).verify().first_bad_seq is None
