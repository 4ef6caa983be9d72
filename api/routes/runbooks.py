"""Runbooks themselves: list, read, create, change, delete."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from api import shapes
from api.acts import ListRequest, RunbookView, WrittenRunbook
from api.asking import (
    IfMatchDep,
    JsonBodyDep,
    PrincipalDep,
    RunbookIdDep,
    ServicesDep,
    UrlsDep,
    checked,
    json_answer,
)
from api.edge import is_json
from api.errors import WrongContentType
from api.openapi import body_of
from api.problems import ProblemDocument
from api.routes.search import severity_filter
from api.schemas import Incoming, NewRunbookBody, RunbookBody, RunbookList, RunbookOut
from api.strict_json import parse_json
from api.web.urls import Urls
from kb.runbook import ReviewState, RunbookType

MARKDOWN = "text/markdown; charset=utf-8"

router = APIRouter(tags=["runbooks"])


class ListQuery(Incoming):
    """The parameters of GET /runbooks."""

    type: Literal["", "static", "dynamic", "template"] = Field("", description="Only of this type.")
    severity: str = Field("", max_length=40, description="Only of this severity.")
    state: Literal["", "draft", "unreviewed", "published"] = Field("", description="Only in this state of review.")
    service: str = Field("", max_length=200, description="Only for this service.")
    tag: str = Field("", max_length=100, description="Only with this tag.")
    text: str = Field("", max_length=200, description="Only whose id, title, alerts or tags contain this.")
    sort: Literal["title", "-title", "updated", "-updated", "severity", "-severity"] = Field(
        "title", description="The order; `-` in front turns it round. `severity` puts the worst first."
    )
    offset: int = Field(0, ge=0, le=1_000_000, description="How many to pass over.")
    limit: int = Field(50, ge=1, le=500, description="How many to list.")


@router.get("/runbooks", summary="List runbooks", responses={200: {"model": RunbookList}})
def list_runbooks(query: Annotated[ListQuery, Query()], services: ServicesDep, urls: UrlsDep) -> Response:
    """Every runbook that passes the filters, a page at a time. Files with many alerts list an entry for each."""
    page = services.runbooks(
        ListRequest(
            type=RunbookType(query.type) if query.type else None,
            severity=severity_filter(query.severity),
            state=ReviewState(query.state) if query.state else None,
            service=query.service.strip(),
            tag=query.tag.strip(),
            text=query.text.strip(),
            sort=query.sort,
            offset=query.offset,
            limit=query.limit,
        )
    )
    return json_answer(shapes.runbook_list(page, urls))


_CREATED: dict[int | str, dict[str, Any]] = {
    201: {"model": RunbookOut, "description": "Written; Location and ETag are in the headers."},
    409: {"model": ProblemDocument, "description": "The id is taken."},
}


@router.post(
    "/runbooks/create",
    status_code=201,
    summary="Write a new runbook",
    responses=_CREATED,
    openapi_extra=body_of(NewRunbookBody),
)
def create_runbook(payload: JsonBodyDep, services: ServicesDep, principal: PrincipalDep, urls: UrlsDep) -> Response:
    """Writes a Markdown file and makes it searchable. Type `dynamic` makes a draft, which search shows apart from the
    results until a person publishes it."""
    body = checked(NewRunbookBody, payload)
    view = services.create(_written(body), principal, runbook_id=body.id)
    return json_answer(
        shapes.runbook_out(view, urls),
        status=201,
        headers={"Location": f"{urls.base}/runbooks/{view.runbook.id}", "ETag": view.stored.etag},
    )


@router.get(
    "/runbooks/{runbook_id}",
    summary="Read a runbook",
    responses={200: {"model": RunbookOut, "content": {"text/markdown": {}}}, 304: {"description": "Not changed."}},
)
def read_runbook(runbook_id: RunbookIdDep, request: Request, services: ServicesDep, urls: UrlsDep) -> Response:
    """As JSON, or its file as it is with `Accept: text/markdown`. Send the ETag as If-None-Match to ask for changes."""
    view = services.runbook(runbook_id)
    headers = {"ETag": view.stored.etag, "Vary": "Accept", "Cache-Control": "no-cache"}
    if view.stored.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if prefers_markdown(request.headers.get("accept", "")):
        raw = services.version_text(view.stored.document.id, view.stored.version)
        return Response(raw, media_type=MARKDOWN, headers=headers)
    return json_answer(shapes.runbook_out(view, urls), headers=headers)


async def new_text_of(request: Request) -> RunbookBody | bytes:
    """What a runbook is to become: the fields of a JSON body, or the bytes of a Markdown one."""
    content_type = request.headers.get("content-type", "")
    if is_json(content_type):
        return checked(RunbookBody, parse_json(await request.body()))
    if content_type.partition(";")[0].strip().lower() == "text/markdown":
        return await request.body()
    raise WrongContentType("application/json", "text/markdown")


@router.put(
    "/runbooks/{runbook_id}",
    summary="Change a runbook",
    responses={
        200: {"model": RunbookOut},
        412: {"model": ProblemDocument, "description": "Somebody else changed it since you read it."},
        428: {"model": ProblemDocument, "description": "If-Match is missing."},
    },
    openapi_extra=body_of(RunbookBody, if_match=True, markdown=True),
)
def change_runbook(
    runbook_id: RunbookIdDep,
    body: Annotated[RunbookBody | bytes, Depends(new_text_of)],
    if_match: IfMatchDep,
    services: ServicesDep,
    principal: PrincipalDep,
    urls: UrlsDep,
) -> Response:
    """Replaces the file: with a JSON body its content and the fields given, keeping what else its header says; with a
    `text/markdown` body all of it. Of two who read the same version the second is told so, and nothing is lost."""
    text = body if isinstance(body, bytes) else _written(body)
    return _changed(services.update(runbook_id, text, principal, if_match=if_match), urls)


@router.delete(
    "/runbooks/{runbook_id}",
    status_code=204,
    summary="Delete a runbook",
    responses={412: {"model": ProblemDocument}, 428: {"model": ProblemDocument}},
)
def delete_runbook(
    runbook_id: RunbookIdDep, if_match: IfMatchDep, services: ServicesDep, principal: PrincipalDep
) -> Response:
    """Removes the file. Its versions stay, and any of them can be restored."""
    services.delete(runbook_id, principal, if_match=if_match)
    return Response(status_code=204)


def prefers_markdown(accept: str) -> bool:
    """Whether an Accept header asks for Markdown and not for JSON."""
    kinds = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    return "text/markdown" in kinds and "application/json" not in kinds


def _changed(view: RunbookView, urls: Urls) -> Response:
    return json_answer(shapes.runbook_out(view, urls), headers={"ETag": view.stored.etag})


def _written(body: RunbookBody) -> WrittenRunbook:
    return WrittenRunbook(
        title=body.title,
        content=body.content,
        type=body.type,
        severity=severity_filter(body.severity, field="body.severity"),
        tags=None if body.tags is None else tuple(body.tags),
        metadata=body.metadata,
    )
