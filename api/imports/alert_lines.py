"""A file with one alert a line, as any sender writes it, to alerts. For what was never an incident."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from api.imports.json_entries import read_json_lines
from api.imports.position import MAX_ENTRY_BYTES, Position
from api.imports.values import text_of
from api.strict_json import parse_json
from api.webhooks import alertmanager, grafana, n8n
from api.webhooks.payload import leading_alert, read_payload
from kb.errors import InvalidInput
from kb.incident import Alert


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One line: its number, the id it bears (else the number), and the alert; `problem` says why there is none."""

    number: int
    name: str
    alert: Alert | None
    problem: str = ""


def holds_alerts(file: BinaryIO) -> bool:
    """Whether the first line of a file is an alert, and not an incident. Leaves the file at its beginning."""
    file.seek(0)
    first = file.readline(MAX_ENTRY_BYTES)
    file.seek(0)
    try:
        value = parse_json(first)
    except InvalidInput:
        return False
    if not isinstance(value, dict) or "title" in value or "incident_data" in value:
        return False
    kinds = (alertmanager.looks_like_group, alertmanager.looks_like_alert, grafana.looks_like_rule)
    return any(looks(value) for looks in (*kinds, n8n.looks_like_incident))


def read_alert_lines(file: BinaryIO) -> Iterator[AlertLine]:
    """The alert of each line, of several in one the leading one. Never raises for what a line says."""
    for entry in read_json_lines(file, Position()):
        name = text_of(entry.fields.get("id")) or str(entry.number)
        if entry.problem:
            yield AlertLine(entry.number, name, None, entry.problem)
            continue
        payload = {key: value for key, value in entry.fields.items() if key != "id"}
        try:
            subject = read_payload(payload)
        except InvalidInput as exc:
            yield AlertLine(entry.number, name, None, exc.reason)
            continue
        alert = leading_alert(subject.alerts) if subject.alerts else Alert(annotations={"summary": subject.text})
        yield AlertLine(entry.number, name, alert)
