"""Reviews: the learner's drafts, and what people decide about them."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from api import shapes
from api.acts import RunbookView
from api.asking import JsonBodyDep, LearningDep, PrincipalDep, RunbookIdDep, UrlsDep, checked, json_answer
from api.learning.parts import ReviewPage
from api.learning.review_schemas import ApproveBody, DraftBody, RejectBody, ReviewList, ReviewOut, UndoBody
from api.learning.review_shapes import review_list, review_out
from api.openapi import body_of
from api.problems import ProblemDocument
from api.schemas import Incoming, RunbookOut
from api.web.urls import Urls
from kb.review_records import ReviewStatus

router = APIRouter(tags=["reviews"])

ReviewId = Annotated[str, Path(min_length=1, max_length=200, description="The review's id.")]
_DECISIONS: dict[int | str, dict[str, Any]] = {
    200: {"model": ReviewOut},
    409: {"model": ProblemDocument, "description": "It is decided already."},
    412: {"model": ProblemDocument, "description": "The draft is not the text that you have read."},
}


class ReviewsQuery(Incoming):
    """The parameters of GET /reviews."""

    status: Literal["open", "approved", "rejected", "undone", "all"] = Field("open", description="In this state.")


@router.get("/reviews", summary="List drafts", responses={200: {"model": ReviewList}})
def list_reviews(query: Annotated[ReviewsQuery, Query()], learning: LearningDep, urls: UrlsDep) -> Response:
    """Those that wait for a person, or those that were decided; the latest change first."""
    status = None if query.status == "all" else ReviewStatus(query.status)
    return json_answer(review_list(learning.reviews(status), urls))


@router.get("/reviews/{review_id}", summary="Read a draft", responses={200: {"model": ReviewOut}})
def read_review(review_id: ReviewId, learning: LearningDep, urls: UrlsDep) -> Response:
    """Its text, what it changes, and the incidents it rests on."""
    return _answer(learning.review(review_id), urls)


@router.put(
    "/reviews/{review_id}/draft",
    summary="Edit a draft",
    responses=_DECISIONS,
    openapi_extra=body_of(DraftBody),
)
def edit_draft(
    review_id: ReviewId, payload: JsonBodyDep, learning: LearningDep, principal: PrincipalDep, urls: UrlsDep
) -> Response:
    """Replaces an open draft's text; from then on the learner leaves it alone."""
    return _answer(learning.edit_draft(review_id, checked(DraftBody, payload).content, principal), urls)


@router.post(
    "/reviews/{review_id}/approve",
    summary="Approve a draft",
    responses=_DECISIONS,
    openapi_extra=body_of(ApproveBody),
)
def approve(
    review_id: ReviewId, payload: JsonBodyDep, learning: LearningDep, principal: PrincipalDep, urls: UrlsDep
) -> Response:
    """Publishes exactly the text whose digest is sent: search finds it from then on. Nothing becomes executable."""
    return _answer(learning.approve(review_id, principal, digest=checked(ApproveBody, payload).sha256), urls)


@router.post(
    "/reviews/{review_id}/reject",
    summary="Turn a draft down",
    responses=_DECISIONS,
    openapi_extra=body_of(RejectBody),
)
def reject(
    review_id: ReviewId, payload: JsonBodyDep, learning: LearningDep, principal: PrincipalDep, urls: UrlsDep
) -> Response:
    """The learner does not ask again until the evidence has clearly changed."""
    body = checked(RejectBody, payload)
    return _answer(learning.reject(review_id, principal, digest=body.sha256, reason=body.reason), urls)


@router.post(
    "/reviews/{review_id}/undo",
    summary="Take a decision back",
    responses=_DECISIONS,
    openapi_extra=body_of(UndoBody),
)
def undo(
    review_id: ReviewId, payload: JsonBodyDep, learning: LearningDep, principal: PrincipalDep, urls: UrlsDep
) -> Response:
    """What was published is withdrawn; the draft waits again, as a new review."""
    return _answer(learning.undo(review_id, principal, reason=checked(UndoBody, payload).reason), urls)


@router.post(
    "/runbooks/{runbook_id}/promote",
    summary="Make a learned runbook a static one",
    responses={200: {"model": RunbookOut}, 409: {"model": ProblemDocument, "description": "It is none to promote."}},
)
def promote(runbook_id: RunbookIdDep, learning: LearningDep, principal: PrincipalDep, urls: UrlsDep) -> Response:
    """Moves a published dynamic runbook to the static ones: from then on people keep it, and its steps may be run."""
    stored = learning.promote(runbook_id, principal)
    view = RunbookView(stored, stored.document.runbooks[0])
    return json_answer(shapes.runbook_out(view, urls), headers={"ETag": stored.etag})


def _answer(page: ReviewPage, urls: Urls) -> Response:
    return json_answer(review_out(page, urls))
