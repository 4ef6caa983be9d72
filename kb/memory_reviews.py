"""Drafts and decisions in memory: the twin of `kb.sql_reviews`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from kb.incident_cleaning import clean_text
from kb.memory_rows import Rows, Turn, Undo
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


class MemoryReviews:
    """`ReviewWrites` over a dictionary."""

    def __init__(self, turn: Turn, undo: Undo) -> None:
        self._turn = turn
        self._rows: Rows[str, Review] = Rows(undo)

    def get(self, review_id: str) -> Review:
        if review_id not in self._rows:
            raise ReviewNotFound(review_id)
        return self._rows[review_id]

    def all(self, status: ReviewStatus | None = None) -> Sequence[Review]:
        newest_first = [review for review in reversed(list(self._rows)) if status in (None, review.status)]
        return sorted(newest_first, key=lambda review: review.updated_at, reverse=True)

    def latest(self, pattern_id: str, kind: DraftKind) -> Review | None:
        mine = [one for one in self._rows if (one.draft.pattern_id, one.draft.kind) == (pattern_id, kind)]
        return mine[-1] if mine else None

    def since(self, moment: datetime) -> Sequence[Review]:
        return [one for one in self._rows if max(one.opened_at, one.decided_at or one.opened_at) >= moment]

    def pending(self) -> Sequence[Review]:
        return [one for one in self._rows if one.is_pending]

    def put(self, draft: NewDraft) -> Review:
        now = self._turn.now
        kept = plain_draft(draft)
        before = self.latest(draft.pattern_id, draft.kind)
        if before is None or before.status is not ReviewStatus.OPEN:
            return self._save(Review(self._turn.new_id(), kept, ReviewStatus.OPEN, 1, now, now))
        if before.draft == kept:
            return before
        return self._save(replace(before, draft=kept, revision=before.revision + 1, updated_at=now))

    def decide(self, review_id: str, decision: Decision) -> Review:
        before = self.get(review_id)
        check_decision(before, decision)
        return self._decided(before, decision.status, decision.reason)

    def undo(self, review_id: str, *, reason: str = "") -> Review:
        before = self.get(review_id)
        check_undo(before)
        self._decided(before, ReviewStatus.UNDONE, reason)
        waiting = self.latest(before.draft.pattern_id, before.draft.kind)
        if waiting is not None and waiting.status is ReviewStatus.OPEN:
            return waiting
        return self.put(before.draft)

    def finish(self, review_id: str) -> Review:
        before = self.get(review_id)
        return self._save(replace(before, is_pending=False)) if before.is_pending else before

    def _decided(self, before: Review, status: ReviewStatus, reason: str) -> Review:
        now = self._turn.now
        kept = clean_text(reason, self._turn.redact, max_chars=MAX_REASON_CHARS)
        who = self._turn.principal.name
        decided = replace(before, status=status, decided_at=now, updated_at=now, reviewer=who, reason=kept)
        return self._save(replace(decided, is_pending=True))

    def _save(self, review: Review) -> Review:
        self._rows.put(review.id, review)
        return review
