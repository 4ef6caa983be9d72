"""What a decision on a draft does to the runbooks. Everything here may be done twice: a crash after the decision leaves
it pending in the records, and the next pass settles it again."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from kb.errors import EditConflict, RunbookExists, RunbookNotFound
from kb.principal import Face, Principal, Role
from kb.review import is_dynamic
from kb.review_records import DraftChanged, Review, ReviewStatus
from kb.runbook import ReviewState
from kb.runbook_store import RunbookStore, StoredDocument, Version

LEARNER = Principal("sre-kb learner", Role.SYSTEM, Face.SYSTEM)
"""Who writes drafts. The space keeps the name apart from those of keys."""


def settle(review: Review, runbooks: RunbookStore, principal: Principal) -> None:
    """Make the runbooks as a decided review says. Raises `DraftChanged` when an approved draft is not there any more as
    it was approved; nothing was changed then. Two may settle the same review at once: whoever comes second finds it
    done."""
    try:
        _ACTS[review.status](review, runbooks, principal)
    except (EditConflict, RunbookExists, RunbookNotFound):
        _ACTS[review.status](review, runbooks, principal)


def reviewer_of(review: Review) -> Principal:
    """Who decided, for settling it after a crash: the name is known, the face they came through is not."""
    return Principal(review.reviewer, Role.SYSTEM, Face.SYSTEM)


def find_document(runbooks: RunbookStore, document_id: str) -> StoredDocument | None:
    """The live document of that id."""
    try:
        return runbooks.get(document_id)
    except RunbookNotFound:
        return None


def find_versions(runbooks: RunbookStore, document_id: str) -> tuple[Version, ...]:
    """Versions of a document that is or was there, newest first; none when it never was."""
    try:
        return tuple(runbooks.versions(document_id))
    except RunbookNotFound:
        return ()


def text_of_digest(runbooks: RunbookStore, document_id: str, sha256: str) -> bytes | None:
    """The bytes of the newest version that has this digest."""
    for version in find_versions(runbooks, document_id):
        if version.sha256 == sha256:
            return runbooks.version_text(document_id, version.number)
    return None


def _approve(review: Review, runbooks: RunbookStore, principal: Principal) -> None:
    draft = review.draft
    stored = find_document(runbooks, draft.document_id)
    if stored is not None and draft.base_sha256 and stored.document.sha256 == draft.base_sha256:
        raw = draft.text.encode()
        note = f"review {review.id}"
        stored = runbooks.update(stored.document.id, raw, _unseen(principal), if_match=stored.etag, note=note)
    if stored is None or stored.document.sha256 != draft.text_sha256:
        raise DraftChanged(review.id)
    if stored.state is not ReviewState.PUBLISHED:
        runbooks.publish(stored.document.id, principal, digest=draft.text_sha256)


def _put_away(review: Review, runbooks: RunbookStore, principal: Principal) -> None:
    """A rejected draft leaves the folder, so that nobody finds it; its history stays. Edited since, it is a text of
    somebody's and stays."""
    draft = review.draft
    stored = find_document(runbooks, draft.document_id)
    if draft.base_sha256 or stored is None or stored.state is not ReviewState.DRAFT:
        return
    if stored.document.sha256 == draft.text_sha256:
        runbooks.delete(stored.document.id, principal, if_match=stored.etag)


def _take_back(review: Review, runbooks: RunbookStore, principal: Principal) -> None:
    draft = review.draft
    stored = find_document(runbooks, draft.document_id)
    if draft.base_sha256:
        if stored is not None:
            _put_base_back(review, stored, runbooks, principal)
    elif stored is None:
        _bring_back(review, runbooks, principal)
    elif is_dynamic(stored.document.path) and stored.document.sha256 == draft.text_sha256:
        runbooks.withdraw(stored.document.id, principal, digest=draft.text_sha256)


def _put_base_back(review: Review, stored: StoredDocument, runbooks: RunbookStore, principal: Principal) -> None:
    """The text before the change, published only if it was. A text that is neither is somebody's, and stays."""
    draft, document_id = review.draft, stored.document.id
    history = iter(runbooks.versions(document_id))
    is_applied = any(version.sha256 == draft.text_sha256 for version in history)
    base = next((version for version in history if version.sha256 == draft.base_sha256), None)
    if not is_applied or base is None:
        return
    if stored.document.sha256 == draft.text_sha256:
        raw, note = runbooks.version_text(document_id, base.number), f"review {review.id} taken back"
        stored = runbooks.update(document_id, raw, _unseen(principal), if_match=stored.etag, note=note)
    is_back = stored.document.sha256 == draft.base_sha256 and stored.state is not ReviewState.PUBLISHED
    if is_back and base.state is ReviewState.PUBLISHED:
        runbooks.publish(document_id, principal, digest=draft.base_sha256)


def _bring_back(review: Review, runbooks: RunbookStore, principal: Principal) -> None:
    draft = review.draft
    for version in find_versions(runbooks, draft.document_id):
        if version.sha256 == draft.text_sha256:
            runbooks.restore(draft.document_id, version.number, _unseen(principal), if_match=None)
            return


def _nothing(review: Review, runbooks: RunbookStore, principal: Principal) -> None:
    """An open review asks nothing of the runbooks."""


_ACTS: Mapping[ReviewStatus, Callable[[Review, RunbookStore, Principal], None]] = {
    ReviewStatus.OPEN: _nothing,
    ReviewStatus.APPROVED: _approve,
    ReviewStatus.REJECTED: _put_away,
    ReviewStatus.UNDONE: _take_back,
}


def _unseen(principal: Principal) -> Principal:
    """The same person, whose writing alone publishes nothing: that is an act of its own, bound to a digest."""
    return replace(principal, face=Face.SYSTEM)
