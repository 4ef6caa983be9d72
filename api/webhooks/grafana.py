"""Grafana's legacy alerting webhook (before unified alerting). Pure."""

from api.webhooks.fields import Fields, fields_of, first_of, pairs_of, text_of
from kb.incident import Alert
from kb.severity import parse_severity

_RESOLVED = frozenset({"ok", "normal", "resolved"})


def looks_like_rule(payload: Fields) -> bool:
    """Whether a payload is a legacy notification: it names a rule and a state."""
    return "ruleName" in payload or ("evalMatches" in payload and "state" in payload)


def parse_rule(payload: Fields) -> Alert:
    """The alert of one legacy notification. Tags of the rule and of its first matching series become labels."""
    matches = payload.get("evalMatches")
    first = fields_of(matches[0]) if isinstance(matches, list) and matches else {}
    labels = {**pairs_of(first.get("tags")), **pairs_of(payload.get("tags"))}
    name = text_of(payload.get("ruleName")) or text_of(payload.get("title"))
    message, metric = text_of(payload.get("message")), text_of(first.get("metric"))
    texts = {"summary": text_of(payload.get("title")), "description": message, "metric": metric}
    return Alert(
        name=name,
        labels=labels,
        annotations={key: value for key, value in texts.items() if value},
        status="resolved" if text_of(payload.get("state")).lower() in _RESOLVED else "firing",
        severity=parse_severity(first_of(labels, "severity", "priority")),
        service=first_of(labels, "service", "app", "job"),
        runbook_url=first_of(labels, "runbook_url", "runbook"),
        source="grafana",
    )
