"""The database of records on PostgreSQL: what differs from SQLite and must not show."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, select, text

from kb.audit import AuditLog, AuditNote
from kb.database import Database, open_database
from kb.errors import DatabaseTooNew, StorageUnavailable
from kb.principal import SYSTEM
from kb.tables import counters, metadata

pytestmark = pytest.mark.integration


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    opened = open_database(postgres_url)
    yield opened
    opened.close()


def test_migrations_make_exactly_the_tables_of_this_release(empty_postgres_url: str) -> None:
    database = open_database(empty_postgres_url)
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata) == []
    database.close()


def test_servers_that_start_at_once_migrate_once(empty_postgres_url: str) -> None:
    errors: list[BaseException] = []

    def start() -> None:
        try:
            open_database(empty_postgres_url).close()
        except BaseException as error:  # noqa: BLE001 - told to the test below
            errors.append(error)

    starters = [threading.Thread(target=start) for _ in range(2)]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join()
    assert errors == []


def test_a_newer_releases_database_is_refused(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseTooNew, match="9999"):
        open_database(postgres_url)


def test_no_increment_of_many_connections_is_lost(postgres_url: str) -> None:
    databases = [open_database(postgres_url) for _ in range(3)]
    with databases[0].write() as connection:
        connection.execute(insert(counters).values(name="hits", value=0))

    def count_often(database: Database) -> None:
        for _ in range(20):
            with database.write() as connection:
                now = connection.execute(select(counters.c.value)).scalar_one()
                connection.execute(counters.update().values(value=now + 1))

    threads = [threading.Thread(target=count_often, args=(database,)) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with databases[0].read() as connection:
        assert connection.execute(select(counters.c.value)).scalar() == 60
    for database in databases:
        database.close()


def test_lines_of_the_audit_from_many_connections_make_one_chain(postgres_url: str) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    databases = [open_database(postgres_url) for _ in range(2)]
    logs = [AuditLog(database, now=lambda: now, redact=str) for database in databases]

    def record(log: AuditLog) -> None:
        for number in range(15):
            log.record(AuditNote(SYSTEM, "test", str(number), {}, now))

    threads = [threading.Thread(target=record, args=(log,)) for log in logs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    verdict = logs[0].verify()
    assert (verdict.lines, verdict.first_bad_seq) == (30, None)
    for database in databases:
        database.close()


def test_a_reader_sees_one_state_and_cannot_write(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(counters).values(name="hits", value=0))
    with database.read() as reader:
        before = reader.execute(select(counters.c.value)).scalar()
        with database.write() as writer:
            writer.execute(counters.update().values(value=1))
        assert reader.execute(select(counters.c.value)).scalar() == before == 0
    with pytest.raises(StorageUnavailable, match="takes no writes"), database.read() as reader:
        reader.execute(counters.update().values(value=2))


def test_a_writer_that_waits_too_long_is_told_to_try_again(
    database: Database, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kb import database as module

    with psycopg.connect(postgres_url) as blocker:
        blocker.execute(f"SELECT pg_advisory_xact_lock({module._WRITE_LOCK_KEY})".encode())
        monkeypatch.setattr(module, "BUSY_TIMEOUT_S", 0.2)
        with pytest.raises(StorageUnavailable, match="busy"), database.write():
            pytest.fail("wrote while another server was writing")
    with database.write() as connection:
        connection.execute(insert(counters).values(name="after", value=1))


def test_a_server_that_dropped_every_connection_is_spoken_to_again(database: Database, postgres_url: str) -> None:
    with database.read() as connection:
        connection.execute(text("SELECT 1"))
    with psycopg.connect(postgres_url, autocommit=True) as raw:
        raw.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with database.write() as connection:
        connection.execute(insert(counters).values(name="again", value=1))


def test_a_server_that_is_not_there_is_a_clear_error() -> None:
    with pytest.raises(StorageUnavailable, match="does not answer") as caught:
        open_database("postgresql://nobody@127.0.0.1:1/none")
    assert "URL" in caught.value.advice
