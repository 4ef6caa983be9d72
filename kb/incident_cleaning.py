"""Incidents made safe to keep: secrets masked, text that no database or page can hold replaced, sizes bounded (pure).
Whatever is stored, embedded or shown has passed here; masking comes before cutting, so that no secret is cut in two.
"""

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC

from kb.incident import ActionTaken, DiagnosisStep, Incident, Resolution
from kb.redact import MASK

MAX_TITLE_CHARS = 1000
MAX_TEXT_CHARS = 64 * 1024
MAX_ITEMS = 200
MAX_NAME_CHARS = 300
MAX_LABELS = 100
MAX_METADATA_DEPTH = 6
MAX_METADATA_ITEMS = 500
CUT_MARK = " […]"
_MAX_EXACT_INT = 2**53  # beyond it other languages' JSON readers round

Redact = Callable[[str], str]


def plain_text(text: str) -> str:
    """`text` with NUL and lone surrogates replaced by U+FFFD."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def clean_text(text: str, redact: Redact, *, max_chars: int = MAX_TEXT_CHARS) -> str:
    """One text, stripped at its ends; what is longer ends in a mark that says so."""
    masked = redact(plain_text(text)).strip()
    return masked if len(masked) <= max_chars else masked[: max_chars - len(CUT_MARK)] + CUT_MARK


def clean_name(text: str, redact: Redact) -> str:
    """A name or id. Long ones that differ stay different: their end gives way to a digest."""
    masked = " ".join(redact(plain_text(text)).split())
    if len(masked) <= MAX_NAME_CHARS:
        return masked
    digest = hashlib.sha256(masked.encode()).hexdigest()[:16]
    return f"{masked[: MAX_NAME_CHARS - 17]}~{digest}"


def clean_incident(incident: Incident, redact: Redact) -> Incident:
    """The incident as it may be kept, its times in UTC. Cleaning twice gives the same as once; its id is left as it is.

    Times must have a zone.
    """

    def texts(items: Iterable[str]) -> tuple[str, ...]:
        return clean_texts(items, redact)

    return replace(
        incident,
        title=clean_text(incident.title, redact, max_chars=MAX_TITLE_CHARS),
        reported_by=clean_name(incident.reported_by, redact),
        description=clean_text(incident.description, redact),
        type=clean_name(incident.type, redact),
        service=clean_name(incident.service, redact),
        alerts=tuple(dict.fromkeys(name for raw in incident.alerts[:MAX_ITEMS] if (name := clean_name(raw, redact)))),
        labels=_labels(incident.labels, redact),
        symptoms=texts(incident.symptoms),
        trigger=clean_text(incident.trigger, redact),
        impact=clean_text(incident.impact, redact),
        diagnosis=_diagnosis(incident.diagnosis[:MAX_ITEMS], redact),
        resolution=clean_resolution(incident.resolution, redact),
        lessons=texts(incident.lessons),
        prevention=texts(incident.prevention),
        links=texts(incident.links),
        # Of two equal moments in a zone whose clock is put back, Python calls neither equal to the same one in UTC.
        started_at=incident.started_at.astimezone(UTC),
        acknowledged_at=incident.acknowledged_at and incident.acknowledged_at.astimezone(UTC),
        resolved_at=incident.resolved_at and incident.resolved_at.astimezone(UTC),
        duration_s=_seconds(incident.duration_s),
        source=clean_name(incident.source, redact),
        source_id=clean_name(incident.source_id, redact),
        fingerprint=clean_name(incident.fingerprint, redact),
        metadata=_metadata(incident.metadata, redact),
    )


def clean_texts(items: Iterable[str], redact: Redact) -> tuple[str, ...]:
    """Texts without the empty ones, at most `MAX_ITEMS`."""
    cleaned = (clean_text(item, redact) for item, _ in zip(items, range(MAX_ITEMS), strict=False))
    return tuple(text for text in cleaned if text)


def clean_resolution(resolution: Resolution | None, redact: Redact) -> Resolution | None:
    """A resolution with every text in it cleaned, without empty actions; None when nothing is left."""
    if resolution is None:
        return None
    actions = (_action(action, redact) for action in resolution.actions[:MAX_ITEMS])
    cleaned = replace(
        resolution,
        actions=tuple(action for action in actions if action.text or action.command),
        resolved_by=clean_name(resolution.resolved_by, redact),
        confirmed=clean_text(resolution.confirmed, redact),
        side_effects=clean_texts(resolution.side_effects, redact),
    )
    return None if cleaned == Resolution() else cleaned


def _diagnosis(steps: Iterable[DiagnosisStep], redact: Redact) -> tuple[DiagnosisStep, ...]:
    cleaned = (
        DiagnosisStep(clean_text(step.text, redact), clean_text(step.command, redact), clean_text(step.found, redact))
        for step in steps
    )
    return tuple(step for step in cleaned if step.text or step.command or step.found)


def _action(action: ActionTaken, redact: Redact) -> ActionTaken:
    return replace(
        action,
        text=clean_text(action.text, redact),
        command=clean_text(action.command, redact),
        side_effects=clean_texts(action.side_effects, redact),
        took_s=_seconds(action.took_s),
    )


def _seconds(value: float | None) -> float | None:
    """None for what is no length of time: NaN, infinite or negative."""
    return value if value is not None and math.isfinite(value) and value >= 0 else None


def _labels(labels: Mapping[str, str], redact: Redact) -> dict[str, str]:
    cleaned: dict[str, str] = {}
    for key, value in sorted(labels.items())[:MAX_LABELS]:
        name = clean_name(key, redact)
        cleaned[name] = _value_of(name, value, redact)
    return cleaned


def _value_of(name: str, value: str, redact: Redact) -> str:
    """The value of a named field: masked whole when its name says that it is a secret, as `password` does."""
    text = clean_text(value, redact)
    probe = "".join(char for char in text if char not in "\"'\n\r\\")[:200]
    if probe and redact(f'{name}="{probe}"').endswith(f'="{MASK}"') and probe != MASK:
        return MASK
    return text


def _metadata(metadata: Mapping[str, object], redact: Redact) -> dict[str, object]:
    left = [MAX_METADATA_ITEMS]

    def walk(name: str, value: object, depth: int) -> object:
        left[0] -= 1
        if left[0] < 0 or depth > MAX_METADATA_DEPTH:
            return CUT_MARK.strip()
        if isinstance(value, str):
            return _value_of(name, value, redact)
        if isinstance(value, Mapping):
            named = ((clean_name(str(key), redact), item) for key, item in value.items())
            return {key: walk(key, item, depth + 1) for key, item in named if left[0] > 0}
        if isinstance(value, list | tuple):
            return [walk(name, item, depth + 1) for item in value if left[0] > 0]
        return _scalar(value)

    cleaned = walk("", dict(metadata), 0)
    return cleaned if isinstance(cleaned, dict) else {}


def _scalar(value: object) -> object:
    """A JSON scalar; what JSON has no word for becomes None or text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _MAX_EXACT_INT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return plain_text(str(value))[:MAX_NAME_CHARS]
