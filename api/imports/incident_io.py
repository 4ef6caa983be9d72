"""incident.io's incidents: the JSON of its API, and a CSV with the same columns (pure)."""

from collections.abc import Mapping
from types import MappingProxyType

from api.imports.export_format import ExportFormat, Row
from api.imports.values import text_of, texts_of


def _unfold(row: Row) -> Row:
    """Timestamps, custom fields and roles are lists of pairs; each pair becomes a column of its own name."""
    columns: dict[str, object] = {}
    for pair in _objects(row.value("incident_timestamp_values")):
        columns[text_of(Row(pair).value("incident_timestamp.name"))] = Row(pair).value("value.value")
    for pair in _objects(row.value("custom_field_entries")):
        values = [_value_of(value) for value in _objects(pair.get("values"))]
        columns[text_of(Row(pair).value("custom_field.name"))] = ", ".join(value for value in values if value)
    for pair in _objects(row.value("incident_role_assignments")):
        columns[text_of(Row(pair).value("role.name"))] = Row(pair).value("assignee.name")
    return row.with_columns({name: value for name, value in columns.items() if name and value})


def _refine(row: Row, fields: dict[str, object]) -> None:
    mode = row.text("mode")
    if mode in ("test", "tutorial"):
        fields["status"] = mode
    fields["links"] = [link for name in ("permalink", "postmortem_document_url") for link in texts_of(row.value(name))]


def _objects(value: object) -> list[Mapping[str, object]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _value_of(value: Mapping[str, object]) -> str:
    return Row(value).text(
        "value_catalog_entry.name", "value_option.value", "value_text", "value_numeric", "value_link"
    )


INCIDENT_IO = ExportFormat(
    name="incident.io",
    title="incident.io",
    tells=(
        frozenset({"reference", "incident status"}),
        frozenset({"reference", "name", "severity"}),
        frozenset({"incident timestamp values"}),
    ),
    columns=MappingProxyType(
        {
            "id": ("reference", "id"),
            "title": ("name",),
            "description": ("summary",),
            "type": ("incident_type.name", "incident type", "type"),
            "status": ("incident_status.category", "status category", "incident_status", "status"),
            "severity": ("severity.name", "severity"),
            "service": ("Affected services", "Affected service", "Services", "Service", "Component"),
            "symptoms": ("Symptoms",),
            "trigger": ("Root cause", "Cause", "Trigger"),
            "impact": ("Customer impact", "Impact"),
            "started": ("Impact started at", "Impact started", "Reported at", "created_at"),
            "acknowledged": ("Accepted at", "Declared at", "Acknowledged at"),
            "resolved": ("Resolved at", "Fixed at", "Closed at"),
            "resolution": ("Resolution", "Mitigation", "Fix"),
            "resolved_by": ("Incident Lead",),
            "lessons": ("Lessons learned", "Learnings"),
            "prevention": ("Prevention",),
        }
    ),
    unfold=_unfold,
    refine=_refine,
    also_read=(
        "mode",
        "permalink",
        "postmortem_document_url",
        "incident_timestamp_values",
        "custom_field_entries",
        "incident_role_assignments",
    ),
)
