"""When two reports tell of one incident, and what they tell together (pure)."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC

from kb.incident import Incident, IncidentStatus

_ORDER = {IncidentStatus.OPEN: 0, IncidentStatus.ACKNOWLEDGED: 1, IncidentStatus.RESOLVED: 2}


def source_key(incident: Incident) -> str | None:
    """A digest of where the incident comes from and its id there; None when it has no id there."""
    return _digest(incident.source, incident.source_id) if incident.source_id else None


def moment_key(incident: Incident) -> str | None:
    """A digest of what happened and when it began: the fingerprint with the start.

    An incident that has neither a fingerprint nor an id of its source is known by what it says. One that has an id
    and no fingerprint has no such digest: its source tells like-sounding incidents apart.
    """
    start = incident.started_at.astimezone(UTC).isoformat()
    if incident.fingerprint:
        return _digest("given", incident.fingerprint, start)
    if incident.source_id:
        return None
    labels = json.dumps(dict(incident.labels), sort_keys=True)
    return _digest("told", incident.title, incident.description, incident.type, incident.service, labels, start)


def identify(incident: Incident) -> Incident:
    """`incident` with the id that its identity gives it: the same report has the same id wherever it is read."""
    known_by = source_key(incident) or moment_key(incident) or ""
    return replace(incident, id=f"inc-{known_by[:16]}")


def merged(known: Incident, told: Incident) -> Incident:
    """What a second report adds to an incident: the same object when nothing.

    What is known stays, what was empty is filled. The status only moves forward; the earliest acknowledgement and the
    latest end count, so that reports may come in any order. Whoever first tells the resolution is the one whose word
    it is.
    """
    ends = [moment for moment in (known.resolved_at, told.resolved_at) if moment]
    acknowledgements = [moment for moment in (known.acknowledged_at, told.acknowledged_at) if moment]
    together = replace(
        known,
        status=max(known.status, told.status, key=_ORDER.__getitem__),
        acknowledged_at=min(acknowledgements, default=None),
        resolved_at=max(ends, default=None),
        title=known.title or told.title,
        description=known.description or told.description,
        type=known.type or told.type,
        severity=known.severity or told.severity,
        service=known.service or told.service,
        alerts=_union(known.alerts, told.alerts),
        labels={**told.labels, **known.labels},
        symptoms=known.symptoms or told.symptoms,
        trigger=known.trigger or told.trigger,
        impact=known.impact or told.impact,
        diagnosis=known.diagnosis or told.diagnosis,
        lessons=known.lessons or told.lessons,
        prevention=known.prevention or told.prevention,
        links=_union(known.links, told.links),
        duration_s=known.duration_s if known.duration_s is not None else told.duration_s,
        metadata={**told.metadata, **known.metadata},
        source=told.source if _adopts_id(known, told) else known.source,
        source_id=told.source_id if _adopts_id(known, told) else known.source_id,
    )
    together = _with_resolution(together, told)
    return known if together == known else together


def _adopts_id(known: Incident, told: Incident) -> bool:
    """An id that only the second report has is taken over, so that a third one is recognised by it."""
    return bool(told.source_id) and not known.source_id


def _with_resolution(known: Incident, told: Incident) -> Incident:
    """The first report with any action counts; what somebody said of success and confirmation before it stays."""
    before, after = known.resolution, told.resolution
    if after is None or (before is not None and (before.actions or not after.actions)):
        return known
    if before is not None:
        after = replace(
            after,
            success=after.success if before.success is None else before.success,
            resolved_by=before.resolved_by or after.resolved_by,
            confirmed=before.confirmed or after.confirmed,
            side_effects=_union(before.side_effects, after.side_effects),
        )
    return replace(known, resolution=after, reported_by=told.reported_by)


def _union(first: Sequence[str], second: Sequence[str]) -> tuple[str, ...]:
    return (*first, *(item for item in dict.fromkeys(second) if item not in first))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
