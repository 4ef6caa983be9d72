"""How good the learner is by the word of people: assignments, drafts and recommendations that they confirmed or
refused, week by week, and how long incidents take, with a runbook and without. Intervals are exact. Pure."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from kb.feedback import Outcome, Verdict, Vote
from kb.incident import ActionOutcome, Incident
from kb.pattern import Quantiles, Rate
from kb.pattern_records import LearntIncident, SpokenWord, WordKind
from kb.review_records import Review, ReviewStatus
from kb.severity import WORST_FIRST, Severity
from learner.intervals import quantiles, rate
from learner.settling import LEARNER


@dataclass(frozen=True, slots=True)
class Judged:
    """What the learner did in a span of time and what people said of it; most of it nobody says a word about.

    `agreed` is the share of confirmed among confirmed and refused; `stood` the share of all that was not refused.
    `undone` counts decisions that were taken back, which say nothing either way.
    """

    made: int
    confirmed: int
    refused: int
    agreed: Rate
    stood: Rate
    undone: int = 0


@dataclass(frozen=True, slots=True)
class AccuracyWeek:
    """One week from a Monday, UTC. What was judged counts for the week in which the learner did it."""

    monday: date
    assignments: Judged
    drafts: Judged
    recommendations: Judged


@dataclass(frozen=True, slots=True)
class Judgements:
    """All that people said. `recommended` are the targets of feedback that are recommendations rather than hits: ids of
    patterns and keys of actions."""

    learnt: Sequence[LearntIncident] = ()
    words: Sequence[SpokenWord] = ()
    reviews: Sequence[Review] = ()
    votes: Sequence[Vote] = ()
    outcomes: Sequence[Outcome] = ()
    recommended: Collection[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Accuracy:
    """The weeks in which something happened, oldest first, and all of them together."""

    weeks: tuple[AccuracyWeek, ...]
    assignments: Judged
    drafts: Judged
    recommendations: Judged


@dataclass(frozen=True, slots=True)
class ResponseTimes:
    """Seconds from the start until somebody answered and until the end; `severity` None: unknown. `with_runbook` None
    means both."""

    severity: Severity | None
    with_runbook: bool | None
    acknowledged: Quantiles
    resolved: Quantiles


@dataclass(frozen=True, slots=True)
class _Case:
    """One thing that the learner did, and what people made of it: True confirmed, False refused, None nothing."""

    monday: date
    verdict: bool | None
    is_undone: bool = False


def accuracy_of(said: Judgements) -> Accuracy:
    """How often people confirmed or refused what the learner did.

    An assignment is refused when a person took the incident out of its pattern, split it off, or merged its pattern
    into a larger one, or when the latest vote on its pattern in its case says so; a vote that it helped confirms it.
    A draft is confirmed by approval and refused by rejection. A recommendation is judged by the latest vote and the
    outcome of each person in each case; where the two differ the outcome counts.
    """
    kinds = (_assignments(said), _drafts(said.reviews), _recommendations(said))
    by_week = [_by_week(cases) for cases in kinds]
    mondays = sorted({monday for weeks in by_week for monday in weeks})
    weeks = tuple(AccuracyWeek(monday, *(_judged(weeks.get(monday, ())) for weeks in by_week)) for monday in mondays)
    return Accuracy(weeks, *map(_judged, kinds))


def accuracy_by_week(said: Judgements) -> tuple[AccuracyWeek, ...]:
    """The weeks alone."""
    return accuracy_of(said).weeks


def response_times(incidents: Iterable[Incident], used_runbook: Collection[str]) -> tuple[ResponseTimes, ...]:
    """Times by severity, worst first and unknown last, each over all, with and without a runbook; empty rows left out.

    `used_runbook` holds the ids of incidents for which somebody told how using a runbook ended.
    """
    known = list(incidents)
    rows = []
    for severity in (*WORST_FIRST, None):
        mine = [incident for incident in known if incident.severity is severity]
        for with_runbook in (None, True, False):
            chosen = [one for one in mine if with_runbook is None or (one.id in used_runbook) is with_runbook]
            if chosen:
                rows.append(ResponseTimes(severity, with_runbook, _answered(chosen), _ended(chosen)))
    return tuple(rows)


def _assignments(said: Judgements) -> list[_Case]:
    refused = _refused_by_words(said.words)
    latest: dict[tuple[str, str], Vote] = {}
    for vote in sorted(said.votes, key=lambda vote: (vote.event_time, vote.principal)):
        latest[vote.vote.case, vote.vote.target] = vote
    cases = []
    for one in said.learnt:
        incident_id = one.stored.incident.id
        targets = (one.stored.arrival_pattern_id or "", one.stored.pattern_id or "")
        votes = [latest[incident_id, target] for target in targets if (incident_id, target) in latest]
        verdict = None
        if incident_id in refused:
            verdict = False
        elif votes:
            verdict = max(votes, key=lambda vote: vote.event_time).vote.verdict is Verdict.HELPED
        cases.append(_Case(_monday(one.stored.incident.recorded_at), verdict))
    return cases


def _refused_by_words(words: Iterable[SpokenWord]) -> frozenset[str]:
    """Incidents that people moved: a later word about one takes an earlier one back where it says the contrary."""
    refused: dict[str, None] = {}
    for spoken in sorted(words, key=lambda spoken: spoken.seq):
        word = spoken.word
        if word.kind is WordKind.SPLIT:
            moved = min(word.groups[:2], key=lambda group: (len(group), sorted(group)))
        elif word.kind is WordKind.MERGE:
            largest = max(word.groups, key=lambda group: (len(group), sorted(group)))
            moved = frozenset().union(*word.groups) - largest
        elif word.kind is WordKind.UNLEARN:
            moved = word.groups[0]
        else:
            if word.kind is WordKind.LEARN_AGAIN:
                for incident_id in word.groups[0]:
                    refused.pop(incident_id, None)
            continue
        refused.update(dict.fromkeys(moved))
    return frozenset(refused)


def _drafts(reviews: Iterable[Review]) -> list[_Case]:
    verdicts: Mapping[ReviewStatus, bool] = {ReviewStatus.APPROVED: True, ReviewStatus.REJECTED: False}
    return [
        _Case(_monday(review.opened_at), verdicts.get(review.status), review.status is ReviewStatus.UNDONE)
        for review in reviews
        if review.reviewer != LEARNER.name  # it has put a draft away that nobody needs to look at any more
    ]


def _recommendations(said: Judgements) -> list[_Case]:
    judged: dict[tuple[str, str, str], _Case] = {}
    for vote in sorted(said.votes, key=lambda vote: vote.event_time):
        if vote.vote.target in said.recommended:
            key = (vote.principal, vote.vote.case, vote.vote.target)
            judged[key] = _Case(_monday(vote.event_time), vote.vote.verdict is Verdict.HELPED)
    for told in sorted(said.outcomes, key=lambda told: told.event_time):
        outcome = told.outcome
        if outcome.target in said.recommended and outcome.outcome is not ActionOutcome.UNKNOWN:
            held = outcome.outcome is ActionOutcome.HELPED and told.recurred_at is None
            judged[told.principal, outcome.incident_id, outcome.target] = _Case(_monday(told.event_time), held)
    return list(judged.values())


def _by_week(cases: Iterable[_Case]) -> Mapping[date, list[_Case]]:
    weeks: defaultdict[date, list[_Case]] = defaultdict(list)
    for case in cases:
        weeks[case.monday].append(case)
    return weeks


def _judged(cases: Iterable[_Case]) -> Judged:
    known = list(cases)
    counts = Counter(case.verdict for case in known)
    confirmed, refused, undone = counts[True], counts[False], sum(case.is_undone for case in known)
    made = len(known)
    return Judged(
        made, confirmed, refused, rate(confirmed, confirmed + refused), rate(made - refused, made), undone=undone
    )


def _answered(incidents: Iterable[Incident]) -> Quantiles:
    answered = ((one.acknowledged_at, one.started_at) for one in incidents)
    return quantiles([(end - start).total_seconds() for end, start in answered if end is not None and end >= start])


def _ended(incidents: Iterable[Incident]) -> Quantiles:
    return quantiles([incident.lasted_s for incident in incidents if incident.lasted_s is not None])


def _monday(moment: datetime) -> date:
    day = moment.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())
