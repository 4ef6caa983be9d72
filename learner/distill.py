"""One group of incidents -> the pattern that people see, with numbers, sources and a confidence that shows its working.
Pure; the same incidents give the same pattern in whatever order they come."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from kb.incident import Incident
from kb.pattern import ActionStats, Cited, Confidence, ConfidencePart, Evidence, Pattern
from kb.severity import Severity, worst
from learner.effectiveness import TermsOf, action_stats, cite
from learner.intervals import quantiles, rate, trend
from learner.naming import name_from
from learner.signature import Signature, signature_of

SINGLE_SOURCE_CAP = 0.6
"""No pattern that one principal alone reported is surer than this, however many incidents they fed in."""

INCIDENTS_PER_SOURCE = 5
"""So many incidents of one principal count as evidence; what more they report says nothing new."""

EVIDENCE_SCALE = 3.0
HALF_LIFE = timedelta(days=180)
RECENCY_FLOOR = 0.25
_MAX_CITED = 12


def distill(
    pattern_id: str,
    incidents: Iterable[Incident],
    *,
    now: datetime,
    given_name: str = "",
    labels: Mapping[str, str] | None = None,
    signatures: Mapping[str, Signature] | None = None,
    terms_of: TermsOf | None = None,
) -> Pattern:
    """Everything that some incidents, at least one, say together. `given_name` is a person's name for the pattern.

    `signatures` are those of the incidents by id, where they are known already; `terms_of` is as for `action_stats`.
    """
    ordered = sorted(incidents, key=lambda incident: (incident.started_at, incident.id))
    actions = action_stats(ordered, terms_of)
    told = [incident for incident in ordered if incident.resolution and incident.resolution.success is not None]
    known = signatures or {}
    signed = [known.get(incident.id) or signature_of(incident) for incident in ordered]
    return Pattern(
        id=pattern_id,
        name=given_name or name_from(signed),
        named_by_person=bool(given_name),
        frequency=len(ordered),
        severity=_severity(ordered),
        services=_counted(incident.service for incident in ordered),
        alerts=_counted(alert for incident in ordered for alert in incident.alerts),
        signatures=_texts((sign.title, incident.id) for sign, incident in zip(signed, ordered, strict=True)),
        triggers=_texts((incident.trigger, incident.id) for incident in ordered),
        symptoms=_texts((text, incident.id) for incident in ordered for text in incident.symptoms),
        impacts=_texts((incident.impact, incident.id) for incident in ordered),
        diagnosis=agreed_order([[step.text for step in incident.diagnosis] for incident in ordered], ordered),
        actions=actions,
        lessons=_texts((text, incident.id) for incident in ordered for text in incident.lessons),
        prevention=_texts((text, incident.id) for incident in ordered for text in incident.prevention),
        success=rate(sum(1 for i in told if i.resolution and i.resolution.success), len(told)),
        durations=quantiles([incident.lasted_s for incident in ordered if incident.lasted_s is not None]),
        trend=trend([incident.started_at for incident in ordered], now=now),
        confidence=confidence_of(ordered, actions, now=now),
        evidence=Evidence(
            incident_ids=tuple(incident.id for incident in ordered),
            principals=tuple(sorted({incident.reported_by for incident in ordered})),
            first_seen=ordered[0].started_at,
            last_seen=ordered[-1].started_at,
        ),
        labels=dict(labels or {}),
    )


def aged(pattern: Pattern, incidents: Sequence[Incident], *, now: datetime) -> Pattern:
    """A pattern as `distill` would make it from the same incidents at a later time."""
    return replace(
        pattern,
        trend=trend([incident.started_at for incident in incidents], now=now),
        confidence=confidence_of(incidents, pattern.actions, now=now),
    )


def confidence_of(incidents: Sequence[Incident], actions: Sequence[ActionStats], *, now: datetime) -> Confidence:
    """evidence x agreement x principals x recency, held to `SINGLE_SOURCE_CAP` for one source.

    evidence    n / (n + 3), n counting at most 5 incidents of each principal
    agreement   lower half of the share of incidents with a known end in which one of the three best actions worked:
                1/2 + share/2; 1/2 when no action is known
    principals  1 for two or more, 0.8 for one
    recency     half every 180 days since the last incident, at least 1/4
    """
    per_source = Counter(incident.reported_by for incident in incidents)
    counted = sum(min(count, INCIDENTS_PER_SOURCE) for count in per_source.values())
    ended = {i.id for i in incidents if i.resolution and i.resolution.success is not None}
    helped = {incident_id for stats in actions[:3] for incident_id in stats.worked_ids} & ended
    share = len(helped) / len(ended) if ended else 0.0
    idle = max(now - max(incident.started_at for incident in incidents), timedelta(0))
    recency = max(RECENCY_FLOOR, 0.5 ** (idle / HALF_LIFE))
    alone = len(per_source) == 1
    parts = (
        ConfidencePart(
            "evidence", counted / (counted + EVIDENCE_SCALE), f"{counted} incidents count, 5 a source at most"
        ),
        ConfidencePart(
            "agreement", 0.5 + share / 2, f"one of the best actions worked in {len(helped)} of {len(ended)}"
        ),
        ConfidencePart("principals", 0.8 if alone else 1.0, f"{len(per_source)} distinct sources"),
        ConfidencePart("recency", recency, f"last seen {idle.days} days ago"),
    )
    value = 1.0
    for part in parts:
        value *= part.value
    cap = SINGLE_SOURCE_CAP if alone else None
    return Confidence(value=min(value, cap) if cap is not None else value, parts=parts, cap=cap)


def agreed_order(lists: Sequence[Sequence[str]], incidents: Sequence[Incident]) -> tuple[Cited, ...]:
    """Steps of several lists in the order that most lists agree on: by mean relative place, the commoner first."""
    places: dict[str, list[float]] = {}
    ids: dict[str, dict[str, None]] = {}
    for steps, incident in zip(lists, incidents, strict=True):
        for at, step in enumerate(steps):
            text = " ".join(step.split())
            if text:
                places.setdefault(text, []).append(at / max(1, len(steps) - 1))
                ids.setdefault(text, {})[incident.id] = None
    common = sorted(places, key=lambda text: (-len(ids[text]), text))[:_MAX_CITED]
    ordered = sorted(common, key=lambda text: (sum(places[text]) / len(places[text]), -len(ids[text]), text))
    return tuple(Cited(text, tuple(ids[text])) for text in ordered)


def _texts(told: Iterable[tuple[str, str]]) -> tuple[Cited, ...]:
    return cite(told)[:_MAX_CITED]


def _counted(texts: Iterable[str]) -> tuple[tuple[str, int], ...]:
    counts = Counter(text for text in texts if text)
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _severity(incidents: Sequence[Incident]) -> Severity | None:
    """The severity that most incidents bear, the worse of equally common ones."""
    counts = Counter(incident.severity for incident in incidents if incident.severity is not None)
    most = max(counts.values(), default=0)
    return worst(severity for severity, count in counts.items() if count == most)
