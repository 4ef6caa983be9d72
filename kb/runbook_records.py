"""Runbook rows inside one write transaction: what adding, editing, moving, retiring and publishing mean in the tables,
with the version, the ids, the audit line and the event that belong to each."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from kb.audit import AuditLog, AuditNote
from kb.document_rows import (
    DocumentRow,
    Intent,
    bump_revision,
    live_row_at,
    load_intents,
    row_by_key,
    row_values,
)
from kb.identity import free_id
from kb.name_book import NameBook
from kb.outbox import RUNBOOK_CHANGED, Announcement, Outbox
from kb.principal import Principal
from kb.review import Judge, Standing, is_dynamic, moved_on_disk
from kb.runbook import Document, ReviewState
from kb.tables import documents, intents, texts, versions


@dataclass(frozen=True, slots=True)
class Journal:
    """What every change is told to, and the clock and ids it is told with."""

    audit: AuditLog
    outbox: Outbox
    now: Callable[[], datetime]
    new_id: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Authorship:
    """Who wrote a text, who had it recorded (the same through a face; whoever started it for a sync), when it was
    written as far as we know, and a word on why."""

    author: Principal
    recorded_by: Principal
    event_time: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A file's bytes with what they say."""

    raw: bytes
    parsed: Document


class Records:
    """The rows, in one transaction of `Database.write`. Call `flush` as the last thing in it."""

    def __init__(self, connection: Connection, journal: Journal) -> None:
        self.connection = connection
        self.names = NameBook(connection)
        self._journal = journal
        self.recorded_at = journal.now()
        self._revision: int | None = None
        self._texts: dict[str, bytes] = {}
        self._versions: list[dict[str, object]] = []
        self._notes: list[AuditNote] = []
        self._announcements: list[Announcement] = []

    def flush(self) -> None:
        """Write the texts, versions, audit lines and events of everything done so far."""
        self._keep_texts()
        if self._versions:
            self.connection.execute(insert(versions), self._versions)
        self._journal.audit.append(self.connection, self._notes)
        self._journal.outbox.append(self.connection, self._announcements)
        self._texts, self._versions, self._notes, self._announcements = {}, [], [], []

    def live_at(self, path: str) -> DocumentRow | None:
        return live_row_at(self.connection, path)

    def add(self, text: Text, by: Authorship, judge: Judge) -> DocumentRow:
        """Record a file at a path that has no live document. A retired document of that id lives again."""
        wanted = text.parsed.id
        owner = self.names.owner(wanted)
        if owner and owner.kind == "document" and not owner.live:
            return self.revive(row_by_key(self.connection, owner.document_key), text, by, judge)
        document_id = free_id(wanted, text.parsed.path, self.names.taken_for(None))
        owner = self.names.owner(document_id)
        if owner and owner.kind == "document":
            return self.revive(row_by_key(self.connection, owner.document_key), text, by, judge)
        standing = judge(text.parsed.path, text.parsed.sha256, None)
        fresh = self._row(0, document_id, text, standing, by, version=1)
        values = row_values(fresh)
        del values["key"]
        key = self.connection.execute(insert(documents).returning(documents.c.key), values).scalar_one()
        row = replace(fresh, key=key)
        self._add_version(row, text.raw, by)
        self.names.claim(row, text.parsed, is_new=True)
        self._tell("added", row, by)
        return row

    def revive(self, row: DocumentRow, text: Text, by: Authorship, judge: Judge) -> DocumentRow:
        """A retired document has a file again: its history goes on."""
        before = moved_on_disk(row.path, text.parsed.path, row.standing)
        standing = judge(text.parsed.path, text.parsed.sha256, before)
        return self._put(self._row(row.key, row.id, text, standing, by, version=row.version + 1), text, by, "added")

    def edit(self, row: DocumentRow, text: Text, by: Authorship, judge: Judge) -> DocumentRow:
        """Another text at the same path. A new id in its front matter becomes the document's; the old one leads on."""
        standing = judge(row.path, text.parsed.sha256, row.standing)
        document_id = row.id
        if text.parsed.id != row.natural_id:
            document_id = free_id(text.parsed.id, row.path, self.names.taken_for(row.key))
        return self._put(
            self._row(row.key, document_id, text, standing, by, version=row.version + 1), text, by, "edited"
        )

    def move(self, row: DocumentRow, parsed: Document, by: Authorship) -> DocumentRow:
        """The same bytes at another path. The id stays; approval does not travel between learned and static folders."""
        standing = moved_on_disk(row.path, parsed.path, row.standing)
        moved = replace(
            row,
            path=parsed.path,
            natural_id=parsed.id,
            type=parsed.runbooks[0].type.value,
            state=standing.state,
            published_sha256=standing.published_sha256,
        )
        self._save(moved)
        self.names.claim(moved, parsed, is_new=False)
        self._tell("moved", moved, by, old_path=row.path)
        return moved

    def retire(self, row: DocumentRow, by: Authorship, *, forget_publishing: bool) -> DocumentRow:
        """The file is gone. The history gets a last version and stays; the entries' ids become free.

        A file that merely went away may come back as published as it was; one deleted through a face may not.
        """
        gone = replace(
            row,
            live=False,
            state=ReviewState.RETIRED,
            version=row.version + 1,
            published_sha256=None if forget_publishing else row.published_sha256,
            author=by.author.name,
            event_time=by.event_time,
            updated_at=self.recorded_at,
        )
        self._save(gone)
        self._add_version(gone, None, by)
        self.names.retire(gone)
        self._tell("removed", gone, by)
        return gone

    def publish(self, row: DocumentRow, by: Authorship) -> DocumentRow:
        """A person stands for the text that is there now."""
        published = replace(row, state=ReviewState.PUBLISHED, published_sha256=row.sha256)
        self._save(published)
        self._mark_version(published)
        self._tell("published", published, by)
        return published

    def withdraw(self, row: DocumentRow, by: Authorship) -> DocumentRow:
        """Nobody stands for the text any more."""
        state = ReviewState.DRAFT if is_dynamic(row.path) else ReviewState.UNREVIEWED
        withdrawn = replace(row, state=state, published_sha256=None)
        self._save(withdrawn)
        self._mark_version(withdrawn)
        self._tell("withdrawn", withdrawn, by)
        return withdrawn

    def _mark_version(self, row: DocumentRow) -> None:
        """Give the version that is there now the state of its document."""
        mine = (versions.c.document_key == row.key) & (versions.c.number == row.version)
        self.connection.execute(update(versions).where(mine).values(state=row.state.value))

    def release_id(self, row: DocumentRow) -> None:
        """Let go of an id before several documents of one sync exchange theirs; it leads here until it is taken."""
        self.names.make_former(row)
        self._save(replace(row, id=f"~{row.key}"))

    def intents(self) -> Sequence[Intent]:
        return load_intents(self.connection)

    def drop_intents(self, ids: Sequence[str]) -> None:
        if ids:
            self.connection.execute(delete(intents).where(intents.c.id.in_(ids)))

    def _put(self, row: DocumentRow, text: Text, by: Authorship, change: str) -> DocumentRow:
        before = row_by_key(self.connection, row.key)
        if before.id != row.id:
            self.names.make_former(before)
        self._save(row)
        self._add_version(row, text.raw, by)
        self.names.claim(row, text.parsed, is_new=False)
        self._tell(change, row, by)
        return row

    def _row(
        self, key: int, document_id: str, text: Text, standing: Standing, by: Authorship, *, version: int
    ) -> DocumentRow:
        main = text.parsed.runbooks[0]
        return DocumentRow(
            key=key,
            id=document_id,
            natural_id=text.parsed.id,
            path=text.parsed.path,
            live=True,
            type=main.type.value,
            title=main.title,
            sha256=text.parsed.sha256,
            version=version,
            state=standing.state,
            published_sha256=standing.published_sha256,
            author=by.author.name,
            event_time=by.event_time,
            updated_at=self.recorded_at,
        )

    def _save(self, row: DocumentRow) -> None:
        self.connection.execute(update(documents).where(documents.c.key == row.key).values(**row_values(row)))

    def _add_version(self, row: DocumentRow, raw: bytes | None, by: Authorship) -> None:
        """`raw` is None when the text is one that was recorded before."""
        if raw is not None:
            if hashlib.sha256(raw).hexdigest() != row.sha256:
                raise ValueError(f"the bytes to be recorded do not have the digest {row.sha256}")
            self._texts[row.sha256] = raw
        self._versions.append(
            {
                "document_key": row.key,
                "number": row.version,
                "sha256": row.sha256,
                "path": row.path,
                "author": by.author.name,
                "role": by.author.role.value,
                "face": by.author.face.value,
                "state": row.state.value,
                "note": by.note,
                "event_time": by.event_time,
                "recorded_at": self.recorded_at,
            }
        )

    def _keep_texts(self) -> None:
        """Each text is kept once, however many versions have it."""
        if not self._texts:
            return
        there = set(self.connection.execute(select(texts.c.sha256).where(texts.c.sha256.in_(self._texts))).scalars())
        fresh = [
            {"sha256": sha256, "size_bytes": len(raw), "content": raw}
            for sha256, raw in self._texts.items()
            if sha256 not in there
        ]
        if fresh:
            self.connection.execute(insert(texts), fresh)

    def _tell(self, change: str, row: DocumentRow, by: Authorship, **more: str) -> None:
        if self._revision is None:
            self._revision = bump_revision(self.connection)
        facts: Mapping[str, str | int | None] = {
            "path": row.path,
            "version": row.version,
            "sha256": row.sha256,
            "state": row.state.value,
            **more,
        }
        details = {**facts, "author": by.author.name, "face": by.author.face.value, "note": by.note}
        self._notes.append(AuditNote(by.recorded_by, f"runbook.{change}", row.id, details, by.event_time))
        payload = {**facts, "change": change, "revision": self._revision}
        self._announcements.append(Announcement(RUNBOOK_CHANGED, row.id, payload, by.event_time))
