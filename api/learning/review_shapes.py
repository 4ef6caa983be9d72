"""Drafts, votes and outcomes -> bodies of `api.learning.review_schemas` (pure)."""

from collections.abc import Sequence
from typing import Any

from api.learning import review_schemas as schemas
from api.learning.parts import ReviewItem, ReviewPage
from api.learning.pattern_shapes import pattern_summary
from api.shapes import plain, time_text
from api.web.urls import Urls
from kb.feedback import Outcome, Vote
from kb.review_records import Review


def review_list(items: Sequence[ReviewItem], urls: Urls) -> schemas.ReviewList:
    """The queue."""
    return schemas.ReviewList(reviews=[review_summary(item, urls) for item in items], total=len(items))


def review_summary(item: ReviewItem, urls: Urls) -> schemas.ReviewSummary:
    """A draft in the queue."""
    return schemas.ReviewSummary(
        **_review_fields(item.review, item.title, urls),
        pattern_name=plain(item.pattern_name),
        frequency=item.frequency,
        confidence=round(item.confidence, 4),
    )


def review_out(page: ReviewPage, urls: Urls) -> schemas.ReviewOut:
    """One draft with its evidence."""
    pattern, draft = page.pattern, page.review.draft
    return schemas.ReviewOut(
        **_review_fields(page.review, page.title, urls),
        pattern_name=plain(pattern.name) if pattern else "",
        frequency=pattern.frequency if pattern else 0,
        confidence=round(pattern.confidence.value, 4) if pattern else 0.0,
        text=plain(page.text),
        sha256=page.digest,
        diff=plain(page.diff),
        notice=plain(page.notice),
        edited_by=plain(draft.edited_by),
        offer_diff=plain(page.offer_diff),
        incident_ids=list(page.incident_ids),
        pattern=pattern_summary(pattern, urls) if pattern else None,
    )


def vote_out(vote: Vote) -> schemas.VoteOut:
    """A vote."""
    return schemas.VoteOut(
        target=plain(vote.vote.target),
        case=plain(vote.vote.case),
        verdict=vote.vote.verdict,
        note=plain(vote.vote.note),
        principal=plain(vote.principal),
        at=time_text(vote.event_time) or "",
    )


def outcome_out(told: Outcome) -> schemas.OutcomeOut:
    """How using something ended."""
    return schemas.OutcomeOut(
        incident_id=told.outcome.incident_id,
        target=plain(told.outcome.target),
        outcome=told.outcome.outcome,
        took_s=told.outcome.took_s,
        note=plain(told.outcome.note),
        principal=plain(told.principal),
        at=time_text(told.event_time) or "",
        recurred_at=time_text(told.recurred_at),
    )


def _review_fields(review: Review, title: str, urls: Urls) -> dict[str, Any]:
    return {
        "id": review.id,
        "title": plain(title),
        "kind": review.draft.kind,
        "status": review.status,
        "pattern_id": review.draft.pattern_id,
        "runbook_id": review.draft.document_id,
        "revision": review.revision,
        "evidence_count": review.draft.evidence_count,
        "opened_at": time_text(review.opened_at) or "",
        "updated_at": time_text(review.updated_at) or "",
        "decided_at": time_text(review.decided_at),
        "reviewer": plain(review.reviewer),
        "reason": plain(review.reason),
        "url": urls.review(review.id),
    }
