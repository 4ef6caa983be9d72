"""The fields in which an incident is told, whoever tells it, to an `Incident` (pure). Exports are brought into these
fields first; bodies and our own files have them already."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from types import MappingProxyType

from api.imports.times import parse_time
from api.imports.values import (
    labels_of,
    names_of,
    outcome_of,
    severity_of,
    status_of,
    text_of,
    texts_of,
    truth_of,
)
from kb.durations import parse_duration
from kb.errors import InvalidInput
from kb.incident import ActionTaken, DiagnosisStep, Incident, IncidentStatus, Resolution
from kb.incident_identity import identify
from kb.incident_records import check_moments

Fields = Mapping[str, object]

MAX_STEPS = 200
_CLOCKS_DIFFER = timedelta(minutes=5)
"""So much before the start an acknowledgement or end may lie: then two clocks differed, and the start is meant."""

_AHEAD = timedelta(days=1)

ALIASES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "id": ("id", "incident_id", "source_id", "key", "number"),
        "title": ("title", "name", "summary"),
        "description": ("description", "details", "summary"),
        "type": ("type", "incident_type", "alert_type"),
        "status": ("status", "state"),
        "severity": ("severity", "priority", "urgency"),
        "service": ("service", "service_name", "component"),
        "alerts": ("alerts", "alert_names", "alert_name", "alertname", "alert"),
        "labels": ("labels", "tags"),
        "symptoms": ("symptoms", "symptom"),
        "trigger": ("trigger", "cause", "root_cause"),
        "impact": ("impact",),
        "diagnosis": ("diagnosis", "diagnosis_steps"),
        "resolution": ("resolution", "resolution_steps", "actions", "fix"),
        "success": ("success", "successful"),
        "started": ("started_at", "started", "start", "starts_at", "ts", "timestamp", "created_at", "date"),
        "acknowledged": ("acknowledged_at", "acknowledged"),
        "resolved": ("resolved_at", "resolved", "ended_at", "ends_at", "end"),
        "duration": ("duration", "duration_s", "duration_seconds"),
        "side_effects": ("side_effects",),
        "lessons": ("lessons", "lessons_learned", "learnings"),
        "prevention": ("prevention", "prevention_steps", "follow_ups"),
        "resolved_by": ("resolved_by",),
        "confirmed": ("confirmed", "confirmed_by", "verification"),
        "links": ("links", "url", "link"),
        "source": ("source",),
        "fingerprint": ("fingerprint",),
        "metadata": ("metadata",),
    }
)
"""The fields, and under which names our own files and bodies may have them; the first that says something counts."""


@dataclass(frozen=True, slots=True)
class Telling:
    """Who tells, and when it is heard. `source` is that of incidents which name none themselves.

    `zone` is that of times that name none, `day_first` tells which number of a date such as 1/2/2024 is the day.
    With `may_start_now`, an incident that says neither when it began nor when it ended has just ended.
    """

    reported_by: str
    now: datetime
    source: str = "import"
    zone: tzinfo = UTC
    day_first: bool | None = None
    may_start_now: bool = False

    def of_source(self, source: str) -> "Telling":
        """The same telling of incidents that come from `source`."""
        return replace(self, source=source)


def canonical(row: Fields, *, strict: bool) -> Fields:
    """`row` with its fields under the names that `incident_of` knows.

    Names that mean nothing, and those that tell again what another tells, are refused when `strict`, else left out.
    Raises `InvalidInput`.
    """
    named = {str(name).strip().casefold().replace(" ", "_").replace("-", "_"): value for name, value in row.items()}
    said = {name: value for name, value in named.items() if value not in (None, "", [], {})}
    found, used = {}, set()
    for field, aliases in ALIASES.items():
        alias = next((alias for alias in aliases if alias in said and alias not in used), None)
        if alias is not None:
            found[field] = said[alias]
            used.add(alias)
    if strict:
        _refuse_others(named.keys(), said.keys() - used)
    return found


def _refuse_others(names: Collection[str], unused: Collection[str]) -> None:
    known = {alias for aliases in ALIASES.values() for alias in aliases}
    for name in names:
        if name not in known:
            raise InvalidInput(name[:100], "is not a known field", advice="What is only to be kept goes into metadata.")
        if name in unused:
            raise InvalidInput(name, "tells again what another field tells", advice="Send one of the two.")


def incident_of(fields: Fields, telling: Telling) -> Incident:
    """The incident that `fields`, under canonical names, tell of. Raises `InvalidInput` that names the field."""
    started, acknowledged, resolved, duration_s = _times(fields, telling)
    status = status_of(fields.get("status"))
    if status is None:
        ended = resolved is not None or duration_s is not None or "status" not in fields
        status = IncidentStatus.RESOLVED if ended else IncidentStatus.OPEN
    source_id = text_of(fields.get("id"))
    metadata = fields.get("metadata")
    incident = Incident(
        id="",
        title=_title(fields),
        started_at=started,
        recorded_at=telling.now,
        reported_by=telling.reported_by,
        description=text_of(fields.get("description")),
        type=text_of(fields.get("type")),
        status=status,
        severity=severity_of(fields.get("severity"), field="severity"),
        service=", ".join(texts_of(fields.get("service"))),
        alerts=alerts_of(fields),
        labels=labels_of(fields.get("labels")),
        symptoms=texts_of(fields.get("symptoms")),
        trigger=text_of(fields.get("trigger")),
        impact=text_of(fields.get("impact")),
        diagnosis=diagnosis_of(fields.get("diagnosis")),
        resolution=resolution_of(fields),
        lessons=texts_of(fields.get("lessons")),
        prevention=texts_of(fields.get("prevention")),
        links=texts_of(fields.get("links")),
        acknowledged_at=acknowledged,
        resolved_at=resolved if status is IncidentStatus.RESOLVED else None,
        duration_s=duration_s if status is IncidentStatus.RESOLVED else None,
        source=(text_of(fields.get("source")) or telling.source) if source_id else text_of(fields.get("source")),
        source_id=source_id,
        fingerprint=text_of(fields.get("fingerprint")),
        metadata=metadata if isinstance(metadata, Mapping) else {},
    )
    check_moments(incident)
    return identify(incident)


def _title(fields: Fields) -> str:
    title = text_of(fields.get("title"))
    if title:
        return " ".join(title.split())
    for name in ("description", "alerts", "type"):
        lines = texts_of(fields.get(name))
        if lines:
            return lines[0][:200]
    raise InvalidInput("title", "is missing", advice="Say in a few words what was wrong, or name the alert.")


def _times(fields: Fields, telling: Telling) -> tuple[datetime, datetime | None, datetime | None, float | None]:
    """Start, acknowledgement, end and length; what is missing of the start follows from the others."""

    def moment(name: str) -> datetime | None:
        value = fields.get(name)
        value = value if isinstance(value, int | float | datetime) else text_of(value)
        if value == "" or value != value:  # NaN is what some tools write for an empty cell
            return None
        return parse_time(value, field=f"{name}_at", zone=telling.zone, day_first=telling.day_first)

    started, acknowledged, resolved = moment("started"), moment("acknowledged"), moment("resolved")
    duration = fields.get("duration")
    duration = duration if isinstance(duration, int | float) else text_of(duration)
    duration_s = None if text_of(duration) == "" else parse_duration(duration)
    if started is None:
        if resolved is None and not telling.may_start_now:
            raise InvalidInput("started_at", "is missing", advice="Say when the incident began.")
        started = (resolved or telling.now) - timedelta(seconds=duration_s or 0.0)
    if started > telling.now + _AHEAD:
        raise InvalidInput("started_at", "lies in the future", advice="Check the date and its time zone.")
    return (
        started,
        _not_before(started, acknowledged, "acknowledged_at"),
        _not_before(started, resolved, "resolved_at"),
        duration_s,
    )


def _not_before(started: datetime, moment: datetime | None, field: str) -> datetime | None:
    if moment is None or moment >= started:
        return moment
    if started - moment > _CLOCKS_DIFFER:
        raise InvalidInput(field, "lies before the incident began", advice="Check both times and their zones.")
    return started


def alerts_of(fields: Fields) -> tuple[str, ...]:
    """The alerts that `fields` name, also in a label, each once."""
    named = fields.get("alerts")
    if isinstance(named, list):
        names = tuple(name for item in named[:MAX_STEPS] if (name := _alert_name(item)))
    else:
        names = names_of(named)
    labels = fields.get("labels")
    from_labels = text_of(labels.get("alertname")) if isinstance(labels, Mapping) else ""
    return tuple(dict.fromkeys((*names, *([from_labels] if from_labels else []))))


def _alert_name(item: object) -> str:
    if isinstance(item, Mapping):
        labels = item.get("labels")
        return text_of(labels.get("alertname")) if isinstance(labels, Mapping) else text_of(item)
    return text_of(item)


def diagnosis_of(value: object) -> tuple[DiagnosisStep, ...]:
    """What was looked at, told as a text, a list of texts, or a list of objects."""
    if not isinstance(value, list):
        return tuple(DiagnosisStep(text) for text in texts_of(value))
    steps = []
    for item in value[:MAX_STEPS]:
        if isinstance(item, Mapping):
            text, command = text_of(item.get("text") or item.get("step")), text_of(item.get("command"))
            found = text_of(item.get("found") or item.get("result"))
            steps.append(DiagnosisStep(text or command or text_of(item), command, found))
        else:
            steps.append(DiagnosisStep(text_of(item)))
    return tuple(step for step in steps if step.text)


def resolution_of(fields: Fields) -> Resolution | None:
    """What was done and how it ended; None when nothing is told. Raises `InvalidInput`."""
    told = fields.get("resolution")
    whole: Fields = told if isinstance(told, Mapping) else {"actions": told}
    actions = whole.get("actions") or whole.get("steps")
    resolution = Resolution(
        actions=_actions(actions),
        success=truth_of(_first(fields.get("success"), whole.get("success")), field="success"),
        resolved_by=text_of(_first(fields.get("resolved_by"), whole.get("resolved_by"))),
        confirmed=text_of(_first(fields.get("confirmed"), whole.get("confirmed"))),
        side_effects=texts_of(_first(fields.get("side_effects"), whole.get("side_effects"))),
    )
    return None if resolution == Resolution() else resolution


def _actions(value: object) -> tuple[ActionTaken, ...]:
    if not isinstance(value, list):
        return tuple(ActionTaken(text) for text in texts_of(value))
    actions = []
    for number, item in enumerate(value[:MAX_STEPS]):
        if isinstance(item, Mapping):
            actions.append(_action(item, f"resolution[{number}]"))
        else:
            actions.append(ActionTaken(text_of(item)))
    return tuple(action for action in actions if action.text)


def _action(item: Fields, field: str) -> ActionTaken:
    command = text_of(item.get("command"))
    took = _first(item.get("took"), item.get("took_s"), item.get("duration"))
    return ActionTaken(
        text=text_of(_first(item.get("text"), item.get("action"), item.get("step"), item.get("description")))
        or command,
        command=command,
        outcome=outcome_of(item.get("outcome"), field=f"{field}.outcome"),
        side_effects=texts_of(item.get("side_effects")),
        took_s=None if text_of(took) == "" else parse_duration(took, field=f"{field}.took"),
    )


def _first(*values: object) -> object:
    return next((value for value in values if value is not None and value != ""), None)
