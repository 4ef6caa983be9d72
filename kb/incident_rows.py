"""Incidents as rows of the database: which column holds what, and how a list is filtered and ordered."""

import json
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, Text, select, type_coerce

from kb.errors import InvalidInput
from kb.incident import Incident, IncidentStatus
from kb.incident_json import body_of, fields_of
from kb.incident_records import MAX_PAGE, IncidentQuery, IncidentSort, StoredIncident
from kb.record_tables import assignments, incidents
from kb.severity import WORST_FIRST, Severity

MAX_SEARCH_CHARS = 4000
MAX_TERM_CHARS = 200

_SORT_COLUMNS: dict[IncidentSort, ColumnElement[Any]] = {
    IncidentSort.STARTED: incidents.c.started_at,
    IncidentSort.RECORDED: incidents.c.recorded_at,
    IncidentSort.UPDATED: incidents.c.updated_at,
    IncidentSort.RESOLVED: incidents.c.resolved_at,
    IncidentSort.DURATION: incidents.c.lasted_s,
    IncidentSort.SEVERITY: incidents.c.severity_rank,
}


def row_of(stored: StoredIncident) -> dict[str, object]:
    """The columns of an incident, besides the two digests of its identity."""
    incident = stored.incident
    return {
        "id": incident.id,
        "source": incident.source,
        "source_id": incident.source_id,
        "title": incident.title,
        "status": incident.status.value,
        "severity": incident.severity.value if incident.severity else None,
        "severity_rank": severity_rank(incident.severity),
        "service": incident.service,
        "started_at": incident.started_at,
        "acknowledged_at": incident.acknowledged_at,
        "resolved_at": incident.resolved_at,
        "lasted_s": incident.lasted_s,
        "recorded_at": incident.recorded_at,
        "updated_at": stored.updated_at,
        "reported_by": incident.reported_by,
        "opened_by": stored.opened_by,
        "assignee": stored.assignee,
        "version": stored.version,
        "alerts": folded_alerts(incident),
        "search_text": search_text(incident),
        "body": body_of(incident),
    }


def stored_of(row: RowMapping) -> StoredIncident:
    """The incident of a row of `select_incidents`."""
    incident = Incident(
        id=row["id"],
        title=row["title"],
        started_at=row["started_at"],
        recorded_at=row["recorded_at"],
        reported_by=row["reported_by"],
        status=IncidentStatus(row["status"]),
        severity=Severity(row["severity"]) if row["severity"] else None,
        service=row["service"],
        acknowledged_at=row["acknowledged_at"],
        resolved_at=row["resolved_at"],
        source=row["source"],
        source_id=row["source_id"],
        **fields_of(row["body"]),
    )
    return StoredIncident(
        incident=incident,
        opened_by=row["opened_by"],
        assignee=row["assignee"],
        version=row["version"],
        updated_at=row["updated_at"],
        arrival_pattern_id=row["arrival_pattern_id"],
        pattern_id=row["pattern_id"],
    )


def select_incidents() -> Select[Any]:
    """All incidents with their patterns and, as `learnt_seq`, their place in the order of learning."""
    return select(
        incidents, assignments.c.seq.label("learnt_seq"), assignments.c.arrival_pattern_id, assignments.c.pattern_id
    ).select_from(incidents.outerjoin(assignments, assignments.c.incident_id == incidents.c.id))


def filtered(statement: Select[Any], query: IncidentQuery) -> Select[Any]:
    """`statement`, over what `select_incidents` joins, with the conditions of `query`."""
    conditions: list[ColumnElement[bool]] = []
    if query.statuses:
        conditions.append(incidents.c.status.in_(sorted(status.value for status in query.statuses)))
    if query.severities:
        conditions.append(incidents.c.severity.in_(sorted(severity.value for severity in query.severities)))
    for name in ("service", "source", "assignee", "reported_by"):
        if value := getattr(query, name):
            conditions.append(incidents.c[name] == value)
    if query.pattern_id:
        conditions.append(assignments.c.pattern_id == query.pattern_id)
    if query.alert:
        wanted = json.dumps(query.alert.casefold()[:MAX_TERM_CHARS])
        conditions.append(type_coerce(incidents.c.alerts, Text).contains(wanted, autoescape=True))
    if query.text:
        wanted = query.text.casefold()[:MAX_TERM_CHARS]
        conditions.append(type_coerce(incidents.c.search_text, Text).contains(wanted, autoescape=True))
    if query.started_from:
        conditions.append(incidents.c.started_at >= query.started_from)
    if query.started_before:
        conditions.append(incidents.c.started_at < query.started_before)
    return statement.where(*conditions)


def ordered(statement: Select[Any], query: IncidentQuery) -> Select[Any]:
    """`statement` in the order of `query`."""
    column = _SORT_COLUMNS[query.sort]
    falling = query.descending != (query.sort is IncidentSort.SEVERITY)  # the worst severity has the lowest rank
    return statement.order_by((column.desc() if falling else column.asc()).nulls_last(), incidents.c.id)


def check_page(query: IncidentQuery) -> None:
    """Raise `InvalidInput` for a page that no list has."""
    if not 0 <= query.limit <= MAX_PAGE:
        raise InvalidInput("limit", "is out of range", advice=f"Use 0 to {MAX_PAGE}.")
    if not 0 <= query.offset <= 10_000_000:
        raise InvalidInput("offset", "is out of range", advice="Use 0 to 10000000.")


def severity_rank(severity: Severity | None) -> int | None:
    """0 for the worst."""
    return None if severity is None else WORST_FIRST.index(severity)


def folded_alerts(incident: Incident) -> list[str]:
    """The alert names as filters compare them, whatever the case; no longer than a filter's term."""
    return [name.casefold()[:MAX_TERM_CHARS] for name in incident.alerts]


def search_text(incident: Incident) -> str:
    """Where a list looks for the words of its reader."""
    parts = (incident.title, incident.service, incident.source_id, *incident.alerts)
    return "\n".join(part for part in parts if part)[:MAX_SEARCH_CHARS].casefold()
