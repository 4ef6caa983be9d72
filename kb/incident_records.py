"""Incidents as the records hold them: the values that go in and come out, and the rules of a change (pure)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from enum import Enum, StrEnum
from typing import Final

from kb.errors import InvalidInput, KBError
from kb.incident import DiagnosisStep, Incident, IncidentStatus, Resolution
from kb.severity import Severity

MAX_PAGE = 500


class IncidentNotFound(KBError):
    """Nobody has reported an incident of this id."""

    def __init__(self, incident_id: str) -> None:
        super().__init__(f"There is no incident '{incident_id[:100]}'.", advice="List them with GET /incidents.")
        self.incident_id = incident_id


class IncidentChanged(KBError):
    """Somebody else changed the incident since the caller read it; nothing was written."""

    def __init__(self, incident_id: str, *, expected: int, current: int) -> None:
        super().__init__(
            f"Incident '{incident_id}' has changed since you read it: you had version {expected}, it has {current}.",
            advice="Read it again, and send your change with its new version.",
        )
        self.incident_id = incident_id
        self.expected = expected
        self.current = current


@dataclass(frozen=True, slots=True)
class StoredIncident:
    """An incident with what the records add: who opened it, who has it, and the patterns it was learnt into.

    `version` grows by one with every change of the incident; `arrival_pattern_id` and `pattern_id` (the present one)
    are None while it is not learnt, and `pattern_id` also when it was taken out of its pattern.
    """

    incident: Incident
    opened_by: str
    assignee: str
    version: int
    updated_at: datetime
    arrival_pattern_id: str | None = None
    pattern_id: str | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """What came of an incident that was sent in. A duplicate is not new; it has changed when it told something more."""

    stored: StoredIncident
    is_new: bool
    has_changed: bool


@dataclass(frozen=True, slots=True)
class IncidentNote:
    """A remark of a person on an incident. `duty` is the id of the duty that it says is done, or empty."""

    incident_id: str
    author: str
    text: str
    event_time: datetime
    duty: str = ""


class IncidentSort(StrEnum):
    """What a list of incidents is ordered by; incidents without the value come last, equal ones by id."""

    STARTED = "started_at"
    RECORDED = "recorded_at"
    UPDATED = "updated_at"
    RESOLVED = "resolved_at"
    DURATION = "duration"
    SEVERITY = "severity"


@dataclass(frozen=True, slots=True)
class IncidentQuery:
    """Which incidents, and in which order. Empty fields ask for nothing; the others must all hold.

    `text` is looked for in title, service, source id and alert names, whatever the case. `started_from` is inside the
    span, `started_before` outside it. By severity, descending means worst first.
    """

    statuses: frozenset[IncidentStatus] = frozenset()
    severities: frozenset[Severity] = frozenset()
    service: str = ""
    source: str = ""
    pattern_id: str = ""
    alert: str = ""
    assignee: str = ""
    reported_by: str = ""
    text: str = ""
    started_from: datetime | None = None
    started_before: datetime | None = None
    sort: IncidentSort = IncidentSort.STARTED
    descending: bool = True
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """A page of a list, and how many incidents the whole list has."""

    incidents: Sequence[StoredIncident]
    total: int


class Unset(Enum):
    """Stands for a field that a change does not mention."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentPatch:
    """A change of some fields. Identity, source and the time it began are not among them."""

    title: str | Unset = UNSET
    description: str | Unset = UNSET
    type: str | Unset = UNSET
    status: IncidentStatus | Unset = UNSET
    severity: Severity | Unset | None = UNSET
    service: str | Unset = UNSET
    alerts: tuple[str, ...] | Unset = UNSET
    symptoms: tuple[str, ...] | Unset = UNSET
    trigger: str | Unset = UNSET
    impact: str | Unset = UNSET
    diagnosis: tuple[DiagnosisStep, ...] | Unset = UNSET
    resolution: Resolution | Unset | None = UNSET
    lessons: tuple[str, ...] | Unset = UNSET
    prevention: tuple[str, ...] | Unset = UNSET
    links: tuple[str, ...] | Unset = UNSET
    acknowledged_at: datetime | Unset | None = UNSET
    resolved_at: datetime | Unset | None = UNSET
    duration_s: float | Unset | None = UNSET
    assignee: str | Unset = UNSET


EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_LONGEST_S = 100 * 366 * 86400.0  # beyond it a length of time is a mistake, and may not fit into a date


def patched(stored: StoredIncident, patch: IncidentPatch, *, by: str, now: datetime) -> StoredIncident:
    """`stored` with the change made; the same object when it changes nothing. Version and times of record stay.

    A new status brings the times that belong to it, a time brings its status. Whoever tells the resolution becomes
    the one whose word it is. Raises `InvalidInput` for times that contradict each other and for an empty title.
    """
    given = {item.name: value for item in fields(patch) if (value := getattr(patch, item.name)) is not UNSET}
    assignee = given.pop("assignee", stored.assignee)
    if "title" in given and not str(given["title"]).strip():
        raise InvalidInput("title", "is empty", advice="Say in a few words what is wrong.")
    changed = replace(stored.incident, **given)
    if changed.duration_s is not None and not 0 <= changed.duration_s <= _LONGEST_S:
        raise InvalidInput("duration", "is not a length of time", advice="Give seconds, or a text such as 1h30m.")
    changed = _settled(changed, stored.incident, given.keys(), now)
    if changed.resolution not in (None, stored.incident.resolution):
        changed = replace(changed, reported_by=by)
    _check_times(changed)
    after = replace(stored, incident=changed, assignee=str(assignee))
    return stored if after == stored else after


def _settled(changed: Incident, before: Incident, given: Collection[str], now: datetime) -> Incident:
    """Status and times brought in line with each other."""
    if "status" not in given:
        if "resolved_at" in given and changed.resolved_at is not None:
            changed = replace(changed, status=IncidentStatus.RESOLVED)
        elif "acknowledged_at" in given and changed.acknowledged_at and before.status is IncidentStatus.OPEN:
            changed = replace(changed, status=IncidentStatus.ACKNOWLEDGED)
        return changed
    if changed.status is IncidentStatus.RESOLVED:
        return (
            changed if changed.resolved_at else replace(changed, resolved_at=max(_end(changed, now), before.started_at))
        )
    changed = replace(changed, resolved_at=None, duration_s=None)
    if changed.status is IncidentStatus.OPEN:
        return replace(changed, acknowledged_at=None)
    return changed if changed.acknowledged_at else replace(changed, acknowledged_at=now)


def _end(incident: Incident, now: datetime) -> datetime:
    return now if incident.duration_s is None else incident.started_at + timedelta(seconds=incident.duration_s)


def _check_times(incident: Incident) -> None:
    check_moments(incident)
    for name in ("acknowledged_at", "resolved_at"):
        moment: datetime | None = getattr(incident, name)
        if moment is not None and moment < incident.started_at:
            raise InvalidInput(name, "lies before the incident began", advice="Correct the time.")


def check_moments(incident: Incident) -> None:
    """Raise `InvalidInput` unless every time of the incident has a zone and lies between 1970 and 2200."""
    for name in ("started_at", "acknowledged_at", "resolved_at"):
        moment: datetime | None = getattr(incident, name)
        if moment is not None and moment.tzinfo is None:
            raise InvalidInput(name, "has no time zone", advice="Write the time with its offset, or a Z for UTC.")
        if moment is not None and not EARLIEST <= moment < LATEST:
            raise InvalidInput(name, "lies outside 1970 to 2200", advice="Correct the time.")
