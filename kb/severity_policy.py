"""What a severity obliges people to: how soon somebody answers, who is called when, who is told what how often. The
policy is a value; what is due for one incident at one moment is computed from it (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from kb.incident import Incident, IncidentStatus
from kb.severity import Severity

_MINUTE, _HOUR = 60.0, 3600.0

LAPSES_AFTER = timedelta(days=30)
"""A duty that was due so long ago is no longer shown: nobody writes the report of a year that was imported."""


class Moment(StrEnum):
    """A moment in the life of an incident that times are counted from, or that ends a duty."""

    STARTED = "started"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class DutyKind(StrEnum):
    """What sort of thing somebody has to do."""

    RESPOND = "respond"
    RESOLVE = "resolve"
    ESCALATE = "escalate"
    TELL = "tell"


@dataclass(frozen=True, slots=True)
class Escalation:
    """Somebody who is called when an incident has lasted `after_s`; 0 for whoever is called first."""

    to: str
    after_s: float


@dataclass(frozen=True, slots=True)
class Phase:
    """A box of time that the first minutes of an incident go through, from its start."""

    name: str
    from_s: float
    until_s: float


@dataclass(frozen=True, slots=True)
class Level:
    """One severity: what it means, and what it asks for. `escalation` is ordered by time."""

    severity: Severity
    code: str
    definition: str
    examples: tuple[str, ...]
    respond_within_s: float
    resolve_within_s: float
    escalation: tuple[Escalation, ...]
    phases: tuple[Phase, ...] = ()


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to do for incidents of some severities: `after_s` from `since`, again every `every_s` when given.

    It ends when the incident reaches `until`; None: it does not end by itself.
    """

    id: str
    text: str
    to: str
    after_s: float
    since: Moment = Moment.STARTED
    until: Moment | None = None
    every_s: float | None = None
    severities: frozenset[Severity] = frozenset(Severity) - {Severity.INFO}
    kind: DutyKind = DutyKind.TELL


@dataclass(frozen=True, slots=True)
class SeverityPolicy:
    """Levels by severity, and the duties beside them. An incident of unknown severity is taken for `when_unknown`."""

    levels: Mapping[Severity, Level]
    duties: tuple[Duty, ...]
    when_unknown: Severity = Severity.MEDIUM

    def level_of(self, incident: Incident) -> Level | None:
        """The level that holds for an incident; None for one that asks for nothing."""
        return self.levels.get(incident.severity or self.when_unknown)


@dataclass(frozen=True, slots=True)
class DueDuty:
    """A duty of one incident and when it falls due."""

    duty: Duty
    due_at: datetime
    is_overdue: bool


def duties_due(
    policy: SeverityPolicy, incident: Incident, now: datetime, done: Mapping[str, datetime] = MappingProxyType({})
) -> tuple[DueDuty, ...]:
    """What has to be done for an incident, the next or longest overdue first.

    `done` tells by duty id when it was last done. Each duty is named once, at its next time.
    """
    level = policy.level_of(incident)
    if level is None:
        return ()
    due = []
    for duty in (*_duties_of(level), *policy.duties):
        due_at = _due_at(duty, incident, done.get(duty.id)) if level.severity in duty.severities else None
        if due_at is not None and now - due_at <= LAPSES_AFTER:
            due.append(DueDuty(duty, due_at, is_overdue=due_at <= now))
    return tuple(sorted(due, key=lambda one: (one.due_at, one.duty.id)))


def called_by_now(policy: SeverityPolicy, incident: Incident, now: datetime) -> tuple[Escalation, ...]:
    """Who has been called, or should have been, by `now` or by the end of the incident, in the order of calling."""
    level = policy.level_of(incident)
    end = _moment(incident, Moment.RESOLVED) or now
    lasted_s = (end - incident.started_at).total_seconds()
    return tuple(step for step in level.escalation if step.after_s <= max(lasted_s, 0.0)) if level else ()


def phase_now(policy: SeverityPolicy, incident: Incident, now: datetime) -> Phase | None:
    """The box of time that an incident is in; None when it is over, past them all, or its level has none."""
    level = policy.level_of(incident)
    if level is None or incident.status is IncidentStatus.RESOLVED:
        return None
    lasted_s = (now - incident.started_at).total_seconds()
    return next((phase for phase in level.phases if phase.from_s <= lasted_s < phase.until_s), None)


def _duties_of(level: Level) -> list[Duty]:
    """What a level asks for itself, as duties."""
    of_level = frozenset({level.severity})
    first = next((step.to for step in level.escalation), "")
    duties = [
        Duty(
            id="respond",
            text="Answer the incident",
            to=first,
            after_s=level.respond_within_s,
            until=Moment.ACKNOWLEDGED,
            severities=of_level,
            kind=DutyKind.RESPOND,
        ),
        Duty(
            id="resolve",
            text="Resolve the incident",
            to=first,
            after_s=level.resolve_within_s,
            until=Moment.RESOLVED,
            severities=of_level,
            kind=DutyKind.RESOLVE,
        ),
    ]
    for number, step in enumerate(level.escalation, start=1):
        if step.after_s > 0:
            duties.append(
                Duty(
                    id=f"escalate-{number}",
                    text=f"Call the {step.to}",
                    to=step.to,
                    after_s=step.after_s,
                    until=Moment.RESOLVED,
                    severities=of_level,
                    kind=DutyKind.ESCALATE,
                )
            )
    return duties


def _due_at(duty: Duty, incident: Incident, done_at: datetime | None) -> datetime | None:
    """When a duty falls due next; None when it does not."""
    since = _moment(incident, duty.since)
    if since is None or (duty.until is not None and _has_reached(incident, duty.until)):
        return None
    if done_at is None:
        return since + timedelta(seconds=duty.after_s)
    return None if duty.every_s is None else done_at + timedelta(seconds=duty.every_s)


def _has_reached(incident: Incident, moment: Moment) -> bool:
    if moment is Moment.ACKNOWLEDGED:
        return incident.status is not IncidentStatus.OPEN
    return moment is Moment.STARTED or incident.status is IncidentStatus.RESOLVED


def _moment(incident: Incident, moment: Moment) -> datetime | None:
    if moment is Moment.STARTED:
        return incident.started_at
    if moment is Moment.ACKNOWLEDGED:
        return incident.acknowledged_at
    if incident.status is not IncidentStatus.RESOLVED:
        return None
    if incident.resolved_at is not None:
        return incident.resolved_at
    return None if incident.duration_s is None else incident.started_at + timedelta(seconds=incident.duration_s)


ON_CALL, SENIOR, MANAGER, CTO = "on-call engineer", "senior engineer", "engineering manager", "CTO"

DEFAULT_POLICY = SeverityPolicy(
    levels=MappingProxyType(
        {
            Severity.CRITICAL: Level(
                severity=Severity.CRITICAL,
                code="P0",
                definition="The service is down as a whole, or data may be lost.",
                examples=("every service is down", "data loss"),
                respond_within_s=5 * _MINUTE,
                resolve_within_s=4 * _HOUR,
                escalation=(Escalation(SENIOR, 0), Escalation(MANAGER, 2 * _HOUR), Escalation(CTO, 4 * _HOUR)),
                phases=(
                    Phase("immediate response", 0, 5 * _MINUTE),
                    Phase("assessment", 5 * _MINUTE, 15 * _MINUTE),
                    Phase("mitigation", 15 * _MINUTE, 30 * _MINUTE),
                ),
            ),
            Severity.HIGH: Level(
                severity=Severity.HIGH,
                code="P1",
                definition="A major function is broken, part of the service is down, or it is far too slow.",
                examples=("a whole group of workers fails", "more than 10 % of API requests fail"),
                respond_within_s=15 * _MINUTE,
                resolve_within_s=2 * _HOUR,
                escalation=(Escalation(SENIOR, 0),),
            ),
            Severity.MEDIUM: Level(
                severity=Severity.MEDIUM,
                code="P2",
                definition="The service is slower or worse than it should be; nothing vital is affected.",
                examples=("high latency", "a model became less accurate"),
                respond_within_s=30 * _MINUTE,
                resolve_within_s=4 * _HOUR,
                escalation=(Escalation(ON_CALL, 0),),
            ),
            Severity.LOW: Level(
                severity=Severity.LOW,
                code="P3",
                definition="Small or cosmetic trouble that hardly anybody notices.",
                examples=("a few slow queries", "a glitch in the user interface"),
                respond_within_s=1 * _HOUR,
                resolve_within_s=8 * _HOUR,
                escalation=(Escalation(ON_CALL, 0),),
            ),
        }
    ),
    duties=(
        Duty("stakeholders", "Tell the stakeholders in Slack", "#incidents", 0, until=Moment.RESOLVED),
        Duty(
            "status-page",
            "Update the status page",
            "users",
            30 * _MINUTE,
            until=Moment.RESOLVED,
            every_s=30 * _MINUTE,
        ),
        Duty(
            "page-backup",
            "Page the backup on-call: nobody has answered",
            "backup on-call",
            15 * _MINUTE,
            until=Moment.ACKNOWLEDGED,
            kind=DutyKind.ESCALATE,
        ),
        Duty("report", "Write the incident report", "the team", 24 * _HOUR, since=Moment.RESOLVED),
        Duty("postmortem", "Hold or schedule the postmortem", "the team", 48 * _HOUR, since=Moment.RESOLVED),
    ),
)
"""The levels, times and duties of the project's requirements, to the letter. They name nobody to call first for a
critical incident; the senior engineer is, because the path to the manager leads past them."""
