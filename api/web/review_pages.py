"""The pages of review: the queue, one draft beside its evidence, its editor, and the forms that decide."""

from collections.abc import Callable, Mapping
from datetime import datetime

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api.learning.service import Learning
from api.web.learning_pages import LearningPages
from api.web.render import Renderer
from api.web.requests import FormDep, WebPrincipalDep
from api.web.review_view import MAX_EVIDENCE, STATUS_WORDS, draft_html, review_lines, review_screen
from api.web.searching import chosen
from kb.errors import InvalidInput
from kb.markdown import parse_document
from kb.principal import Principal
from kb.review_records import ReviewStatus

_AT = "reviews"


def add(router: APIRouter, learning: Callable[[], Learning], render: Renderer, now: Callable[[], datetime]) -> None:
    """Add the routes."""
    pages = ReviewPages(learning, render, now)
    _add_pages(router, pages)
    _add_decisions(router, pages)


def _add_pages(router: APIRouter, pages: "ReviewPages") -> None:
    @router.get("/browse/reviews")
    def browse(request: Request) -> Response:
        return pages.browse(request.query_params.get("status", ""))

    @router.get("/d/{review_id}")
    def read(review_id: str) -> Response:
        return pages.read(review_id)

    @router.get("/d/{review_id}/edit")
    def edit(review_id: str) -> Response:
        return pages.edit(review_id)

    @router.post("/d/{review_id}/preview")
    def preview(review_id: str, form: FormDep) -> Response:
        return pages.preview(review_id, form)


def _add_decisions(router: APIRouter, pages: "ReviewPages") -> None:
    @router.post("/d/{review_id}/edit")
    def save(review_id: str, form: FormDep, principal: WebPrincipalDep) -> Response:
        return pages.save(review_id, form, principal)

    @router.post("/d/{review_id}/approve")
    def approve(review_id: str, form: FormDep, principal: WebPrincipalDep) -> Response:
        return pages.approve(review_id, form, principal)

    @router.post("/d/{review_id}/reject")
    def reject(review_id: str, form: FormDep, principal: WebPrincipalDep) -> Response:
        return pages.reject(review_id, form, principal)

    @router.post("/d/{review_id}/undo")
    def undo(review_id: str, form: FormDep, principal: WebPrincipalDep) -> Response:
        return pages.undo(review_id, form, principal)

    @router.post("/d/{review_id}/promote")
    def promote(review_id: str, principal: WebPrincipalDep) -> Response:
        return pages.promote(review_id, principal)


class ReviewPages(LearningPages):
    """What each page does: one act of `Learning`, then a template."""

    def browse(self, given: str) -> Response:
        """The drafts in one state; those that wait by default."""
        status = chosen(ReviewStatus, given, "status") or ReviewStatus.OPEN
        lines = review_lines(self._learning.reviews(status), urls=self._urls, now=self._now())
        tabs = [(one.value, STATUS_WORDS[one], self._urls.reviews(status=one.value)) for one in ReviewStatus]
        return self._render.page("reviews.html", at=_AT, lines=lines, chosen=status.value, tabs=tabs)

    def read(self, review_id: str) -> Response:
        """One draft beside its evidence."""
        page = self._learning.review(review_id)
        incidents = self._learning.overviews.incidents_by_id(page.incident_ids[-MAX_EVIDENCE:])
        screen = review_screen(page, incidents, urls=self._urls, now=self._now())
        following = None if screen.is_open else self._learning.overviews.waiting_review()
        return self._render.page("review.html", at=_AT, screen=screen, following=following)

    def edit(self, review_id: str) -> Response:
        """A text box with the draft."""
        page = self._learning.review(review_id)
        return self._editor(review_id, page.title, page.text, page.digest)

    def _editor(self, review_id: str, title: str, text: str, digest: str, *, is_conflict: bool = False) -> Response:
        return self._render.page(
            "review_edit.html",
            status=412 if is_conflict else 200,
            at=_AT,
            id=review_id,
            title=title,
            text=text,
            digest=digest,
            is_conflict=is_conflict,
        )

    def save(self, review_id: str, form: Mapping[str, str], principal: Principal) -> Response:
        """Take the text, unless the draft has changed since it was opened; nothing that was typed is lost."""
        text = form.get("text", "").replace("\r\n", "\n")
        page = self._learning.review(review_id)
        digest = page.digest
        if form.get("digest", "") != digest:
            return self._editor(review_id, page.title, text, digest, is_conflict=True)
        edited = self._learning.edit_draft(review_id, text, principal)
        return RedirectResponse(self._urls.review(edited.review.id), 303)

    def preview(self, review_id: str, form: Mapping[str, str]) -> Response:
        """How a text would look."""
        page = self._learning.review(review_id)
        raw = form.get("text", "").encode("utf-8", "replace")
        document = parse_document(raw, path=f"dynamic/{page.review.draft.document_id}.md")
        runbook = document.runbooks[0]
        return self._render.page(
            "preview.html",
            title=runbook.title,
            body=draft_html(runbook, self._urls),
            problems=document.problems,
        )

    def approve(self, review_id: str, form: Mapping[str, str], principal: Principal) -> Response:
        """Publish exactly the text that the person saw."""
        page = self._learning.approve(review_id, principal, digest=form.get("digest", ""))
        return RedirectResponse(self._urls.review(page.review.id), 303)

    def reject(self, review_id: str, form: Mapping[str, str], principal: Principal) -> Response:
        """Turn it down, with a reason."""
        digest, reason = form.get("digest", ""), form.get("reason", "").strip()
        page = self._learning.reject(review_id, principal, digest=digest, reason=reason)
        return RedirectResponse(self._urls.review(page.review.id), 303)

    def undo(self, review_id: str, form: Mapping[str, str], principal: Principal) -> Response:
        """Take the decision back; the draft waits again, as a review of its own."""
        page = self._learning.undo(review_id, principal, reason=form.get("reason", "").strip())
        return RedirectResponse(self._urls.review(page.review.id), 303)

    def promote(self, review_id: str, principal: Principal) -> Response:
        """Make the approved runbook a static one."""
        review = self._learning.review(review_id).review
        if review.status is not ReviewStatus.APPROVED:
            raise InvalidInput("review", "is not approved", advice="Approve the draft first.")
        stored = self._learning.promote(review.draft.document_id, principal)
        return RedirectResponse(self._urls.runbook(stored.document.id), 303)
