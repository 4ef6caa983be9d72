"""The form that opens an incident or changes what it says: what people typed, turned into values. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kb.durations import parse_duration
from kb.errors import InvalidInput
from kb.incident import Incident, IncidentStatus
from kb.incident_records import IncidentPatch, StoredIncident
from kb.severity import parse_severity

Form = Mapping[str, str]

_LABEL = re.compile(r"\s*([^=\s]{1,200})\s*[=:]\s*(.{1,2000}?)\s*")


@dataclass(frozen=True, slots=True)
class OpenScreen:
    """The form that opens an incident, or changes what it says. `id` is empty for a new one."""

    id: str = ""
    version: int = 0
    title: str = ""
    began: str = ""
    severity: str = ""
    service: str = ""
    alerts: str = ""
    labels: str = ""
    description: str = ""
    symptoms: str = ""
    trigger: str = ""
    impact: str = ""
    refused: str = ""
    is_conflict: bool = False


def lines_of(text: str) -> tuple[str, ...]:
    """The lines that say something."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def open_screen(stored: StoredIncident) -> OpenScreen:
    """The form that changes what an incident says."""
    incident = stored.incident
    return OpenScreen(
        id=incident.id,
        version=stored.version,
        title=incident.title,
        severity=incident.severity.value if incident.severity else "",
        service=incident.service,
        alerts=", ".join(incident.alerts),
        description=incident.description,
        symptoms="\n".join(incident.symptoms),
        trigger=incident.trigger,
        impact=incident.impact,
    )


def typed_open_screen(form: Form, *, incident_id: str = "", version: int = 0, refused: str = "") -> OpenScreen:
    """The form with what somebody typed."""

    def typed(name: str) -> str:
        return form.get(name, "")

    return OpenScreen(
        id=incident_id,
        version=version,
        title=typed("title"),
        began=typed("began"),
        severity=typed("severity"),
        service=typed("service"),
        alerts=typed("alerts"),
        labels=typed("labels"),
        description=typed("description"),
        symptoms=typed("symptoms"),
        trigger=typed("trigger"),
        impact=typed("impact"),
        refused=refused,
    )


def typed_incident(form: Form, *, by: str, now: datetime) -> Incident:
    """An open incident as somebody typed it in. Raises `InvalidInput` for no title and for a time that is none."""
    alerts = _names(form.get("alerts", ""))
    title = form.get("title", "").strip() or ", ".join(alerts)
    if not title:
        raise InvalidInput("title", "is empty", advice="Say in a few words what is wrong.")
    return Incident(
        id="",
        title=title,
        started_at=began_at(form.get("began", ""), now),
        recorded_at=now,
        reported_by=by,
        status=IncidentStatus.OPEN,
        description=form.get("description", "").strip(),
        severity=parse_severity(form.get("severity", "")),
        service=form.get("service", "").strip(),
        alerts=alerts,
        labels=labels_in(form.get("labels", "")),
        symptoms=lines_of(form.get("symptoms", "")),
        trigger=form.get("trigger", "").strip(),
        impact=form.get("impact", "").strip(),
        source="web",
    )


def typed_change(form: Form) -> IncidentPatch:
    """The change of what an incident says."""
    return IncidentPatch(
        title=form.get("title", "").strip(),
        description=form.get("description", "").strip(),
        severity=parse_severity(form.get("severity", "")),
        service=form.get("service", "").strip(),
        alerts=_names(form.get("alerts", "")),
        symptoms=lines_of(form.get("symptoms", "")),
        trigger=form.get("trigger", "").strip(),
        impact=form.get("impact", "").strip(),
    )


def began_at(given: str, now: datetime) -> datetime:
    """When it began: now for nothing, so long ago for a length of time, else an ISO moment, in UTC without a zone."""
    text = given.strip().removesuffix("ago").strip()
    if not text:
        return now
    try:
        then = datetime.fromisoformat(text)
    except ValueError:
        return now - timedelta(seconds=parse_duration(text, field="began"))
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    if then > now:
        raise InvalidInput("began", "lies in the future", advice="Times without a zone are in UTC.")
    return then


def labels_in(text: str) -> dict[str, str]:
    """Labels written one a line as `name=value`; lines that are none are left out."""
    found = (_LABEL.fullmatch(line) for line in text.splitlines())
    return {match[1]: match[2].strip('"') for match in found if match}


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in re.split(r"[,\n]", text) if name.strip()))
