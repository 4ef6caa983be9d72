"""How often the learner was right, counted from the records and counted again when something was done to them."""

from datetime import UTC, datetime, timedelta
from itertools import count

from api.learning.judging import Judging, feedback_on
from kb.feedback import NewOutcome, NewVote, Verdict
from kb.incident import ActionOutcome, Incident
from kb.memory_records import MemoryRecords
from kb.pattern_records import Assignment, Word, WordKind
from kb.principal import Face, Principal, Role

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
ANA = Principal("ana", Role.LOCAL, Face.WEB)


def made() -> tuple[MemoryRecords, list[str]]:
    ids = count(1)
    records = MemoryRecords(now=lambda: NOW, new_id=lambda: f"id-{next(ids)}", redact=str)
    kept = []
    with records.change(ANA) as change:
        for number in range(4):
            began = NOW - timedelta(hours=number)
            incident = Incident("", f"Queue {number}", began, began, "ana", duration_s=600.0 * (number + 1))
            kept.append(change.incidents.add(incident).stored.incident.id)
        change.patterns.assign([Assignment(one, "pat-1") for one in kept])
    return records, kept


def test_what_is_about_runbooks_is_no_recommendation_and_makes_an_incident_one_with_a_runbook() -> None:
    records, (first, second, *_) = made()
    with records.change(ANA) as change:
        change.feedback.tell(NewOutcome(first, "queue-grows", ActionOutcome.HELPED))
        change.feedback.tell(NewOutcome(second, "restart consumer", ActionOutcome.HELPED))
        change.feedback.vote(NewVote("pat-1", first, Verdict.HELPED))
    view = Judging(records).accuracy({"restart consumer"})
    assert (view.accuracy.recommendations.made, view.accuracy.recommendations.confirmed) == (2, 2)
    assert (view.accuracy.assignments.made, view.accuracy.assignments.confirmed) == (4, 1)
    assert [(row.with_runbook, row.resolved.count) for row in view.times] == [(None, 4), (True, 1), (False, 3)]


def test_it_is_counted_again_only_when_something_was_done() -> None:
    records, (first, *_) = made()
    judging = Judging(records)
    before = judging.accuracy(())
    assert judging.accuracy(()) is before
    with records.change(ANA) as change:
        change.patterns.say(Word(WordKind.UNLEARN, (frozenset({first}),)))
    assert judging.accuracy(()).accuracy.assignments.refused == 1


def test_feedback_is_read_for_what_is_asked() -> None:
    records, _ = made()
    with records.change(ANA) as change:
        change.feedback.vote(NewVote("restart consumer", "c", Verdict.HELPED))
        change.feedback.vote(NewVote("purge queue", "c", Verdict.WRONG))
    found = feedback_on(records, ["restart consumer", "pat-1"], now=NOW)
    assert {target: one.notes for target, one in found.items()} == {"restart consumer": ("1 person said this helped",)}
