"""The contract of the learner over records in PostgreSQL."""

from collections.abc import Iterator
from itertools import count

import pytest
from sqlalchemy import text

from kb.audit import AuditLog
from kb.database import open_database
from kb.outbox import Outbox
from kb.redact import redact
from kb.runbook_records import Journal
from kb.sql_records import SqlRecords
from kb.tables import metadata
from tests.learner.learner_contract import LATER, LearnerContract, Stage


@pytest.mark.integration
class TestOverPostgres(LearnerContract):
    @pytest.fixture
    def stage(self, shared_postgres_url: str) -> Iterator[Stage]:
        database, numbers = open_database(shared_postgres_url), count(1)

        def new_id() -> str:
            return f"id{next(numbers)}"

        audit = AuditLog(database, now=lambda: LATER, redact=redact)
        journal = Journal(audit, Outbox(database, now=lambda: LATER, new_id=new_id), lambda: LATER, new_id)
        yield Stage(SqlRecords(database, journal, redact=redact))
        with database.write() as connection:
            names = ", ".join(table.name for table in metadata.sorted_tables)
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
        database.close()
