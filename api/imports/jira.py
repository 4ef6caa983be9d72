"""Incidents of Jira Service Management: the CSV of an issue search, the CSV of the data pipeline, and the JSON of the
REST API (pure)."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from api.imports.export_format import ExportFormat, Row
from api.imports.values import text_of

_COMMENT_HEAD = re.compile(r"^[^;\n]{4,40};[^;\n]{1,200};")
"""Jira's CSV writes a comment as `15/Jan/24 3:26 PM;author;text`."""

_NO_INCIDENT = frozenset({"duplicate", "declined", "cancelled", "canceled"})
_SOLVED = frozenset({"fixed", "done", "resolved", "completed"})
_MAX_DEPTH = 20


def _refine(row: Row, fields: dict[str, object]) -> None:
    fields["title"] = text_of(fields.get("title"))
    fields["description"] = document_text(fields.get("description"))
    fields["diagnosis"] = _comments(fields.get("diagnosis") or row.value("fields.comment.comments"))
    how = row.text("fields.resolution.name", "resolution").casefold()
    if how in _NO_INCIDENT:
        fields["status"] = how
    elif how in _SOLVED:
        fields["success"] = True


def document_text(value: object) -> str:
    """The text of a field that may be a document of nested nodes, as Jira Cloud's API gives it; blocks on own lines."""
    if not (isinstance(value, Mapping) and value.get("type") == "doc"):
        return text_of(value)
    lines: list[str] = []

    def walk(node: object, depth: int) -> None:
        if not isinstance(node, Mapping) or depth > _MAX_DEPTH:
            return
        if node.get("type") == "text":
            lines[-1:] = [(lines[-1] if lines else "") + str(node.get("text") or "")]
            return
        if node.get("type") in ("hardBreak", "paragraph", "heading", "codeBlock", "listItem", "tableRow"):
            lines.append("")
        content = node.get("content")
        for inner in content if isinstance(content, list) else []:
            walk(inner, depth + 1)

    walk(value, 0)
    return "\n".join(line.strip() for line in lines if line.strip())


def _comments(value: object) -> list[str]:
    items = value if isinstance(value, list) else [] if value is None else [value]
    texts = []
    for item in items:
        body = item.get("body") if isinstance(item, Mapping) else item
        texts.append(_COMMENT_HEAD.sub("", document_text(body), count=1))
    return [text for text in texts if text.strip()]


JIRA = ExportFormat(
    name="jira",
    title="Jira Service Management",
    tells=(
        frozenset({"issue key", "summary"}),
        frozenset({"key", "fields"}),
        frozenset({"key", "issue type", "summary"}),
    ),
    columns=MappingProxyType(
        {
            "id": ("Issue key", "key"),
            "title": ("Summary", "fields.summary"),
            "description": ("Description", "fields.description"),
            "type": ("Issue Type", "fields.issuetype.name"),
            "status": ("Status Category", "fields.status.statusCategory.name", "Status", "fields.status.name"),
            "severity": ("Custom field (Severity)", "Severity", "Priority", "priority_name", "fields.priority.name"),
            "service": (
                "Custom field (Affected services)",
                "Affected services",
                "Components",
                "Component/s",
                "fields.components",
            ),
            "symptoms": ("Custom field (Symptoms)",),
            "trigger": ("Custom field (Root cause)", "Root cause"),
            "impact": ("Custom field (Impact)",),
            "started": ("Custom field (Incident start)", "Created", "created_date", "fields.created"),
            "resolved": ("Custom field (Incident end)", "Resolved", "resolution_date", "fields.resolutiondate"),
            "diagnosis": ("Comment", "Comments"),
            "resolution": ("Custom field (Resolution steps)", "Custom field (Workaround)", "Workaround"),
            "resolved_by": ("Assignee", "assignee_name", "fields.assignee.displayName"),
            "lessons": ("Custom field (Lessons learned)",),
            "prevention": ("Custom field (Prevention)",),
            "links": ("url",),
        }
    ),
    refine=_refine,
    also_read=("Resolution", "fields.resolution.name", "fields.comment.comments"),
)
