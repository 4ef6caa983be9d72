"""Incidents as JSON values and back: what the records keep of them besides the columns they are searched by (pure)."""

from collections.abc import Mapping, Sequence
from typing import Any

from kb.incident import ActionOutcome, ActionTaken, DiagnosisStep, Incident, Resolution


def body_of(incident: Incident) -> dict[str, object]:
    """What of an incident has no column of its own, where a list could be filtered by it; empty fields are left out."""
    body: dict[str, object] = {
        "description": incident.description,
        "type": incident.type,
        "alerts": list(incident.alerts),
        "labels": dict(incident.labels),
        "symptoms": list(incident.symptoms),
        "trigger": incident.trigger,
        "impact": incident.impact,
        "diagnosis": [_step_body(step) for step in incident.diagnosis],
        "resolution": resolution_body(incident.resolution),
        "lessons": list(incident.lessons),
        "prevention": list(incident.prevention),
        "links": list(incident.links),
        "duration_s": incident.duration_s,
        "fingerprint": incident.fingerprint,
        "metadata": dict(incident.metadata),
    }
    return _filled(body)


def fields_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `Incident` that `body_of` put into a body."""
    fields: dict[str, Any] = {}
    for name, value in body.items():
        if name == "diagnosis":
            fields[name] = tuple(DiagnosisStep(**step) for step in value)
        elif name == "resolution":
            fields[name] = resolution_of(value)
        else:
            fields[name] = tuple(value) if isinstance(value, list) else value
    return fields


def resolution_body(resolution: Resolution | None) -> dict[str, object] | None:
    """A resolution as a JSON value; empty fields are left out."""
    if resolution is None:
        return None
    body = {
        "actions": [_action_body(action) for action in resolution.actions],
        "success": resolution.success,
        "resolved_by": resolution.resolved_by,
        "confirmed": resolution.confirmed,
        "side_effects": list(resolution.side_effects),
    }
    return _filled(body)


def resolution_of(body: Mapping[str, Any]) -> Resolution:
    """The resolution that `resolution_body` wrote."""
    return Resolution(
        actions=tuple(_action_of(action) for action in body.get("actions", ())),
        success=body.get("success"),
        resolved_by=body.get("resolved_by", ""),
        confirmed=body.get("confirmed", ""),
        side_effects=_texts(body.get("side_effects", ())),
    )


def _step_body(step: DiagnosisStep) -> dict[str, object]:
    return {"text": step.text, **_filled({"command": step.command, "found": step.found})}


def _action_body(action: ActionTaken) -> dict[str, object]:
    body = {
        "command": action.command,
        "outcome": "" if action.outcome is ActionOutcome.UNKNOWN else action.outcome.value,
        "side_effects": list(action.side_effects),
        "took_s": action.took_s,
    }
    return {"text": action.text, **_filled(body)}


def _action_of(body: Mapping[str, Any]) -> ActionTaken:
    return ActionTaken(
        text=body["text"],
        command=body.get("command", ""),
        outcome=ActionOutcome(body.get("outcome", ActionOutcome.UNKNOWN.value)),
        side_effects=_texts(body.get("side_effects", ())),
        took_s=body.get("took_s"),
    )


def _texts(items: Sequence[str]) -> tuple[str, ...]:
    return tuple(items)


def _filled(body: Mapping[str, object]) -> dict[str, object]:
    """`body` without what is empty; False and zero are not."""
    return {name: value for name, value in body.items() if value is not None and value not in ("", [], {})}
