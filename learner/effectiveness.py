"""What was done in incidents, joined over its wordings, and how it went. Failed attempts count as what they are, an
incident counts once however often an action is written in it, and how many distinct people say so is told beside."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from kb.incident import ActionOutcome, ActionTaken, Incident
from kb.pattern import ActionStats, Cited
from learner.intervals import quantiles, rate
from learner.signature import mask
from learner.words import terms_in

SAME_ACTION = 0.75
"""Share of common terms (Jaccard) from which two wordings are one action; `node` and `pod` never make two of one."""

_ACTION_WORDS = {
    "restart": ("restart", "reboot", "bounc", "recycl", "relaunch"),
    "rollback": ("rollback", "revert", "undo"),
    "increas": ("increas", "rais", "bump", "grow", "extend", "expand"),
    "decreas": ("decreas", "lower", "reduc", "shrink"),
    "delet": ("delet", "remov", "purg", "drop"),
    "clean": ("clean", "cleanup", "clear"),
    "renew": ("renew", "reissu"),
}
_SAME_ACTION_WORD = {word: words for words, alike in _ACTION_WORDS.items() for word in alike}
_FILLER = frozenset(
    {"we", "i", "they", "just", "also", "again", "finally", "manually", "successfully", "please", "need"}
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One action in one incident after its wordings were joined."""

    key: str
    incident: Incident
    action: ActionTaken
    outcome: ActionOutcome


TermsOf = Callable[[str], frozenset[str]]


def action_stats(incidents: Sequence[Incident], terms_of: TermsOf | None = None) -> tuple[ActionStats, ...]:
    """Every action of some incidents, best first: by whether two people or more saw it work, then by the lower bound
    of its success rate, then by how often it worked. `terms_of` is `action_terms` with a memory."""
    keys = join_wordings([action.text for incident in incidents for action in _actions(incident)], terms_of)
    attempts: defaultdict[str, dict[str, Attempt]] = defaultdict(dict)
    for incident in incidents:
        for action in _actions(incident):
            attempt = Attempt(keys[action.text], incident, action, outcome_of(action, incident))
            known = attempts[attempt.key].get(incident.id)
            if known is None or _PRECEDENCE[attempt.outcome] < _PRECEDENCE[known.outcome]:
                attempts[attempt.key][incident.id] = attempt
    wordings = _wordings(incidents, keys)
    stats = [_stats(key, list(found.values()), wordings[key]) for key, found in attempts.items()]
    return tuple(sorted(stats, key=rank_key))


def rank_key(stats: ActionStats) -> tuple[bool, float, int, str]:
    """Sorts the action to try first to the front. One source alone never outranks what several people saw work."""
    return (stats.principals < 2, -stats.success.interval.low, -stats.worked, stats.key)


def outcome_of(action: ActionTaken, incident: Incident) -> ActionOutcome:
    """What an action did. Where nobody said, the incident's end speaks for it, unless another action is named as what
    helped: then nothing is known of this one."""
    if action.outcome is not ActionOutcome.UNKNOWN or incident.resolution is None:
        return action.outcome
    if any(other.outcome is ActionOutcome.HELPED for other in incident.resolution.actions):
        return ActionOutcome.UNKNOWN
    if incident.resolution.success is None:
        return ActionOutcome.UNKNOWN
    return ActionOutcome.HELPED if incident.resolution.success else ActionOutcome.DID_NOT_HELP


def join_wordings(texts: Iterable[str], terms_of: TermsOf | None = None) -> dict[str, str]:
    """Each text -> the key of its action. Texts of the same terms are one action; so are near ones, the rarer joining
    the commoner. The same texts in any order give the same keys."""
    read = terms_of or action_terms
    terms = {text: read(text) for text in dict.fromkeys(texts)}
    counts = Counter(terms.values())
    spread = Counter(term for found in counts for term in found)
    leaders: list[frozenset[str]] = []
    led_by: defaultdict[str, list[int]] = defaultdict(list)
    leader_of: dict[frozenset[str], frozenset[str]] = {}
    for found in sorted(counts, key=lambda found: (-counts[found], sorted(found))):
        telling = _telling(found, spread)
        near = sorted({number for term in telling for number in led_by[term]})
        leader = next((leaders[number] for number in near if _alike(leaders[number], found)), None)
        if leader is None:
            leader = found
            for term in telling:
                led_by[term].append(len(leaders))
            leaders.append(found)
        leader_of[found] = leader
    return {text: " ".join(sorted(leader_of[found])) for text, found in terms.items()}


def _telling(terms: frozenset[str], spread: Mapping[str, int]) -> list[str]:
    """So many of the rarest terms that two sets which are alike share at least one of theirs."""
    rarest = sorted(terms, key=lambda term: (spread[term], term))
    return rarest[: len(terms) - math.ceil(SAME_ACTION * len(terms)) + 1]


def action_terms(text: str) -> frozenset[str]:
    """What an action is about once names, numbers and filler are out; the bare text when nothing else is left."""
    lowered = (
        mask(text).replace("\x00", " ").lower().replace("rolled back", "rollback").replace("roll back", "rollback")
    )
    terms = (_SAME_ACTION_WORD.get(term, term) for term in terms_in(lowered))
    return frozenset(term for term in terms if term not in _FILLER) or frozenset({text.strip().lower()})


def _alike(left: frozenset[str], right: frozenset[str]) -> bool:
    return len(left & right) >= SAME_ACTION * len(left | right)


def _actions(incident: Incident) -> Sequence[ActionTaken]:
    return [action for action in incident.resolution.actions if action.text.strip()] if incident.resolution else []


_PRECEDENCE: Mapping[ActionOutcome, int] = {
    ActionOutcome.MADE_WORSE: 0,
    ActionOutcome.HELPED: 1,
    ActionOutcome.DID_NOT_HELP: 2,
    ActionOutcome.UNKNOWN: 3,
}
"""When one incident tells two things of an action, the more telling one counts, harm before all."""


def _wordings(incidents: Sequence[Incident], keys: Mapping[str, str]) -> dict[str, list[str]]:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for incident in incidents:
        for action in _actions(incident):
            counts[keys[action.text]][action.text.strip()] += 1
    return {key: sorted(found, key=lambda text: (-found[text], text)) for key, found in counts.items()}


def _stats(key: str, attempts: Sequence[Attempt], wordings: Sequence[str]) -> ActionStats:
    by_outcome: defaultdict[ActionOutcome, list[str]] = defaultdict(list)
    for attempt in attempts:
        by_outcome[attempt.outcome].append(attempt.incident.id)
    worked, failed, worse = (
        tuple(by_outcome[outcome])
        for outcome in (ActionOutcome.HELPED, ActionOutcome.DID_NOT_HELP, ActionOutcome.MADE_WORSE)
    )
    told = len(worked) + len(failed) + len(worse)
    helped = [attempt for attempt in attempts if attempt.outcome is ActionOutcome.HELPED]
    times = (
        attempt.action.took_s if attempt.action.took_s is not None else attempt.incident.lasted_s for attempt in helped
    )
    return ActionStats(
        key=key,
        name=wordings[0],
        wordings=tuple(wordings),
        commands=cite((attempt.action.command, attempt.incident.id) for attempt in attempts),
        tried=len(attempts),
        worked=len(worked),
        failed=len(failed),
        worse=len(worse),
        unknown=len(attempts) - told,
        success=rate(len(worked), told),
        harm=rate(len(worse), told),
        median_s=quantiles([time for time in times if time is not None]).p50_s,
        side_effects=cite((effect, a.incident.id) for a in attempts for effect in a.action.side_effects),
        principals=len({attempt.incident.reported_by for attempt in helped}),
        incident_ids=tuple(attempt.incident.id for attempt in attempts),
        worked_ids=worked,
        failed_ids=failed,
        worse_ids=worse,
    )


def cite(told: Iterable[tuple[str, str]]) -> tuple[Cited, ...]:
    """(text, incident id) pairs -> each distinct text with the incidents that say it, most said first."""
    said: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for text, incident_id in told:
        if text.strip():
            said[" ".join(text.split())][incident_id] = None
    return tuple(
        Cited(text, tuple(ids)) for text, ids in sorted(said.items(), key=lambda item: (-len(item[1]), item[0]))
    )
