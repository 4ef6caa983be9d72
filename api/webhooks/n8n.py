"""The incident that an n8n workflow posts: what happened under `alert`, where under `context`. Pure."""

from api.webhooks.fields import Fields, fields_of, first_of, pairs_of, time_of
from kb.incident import Alert
from kb.severity import parse_severity


def looks_like_incident(payload: Fields) -> bool:
    """Whether a payload holds an alert object, also one templated into a string."""
    return bool(fields_of(payload.get("alert")))


def parse_incident(payload: Fields) -> Alert:
    """The alert of one incident. All that `alert` and `context` say stays as labels, longer prose as annotations."""
    alert, context = fields_of(payload.get("alert")), fields_of(payload.get("context"))
    labels = {**pairs_of(context), **pairs_of(alert), **pairs_of(alert.get("labels"))}
    prose = ("message", "description", "summary", "details")
    annotations = {**{name: labels[name] for name in prose if name in labels}, **pairs_of(alert.get("annotations"))}
    name = first_of(labels, "alertname", "type", "name", "title")
    resource = fields_of(alert.get("resource"))
    if resource:
        kind, resource_name = first_of(pairs_of(resource), "type", "kind"), first_of(pairs_of(resource), "name")
        labels |= {key: value for key, value in ((kind, resource_name), ("resource", resource_name)) if key and value}
    return Alert(
        name=name,
        labels={key: value for key, value in labels.items() if key not in (*prose, "timestamp")},
        annotations=annotations,
        status="resolved" if labels.get("status", "").lower() == "resolved" else "firing",
        severity=parse_severity(labels.get("severity", "")),
        service=first_of(labels, "service", "app", "component"),
        runbook_url=first_of(labels, "runbook_url", "runbook"),
        starts_at=time_of(context.get("timestamp")) or time_of(alert.get("timestamp")),
        fingerprint=labels.get("fingerprint", ""),
        source="n8n",
    )
