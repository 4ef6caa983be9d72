"""What people's votes on a runbook, an action or a pattern, and the ends of incidents in which it was used, come to: a
bounded opinion that fades, and the plain words that explain it (pure)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from kb.feedback import FORGOTTEN_AFTER, HALF_LIFE, PRIOR_VOTES, Outcome, Verdict, Vote
from kb.incident import ActionOutcome

RECURRED = -0.5
"""The worth of a use that helped until the trouble came back."""

_VOTE_WORTH: Mapping[Verdict, float] = MappingProxyType(
    {Verdict.HELPED: 1.0, Verdict.WRONG: -1.0, Verdict.OUTDATED: -0.5}
)
_USE_WORTH: Mapping[ActionOutcome, float] = MappingProxyType(
    {ActionOutcome.HELPED: 1.0, ActionOutcome.DID_NOT_HELP: -0.5, ActionOutcome.MADE_WORSE: -1.0}
)


@dataclass(frozen=True, slots=True)
class Feedback:
    """What is thought of one target: `value` in (-1, 1), 0 for no opinion, and why, in sentences without a stop."""

    value: float
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Told:
    """What was said of one target: the latest vote of each person, the latest end of each incident by each person."""

    votes: dict[str, Vote] = field(default_factory=dict)
    uses: defaultdict[str, dict[str, Outcome]] = field(default_factory=lambda: defaultdict(dict))


def feedback_by_target(votes: Iterable[Vote], outcomes: Iterable[Outcome], *, now: datetime) -> Mapping[str, Feedback]:
    """By target; the anchor of a runbook's section after `#` is left out, so that a person has one voice on a runbook.

    A person weighs at most as two of today: one for the latest vote, one for how the incidents went that they tell of,
    taken together however many they are. A word weighs half as much after each `HALF_LIFE`. With `PRIOR_VOTES` neutral
    voices beside the real ones, nobody alone brings `value` beyond 2 / (2 + PRIOR_VOTES) = 0.4.
    """
    told: defaultdict[str, _Told] = defaultdict(_Told)
    for vote in sorted(votes, key=lambda vote: (vote.event_time, vote.vote.case)):
        if now - vote.event_time <= FORGOTTEN_AFTER:
            told[_whole(vote.vote.target)].votes[vote.principal] = vote
    for one in sorted(outcomes, key=lambda one: (one.event_time, one.outcome.target)):
        is_told = one.outcome.outcome is not ActionOutcome.UNKNOWN
        if is_told and now - one.event_time <= FORGOTTEN_AFTER:
            told[_whole(one.outcome.target)].uses[one.principal][one.outcome.incident_id] = one
    return {target: _weighed(said, now) for target, said in sorted(told.items())}


def _whole(target: str) -> str:
    return target.partition("#")[0]


def _weighed(said: _Told, now: datetime) -> Feedback:
    total = weight = 0.0
    for vote in said.votes.values():
        mine = _fresh(vote.event_time, now)
        total += mine * _VOTE_WORTH[vote.vote.verdict]
        weight += mine
    for uses in said.uses.values():
        each = [(_fresh(one.event_time, now), _worth(one)) for one in uses.values()]
        sum_of_weights = sum(mine for mine, _ in each)
        voice = min(1.0, sum_of_weights)
        total += voice * sum(mine * worth for mine, worth in each) / sum_of_weights
        weight += voice
    return Feedback(total / (weight + PRIOR_VOTES), (*_vote_notes(said), *_use_notes(said)))


def _fresh(moment: datetime, now: datetime) -> float:
    return float(0.5 ** (max(now - moment, timedelta(0)) / HALF_LIFE))


def _worth(one: Outcome) -> float:
    has_recurred = one.outcome.outcome is ActionOutcome.HELPED and one.recurred_at is not None
    return RECURRED if has_recurred else _USE_WORTH[one.outcome.outcome]


def _vote_notes(said: _Told) -> list[str]:
    verdicts = [vote.vote.verdict for vote in said.votes.values()]
    words = {Verdict.HELPED: "this helped", Verdict.WRONG: "this was wrong", Verdict.OUTDATED: "this is outdated"}
    counts = ((verdicts.count(verdict), text) for verdict, text in words.items())
    return [f"{count} {'person' if count == 1 else 'people'} said {text}" for count, text in counts if count]


def _use_notes(said: _Told) -> list[str]:
    """Of several people who tell of one incident the latest counts."""
    latest: dict[str, Outcome] = {}
    for one in sorted((one for uses in said.uses.values() for one in uses.values()), key=lambda one: one.event_time):
        latest[one.outcome.incident_id] = one
    if not latest:
        return []
    resolved = [one for one in latest.values() if one.outcome.outcome is ActionOutcome.HELPED]
    recurred = sum(one.recurred_at is not None for one in resolved)
    worse = sum(one.outcome.outcome is ActionOutcome.MADE_WORSE for one in latest.values())
    note = f"resolved {len(resolved)} of {len(latest)} incident{'' if len(latest) == 1 else 's'}"
    note += f", recurred {_times(recurred)}" if recurred else ""
    return [note + (f", made it worse {_times(worse)}" if worse else "")]


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
