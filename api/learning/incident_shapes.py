"""Incidents and what came of them -> bodies of `api.learning.incident_schemas` (pure)."""

from typing import Any

from api.learning import incident_schemas as schemas
from api.learning.acts import IncidentView, LearnAnswer
from api.learning.pattern_shapes import escalation, pattern_summary, recommendation_out, similar_out
from api.shapes import plain, time_text
from api.web.urls import Urls
from kb.incident import ActionTaken, DiagnosisStep, Resolution
from kb.incident_records import IncidentNote, IncidentPage, StoredIncident
from kb.review_records import ReviewStatus
from kb.severity_policy import DueDuty, Level


def learn_out(answer: LearnAnswer) -> schemas.LearnOut:
    """What came of an incident that was sent in."""
    learned, runbook = answer.learned, answer.runbook
    return schemas.LearnOut(
        pattern_detected=learned.is_pattern,
        pattern_id=learned.pattern_id,
        confidence=round(answer.confidence, 4),
        new_runbook_created=runbook is not None and runbook.status is ReviewStatus.OPEN,
        runbook_id=runbook.draft.document_id if runbook else None,
        recommendations=[plain(text) for text in answer.advice],
        incident_id=learned.stored.incident.id,
        is_new=learned.is_new,
        has_changed=learned.has_changed,
        pattern_name=plain(answer.pattern.name) if answer.pattern else "",
        pattern_size=learned.pattern_size,
        founded=learned.founded,
        why=[plain(text) for text in learned.why],
    )


def etag_of(stored: StoredIncident) -> str:
    """The entity tag of an incident: its version."""
    return f'"{stored.version}"'


def incident_list(page: IncidentPage, *, offset: int, limit: int, urls: Urls) -> schemas.IncidentList:
    """A page of the list."""
    return schemas.IncidentList(
        incidents=[schemas.IncidentSummary(**_summary_fields(stored, urls)) for stored in page.incidents],
        total=page.total,
        offset=offset,
        limit=limit,
    )


def incident_out(view: IncidentView, urls: Urls) -> schemas.IncidentOut:
    """A whole incident."""
    stored, incident = view.stored, view.stored.incident
    return schemas.IncidentOut(
        **_summary_fields(stored, urls),
        type=plain(incident.type),
        description=plain(incident.description),
        labels={plain(name): plain(value) for name, value in incident.labels.items()},
        symptoms=[plain(text) for text in incident.symptoms],
        trigger=plain(incident.trigger),
        impact=plain(incident.impact),
        diagnosis=[_step(step) for step in incident.diagnosis],
        resolution=None if incident.resolution is None else _resolution(incident.resolution),
        lessons=[plain(text) for text in incident.lessons],
        prevention=[plain(text) for text in incident.prevention],
        links=[plain(text) for text in incident.links],
        fingerprint=plain(incident.fingerprint),
        metadata=_plain_json(dict(incident.metadata)),
        recorded_at=time_text(incident.recorded_at) or "",
        opened_by=plain(stored.opened_by),
        etag=etag_of(stored),
        notes=[note_out(note) for note in view.notes],
        level=None if view.level is None else level_out(view.level),
        duties=[_duty(due) for due in view.duties],
        called=[plain(step.to) for step in view.called],
        pattern=None if view.pattern is None else pattern_summary(view.pattern, urls),
        similar=[similar_out(one, urls) for one in view.similar],
        recommendation=None if view.recommendation is None else recommendation_out(view.recommendation, urls),
        degraded=plain(view.degraded),
    )


def note_out(note: IncidentNote) -> schemas.NoteOut:
    """A remark."""
    return schemas.NoteOut(
        author=plain(note.author),
        text=plain(note.text),
        duty=plain(note.duty),
        at=time_text(note.event_time) or "",
    )


def level_out(level: Level) -> schemas.LevelOut:
    """What a severity asks for."""
    return schemas.LevelOut(
        severity=level.severity,
        code=plain(level.code),
        definition=plain(level.definition),
        respond_within_s=level.respond_within_s,
        resolve_within_s=level.resolve_within_s,
        escalation=escalation(level),
    )


def _summary_fields(stored: StoredIncident, urls: Urls) -> dict[str, Any]:
    incident = stored.incident
    return {
        "id": incident.id,
        "title": plain(incident.title),
        "status": incident.status,
        "severity": incident.severity,
        "service": plain(incident.service),
        "alerts": [plain(alert) for alert in incident.alerts],
        "started_at": time_text(incident.started_at) or "",
        "acknowledged_at": time_text(incident.acknowledged_at),
        "resolved_at": time_text(incident.resolved_at),
        "duration_s": incident.lasted_s,
        "assignee": plain(stored.assignee),
        "reported_by": plain(incident.reported_by),
        "source": plain(incident.source),
        "source_id": plain(incident.source_id),
        "pattern_id": stored.pattern_id,
        "arrival_pattern_id": stored.arrival_pattern_id,
        "version": stored.version,
        "updated_at": time_text(stored.updated_at) or "",
        "url": urls.incident(incident.id),
    }


def _step(step: DiagnosisStep) -> schemas.DiagnosisStepOut:
    return schemas.DiagnosisStepOut(text=plain(step.text), command=plain(step.command), found=plain(step.found))


def _resolution(resolution: Resolution) -> schemas.ResolutionOut:
    return schemas.ResolutionOut(
        actions=[_action(action) for action in resolution.actions],
        success=resolution.success,
        resolved_by=plain(resolution.resolved_by),
        confirmed=plain(resolution.confirmed),
        side_effects=[plain(text) for text in resolution.side_effects],
    )


def _action(action: ActionTaken) -> schemas.ActionTakenOut:
    return schemas.ActionTakenOut(
        text=plain(action.text),
        command=plain(action.command),
        outcome=action.outcome,
        side_effects=[plain(text) for text in action.side_effects],
        took_s=action.took_s,
    )


def _duty(due: DueDuty) -> schemas.DutyOut:
    duty = due.duty
    return schemas.DutyOut(
        id=duty.id,
        kind=duty.kind.value,
        text=plain(duty.text),
        to=plain(duty.to),
        due_at=time_text(due.due_at) or "",
        is_overdue=due.is_overdue,
    )


def _plain_json(value: Any) -> Any:
    """A JSON value whose texts any encoder accepts."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {plain(str(name)): _plain_json(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain_json(inner) for inner in value]
    return value
