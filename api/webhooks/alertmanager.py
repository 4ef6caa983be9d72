"""Alertmanager's webhook (version 4), the lists of alerts that its API and Prometheus exchange, and Grafana's unified
alerting, which sends the same shape with fields of its own. Pure."""

from api.webhooks.fields import Fields, fields_of, first_of, pairs_of, text_of, time_of
from kb.incident import Alert
from kb.severity import parse_severity

_SERVICE_LABELS = ("service", "service_name", "app", "application", "app_kubernetes_io_name", "component", "job")
_SEVERITY_LABELS = ("severity", "priority", "level")
_RUNBOOK_ANNOTATIONS = ("runbook_url", "runbook", "runbookUrl", "runbookURL", "playbook", "playbook_url")


def looks_like_group(payload: Fields) -> bool:
    """Whether a payload is a notification about a group of alerts."""
    return isinstance(payload.get("alerts"), list)


def looks_like_alert(payload: Fields) -> bool:
    """Whether a payload is one alert: an object of labels, maybe with annotations."""
    return bool(fields_of(payload.get("labels"))) or "alertname" in fields_of(payload.get("commonLabels"))


def parse_group(payload: Fields) -> tuple[Alert, ...]:
    """The alerts of one notification, in its order. A group without any is one alert of what it has in common."""
    source = "grafana" if "orgId" in payload else "alertmanager"
    common_labels = {**pairs_of(payload.get("groupLabels")), **pairs_of(payload.get("commonLabels"))}
    common_annotations = pairs_of(payload.get("commonAnnotations"))
    listed = payload.get("alerts")
    members = [fields_of(item) for item in listed] if isinstance(listed, list) else []
    if not any(members) and (common_labels or common_annotations):
        members = [{"status": payload.get("status")}]
    return tuple(_alert(member, common_labels, common_annotations, source) for member in members if member)


def parse_alert(payload: Fields) -> Alert:
    """One alert."""
    return _alert(payload, pairs_of(payload.get("commonLabels")), {}, "alertmanager")


def _alert(member: Fields, common_labels: dict[str, str], common_annotations: dict[str, str], source: str) -> Alert:
    labels = {**common_labels, **pairs_of(member.get("labels"))}
    annotations = {**common_annotations, **pairs_of(member.get("annotations"))}
    status = member.get("status")
    return Alert(
        name=labels.get("alertname", ""),
        labels=labels,
        annotations=annotations,
        # The API of Alertmanager sends {"state": "active"} where the webhook sends "firing".
        status="resolved" if "resolved" in (text_of(status), text_of(fields_of(status).get("state"))) else "firing",
        severity=parse_severity(first_of(labels, *_SEVERITY_LABELS)),
        service=first_of(labels, *_SERVICE_LABELS),
        runbook_url=first_of(annotations, *_RUNBOOK_ANNOTATIONS),
        starts_at=time_of(member.get("startsAt")),
        ends_at=time_of(member.get("endsAt")),
        fingerprint=text_of(member.get("fingerprint")),
        source=source,
    )
