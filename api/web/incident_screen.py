"""The screens of the incident pages, put together from what `api.learning.service` tells. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from api.learning.acts import IncidentView
from api.web.amounts import length, moment
from api.web.incident_view import (
    IncidentLine,
    IncidentScreen,
    PatternLink,
    action_lines,
    diagnosis_lines,
    duty_lines,
    incident_line,
    timeline,
    web_links,
)
from api.web.marks import ago
from api.web.recommend_view import SimilarLine, recommendation_screen, similar_lines
from api.web.urls import Urls
from kb.incident import IncidentStatus
from kb.incident_records import IncidentPage, IncidentQuery
from kb.severity import WORST_FIRST
from kb.severity_policy import SeverityPolicy

_SUCCESS = {True: "It worked", False: "It did not work", None: ""}


@dataclass(frozen=True, slots=True)
class IncidentListScreen:
    """The list. `before` and `after` lead to the pages around it; empty where there is none."""

    lines: tuple[IncidentLine, ...]
    total: int
    first: int
    text: str
    status: str
    severity: str
    since: str
    sort: str
    service: str
    is_mine: bool
    pattern: PatternLink | None
    pattern_id: str
    severities: tuple[str, ...]
    is_filtered: bool
    before: str
    after: str


def list_screen(
    page: IncidentPage,
    names: Mapping[str, str],
    given: Mapping[str, str],
    asked: IncidentQuery,
    *,
    urls: Urls,
    now: datetime,
) -> IncidentListScreen:
    """The list of incidents that `asked` for; `given` is the form as it stands in the address."""

    def at(position: int) -> str:
        return urls.incidents(**{**given, "from": str(position) if position else ""})

    pattern_id = asked.pattern_id
    return IncidentListScreen(
        lines=tuple(incident_line(stored, names, urls=urls, now=now) for stored in page.incidents),
        total=page.total,
        first=asked.offset,
        text=asked.text,
        status=given.get("status", ""),
        severity=given.get("severity", ""),
        since=given.get("since", ""),
        sort=given.get("sort", ""),
        service=asked.service,
        is_mine=bool(asked.assignee),
        pattern=PatternLink(names.get(pattern_id, pattern_id), urls.pattern(pattern_id)) if pattern_id else None,
        pattern_id=pattern_id,
        severities=tuple(severity.value for severity in WORST_FIRST),
        is_filtered=any(given.get(name) for name in ("q", "status", "severity", "since", "service", "mine", "pattern")),
        before=at(max(0, asked.offset - asked.limit)) if asked.offset else "",
        after=at(asked.offset + asked.limit) if asked.offset + asked.limit < page.total else "",
    )


def incident_screen(
    view: IncidentView, *, by: str, policy: SeverityPolicy, urls: Urls, now: datetime
) -> IncidentScreen:
    """One incident; `by` is the name of whoever looks at it."""
    stored, incident = view.stored, view.stored.incident
    resolution = incident.resolution
    followed, references = web_links(incident.links)
    is_over = incident.status is IncidentStatus.RESOLVED
    is_learnt = stored.pattern_id is not None
    return IncidentScreen(
        id=incident.id,
        title=incident.title or incident.id,
        status=incident.status.value,
        severity=incident.severity.value if incident.severity else "",
        service=incident.service,
        type=incident.type,
        is_over=is_over,
        is_open=incident.status is IncidentStatus.OPEN,
        is_learnt=is_learnt,
        was_taken_out=stored.arrival_pattern_id is not None and not is_learnt,
        version=stored.version,
        assignee=stored.assignee,
        is_mine=stored.assignee == by,
        opened_by=stored.opened_by,
        reported_by=incident.reported_by,
        source=" ".join(part for part in (incident.source, incident.source_id) if part),
        started=ago(incident.started_at, now),
        started_at=moment(incident.started_at),
        lasted=length(incident.lasted_s if is_over else (now - incident.started_at).total_seconds()),
        description=incident.description,
        alerts=incident.alerts,
        labels=tuple((name, value) for name, value in incident.labels.items() if value not in incident.alerts),
        symptoms=incident.symptoms,
        trigger=incident.trigger,
        impact=incident.impact,
        diagnosis=diagnosis_lines(incident),
        actions=action_lines(incident),
        resolved_by=resolution.resolved_by if resolution else "",
        confirmed=resolution.confirmed if resolution else "",
        success=_SUCCESS[resolution.success if resolution else None],
        side_effects=resolution.side_effects if resolution else (),
        lessons=incident.lessons,
        prevention=incident.prevention,
        links=followed,
        references=references,
        timeline=timeline(stored, view.notes, _duty_texts(policy)),
        duties=duty_lines(view.duties, now),
        phase=view.phase.name if view.phase else "",
        called=tuple(dict.fromkeys(step.to for step in view.called)),
        level=f"{view.level.code}: {view.level.definition}" if view.level else "",
        pattern=PatternLink(view.pattern.name, urls.pattern(view.pattern.id)) if view.pattern else None,
        pattern_size=view.pattern.frequency if view.pattern else 0,
        recommendation=recommendation_screen(view.recommendation, urls) if view.recommendation else None,
        similar=_similar(view, urls),
        degraded=view.degraded,
    )


def _similar(view: IncidentView, urls: Urls) -> tuple[SimilarLine, ...]:
    """Others of its kind; where there is a recommendation, it names them."""
    return () if view.recommendation else similar_lines(view.similar, urls)


def _duty_texts(policy: SeverityPolicy) -> dict[str, str]:
    """What each duty is called, by its id."""
    called = {
        f"escalate-{number}": f"Call the {step.to}"
        for level in policy.levels.values()
        for number, step in enumerate(level.escalation, start=1)
    }
    return {**called, **{duty.id: duty.text for duty in policy.duties}}
