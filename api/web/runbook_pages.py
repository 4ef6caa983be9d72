"""The pages of one runbook: reading, history, difference, editing, and the forms that restore and publish. Another
site's page cannot send these forms: the edge refuses what is not of our own origin."""

from collections.abc import Callable, Mapping
from datetime import datetime

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api.acts import ListRequest, RunbookView
from api.services import Services
from api.web.advising import advice_for
from api.web.diff_view import compare
from api.web.editing import editable, file_bytes
from api.web.history_view import diff_screen, history_screen
from api.web.render import Renderer
from api.web.requests import FormDep, LabelsDep, WebPrincipalDep
from api.web.runbook_html import prose
from api.web.runbook_view import runbook_screen
from api.web.searching import ALERT_NAME, alert_of
from api.web.urls import SEARCH
from kb.errors import EditConflict, InvalidInput, KBError, RunbookNotFound
from kb.markdown import parse_document
from kb.principal import Principal
from kb.runbook import ReviewState
from kb.runbook_store import StoredDocument

_EVERY = 100_000


def add(router: APIRouter, services: Services, render: Renderer, now: Callable[[], datetime]) -> None:
    """Add the routes."""
    pages = RunbookPages(services, render, now)

    @router.get("/r/{runbook_id}")
    def read(runbook_id: str, request: Request, labels: LabelsDep) -> Response:
        return pages.read(runbook_id, labels, search_id=request.query_params.get(SEARCH, "")[:64])

    @router.get("/r/{runbook_id}/history")
    def history(runbook_id: str) -> Response:
        return pages.history(runbook_id)

    @router.get("/r/{runbook_id}/diff")
    def diff(runbook_id: str, request: Request) -> Response:
        return pages.diff(runbook_id, request.query_params)

    @router.get("/r/{runbook_id}/edit")
    def edit(runbook_id: str) -> Response:
        return pages.edit(runbook_id)

    @router.post("/r/{runbook_id}/edit")
    def save(runbook_id: str, form: FormDep, principal: WebPrincipalDep) -> Response:
        return pages.save(runbook_id, form, principal)

    @router.post("/r/{runbook_id}/preview")
    def preview(runbook_id: str, form: FormDep) -> Response:
        return pages.preview(runbook_id, form)

    @router.post("/r/{runbook_id}/restore")
    def restore(runbook_id: str, form: FormDep, principal: WebPrincipalDep) -> Response:
        return pages.restore(runbook_id, form, principal)

    @router.post("/r/{runbook_id}/publish")
    def publish(runbook_id: str, form: FormDep, principal: WebPrincipalDep) -> Response:
        return pages.publish(runbook_id, form, principal)

    @router.post("/r/{runbook_id}/reviewed")
    def reviewed(runbook_id: str, form: FormDep, principal: WebPrincipalDep) -> Response:
        return pages.reviewed(runbook_id, form, principal)


class RunbookPages:
    """What each page does: one act of the services, then a template."""

    def __init__(self, services: Services, render: Renderer, now: Callable[[], datetime]) -> None:
        self._services = services
        self._render = render
        self._now = now

    def read(self, runbook_id: str, labels: Mapping[str, str], *, search_id: str) -> Response:
        """The runbook, its commands filled from `labels`."""
        view = self._services.runbook(runbook_id)
        every = self._services.runbooks(ListRequest(limit=_EVERY)).items
        screen = runbook_screen(
            view, every, labels=labels, search_id=search_id, urls=self._render.urls, now=self._now()
        )
        alert = alert_of(labels[ALERT_NAME], labels) if labels.get(ALERT_NAME) else None
        said = advice_for(self._services, self._render.urls, "", alert) if alert else None
        return self._render.page(
            "runbook.html", at="runbook", screen=screen, review_id=self._review_of(view.stored), said=said
        )

    def _review_of(self, stored: StoredDocument) -> str | None:
        """The review that a draft waits in, which is the place to decide; None also while nobody can say."""
        if stored.state is not ReviewState.DRAFT:
            return None
        try:
            return self._services.learning.overviews.waiting_review(stored.document.id)
        except KBError:
            return None

    def history(self, runbook_id: str) -> Response:
        """All versions, also of a runbook whose file is gone."""
        stored = self._find(runbook_id)
        own_id = stored.document.id if stored else runbook_id
        versions = self._services.versions(own_id)
        screen = history_screen(own_id, versions, stored, urls=self._render.urls, now=self._now())
        return self._render.page("history.html", at="runbook", screen=screen)

    def diff(self, runbook_id: str, query: Mapping[str, str]) -> Response:
        """What changed from one version to another; by default from the one before the last to the last."""
        latest = self._services.versions(runbook_id)[0].number
        new = _number(query.get("to", ""), "to", otherwise=latest)
        old = _number(query.get("from", ""), "from", otherwise=max(1, new - 1))
        texts = [editable(self._services.version_text(runbook_id, number)).text for number in (old, new)]
        stored = self._find(runbook_id)
        screen = diff_screen(
            runbook_id,
            stored.document.runbooks[0].title if stored else runbook_id,
            old,
            new,
            latest,
            compare(*texts),
            is_split=query.get("view") == "split",
            urls=self._render.urls,
        )
        return self._render.page("diff.html", at="runbook", screen=screen)

    def edit(self, runbook_id: str) -> Response:
        """A text box with the file's text; an entry of a larger file is edited with the whole file."""
        stored = self._services.runbook(runbook_id).stored
        now = editable(self._bytes(stored))
        return self._render.page(
            "edit.html",
            at="runbook",
            stored=stored,
            text=now.text,
            is_exact=now.is_exact,
            if_match=stored.etag,
            note="",
            conflict=None,
        )

    def save(self, runbook_id: str, form: Mapping[str, str], principal: Principal) -> Response:
        """Write the text, or show both texts when somebody else was faster. Nothing that was typed is lost."""
        stored = self._services.runbook(runbook_id).stored
        text, note = form.get("text", ""), form.get("note", "").strip()[:500]
        if not form.get("if_match"):
            raise InvalidInput("if_match", "is missing", advice="Open the edit page again.")
        raw = file_bytes(text, like=self._bytes(stored))
        try:
            view = self._services.update(stored.document.id, raw, principal, if_match=form["if_match"], note=note)
        except EditConflict:
            return self._conflict(runbook_id, text, note)
        return RedirectResponse(self._render.urls.runbook(view.runbook.id), 303)

    def _conflict(self, runbook_id: str, text: str, note: str) -> Response:
        stored = self._services.runbook(runbook_id).stored
        theirs = editable(self._bytes(stored))
        mine = text.replace("\r\n", "\n")
        return self._render.page(
            "edit.html",
            status=412,
            at="runbook",
            stored=stored,
            text=mine,
            is_exact=theirs.is_exact,
            if_match=stored.etag,
            note=note,
            conflict=compare(theirs.text, mine),
        )

    def preview(self, runbook_id: str, form: Mapping[str, str]) -> Response:
        """How a text would look, and what the parser has to say about it."""
        stored = self._services.runbook(runbook_id).stored
        raw = file_bytes(form.get("text", ""), like=b"")
        document = parse_document(raw, path=stored.document.path)
        runbook = document.runbooks[0]
        return self._render.page(
            "preview.html", title=runbook.title, body=prose(runbook, {}), problems=document.problems
        )

    def restore(self, runbook_id: str, form: Mapping[str, str], principal: Principal) -> Response:
        """Write an earlier version again; the form says which version it was decided upon."""
        number = _number(form.get("number", ""), "number", otherwise=0)
        if_match = form.get("if_match") or None
        view = self._services.restore(runbook_id, number, principal, if_match=if_match)
        return RedirectResponse(self._render.urls.act(view.stored.document.id, "history"), 303)

    def publish(self, runbook_id: str, form: Mapping[str, str], principal: Principal) -> Response:
        """Publish exactly the text that the person saw."""
        view: RunbookView = self._services.publish(runbook_id, principal, digest=form.get("digest", ""))
        return RedirectResponse(self._render.urls.runbook(view.runbook.id), 303)

    def reviewed(self, runbook_id: str, form: Mapping[str, str], principal: Principal) -> Response:
        """Write into the file that the text that the person saw still holds."""
        view = self._services.mark_reviewed(runbook_id, principal, digest=form.get("digest", ""))
        return RedirectResponse(self._render.urls.runbook(view.runbook.id), 303)

    def _bytes(self, stored: StoredDocument) -> bytes:
        return self._services.version_text(stored.document.id, stored.version)

    def _find(self, runbook_id: str) -> StoredDocument | None:
        try:
            return self._services.runbook(runbook_id).stored
        except RunbookNotFound:
            return None


def _number(text: str, name: str, *, otherwise: int) -> int:
    if not text:
        return otherwise
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise InvalidInput(name, "is no version number", advice="Choose one from the history.")
    return int(text)
