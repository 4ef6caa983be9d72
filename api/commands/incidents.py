"""sre-kb incidents, incident: what happened, and one incident with what is known around it."""

from api.commands.console import out, print_json, remark, shown
from api.commands.options import severity_of
from api.commands.printing import ago, percent, print_actions, span
from api.learning.acts import IncidentView
from api.learning.incident_shapes import incident_list, incident_out
from api.settings import Settings, load_settings
from api.web.urls import Urls
from api.wiring import open_knowledge_base, utc_now
from kb.errors import InvalidInput
from kb.incident import IncidentStatus
from kb.incident_records import IncidentQuery


def run(
    *,
    as_json: bool,
    incident_id: str = "",
    text: str = "",
    status: str = "",
    severity: str = "",
    service: str = "",
    pattern: str = "",
    limit: int = 20,
) -> int:
    """Print one incident, or a line for each that passes the filters."""
    settings = load_settings()
    if incident_id:
        return _show(settings, incident_id, as_json)
    worst = severity_of(severity)
    query = IncidentQuery(
        statuses=frozenset({_status(status)} if status else ()),
        severities=frozenset({worst} if worst else ()),
        service=service,
        pattern_id=pattern,
        text=text,
        limit=limit,
    )
    with open_knowledge_base(settings) as base:
        page = base.services.learning.incidents(query)
    if as_json:
        print_json(incident_list(page, offset=0, limit=limit, urls=Urls(settings.base_path)))
        return 0
    for stored in page.incidents:
        incident = stored.incident
        facts = [incident.status.value, incident.severity.value if incident.severity else "", incident.service]
        began = f"{incident.started_at:%Y-%m-%d %H:%M}"
        out(f"{incident.id}  {began}  {shown(incident.title)}  ({shown(', '.join(fact for fact in facts if fact))})")
    remark(f"{len(page.incidents)} of {page.total} incidents.")
    return 0


def _show(settings: Settings, incident_id: str, as_json: bool) -> int:
    with open_knowledge_base(settings) as base:
        view = base.services.learning.incident(incident_id)
    if as_json:
        print_json(incident_out(view, Urls(settings.base_path)))
    else:
        _print(view)
    return 0


def _print(view: IncidentView) -> None:
    incident, now = view.stored.incident, utc_now()
    out(shown(incident.title))
    facts = [incident.status.value, incident.severity.value if incident.severity else "", incident.service]
    facts += [
        f"began {ago(incident.started_at, now)}",
        f"lasted {span(incident.lasted_s)}" if incident.lasted_s else "",
    ]
    out(f"   {shown('  |  '.join(fact for fact in facts if fact))}")
    for step in incident.diagnosis:
        out(f"   looked at: {shown(step.text)}")
    for action in incident.resolution.actions if incident.resolution else ():
        out(f"   did: {shown(action.text)} ({action.outcome.value})")
    for duty in view.duties:
        late = "OVERDUE" if duty.is_overdue else "due"
        out(f"   {late} {duty.due_at:%Y-%m-%d %H:%M}: {shown(duty.duty.text)} -> {shown(duty.duty.to)}")
    if view.pattern is not None:
        worked = percent(view.pattern.success)
        out(
            f"   pattern: {shown(view.pattern.name)} ({view.pattern.id}), seen {view.pattern.frequency} times, {worked}"
        )
    if view.recommendation is not None and view.recommendation.confident:
        print_actions(view.recommendation.actions, view.recommendation.cautions)
    for similar in view.similar:
        out(f"   like it: {similar.incident_id}  {shown(similar.title)}")
    for note in view.notes:
        out(f"   {note.event_time:%Y-%m-%d %H:%M} {shown(note.author)}: {shown(note.text or note.duty)}")


def _status(text: str) -> IncidentStatus:
    try:
        return IncidentStatus(text.lower())
    except ValueError:
        raise InvalidInput("--status", "is none", advice="Use open, acknowledged or resolved.") from None
