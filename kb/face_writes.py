"""From a face to disk and database: the file first, then the row. A crash between the two leaves a file that the next
sync records, with the author that an intent written before remembers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from kb.database import Database
from kb.directory import Directory, FileText
from kb.document_cache import DocumentCache
from kb.document_rows import DocumentRow, Intent, load_intents, save_intent
from kb.errors import EditConflict, InvalidInput, RunbookExists, RunbookReadOnly, StorageUnavailable
from kb.face_paths import id_mismatch, path_for
from kb.file_change import FileMoved
from kb.principal import DISK, Principal
from kb.review import Judge, Standing, seen_on_disk, written_by
from kb.runbook import Problem, ReviewState
from kb.runbook_records import Authorship, Journal, Records, Text
from kb.runbook_store import MAX_FILE_BYTES, NewRunbook, etag_of, matches_etag
from kb.sync_batch import event_time_of


class FaceWrites:
    """Writes on behalf of a principal, on one folder tree and one database."""

    def __init__(
        self,
        database: Database,
        directory: Directory,
        documents: DocumentCache,
        journal: Journal,
        trusted: frozenset[str],
    ) -> None:
        self._database = database
        self._directory = directory
        self._documents = documents
        self._journal = journal
        self._trusted = trusted

    def create(self, new: NewRunbook, principal: Principal) -> DocumentRow:
        path = path_for(new)
        text = self._text(new.raw, path)
        if text.parsed.id != new.id:
            raise id_mismatch(text.parsed.id, new.id)
        write = self._writing(path, text, principal, new.note)

        def act(records: Records) -> DocumentRow:
            owner = records.names.owner(new.id)
            if (owner and owner.kind != "former" and owner.live) or records.live_at(path):
                raise RunbookExists(new.id)
            self._create_file(write, new.id)
            return records.add(text, write.by, self._judge(principal))

        return self._carry_out(write, act)

    def replace(
        self, row: DocumentRow, raw: bytes, principal: Principal, *, if_match: str | None, note: str
    ) -> DocumentRow:
        """Another text for a live document."""
        text = self._text(raw, row.path)
        if text.parsed.id != row.natural_id:
            raise id_mismatch(text.parsed.id, row.natural_id)
        write = self._writing(row.path, text, principal, note)

        def act(records: Records) -> DocumentRow:
            current, on_disk = self._current(records, row, if_match)
            if on_disk is None:
                self._create_file(write, row.id)
            elif current.sha256 == text.parsed.sha256:
                return current
            else:
                current = self._replace_file(write, records, current)
            return records.edit(current, text, write.by, self._judge(principal))

        return self._carry_out(write, act)

    def bring_back(self, row: DocumentRow, raw: bytes, principal: Principal, *, note: str) -> DocumentRow:
        """A text for a retired document, at the path it had."""
        text = self._text(raw, row.path)
        if text.parsed.id != row.natural_id:
            raise id_mismatch(text.parsed.id, row.natural_id)
        write = self._writing(row.path, text, principal, note)

        def act(records: Records) -> DocumentRow:
            if records.live_at(row.path) or (owner := records.names.owner(row.id)) is None or owner.live:
                raise RunbookExists(row.id)
            self._create_file(write, row.id)
            return records.revive(row, text, write.by, self._judge(principal))

        return self._carry_out(write, act)

    def delete(self, row: DocumentRow, principal: Principal, *, if_match: str | None) -> None:
        by = Authorship(principal, principal, self._journal.now())
        write = _Write(self._intent("delete", row.path, row.sha256, principal, ""), by, b"", [])

        def act(records: Records) -> DocumentRow:
            current, on_disk = self._current(records, row, if_match)
            if on_disk is not None:
                with _conflict_when_moved(current, if_match):
                    write.changes.append(self._directory.remove(current.path, expected_sha256=current.sha256))
            return records.retire(current, write.by, forget_publishing=True)

        self._carry_out(write, act)

    def publish(self, row: DocumentRow, principal: Principal, *, digest: str) -> DocumentRow:
        """Publish a text; changes no file, so it needs no intent."""
        with self._database.write() as connection:
            records = Records(connection, self._journal)
            current, _ = self._current(records, row, etag_of(digest))
            published = records.publish(current, Authorship(principal, principal, self._journal.now()))
            records.flush()
        return published

    def withdraw(self, row: DocumentRow, principal: Principal, *, digest: str) -> DocumentRow:
        """Take the publishing of a text back; changes no file either."""
        with self._database.write() as connection:
            records = Records(connection, self._journal)
            current, _ = self._current(records, row, etag_of(digest))
            if current.state is ReviewState.PUBLISHED:
                current = records.withdraw(current, Authorship(principal, principal, self._journal.now()))
            records.flush()
        return current

    def promote(self, row: DocumentRow, path: str, principal: Principal, *, digest: str) -> DocumentRow:
        """Move a learned runbook to `path`, published. A crash after the move leaves a file that the next sync finds
        there: the same runbook, unreviewed, for the same act to publish."""
        by = Authorship(principal, principal, self._journal.now(), "promoted")
        write = _Write(self._intent("write", path, digest, principal, by.note), by, b"", [])

        def act(records: Records) -> DocumentRow:
            current, on_disk = self._current(records, row, etag_of(digest))
            if records.live_at(path) or on_disk is None:
                raise RunbookExists(row.id)
            parsed = self._documents.parse(on_disk.raw, path, self._journal.now().date())
            try:
                with _conflict_when_moved(current, etag_of(digest)):
                    write.changes.append(self._directory.move(current.path, path, expected_sha256=digest))
            except FileExistsError:
                raise RunbookExists(row.id) from None
            return records.publish(records.move(current, parsed, by), by)

        return self._carry_out(write, act)

    def _current(self, records: Records, row: DocumentRow, if_match: str | None) -> tuple[DocumentRow, FileText | None]:
        """The row and the file as they are now, under the lock, once the precondition holds for both. An edit on disk
        that nobody has recorded yet is recorded first."""
        current = records.live_at(row.path)
        if current is None or current.key != row.key:
            raise EditConflict(row.id, expected=if_match or "any text", current="moved or removed")
        if self._directory.is_link(row.path):
            raise RunbookReadOnly(
                f"Runbook '{row.id}' is a link in the runbooks folder.", advice="Edit it where the link leads."
            )
        on_disk = self._directory.find(row.path)
        if isinstance(on_disk, Problem):
            raise StorageUnavailable(f"{row.path}: {on_disk.message}", advice=on_disk.advice)
        if on_disk is None and if_match not in (None, "*"):
            raise EditConflict(row.id, expected=if_match or "", current="no file")
        if on_disk is not None and on_disk.sha256 != current.sha256:
            current = self._absorb(records, current, on_disk, if_match)
        if not matches_etag(if_match, current.sha256):
            raise EditConflict(row.id, expected=if_match or "", current=etag_of(current.sha256))
        return current, on_disk

    def _absorb(self, records: Records, row: DocumentRow, on_disk: FileText, if_match: str | None) -> DocumentRow:
        written_at = event_time_of(on_disk.stamp, self._journal.now())
        parsed = self._documents.parse(on_disk.raw, row.path, written_at.date())
        if parsed.id != row.natural_id:  # another runbook stands there now; a sync has to sort that out
            raise EditConflict(row.id, expected=if_match or "any text", current=etag_of(on_disk.sha256))
        by = Authorship(DISK, DISK, written_at)
        return records.edit(row, Text(on_disk.raw, parsed), by, self._found_on_disk)

    def _create_file(self, write: "_Write", runbook_id: str) -> None:
        try:
            write.changes.append(self._directory.create(write.intent.path, write.raw))
        except FileExistsError:
            raise RunbookExists(runbook_id) from None

    def _replace_file(self, write: "_Write", records: Records, row: DocumentRow) -> DocumentRow:
        with _conflict_when_moved(row, None):
            change = self._directory.replace(row.path, write.raw, expected_sha256=row.sha256)
        write.changes.append(change)
        if change.displaced is None:
            return row
        now = self._journal.now()
        parsed = self._documents.parse(change.displaced, row.path, now.date())
        by = Authorship(DISK, DISK, now, note="written on disk at the same moment")
        return records.edit(row, Text(change.displaced, parsed), by, self._found_on_disk)

    def _found_on_disk(self, path: str, sha256: str, before: Standing | None) -> Standing:
        return seen_on_disk(path, sha256, before, self._trusted)

    def _judge(self, principal: Principal) -> Judge:
        return lambda path, sha256, before: written_by(principal, path, sha256, before)

    def _text(self, raw: bytes, path: str) -> Text:
        if len(raw) > MAX_FILE_BYTES:
            raise InvalidInput(
                "content",
                f"has {len(raw)} bytes; {MAX_FILE_BYTES} are the limit",
                advice="Split it into several runbooks.",
            )
        return Text(raw, self._documents.parse(raw, path, self._journal.now().date()))

    def _writing(self, path: str, text: Text, principal: Principal, note: str) -> "_Write":
        by = Authorship(principal, principal, self._journal.now(), note)
        return _Write(self._intent("write", path, text.parsed.sha256, principal, note), by, text.raw, [])

    def _intent(self, action: str, path: str, sha256: str, principal: Principal, note: str) -> Intent:
        return Intent(self._journal.new_id(), action, path, sha256, principal, note, self._journal.now())

    def _carry_out(self, write: "_Write", act: Callable[[Records], DocumentRow]) -> DocumentRow:
        """Declare, then change file and rows in one exclusive transaction; on any failure put the file back, unless the
        database cannot say whether it has recorded the change: then the next sync heals what is missing."""
        with self._database.write() as connection:
            save_intent(connection, write.intent)
        is_done = False
        try:
            with self._database.write() as connection:
                records = Records(connection, self._journal)
                row = act(records)
                records.drop_intents([write.intent.id])
                records.flush()
            is_done = True
        finally:
            if is_done or self._may_be_recorded(write.intent):
                for change in write.changes:
                    change.keep()
            else:
                for change in reversed(write.changes):
                    change.undo()
                self._forget(write.intent)
        return row

    def _may_be_recorded(self, intent: Intent) -> bool:
        try:
            with self._database.read() as connection:
                return all(waiting.id != intent.id for waiting in load_intents(connection))
        except StorageUnavailable:
            return True

    def _forget(self, intent: Intent) -> None:
        with suppress(StorageUnavailable), self._database.write() as connection:  # a sync forgets it later otherwise
            Records(connection, self._journal).drop_intents([intent.id])


@dataclass(frozen=True, slots=True)
class _Write:
    """One write on its way: what was declared, by whom, the bytes, and the file changes that can still be undone."""

    intent: Intent
    by: Authorship
    raw: bytes
    changes: list["_Change"]


class _Change(Protocol):
    """A change of files that is on disk: kept, or put back."""

    def keep(self) -> None: ...

    def undo(self) -> None: ...


@contextmanager
def _conflict_when_moved(row: DocumentRow, if_match: str | None) -> Iterator[None]:
    try:
        yield
    except FileMoved as moved:
        current = etag_of(moved.sha256) if moved.sha256 else "another file"
        raise EditConflict(row.id, expected=if_match or etag_of(row.sha256), current=current) from moved
