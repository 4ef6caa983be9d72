"""What lists and dashboards show of many records at once."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest

from api.learning.overviews import LearntWeek, Overviews
from kb.feedback import NewVote, Verdict
from kb.incident import Incident
from kb.memory_records import MemoryRecords
from kb.pattern import ChangeKind, PatternChange
from kb.pattern_records import Assignment, Word, WordKind
from kb.principal import Face, Principal, Role
from kb.review_records import DraftKind, NewDraft

NOW = datetime(2026, 11, 18, 3, 0, tzinfo=UTC)  # a Wednesday
ANN = Principal("ann", Role.RESPONDER, Face.WEB)
BEN = Principal("ben", Role.RESPONDER, Face.WEB)


class Clock:
    """A clock that tests set."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def records(clock: Clock) -> MemoryRecords:
    numbers = count()
    return MemoryRecords(now=clock, new_id=lambda: f"id-{next(numbers)}", redact=str)


def learn(records: MemoryRecords, number: int) -> str:
    began = NOW - timedelta(days=number)
    incident = Incident("", f"Trouble {number}", began, began, "ann", source="t", source_id=str(number))
    with records.change(ANN) as change:
        kept = change.incidents.add(incident).stored.incident.id
        change.patterns.assign([Assignment(kept, "pat-1")])
    return kept


def overviews(records: MemoryRecords) -> Overviews:
    return Overviews(records, covers=lambda pattern: None)


def test_beginnings_are_told_by_id_and_strangers_left_out(records: MemoryRecords) -> None:
    ids = [learn(records, number) for number in (1, 2)]
    looked = overviews(records)
    expected = {ids[0]: NOW - timedelta(days=1), ids[1]: NOW - timedelta(days=2)}
    assert looked.began([*ids, "inc-nobody"]) == expected
    assert looked.began(ids) == expected


def test_weeks_count_what_was_learnt_in_them_also_later(records: MemoryRecords, clock: Clock) -> None:
    looked = overviews(records)
    assert looked.learnt_by_week(date(2026, 11, 1)) == ()
    learn(records, 1)
    with records.change(ANN) as change:
        change.patterns.record([PatternChange(ChangeKind.BORN, "pat-1", (), 1, 1)])
    assert looked.learnt_by_week(date(2026, 11, 11)) == (
        LearntWeek(date(2026, 11, 9), 0, 0, 0),
        LearntWeek(date(2026, 11, 16), 1, 1, 0),
    )
    clock.now = NOW + timedelta(days=7)
    learn(records, 2)
    learn(records, 3)
    with records.change(BEN) as change:
        change.patterns.say(Word(WordKind.RENAME, pattern_id="pat-1", name="Trouble"))
    assert looked.learnt_by_week(date(2026, 11, 16)) == (
        LearntWeek(date(2026, 11, 16), 1, 1, 0),
        LearntWeek(date(2026, 11, 23), 2, 0, 1),
    )
    assert looked.learnt_by_week(date(2026, 12, 1)) == ()


def test_drafts_that_wait_are_counted_and_found_by_their_document(records: MemoryRecords) -> None:
    draft = NewDraft("pat-1", DraftKind.PATTERN, "disk-full", "0" * 64, "1", 3)
    with records.change(ANN) as change:
        first = change.reviews.put(draft)
        second = change.reviews.put(replace(draft, pattern_id="pat-2", document_id="queue"))
    looked = overviews(records)
    assert looked.waiting() == 2
    assert looked.waiting_review("queue") == second.id
    assert looked.waiting_review() in (first.id, second.id)
    assert looked.waiting_review("nothing") is None


def test_a_verdict_is_that_of_the_person_who_asks(records: MemoryRecords) -> None:
    incident_id = learn(records, 1)
    with records.change(ANN) as change:
        change.feedback.vote(NewVote("pat-1", incident_id, Verdict.WRONG))
    looked = overviews(records)
    assert looked.verdict("pat-1", incident_id, "ann") is Verdict.WRONG
    assert looked.verdict("pat-1", incident_id, "ben") is None
    assert looked.verdict("pat-1", "another", "ann") is None
