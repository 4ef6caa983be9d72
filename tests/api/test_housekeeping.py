"""What a server tidies up by itself, and how it sees that trouble came back."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from api.housekeeping import Housekeeping, Tidied, housekeeping, mark_recurrences
from kb.audit import AuditLog
from kb.database import Database, open_database, sqlite_url
from kb.feedback import NewOutcome, NewVote, Verdict
from kb.incident import ActionOutcome, Incident
from kb.memory_logs import MemorySearchLog
from kb.outbox import Announcement, Outbox
from kb.pattern_records import Assignment
from kb.principal import Face, Principal, Role
from kb.runbook_records import Journal
from kb.search_log import SearchRecord
from kb.sql_records import SqlRecords
from learner.recurrence import came_back

pytestmark = pytest.mark.integration
NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
ANA = Principal("ana", Role.LOCAL, Face.WEB)
HOUR = timedelta(hours=1)


class Stage:
    """A database of records with a clock that is turned by hand."""

    def __init__(self, database: Database) -> None:
        self.at = NOW
        ids = count(1)
        self.database = database
        self.outbox = Outbox(database, now=lambda: self.at, new_id=lambda: f"e{next(ids)}")
        audit = AuditLog(database, now=lambda: self.at, redact=str)
        journal = Journal(audit, self.outbox, lambda: self.at, lambda: f"i{next(ids)}")
        self.records = SqlRecords(database, journal, redact=str)
        self.searches = MemorySearchLog(redact=str)

    def learn(self, started: datetime, pattern_id: str = "pat-1", *, service: str = "", minutes: float = 30) -> str:
        told = Incident("", f"Queue {started}", started, started, "ana", service=service, duration_s=60 * minutes)
        with self.records.change(ANA) as change:
            kept = change.incidents.add(told).stored.incident.id
            change.patterns.assign([Assignment(kept, pattern_id)])
        return kept

    def helped(self, incident_id: str) -> None:
        with self.records.change(ANA) as change:
            change.feedback.tell(NewOutcome(incident_id, "queue-grows", ActionOutcome.HELPED))

    def recurred_at(self, incident_id: str) -> datetime | None:
        with self.records.read() as view:
            (told,) = view.feedback.outcomes(incident_id=incident_id)
        return told.recurred_at


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    database = open_database(sqlite_url(tmp_path / "kb.sqlite"))
    yield Stage(database)
    database.close()


def test_what_helped_is_taken_back_when_the_trouble_comes_back_within_a_day(stage: Stage) -> None:
    first = stage.learn(NOW)
    stage.helped(first)
    assert mark_recurrences(stage.records, NOW) == 0
    stage.learn(NOW + 40 * HOUR)
    assert mark_recurrences(stage.records, NOW) == 0
    stage.learn(NOW + 20 * HOUR)
    stage.learn(NOW + 5 * HOUR)
    assert mark_recurrences(stage.records, NOW) == 1
    assert stage.recurred_at(first) == NOW + 5 * HOUR
    assert mark_recurrences(stage.records, NOW) == 0


@pytest.mark.parametrize(
    ("pattern_id", "service", "is_back"),
    [("pat-1", "orders", True), ("pat-1", "", True), ("pat-1", "payments", False), ("pat-2", "orders", False)],
)
def test_another_pattern_or_service_is_another_trouble(
    stage: Stage, pattern_id: str, service: str, is_back: bool
) -> None:
    first = stage.learn(NOW, service="orders")
    stage.helped(first)
    stage.learn(NOW + 5 * HOUR, pattern_id, service=service)
    assert mark_recurrences(stage.records, NOW) == int(is_back)


def test_what_was_told_long_ago_is_not_looked_at_again(stage: Stage) -> None:
    stage.helped(stage.learn(NOW))
    stage.learn(NOW + 5 * HOUR)
    assert mark_recurrences(stage.records, NOW + timedelta(days=31)) == 0


def test_an_incident_that_began_before_the_end_or_has_none_is_no_recurrence() -> None:
    first = Incident("a", "Queue", NOW, NOW, "ana", duration_s=3600)
    second = Incident("b", "Queue", NOW + 2 * HOUR, NOW, "ana")
    assert came_back(first, second)
    assert not came_back(first, first)
    assert not came_back(first, replace(second, started_at=NOW + 0.5 * HOUR))
    assert not came_back(first, replace(second, started_at=NOW + 25 * HOUR + timedelta(seconds=1)))
    assert not came_back(replace(first, duration_s=None), second)
    assert came_back(replace(first, duration_s=None, resolved_at=NOW + HOUR), second)


def test_events_searches_and_votes_are_forgotten_when_their_time_has_come(stage: Stage) -> None:
    with stage.records.change(ANA) as change:
        change.feedback.vote(NewVote("disk-full", "s1", Verdict.HELPED))
    with stage.database.write() as connection:
        stage.outbox.append(connection, [Announcement("t", "s", {}, NOW)])
    stage.searches.record([SearchRecord("s1", NOW, "ana", Face.WEB, "q", (), False, "", "g", 0.01)])
    assert housekeeping(stage.records, stage.outbox, stage.searches, NOW + timedelta(days=20)) == Tidied(0, 0, 0, 0)
    assert housekeeping(stage.records, stage.outbox, stage.searches, NOW + timedelta(days=31)).searches == 1
    stage.at = NOW + timedelta(days=731)
    done = housekeeping(stage.records, stage.outbox, stage.searches, stage.at)
    assert done.votes == 1
    assert done.events > 0


def test_it_looks_for_recurrences_every_few_minutes_and_tidies_once_a_day(stage: Stage) -> None:
    passed = [0.0]
    act = Housekeeping(stage.records, stage.outbox, stage.searches, now=lambda: stage.at, timer=lambda: passed[0])
    act()
    stage.searches.record([SearchRecord("s1", NOW, "ana", Face.WEB, "q", (), False, "", "g", 0.01)])
    first = stage.learn(NOW)
    stage.helped(first)
    stage.learn(NOW + 5 * HOUR)
    passed[0] = 599.0
    act()
    assert stage.recurred_at(first) is None
    passed[0] = 600.0
    act()
    assert stage.recurred_at(first) == NOW + 5 * HOUR
    stage.at = NOW + timedelta(days=31)
    passed[0] = 86_399.0
    act()
    assert len(stage.searches.recent()) == 1
    passed[0] = 86_400.0
    act()
    assert stage.searches.recent() == []
