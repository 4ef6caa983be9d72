"""The writing side of one transaction on the records: who changes, when, and what is told of it to the audit and to
those who wait for events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from kb.audit import AuditNote
from kb.incident_cleaning import Redact
from kb.outbox import Announcement
from kb.principal import Principal
from kb.runbook_records import Journal

Facts = Mapping[str, str | int | None]


@dataclass(slots=True)
class Ledger:
    """Carried through one transaction of `Database.write`. Call `flush` as the last thing in it."""

    connection: Connection
    principal: Principal
    now: datetime
    redact: Redact
    journal: Journal
    _notes: list[AuditNote] = field(default_factory=list)
    _announcements: list[Announcement] = field(default_factory=list)

    def tell(self, action: str, subject: str, facts: Facts, *, topic: str) -> None:
        """One audit line and one event about `subject`; `action` is such as `incident.add`."""
        self._notes.append(AuditNote(self.principal, action, subject, facts, self.now))
        self._announcements.append(Announcement(topic, subject, {"act": action, **facts}, self.now))

    def flush(self) -> None:
        """Write what was told."""
        self.journal.audit.append(self.connection, self._notes)
        self.journal.outbox.append(self.connection, self._announcements)
        self._notes, self._announcements = [], []
