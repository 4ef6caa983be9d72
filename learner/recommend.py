"""What to say to an alert: the pattern it belongs to, the actions that ended such incidents, the likest past incidents
and how long it may take. Says nothing when it does not know. Pure over what the grouping recognises."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kb.incident import Incident
from kb.pattern import ActionStats, Interval, Pattern
from learner.assign import MIN_PATTERN_INCIDENTS, Candidate, Grouping, probability
from learner.features import Features
from learner.similarity import compare, profile_of

MAX_SIMILAR = 5
MAX_ACTIONS = 5


@dataclass(frozen=True, slots=True)
class SimilarIncident:
    """A past incident of the recognised pattern and how it ended; `worked` are the actions that helped. `similarity`
    is the cosine of the texts' meanings, in [-1, 1]."""

    incident_id: str
    title: str
    success: bool | None
    lasted_s: float | None
    worked: tuple[str, ...]
    similarity: float = 0.0


@dataclass(frozen=True, slots=True)
class Recommendation:
    """`confident` is false when no pattern is likely enough; then only `nearest` says what came close. `likelihood` is
    the probability that the alert belongs to the pattern; times are seconds. `said` tells what people said of the
    pattern and of actions, by id and key."""

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
    said: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def choose(candidates: Sequence[Candidate]) -> Candidate | None:
    """The pattern that an alert belongs to, None when none is likely enough: too little alike, or too few incidents."""
    if not candidates or candidates[0].margin < 0 or candidates[0].size < MIN_PATTERN_INCIDENTS:
        return None
    return candidates[0]


def recommend(
    candidates: Sequence[Candidate], pattern: Pattern | None, similar: Sequence[SimilarIncident]
) -> Recommendation:
    """Put together what is known of the pattern that `choose` chose; None when it chose none."""
    near = tuple(one.pattern_id for one in candidates if one.size >= MIN_PATTERN_INCIDENTS)[:MAX_SIMILAR]
    likelihood = probability(candidates[0].margin) if candidates else 0.0
    if pattern is None:
        return Recommendation(False, None, "", likelihood, (), (), (), None, None, near)
    return Recommendation(
        confident=True,
        pattern_id=pattern.id,
        pattern_name=pattern.name,
        likelihood=likelihood,
        actions=tuple(stats for stats in pattern.actions if stats.worked)[:MAX_ACTIONS],
        cautions=tuple(stats for stats in pattern.actions if stats.worse),
        similar=tuple(similar),
        expected_s=pattern.durations.p50_s,
        expected_interval=pattern.durations.p50_interval,
        nearest=near,
    )


def likest(grouping: Grouping, features: Features, pattern_id: str, *, but: str = "") -> tuple[tuple[str, float], ...]:
    """At most `MAX_SIMILAR` incidents of a group with their similarity to a text: from the near repetitions most like
    it, the latest learnt first. `but` names one to leave out."""
    profile = profile_of(features)
    micros = grouping.micros_of(pattern_id)
    odds = {micro.number: compare(micro.profile, profile, grouping.weights) for micro in micros}
    found: list[tuple[str, float]] = []
    for micro in sorted(micros, key=lambda micro: (-odds[micro.number], micro.number)):
        mean = micro.profile.full / np.float32(micro.profile.weight)
        similarity = float(mean @ features.full) / max(float(np.linalg.norm(mean)), 1e-9)
        ids = (grouping.items[number].id for number in sorted(micro.members, reverse=True))
        found.extend((incident_id, min(1.0, similarity)) for incident_id in ids if incident_id != but)
        if len(found) >= MAX_SIMILAR:
            break
    return tuple(found[:MAX_SIMILAR])


def how_it_ended(incident: Incident, pattern: Pattern, similarity: float) -> SimilarIncident:
    """A past incident of a pattern as a recommendation shows it."""
    worked = tuple(stats.name for stats in pattern.actions if incident.id in stats.worked_ids)
    success = incident.resolution.success if incident.resolution else None
    return SimilarIncident(incident.id, incident.title, success, incident.lasted_s, worked, similarity)
