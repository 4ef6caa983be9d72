"""When the learner asks people to review something: what a pattern must show before a draft is written, what counts as
news, and how much at most. Pure."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from kb.pattern import ActionStats, Pattern
from kb.review_records import DraftKind, Review, ReviewStatus
from kb.severity import Severity

_PART_CHARS = 15
"""Of each part of an evidence digest: four of them fit the column, and nobody gains by making two collide."""


@dataclass(frozen=True, slots=True)
class DraftRules:
    """The bars and limits of drafting.

    A recurring pattern is worth a draft from `min_incidents` incidents on and a confidence of `min_confidence`, when it
    knows an action that worked or a step of diagnosis. A single severe incident of a new type is worth one for
    `incident_days` after it began, when it ended well and says what ended it; drafts of such incidents take at most
    `max_incidents_a_day` of those of a day. `max_new_a_day` drafts are opened on one day (UTC); none while
    `max_waiting` wait for people, nor while `max_of_one_source` wait that rest on one and the same principal's word.
    """

    min_incidents: int = 3
    min_confidence: float = 0.1
    incident_days: int = 14
    severe: frozenset[Severity] = frozenset({Severity.CRITICAL, Severity.HIGH})
    clear_worked: int = 5
    clear_success: float = 0.6
    max_new_a_day: int = 10
    max_incidents_a_day: int = 3
    max_waiting: int = 40
    max_of_one_source: int = 20
    asked_again_growth: float = 1.5
    asked_again_incidents: int = 5
    changed_incidents: int = 2
    update_growth: float = 1.1


class News(Enum):
    """What new evidence means for a draft that there is."""

    NONE = "none"
    MORE = "more of the same"
    CLEAR = "a clear change"


def evidence_digest(pattern: Pattern) -> str:
    """Four digests in one text: of the action to try first, of those that made it worse, of the alerts' names (and
    the name that a person gave), and of the incidents. What differs between two of them tells what changed."""
    best = best_action(pattern)
    parts: list[Iterable[str]] = [
        [best.key] if best else [],
        sorted(stats.key for stats in pattern.actions if stats.worse),
        [
            pattern.name if pattern.named_by_person else "",
            *sorted(alert for alert, count in pattern.alerts if count > 1),
        ],
        (f"{action.key}:{len(action.worked_ids)}" for action in pattern.actions),
    ]
    ids = [_digest(part) for part in parts[:3]]
    return "-".join((*ids, _digest((*pattern.evidence.incident_ids, *parts[3]))))


def best_action(pattern: Pattern) -> ActionStats | None:
    """The action to try first, None when none is known to have worked."""
    return next((stats for stats in pattern.actions if stats.worked), None)


def kind_of(pattern: Pattern, rules: DraftRules, *, now: datetime) -> DraftKind | None:
    """Which draft a pattern without a runbook is worth, None for none yet. It is worth one and not three: what would be
    told in the others stands in it.

    - INCIDENT: fewer than `min_incidents`, recent, severe, ended well, and the action that ended it is known;
    - RESOLUTION: recurring, nothing known of its diagnosis and triggers, and one action with clear evidence;
    - PATTERN: any other that recurs and passes the bars.
    """
    best = best_action(pattern)
    if pattern.frequency < rules.min_incidents:
        ended_well = pattern.success.trials > 0 and pattern.success.successes == pattern.success.trials
        is_news = now - pattern.evidence.last_seen <= timedelta(days=rules.incident_days)
        is_severe = pattern.severity in rules.severe
        return DraftKind.INCIDENT if is_news and is_severe and ended_well and best is not None else None
    if pattern.confidence.value < rules.min_confidence or not (best or pattern.diagnosis):
        return None
    is_clear = best is not None and best.worked >= rules.clear_worked
    if best and is_clear and best.success.interval.low >= rules.clear_success:
        return DraftKind.PATTERN if pattern.diagnosis or pattern.triggers else DraftKind.RESOLUTION
    return DraftKind.PATTERN


def news_for(review: Review, pattern: Pattern, rules: DraftRules) -> News:
    """What a pattern says that the draft of a review does not.

    CLEAR is at least `changed_incidents` more (or fewer, since people took them out) and another action to try first,
    one that made it worse for the first time, or another alert's name; or `asked_again_growth` times the incidents, and
    `asked_again_incidents` more at least. For a rejected draft only the latter counts, or another action to try first
    with half as many more.
    """
    old, new = review.draft.evidence_digest.split("-"), evidence_digest(pattern).split("-")
    if old == new:
        return News.NONE
    more = pattern.frequency - review.draft.evidence_count
    has_grown = (
        pattern.frequency >= rules.asked_again_growth * review.draft.evidence_count
        and more >= rules.asked_again_incidents
    )
    if review.status is ReviewStatus.REJECTED:
        acts_otherwise = old[0] != new[0] and 2 * more >= rules.asked_again_incidents
        return News.CLEAR if has_grown or acts_otherwise else News.MORE
    says_otherwise = old[:3] != new[:3] and abs(more) >= rules.changed_incidents
    return News.CLEAR if has_grown or says_otherwise else News.MORE


def is_worth_an_update(review: Review, pattern: Pattern, rules: DraftRules) -> bool:
    """Whether an open draft is to be written anew: on a clear change, on another set of statements, and with a tenth
    more (or fewer) incidents. Less than that would only take the text away under its reviewer's eyes."""
    news = news_for(review, pattern, rules)
    if news is not News.MORE:
        return news is News.CLEAR
    count = review.draft.evidence_count
    says_otherwise = review.draft.evidence_digest.split("-")[:3] != evidence_digest(pattern).split("-")[:3]
    return says_otherwise or not count / rules.update_growth < pattern.frequency < count * rules.update_growth


def in_turn(patterns: Sequence[Pattern], rules: DraftRules) -> list[Pattern]:
    """The order in which patterns get their drafts: those that several principals report first; then every source's
    best before any source's second, so that nobody fills the queue with theirs. What recurs comes before what happened
    once, then the worst and the most frequent."""
    ranked = sorted(
        patterns,
        key=lambda one: (one.frequency < rules.min_incidents, -_weight(one), -one.frequency, one.id),
    )
    places: dict[str, int] = {}
    turns: list[tuple[int, int, Pattern]] = []
    for rank, pattern in enumerate(ranked):
        turn = -1
        if (source := only_source(pattern)) is not None:
            turn = places[source] = places.get(source, -1) + 1
        turns.append((turn, rank, pattern))
    return [pattern for _, _, pattern in sorted(turns, key=lambda item: item[:2])]


def only_source(pattern: Pattern) -> str | None:
    """The principal on whose word alone a pattern rests."""
    return pattern.evidence.principals[0] if len(pattern.evidence.principals) == 1 else None


def _weight(pattern: Pattern) -> int:
    order = list(Severity)
    return len(order) - order.index(pattern.severity) if pattern.severity else 0


def _digest(texts: Iterable[str]) -> str:
    joined = "\x00".join(texts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:_PART_CHARS]
