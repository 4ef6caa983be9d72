"""What people's words, reviews, votes and outcomes say of the learner, against counts made by hand."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from kb.feedback import NewOutcome, NewVote, Outcome, Verdict, Vote
from kb.incident import ActionOutcome, Incident
from kb.incident_records import StoredIncident
from kb.pattern_records import LearntIncident, SpokenWord, Word, WordKind
from kb.review_records import DraftKind, NewDraft, Review, ReviewStatus
from kb.severity import Severity
from learner.accuracy import Judgements, accuracy_by_week, accuracy_of, response_times
from learner.settling import LEARNER

Make = Callable[..., Incident]
MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)


def kept(make: Make, number: int, pattern_id: str = "pat-1") -> LearntIncident:
    one = replace(make(number), recorded_at=MONDAY + timedelta(days=number))
    stored = StoredIncident(one, "ana", "", 1, MONDAY, arrival_pattern_id=pattern_id, pattern_id=pattern_id)
    return LearntIncident(number, stored)


def ids(*numbers: int) -> frozenset[str]:
    return frozenset(f"inc-{number}" for number in numbers)


def words(*said: Word) -> list[SpokenWord]:
    return [SpokenWord(seq, word, "ana", MONDAY) for seq, word in enumerate(said)]


def vote(target: str, case: str, verdict: Verdict, who: str = "ana", day: int = 0) -> Vote:
    return Vote(NewVote(target, case, verdict), who, MONDAY + timedelta(days=day))


def review(status: ReviewStatus, day: int) -> Review:
    at = MONDAY + timedelta(days=day)
    decided = None if status is ReviewStatus.OPEN else at
    draft = NewDraft("pat-1", DraftKind.PATTERN, "queue", "0" * 64, "e", 3)
    return Review(f"rev-{day}", draft, status, 1, at, at, decided)


def test_nothing_said_is_nothing_judged(incident: Make) -> None:
    found = accuracy_of(Judgements(learnt=[kept(incident, n) for n in range(10)]))
    assert (found.assignments.made, found.assignments.confirmed, found.assignments.refused) == (10, 0, 0)
    assert found.assignments.agreed.value is None
    assert (found.assignments.stood.value, round(found.assignments.stood.interval.low, 3)) == (1.0, 0.692)
    assert accuracy_of(Judgements()).weeks == ()


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ([Word(WordKind.UNLEARN, (ids(1),))], 1),
        ([Word(WordKind.UNLEARN, (ids(1),)), Word(WordKind.LEARN_AGAIN, (ids(1),))], 0),
        ([Word(WordKind.SPLIT, (ids(0, 1, 2, 3), ids(4, 5)))], 2),
        ([Word(WordKind.SPLIT, (ids(4, 5), ids(0, 1, 2, 3)))], 2),
        ([Word(WordKind.MERGE, (ids(0, 1, 2), ids(3), ids(4, 5)))], 3),
        ([Word(WordKind.RENAME, pattern_id="pat-1", name="Queue")], 0),
        ([Word(WordKind.UNLEARN, (ids(99),))], 0),
    ],
)
def test_incidents_that_people_move_were_assigned_wrongly(incident: Make, said: list[Word], refused: int) -> None:
    found = accuracy_of(Judgements(learnt=[kept(incident, n) for n in range(6)], words=words(*said)))
    assert (found.assignments.made, found.assignments.refused) == (6, refused)


def test_a_vote_on_the_pattern_in_the_incident_judges_the_assignment_and_the_latest_counts(incident: Make) -> None:
    votes = [
        vote("pat-1", "inc-0", Verdict.WRONG),
        vote("pat-1", "inc-0", Verdict.HELPED, who="ben", day=1),
        vote("pat-1", "inc-1", Verdict.WRONG),
        vote("pat-2", "inc-2", Verdict.WRONG),
    ]
    found = accuracy_of(Judgements(learnt=[kept(incident, n) for n in range(3)], votes=votes)).assignments
    assert (found.confirmed, found.refused, found.agreed.value) == (1, 1, 0.5)


def test_weeks_begin_on_monday_and_drafts_count_when_they_were_opened() -> None:
    reviews = [
        review(ReviewStatus.APPROVED, 0),
        review(ReviewStatus.REJECTED, 6),
        review(ReviewStatus.UNDONE, 7),
        review(ReviewStatus.OPEN, 8),
    ]
    first, second = accuracy_by_week(Judgements(reviews=reviews))
    assert (first.monday, second.monday) == (date(2026, 1, 5), date(2026, 1, 12))
    assert (first.drafts.made, first.drafts.confirmed, first.drafts.refused) == (2, 1, 1)
    assert (second.drafts.made, second.drafts.agreed.trials, second.drafts.undone) == (2, 0, 1)
    assert first.assignments.made == 0


def test_what_the_learner_puts_away_itself_is_nobodys_verdict() -> None:
    put_away = replace(review(ReviewStatus.REJECTED, 0), reviewer=LEARNER.name)
    (week,) = accuracy_by_week(Judgements(reviews=[put_away, review(ReviewStatus.OPEN, 0)]))
    assert (week.drafts.made, week.drafts.refused) == (1, 0)


def test_a_recommendation_is_judged_once_a_person_and_case_by_how_it_ended() -> None:
    def told(incident_id: str, outcome: ActionOutcome, *, recurred: bool = False, who: str = "ana") -> Outcome:
        new = NewOutcome(incident_id, "restart consumer", outcome)
        return Outcome(new, who, MONDAY, MONDAY if recurred else None)

    found = accuracy_of(
        Judgements(
            votes=[
                vote("restart consumer", "inc-1", Verdict.HELPED),
                vote("restart consumer", "inc-2", Verdict.OUTDATED),
                vote("disk-full#fix", "inc-2", Verdict.WRONG),
            ],
            outcomes=[
                told("inc-1", ActionOutcome.MADE_WORSE),
                told("inc-3", ActionOutcome.HELPED),
                told("inc-4", ActionOutcome.HELPED, recurred=True),
                told("inc-5", ActionOutcome.UNKNOWN),
                told("inc-3", ActionOutcome.HELPED, who="ben"),
            ],
            recommended=frozenset({"restart consumer"}),
        )
    ).recommendations
    assert (found.made, found.confirmed, found.refused) == (5, 2, 3)


def test_times_are_told_by_severity_with_a_runbook_and_without(incident: Make) -> None:
    def one(number: int, severity: Severity | None, minutes: float, answered: float | None = None) -> Incident:
        made = incident(number, duration_s=60 * minutes)
        at = None if answered is None else made.started_at + timedelta(minutes=answered)
        return replace(made, severity=severity, acknowledged_at=at)

    incidents = [
        one(0, Severity.HIGH, 10, answered=2),
        one(1, Severity.HIGH, 20),
        one(2, Severity.HIGH, 60, answered=-5),
        one(3, None, 5),
    ]
    rows = response_times(incidents, {"inc-0", "inc-1"})
    assert [(row.severity, row.with_runbook, row.resolved.count, row.resolved.p50_s) for row in rows] == [
        (Severity.HIGH, None, 3, 1200.0),
        (Severity.HIGH, True, 2, 900.0),
        (Severity.HIGH, False, 1, 3600.0),
        (None, None, 1, 300.0),
        (None, False, 1, 300.0),
    ]
    assert (rows[0].acknowledged.count, rows[0].acknowledged.p50_s) == (1, 120.0)
