"""Incidents as their pages show them: the list, and one incident with its timeline. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from api.web.amounts import in_or_since, length, moment
from api.web.marks import ago
from api.web.recommend_view import RecommendationScreen, SimilarLine
from api.web.urls import Urls
from kb.incident import ActionOutcome, Incident, IncidentStatus
from kb.incident_records import IncidentNote, StoredIncident
from kb.severity_policy import DueDuty, DutyKind

OUTCOME_TONES: Mapping[ActionOutcome, str] = {
    ActionOutcome.HELPED: "good",
    ActionOutcome.DID_NOT_HELP: "plain",
    ActionOutcome.MADE_WORSE: "bad",
    ActionOutcome.UNKNOWN: "plain",
}
OUTCOME_WORDS: Mapping[ActionOutcome, str] = {
    ActionOutcome.HELPED: "Helped",
    ActionOutcome.DID_NOT_HELP: "Did not help",
    ActionOutcome.MADE_WORSE: "Made it worse",
    ActionOutcome.UNKNOWN: "",
}
_MAX_ALERTS = 3


@dataclass(frozen=True, slots=True)
class PatternLink:
    """A pattern by its name."""

    name: str
    href: str


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """One line of a list of incidents. `lasted` says how long it lasted or has been going on."""

    id: str
    href: str
    title: str
    status: str
    severity: str
    service: str
    started: str
    started_at: str
    lasted: str
    is_over: bool
    assignee: str
    alerts: tuple[str, ...]
    pattern: PatternLink | None


@dataclass(frozen=True, slots=True)
class Moment:
    """One entry of the timeline, when, who and what; `kind` names its look."""

    at: str
    after: str
    kind: str
    text: str
    who: str


@dataclass(frozen=True, slots=True)
class DutyLine:
    """Something to do next. `id` names it when somebody says that it is done."""

    id: str
    text: str
    to: str
    due: str
    due_at: str
    is_overdue: bool
    can_be_ticked: bool


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step of the diagnosis or of the resolution."""

    text: str
    command: str
    found: str
    outcome: str
    tone: str
    took: str
    side_effects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IncidentScreen:
    """Everything the page of one incident says. `links` are those that lead to the web; others are `references`."""

    id: str
    title: str
    status: str
    severity: str
    service: str
    type: str
    is_over: bool
    is_open: bool
    is_learnt: bool
    was_taken_out: bool
    version: int
    assignee: str
    is_mine: bool
    opened_by: str
    reported_by: str
    source: str
    started: str
    started_at: str
    lasted: str
    description: str
    alerts: tuple[str, ...]
    labels: tuple[tuple[str, str], ...]
    symptoms: tuple[str, ...]
    trigger: str
    impact: str
    diagnosis: tuple[StepLine, ...]
    actions: tuple[StepLine, ...]
    resolved_by: str
    confirmed: str
    success: str
    side_effects: tuple[str, ...]
    lessons: tuple[str, ...]
    prevention: tuple[str, ...]
    links: tuple[str, ...]
    references: tuple[str, ...]
    timeline: tuple[Moment, ...]
    duties: tuple[DutyLine, ...]
    phase: str
    called: tuple[str, ...]
    level: str
    pattern: PatternLink | None
    pattern_size: int
    recommendation: RecommendationScreen | None
    similar: tuple[SimilarLine, ...]
    degraded: str


def incident_line(stored: StoredIncident, names: Mapping[str, str], *, urls: Urls, now: datetime) -> IncidentLine:
    """One incident of a list; `names` holds the patterns' names by id."""
    incident = stored.incident
    is_over = incident.status is IncidentStatus.RESOLVED
    return IncidentLine(
        id=incident.id,
        href=urls.incident(incident.id),
        title=incident.title or incident.id,
        status=incident.status.value,
        severity=incident.severity.value if incident.severity else "",
        service=incident.service,
        started=ago(incident.started_at, now),
        started_at=moment(incident.started_at),
        lasted=length(incident.lasted_s if is_over else (now - incident.started_at).total_seconds()),
        is_over=is_over,
        assignee=stored.assignee,
        alerts=incident.alerts[:_MAX_ALERTS],
        pattern=pattern_link(stored.pattern_id, names, urls),
    )


def pattern_link(pattern_id: str | None, names: Mapping[str, str], urls: Urls) -> PatternLink | None:
    """A link to a pattern that has a name; None for a group that is no pattern yet."""
    if pattern_id is None or not names.get(pattern_id):
        return None
    return PatternLink(names[pattern_id], urls.pattern(pattern_id))


def diagnosis_lines(incident: Incident) -> tuple[StepLine, ...]:
    """What was looked at."""
    return tuple(StepLine(step.text, step.command, step.found, "", "plain", "", ()) for step in incident.diagnosis)


def action_lines(incident: Incident) -> tuple[StepLine, ...]:
    """What was done, with what it did for the incident."""
    actions = incident.resolution.actions if incident.resolution else ()
    return tuple(
        StepLine(
            text=action.text,
            command=action.command,
            found="",
            outcome=OUTCOME_WORDS[action.outcome],
            tone=OUTCOME_TONES[action.outcome],
            took=length(action.took_s),
            side_effects=action.side_effects,
        )
        for action in actions
    )


def timeline(
    stored: StoredIncident, notes: Sequence[IncidentNote], duty_texts: Mapping[str, str]
) -> tuple[Moment, ...]:
    """What happened when, oldest first. `duty_texts` tells by duty id what was done with it."""
    told = sorted(_moments(stored, notes, duty_texts), key=lambda one: one[0])
    start = stored.incident.started_at
    return tuple(
        Moment(moment(at), f"+{length((at - start).total_seconds())}" if at > start else "", kind, text, who)
        for at, kind, text, who in told
    )


def _moments(
    stored: StoredIncident, notes: Sequence[IncidentNote], duty_texts: Mapping[str, str]
) -> Iterator[tuple[datetime, str, str, str]]:
    incident = stored.incident
    yield incident.started_at, "began", "It began", ""
    ended_at = _ended_at(incident)
    if incident.recorded_at > incident.started_at and ended_at is None:
        yield incident.recorded_at, "note", "It was recorded here", stored.opened_by
    if incident.acknowledged_at:
        yield incident.acknowledged_at, "seen", "Somebody answered", ""
    for note in notes:
        if note.duty:
            done = duty_texts.get(note.duty, note.duty)
            yield note.event_time, "duty", f"Done: {done}" + (f". {note.text}" if note.text else ""), note.author
        else:
            yield note.event_time, "note", note.text, note.author
    if ended_at is not None:
        who = incident.resolution.resolved_by if incident.resolution else ""
        yield ended_at, "end", "It was resolved", who


def _ended_at(incident: Incident) -> datetime | None:
    if incident.status is not IncidentStatus.RESOLVED or incident.resolved_at is not None:
        return incident.resolved_at
    return None if incident.duration_s is None else incident.started_at + timedelta(seconds=incident.duration_s)


def duty_lines(duties: Iterable[DueDuty], now: datetime) -> tuple[DutyLine, ...]:
    """What is due next. Answering and resolving are told by the incident's own buttons, not ticked off."""
    return tuple(
        DutyLine(
            id=due.duty.id,
            text=due.duty.text,
            to="" if due.duty.to in due.duty.text else due.duty.to,
            due=in_or_since(due.due_at, now),
            due_at=moment(due.due_at),
            is_overdue=due.is_overdue,
            can_be_ticked=due.duty.kind not in (DutyKind.RESPOND, DutyKind.RESOLVE),
        )
        for due in duties
    )


def web_links(links: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Links that may be followed, and the rest: an incident's text never becomes an address of another kind."""
    given = tuple(links)
    followed = tuple(link for link in given if _is_web(link))
    return followed, tuple(link for link in given if link not in followed)


def _is_web(link: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and link.isprintable() and " " not in link
