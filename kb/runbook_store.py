"""What a store of runbooks promises, and the values it trades in: stored documents, versions, reports of a sync.

Two stores keep the promise: `kb.sql_runbook_store.SqlRunbookStore` over folders and a database, and
`kb.memory_stores.MemoryRunbookStore`, its twin for tests. One contract suite runs over both.
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from kb.principal import Face, Principal, Role
from kb.runbook import Document, Problem, ReviewState, Runbook, RunbookType

MAX_FILE_BYTES = 2 * 1024 * 1024  # no runbook written by people comes near; a larger file is a dump or a mistake


class ParseDocument(Protocol):
    """Text of one file -> its value. Never raises on content, and gives the same value for the same arguments."""

    def __call__(self, raw: bytes, *, path: str, modified: date | None = None) -> Document: ...


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A live file as the store last recorded it. `updated_at` is when the current version was recorded (aware, UTC);
    `author` wrote that version."""

    document: Document
    version: int
    state: ReviewState
    author: str
    updated_at: datetime

    @property
    def etag(self) -> str:
        """Strong entity tag of the bytes, quotes included, as HTTP wants it."""
        return etag_of(self.document.sha256)

    def runbook(self, runbook_id: str) -> Runbook:
        """The runbook of that id in this document; the main one when the id is none of its entries'."""
        return next((entry for entry in self.document.runbooks if entry.id == runbook_id), self.document.runbooks[0])


@dataclass(frozen=True, slots=True)
class Version:
    """One recorded text of a runbook. Numbers start at 1 and have no gaps; a deletion is a version of state RETIRED
    that holds the last text. `event_time` is when the change happened as far as we know, `created_at` when it was
    recorded (both aware, UTC)."""

    number: int
    sha256: str
    author: str
    role: Role
    face: Face
    event_time: datetime
    created_at: datetime
    state: ReviewState
    note: str
    size_bytes: int
    path: str


@dataclass(frozen=True, slots=True)
class NewRunbook:
    """A runbook to be written through a face. `id` is a slug and becomes the file's name; `folder` is relative to the
    runbooks folder, empty for the one that `type` usually lives in."""

    id: str
    type: RunbookType
    raw: bytes
    folder: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class RetiredRunbook:
    """A runbook whose file is gone. Its history stays; `versions` and `restore` take its id."""

    id: str
    path: str
    title: str
    retired_by: str
    retired_at: datetime


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What one sync found, by document id. `problems` names every file that was left out or needs a look, with the
    reason; `revision` is the store's after the sync."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    renamed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]
    problems: tuple[Problem, ...]
    revision: int

    @property
    def has_changes(self) -> bool:
        return bool(self.added or self.changed or self.renamed or self.removed)


class RunbookStore(Protocol):
    """Runbooks with their history, in step with folders that people edit too. Safe to call from several threads and,
    on one database and folder, from several processes.

    Ids are those of documents or of their entries unless a method says otherwise; an id that a document had before is
    understood as well. Every method may raise `StorageUnavailable` or one of its kinds.
    """

    def sync(self, principal: Principal, *, reread: bool = False, accept_empty: bool = False) -> SyncReport:
        """Bring the store in step with the folders; the only way from disk to the database.

        Files whose size, times and inode are as at the last sync are not opened unless `reread`. A folder without a
        single runbook where several are known looks like a missing mount: nothing is removed unless `accept_empty`.
        """
        ...

    def refresh_paths(self, paths: Iterable[str], principal: Principal) -> SyncReport:
        """The same for the paths a watcher saw, relative to the runbooks folder; `unchanged` covers only those."""
        ...

    def changed_since(self, revision: int) -> bool:
        """Whether the store or the folders differ from what they were at `revision`. Parses nothing, writes nothing."""
        ...

    def documents(self) -> Sequence[StoredDocument]:
        """All live documents, ordered by path; the same object as before while `revision` stays the same."""
        ...

    def get(self, runbook_id: str) -> StoredDocument:
        """The document of that id, or the one that holds the entry of that id. Raises `RunbookNotFound`."""
        ...

    def create(self, new: NewRunbook, principal: Principal) -> StoredDocument:
        """Write a new file. Raises `RunbookExists`, or `InvalidInput` for an id, folder or text that cannot be."""
        ...

    def update(
        self, runbook_id: str, raw: bytes, principal: Principal, *, if_match: str | None, note: str = ""
    ) -> StoredDocument:
        """Replace the text. `if_match` is the ETag the caller read; None or `*` means whatever is there now.

        Raises `EditConflict` when the file or the row has moved on, `RunbookReadOnly` for an entry of a larger file.
        An edit on disk that no sync has seen yet becomes a version of its own first, so it is never lost.
        """
        ...

    def delete(self, runbook_id: str, principal: Principal, *, if_match: str | None) -> None:
        """Remove the file and retire the runbook; its history stays. Raises as `update` does."""
        ...

    def versions(self, runbook_id: str) -> Sequence[Version]:
        """Newest first; also for a retired runbook."""
        ...

    def version_text(self, runbook_id: str, number: int) -> bytes:
        """The bytes of one version. Raises `VersionNotFound`."""
        ...

    def diff(self, runbook_id: str, old: int, new: int) -> str:
        """Unified diff from one version to another; empty when their texts are equal."""
        ...

    def restore(self, runbook_id: str, number: int, principal: Principal, *, if_match: str | None) -> StoredDocument:
        """Write an earlier version's text again, as a new version; brings a retired runbook back."""
        ...

    def publish(self, runbook_id: str, principal: Principal, *, digest: str) -> StoredDocument:
        """Publish the text whose SHA-256 is `digest`. Raises `EditConflict` when that is not the text there now."""
        ...

    def withdraw(self, runbook_id: str, principal: Principal, *, digest: str) -> StoredDocument:
        """Take the publishing of a text back: it is a draft again in a learned folder, unreviewed elsewhere.

        Nothing changes for a text that is not published. Raises `EditConflict` when that is not the text there now.
        """
        ...

    def promote(self, runbook_id: str, folder: str, principal: Principal, *, digest: str) -> StoredDocument:
        """Move a learned runbook into a static folder, published; id, bytes and history stay.

        Raises `EditConflict` as `publish` does, `RunbookExists` when a file of its name is there, `InvalidInput` for a
        runbook that is not learned and for a folder that is not static.
        """
        ...

    def retired(self) -> Sequence[RetiredRunbook]:
        """Runbooks that can be brought back, the latest first."""
        ...

    def revision(self) -> int:
        """Grows with every change of a text, path or state; indexes compare it with the one they were built from."""
        ...


def etag_of(sha256: str) -> str:
    """The strong HTTP entity tag for bytes of that digest."""
    return f'"{sha256}"'


def matches_etag(if_match: str | None, sha256: str) -> bool:
    """Whether a precondition holds for bytes of that digest. None and `*` always hold; a bare digest is understood."""
    return if_match is None or if_match.strip() == "*" or if_match.strip().strip('"') == sha256


def diff_texts(old: bytes, new: bytes, old_label: str, new_label: str) -> str:
    """Unified diff of two texts, empty when their bytes are equal. Bytes that are not UTF-8 show as U+FFFD."""
    if old == new:
        return ""
    before, after = (raw.decode("utf-8", "replace").splitlines(keepends=True) for raw in (old, new))
    out: list[str] = []
    for line in difflib.unified_diff(before, after, old_label, new_label):
        out.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(out)
