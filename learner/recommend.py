"""What to say to an alert: the pattern it belongs to, the actions that ended such incidents, the likest past incidents
and how long it may take. Says nothing when it does not know. Pure over what the grouping recognises."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kb.incident import Incident
from kb.pattern import ActionStats, Interval, Pattern
from learner.assign import MIN_PATTERN_INCIDENTS, Candidate, probability

MAX_SIMILAR = 5
MAX_ACTIONS = 5


@dataclass(frozen=True, slots=True)
class SimilarIncident:
    """A past incident of the recognised pattern and how it ended; `worked` are the actions that helped."""

    incident_id: str
    title: str
    success: bool | None
    lasted_s: float | None
    worked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recommendation:
    """`confident` is false when no pattern is likely enough; then only `nearest` says what came close. `likelihood` is
    the probability that the alert belongs to the pattern; times are seconds."""

    confident: bool
    pattern_id: str | None
    pattern_name: str
    likelihood: float
    actions: tuple[ActionStats, ...]
    cautions: tuple[ActionStats, ...]
    similar: tuple[SimilarIncident, ...]
    expected_s: float | None
    expected_interval: Interval | None
    nearest: tuple[str, ...]


def choose(candidates: Sequence[Candidate]) -> Candidate | None:
    """The pattern that an alert belongs to, None when none is likely enough: too little alike, or too few incidents."""
    if not candidates or candidates[0].margin < 0 or candidates[0].size < MIN_PATTERN_INCIDENTS:
        return None
    return candidates[0]


def recommend(
    candidates: Sequence[Candidate], patterns: Mapping[str, Pattern], incidents: Mapping[str, Incident]
) -> Recommendation:
    """Put together what is known of the recognised pattern. `incidents` holds at least those of the pattern."""
    chosen = choose(candidates)
    pattern = patterns.get(chosen.pattern_id) if chosen else None
    near = tuple(candidate.pattern_id for candidate in candidates if candidate.pattern_id in patterns)[:MAX_SIMILAR]
    if chosen is None or pattern is None:
        likelihood = probability(candidates[0].margin) if candidates else 0.0
        return Recommendation(False, None, "", likelihood, (), (), (), None, None, near)
    latest = [incidents[key] for key in reversed(pattern.evidence.incident_ids) if key in incidents][:MAX_SIMILAR]
    return Recommendation(
        confident=True,
        pattern_id=pattern.id,
        pattern_name=pattern.name,
        likelihood=probability(chosen.margin),
        actions=tuple(stats for stats in pattern.actions if stats.worked)[:MAX_ACTIONS],
        cautions=tuple(stats for stats in pattern.actions if stats.worse),
        similar=tuple(_similar(incident, pattern) for incident in latest),
        expected_s=pattern.durations.p50_s,
        expected_interval=pattern.durations.p50_interval,
        nearest=near,
    )


def _similar(incident: Incident, pattern: Pattern) -> SimilarIncident:
    worked = tuple(stats.name for stats in pattern.actions if incident.id in stats.worked_ids)
    success = incident.resolution.success if incident.resolution else None
    return SimilarIncident(incident.id, incident.title, success, incident.lasted_s, worked)
