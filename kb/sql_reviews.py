"""Drafts and decisions about them in the database of records."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, RowMapping, Select, insert, or_, select, update

from kb.incident_cleaning import clean_text
from kb.record_ledger import Facts, Ledger
from kb.record_store import REVIEW_CHANGED
from kb.record_tables import reviews
from kb.review_records import (
    MAX_REASON_CHARS,
    Decision,
    DraftKind,
    NewDraft,
    Review,
    ReviewNotFound,
    ReviewStatus,
    check_decision,
    check_undo,
    plain_draft,
)


class SqlReviewReads:
    """`ReviewReads` on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, review_id: str) -> Review:
        row = self._connection.execute(select(reviews).where(reviews.c.id == review_id)).mappings().first()
        if row is None:
            raise ReviewNotFound(review_id)
        return _review(row)

    def all(self, status: ReviewStatus | None = None) -> Sequence[Review]:
        listed = select(reviews).order_by(reviews.c.updated_at.desc(), reviews.c.seq.desc())
        return self._all(listed if status is None else listed.where(reviews.c.status == status.value))

    def latest(self, pattern_id: str, kind: DraftKind) -> Review | None:
        mine = select(reviews).where(reviews.c.pattern_id == pattern_id, reviews.c.kind == kind.value)
        return next(iter(self._all(mine.order_by(reviews.c.seq.desc()).limit(1))), None)

    def since(self, moment: datetime) -> Sequence[Review]:
        recent = or_(reviews.c.opened_at >= moment, reviews.c.decided_at >= moment)
        return self._all(select(reviews).where(recent).order_by(reviews.c.seq))

    def pending(self) -> Sequence[Review]:
        return self._all(select(reviews).where(reviews.c.is_pending.is_(True)).order_by(reviews.c.seq))

    def _all(self, statement: Select[tuple[object, ...]]) -> list[Review]:
        return [_review(row) for row in self._connection.execute(statement).mappings()]


class SqlReviews(SqlReviewReads):
    """`ReviewWrites` in one write transaction."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger.connection)
        self._ledger = ledger

    def put(self, draft: NewDraft) -> Review:
        ledger = self._ledger
        kept = plain_draft(draft)
        before = self.latest(draft.pattern_id, draft.kind)
        if before is None or before.status is not ReviewStatus.OPEN:
            review = Review(ledger.journal.new_id(), kept, ReviewStatus.OPEN, 1, ledger.now, ledger.now)
            self._connection.execute(insert(reviews), _row(review))
            self._tell("review.open", review)
            return review
        if before.draft == kept:
            return before
        return self._save(replace(before, draft=kept, revision=before.revision + 1, updated_at=ledger.now), "update")

    def decide(self, review_id: str, decision: Decision) -> Review:
        before = self.get(review_id)
        check_decision(before, decision)
        return self._save(self._decided(before, decision.status, decision.reason), decision.status.value)

    def undo(self, review_id: str, *, reason: str = "") -> Review:
        before = self.get(review_id)
        check_undo(before)
        self._save(self._decided(before, ReviewStatus.UNDONE, reason), ReviewStatus.UNDONE.value)
        waiting = self.latest(before.draft.pattern_id, before.draft.kind)
        if waiting is not None and waiting.status is ReviewStatus.OPEN:
            return waiting
        return self.put(before.draft)

    def finish(self, review_id: str) -> Review:
        before = self.get(review_id)
        return self._save(replace(before, is_pending=False), "finish") if before.is_pending else before

    def _decided(self, before: Review, status: ReviewStatus, reason: str) -> Review:
        ledger = self._ledger
        return replace(
            before,
            status=status,
            decided_at=ledger.now,
            updated_at=ledger.now,
            reviewer=ledger.principal.name,
            reason=clean_text(reason, ledger.redact, max_chars=MAX_REASON_CHARS),
            is_pending=True,
        )

    def _save(self, review: Review, act: str) -> Review:
        self._connection.execute(update(reviews).where(reviews.c.id == review.id).values(**_row(review)))
        self._tell(f"review.{act}", review)
        return review

    def _tell(self, act: str, review: Review) -> None:
        facts: Facts = {
            "pattern_id": review.draft.pattern_id,
            "kind": review.draft.kind.value,
            "document_id": review.draft.document_id,
            "sha256": review.draft.text_sha256,
            "reason": review.reason,
        }
        self._ledger.tell(act, review.id, facts, topic=REVIEW_CHANGED)


def _row(review: Review) -> dict[str, object]:
    return {
        "id": review.id,
        "pattern_id": review.draft.pattern_id,
        "kind": review.draft.kind.value,
        "document_id": review.draft.document_id,
        "text_sha256": review.draft.text_sha256,
        "text": review.draft.text,
        "evidence_digest": review.draft.evidence_digest,
        "evidence_count": review.draft.evidence_count,
        "status": review.status.value,
        "revision": review.revision,
        "opened_at": review.opened_at,
        "updated_at": review.updated_at,
        "decided_at": review.decided_at,
        "reviewer": review.reviewer,
        "reason": review.reason,
        "base_sha256": review.draft.base_sha256,
        "edited_by": review.draft.edited_by,
        "offer": review.draft.offer,
        "is_pending": review.is_pending,
    }


def _review(row: RowMapping) -> Review:
    draft = NewDraft(
        pattern_id=row["pattern_id"],
        kind=DraftKind(row["kind"]),
        document_id=row["document_id"],
        text_sha256=row["text_sha256"],
        evidence_digest=row["evidence_digest"],
        evidence_count=row["evidence_count"],
        text=row["text"],
        base_sha256=row["base_sha256"],
        edited_by=row["edited_by"],
        offer=row["offer"],
    )
    return Review(
        id=row["id"],
        draft=draft,
        status=ReviewStatus(row["status"]),
        revision=row["revision"],
        opened_at=row["opened_at"],
        updated_at=row["updated_at"],
        decided_at=row["decided_at"],
        reviewer=row["reviewer"],
        reason=row["reason"],
        is_pending=row["is_pending"],
    )
