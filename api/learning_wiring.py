"""The learning half of `api.wiring`: records, learner and reviews joined over one database. Imported when somebody
first asks for what was learnt, so that a search does not wait for it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from api.errors import NotReady
from api.learning import Learning, LearningParts, Search
from api.learning_parts import LearnerPart, ReviewsPart
from kb.audit import AuditLog
from kb.database import Database
from kb.outbox import Outbox
from kb.pattern import Pattern
from kb.redact import redact
from kb.runbook_records import Journal
from kb.severity_policy import SeverityPolicy
from kb.sql_records import SqlRecords


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the rest of the knowledge base lends to the learner."""

    database: Database
    search: Search
    runbooks_changed: Callable[[], None]
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    policy: SeverityPolicy


class LearningBase:
    """Everything that learning consists of, over one database."""

    def __init__(self, around: Surroundings) -> None:
        audit = AuditLog(around.database, now=around.now, redact=redact)
        outbox = Outbox(around.database, now=around.now, new_id=around.new_id)
        journal = Journal(audit, outbox, around.now, around.new_id)
        self.records = SqlRecords(around.database, journal, redact=redact)
        parts = LearningParts(
            records=self.records,
            learner=self._learner,
            reviews=self._reviews,
            search=around.search,
            covers=self._covers,
            changed=lambda: None,
            runbooks_changed=around.runbooks_changed,
        )
        self.learning = Learning(parts, policy=around.policy, now=around.now)

    def _learner(self) -> LearnerPart:
        raise NotReady("What was learnt so far")

    def _reviews(self) -> ReviewsPart:
        raise NotReady("The review of drafts")

    def _covers(self, pattern: Pattern) -> str | None:
        return None
