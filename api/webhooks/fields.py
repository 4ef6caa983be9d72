"""Reading fields of payloads that others wrote: whatever is there becomes bounded text, or nothing. Pure."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

MAX_VALUE_CHARS = 8_192
MAX_PAIRS = 200

Fields = Mapping[str, object]


def text_of(value: object) -> str:
    """A scalar as text, cut at `MAX_VALUE_CHARS`; empty for null, lists and objects."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)[:MAX_VALUE_CHARS].strip()
    return ""


def fields_of(value: object) -> Fields:
    """An object; also one that arrives as JSON inside a string, as workflow tools send them. Empty for all else."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def pairs_of(value: object) -> dict[str, str]:
    """Labels or annotations: names with their values as text, at most `MAX_PAIRS`; those without a value left out."""
    pairs = ((text_of(name), text_of(item)) for name, item in fields_of(value).items())
    kept = [(name[:200], item) for name, item in pairs if name and item]
    return dict(kept[:MAX_PAIRS])


def time_of(value: object) -> datetime | None:
    """An ISO 8601 time, aware, in UTC. None for what cannot be read and for the zero time that Go programs send."""
    try:
        moment = datetime.fromisoformat(text_of(value))
    except ValueError:
        return None
    if moment.year <= 1:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def first_of(fields: Mapping[str, str], *names: str) -> str:
    """The first of these fields that says something."""
    return next((fields[name] for name in names if fields.get(name)), "")
