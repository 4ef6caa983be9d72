"""Refusals as pages: what went wrong, in plain words, with a way on. One route class turns every `KBError` into one."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from api import failures, problems
from api.web.render import Renderer
from api.web.requests import request_id_of
from kb.errors import InvalidInput, KBError, RunbookNotFound

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def page_route(render: Renderer) -> type[APIRoute]:
    """A route class whose errors are pages drawn by `render`."""

    class PageRoute(APIRoute):
        def get_route_handler(self) -> Handler:
            act = super().get_route_handler()

            async def answer(request: Request) -> Response:
                try:
                    return await act(request)
                except KBError as error:
                    return error_page(render, error, request_id=request_id_of(request))
                except RequestValidationError:
                    wrong = InvalidInput("the address", "holds a value that cannot be", advice="Correct it, or search.")
                    return error_page(render, wrong, request_id=request_id_of(request))

            return answer

    return PageRoute


def error_page(render: Renderer, error: KBError, *, request_id: str) -> Response:
    """A page about `error`, with close matches where a runbook is missing."""
    problem = failures.told(error, request_id=request_id)
    return render.page(
        "error.html",
        status=problem.kind.status,
        at="",
        problem=problem,
        close_matches=error.close_matches if isinstance(error, RunbookNotFound) else (),
        sought=error.runbook_id if isinstance(error, RunbookNotFound) else "",
        request_id=request_id,
    )


def not_found_page(render: Renderer, *, request_id: str) -> Response:
    """The page for an address that is none of ours."""
    problem = problems.Problem(
        problems.NO_SUCH_ADDRESS, "There is no page at this address.", "Search, or look through all runbooks."
    )
    return render.page(
        "error.html", status=404, at="", problem=problem, close_matches=(), sought="", request_id=request_id
    )
