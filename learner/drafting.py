"""From patterns to drafts that wait for people: opens reviews, keeps open ones up to date, and leaves alone what people
have decided or edited. The rules are in `learner.draft_rules`, the texts in `learner.draft` and `learner.amend`.

A review is recorded before its file is written, so that a crash at any point leaves what the next `run` completes: a
decision that has not reached the runbooks, a review without its file, or a file that is one version behind.
"""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from kb.errors import KBError, StorageUnavailable
from kb.pattern import Pattern
from kb.pattern_records import PatternNotFound
from kb.record_store import RecordChange, RecordStore, RecordView
from kb.review_records import Decision, DraftChanged, DraftKind, NewDraft, Review, ReviewDecided, ReviewStatus
from kb.runbook import ReviewState
from kb.runbook_store import RunbookStore, StoredDocument
from learner.covering import is_named_by
from learner.draft_rules import (
    DraftRules,
    News,
    evidence_digest,
    in_turn,
    is_worth_an_update,
    kind_of,
    news_for,
    only_source,
)
from learner.draft_writing import DraftWriter, sha256_of, with_evidence
from learner.known_reviews import KnownReviews, known_reviews
from learner.settling import LEARNER, find_document, find_versions, reviewer_of, settle


@dataclass(slots=True)
class DraftReport:
    """What one run did, by review id. `waiting` counts patterns that are worth a draft and have to wait for room;
    `problems` say in plain words what could not be done."""

    opened: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    offered: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    waiting: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def has_changes(self) -> bool:
        """Whether any review or runbook is another now."""
        return bool(self.opened or self.updated or self.offered or self.closed or self.settled)


class Drafter:
    """Brings drafts and reviews in step with the patterns; one pass at a time.

    `patterns` gives those with enough incidents, `young` the latest groups that are none yet, `pattern` any group by
    its id, or raises `PatternNotFound`. `covers` tells the id of the published or static runbook that covers a pattern,
    which may be one of many in its file.
    `now` is the clock of the records. Several processes may run one each: every review is opened in a transaction that
    looks again.
    """

    def __init__(
        self,
        records: RecordStore,
        runbooks: RunbookStore,
        *,
        patterns: Callable[[], Sequence[Pattern]],
        pattern: Callable[[str], Pattern],
        covers: Callable[[Pattern], str | None],
        now: Callable[[], datetime],
        rules: DraftRules | None = None,
        young: Callable[[], Sequence[Pattern]] = tuple,
    ) -> None:
        self._records = records
        self._runbooks = runbooks
        self._writer = DraftWriter(records, runbooks)
        self._patterns = patterns
        self._young = young
        self._pattern = pattern
        self._covers = covers
        self._now = now
        self._rules = rules or DraftRules()
        self._turn = threading.Lock()
        self._nothing_for: dict[str, tuple[str, int]] = {}

    def run(self) -> DraftReport:
        """Idempotent. Raises `StorageUnavailable`."""
        with self._turn:
            report = DraftReport()
            self._settle_pending(report)
            known = self._read()
            patterns = {one.id: one for one in (*self._young(), *self._patterns())}
            patterns.update(self._found(known.waiting - patterns.keys()))
            wanted = self._follow_all(patterns, known, report)
            if report.closed:  # what was put away this moment may be worth another draft by now
                known = self._read()
                wanted = self._follow_all(patterns, known, report)
            self._open_in_turn(in_turn(wanted, self._rules), patterns, known, report)
            return report

    def _read(self) -> KnownReviews:
        with self._records.read() as view:
            return known_reviews(view)

    def _follow_all(self, patterns: Mapping[str, Pattern], known: KnownReviews, report: DraftReport) -> list[Pattern]:
        """Look after all reviews; the patterns that want a new one."""
        self._close_orphans(patterns, known, report)
        return [one for one in patterns.values() if self._follow(one, known.by_pattern.get(one.id, ()), report)]

    def _found(self, pattern_ids: Collection[str]) -> dict[str, Pattern]:
        """Groups that have a draft already, however small or old they are."""
        found = {}
        for pattern_id in pattern_ids:
            with suppress(PatternNotFound):
                found[pattern_id] = self._pattern(pattern_id)
        return found

    def _settle_pending(self, report: DraftReport) -> None:
        """Carry out what was decided before a crash."""
        with self._records.read() as view:
            pending = view.reviews.pending()
        for review in pending:
            try:
                settle(review, self._runbooks, reviewer_of(review))
            except DraftChanged as exc:
                with self._records.change(LEARNER) as change:
                    change.reviews.undo(review.id, reason=exc.message)
                    change.reviews.finish(review.id)
            except StorageUnavailable:
                raise
            except KBError as exc:
                report.problems.append(f"Review {review.id} waits to be carried out: {exc.message}")
                continue
            else:
                with self._records.change(LEARNER) as change:
                    change.reviews.finish(review.id)
            report.settled.append(review.id)

    def _follow(self, pattern: Pattern, mine: Sequence[Review], report: DraftReport) -> bool:
        """Look after the reviews of a pattern; whether it wants a new one."""
        waiting = [review for review in mine if review.status is ReviewStatus.OPEN]
        for spare in waiting[1:]:
            self._close(spare, "Its pattern is one with another now, whose draft waits already.", report)
        if waiting:
            self._keep_up(waiting[0], pattern, report)
            return False
        latest = max(mine, key=lambda review: review.updated_at, default=None)
        if latest is None or news_for(latest, pattern, self._rules) is News.CLEAR:
            return True
        return latest.draft.document_id in self._wrongly_covering(pattern, mine)

    def _keep_up(self, review: Review, pattern: Pattern, report: DraftReport) -> None:
        """An open review and what it is about: completed after a crash, followed where people went on, updated."""
        draft = review.draft
        stored = find_document(self._runbooks, draft.document_id)
        if stored is None and self._was_written(review):
            self._close(review, "Its runbook was removed.", report)
        elif stored is None:
            self._write(review, report)
        elif stored.state is ReviewState.PUBLISHED and stored.document.sha256 == draft.text_sha256:
            self._close(review, "Published as a runbook, without this review.", report, ReviewStatus.APPROVED)
        elif draft.base_sha256:
            self._keep_up_change(review, pattern, stored, report)
        elif not self._writer.is_ours(draft.document_id):
            self._write_elsewhere(review, pattern, report)
        elif not self._writer.is_as_written(stored):
            self._follow_edit(review, pattern, stored, report)
        elif stored.document.sha256 != draft.text_sha256:
            self._write(review, report)
        elif is_worth_an_update(review, pattern, self._rules):
            text = self._writer.text(pattern, draft.document_id)
            newer = with_evidence(replace(draft, text=text, text_sha256=sha256_of(text)), pattern)
            if (updated := self._put(review, newer)) is not None:
                report.updated.append(review.id)
                self._write(updated, report)

    def _was_written(self, review: Review) -> bool:
        """Whether the file of a review was there since it was opened, so that somebody has removed it."""
        if review.draft.base_sha256:
            return True
        versions = find_versions(self._runbooks, review.draft.document_id)
        return bool(versions) and versions[0].created_at > review.opened_at

    def _write_elsewhere(self, review: Review, pattern: Pattern, report: DraftReport) -> None:
        """Somebody else's runbook has taken the name before the draft's file was written: it gets another one."""
        newer = self._writer.new_draft(pattern, review.draft.kind, taken={review.draft.document_id})
        moved = self._put(review, replace(newer, pattern_id=review.draft.pattern_id))
        if moved is not None:
            report.updated.append(review.id)
            self._write(moved, report)

    def _follow_edit(self, review: Review, pattern: Pattern, stored: StoredDocument, report: DraftReport) -> None:
        """A person changed the draft: their text stays, and what the learner would write now is offered beside it."""
        draft = replace(review.draft, text_sha256=stored.document.sha256, edited_by=stored.author)
        if is_worth_an_update(review, pattern, self._rules):
            draft = with_evidence(replace(draft, offer=self._writer.text(pattern, draft.document_id)), pattern)
        if draft != review.draft and self._put(review, draft) is not None:
            report.offered.append(review.id)

    def _keep_up_change(self, review: Review, pattern: Pattern, stored: StoredDocument, report: DraftReport) -> None:
        """A change of a runbook that is there: made anew when either the runbook or the evidence has moved on."""
        draft = review.draft
        is_stale = stored.document.sha256 != draft.base_sha256
        if not is_stale and not is_worth_an_update(review, pattern, self._rules):
            return
        newer = self._writer.change(pattern, stored, draft.kind, entry_id=self._covers(pattern) or "")
        if newer is None:
            if is_stale:
                self._close(review, "The runbook says it already.", report)
            return
        newer = replace(newer, pattern_id=draft.pattern_id)
        if draft.edited_by:
            newer = with_evidence(replace(draft, offer=newer.text), pattern)
        if newer != draft and self._put(review, newer) is not None:
            (report.offered if draft.edited_by else report.updated).append(review.id)

    def _close_orphans(self, patterns: Mapping[str, Pattern], known: KnownReviews, report: DraftReport) -> None:
        """Drafts whose pattern has no incident any more, because people took them out or apart."""
        for pattern_id, reviews in known.by_pattern.items():
            if pattern_id in patterns or known.sizes.get(pattern_id) or not known.is_recorded(pattern_id):
                continue
            for review in reviews:
                if review.status is ReviewStatus.OPEN and not review.draft.edited_by:
                    self._close(review, "No incident stands for it any more.", report)

    def _open_in_turn(
        self, wanted: Sequence[Pattern], patterns: Mapping[str, Pattern], known: KnownReviews, report: DraftReport
    ) -> None:
        taken = known.document_ids
        worth_a_look = [pattern for pattern in wanted if self._nothing_for.get(pattern.id) != self._state_of(pattern)]
        for place, pattern in enumerate(worth_a_look):
            with self._records.read() as view:
                if self._is_full(view):
                    report.waiting += len(worth_a_look) - place
                    return
            draft = self._draft_for(pattern, known.by_pattern.get(pattern.id, ()), taken)
            if draft is None:
                self._nothing_for[pattern.id] = self._state_of(pattern)
                continue
            with self._records.change(LEARNER) as change:
                review = self._open(change, draft, pattern, patterns, known)
            if review is None:
                report.waiting += 1
                continue
            taken.add(draft.document_id)
            report.opened.append(review.id)
            if not draft.base_sha256:
                self._write(review, report)

    def _state_of(self, pattern: Pattern) -> tuple[str, int]:
        """While this is the same, what there is to ask about a pattern is the same."""
        return evidence_digest(pattern), self._runbooks.revision()

    def _is_full(self, view: RecordView | RecordChange, kind: DraftKind | None = None) -> bool:
        today = self._now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        opened = [review.draft.kind for review in view.reviews.since(today) if review.opened_at >= today]
        if kind is DraftKind.INCIDENT and opened.count(kind) >= self._rules.max_incidents_a_day:
            return True
        waiting = view.reviews.all(ReviewStatus.OPEN)
        return len(opened) >= self._rules.max_new_a_day or len(waiting) >= self._rules.max_waiting

    def _wrongly_covering(self, pattern: Pattern, mine: Sequence[Review]) -> set[str]:
        """Runbooks that were only thought to cover a pattern: people rejected the patch, and they are not for its alert
        by name. The pattern may have a runbook of its own instead, once."""
        rejected = {
            one.draft.document_id
            for one in mine
            if one.draft.kind is DraftKind.PATCH
            and one.status is ReviewStatus.REJECTED
            and one.reviewer != LEARNER.name
        }
        found = ((key, find_document(self._runbooks, key)) for key in rejected)
        return {key for key, stored in found if stored is not None and not is_named_by(stored.document, pattern)}

    def _covering(self, pattern: Pattern, mine: Sequence[Review]) -> str | None:
        covered_by = self._covers(pattern)
        stored = find_document(self._runbooks, covered_by) if covered_by else None
        return None if stored and stored.document.id in self._wrongly_covering(pattern, mine) else covered_by

    def _draft_for(self, pattern: Pattern, mine: Sequence[Review], taken: set[str]) -> NewDraft | None:
        """What to ask people about a pattern that has no open review; None when there is nothing to ask."""
        kind = kind_of(pattern, self._rules, now=self._now())
        own = next((one for one in reversed(mine) if one.status is ReviewStatus.APPROVED), None)
        covered_by = own.draft.document_id if own else self._covering(pattern, mine) if kind else None
        if covered_by is None:
            before = next((one.draft.document_id for one in reversed(mine) if not one.draft.base_sha256), "")
            return self._writer.new_draft(pattern, kind, taken=taken, document_id=before) if kind else None
        stored = find_document(self._runbooks, covered_by)
        if stored is None:
            return None
        still_ours = own is not None and not own.draft.edited_by and own.draft.text_sha256 == stored.document.sha256
        if own is not None and still_ours and own.draft.kind is not DraftKind.PATCH:
            return self._writer.change(pattern, stored, own.draft.kind)
        return self._writer.change(pattern, stored, DraftKind.PATCH, entry_id=covered_by)

    def _open(
        self,
        change: RecordChange,
        draft: NewDraft,
        pattern: Pattern,
        patterns: Mapping[str, Pattern],
        known: KnownReviews,
    ) -> Review | None:
        """The new review; None when there is no room, or another process was quicker."""
        current = known_reviews(change)
        if len(current.by_pattern.get(pattern.id, ())) != len(known.by_pattern.get(pattern.id, ())):
            return None
        if not draft.base_sha256 and draft.document_id in current.document_ids - known.document_ids:
            return None
        sources = [
            only_source(patterns[pattern_id]) if pattern_id in patterns else None for pattern_id in current.waiting
        ]
        source = only_source(pattern)
        is_flooded = source is not None and sources.count(source) >= self._rules.max_of_one_source
        return None if is_flooded or self._is_full(change, draft.kind) else change.reviews.put(draft)

    def _put(self, before: Review, draft: NewDraft) -> Review | None:
        """The open review with a newer draft; None when somebody decided or changed it in the meantime."""
        with self._records.change(LEARNER) as change:
            if change.reviews.get(before.id) != before:
                return None
            return change.reviews.put(draft)

    def _write(self, review: Review, report: DraftReport) -> None:
        if not self._writer.write(review):
            report.problems.append(f"The file of draft '{review.draft.document_id}' was changed by somebody else.")

    def _close(
        self, review: Review, reason: str, report: DraftReport, status: ReviewStatus = ReviewStatus.REJECTED
    ) -> None:
        """End a review that there is nothing to decide about any more, unless somebody decides this moment."""
        try:
            with self._records.change(LEARNER) as change:
                decided = change.reviews.decide(review.id, Decision(status, review.draft.text_sha256, reason))
        except (DraftChanged, ReviewDecided):
            return
        settle(decided, self._runbooks, LEARNER)
        with self._records.change(LEARNER) as change:
            change.reviews.finish(review.id)
        report.closed.append(review.id)
