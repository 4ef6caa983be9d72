"""What people do with the learner's drafts: read, edit, approve, reject, take back, promote. A decision is recorded
first, with the name of who took it, and then carried out; `learner.drafting` completes what a crash cuts off."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from kb.errors import EditConflict, InvalidInput, KBError, StorageUnavailable
from kb.front_matter import split_front_matter
from kb.pattern import Pattern
from kb.pattern_records import PatternNotFound
from kb.principal import Face, Principal, Role
from kb.record_store import RecordStore
from kb.review import publishes_by_writing
from kb.review_records import (
    Decision,
    DraftChanged,
    PersonNeeded,
    Review,
    ReviewDecided,
    ReviewStatus,
    check_undo,
)
from kb.runbook import ReviewState
from kb.runbook_store import MAX_FILE_BYTES, RunbookStore, StoredDocument, diff_texts
from learner.draft_writing import sha256_of
from learner.settling import find_document, settle, text_of_digest

PROMOTED_FOLDER = "static/learned"
_FACES = frozenset({Face.HTTP, Face.WEB, Face.CLI})
_NO_PEOPLE = frozenset({Role.AGENT, Role.SYSTEM})


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """One line of the queue. `title` is the draft's; the rest is the pattern's, empty when it is no more."""

    review: Review
    title: str
    pattern_name: str
    frequency: int
    confidence: float


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """All that a reviewer needs. `text` is exactly what would be, or was, published, and `digest` its SHA-256: send it
    with the decision. `diff` leads there from what is published now, all of it added for a new runbook. `offer_diff`
    leads from a text that a person edited to what the learner would write by now, empty for nothing new. `notice` says
    in a sentence what a reviewer should know first."""

    review: Review
    title: str
    text: str
    digest: str
    diff: str
    pattern: Pattern | None
    incident_ids: tuple[str, ...]
    offer_diff: str = ""
    notice: str = ""


class Reviews:
    """Over one store of records and one of runbooks. `pattern` follows forwarding ids and raises `PatternNotFound`."""

    def __init__(
        self,
        records: RecordStore,
        runbooks: RunbookStore,
        *,
        pattern: Callable[[str], Pattern],
        now: Callable[[], datetime],
    ) -> None:
        self._records = records
        self._runbooks = runbooks
        self._pattern = pattern
        self._now = now

    def queue(self, status: ReviewStatus | None = ReviewStatus.OPEN) -> Sequence[ReviewItem]:
        """Drafts in one state of review or all, those that changed last first."""
        with self._records.read() as view:
            reviews = view.reviews.all(status)
        return [self._item(review) for review in reviews]

    def page(self, review_id: str) -> ReviewPage:
        """One draft as it is now. Raises `ReviewNotFound`."""
        with self._records.read() as view:
            review = view.reviews.get(review_id)
        return self._page(review)

    def edit(self, review_id: str, text: str, principal: Principal) -> ReviewPage:
        """Change the text that waits. It stays a draft, and from now on the learner does not write over it.

        Raises `ReviewDecided`, `DraftChanged` when the runbook has changed meanwhile, `InvalidInput`.
        """
        _check_person(principal)
        review = self._open(review_id)
        raw = _checked(text)
        stored = find_document(self._runbooks, review.draft.document_id)
        if stored is None:
            raise DraftChanged(review_id)
        draft = replace(review.draft, text_sha256=sha256_of(text), edited_by=principal.name, offer="")
        if review.draft.base_sha256:
            draft = replace(draft, text=text, base_sha256=stored.document.sha256)
        else:
            note = f"edited in review {review.id}"
            self._runbooks.update(stored.document.id, raw, principal, if_match=stored.etag, note=note)
        with self._records.change(principal) as change:
            if change.reviews.get(review_id).status is not ReviewStatus.OPEN:
                raise ReviewDecided(review_id, change.reviews.get(review_id).status)
            return self._page(change.reviews.put(draft))

    def approve(self, review_id: str, principal: Principal, *, digest: str) -> ReviewPage:
        """Publish the text of that digest: a draft becomes searchable, a change becomes the runbook's text.

        Raises `DraftChanged` when the draft, or the runbook that it changes, is not what the reviewer has seen;
        `ReviewDecided`, `PersonNeeded`.
        """
        _check_publisher(principal)
        page = self._seen(review_id, digest)
        stored = find_document(self._runbooks, page.review.draft.document_id)
        base = page.review.draft.base_sha256
        if stored is None or stored.document.sha256 not in {base, digest} - {""}:
            raise DraftChanged(review_id)
        return self._decide(page, Decision(ReviewStatus.APPROVED, digest), principal)

    def reject(self, review_id: str, principal: Principal, *, digest: str, reason: str) -> ReviewPage:
        """Turn the draft down: its file goes, its history stays, and the learner asks again only when the evidence has
        clearly changed. Raises `InvalidInput` with no reason, and as `approve` does."""
        _check_person(principal)
        page = self._seen(review_id, digest)
        return self._decide(page, Decision(ReviewStatus.REJECTED, digest, reason), principal)

    def undo(self, review_id: str, principal: Principal, *, reason: str = "") -> ReviewPage:
        """Take a decision back: everything is as before it, and the draft waits again, as the review returned.

        Raises `ReviewDecided` when there is none, `DraftChanged` when the approved text was edited since, and
        `InvalidInput` when the runbook was promoted since.
        """
        _check_publisher(principal)
        with self._records.read() as view:
            review = view.reviews.get(review_id)
        check_undo(review)
        self._check_as_decided(review)
        with self._records.change(principal) as change:
            waiting = change.reviews.undo(review_id, reason=reason)
            undone = change.reviews.get(review_id)
        self._carry_out(undone, principal)
        return self._page(waiting)

    def promote(self, runbook_id: str, principal: Principal) -> StoredDocument:
        """Make a published learned runbook a static one, in `static/learned`: an act of its own, and the one after
        which its text may ever run. Raises `RunbookNotFound`, `RunbookExists`, `InvalidInput`, `PersonNeeded`."""
        _check_publisher(principal)
        stored = self._runbooks.get(runbook_id)
        if stored.document.path.startswith(f"{PROMOTED_FOLDER}/"):  # a crash came between the move and its record
            return self._runbooks.publish(stored.document.id, principal, digest=stored.document.sha256)
        if stored.state is not ReviewState.PUBLISHED:
            raise InvalidInput("id", "names a runbook that is not published", advice="Approve it first.")
        digest = stored.document.sha256
        return self._runbooks.promote(stored.document.id, PROMOTED_FOLDER, principal, digest=digest)

    def _open(self, review_id: str) -> Review:
        with self._records.read() as view:
            review = view.reviews.get(review_id)
        if review.status is not ReviewStatus.OPEN:
            raise ReviewDecided(review_id, review.status)
        return review

    def _seen(self, review_id: str, digest: str) -> ReviewPage:
        page = self._page(self._open(review_id))
        if page.digest != digest:
            raise DraftChanged(review_id)
        return page

    def _decide(self, page: ReviewPage, decision: Decision, principal: Principal) -> ReviewPage:
        with self._records.change(principal) as change:
            kept = change.reviews.get(page.review.id)
            if kept.status is ReviewStatus.OPEN and kept.draft != page.review.draft:
                change.reviews.put(page.review.draft)  # what was edited on disk, and is what the reviewer has seen
            decided = change.reviews.decide(page.review.id, decision)
        self._carry_out(decided, principal)
        return self.page(decided.id)

    def _carry_out(self, decided: Review, principal: Principal) -> None:
        """Settle a decision. What the disk refuses stays pending; an approval of what has just changed is taken
        back."""
        try:
            settle(decided, self._runbooks, principal)
        except (DraftChanged, EditConflict) as exc:
            with self._records.change(principal) as change:
                if decided.status is ReviewStatus.APPROVED:
                    change.reviews.undo(decided.id, reason=exc.message)
                change.reviews.finish(decided.id)
            raise DraftChanged(decided.id) from exc
        except StorageUnavailable:
            raise
        except KBError:
            with self._records.change(principal) as change:
                if decided.status is ReviewStatus.APPROVED:
                    change.reviews.undo(decided.id, reason="It could not be published.")
                change.reviews.finish(decided.id)
            raise
        with self._records.change(principal) as change:
            change.reviews.finish(decided.id)

    def _check_as_decided(self, review: Review) -> None:
        if review.status is not ReviewStatus.APPROVED:
            return
        stored = find_document(self._runbooks, review.draft.document_id)
        if stored is None or stored.document.sha256 != review.draft.text_sha256:
            raise DraftChanged(review.id)
        if not review.draft.base_sha256 and not stored.document.path.startswith("dynamic/"):
            raise InvalidInput(
                "review", "is of a runbook that was promoted since", advice="Edit or delete the runbook itself."
            )

    def _item(self, review: Review) -> ReviewItem:
        pattern = self._find_pattern(review)
        text = review.draft.text or self._text(review)[0]
        return ReviewItem(
            review=review,
            title=_title(text, review),
            pattern_name=pattern.name if pattern else "",
            frequency=pattern.frequency if pattern else 0,
            confidence=pattern.confidence.value if pattern else 0.0,
        )

    def _page(self, review: Review) -> ReviewPage:
        text, edited_by = self._text(review)
        digest = sha256_of(text) if review.status is ReviewStatus.OPEN and text else review.draft.text_sha256
        shown = review
        if review.status is ReviewStatus.OPEN and digest != review.draft.text_sha256:
            shown = replace(review, draft=replace(review.draft, text_sha256=digest, edited_by=edited_by))
        pattern = self._find_pattern(review)
        offer = review.draft.offer
        return ReviewPage(
            review=shown,
            title=_title(text, review),
            text=text,
            digest=digest,
            diff=self._diff(review, text),
            pattern=pattern,
            incident_ids=pattern.evidence.incident_ids if pattern else (),
            offer_diff=diff_texts(text.encode(), offer.encode(), "edited", "learnt since") if offer else "",
            notice=self._notice(shown, text),
        )

    def _text(self, review: Review) -> tuple[str, str]:
        """The text that waits or was decided on, and who changed it after the learner."""
        draft = review.draft
        if draft.base_sha256:
            return draft.text, draft.edited_by
        stored = find_document(self._runbooks, draft.document_id)
        if stored is not None and review.status is ReviewStatus.OPEN:
            raw = self._runbooks.version_text(stored.document.id, stored.version)
            return raw.decode("utf-8", "replace"), stored.author
        if sha256_of(draft.text) == draft.text_sha256:
            return draft.text, draft.edited_by
        decided = text_of_digest(self._runbooks, draft.document_id, draft.text_sha256)
        return (decided or b"").decode("utf-8", "replace"), draft.edited_by

    def _diff(self, review: Review, text: str) -> str:
        draft = review.draft
        before = b""
        if draft.base_sha256:
            before = text_of_digest(self._runbooks, draft.document_id, draft.base_sha256) or b""
        return diff_texts(before, text.encode("utf-8"), _label(before, draft.document_id), f"b/{draft.document_id}")

    def _notice(self, review: Review, text: str) -> str:
        draft = review.draft
        if review.status is not ReviewStatus.OPEN:
            return ""
        if not text:
            return "Its file is not written yet; read it again in a moment."
        stored = find_document(self._runbooks, draft.document_id) if draft.base_sha256 else None
        if stored is not None and stored.document.sha256 != draft.base_sha256:
            return "The runbook has changed since this was written, so it cannot be approved; edit it again."
        if draft.offer:
            return f"{draft.edited_by} has edited it; there is newer evidence, which the second diff shows."
        return f"{draft.edited_by} has edited it." if draft.edited_by else ""

    def _find_pattern(self, review: Review) -> Pattern | None:
        try:
            return self._pattern(review.draft.pattern_id)
        except PatternNotFound:
            return None


def _label(before: bytes, document_id: str) -> str:
    return f"a/{document_id}" if before else "/dev/null"


def _title(text: str, review: Review) -> str:
    """The title in the front matter, else the first heading, else the id of the document."""
    header = split_front_matter(text, path=review.draft.document_id).header
    heading = next((line.lstrip("# ").strip() for line in text.splitlines() if line.startswith("# ")), "")
    return header.title or heading or review.draft.document_id


def _checked(text: str) -> bytes:
    if not text.strip():
        raise InvalidInput("text", "is empty", advice="Reject the draft when there is nothing to say.")
    try:
        raw = text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidInput("text", "cannot be written as UTF-8") from None
    if b"\x00" in raw or len(raw) > MAX_FILE_BYTES:
        raise InvalidInput("text", f"holds a NUL character or more than {MAX_FILE_BYTES} bytes")
    return raw


def _check_person(principal: Principal) -> None:
    if principal.role in _NO_PEOPLE or principal.face not in _FACES:
        raise PersonNeeded


def _check_publisher(principal: Principal) -> None:
    if not publishes_by_writing(principal):
        raise PersonNeeded
