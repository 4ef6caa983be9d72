"""Alert and incident values. An alert is one firing signal, whoever sent it; adapters turn payloads into it.
An incident is what people worked on, with everything they wrote down about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from kb.severity import Severity


@dataclass(frozen=True, slots=True)
class Alert:
    """One firing or resolved signal. `name` is empty when the sender gave none; times are aware, UTC."""

    name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    status: str = "firing"
    severity: Severity | None = None
    service: str = ""
    runbook_url: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    fingerprint: str = ""
    source: str = ""


class IncidentStatus(StrEnum):
    """How far the people who work on an incident have come."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class ActionOutcome(StrEnum):
    """What an action did for the incident, in the words of those who took it; UNKNOWN when nobody said."""

    HELPED = "helped"
    DID_NOT_HELP = "did not help"
    MADE_WORSE = "made worse"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DiagnosisStep:
    """Something that was looked at. `command` is text that was typed, for people to read; `found` is what it showed."""

    text: str
    command: str = ""
    found: str = ""


@dataclass(frozen=True, slots=True)
class ActionTaken:
    """Something that was changed. `command` is text for people to read; `took_s` counts until its effect showed."""

    text: str
    command: str = ""
    outcome: ActionOutcome = ActionOutcome.UNKNOWN
    side_effects: tuple[str, ...] = ()
    took_s: float | None = None


@dataclass(frozen=True, slots=True)
class Resolution:
    """What ended the incident, or failed to. `success` is None when nobody said; `confirmed`: how it was seen."""

    actions: tuple[ActionTaken, ...] = ()
    success: bool | None = None
    resolved_by: str = ""
    confirmed: str = ""
    side_effects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Incident:
    """A disturbance that people worked on. Times are aware, UTC: `started_at` to `resolved_at` are when it happened,
    `recorded_at` is when we heard. `reported_by` names the principal whose word the resolution is, or who fed it in
    while it has none. `source` with `source_id` names it where it came from; `fingerprint` is that of its alert.
    `duration_s` wins over the times.
    """

    id: str
    title: str
    started_at: datetime
    recorded_at: datetime
    reported_by: str
    description: str = ""
    type: str = ""
    status: IncidentStatus = IncidentStatus.RESOLVED
    severity: Severity | None = None
    service: str = ""
    alerts: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    symptoms: tuple[str, ...] = ()
    trigger: str = ""
    impact: str = ""
    diagnosis: tuple[DiagnosisStep, ...] = ()
    resolution: Resolution | None = None
    lessons: tuple[str, ...] = ()
    prevention: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    acknowledged_at: datetime | None = None
    resolved_at: datetime | None = None
    duration_s: float | None = None
    source: str = ""
    source_id: str = ""
    fingerprint: str = ""
    metadata: Mapping[str, object] = field(default_factory=dict)

    @property
    def lasted_s(self) -> float | None:
        """Seconds from start to end as far as known; None while it lasts or when the times contradict each other."""
        if self.duration_s is not None:
            return self.duration_s
        if self.resolved_at is None or self.resolved_at < self.started_at:
            return None
        return (self.resolved_at - self.started_at).total_seconds()
