"""Patterns as people see them, made again only when what they rest on has changed."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from kb.incident import Incident
from kb.pattern import ActionStats, Pattern
from learner.distill import aged, distill
from learner.effectiveness import action_stats, action_terms
from learner.signature import Signature

FRESH_FOR = timedelta(minutes=10)
"""So long a trend and a confidence may lag behind the clock."""

ACTIONS_REMEMBERED = 20_000
"""Wordings of actions whose terms are remembered."""

LITTLE_MORE = 1.25
"""A pattern is made anew for a glance once it has grown by this factor, so that glances cost little on average."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """What a pattern rests on: its incidents in the order of learning, their signatures, and a person's name for it."""

    pattern_id: str
    incidents: Sequence[Incident]
    signatures: Mapping[str, Signature]
    given_name: str = ""


@dataclass(frozen=True, slots=True)
class _Page:
    source: Source
    pattern: Pattern
    made_at: datetime


class PatternBook:
    """Remembers the last pattern made of each source. Safe to share between threads."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._pages: dict[str, _Page] = {}
        self._terms_of = lru_cache(maxsize=ACTIONS_REMEMBERED)(action_terms)
        self._actions: tuple[int, Sequence[ActionStats]] | None = None

    def pattern(self, source: Source) -> Pattern:
        """The pattern that rests on `source`, which has at least one incident."""
        page, now = self._pages.get(source.pattern_id), self._now()
        if page is None or not _same(page.source, source):
            pattern = distill(
                source.pattern_id,
                source.incidents,
                now=now,
                given_name=source.given_name,
                signatures=source.signatures,
                terms_of=self._terms_of,
            )
        elif timedelta(0) <= now - page.made_at < FRESH_FOR:
            return page.pattern
        else:
            pattern = aged(page.pattern, source.incidents, now=now)
        with self._lock:
            self._pages[source.pattern_id] = _Page(source, pattern, now)
        return pattern

    def lately(self, pattern_id: str, incidents: int, given_name: str) -> Pattern | None:
        """The pattern as it was last made, when little has come since: it has so many incidents and this name now."""
        page = self._pages.get(pattern_id)
        if page is None or page.source.given_name != given_name:
            return None
        made_of = page.pattern.frequency
        return page.pattern if made_of <= incidents < max(made_of + 1, LITTLE_MORE * made_of) else None

    def actions(self, revision: int, incidents: Sequence[Incident]) -> Sequence[ActionStats]:
        """Every action of some incidents; `revision` grows whenever they change."""
        known = self._actions
        if known is not None and known[0] == revision:
            return known[1]
        found = action_stats(incidents, self._terms_of)
        self._actions = (revision, found)
        return found


def _same(left: Source, right: Source) -> bool:
    return (
        left.given_name == right.given_name
        and len(left.incidents) == len(right.incidents)
        and all(one is other for one, other in zip(left.incidents, right.incidents, strict=True))
    )
