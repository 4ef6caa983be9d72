"""Incidents: list, read, change, remark on, take out of what was learnt."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from api.asking import IfVersionDep, JsonBodyDep, LearningDep, PrincipalDep, UrlsDep, checked, json_answer
from api.imports.change_body import change_of_body
from api.imports.incident_fields import Telling
from api.imports.times import parse_time
from api.learning.acts import IncidentView
from api.learning.incident_schemas import IncidentList, IncidentOut, IncidentPatchBody, NoteBody, NoteOut
from api.learning.incident_shapes import etag_of, incident_list, incident_out, note_out
from api.openapi import body_of
from api.problems import ProblemDocument
from api.routes.search import severity_filter
from api.schemas import Incoming
from api.web.urls import Urls
from kb.errors import InvalidInput
from kb.incident import IncidentStatus
from kb.incident_records import IncidentQuery, IncidentSort
from kb.severity import Severity

router = APIRouter(prefix="/incidents", tags=["incidents"])

IncidentId = Annotated[str, Path(min_length=1, max_length=200, description="The incident's id.")]
_SORTS = Literal[
    "started_at",
    "-started_at",
    "recorded_at",
    "-recorded_at",
    "updated_at",
    "-updated_at",
    "resolved_at",
    "-resolved_at",
    "duration",
    "-duration",
    "severity",
    "-severity",
]


class IncidentsQuery(Incoming):
    """The parameters of GET /incidents."""

    status: str = Field(
        "", max_length=100, description="Only these, separated by commas: open, acknowledged, resolved."
    )
    severity: str = Field("", max_length=200, description="Only these, separated by commas, in any vocabulary.")
    service: str = Field("", max_length=200, description="Only of this service.")
    source: str = Field("", max_length=200, description="Only from this source.")
    pattern: str = Field("", max_length=200, description="Only of the pattern with this id.")
    alert: str = Field("", max_length=300, description="Only with this alert.")
    assignee: str = Field("", max_length=200, description="Only those this person has.")
    reported_by: str = Field("", max_length=200, description="Only those this principal told of.")
    text: str = Field("", max_length=200, description="Only whose title, service, id or alerts contain this.")
    since: str = Field("", max_length=60, description="Only those that began at or after this time (ISO 8601).")
    until: str = Field("", max_length=60, description="Only those that began before this time.")
    sort: _SORTS = Field("-started_at", description="The order; `-` turns it round. `severity` puts the worst first.")
    offset: int = Field(0, ge=0, le=1_000_000, description="How many to pass over.")
    limit: int = Field(50, ge=1, le=500, description="How many to list.")


@router.get("", summary="List incidents", responses={200: {"model": IncidentList}})
def list_incidents(query: Annotated[IncidentsQuery, Query()], learning: LearningDep, urls: UrlsDep) -> Response:
    """Those that pass the filters, a page at a time, the latest first."""
    page = learning.incidents(_query(query))
    return json_answer(incident_list(page, offset=query.offset, limit=query.limit, urls=urls))


@router.get("/{incident_id}", summary="Read an incident", responses={200: {"model": IncidentOut}})
def read_incident(incident_id: IncidentId, learning: LearningDep, urls: UrlsDep) -> Response:
    """The incident with what is due by the severity policy, its pattern, others of its kind, and what helped there."""
    return _answer(learning.incident(incident_id), urls)


@router.patch(
    "/{incident_id}",
    summary="Change or resolve an incident",
    responses={
        200: {"model": IncidentOut},
        412: {"model": ProblemDocument, "description": "Somebody else changed it since you read it."},
        428: {"model": ProblemDocument, "description": "If-Match is missing."},
    },
    openapi_extra=body_of(IncidentPatchBody, if_match=True),
)
def change_incident(
    incident_id: IncidentId,
    payload: JsonBodyDep,
    version: IfVersionDep,
    learning: LearningDep,
    principal: PrincipalDep,
    urls: UrlsDep,
) -> Response:
    """Changes the fields that are sent, named as in POST /runbooks/learn. With `status` resolved it is learnt."""
    patch = change_of_body(payload, Telling(principal.name, learning.now()))
    return _answer(learning.change_incident(incident_id, patch, principal, if_version=version), urls)


@router.post(
    "/{incident_id}/notes",
    status_code=201,
    summary="Remark on an incident",
    responses={201: {"model": NoteOut}},
    openapi_extra=body_of(NoteBody),
)
def add_note(incident_id: IncidentId, payload: JsonBodyDep, learning: LearningDep, principal: PrincipalDep) -> Response:
    """Keeps a remark. With `duty` it says that this duty of the severity policy is done."""
    body = checked(NoteBody, payload)
    return json_answer(note_out(learning.add_note(incident_id, body.text, principal, duty=body.duty)), status=201)


@router.post("/{incident_id}/unlearn", summary="Forget an incident", responses={200: {"model": IncidentOut}})
def unlearn(incident_id: IncidentId, learning: LearningDep, principal: PrincipalDep, urls: UrlsDep) -> Response:
    """Takes it out of its pattern and of all numbers, for good; the incident itself stays."""
    return _answer(learning.unlearn(incident_id, principal), urls)


@router.post("/{incident_id}/learn-again", summary="Learn it after all", responses={200: {"model": IncidentOut}})
def learn_again(incident_id: IncidentId, learning: LearningDep, principal: PrincipalDep, urls: UrlsDep) -> Response:
    """Takes back that it was forgotten."""
    return _answer(learning.learn_again(incident_id, principal), urls)


def _answer(view: IncidentView, urls: Urls) -> Response:
    return json_answer(incident_out(view, urls), headers={"ETag": etag_of(view.stored)})


def _query(asked: IncidentsQuery) -> IncidentQuery:
    falling = asked.sort.startswith("-")
    sort = IncidentSort(asked.sort.removeprefix("-"))
    return IncidentQuery(
        statuses=frozenset(map(_status, _parts(asked.status))),
        severities=frozenset(_severities(asked.severity)),
        service=asked.service.strip(),
        source=asked.source.strip(),
        pattern_id=asked.pattern.strip(),
        alert=asked.alert.strip(),
        assignee=asked.assignee.strip(),
        reported_by=asked.reported_by.strip(),
        text=asked.text.strip(),
        started_from=parse_time(asked.since, field="query.since") if asked.since.strip() else None,
        started_before=parse_time(asked.until, field="query.until") if asked.until.strip() else None,
        sort=sort,
        descending=falling is not (sort is IncidentSort.SEVERITY),  # the worst first, as in the list of runbooks
        limit=asked.limit,
        offset=asked.offset,
    )


def _parts(text: str) -> list[str]:
    return [part for part in (part.strip().lower() for part in text.split(",")) if part]


def _status(word: str) -> IncidentStatus:
    try:
        return IncidentStatus(word)
    except ValueError:
        raise InvalidInput("query.status", "is none", advice="Use open, acknowledged or resolved.") from None


def _severities(text: str) -> list[Severity]:
    named = (severity_filter(part) for part in _parts(text))
    return [severity for severity in named if severity is not None]
