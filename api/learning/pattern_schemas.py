"""Pydantic bodies of the HTTP face about patterns, actions, recommendations and what follows from them."""

from typing import Annotated

from pydantic import Field, StringConstraints

from api.schemas import HitOut, Incoming, Outgoing
from kb.severity import Severity

MAX_NAMED = 500
Id = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class RateOut(Outgoing):
    """`successes` of `trials`, with bounds that hold the true rate in 95 of 100 cases; null without a trial."""

    successes: int
    trials: int
    value: float | None
    low: float
    high: float


class CitedOut(Outgoing):
    """A wording, and the incidents that say it."""

    text: str
    incident_ids: list[str]


class ActionOut(Outgoing):
    """One action over all its wordings; each incident counts once."""

    key: str
    name: str
    wordings: list[str]
    commands: list[CitedOut] = Field(description="As they were typed then: text to read, nothing that runs.")
    tried: int
    worked: int
    failed: int
    worse: int
    unknown: int
    success: RateOut
    harm: RateOut
    median_s: float | None
    side_effects: list[CitedOut]
    principals: int
    incident_ids: list[str]
    feedback: list[str] = Field(default=[], description="What people said of it, where it is recommended.")


class ConfidencePartOut(Outgoing):
    """One factor of a confidence."""

    name: str
    value: float
    because: str


class ConfidenceOut(Outgoing):
    """The product of `parts`, held to `cap` when one principal is the only source."""

    value: float
    parts: list[ConfidencePartOut]
    cap: float | None


class TrendOut(Outgoing):
    """Incidents in the latest window against the one before it."""

    recent: int
    before: int
    window_days: float
    p_value: float
    direction: str


class PatternSummary(Outgoing):
    """A pattern in a list."""

    id: str
    name: str
    frequency: int
    severity: Severity | None
    first_seen: str
    last_seen: str
    success: RateOut
    median_s: float | None
    trend: TrendOut
    confidence: float
    url: str


class HistoryOut(Outgoing):
    """A line of a pattern's history. `merged`: it became part of `others`; `split`: `others` were part of it."""

    kind: str
    pattern_id: str
    others: list[str]
    incidents: int
    by: str
    at: str


class DurationsOut(Outgoing):
    """Seconds from start to end."""

    count: int
    mean_s: float | None
    p50_s: float | None
    p90_s: float | None
    p50_low_s: float | None
    p50_high_s: float | None


class CountOut(Outgoing):
    """A name and how many incidents bear it."""

    name: str
    incidents: int


class PatternOut(PatternSummary):
    """A whole pattern."""

    named_by_person: bool
    services: list[CountOut]
    alerts: list[CountOut]
    signatures: list[CitedOut]
    triggers: list[CitedOut]
    symptoms: list[CitedOut]
    impacts: list[CitedOut]
    diagnosis: list[CitedOut]
    actions: list[ActionOut]
    lessons: list[CitedOut]
    prevention: list[CitedOut]
    durations: DurationsOut
    confidence_parts: ConfidenceOut
    incident_ids: list[str]
    principals: list[str]
    labels: dict[str, str]
    history: list[HistoryOut]
    runbook_ids: list[str]
    review_ids: list[str]


class LearntPattern(Outgoing):
    """A pattern as the learning format has it, and where to read more."""

    frequency: int
    avg_resolution_time: str | None = Field(description="Mean, such as 3m.", examples=["3m"])
    success_rate: float | None
    common_solutions: list[str]
    triggers: list[str]
    pattern_id: str
    severity: Severity | None
    first_seen: str
    last_seen: str
    trend: TrendOut
    confidence: float
    url: str


class LearntAction(Outgoing):
    """How well an action works, as the learning format has it, and what that rests on."""

    success_rate: float | None
    avg_time: str | None = Field(description="Median until its effect showed, such as 2m.", examples=["2m"])
    side_effects: list[str]
    tried: int
    worked: int
    made_worse: int
    low: float
    high: float


class EffectivenessOut(Outgoing):
    """Actions by name, those with most evidence first."""

    resolution_effectiveness: dict[str, LearntAction]


class PatternsOut(EffectivenessOut):
    """All patterns by name, most frequent first, and how well actions work."""

    incident_patterns: dict[str, LearntPattern]
    total: int


class RenameBody(Incoming):
    """A name that stays whatever the learner makes of it; an empty one gives naming back to the learner."""

    name: Annotated[str, StringConstraints(max_length=200)]


class MergeBody(Incoming):
    """Patterns that are one."""

    pattern_ids: list[Id] = Field(min_length=2, max_length=50)


class SplitBody(Incoming):
    """Incidents of a pattern that are of another kind."""

    incident_ids: list[Id] = Field(min_length=1, max_length=MAX_NAMED)


class SplitOut(Outgoing):
    """The pattern of the rest, and that of the incidents that were taken out."""

    rest: PatternOut
    taken: PatternOut


class SimilarOut(Outgoing):
    """A past incident and how it ended."""

    incident_id: str
    title: str
    similarity: float = Field(description="Cosine of the meanings of their texts.")
    success: bool | None
    lasted_s: float | None
    worked: list[str]
    url: str


class RecommendationOut(Outgoing):
    """What ended such incidents before; with `confident` false only `nearest` says what came close."""

    confident: bool
    pattern_id: str | None
    pattern_name: str
    likelihood: float
    actions: list[ActionOut]
    cautions: list[ActionOut]
    similar: list[SimilarOut]
    expected_s: float | None
    expected_low_s: float | None
    expected_high_s: float | None
    nearest: list[str]
    said: dict[str, list[str]] = Field(description="What people said of the pattern and of actions, by id and key.")


class RecommendOut(Outgoing):
    """What to do about an alert or a text. With nothing to say, `says` tells so and the lists are empty."""

    says: str
    confidence: float = Field(description="Probability that what is named first is right; 0 with nothing to say.")
    pattern: PatternSummary | None
    actions: list[ActionOut] = Field(description="What ended such incidents, ranked by evidence.")
    cautions: list[ActionOut] = Field(description="What made such incidents worse.")
    similar_incidents: list[SimilarOut]
    expected_duration: str | None = Field(description="Half of such incidents ended within this.", examples=["12m"])
    expected_s: float | None
    expected_low_s: float | None
    expected_high_s: float | None
    severity: Severity | None
    escalation: list[str] = Field(description="Whom to call, by the severity policy.")
    respond_within_s: float | None
    resolve_within_s: float | None
    runbooks: list[HitOut]
    near_misses: list[HitOut]
    drafts: list[HitOut]
    pattern_runbook_ids: list[str] = Field(description="Published runbooks that were written for the pattern.")
    nearest_pattern_ids: list[str]
    said: dict[str, list[str]] = Field(description="What people said of the pattern and of actions, by id and key.")
    search_id: str
    degraded: str
