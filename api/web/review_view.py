"""Drafts that wait for a person as their pages show them: the queue, and one draft with its evidence. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from api.learning.parts import ReviewItem, ReviewPage
from api.web.amounts import length, moment
from api.web.citations import with_citations
from api.web.diff_view import Diff
from api.web.incident_view import IncidentLine, incident_line
from api.web.marks import ago
from api.web.pattern_view import RateWords, TrendWords, rate_words, trend_words
from api.web.recommend_view import ActionLine, action_lines
from api.web.runbook_html import prose
from api.web.unified_view import read_unified
from api.web.urls import Urls
from kb.incident_records import StoredIncident
from kb.markdown import parse_document
from kb.pattern import Pattern
from kb.review_records import DraftKind, Review, ReviewStatus
from kb.runbook import Runbook

MAX_EVIDENCE = 50
_KINDS = {
    DraftKind.PATTERN: "Runbook for a pattern",
    DraftKind.INCIDENT: "Runbook for an incident",
    DraftKind.RESOLUTION: "Runbook of a resolution",
    DraftKind.PATCH: "Patch to a runbook",
}
STATUS_WORDS = {
    ReviewStatus.OPEN: "Waits",
    ReviewStatus.APPROVED: "Approved",
    ReviewStatus.REJECTED: "Rejected",
    ReviewStatus.UNDONE: "Taken back",
}
_TONES = {
    ReviewStatus.OPEN: "open",
    ReviewStatus.APPROVED: "good",
    ReviewStatus.REJECTED: "bad",
    ReviewStatus.UNDONE: "plain",
}


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """One line of the queue."""

    href: str
    title: str
    kind: str
    status: str
    tone: str
    pattern_name: str
    pattern_href: str
    frequency: int
    confidence: int
    evidence: int
    updated: str
    updated_at: str
    reviewer: str
    reason: str


@dataclass(frozen=True, slots=True)
class PatternSummary:
    """What a reviewer wants to know of the pattern at a glance."""

    name: str
    href: str
    frequency: int
    success: RateWords
    median: str
    trend: TrendWords
    confidence: int
    principals: int
    actions: tuple[ActionLine, ...]


@dataclass(frozen=True, slots=True)
class ReviewScreen:
    """The page of one draft. `digest` is that of the text shown, which is what a decision holds for."""

    id: str
    title: str
    kind: str
    is_patch: bool
    status: str
    tone: str
    is_open: bool
    is_approved: bool
    can_be_undone: bool
    revision: int
    digest: str
    document_id: str
    runbook_href: str
    edited_by: str
    body: Markup
    text: str
    diff: Diff
    offer: Diff
    notice: str
    updated: str
    updated_at: str
    decided: str
    reviewer: str
    reason: str
    pattern: PatternSummary | None
    incidents: tuple[IncidentLine, ...]
    hidden_incidents: int


def review_lines(items: Iterable[ReviewItem], *, urls: Urls, now: datetime) -> tuple[ReviewLine, ...]:
    """The queue, in its order."""
    return tuple(_line(item, urls, now) for item in items)


def _line(item: ReviewItem, urls: Urls, now: datetime) -> ReviewLine:
    review = item.review
    return ReviewLine(
        href=urls.review(review.id),
        title=item.title,
        kind=_KINDS[review.draft.kind],
        status=STATUS_WORDS[review.status],
        tone=_TONES[review.status],
        pattern_name=item.pattern_name,
        pattern_href=urls.pattern(review.draft.pattern_id),
        frequency=item.frequency,
        confidence=round(100 * item.confidence),
        evidence=review.draft.evidence_count,
        updated=ago(review.updated_at, now),
        updated_at=moment(review.updated_at),
        reviewer=review.reviewer,
        reason=review.reason,
    )


def review_screen(
    page: ReviewPage, incidents: Mapping[str, StoredIncident], *, urls: Urls, now: datetime
) -> ReviewScreen:
    """One draft; `incidents` holds those of its evidence that are shown."""
    review = page.review
    draft = review.draft
    document = parse_document(page.text.encode("utf-8", "replace"), path=f"dynamic/{draft.document_id}.md")
    shown = [incidents[key] for key in reversed(page.incident_ids) if key in incidents][:MAX_EVIDENCE]
    is_approved = review.status is ReviewStatus.APPROVED
    return ReviewScreen(
        id=review.id,
        title=page.title,
        kind=_KINDS[draft.kind],
        is_patch=draft.kind is DraftKind.PATCH,
        status=STATUS_WORDS[review.status],
        tone=_TONES[review.status],
        is_open=review.status is ReviewStatus.OPEN,
        is_approved=is_approved,
        can_be_undone=review.status in (ReviewStatus.APPROVED, ReviewStatus.REJECTED),
        revision=review.revision,
        digest=page.digest,
        document_id=draft.document_id,
        runbook_href=urls.runbook(draft.document_id) if is_approved or draft.kind is DraftKind.PATCH else "",
        edited_by=draft.edited_by,
        body=draft_html(document.runbooks[0], urls),
        text=page.text,
        diff=read_unified(page.diff),
        offer=read_unified(page.offer_diff),
        notice=page.notice,
        updated=ago(review.updated_at, now),
        updated_at=moment(review.updated_at),
        decided=_decided(review, now),
        reviewer=review.reviewer,
        reason=review.reason,
        pattern=_summary(page.pattern, urls) if page.pattern else None,
        incidents=tuple(incident_line(stored, {}, urls=urls, now=now) for stored in shown),
        hidden_incidents=max(0, len(page.incident_ids) - len(shown)),
    )


def draft_html(runbook: Runbook, urls: Urls) -> Markup:
    """A draft's text as it will read. Links to other files show as text: a draft has no place beside them yet."""
    return with_citations(prose(runbook, {}, lambda target: None), urls)


def _decided(review: Review, now: datetime) -> str:
    return ago(review.decided_at, now)


def _summary(pattern: Pattern, urls: Urls) -> PatternSummary:
    return PatternSummary(
        name=pattern.name,
        href=urls.pattern(pattern.id),
        frequency=pattern.frequency,
        success=rate_words(pattern.success),
        median=length(pattern.durations.p50_s),
        trend=trend_words(pattern.trend),
        confidence=round(100 * pattern.confidence.value),
        principals=len(pattern.evidence.principals),
        actions=action_lines(pattern.actions),
    )
