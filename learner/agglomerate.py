"""Average linkage over small groups: the two likest are joined until nothing reaches the bar. People's word comes
first: what they put together starts together, what they took apart stays apart. No single source can bring together
what others told of, however much it tells. Pure and deterministic."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from learner.neighbours import NearestRows, nearest_rows
from learner.similarity import Profile, Weights, compare, size_bonus, sum_of

CANDIDATES = 24
"""How many of the nearest groups each group is compared with; a larger number changed no figure of the benchmark."""


@dataclass(frozen=True, slots=True)
class Bonds:
    """People's word in terms of row numbers: `together` are joined from the start, no row of one side of an `apart`
    pair ever shares a group with a row of the other side."""

    together: tuple[frozenset[int], ...] = ()
    apart: tuple[tuple[frozenset[int], frozenset[int]], ...] = ()


Sources = Mapping[str, Profile]
"""Principal -> the part of a profile that rests on its incidents."""


def agglomerate(
    profiles: Sequence[Profile],
    weights: Weights,
    bonds: Bonds | None = None,
    *,
    sources: Sequence[Sources] | None = None,
    near: NearestRows = nearest_rows,
) -> list[list[int]]:
    """Row numbers of `profiles` in groups, each sorted, groups in order of their first row.

    `sources` parts each profile by principal; None when there is only one. `near` finds rows worth comparing.
    """
    linkage = _Linkage(profiles, weights, bonds or Bonds(), sources, near)
    linkage.run()
    return sorted(sorted(rows) for rows in linkage.members.values())


class _Linkage:
    """The state of one run: groups under growing numbers, a heap of candidate joins, and who neighbours whom."""

    def __init__(
        self,
        profiles: Sequence[Profile],
        weights: Weights,
        bonds: Bonds,
        sources: Sequence[Sources] | None,
        near: NearestRows,
    ) -> None:
        self._weights = weights
        self._bar = weights.bar(len(profiles))
        self.members: dict[int, list[int]] = {}
        self._profiles: dict[int, Profile] = {}
        self._sides: dict[int, frozenset[tuple[int, int]]] = {}
        self._near: dict[int, set[int]] = {}
        self._heap: list[tuple[float, int, int]] = []
        self._sources: dict[int, Sources] = {}
        self._start(profiles, bonds, sources, near)
        self._next = len(self.members)

    def run(self) -> None:
        """Join until no allowed pair reaches the bar."""
        while self._heap:
            _, left, right = heapq.heappop(self._heap)
            if left in self.members and right in self.members:
                self._join(left, right)

    def _start(
        self, profiles: Sequence[Profile], bonds: Bonds, sources: Sequence[Sources] | None, near: NearestRows
    ) -> None:
        for number, rows in enumerate(_together(len(profiles), bonds.together)):
            self.members[number] = rows
            self._profiles[number] = profiles[rows[0]] if len(rows) == 1 else sum_of(profiles[row] for row in rows)
            self._sides[number] = frozenset(
                (at, side)
                for at, sides in enumerate(bonds.apart)
                for side in (0, 1)
                if not sides[side].isdisjoint(rows)
            )
            self._near[number] = set()
            if sources is not None:
                self._sources[number] = _merged([sources[row] for row in rows])
        pairs = candidate_pairs([self._profiles[number] for number in range(len(self.members))], near)
        for left, right in pairs:
            self._near[left].add(right)
            self._near[right].add(left)
            self._offer(left, right)

    def _offer(self, left: int, right: int) -> None:
        if any((at, 1 - side) in self._sides[right] for at, side in self._sides[left]):
            return
        mine, theirs = self._profiles[left], self._profiles[right]
        bar = self._bar - size_bonus(mine.weight, theirs.weight, self._weights)
        log_odds = compare(mine, theirs, self._weights, at_least=bar)
        if log_odds >= bar and self._holds_without_loudest(left, right):
            heapq.heappush(self._heap, (bar - log_odds, min(left, right), max(left, right)))

    def _holds_without_loudest(self, left: int, right: int) -> bool:
        """Whether the two would be joined had the source that told most of them said nothing."""
        if not self._sources:
            return True
        mine, theirs = self._sources[left], self._sources[right]
        if len(mine) < 2 and mine.keys() == theirs.keys():
            return True
        told = {source: _weight(mine, source) + _weight(theirs, source) for source in {*mine, *theirs}}
        loudest = min(told, key=lambda source: (-told[source], source))
        rest = [[profile for source, profile in part.items() if source != loudest] for part in (mine, theirs)]
        if not rest[0] or not rest[1]:
            return True
        quiet_left, quiet_right = sum_of(rest[0]), sum_of(rest[1])
        bar = self._bar - size_bonus(quiet_left.weight, quiet_right.weight, self._weights)
        return compare(quiet_left, quiet_right, self._weights, at_least=bar) >= bar

    def _join(self, left: int, right: int) -> None:
        joined, self._next = self._next, self._next + 1
        self.members[joined] = self.members.pop(left) + self.members.pop(right)
        self._profiles[joined] = sum_of((self._profiles.pop(left), self._profiles.pop(right)))
        if self._sources:
            self._sources[joined] = _merged((self._sources.pop(left), self._sources.pop(right)))
        self._sides[joined] = self._sides.pop(left) | self._sides.pop(right)
        near = (self._near.pop(left) | self._near.pop(right)) - {left, right}
        self._near[joined] = near
        for other in sorted(near):
            self._near[other] -= {left, right}
            self._near[other].add(joined)
            self._offer(joined, other)


def _merged(parts: Sequence[Sources]) -> Sources:
    if len(parts) == 1:
        return parts[0]
    names = sorted({source for part in parts for source in part})
    return {source: sum_of(part[source] for part in parts if source in part) for source in names}


def _weight(sources: Sources, source: str) -> float:
    return sources[source].weight if source in sources else 0.0


def candidate_pairs(profiles: Sequence[Profile], near: NearestRows = nearest_rows) -> list[tuple[int, int]]:
    """Pairs of rows worth comparing: nearest in meaning, or of the same alert. Each once, lower row first, sorted."""
    if len(profiles) < 2:
        return []
    means = np.stack([profile.full / np.float32(profile.weight) for profile in profiles])
    pairs = {
        (min(row, other), max(row, other)) for row, others in enumerate(near(means, CANDIDATES)) for other in others
    }
    by_alert: defaultdict[str, list[int]] = defaultdict(list)
    for row, profile in enumerate(profiles):
        for alert in profile.told:
            by_alert[alert].append(row)
    for rows in by_alert.values():
        heaviest = sorted(rows, key=lambda row: (-profiles[row].weight, row))[:CANDIDATES]
        pairs.update((min(row, other), max(row, other)) for row in rows for other in heaviest if row != other)
    return sorted(pairs)


def _sides_of(rows: Sequence[int], bonds: Bonds) -> frozenset[tuple[int, int]]:
    """Which side of which `apart` bond some rows stand on."""
    return frozenset(
        (at, side) for at, sides in enumerate(bonds.apart) for side in (0, 1) if not sides[side].isdisjoint(rows)
    )


def _together(rows: int, bonds: Iterable[frozenset[int]]) -> list[list[int]]:
    """All rows in sets, joined wherever two bonds share a row; in order of their first row."""
    leader = list(range(rows))

    def find(row: int) -> int:
        while leader[row] != row:
            leader[row] = leader[leader[row]]
            row = leader[row]
        return row

    for bond in bonds:
        first, *rest = sorted(bond)
        for row in rest:
            low, high = sorted((find(first), find(row)))
            leader[high] = low
    sets: defaultdict[int, list[int]] = defaultdict(list)
    for row in range(rows):
        sets[find(row)].append(row)
    return [sets[first] for first in sorted(sets)]
