"""What people did with an answer. It tells which searches helped; texts of searches are kept for 30 days, masked."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.asking import JsonBodyDep, PrincipalDep, ServicesDep, checked
from api.openapi import body_of
from api.schemas import SearchEventBody

router = APIRouter(prefix="/searches", tags=["search"])


@router.post(
    "/{search_id}/events",
    status_code=204,
    summary="Say what came of a search",
    openapi_extra=body_of(SearchEventBody),
)
def record_event(
    search_id: Annotated[str, Path(min_length=1, max_length=64)],
    payload: JsonBodyDep,
    services: ServicesDep,
    principal: PrincipalDep,
) -> Response:
    """A view, a copied command or a vote for one hit of that answer."""
    body = checked(SearchEventBody, payload)
    services.record_event(search_id, body.kind, body.runbook_id, principal, anchor=body.anchor)
    return Response(status_code=204)
