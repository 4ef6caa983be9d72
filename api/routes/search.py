"""GET and POST /runbooks/search: a text or an alert in, the right section of the right runbook out."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api import shapes
from api.acts import SearchRequest
from api.asking import JsonBodyDep, PrincipalDep, ServicesDep, UrlsDep, json_answer
from api.problems import ProblemDocument
from api.routes.examples import ALERTMANAGER, N8N, PLAIN, SEARCH_ANSWER
from api.schemas import Incoming, SearchAnswer
from api.webhooks.payload import leading_alert, read_payload
from kb.errors import InvalidInput
from kb.incident import Alert
from kb.runbook import RunbookType
from kb.severity import Severity, parse_severity

MAX_QUERY_CHARS = 16_384  # a whole pasted alert; what is searched for is cut out of it

router = APIRouter(tags=["search"])


class Filters(Incoming):
    """What narrows a search. Empty values, as workflow tools send them, do not."""

    type: Literal["", "static", "dynamic", "template"] = Field("", description="Only runbooks of this type.")
    severity: str = Field(
        "", max_length=40, description="Only of this severity: critical, high, medium, low or an alias."
    )
    service: str = Field("", max_length=200, description="Only for this service.")
    tag: str = Field("", max_length=100, description="Only with this tag.")
    limit: int = Field(10, ge=1, le=50, description="At most this many results.")


class SearchQuery(Filters):
    """The parameters of GET /runbooks/search."""

    q: str = Field(
        min_length=1,
        max_length=MAX_QUERY_CHARS,
        description="A word, a question, a log line or a whole pasted alert.",
        examples=["pods keep restarting with OOMKilled"],
    )


_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": SearchAnswer, "content": {"application/json": {"example": SEARCH_ANSWER}}}
}


@router.get("/runbooks/search", summary="Find the runbook section for a text", responses=_ANSWERS)
def search_by_text(
    query: Annotated[SearchQuery, Query()],
    services: ServicesDep,
    principal: PrincipalDep,
    urls: UrlsDep,
) -> Response:
    """Finds the section of the runbook that deals with what you describe. When nothing matches well, `results` is empty
    and `near_misses` holds the best of the rest."""
    answer = services.search(_request(query, text=query.q), principal)
    return json_answer(shapes.search_answer(answer, urls))


_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "examples": {
                    "alertmanager": {"summary": "Alertmanager's webhook", "value": ALERTMANAGER},
                    "n8n": {"summary": "An n8n incident", "value": N8N},
                    "plain": {"summary": "A plain text", "value": PLAIN},
                },
            }
        },
    }
}


@router.post(
    "/runbooks/search",
    summary="Find the runbook section for an alert",
    responses={**_ANSWERS, 415: {"model": ProblemDocument}},
    openapi_extra=_BODY,
)
def search_by_alert(
    payload: JsonBodyDep,
    query: Annotated[Filters, Query()],
    services: ServicesDep,
    principal: PrincipalDep,
    urls: UrlsDep,
) -> Response:
    """Takes the alert as its sender writes it: Alertmanager's webhook, a list of alerts, Grafana's, an n8n incident, or
    plain JSON with a name or a text. Of several alerts the worst that is firing is answered for."""
    subject = read_payload(payload)
    alert = leading_alert(subject.alerts) if subject.alerts else None
    answer = services.search(_request(query, text=subject.text, alert=alert), principal)
    return json_answer(shapes.search_answer(answer, urls))


def severity_filter(text: str, *, field: str = "query.severity") -> Severity | None:
    """The severity a filter names, in any vocabulary; None for an empty one. Raises `InvalidInput` for nonsense."""
    if not text.strip():
        return None
    severity = parse_severity(text)
    if severity is None:
        raise InvalidInput(field, "names no severity", advice="Use critical, high, medium, low or info.")
    return severity


def _request(filters: Filters, *, text: str, alert: Alert | None = None) -> SearchRequest:
    return SearchRequest(
        text=text,
        alert=alert,
        type=RunbookType(filters.type) if filters.type else None,
        severity=severity_filter(filters.severity),
        service=filters.service.strip(),
        tag=filters.tag.strip(),
        limit=filters.limit,
    )
