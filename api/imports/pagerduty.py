"""PagerDuty's incidents: the CSV of its incident report and of Insights, and the JSON of its REST API (pure)."""

import re
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from api.imports.export_format import ExportFormat, Row
from api.imports.times import parse_time
from api.imports.values import text_of
from kb.durations import parse_duration

_NUMBER_BEFORE = re.compile(r"^\[#\d{1,12}\]\s*")


def _refine(row: Row, fields: dict[str, object]) -> None:
    details = row.value("body.details")
    if "description" not in fields and isinstance(details, Mapping):
        lines = (f"{name}: {text}" for name, value in details.items() if (text := text_of(value)))
        fields["description"] = "\n".join(lines)
    fields["title"] = _NUMBER_BEFORE.sub("", text_of(fields.get("title")))
    started = text_of(fields.get("started"))
    for field, column in (("acknowledged", "seconds_to_first_ack"), ("resolved", "seconds_to_resolve")):
        seconds = row.text(column)
        if seconds and started and field not in fields:
            begin = parse_time(started, field="started_at")
            fields[field] = begin + timedelta(seconds=parse_duration(seconds, field=column))
    if row.text("status") == "resolved":
        fields.setdefault("resolved", row.first("last_status_change_at"))
        fields.setdefault("resolved_by", row.first("last_status_change_by"))


PAGERDUTY = ExportFormat(
    name="pagerduty",
    title="PagerDuty",
    tells=(
        frozenset({"incident number", "service name"}),
        frozenset({"incident number", "service", "urgency"}),
        frozenset({"incident key", "urgency"}),
    ),
    columns=MappingProxyType(
        {
            "id": ("id", "incident_number"),
            "title": ("title", "description", "summary"),
            "description": ("body.details", "body", "first_trigger_log_entry.channel.details", "details"),
            "type": ("incident_type.name", "incident_type_name"),
            "status": ("status",),
            "severity": ("priority.summary", "priority_name", "priority", "urgency"),
            "service": ("service.summary", "service_name", "service"),
            "started": ("created_at", "created_on"),
            "resolved": ("resolved_at", "resolved_on"),
            "diagnosis": ("notes",),
            "resolution": ("resolution", "resolution_note"),
            "resolved_by": ("resolved_by_user_name",),
            "links": ("html_url",),
            "fingerprint": ("incident_key",),
        }
    ),
    refine=_refine,
    also_read=("seconds_to_first_ack", "seconds_to_resolve", "last_status_change_at", "last_status_change_by"),
)
