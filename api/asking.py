"""What every route asks for before it acts: the services, who is asking, whether they may, and the preconditions of a
change. Used as FastAPI dependencies."""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, TypeVar

from fastapi import Depends, HTTPException, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from api import access
from api.edge import is_json
from api.errors import PreconditionMissing, WrongContentType
from api.learning.service import Learning
from api.services import Services
from api.strict_json import parse_json
from api.web.urls import Urls
from kb.errors import InvalidInput
from kb.principal import Face, Principal, local
from kb.slugs import RESERVED_IDS

Model = TypeVar("Model", bound=BaseModel)


# These are coroutines although they wait for nothing: FastAPI runs plain functions on a thread, which costs more
# than all they do.
async def services_of(request: Request) -> Services:
    """The one `Services` of this application."""
    services: Services = request.app.state.services
    return services


async def principal_of(request: Request) -> Principal:
    """Who is asking. Without keys everybody who gets here is the person at this machine."""
    principal: Principal | None = getattr(request.state, "principal", None)
    return principal or local(Face.HTTP)


async def urls_of(request: Request) -> Urls:
    """Addresses of pages, with the proxy's prefix."""
    urls: Urls = request.app.state.urls
    return urls


async def authorize(request: Request) -> None:
    """Ask the access table for this route and method; a route without a row stays shut."""
    route = request.scope["route"]
    method = "GET" if request.method == "HEAD" else request.method
    access.require(await principal_of(request), f"{method} {route.path}")


async def refuse_repeats(request: Request) -> None:
    """Refuse a parameter that is given twice: which of the two counts would be a guess."""
    for name, count in Counter(key for key, _ in request.query_params.multi_items()).items():
        if count > 1:
            raise InvalidInput(f"query.{name[:100]}", "is given more than once", advice="Give it once.")


async def if_match_of(request: Request) -> str:
    """The ETag a change rests on. Raises `PreconditionMissing`; a weak or malformed tag never matches anything."""
    given = request.headers.get("if-match", "").strip()
    if not given:
        raise PreconditionMissing
    return given


async def version_of(if_match: Annotated[str, Depends(if_match_of)]) -> int | None:
    """The version a change of a record rests on; None for any. A malformed tag stands for a version that never is."""
    if if_match == "*":
        return None
    number = if_match.strip('"')
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0


async def learning_of(services: Annotated[Services, Depends(services_of)]) -> Learning:
    """The acts of learning."""
    return services.learning


async def json_body_of(request: Request) -> object:
    """The JSON value of the body, which the edge has read whole. Raises `WrongContentType`, `InvalidInput`."""
    if not is_json(request.headers.get("content-type", "")):
        raise WrongContentType("application/json")
    return parse_json(await request.body())


def checked(model: type[Model], value: object) -> Model:
    """`value` as a body model. Raises the same error as FastAPI does for bodies it checks itself."""
    try:
        return model.model_validate(value)
    except ValidationError as exc:
        errors = [{**error, "loc": ("body", *error["loc"])} for error in exc.errors(include_url=False)]
        raise RequestValidationError(errors) from None


def json_answer(body: BaseModel, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A body as JSON, without the second validation that FastAPI gives to what handlers return."""
    return Response(
        body.model_dump_json(), status_code=status, media_type="application/json", headers=dict(headers or {})
    )


async def runbook_id_of(runbook_id: Annotated[str, Path(description="The runbook's id, or an entry's.")]) -> str:
    """The id in the address; a word of ours that no route takes is no id but an address where nothing lives."""
    if runbook_id in RESERVED_IDS:
        raise HTTPException(404)
    return runbook_id


RunbookIdDep = Annotated[str, Depends(runbook_id_of)]
ServicesDep = Annotated[Services, Depends(services_of)]
PrincipalDep = Annotated[Principal, Depends(principal_of)]
UrlsDep = Annotated[Urls, Depends(urls_of)]
LearningDep = Annotated[Learning, Depends(learning_of)]
IfVersionDep = Annotated[int | None, Depends(version_of)]
IfMatchDep = Annotated[str, Depends(if_match_of)]
JsonBodyDep = Annotated[object, Depends(json_body_of)]
