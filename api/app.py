"""The HTTP application: routes, pages and the edge put together, and every failure turned into a problem document.
`api.problems` holds the table of who becomes what."""

import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import access, failures, openapi, problems
from api.asking import authorize, refuse_repeats
from api.edge import Edge, EdgeRules
from api.gates import build_gates
from api.learning.incident_schemas import BatchBody, IncidentPatchBody, LearnBody, NoteBody
from api.learning.pattern_schemas import MergeBody, RenameBody, SplitBody
from api.learning.review_schemas import (
    ApproveBody,
    DraftBody,
    OutcomeBody,
    RejectBody,
    UndoBody,
    VoteBody,
    WithdrawBody,
)
from api.problems import FieldProblem, Problem
from api.routes import (
    docs,
    feedback,
    history,
    incidents,
    insights,
    learn,
    patterns,
    pins,
    recommend,
    reviews,
    runbooks,
    search,
    searches,
    state,
)
from api.schemas import NewRunbookBody, PinBody, PublishBody, RestoreBody, RunbookBody, SearchEventBody
from api.services import Services
from api.settings import Settings
from api.web.asset_files import load_assets
from api.web.pages import Pages
from api.web.requests import wants_html
from api.web.urls import Urls
from kb.errors import KBError

log = logging.getLogger("sre_kb.app")

_BODIES = (
    *(NewRunbookBody, PinBody, PublishBody, RestoreBody, RunbookBody, SearchEventBody),
    *(BatchBody, IncidentPatchBody, LearnBody, NoteBody, MergeBody, RenameBody, SplitBody),
    *(ApproveBody, DraftBody, OutcomeBody, RejectBody, UndoBody, VoteBody, WithdrawBody),
)
# The order decides where two routes take an address: `/runbooks/patterns` before `/runbooks/{runbook_id}`.
_ROUTES = (
    *(search, state, learn, patterns, recommend, runbooks, history, pins, searches),
    *(incidents, reviews, feedback, insights),
)
_TAGS = [
    {"name": "search", "description": "An alert, a log line or a question finds the section that helps."},
    {"name": "runbooks", "description": "Markdown files as people write them, read and changed safely."},
    {"name": "history", "description": "Every text there ever was, and which one a person has approved."},
    {"name": "incidents", "description": "What happened and what was done about it: kept, followed, learnt."},
    {"name": "patterns", "description": "What recurs, and how well actions work."},
    {"name": "recommendations", "description": "What to do about an alert, by what ended others like it."},
    {"name": "reviews", "description": "The learner's drafts, and what people decide about them."},
    {"name": "feedback", "description": "What people think of answers, and how using them ended."},
    {"name": "insights", "description": "What follows from what was learnt."},
    {"name": "pins", "description": "What somebody who knows wants to see first for an alert."},
    {"name": "state", "description": "How the server is."},
]


def create_app(services: Services, settings: Settings, *, new_id: Callable[[], str]) -> FastAPI:
    """The application over `services`, which it starts and stops with itself."""
    app = FastAPI(
        title="sre-kb",
        version=version("sre-kb"),
        summary="An alert finds the right section of the right runbook.",
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_tags=_TAGS,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=_lifespan(services),
        dependencies=[Depends(authorize), Depends(refuse_repeats)],
        middleware=[
            Middleware(
                Edge,
                rules=_rules(settings),
                gates=build_gates(
                    searches=settings.max_concurrent_searches or (os.cpu_count() or 1),
                    queue=settings.max_waiting_requests,
                ),
                new_id=new_id,
                base_path=settings.base_path,
            ),
            Middleware(LastResort),
        ],
        telemetry={"auto_configure": False, "tracing": False, "metrics": False, "logs": False},
    )
    app.state.services = services
    app.state.urls = Urls(base=settings.base_path, version=load_assets().version)
    for module in _ROUTES:
        app.include_router(module.router)
    if settings.docs_enabled:
        app.include_router(docs.router)
    pages = Pages(services, base_path=settings.base_path)
    app.include_router(pages.router)
    app.state.pages = pages
    _add_error_handlers(app)
    _complete_description(app)
    return app


def _rules(settings: Settings) -> EdgeRules:
    return EdgeRules(
        allowed_hosts=frozenset({settings.host.lower(), *settings.allowed_hosts}),
        max_body_bytes=settings.max_body_bytes,
        max_webhook_body_bytes=settings.max_webhook_body_bytes,
    )


def _lifespan(services: Services) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def run(_: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(services.start)
        try:
            yield
        finally:
            await run_in_threadpool(services.stop)

    return run


def _complete_description(app: FastAPI) -> None:
    plain = app.openapi

    def described() -> dict[str, object]:
        if app.openapi_schema is None:
            app.openapi_schema = openapi.complete(plain(), _BODIES)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]  # the way FastAPI documents for changing its description


def _add_error_handlers(app: FastAPI) -> None:
    @app.exception_handler(KBError)
    async def on_error(request: Request, exc: KBError) -> Response:
        request_id = _request_id(request)
        return problems.response(failures.told(exc, request_id=request_id), request_id=request_id)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, exc: RequestValidationError) -> Response:
        return problems.response(_invalid(exc), request_id=_request_id(request))

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, exc: HTTPException) -> Response:
        if exc.status_code == 404 and wants_html(request):
            pages: Pages = request.app.state.pages
            return pages.not_found(request)
        return problems.response(_refused(request, exc), request_id=_request_id(request))


def _invalid(exc: RequestValidationError) -> Problem:
    # `input` and `ctx` stay out: they repeat what was sent, which may be a secret or not even encodable.
    errors = [
        FieldProblem(field=".".join(str(part)[:100] for part in error["loc"])[:300], reason=str(error["msg"])[:300])
        for error in exc.errors()[:20]
    ]
    named = ", ".join(error.field for error in errors[:5])
    return Problem(problems.INVALID_REQUEST, f"Wrong: {named}.", "Correct the fields listed in errors.", errors)


def _refused(request: Request, exc: HTTPException) -> Problem:
    kind = problems.kind_of_status(exc.status_code)
    if exc.status_code == 404:
        return Problem(kind, "There is nothing at this address.", "GET /openapi.json lists what there is.")
    if exc.status_code == 405:
        allowed = ", ".join(access.methods_at(request.url.path.removeprefix(request.scope["root_path"])))
        return Problem(
            kind, f"{request.method} is not taken here.", f"Use {allowed or 'another'}.", headers={"Allow": allowed}
        )
    return Problem(kind, str(exc.detail)[:300])


def _request_id(request: Request) -> str:
    return str(getattr(request.state, "request_id", ""))


class LastResort:
    """ASGI middleware: an error that nobody foresaw becomes a 500 without a word of its inside, and a full log line."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            if scope["type"] != "http":
                raise
            request_id = scope.get("state", {}).get("request_id", "")
            log.exception("unexpected error", extra={"event": "unexpected_error", "request_id": request_id})
            if started:  # half an answer is out; closing the connection is the only honest end
                raise
            problem = Problem(
                problems.INTERNAL,
                "The server met an error that nobody foresaw.",
                "Try again; report the request id if it stays.",
            )
            await problems.response(problem, request_id=request_id)(scope, receive, send)
