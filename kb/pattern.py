"""What the learner knows of incidents that recur: patterns with their numbers, and how sure each number is.
Every value carries the incidents that it rests on. Nothing here computes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kb.severity import Severity


@dataclass(frozen=True, slots=True)
class Interval:
    """Bounds that hold the true value with probability `level`, as far as the method's assumptions hold."""

    low: float
    high: float
    level: float = 0.95


@dataclass(frozen=True, slots=True)
class Rate:
    """`successes` of `trials`; `value` is None when there was no trial."""

    successes: int
    trials: int
    value: float | None
    interval: Interval


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Durations in seconds: the median with a distribution-free interval, and the 90th percentile; None: unknown."""

    count: int
    mean_s: float | None = None
    p50_s: float | None = None
    p90_s: float | None = None
    p50_interval: Interval | None = None


class Direction(StrEnum):
    """Where the frequency of a pattern goes. STEADY also when there is too little to tell."""

    RISING = "rising"
    STEADY = "steady"
    FALLING = "falling"


@dataclass(frozen=True, slots=True)
class Trend:
    """Incidents in the latest `window_days` against the same span before it. `p_value` is two-sided and exact."""

    recent: int
    before: int
    window_days: float
    p_value: float
    direction: Direction


@dataclass(frozen=True, slots=True)
class Cited:
    """A wording and the incidents that use it or mean the same, oldest first."""

    text: str
    incident_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ActionStats:
    """One action over all its wordings. Each incident counts once; a principal's incidents count as `principals` says.

    `worked`, `failed`, `worse` and `unknown` add up to the incidents in which it was tried.
    """

    key: str
    name: str
    wordings: tuple[str, ...]
    commands: tuple[Cited, ...]
    tried: int
    worked: int
    failed: int
    worse: int
    unknown: int
    success: Rate
    harm: Rate
    median_s: float | None
    side_effects: tuple[Cited, ...]
    principals: int
    incident_ids: tuple[str, ...]
    worked_ids: tuple[str, ...]
    failed_ids: tuple[str, ...]
    worse_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConfidencePart:
    """One factor of a confidence, in [0, 1], and the plain words that explain it."""

    name: str
    value: float
    because: str


@dataclass(frozen=True, slots=True)
class Confidence:
    """`value` in [0, 1] is the product of `parts`, then held to `cap` when one principal is the only source."""

    value: float
    parts: tuple[ConfidencePart, ...]
    cap: float | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a pattern rests on: its incidents, oldest first, and how many distinct principals reported them."""

    incident_ids: tuple[str, ...]
    principals: tuple[str, ...]
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class Pattern:
    """Recurring incidents with a shared cause. `name` is made of their own words, or a person's."""

    id: str
    name: str
    named_by_person: bool
    frequency: int
    severity: Severity | None
    services: tuple[tuple[str, int], ...]
    alerts: tuple[tuple[str, int], ...]
    signatures: tuple[Cited, ...]
    triggers: tuple[Cited, ...]
    symptoms: tuple[Cited, ...]
    impacts: tuple[Cited, ...]
    diagnosis: tuple[Cited, ...]
    actions: tuple[ActionStats, ...]
    lessons: tuple[Cited, ...]
    prevention: tuple[Cited, ...]
    success: Rate
    durations: Quantiles
    trend: Trend
    confidence: Confidence
    evidence: Evidence
    labels: Mapping[str, str]


class ChangeKind(StrEnum):
    """What happened to a pattern."""

    BORN = "born"
    MERGED = "merged"
    SPLIT = "split"
    RENAMED = "renamed"
    UNLEARNED = "unlearned"


@dataclass(frozen=True, slots=True)
class PatternChange:
    """One line of the history. MERGED: `pattern_id` now forwards to `others`; SPLIT: `others` were part of it.

    `at_count` is the number of incidents learnt by then; `by` is a person's name, empty when the learner decided.
    """

    kind: ChangeKind
    pattern_id: str
    others: tuple[str, ...]
    incidents: int
    at_count: int
    by: str = ""
