"""The records in a SQL database: `RecordStore` on SQLite and PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from kb.database import Database
from kb.incident_cleaning import Redact
from kb.principal import Principal
from kb.record_ledger import Ledger
from kb.record_store import RecordChange, RecordView
from kb.runbook_records import Journal
from kb.sql_events import SqlEventReads, SqlEvents
from kb.sql_feedback import SqlFeedback, SqlFeedbackReads, SqlKeyReads, SqlKeys
from kb.sql_incidents import SqlIncidentReads, SqlIncidents
from kb.sql_patterns import SqlPatternReads, SqlPatterns
from kb.sql_reviews import SqlReviewReads, SqlReviews

_TEXTS_REMEMBERED = 2000


class SqlRecords:
    """A `RecordStore` in the database of records. `redact` takes secrets out of everything before it is stored."""

    def __init__(self, database: Database, journal: Journal, *, redact: Redact) -> None:
        self._database = database
        self._journal = journal
        self._redact = redact

    @contextmanager
    def read(self) -> Iterator[RecordView]:
        with self._database.read() as connection:
            yield RecordView(
                incidents=SqlIncidentReads(connection),
                patterns=SqlPatternReads(connection),
                reviews=SqlReviewReads(connection),
                feedback=SqlFeedbackReads(connection),
                keys=SqlKeyReads(connection),
                events=SqlEventReads(connection),
            )

    @contextmanager
    def change(self, principal: Principal) -> Iterator[RecordChange]:
        with self._database.write() as connection:
            # Incidents of one import repeat each other's words. What is remembered of them ends with the transaction.
            redact = lru_cache(maxsize=_TEXTS_REMEMBERED)(self._redact)
            ledger = Ledger(connection, principal, self._journal.now(), redact, self._journal)
            yield RecordChange(
                incidents=SqlIncidents(ledger),
                patterns=SqlPatterns(ledger),
                reviews=SqlReviews(ledger),
                feedback=SqlFeedback(ledger),
                keys=SqlKeys(ledger),
                events=SqlEvents(ledger),
            )
            ledger.flush()
