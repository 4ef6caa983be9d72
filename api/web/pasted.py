"""What somebody pasted into the search box -> the alert in it, if there is one, so that its labels fill the commands.
Pure; a text that is no alert is simply a text."""

import re
from collections.abc import Iterator

from api.strict_json import parse_json
from api.webhooks.payload import leading_alert, read_payload
from kb.errors import InvalidInput
from kb.incident import Alert
from kb.severity import parse_severity

_MAX_READ_CHARS = 20_000
_MAX_LABELS = 40
_MAX_VALUE_CHARS = 300

# Names that mean a label even in prose, where "name: value" may be anything.
_KNOWN = frozenset(
    {
        "alertname",
        "severity",
        "cluster",
        "namespace",
        "service",
        "deployment",
        "statefulset",
        "daemonset",
        "pod",
        "container",
        "node",
        "instance",
        "job",
        "job_name",
        "persistentvolumeclaim",
        "horizontalpodautoscaler",
        "device",
        "mountpoint",
        "region",
        "environment",
        "env",
        "database",
        "datname",
        "topic",
        "consumergroup",
        "queue",
        "ingress",
        "host",
        "app",
    }
)
_PAIR = re.compile(
    r"(?<![\w!<>=~.$/-])\"?(?P<name>[A-Za-z_]\w{0,60})\"?[ \t]?=(?![=~])[ \t]?"
    r"(?:\"(?P<double>[^\"\n]*)\"|'(?P<single>[^'\n]*)'|(?P<bare>[^\s,;{}()\"'`|]+))"
)
_LINE = re.compile(
    r"^[ \t>*•·–-]{0,12}[*_`]{0,2}(?P<name>[A-Za-z_]\w{0,60})[*_`]{0,2}:[*_`]{0,2}[ \t]{1,20}"
    r"[`\"']?(?P<value>[^`\"'\n]{1,300}?)[`\"']?[ \t]{0,20}$",
    re.MULTILINE,
)
# "- name = value" on a line of its own, as Alertmanager's mail and its default templates write labels and annotations.
_LISTED = re.compile(r"^[ \t>*•·–-]{1,12}(?P<name>[A-Za-z_]\w{0,60}) = (?P<value>[^\n]{1,300})$", re.MULTILINE)
_ANNOTATIONS = frozenset({"summary", "description", "message", "runbook_url", "runbook", "dashboard_url", "dashboard"})
_WORD = re.compile(r"\w")
_TITLE = re.compile(
    r"\[(?:FIRING|RESOLVED|Alerting|OK)(?::\d+)?\]\s+(?:\S+\s+\|\s+)?(?P<name>[A-Za-z_]\w{2,99})", re.IGNORECASE
)


def read_alert(text: str) -> Alert | None:
    """The alert that `text` is: a payload as JSON, or a notification with labels as mail, chat and logs show them.

    Its source is "text" when there are words beside the labels, which a search must see too.
    """
    text = text.strip()
    if text[:1] in ("{", "["):
        alert = _from_json(text)
        if alert is not None:
            return alert
    return _from_words(text[:_MAX_READ_CHARS])


def _from_json(text: str) -> Alert | None:
    try:
        alerts = read_payload(parse_json(text.encode("utf-8", "replace"))).alerts
    except InvalidInput:
        return None
    return leading_alert(alerts) if alerts else None


def _from_words(text: str) -> Alert | None:
    title = _TITLE.search(text)
    given = list(_pairs(text))
    name = next((value for label, value in given if label == "alertname"), title["name"] if title else "")
    labels: dict[str, str] = {}
    for label, value in given:
        if (name or label in _KNOWN) and len(labels) < _MAX_LABELS:
            labels.setdefault(label, value)
    told = _KNOWN.intersection(labels) - {"severity"}
    if not name and len(told) < 2:
        return None
    severity = parse_severity(labels.get("severity", ""))
    source = "labels" if name and not _WORD.search(_PAIR.sub(" ", text)) else "text"
    return Alert(name=name, labels=labels, severity=severity, service=labels.get("service", ""), source=source)


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Label names and values in the order of the text; annotations are no labels."""
    found = {m.start("name"): (m["name"], m["double"] or m["single"] or m["bare"] or "") for m in _PAIR.finditer(text)}
    found |= {m.start("name"): (m["name"], m["value"]) for m in _LISTED.finditer(text)}
    found |= {m.start("name"): (m["name"], m["value"]) for m in _LINE.finditer(text) if m["name"].lower() in _KNOWN}
    for _, (name, value) in sorted(found.items()):
        value = value.strip()
        if value and len(value) <= _MAX_VALUE_CHARS and name.lower() not in _ANNOTATIONS:
            yield (name.lower() if name.lower() in _KNOWN else name), value
