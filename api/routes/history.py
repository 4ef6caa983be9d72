"""A runbook's past and its review: versions, differences, restoring, publishing."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from api import shapes
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
from api.openapi import body_of
from api.problems import ProblemDocument
from api.schemas import Incoming, PublishBody, RestoreBody, RunbookOut, VersionList

router = APIRouter(prefix="/runbooks/{runbook_id}", tags=["history"])

VersionNumber = Annotated[int, Path(ge=1, le=1_000_000_000)]


class DiffQuery(Incoming):
    """Which two versions to compare."""

    from_: int = Field(alias="from", ge=1, le=1_000_000_000, description="The number of the older version.")
    to: int = Field(ge=1, le=1_000_000_000, description="The number of the newer version.")


@router.get("/versions", summary="List a runbook's versions", responses={200: {"model": VersionList}})
def list_versions(runbook_id: RunbookIdDep, services: ServicesDep) -> Response:
    """Newest first, with who wrote each and through which face."""
    found = services.versions(runbook_id)
    return json_answer(VersionList(id=runbook_id, versions=[shapes.version_out(version) for version in found]))


@router.get(
    "/versions/{number}",
    summary="Read one version",
    responses={200: {"content": {"text/markdown": {"schema": {"type": "string"}}}}},
    response_class=Response,
)
def read_version(runbook_id: RunbookIdDep, number: VersionNumber, services: ServicesDep) -> Response:
    """Its bytes as they were written."""
    return Response(services.version_text(runbook_id, number), media_type="text/markdown; charset=utf-8")


@router.get(
    "/diff",
    summary="Compare two versions",
    responses={200: {"content": {"text/x-diff": {"schema": {"type": "string"}}}}},
    response_class=Response,
)
def compare_versions(runbook_id: RunbookIdDep, query: Annotated[DiffQuery, Query()], services: ServicesDep) -> Response:
    """A unified diff; empty when their texts are equal."""
    text = services.diff(runbook_id, query.from_, query.to)
    return Response(text.encode("utf-8", "replace"), media_type="text/x-diff; charset=utf-8")


@router.post(
    "/restore",
    summary="Write an earlier version again",
    responses={200: {"model": RunbookOut}, 412: {"model": ProblemDocument}, 428: {"model": ProblemDocument}},
    openapi_extra=body_of(RestoreBody, if_match=True),
)
def restore_version(
    runbook_id: RunbookIdDep,
    payload: JsonBodyDep,
    if_match: IfMatchDep,
    services: ServicesDep,
    principal: PrincipalDep,
    urls: UrlsDep,
) -> Response:
    """Makes that version's text the newest one; brings a deleted runbook back, with `If-Match: *`."""
    number = checked(RestoreBody, payload).version
    view = services.restore(runbook_id, number, principal, if_match=if_match)
    return json_answer(shapes.runbook_out(view, urls), headers={"ETag": view.stored.etag})


@router.post(
    "/publish",
    summary="Publish the text you have read",
    responses={200: {"model": RunbookOut}, 412: {"model": ProblemDocument}},
    openapi_extra=body_of(PublishBody),
)
def publish_text(
    runbook_id: RunbookIdDep, payload: JsonBodyDep, services: ServicesDep, principal: PrincipalDep, urls: UrlsDep
) -> Response:
    """Approves exactly the text whose SHA-256 you send; refused when the runbook says something else by now."""
    view = services.publish(runbook_id, principal, digest=checked(PublishBody, payload).sha256)
    return json_answer(shapes.runbook_out(view, urls), headers={"ETag": view.stored.etag})


@router.post(
    "/reviewed",
    summary="Say that the text you have read still holds",
    responses={200: {"model": RunbookOut}, 412: {"model": ProblemDocument}},
    openapi_extra=body_of(PublishBody),
)
def mark_reviewed(
    runbook_id: RunbookIdDep, payload: JsonBodyDep, services: ServicesDep, principal: PrincipalDep, urls: UrlsDep
) -> Response:
    """Writes today's date as `reviewed` into the file whose SHA-256 you send, and changes nothing else of it."""
    view = services.mark_reviewed(runbook_id, principal, digest=checked(PublishBody, payload).sha256)
    return json_answer(shapes.runbook_out(view, urls), headers={"ETag": view.stored.etag})
