"""What people say of runbooks reaches the next second's searches, from a database of its own."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from api.feedback_priors import FeedbackPriors, Known
from kb.audit import AuditLog
from kb.database import Database, open_database, sqlite_url
from kb.feedback import NewOutcome, NewVote, Verdict
from kb.incident import ActionOutcome, Incident
from kb.outbox import Outbox
from kb.principal import Face, Principal, Role
from kb.runbook_records import Journal
from kb.sql_records import SqlRecords

pytestmark = pytest.mark.integration
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HELPED, WRONG = NewVote("disk-full#fix", "s1", Verdict.HELPED), NewVote("disk-full", "s1", Verdict.WRONG)


class Clock:
    """Both clocks, moved by hand."""

    def __init__(self) -> None:
        self.passed = timedelta()

    def now(self) -> datetime:
        return NOON + self.passed

    def timer(self) -> float:
        return self.passed.total_seconds()


class Stage:
    """A database, what is known of it, and how often it was asked."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = Clock()
        ids = count(1)
        journal = Journal(
            AuditLog(database, now=self.clock.now, redact=str),
            Outbox(database, now=self.clock.now, new_id=lambda: f"e{next(ids)}"),
            self.clock.now,
            lambda: f"i{next(ids)}",
        )
        self.records = SqlRecords(database, journal, redact=str)
        self.beside: list[Callable[[], None]] = []
        self.priors = FeedbackPriors(database, now=self.clock.now, timer=self.clock.timer, beside=self.beside.append)
        self.statements: list[str] = []

    def later(self, seconds: float) -> Known:
        """What a search knows then, and what runs beside it has ended."""
        self.clock.passed += timedelta(seconds=seconds)
        self.statements.clear()
        self.priors()
        while self.beside:
            self.beside.pop()()
        return self.priors()

    def vote(self, who: str, vote: NewVote) -> None:
        with self.records.change(Principal(who, Role.LOCAL, Face.WEB)) as change:
            change.feedback.vote(vote)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    database = open_database(sqlite_url(tmp_path / "kb.sqlite"))
    made = Stage(database)

    def heard(connection: object, cursor: object, statement: str, *rest: object) -> None:
        made.statements.append(statement)

    event.listen(Engine, "before_cursor_execute", heard)
    yield made
    event.remove(Engine, "before_cursor_execute", heard)
    database.close()


def test_where_nobody_voted_nothing_is_known(stage: Stage) -> None:
    assert stage.later(0) == Known()


def test_a_vote_is_known_a_second_later_with_its_reason(stage: Stage) -> None:
    assert stage.later(0) == Known()
    stage.vote("ana", HELPED)
    assert stage.later(0.5) == Known()
    known = stage.later(1)
    assert known.boosts == {"disk-full": pytest.approx(0.05)}
    assert known.notes == {"disk-full": ("1 person said this helped",)}


def test_a_vote_that_is_changed_or_taken_back_is_followed(stage: Stage) -> None:
    stage.vote("ana", HELPED)
    assert stage.later(0).boosts == {"disk-full": 0.05}
    stage.clock.passed += timedelta(seconds=1)
    stage.vote("ana", WRONG)
    assert stage.later(2).notes == {"disk-full": ("1 person said this was wrong",)}
    with stage.records.change(Principal("ana", Role.LOCAL, Face.WEB)) as change:
        change.feedback.withdraw("disk-full", "s1")
        change.feedback.withdraw("disk-full#fix", "s1")
    assert stage.later(2) == Known()


def test_an_outcome_and_its_recurrence_are_followed(stage: Stage) -> None:
    with stage.records.change(Principal("ana", Role.LOCAL, Face.WEB)) as change:
        incident = change.incidents.add(Incident("", "Disk", NOON, NOON, "ana")).stored.incident.id
        change.feedback.tell(NewOutcome(incident, "disk-full", ActionOutcome.HELPED))
    assert stage.later(0).notes == {"disk-full": ("resolved 1 of 1 incident",)}
    with stage.records.change(Principal("ana", Role.LOCAL, Face.WEB)) as change:
        change.feedback.recurred(incident, NOON)
    assert stage.later(2).notes == {"disk-full": ("resolved 1 of 1 incident, recurred once",)}


def test_the_database_is_asked_at_most_once_a_second_and_read_only_when_something_was_said(stage: Stage) -> None:
    stage.vote("ana", HELPED)
    stage.later(0)
    first = len(stage.statements)
    assert stage.later(0.9) is stage.later(0.09)
    assert stage.statements == []
    stage.later(1)
    assert sum("votes" in statement for statement in stage.statements) == 1 < first


def test_a_search_does_not_wait_for_what_changed(stage: Stage) -> None:
    known = stage.later(0)
    stage.vote("ana", HELPED)
    stage.clock.passed += timedelta(seconds=2)
    assert stage.priors() is stage.priors() is known
    (look,) = stage.beside
    look()
    assert stage.priors().boosts == {"disk-full": pytest.approx(0.05)}


def test_voices_fade_although_nobody_says_anything(stage: Stage) -> None:
    stage.vote("ana", HELPED)
    before = stage.later(0).boosts["disk-full"]
    assert stage.later(90 * 86400).boosts["disk-full"] == pytest.approx(before * (0.5 / 3.5) / 0.25)


def test_one_person_cannot_bury_a_runbook_that_others_find_good(stage: Stage) -> None:
    for who in ("ana", "ben", "cem"):
        stage.vote(who, HELPED)
    for number in range(150):
        stage.vote("mallory", NewVote(f"disk-full#s{number}", f"c{number}", Verdict.WRONG))
    found = stage.later(0)
    assert found.boosts["disk-full"] == pytest.approx(0.2 * 2 / 7)
    assert found.notes["disk-full"] == ("3 people said this helped", "1 person said this was wrong")


def test_a_database_that_cannot_be_read_costs_no_search(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.vote("ana", HELPED)
    known = stage.later(0)
    with stage.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE votes RENAME TO gone")
    assert stage.later(2) is known
    assert "feedback is not read" in caplog.text
