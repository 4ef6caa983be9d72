"""Documents, histories and ids held in memory: what rows are to the store over a database, for its twin in tests."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from kb.identity import free_entry_id, free_id
from kb.principal import Principal
from kb.review import Judge, Standing, moved_on_disk
from kb.runbook import Document, ReviewState
from kb.runbook_store import Version


@dataclass(slots=True)
class Shelf:
    """One document with its history. `entries` maps the ids its entries would have to those they have."""

    id: str
    parsed: Document
    path: str
    live: bool
    standing: Standing
    history: list[tuple[Version, bytes]] = field(default_factory=list)
    entries: dict[str, str] = field(default_factory=dict)
    former_ids: set[str] = field(default_factory=set)

    @property
    def sha256(self) -> str:
        return self.history[-1][0].sha256

    @property
    def last(self) -> Version:
        return self.history[-1][0]


class Shelves:
    """All documents, live and retired. `revision` grows with every change."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.all: list[Shelf] = []
        self.revision = 0

    def add(self, parsed: Document, raw: bytes, author: Principal, note: str, judge: Judge) -> Shelf:
        owner = self.owner(parsed.id)
        if owner and not owner.live and parsed.id not in owner.former_ids:
            return self.revive(owner, parsed, raw, author, note, judge)
        document_id = free_id(parsed.id, parsed.path, self._taken_for(None))
        owner = self.owner(document_id)
        if owner and document_id not in owner.former_ids:
            return self.revive(owner, parsed, raw, author, note, judge)
        standing = judge(parsed.path, parsed.sha256, None)
        shelf = Shelf("", parsed, parsed.path, live=True, standing=standing)
        self.all.append(shelf)
        self._put(shelf, document_id, parsed, standing, raw, author, note)
        return shelf

    def revive(self, shelf: Shelf, parsed: Document, raw: bytes, author: Principal, note: str, judge: Judge) -> Shelf:
        before = moved_on_disk(shelf.path, parsed.path, shelf.standing)
        shelf.live = True
        standing = judge(parsed.path, parsed.sha256, before)
        self._put(shelf, shelf.id, parsed, standing, raw, author, note)
        return shelf

    def edit(self, shelf: Shelf, parsed: Document, raw: bytes, author: Principal, note: str, judge: Judge) -> Shelf:
        document_id = shelf.id
        if parsed.id != shelf.parsed.id:
            document_id = free_id(parsed.id, shelf.path, self._taken_for(shelf))
        standing = judge(shelf.path, parsed.sha256, shelf.standing)
        self._put(shelf, document_id, parsed, standing, raw, author, note)
        return shelf

    def move(self, shelf: Shelf, parsed: Document) -> Shelf:
        shelf.standing = moved_on_disk(shelf.path, parsed.path, shelf.standing)
        shelf.path, shelf.parsed = parsed.path, parsed
        self._name(shelf, shelf.id)
        self.revision += 1
        return shelf

    def retire(self, shelf: Shelf, author: Principal, *, published_sha256: str | None) -> None:
        shelf.live = False
        shelf.entries = {}
        shelf.standing = Standing(ReviewState.RETIRED, published_sha256)
        self._add_version(shelf, shelf.history[-1][1], author, "")
        self.revision += 1

    def _put(
        self,
        shelf: Shelf,
        document_id: str,
        parsed: Document,
        standing: Standing,
        raw: bytes,
        by: Principal,
        note: str,
    ) -> None:
        shelf.parsed, shelf.path, shelf.standing = parsed, parsed.path, standing
        self._add_version(shelf, raw, by, note)
        self._name(shelf, document_id)
        self.revision += 1

    def _add_version(self, shelf: Shelf, raw: bytes, author: Principal, note: str) -> None:
        now = self._now()
        version = Version(
            number=len(shelf.history) + 1,
            sha256=digest_of(raw),
            author=author.name,
            role=author.role,
            face=author.face,
            event_time=now,
            created_at=now,
            state=shelf.standing.state,
            note=note,
            size_bytes=len(raw),
            path=shelf.path,
        )
        shelf.history.append((version, raw))

    def _name(self, shelf: Shelf, document_id: str) -> None:
        self.go_by(shelf, document_id)
        shelf.entries = {}
        for entry in shelf.parsed.runbooks[1:]:
            given = free_entry_id(entry.id, shelf.id, shelf.parsed.id, self._is_used)
            shelf.entries[entry.id] = given
        for name in (shelf.id, *shelf.entries.values()):
            for other in self.all:
                other.former_ids.discard(name)

    def go_by(self, shelf: Shelf, document_id: str) -> None:
        if shelf.id and shelf.id != document_id:
            shelf.former_ids.add(shelf.id)
        shelf.id = document_id

    def _is_used(self, name: str) -> bool:
        owner = self.owner(name)
        return owner is not None and name not in owner.former_ids

    def _taken_for(self, shelf: Shelf | None) -> Callable[[str], bool]:
        def is_taken(name: str) -> bool:
            owner = self.owner(name)
            if owner is None or owner is shelf or name in owner.former_ids:
                return False
            return owner.live or shelf is not None

        return is_taken

    def owner(self, name: str) -> Shelf | None:
        mine = (s for s in self.all if name == s.id or name in s.entries.values())
        return next(mine, next((s for s in self.all if name in s.former_ids), None))


def digest_of(raw: bytes) -> str:
    """SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(raw).hexdigest()
