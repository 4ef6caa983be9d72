"""Hints at resources that people give more of, free or win back by hand again and again: memory, disks, connections.
Only what recurs and helped counts, and the hint says what was done, in the words of the incidents. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from kb.pattern import ActionStats, Pattern
from learner.effectiveness import action_terms
from learner.insight import ActionKind, Insight, InsightAction, InsightKind
from learner.words import terms_in

MIN_WORKED = 3
"""Incidents in which such an action helped, over all patterns, from which on a resource is worth a word."""


class Measure(StrEnum):
    """What was done about a resource by hand."""

    RAISED = "raised by hand"
    FREED = "freed by hand"
    RESTARTED = "won back by restarts"


def _terms(words: str) -> frozenset[str]:
    return frozenset(terms_in(words))


RESOURCES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "memory": _terms("memory oom oomkilled heap swap"),
        "disk space": _terms("disk inode filesystem tablespace"),
        "processor time": _terms("cpu throttling"),
        "connections": _terms("connection pool"),
        "file descriptors": _terms("descriptor ulimit"),
        "threads and workers": _terms("thread worker"),
    }
)
_MEASURES: Mapping[Measure, frozenset[str]] = MappingProxyType(
    {
        Measure.RAISED: _terms("increase double resize add scale upgrade"),
        Measure.FREED: _terms("clean delete free freed vacuum truncate rotate compact evict kill close"),
        Measure.RESTARTED: _terms("restart"),
    }
)
_FREEABLE = _terms("old log file temporary artifact image snapshot backup data wal cache idle session query process")
"""What takes room: deleting it frees the resource that an incident is about, rotating a password does not."""

_FILLS = frozenset({"memory", "disk space", "connections", "file descriptors"})
"""Resources that things pile up in."""

_GIVEN_BACK = frozenset({"memory", "connections", "file descriptors", "threads and workers"})
"""Resources that a process gives back when it ends."""

_ADVICE: Mapping[Measure, str] = MappingProxyType(
    {
        Measure.RAISED: "give it more for good, or let it grow by itself",
        Measure.FREED: "free it on a schedule, or keep it from filling",
        Measure.RESTARTED: "look for what uses it up, since a restart gives it back",
    }
)


@dataclass(frozen=True, slots=True)
class _Case:
    pattern: Pattern
    stats: ActionStats


def find_resource_hints(patterns: Sequence[Pattern]) -> list[Insight]:
    """One insight for each resource and measure that helped in at least `MIN_WORKED` incidents."""
    cases: defaultdict[tuple[str, Measure], list[_Case]] = defaultdict(list)
    for pattern in patterns:
        about = _resources_in(terms_in(f"{pattern.name} {_title(pattern)}".lower()))
        for stats in pattern.actions:
            for resource, measure in _treated(stats, about):
                cases[resource, measure].append(_Case(pattern, stats))
    hints = [_hint(resource, measure, found) for (resource, measure), found in cases.items()]
    return [hint for hint in hints if len(hint.incident_ids) >= MIN_WORKED]


def _treated(stats: ActionStats, about: frozenset[str]) -> Iterable[tuple[str, Measure]]:
    """Resources that an action which helped gave more of or freed: those it names, else those that its pattern is
    about, where it can only have been these."""
    if not stats.worked:
        return
    terms = action_terms(stats.name)
    for measure, verbs in _MEASURES.items():
        if terms & verbs and not (measure is Measure.RAISED and "down" in terms):
            for resource in sorted(_meant(measure, terms, about)):
                yield resource, measure


def _meant(measure: Measure, terms: frozenset[str], about: frozenset[str]) -> frozenset[str]:
    named = _resources_in(terms)
    if measure is Measure.RESTARTED:  # what is restarted is named, what that gives back is not
        return about & _GIVEN_BACK
    return about & _FILLS if measure is Measure.FREED and not named and terms & _FREEABLE else named


def _resources_in(terms: Iterable[str]) -> frozenset[str]:
    found = frozenset(terms)
    return frozenset(name for name, words in RESOURCES.items() if words & found)


def _title(pattern: Pattern) -> str:
    return pattern.signatures[0].text if pattern.signatures else ""


def _hint(resource: str, measure: Measure, cases: Sequence[_Case]) -> Insight:
    ordered = sorted(cases, key=lambda case: (-case.stats.worked, case.pattern.id, case.stats.key))
    ids = tuple(dict.fromkeys(incident_id for case in ordered for incident_id in case.stats.worked_ids))
    best = ordered[0]
    names = list(dict.fromkeys(case.pattern.name for case in ordered))
    among = names[0] if len(names) == 1 else f"{len(names)} patterns, most in {names[0]}"
    text = (
        f"{resource.capitalize()}: {measure} in {len(ids)} incidents ({among}); "
        f"“{best.stats.name}” worked in {best.stats.worked} of {best.stats.success.trials}: {_ADVICE[measure]}"
    )
    act = InsightAction(ActionKind.OPEN_PATTERN, best.pattern.id)
    return Insight(InsightKind.RESOURCE, text, float(len(ids)), act, best.pattern.id, ids)
