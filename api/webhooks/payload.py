"""Any alert payload this server knows -> what to search for. The shape decides which adapter reads it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.webhooks import alertmanager, grafana, n8n
from api.webhooks.fields import Fields, fields_of, first_of, pairs_of, text_of
from kb.errors import InvalidInput
from kb.incident import Alert
from kb.severity import WORST_FIRST, parse_severity

MAX_ALERTS = 1_000
MAX_TEXT_CHARS = 64 << 10

_TEXT_FIELDS = ("text", "query", "q", "message", "description", "summary")
_ENVELOPES = ("body", "json", "payload", "event", "data")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a payload asks about: alerts as they came, or a text where it holds none."""

    alerts: tuple[Alert, ...] = ()
    text: str = ""


def read_payload(payload: object) -> Subject:
    """What `payload`, a JSON value, asks about.

    Known are Alertmanager's webhook and lists of alerts, Grafana's two kinds, n8n's incident, a single alert with
    labels, and a plain object with a name or a text; also one of these inside the usual envelopes of workflow tools.
    Raises `InvalidInput` for everything else.
    """
    subject = _read(payload, envelopes=2)
    if subject is None:
        raise InvalidInput(
            "body",
            "is no alert that this server knows",
            advice="Send Alertmanager's webhook, a Grafana alert, an n8n incident, one alert with labels, "
            'or {"text": "what you see"}.',
        )
    return subject


def leading_alert(alerts: Sequence[Alert]) -> Alert:
    """The alert to answer for: firing before resolved, then the worst, then the first that was sent."""
    return min(alerts, key=_urgency)


def _urgency(alert: Alert) -> tuple[bool, int]:
    rank = WORST_FIRST.index(alert.severity) if alert.severity else len(WORST_FIRST)
    return alert.status == "resolved", rank


def _read(payload: object, *, envelopes: int) -> Subject | None:
    if isinstance(payload, list):
        found = [subject for item in payload[:MAX_ALERTS] if (subject := _read(item, envelopes=envelopes))]
        alerts = tuple(alert for subject in found for alert in subject.alerts)[:MAX_ALERTS]
        return Subject(alerts=alerts) if alerts else next(iter(found), None)
    if not isinstance(payload, dict):
        return None
    return _read_object(payload) or _open_envelope(payload, envelopes)


def _read_object(payload: Fields) -> Subject | None:
    if alertmanager.looks_like_group(payload):
        alerts = alertmanager.parse_group(payload)[:MAX_ALERTS]
        return Subject(alerts=alerts) if alerts else None
    if alertmanager.looks_like_alert(payload):
        return Subject(alerts=(alertmanager.parse_alert(payload),))
    if grafana.looks_like_rule(payload):
        return Subject(alerts=(grafana.parse_rule(payload),))
    if n8n.looks_like_incident(payload):
        return Subject(alerts=(n8n.parse_incident(payload),))
    return _read_plain(payload)


def _read_plain(payload: Fields) -> Subject | None:
    name = next((text for key in ("alertname", "name") if (text := text_of(payload.get(key)))), "")
    texts = {key: str(payload[key])[:MAX_TEXT_CHARS].strip() for key in _TEXT_FIELDS if text_of(payload.get(key))}
    if not name:
        text = next(iter(texts.values()), "")
        return Subject(text=text) if text else None
    fields = pairs_of(payload)
    labels = {key: value for key, value in fields.items() if key not in (*_TEXT_FIELDS, "name", "source")}
    alert = Alert(
        name=name,
        labels={**labels, "alertname": name},
        annotations=texts,
        status="resolved" if fields.get("status", "").lower() == "resolved" else "firing",
        severity=parse_severity(fields.get("severity", "")),
        service=fields.get("service", ""),
        runbook_url=first_of(fields, "runbook_url", "runbook"),
        source="plain",
    )
    return Subject(alerts=(alert,))


def _open_envelope(payload: Fields, envelopes: int) -> Subject | None:
    if not envelopes:
        return None
    for key in _ENVELOPES:
        inside = payload.get(key)
        subject = _read(fields_of(inside) or inside, envelopes=envelopes - 1)
        if subject is not None:
            return subject
    return None
