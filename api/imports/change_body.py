"""The body of `PATCH /incidents/{id}` to a change (pure). Fields are named and written as in `POST /runbooks/learn`."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from api.imports.incident_fields import (
    ALIASES,
    Fields,
    Telling,
    alerts_of,
    canonical,
    diagnosis_of,
    resolution_of,
)
from api.imports.times import parse_time
from api.imports.values import severity_of, status_of, text_of, texts_of
from kb.durations import parse_duration
from kb.errors import InvalidInput
from kb.incident import IncidentStatus
from kb.incident_records import IncidentPatch

_FIXED = frozenset({"id", "started", "source", "labels", "fingerprint", "metadata"})
_OF_RESOLUTION = ("success", "resolved_by", "confirmed", "side_effects")
_EMPTY: Mapping[str, Any] = MappingProxyType(
    {
        "description": "",
        "type": "",
        "severity": None,
        "service": "",
        "alerts": (),
        "symptoms": (),
        "trigger": "",
        "impact": "",
        "diagnosis": (),
        "resolution": None,
        "lessons": (),
        "prevention": (),
        "links": (),
        "acknowledged": None,
        "resolved": None,
        "duration": None,
        "assignee": "",
    }
)
"""What a field becomes that is sent empty or null."""

_NAMES = {"acknowledged": "acknowledged_at", "resolved": "resolved_at", "duration": "duration_s"}


def change_of_body(body: object, telling: Telling) -> IncidentPatch:
    """The change that a body asks for. Fields that are left out stay; empty ones and null empty what can be empty.

    `success`, `resolved_by`, `confirmed` and `side_effects` tell of the `resolution` that they come with. What an
    incident is recognised by cannot be changed. Raises `InvalidInput` that names the field.
    """
    if not isinstance(body, Mapping) or not body:
        raise InvalidInput("body", "names no field to change", advice='Send such as {"status": "resolved"}.')
    emptied = {name for name, value in body.items() if value in (None, "", [], {})}
    told = dict(canonical({name: value for name, value in body.items() if _is_ours(name, emptied)}, strict=True))
    if "assignee" in body and "assignee" not in emptied:
        told["assignee"] = body["assignee"]
    changes: dict[str, Any] = {field: _value(field, told, telling) for field in told if field not in _OF_RESOLUTION}
    for name in sorted(emptied):
        field = _field_of(str(name))
        if field not in _EMPTY:
            raise InvalidInput(field, "cannot be empty", advice="Leave it out to keep it.")
        changes[field] = _EMPTY[field]
    for field in _OF_RESOLUTION:
        if field in told and changes.get("resolution") is None:
            raise InvalidInput(field, "stands without a resolution", advice="Send it beside what was done.")
    return IncidentPatch(**{_NAMES.get(field, field): value for field, value in changes.items()})


def _is_ours(name: object, emptied: set[str]) -> bool:
    return name not in emptied and name != "assignee"


def _field_of(name: str) -> str:
    """The canonical field of an alias. Raises `InvalidInput` for a name that means nothing."""
    plain = name.strip().casefold().replace(" ", "_").replace("-", "_")
    if plain == "assignee":
        return plain
    for field, aliases in ALIASES.items():
        if plain in aliases:
            return field
    raise InvalidInput(name[:100], "is not a known field", advice="GET /incidents/{id} shows what there is.")


def _value(field: str, told: Fields, telling: Telling) -> Any:
    if field in _FIXED:
        raise InvalidInput(field, "cannot be changed", advice="An incident is recognised by it.")
    if field == "alerts":
        return alerts_of({"alerts": told["alerts"]})
    if field == "resolution":
        return resolution_of(told)
    if field in ("acknowledged", "resolved"):
        return _moment(field, told[field], telling)
    return _READERS.get(field, text_of)(told[field])


def _moment(field: str, value: object, telling: Telling) -> datetime:
    return parse_time(value, field=f"{field}_at", zone=telling.zone, day_first=telling.day_first)


def _status(value: object) -> IncidentStatus:
    status = status_of(value)
    if status is None:
        raise InvalidInput("status", "is none", advice="Use open, acknowledged or resolved.")
    return status


_READERS: Mapping[str, Callable[[object], Any]] = MappingProxyType(
    {
        "status": _status,
        "severity": lambda value: severity_of(value, field="severity"),
        "service": lambda value: ", ".join(texts_of(value)),
        "symptoms": texts_of,
        "diagnosis": diagnosis_of,
        "lessons": texts_of,
        "prevention": texts_of,
        "links": texts_of,
        "duration": parse_duration,
    }
)
