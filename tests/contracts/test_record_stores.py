"""The contracts of the records on the in-memory twin, on SQLite and on PostgreSQL."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from kb.audit import AuditLog
from kb.database import Database, open_database, sqlite_url
from kb.feedback import NewOutcome, NewVote, Verdict
from kb.feedback_mark import feedback_mark
from kb.incident import ActionOutcome
from kb.memory_records import MemoryRecords
from kb.outbox import Outbox
from kb.record_store import RecordChange
from kb.runbook_records import Journal
from kb.sql_records import SqlRecords
from kb.tables import metadata
from tests.contracts.event_records_contract import EventRecordsContract
from tests.contracts.feedback_records_contract import FeedbackRecordsContract, KeyRecordsContract
from tests.contracts.incident_records_contract import IncidentListContract, IncidentRecordsContract
from tests.contracts.pattern_records_contract import PatternRecordsContract
from tests.contracts.records_bench import (
    ANNA,
    MINUTE,
    NOON,
    HandClock,
    RecordsBench,
    numbered,
    redact_hunter,
    told,
)
from tests.contracts.review_records_contract import ReviewRecordsContract


class RecordsContract(
    IncidentRecordsContract,
    IncidentListContract,
    PatternRecordsContract,
    ReviewRecordsContract,
    FeedbackRecordsContract,
    KeyRecordsContract,
    EventRecordsContract,
):
    """Everything that a store of records promises."""


class TestMemoryRecords(RecordsContract):
    @pytest.fixture
    def bench(self) -> RecordsBench:
        clock = HandClock()
        return RecordsBench(MemoryRecords(now=clock, new_id=numbered(), redact=redact_hunter), clock)


def sql_bench(database: Database) -> RecordsBench:
    clock, new_id = HandClock(), numbered()
    audit = AuditLog(database, now=clock, redact=redact_hunter)
    journal = Journal(audit, Outbox(database, now=clock, new_id=new_id), clock, new_id)
    return RecordsBench(SqlRecords(database, journal, redact=redact_hunter), clock)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the schema and no rows: a copy is quicker than a migration."""
    path = tmp_path_factory.mktemp("migrated") / "kb.sqlite"
    open_database(sqlite_url(path)).close()
    return path


@pytest.fixture
def sqlite_database(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Database]:
    path = tmp_path / "kb.sqlite"
    shutil.copy(migrated_sqlite, path)
    database = open_database(sqlite_url(path), check=False)
    yield database
    database.close()


@pytest.fixture
def postgres_database(shared_postgres_url: str) -> Iterator[Database]:
    database = open_database(shared_postgres_url)
    yield database
    with database.write() as connection:
        names = ", ".join(table.name for table in metadata.sorted_tables)
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
    database.close()


@pytest.mark.integration
class TestSqlRecordsOnSqlite(RecordsContract):
    @pytest.fixture
    def bench(self, sqlite_database: Database) -> RecordsBench:
        return sql_bench(sqlite_database)


@pytest.mark.integration
class TestSqlRecordsOnPostgres(RecordsContract):
    @pytest.fixture
    def bench(self, postgres_database: Database) -> RecordsBench:
        return sql_bench(postgres_database)


@pytest.mark.integration
@pytest.mark.parametrize("name", ["sqlite_database", "postgres_database"])
def test_the_mark_of_feedback_changes_with_every_word(name: str, request: pytest.FixtureRequest) -> None:
    database: Database = request.getfixturevalue(name)
    bench = sql_bench(database)
    marks = [feedback_mark(database)]
    incident = bench.add(told()).stored.incident.id

    def said(act: Callable[[RecordChange], object]) -> None:
        bench.clock.turn(MINUTE)
        with bench.store.change(ANNA) as change:
            act(change)
        marks.append(feedback_mark(database))

    said(lambda change: change.feedback.vote(NewVote("disk-full", "s1", Verdict.HELPED)))
    said(lambda change: change.feedback.vote(NewVote("disk-full", "s1", Verdict.WRONG)))
    said(lambda change: change.feedback.tell(NewOutcome(incident, "disk-full", ActionOutcome.HELPED)))
    said(lambda change: change.feedback.recurred(incident, NOON))
    said(lambda change: change.feedback.withdraw("disk-full", "s1"))
    assert marks[0] is None
    assert len(set(marks)) == len(marks)
    assert feedback_mark(database) == marks[-1]
