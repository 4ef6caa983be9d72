"""How alike two incidents or two groups are, from several views, as log-odds of a shared cause. Every view but one is
a mean over all pairs, computed from sums, so a group costs no more than an incident. Pure."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from learner.features import Features, Vector

CROWD = 600


@dataclass(frozen=True, slots=True)
class Weights:
    """Coefficients of the views, from a logistic regression over pairs of incidents (`benchmarks/learner.py`).

    `size_bonus` is added for every doubling of the larger group, up to `size_doublings`: what has recurred often is
    likelier to recur. Two groups are one from `join` on, raised by `crowd` for every e-fold of near repetitions beyond
    `CROWD`: the more there are, the likelier a chance likeness. `micro` is the bar of a near repetition.
    """

    base: float = -4.96
    full: float = 3.58
    title: float = 3.59
    terms: float = 1.39
    same_alert: float = 1.93
    other_alert: float = -2.52
    same_told: float = 4.39
    other_told: float = -1.51
    conflict: float = -4.62
    one_sided: float = -3.25
    size_bonus: float = 0.3
    size_doublings: float = 6.0
    join: float = 0.2
    crowd: float = 0.5
    micro: float = 3.0

    def bar(self, repetitions: int) -> float:
        """The log-odds from which two groups are one among so many near repetitions."""
        return self.join + self.crowd * math.log(max(1, repetitions) / CROWD)


@dataclass(slots=True, eq=False)
class Profile:
    """Sums over the members of a group; `weight` is how many they count for. Mutable: only its owner adds to it."""

    weight: float
    full: Vector
    title: Vector
    terms: dict[str, float] = field(default_factory=dict)
    naming: dict[str, float] = field(default_factory=dict)
    words: dict[str, float] = field(default_factory=dict)
    alerts: dict[str, float] = field(default_factory=dict)
    told: dict[str, float] = field(default_factory=dict)

    def copy(self) -> "Profile":
        """A profile of its own with the same sums."""
        return Profile(
            self.weight,
            self.full,
            self.title,
            dict(self.terms),
            dict(self.naming),
            dict(self.words),
            dict(self.alerts),
            dict(self.told),
        )

    def add(self, other: "Profile") -> None:
        """Take in all members of `other`."""
        self.weight += other.weight
        self.full = self.full + other.full
        self.title = self.title + other.title
        for mine, theirs in (
            (self.terms, other.terms),
            (self.naming, other.naming),
            (self.words, other.words),
            (self.alerts, other.alerts),
            (self.told, other.told),
        ):
            for key, value in theirs.items():
                mine[key] = mine.get(key, 0.0) + value


@dataclass(frozen=True, slots=True)
class Likeness:
    """`log_odds` of a shared cause before any bonus for size, and what each view added to it."""

    log_odds: float
    views: tuple[tuple[str, float], ...]


def profile_of(features: Features, weight: float = 1.0) -> Profile:
    """A group of one incident that counts for `weight`."""
    return Profile(
        weight=weight,
        full=features.full * np.float32(weight),
        title=features.title * np.float32(weight),
        terms={term: value * weight for term, value in features.terms.items()},
        naming={term: value * weight for term, value in features.naming.items()},
        words=dict.fromkeys(sorted(features.words), weight),
        alerts={features.alert: weight} if features.alert else {},
        told={features.speaks_of: weight} if features.speaks_of else {},
    )


def sum_of(profiles: Iterable[Profile]) -> Profile:
    """All members of some profiles in one; there must be at least one."""
    rest = iter(profiles)
    total = next(rest).copy()
    for profile in rest:
        total.add(profile)
    return total


def compare(left: Profile, right: Profile, weights: Weights, *, at_least: float = -math.inf) -> float:
    """Log-odds that the members of two groups share a cause: the mean over all pairs of members.

    When they cannot reach `at_least`, some number below it comes back early. The same sum as that of `explain`, written
    out because hardly anything is done so often.
    """
    pairs = left.weight * right.weight
    total = weights.base
    if left.told and right.told:
        same_alert, other_alert = _alert_views(left, right, weights, pairs)
        total = total + same_alert + other_alert
    spare = weights.title + weights.full + weights.terms
    if total + spare < at_least:
        return total + spare
    total += weights.title * float(left.title @ right.title) / pairs
    spare -= weights.title
    if total + spare < at_least:
        return total + spare
    total += weights.full * float(left.full @ right.full) / pairs
    if total + weights.terms < at_least:
        return total + weights.terms
    total += weights.terms * _dot(left.terms, right.terms) / pairs
    if total < at_least:
        return total
    conflict, one_sided = _lacking_views(left, right, weights, pairs)
    return total + conflict + one_sided


def explain(left: Profile, right: Profile, weights: Weights) -> Likeness:
    """`compare` with its parts, for people."""
    views = tuple(_views(left, right, weights))
    return Likeness(sum(value for _, value in views), views)


def size_bonus(left: float, right: float, weights: Weights) -> float:
    """What the weight of the larger group adds to the log-odds."""
    larger = max(left, right, 1.0)
    return weights.size_bonus * min(math.log2(larger), weights.size_doublings)


def _views(left: Profile, right: Profile, weights: Weights) -> Iterator[tuple[str, float]]:
    pairs = left.weight * right.weight
    same_alert, other_alert = _alert_views(left, right, weights, pairs)
    conflict, one_sided = _lacking_views(left, right, weights, pairs)
    yield "base", weights.base
    yield "same alert", same_alert
    yield "other alert", other_alert
    yield "title", weights.title * float(left.title @ right.title) / pairs
    yield "meaning", weights.full * float(left.full @ right.full) / pairs
    yield "terms", weights.terms * _dot(left.terms, right.terms) / pairs
    yield "words of both sides that the other lacks", conflict
    yield "words of one side that the other lacks", one_sided


def _alert_views(left: Profile, right: Profile, weights: Weights, pairs: float) -> tuple[float, float]:
    """What the same alert adds and another one takes; `alerts` are among those `told`."""
    same_told = _dot(left.told, right.told) / pairs
    both_told = sum(left.told.values()) * sum(right.told.values()) / pairs
    same_alert = both_alert = 0.0
    if left.alerts and right.alerts:
        same_alert = _dot(left.alerts, right.alerts) / pairs
        both_alert = sum(left.alerts.values()) * sum(right.alerts.values()) / pairs
    other_told = both_told - same_told - (both_alert - same_alert)
    return (
        weights.same_alert * same_alert + weights.same_told * (same_told - same_alert),
        weights.other_alert * (both_alert - same_alert) + weights.other_told * other_told,
    )


def _lacking_views(left: Profile, right: Profile, weights: Weights, pairs: float) -> tuple[float, float]:
    """What words take that name one side and are missing on the other."""
    left_only = max(0.0, 1.0 - _dot(left.naming, right.words) / pairs)
    right_only = max(0.0, 1.0 - _dot(right.naming, left.words) / pairs)
    return weights.conflict * min(left_only, right_only), weights.one_sided * max(left_only, right_only)


def _dot(left: Mapping[str, float], right: Mapping[str, float]) -> float:
    if len(left) > len(right):
        left, right = right, left
    total = 0.0
    for key, value in left.items():
        if key in right:
            total += value * right[key]
    return total
