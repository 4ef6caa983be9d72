"""POST /recommend: an alert or a text in, what to do about it out."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.acts import SearchRequest
from api.asking import JsonBodyDep, LearningDep, PrincipalDep, UrlsDep, json_answer
from api.learning.pattern_schemas import RecommendOut
from api.learning.pattern_shapes import recommend_out
from api.problems import ProblemDocument
from api.routes.examples import ALERTMANAGER, N8N
from api.schemas import Incoming
from api.webhooks.payload import leading_alert, read_payload
from kb.errors import InvalidInput

router = APIRouter(tags=["recommendations"])

_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "examples": {
                    "text": {"summary": "A text", "value": {"q": "disk is full on db-1"}},
                    "alert": {
                        "summary": "An alert",
                        "value": {"alert": {"labels": {"alertname": "KubePodCrashLooping"}}},
                    },
                    "alertmanager": {"summary": "Alertmanager's webhook", "value": {"alert": ALERTMANAGER}},
                    "n8n": {"summary": "An n8n incident", "value": N8N},
                },
            }
        },
    }
}
_ANSWERS: dict[int | str, dict[str, Any]] = {200: {"model": RecommendOut}, 415: {"model": ProblemDocument}}


class RecommendQuery(Incoming):
    """The parameters of POST /recommend."""

    limit: int = Field(3, ge=1, le=50, description="At most this many runbooks.")


@router.post("/recommend", summary="What to do about an alert", responses=_ANSWERS, openapi_extra=_BODY)
def recommend(
    payload: JsonBodyDep,
    query: Annotated[RecommendQuery, Query()],
    learning: LearningDep,
    principal: PrincipalDep,
    urls: UrlsDep,
) -> Response:
    """Takes `{"alert": ...}` in any form that POST /runbooks/search takes, or `{"q": "a text"}`. Answers the runbook
    sections, the actions that ended such incidents with their success rates, what made them worse, similar past
    incidents, how long it may take and whom to call. With nothing to say it says so."""
    return json_answer(recommend_out(learning.recommend(request_of(payload, limit=query.limit), principal), urls))


def request_of(payload: object, *, limit: int) -> SearchRequest:
    """What a body asks about. Raises `InvalidInput`."""
    if isinstance(payload, dict) and isinstance(payload.get("q"), str) and len(payload) == 1:
        return SearchRequest(text=payload["q"], limit=limit)
    if isinstance(payload, dict) and "alert" in payload and len(payload) == 1:
        try:
            subject = read_payload(payload["alert"])
        except InvalidInput:
            subject = read_payload(payload)  # an n8n incident without its context
    else:
        subject = read_payload(payload)
    alert = leading_alert(subject.alerts) if subject.alerts else None
    return SearchRequest(text=subject.text, alert=alert, limit=limit)
