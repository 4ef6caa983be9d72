"""ServiceNow's incidents: the CSV of a list, with the names of fields or with their labels, and the JSON of the table
API and of the list export (pure)."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from api.imports.export_format import ExportFormat, Row
from api.imports.values import text_of

_NOTE_HEAD = re.compile(
    r"^\d[\d/.: APMapm-]{9,30} - [^\n]{1,200}\((?:Work notes|Additional comments)\)\s*$", re.MULTILINE
)
"""A journal field holds all its notes, each under a line such as `2024-01-15 10:22:03 - Ann Lee (Work notes)`."""

_SOLVED = ("solved", "solution provided", "workaround provided", "resolved by")
_NOT_SOLVED = ("not solved", "no resolution")


def _refine(row: Row, fields: dict[str, object]) -> None:
    code = row.text("close_code", "closed_code", "Resolution code").casefold()
    if code.startswith(_SOLVED):
        fields["success"] = True
    elif code.startswith(_NOT_SOLVED):
        fields["success"] = False
    elif code.startswith("duplicate"):
        fields["status"] = "duplicate"
    for name in ("started", "resolved"):
        told = fields.get(name)
        if isinstance(told, Mapping):  # what is displayed is in somebody's time zone, the value is in UTC
            fields[name] = told.get("value") or told.get("display_value")
    notes = (note.strip() for note in _NOTE_HEAD.split(text_of(fields.get("diagnosis"))))
    fields["diagnosis"] = [note for note in reversed(list(notes)) if note]  # the newest comes first in a journal


SERVICENOW = ExportFormat(
    name="servicenow",
    title="ServiceNow",
    tells=(frozenset({"number", "short description"}),),
    columns=MappingProxyType(
        {
            "id": ("number",),
            "title": ("short_description",),
            "description": ("description",),
            "type": ("category",),
            "status": ("incident_state", "state"),
            "severity": ("priority", "severity", "urgency"),
            "service": ("business_service", "service", "cmdb_ci", "Configuration item"),
            "symptoms": ("u_symptom", "symptom"),
            "trigger": ("u_root_cause", "root_cause", "cause"),
            "impact": ("business_impact",),
            "started": ("opened_at", "opened", "sys_created_on", "created"),
            "resolved": ("resolved_at", "resolved", "closed_at", "closed"),
            "duration": ("calendar_stc",),
            "diagnosis": ("work_notes", "comments_and_work_notes"),
            "resolution": ("close_notes", "resolution_notes"),
            "resolved_by": ("resolved_by", "assigned_to"),
        }
    ),
    refine=_refine,
    also_read=("close_code", "closed_code", "Resolution code"),
)
