"""What every store of records does with drafts under review. Adapters inherit and say how a bench is made."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from kb.errors import InvalidInput
from kb.review_records import (
    DayCount,
    Decision,
    DraftChanged,
    DraftKind,
    NewDraft,
    Review,
    ReviewDecided,
    ReviewNotFound,
    ReviewStatus,
    count_by_day,
)
from tests.contracts.records_bench import ANNA, BEN, HOUR, RecordsBench

OPEN, APPROVED, REJECTED, UNDONE = ReviewStatus
DRAFT = NewDraft("pat-a", DraftKind.PATTERN, "disk-full", "a" * 64, "e1", 4)


class ReviewRecordsContract:
    """Inherit, and give a `bench` fixture whose store masks `hunter2`."""

    @pytest.fixture
    def bench(self) -> RecordsBench:
        raise NotImplementedError

    def put(self, bench: RecordsBench, draft: NewDraft = DRAFT) -> Review:
        with bench.store.change(ANNA) as change:
            return change.reviews.put(draft)

    def decide(self, bench: RecordsBench, review: Review, status: ReviewStatus, reason: str = "not ours") -> Review:
        with bench.store.change(BEN) as change:
            return change.reviews.decide(review.id, Decision(status, review.draft.text_sha256, reason))

    def test_a_draft_waits_for_a_person(self, bench: RecordsBench) -> None:
        review = self.put(bench)
        assert review == Review(review.id, DRAFT, OPEN, 1, bench.clock.at, bench.clock.at)
        with bench.store.read() as view:
            assert view.reviews.get(review.id) == review
            assert view.reviews.all(OPEN) == view.reviews.all() == [review]
            assert view.reviews.latest("pat-a", DraftKind.PATTERN) == review
            assert view.reviews.latest("pat-a", DraftKind.PATCH) is None

    def test_new_evidence_updates_the_open_draft_and_never_adds_a_second(self, bench: RecordsBench) -> None:
        first = self.put(bench)
        bench.clock.turn(HOUR)
        newer = replace(DRAFT, text_sha256="b" * 64, evidence_digest="e2", evidence_count=7)
        second = self.put(bench, newer)
        same = self.put(bench, newer)
        assert second == replace(first, draft=newer, revision=2, updated_at=first.opened_at + HOUR)
        assert same == second
        with bench.store.read() as view:
            assert view.reviews.all() == [second]

    def test_kinds_and_patterns_wait_side_by_side(self, bench: RecordsBench) -> None:
        reviews = [
            self.put(bench),
            self.put(bench, replace(DRAFT, kind=DraftKind.PATCH, text="--- a\n+++ b\n")),
            self.put(bench, replace(DRAFT, pattern_id="pat-b")),
        ]
        with bench.store.read() as view:
            assert {review.id for review in view.reviews.all(OPEN)} == {review.id for review in reviews}

    def test_a_patch_keeps_its_text_to_the_letter(self, bench: RecordsBench) -> None:
        text = "# Vault\r\n\r\nexport TOKEN=hunter2\n"
        review = self.put(bench, replace(DRAFT, kind=DraftKind.PATCH, text=text))
        with bench.store.read() as view:
            assert view.reviews.get(review.id).draft.text == text

    @pytest.mark.parametrize("status", [APPROVED, REJECTED])
    def test_a_decision_has_a_name_a_time_and_a_reason(self, bench: RecordsBench, status: ReviewStatus) -> None:
        review = self.put(bench)
        bench.clock.turn(HOUR)
        decided = self.decide(bench, review, status, " because of hunter2 ")
        assert (decided.status, decided.reviewer, decided.reason) == (status, "ben", "because of ***")
        assert decided.decided_at == decided.updated_at == review.opened_at + HOUR
        assert decided.is_pending
        with bench.store.read() as view:
            assert view.reviews.get(review.id) == decided
            assert view.reviews.all(OPEN) == []

    def test_after_a_decision_new_evidence_opens_a_new_review(self, bench: RecordsBench) -> None:
        first = self.put(bench)
        self.decide(bench, first, REJECTED)
        second = self.put(bench, replace(DRAFT, evidence_digest="e2"))
        assert second.id != first.id
        assert (second.status, second.revision) == (OPEN, 1)
        with bench.store.read() as view:
            assert view.reviews.latest("pat-a", DraftKind.PATTERN) == second
            assert view.reviews.get(first.id).status is REJECTED

    def test_only_the_text_that_was_seen_can_be_decided_on(self, bench: RecordsBench) -> None:
        seen = self.put(bench)
        self.put(bench, replace(DRAFT, text_sha256="b" * 64))
        with pytest.raises(DraftChanged):
            self.decide(bench, seen, APPROVED)

    @pytest.mark.parametrize("reason", ["", " \n"])
    def test_a_rejection_needs_a_reason_and_an_approval_does_not(self, bench: RecordsBench, reason: str) -> None:
        review = self.put(bench)
        with pytest.raises(InvalidInput) as caught:
            self.decide(bench, review, REJECTED, reason)
        assert caught.value.field == "reason"
        assert self.decide(bench, review, APPROVED, reason).reason == ""

    def test_a_decision_is_taken_once(self, bench: RecordsBench) -> None:
        review = self.put(bench)
        self.decide(bench, review, APPROVED)
        with pytest.raises(ReviewDecided) as caught:
            self.decide(bench, review, REJECTED)
        assert caught.value.status is APPROVED

    @pytest.mark.parametrize("status", [OPEN, UNDONE])
    def test_open_and_undone_are_no_decisions(self, bench: RecordsBench, status: ReviewStatus) -> None:
        with pytest.raises(InvalidInput):
            self.decide(bench, self.put(bench), status)

    def test_a_decision_taken_back_lets_the_draft_wait_again(self, bench: RecordsBench) -> None:
        review = self.put(bench)
        self.decide(bench, review, APPROVED)
        bench.clock.turn(HOUR)
        with bench.store.change(ANNA) as change:
            waits = change.reviews.undo(review.id, reason="wrong pod")
        assert (waits.status, waits.draft, waits.opened_at) == (OPEN, DRAFT, review.opened_at + HOUR)
        with bench.store.read() as view:
            undone = view.reviews.get(review.id)
            assert (undone.status, undone.reviewer, undone.reason) == (UNDONE, "anna", "wrong pod")
            assert view.reviews.all(OPEN) == [waits]

    def test_taking_back_beside_a_newer_draft_leaves_that_one_waiting(self, bench: RecordsBench) -> None:
        review = self.put(bench)
        self.decide(bench, review, REJECTED)
        newer = self.put(bench, replace(DRAFT, evidence_digest="e2"))
        with bench.store.change(ANNA) as change:
            assert change.reviews.undo(review.id) == newer

    def test_a_decision_is_pending_until_the_runbooks_are_as_it_says(self, bench: RecordsBench) -> None:
        review = self.put(bench)
        decided = self.decide(bench, review, APPROVED)
        with bench.store.read() as view:
            assert view.reviews.pending() == [decided]
        with bench.store.change(ANNA) as change:
            finished = change.reviews.finish(review.id)
            assert change.reviews.finish(review.id) == finished == replace(decided, is_pending=False)
        with bench.store.read() as view:
            assert (view.reviews.pending(), view.reviews.get(review.id)) == ([], finished)
        with bench.store.change(ANNA) as change:
            waits = change.reviews.undo(review.id)
        with bench.store.read() as view:
            assert view.reviews.pending() == [view.reviews.get(review.id)]
            assert not waits.is_pending

    def test_what_a_person_edited_keeps_their_name_and_the_learners_offer(self, bench: RecordsBench) -> None:
        edited = replace(DRAFT, base_sha256="b" * 64, text="# Mine\n", edited_by="ben", offer="# Newer \x00\n")
        review = self.put(bench, edited)
        assert review.draft == replace(edited, offer="# Newer \ufffd\n")
        with bench.store.read() as view:
            assert view.reviews.get(review.id) == review

    def test_what_was_not_decided_cannot_be_taken_back(self, bench: RecordsBench) -> None:
        review = self.put(bench)
        with pytest.raises(ReviewDecided), bench.store.change(ANNA) as change:
            change.reviews.undo(review.id)
        with pytest.raises(ReviewNotFound), bench.store.change(ANNA) as change:
            change.reviews.undo("none")

    def test_the_list_begins_with_what_changed_last(self, bench: RecordsBench) -> None:
        first = self.put(bench)
        bench.clock.turn(HOUR)
        second = self.put(bench, replace(DRAFT, pattern_id="pat-b"))
        bench.clock.turn(HOUR)
        decided = self.decide(bench, first, APPROVED)
        with bench.store.read() as view:
            assert view.reviews.all() == [decided, second]

    def test_reviews_are_counted_by_day(self, bench: RecordsBench) -> None:
        one = self.put(bench)
        self.put(bench, replace(DRAFT, pattern_id="pat-b"))
        bench.clock.turn(timedelta(days=1))
        self.decide(bench, one, REJECTED)
        self.decide(bench, self.put(bench, replace(DRAFT, pattern_id="pat-c")), APPROVED)
        with bench.store.read() as view:
            everything = count_by_day(view.reviews.since(bench.clock.at - timedelta(days=9)))
            today = view.reviews.since(bench.clock.at)
        assert everything == {
            date(2026, 3, 2): DayCount(opened=2),
            date(2026, 3, 3): DayCount(opened=1, approved=1, rejected=1),
        }
        assert [review.draft.pattern_id for review in today] == ["pat-a", "pat-c"]
