"""The contract of the learner over records in memory and in SQLite."""

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from kb.audit import AuditLog
from kb.database import open_database, sqlite_url
from kb.memory_records import MemoryRecords
from kb.outbox import Outbox
from kb.redact import redact
from kb.runbook_records import Journal
from kb.sql_records import SqlRecords
from tests.learner.learner_contract import LATER, LearnerContract, Stage


class TestOverMemoryRecords(LearnerContract):
    @pytest.fixture
    def stage(self) -> Stage:
        numbers = count(1)
        return Stage(MemoryRecords(now=lambda: LATER, new_id=lambda: f"id{next(numbers)}", redact=redact))


@pytest.fixture(scope="session")
def empty_records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the schema and no rows: a copy is quicker than a migration."""
    path = tmp_path_factory.mktemp("empty-records") / "kb.sqlite"
    open_database(sqlite_url(path)).close()
    return path


@pytest.mark.integration
class TestOverSqlRecords(LearnerContract):
    @pytest.fixture
    def stage(self, tmp_path: Path, empty_records: Path) -> Iterator[Stage]:
        path = tmp_path / "kb.sqlite"
        shutil.copy(empty_records, path)
        database, numbers = open_database(sqlite_url(path), check=False), count(1)

        def new_id() -> str:
            return f"id{next(numbers)}"

        audit = AuditLog(database, now=lambda: LATER, redact=redact)
        journal = Journal(audit, Outbox(database, now=lambda: LATER, new_id=new_id), lambda: LATER, new_id)
        yield Stage(SqlRecords(database, journal, redact=redact))
        database.close()
