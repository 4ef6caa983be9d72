"""The page on which somebody writes a new runbook: empty, with a title, or with what the learner would write about a
pattern. Who saves it is its author."""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api import failures
from api.acts import WrittenRunbook
from api.services import Services
from api.web.render import Renderer
from api.web.requests import FormDep, WebPrincipalDep
from api.web.review_view import draft_html
from kb.errors import InvalidInput, RunbookExists
from kb.markdown import parse_document
from kb.principal import Principal
from kb.slugs import slugify
from learner.draft import draft_runbook

_OUTLINE = """## Symptoms

-

## Diagnosis

1.

## Recovery

1.

## Verification

-

## Prevention

-
"""


def add(router: APIRouter, services: Services, render: Renderer) -> None:
    """Add the routes."""
    pages = WritePages(services, render)

    @router.get("/write")
    def write(request: Request) -> Response:
        return pages.write(request.query_params)

    @router.post("/write")
    def save(form: FormDep, principal: WebPrincipalDep) -> Response:
        return pages.save(form, principal)

    @router.post("/write/preview")
    def preview(form: FormDep) -> Response:
        return pages.preview(form)


class WritePages:
    """What each page does: one act of the services, then a template."""

    def __init__(self, services: Services, render: Renderer) -> None:
        self._services = services
        self._render = render

    def write(self, query: Mapping[str, str]) -> Response:
        """The form; with `pattern` in the address it holds what the learner would write."""
        pattern_id = query.get("pattern", "")[:100]
        if pattern_id:
            return self._form(*self._learned(pattern_id))
        return self._form(query.get("title", "")[:200].strip(), _OUTLINE)

    def _learned(self, pattern_id: str) -> tuple[str, str]:
        learning = self._services.learning
        pattern = learning.pattern(pattern_id).pattern
        stored = learning.overviews.incidents_by_id(pattern.evidence.incident_ids)
        incidents = [one.incident for one in stored.values()]
        return pattern.name, draft_runbook(pattern, incidents, document_id=slugify(pattern.name) or pattern.id)

    def _form(self, title: str, text: str, *, refused: str = "", status: int = 200) -> Response:
        return self._render.page("write.html", status=status, at="browse", title=title, text=text, refused=refused)

    def save(self, form: Mapping[str, str], principal: Principal) -> Response:
        """Write it. Nothing that was typed is lost when it cannot be taken."""
        title, text = form.get("title", "").strip(), form.get("text", "").replace("\r\n", "\n")
        try:
            if not title:
                raise InvalidInput("title", "is empty", advice="Give it the name that people will look for.")
            view = self._services.create(WrittenRunbook(title, text), principal)
        except (InvalidInput, RunbookExists) as error:
            problem = failures.told(error)
            told = f"{problem.detail} {problem.advice}".strip()
            return self._form(title, text, refused=told, status=problem.kind.status)
        return RedirectResponse(self._render.urls.runbook(view.runbook.id), 303)

    def preview(self, form: Mapping[str, str]) -> Response:
        """How it would look."""
        document = parse_document(form.get("text", "").encode("utf-8", "replace"), path="static/new.md")
        runbook = document.runbooks[0]
        title = form.get("title", "").strip() or runbook.title
        return self._render.page("preview.html", title=title, body=draft_html(runbook, self._render.urls), problems=())
