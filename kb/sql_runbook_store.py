"""The store of runbooks over folders and a database. Reading and history are here; the way from disk is in
`kb.folder_sync`, the way from a face in `kb.face_writes`."""

import difflib
import threading
import time
from collections.abc import Callable, Iterable, Sequence, Set
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, select

from kb.audit import AuditLog
from kb.database import Database
from kb.directory import Directory
from kb.document_cache import DocumentCache
from kb.document_rows import (
    DocumentRow,
    NameOwner,
    all_ids,
    entry_ids,
    live_rows,
    name_owners,
    retired_rows,
    revision_of,
    row_by_key,
)
from kb.errors import EditConflict, RunbookNotFound, RunbookReadOnly, VersionNotFound
from kb.face_paths import promoted_path
from kb.face_writes import FaceWrites
from kb.folder_look import FolderLook
from kb.folder_sync import FolderSync
from kb.identity import relabel
from kb.outbox import Outbox
from kb.principal import Face, Principal, Role
from kb.runbook import Document, ReviewState
from kb.runbook_records import Journal
from kb.runbook_store import (
    NewRunbook,
    ParseDocument,
    RetiredRunbook,
    StoredDocument,
    SyncReport,
    Version,
    diff_texts,
    etag_of,
    matches_etag,
)
from kb.scan_cache import ScanCache
from kb.slugs import is_valid_id
from kb.tables import texts, versions

SETTLE_S = 0.1  # how long a file that changed this moment is given to be written to its end


class SqlRunbookStore:
    """A `RunbookStore`. `new_id` gives unique strings of letters and digits; `trusted_digests` are those of the texts
    that this release brings along; `scan_cache` is a file for what is known of the folders, None for memory only."""

    def __init__(
        self,
        database: Database,
        root: Path,
        *,
        parse: ParseDocument,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        redact: Callable[[str], str],
        trusted_digests: Set[str] = frozenset(),
        scan_cache: Path | None = None,
        settle_s: float = SETTLE_S,
        sleep: Callable[[float], None] = time.sleep,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._database = database
        self._cache = DocumentCache(parse)
        directory = Directory(root, new_id=new_id)
        journal = Journal(
            AuditLog(database, now=now, redact=redact), Outbox(database, now=now, new_id=new_id), now, new_id
        )
        cache = ScanCache(root, scan_cache)
        look = FolderLook(directory, cache, clock_ns=clock_ns, sleep=sleep, settle_s=settle_s)
        trusted = frozenset(trusted_digests)
        self._sync = FolderSync(database, directory, self._cache, journal, look=look, cache=cache, trusted=trusted)
        self._writes = FaceWrites(database, directory, self._cache, journal, trusted)
        self._all_lock = threading.Lock()
        self._all: tuple[int, tuple[StoredDocument, ...]] | None = None

    def sync(self, principal: Principal, *, reread: bool = False, accept_empty: bool = False) -> SyncReport:
        return self._sync.sync(principal, reread=reread, accept_empty=accept_empty)

    def refresh_paths(self, paths: Iterable[str], principal: Principal) -> SyncReport:
        report = self._sync.refresh(paths, principal)
        return self.sync(principal) if report is None else report

    def changed_since(self, revision: int) -> bool:
        return self.revision() != revision or self._sync.differs()

    def revision(self) -> int:
        with self._database.read() as connection:
            return revision_of(connection)

    def documents(self) -> Sequence[StoredDocument]:
        with self._all_lock, self._database.read() as connection:
            revision = revision_of(connection)
            if self._all is None or self._all[0] != revision:
                rows = live_rows(connection)
                given = entry_ids(connection)
                stored = tuple(self._stored(connection, row, given.get(row.key, {})) for row in rows)
                self._cache.keep_only([(row.sha256, row.path, row.event_time.date()) for row in rows])
                self._all = (revision, stored)
            return self._all[1]

    def get(self, runbook_id: str) -> StoredDocument:
        with self._database.read() as connection:
            row, _ = self._live(connection, runbook_id)
            return self._stored(connection, row, entry_ids(connection, row.key).get(row.key, {}))

    def create(self, new: NewRunbook, principal: Principal) -> StoredDocument:
        return self._after(self._writes.create(new, principal))

    def update(
        self, runbook_id: str, raw: bytes, principal: Principal, *, if_match: str | None, note: str = ""
    ) -> StoredDocument:
        row = self._editable(runbook_id, if_match)
        return self._after(self._writes.replace(row, raw, principal, if_match=if_match, note=note))

    def delete(self, runbook_id: str, principal: Principal, *, if_match: str | None) -> None:
        self._writes.delete(self._editable(runbook_id, if_match), principal, if_match=if_match)

    def restore(self, runbook_id: str, number: int, principal: Principal, *, if_match: str | None) -> StoredDocument:
        with self._database.read() as connection:
            row = self._any(connection, runbook_id)
            raw = _text_of(connection, row, number)
        note = f"restored version {number}"
        if row.live:
            return self.update(row.id, raw, principal, if_match=if_match, note=note)
        if not matches_etag(if_match, row.sha256):
            raise EditConflict(row.id, expected=if_match or "", current="removed")
        return self._after(self._writes.bring_back(row, raw, principal, note=note))

    def publish(self, runbook_id: str, principal: Principal, *, digest: str) -> StoredDocument:
        row = self._editable(runbook_id, etag_of(digest))  # never `*`: one publishes the text one has read
        return self._after(self._writes.publish(row, principal, digest=digest))

    def withdraw(self, runbook_id: str, principal: Principal, *, digest: str) -> StoredDocument:
        row = self._editable(runbook_id, etag_of(digest))
        return self._after(self._writes.withdraw(row, principal, digest=digest))

    def promote(self, runbook_id: str, folder: str, principal: Principal, *, digest: str) -> StoredDocument:
        row = self._editable(runbook_id, etag_of(digest))
        path = promoted_path(row.path, folder)
        return self._after(self._writes.promote(row, path, principal, digest=digest))

    def versions(self, runbook_id: str) -> Sequence[Version]:
        with self._database.read() as connection:
            row = self._any(connection, runbook_id)
            query = (
                select(versions, texts.c.size_bytes)
                .join(texts, texts.c.sha256 == versions.c.sha256)
                .where(versions.c.document_key == row.key)
                .order_by(versions.c.number.desc())
            )
            return [
                Version(
                    number=line.number,
                    sha256=line.sha256,
                    author=line.author,
                    role=Role(line.role),
                    face=Face(line.face),
                    event_time=line.event_time,
                    created_at=line.recorded_at,
                    state=ReviewState(line.state),
                    note=line.note,
                    size_bytes=line.size_bytes,
                    path=line.path,
                )
                for line in connection.execute(query)
            ]

    def version_text(self, runbook_id: str, number: int) -> bytes:
        with self._database.read() as connection:
            return _text_of(connection, self._any(connection, runbook_id), number)

    def diff(self, runbook_id: str, old: int, new: int) -> str:
        with self._database.read() as connection:
            row = self._any(connection, runbook_id)
            before, after = _text_of(connection, row, old), _text_of(connection, row, new)
        return diff_texts(before, after, f"{row.id} version {old}", f"{row.id} version {new}")

    def retired(self) -> Sequence[RetiredRunbook]:
        with self._database.read() as connection:
            return [
                RetiredRunbook(row.id, row.path, row.title, retired_by=row.author, retired_at=row.updated_at)
                for row in retired_rows(connection)
            ]

    def _editable(self, runbook_id: str, if_match: str | None) -> DocumentRow:
        """The live row a write is about. Fails before anything is declared when the precondition cannot hold."""
        with self._database.read() as connection:
            row, kind = self._live(connection, runbook_id)
        if kind == "entry":
            raise RunbookReadOnly(
                f"'{runbook_id}' is one entry of the file {row.path}.", advice=f"Edit the runbook '{row.id}' instead."
            )
        if not matches_etag(if_match, row.sha256):
            raise EditConflict(row.id, expected=if_match or "", current=etag_of(row.sha256))
        return row

    def _live(self, connection: Connection, runbook_id: str) -> tuple[DocumentRow, str]:
        owner = _owner(connection, runbook_id)
        if owner is None or not owner.live:
            raise _not_found(connection, runbook_id)
        return row_by_key(connection, owner.document_key), owner.kind

    def _any(self, connection: Connection, runbook_id: str) -> DocumentRow:
        owner = _owner(connection, runbook_id)
        if owner is None:
            raise _not_found(connection, runbook_id)
        return row_by_key(connection, owner.document_key)

    def _after(self, row: DocumentRow) -> StoredDocument:
        with self._database.read() as connection:
            return self._stored(connection, row, entry_ids(connection, row.key).get(row.key, {}))

    def _stored(self, connection: Connection, row: DocumentRow, given: dict[str, str]) -> StoredDocument:
        parsed = self._parsed(connection, row)
        return StoredDocument(relabel(parsed, row.id, given), row.version, row.state, row.author, row.updated_at)

    def _parsed(self, connection: Connection, row: DocumentRow) -> Document:
        day = row.event_time.date()
        known = self._cache.find(row.sha256, row.path, day)
        if known is not None:
            return known
        raw = connection.execute(select(texts.c.content).where(texts.c.sha256 == row.sha256)).scalar_one()
        return self._cache.parse(bytes(raw), row.path, day)


def _owner(connection: Connection, runbook_id: str) -> NameOwner | None:
    """Whose id it is. Text that cannot be an id is nobody's, and some of it no database would even take."""
    return name_owners(connection, [runbook_id]).get(runbook_id) if is_valid_id(runbook_id) else None


def _text_of(connection: Connection, row: DocumentRow, number: int) -> bytes:
    if not 1 <= number <= row.version:
        raise VersionNotFound(row.id, number, latest=row.version)
    query = (
        select(texts.c.content)
        .join(versions, versions.c.sha256 == texts.c.sha256)
        .where(versions.c.document_key == row.key, versions.c.number == number)
    )
    return bytes(connection.execute(query).scalar_one())


def _not_found(connection: Connection, runbook_id: str) -> RunbookNotFound:
    close = difflib.get_close_matches(runbook_id, all_ids(connection), n=3, cutoff=0.6)
    return RunbookNotFound(runbook_id, close_matches=close)
