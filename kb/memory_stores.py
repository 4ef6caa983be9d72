"""In-memory twins of the stores, for tests: the same promises without a disk or a database."""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime

from kb.errors import EditConflict, InvalidInput, RunbookExists, RunbookNotFound, RunbookReadOnly, VersionNotFound
from kb.face_paths import id_mismatch, path_for, promoted_path
from kb.folder_scan import is_runbook_path
from kb.identity import relabel
from kb.memory_shelves import Shelf, Shelves, digest_of
from kb.principal import DISK, Principal
from kb.problems import file_problem
from kb.review import Judge, Standing, is_dynamic, seen_on_disk, written_by
from kb.runbook import Document, Problem, ReviewState
from kb.runbook_store import (
    MAX_FILE_BYTES,
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
from kb.sync_plan import SyncPlan, plan_sync

_EMPTY_IS_ODD = 5


class MemoryRunbookStore:
    """A `RunbookStore`. `files` is its disk: bytes by path, for tests to change as people change files."""

    def __init__(
        self,
        files: dict[str, bytes],
        *,
        parse: ParseDocument,
        now: Callable[[], datetime],
        trusted_digests: Set[str] = frozenset(),
    ) -> None:
        self.files = files
        self._parse = parse
        self._trusted = trusted_digests
        self._shelves = Shelves(now)
        self._all: tuple[int, tuple[StoredDocument, ...]] | None = None

    def sync(self, principal: Principal, *, reread: bool = False, accept_empty: bool = False) -> SyncReport:
        plan, problems = self._plan(self._known(), self.files)
        if plan.removed and not self._readable(self.files) and len(self._known()) >= _EMPTY_IS_ODD and not accept_empty:
            problems.append(file_problem("folder-empty", "", count=len(self._known())))
            plan = SyncPlan((), (), (), (), plan.unchanged)
        return self._apply(plan, problems)

    def refresh_paths(self, paths: Iterable[str], principal: Principal) -> SyncReport:
        wanted = set(paths)
        if not all(path.lower().endswith((".md", ".markdown")) for path in wanted):
            return self.sync(principal)
        known = self._known()
        scope = {path: raw for path, raw in self.files.items() if path in wanted}
        arrived = {digest_of(raw) for path, raw in scope.items() if path not in known}
        mine = {
            path: digest
            for path, digest in known.items()
            if path in wanted or (digest in arrived and path not in self.files)
        }
        return self._apply(*self._plan(mine, scope))

    def changed_since(self, revision: int) -> bool:
        return revision != self._shelves.revision or not self._plan(self._known(), self.files)[0].is_empty

    def documents(self) -> Sequence[StoredDocument]:
        if self._all is None or self._all[0] != self._shelves.revision:
            live = sorted((shelf for shelf in self._shelves.all if shelf.live), key=lambda shelf: shelf.path)
            self._all = (self._shelves.revision, tuple(self._stored(shelf) for shelf in live))
        return self._all[1]

    def get(self, runbook_id: str) -> StoredDocument:
        return self._stored(self._live(runbook_id))

    def create(self, new: NewRunbook, principal: Principal) -> StoredDocument:
        path = path_for(new)
        parsed = self._parsed(new.raw, path, wanted_id=new.id)
        owner = self._shelves.owner(new.id)
        if (owner and owner.live and new.id not in owner.former_ids) or path in self.files:
            raise RunbookExists(new.id)
        self.files[path] = new.raw
        return self._stored(self._shelves.add(parsed, new.raw, principal, new.note, self._written(principal)))

    def update(
        self, runbook_id: str, raw: bytes, principal: Principal, *, if_match: str | None, note: str = ""
    ) -> StoredDocument:
        shelf = self._editable(runbook_id, if_match)
        parsed = self._parsed(raw, shelf.path, wanted_id=shelf.parsed.id)
        self._take_in(shelf, if_match)
        if shelf.sha256 != parsed.sha256 or shelf.path not in self.files:
            self.files[shelf.path] = raw
            self._shelves.edit(shelf, parsed, raw, principal, note, self._written(principal))
        return self._stored(shelf)

    def delete(self, runbook_id: str, principal: Principal, *, if_match: str | None) -> None:
        shelf = self._editable(runbook_id, if_match)
        self._take_in(shelf, if_match)
        self.files.pop(shelf.path, None)
        self._shelves.retire(shelf, principal, published_sha256=None)

    def versions(self, runbook_id: str) -> Sequence[Version]:
        return [version for version, _ in reversed(self._any(runbook_id).history)]

    def version_text(self, runbook_id: str, number: int) -> bytes:
        shelf = self._any(runbook_id)
        if not 1 <= number <= len(shelf.history):
            raise VersionNotFound(shelf.id, number, latest=len(shelf.history))
        return shelf.history[number - 1][1]

    def diff(self, runbook_id: str, old: int, new: int) -> str:
        name = self._any(runbook_id).id
        before, after = self.version_text(name, old), self.version_text(name, new)
        return diff_texts(before, after, f"{name} version {old}", f"{name} version {new}")

    def restore(self, runbook_id: str, number: int, principal: Principal, *, if_match: str | None) -> StoredDocument:
        shelf, raw = self._any(runbook_id), self.version_text(runbook_id, number)
        note = f"restored version {number}"
        if shelf.live:
            return self.update(shelf.id, raw, principal, if_match=if_match, note=note)
        if not matches_etag(if_match, shelf.sha256):
            raise EditConflict(shelf.id, expected=if_match or "", current="removed")
        parsed = self._parsed(raw, shelf.path, wanted_id=shelf.parsed.id)
        if shelf.path in self.files:
            raise RunbookExists(shelf.id)
        self.files[shelf.path] = raw
        return self._stored(self._shelves.revive(shelf, parsed, raw, principal, note, self._written(principal)))

    def publish(self, runbook_id: str, principal: Principal, *, digest: str) -> StoredDocument:
        shelf = self._editable(runbook_id, etag_of(digest))
        self._take_in(shelf, etag_of(digest))
        self._mark(shelf, Standing(ReviewState.PUBLISHED, digest))
        return self._stored(shelf)

    def withdraw(self, runbook_id: str, principal: Principal, *, digest: str) -> StoredDocument:
        shelf = self._editable(runbook_id, etag_of(digest))
        self._take_in(shelf, etag_of(digest))
        if shelf.standing.state is ReviewState.PUBLISHED:
            state = ReviewState.DRAFT if is_dynamic(shelf.path) else ReviewState.UNREVIEWED
            self._mark(shelf, Standing(state, None))
        return self._stored(shelf)

    def promote(self, runbook_id: str, folder: str, principal: Principal, *, digest: str) -> StoredDocument:
        shelf = self._editable(runbook_id, etag_of(digest))
        path = promoted_path(shelf.path, folder)
        self._take_in(shelf, etag_of(digest))
        if path in self.files:
            raise RunbookExists(shelf.id)
        self.files[path] = self.files.pop(shelf.path)
        self._shelves.move(shelf, self._parse(self.files[path], path=path))
        self._mark(shelf, Standing(ReviewState.PUBLISHED, digest))
        return self._stored(shelf)

    def retired(self) -> Sequence[RetiredRunbook]:
        gone = [shelf for shelf in self._shelves.all if not shelf.live]
        gone.sort(key=lambda shelf: (shelf.last.created_at, shelf.id), reverse=True)
        return [
            RetiredRunbook(s.id, s.path, s.parsed.runbooks[0].title, s.last.author, s.last.created_at) for s in gone
        ]

    def revision(self) -> int:
        return self._shelves.revision

    def _known(self) -> dict[str, str]:
        return {shelf.path: shelf.sha256 for shelf in self._shelves.all if shelf.live}

    def _readable(self, files: Mapping[str, bytes]) -> dict[str, str]:
        return {
            path: digest_of(raw) for path, raw in files.items() if is_runbook_path(path) and len(raw) <= MAX_FILE_BYTES
        }

    def _plan(self, known: Mapping[str, str], files: Mapping[str, bytes]) -> tuple[SyncPlan, list[Problem]]:
        large = {path: len(raw) for path, raw in files.items() if is_runbook_path(path) and len(raw) > MAX_FILE_BYTES}
        problems = [
            file_problem("too-large", path, size_bytes=size, limit_bytes=MAX_FILE_BYTES) for path, size in large.items()
        ]
        return plan_sync(known, self._readable(files), large.__contains__), problems

    def _apply(self, plan: SyncPlan, problems: list[Problem]) -> SyncReport:
        before = self._shelves.revision
        shelves = {shelf.path: shelf for shelf in self._shelves.all if shelf.live}
        removed = [shelves[path] for path in plan.removed]
        for shelf in removed:
            self._shelves.retire(shelf, DISK, published_sha256=shelf.standing.published_sha256)
        renamed = [
            self._shelves.move(shelves[move.old_path], self._parse(self.files[move.new_path], path=move.new_path))
            for move in plan.moved
        ]
        texts = {path: self._parse(self.files[path], path=path) for path in (*plan.edited, *plan.added)}
        for path in plan.edited:
            if texts[path].id != shelves[path].parsed.id:  # two documents may exchange their ids
                self._shelves.go_by(shelves[path], f"~{path}")
        changed = [self._edit_on_disk(shelves[path], texts[path]) for path in plan.edited]
        added = [self._shelves.add(texts[path], self.files[path], DISK, "", self._seen) for path in plan.added]
        self._shelves.revision = before + (not plan.is_empty)
        live = {shelf.path: shelf for shelf in self._shelves.all if shelf.live}
        looked_at = {*plan.added, *plan.edited, *plan.unchanged, *(move.new_path for move in plan.moved)}
        return SyncReport(
            added=tuple(shelf.id for shelf in added),
            changed=tuple(shelf.id for shelf in changed),
            renamed=tuple(shelf.id for shelf in renamed),
            removed=tuple(shelf.id for shelf in removed),
            unchanged=tuple(live[path].id for path in plan.unchanged),
            problems=(*problems, *self._taken_ids(looked_at)),
            revision=self._shelves.revision,
        )

    def _taken_ids(self, paths: Set[str]) -> list[Problem]:
        holders = {shelf.id: shelf for shelf in self._shelves.all if shelf.live}
        return [
            file_problem("id-taken", s.path, natural_id=s.parsed.id, other=holders[s.parsed.id].path, id=s.id)
            for s in sorted(holders.values(), key=lambda shelf: shelf.path)
            if s.path in paths and s.id != s.parsed.id and s.parsed.id in holders
        ]

    def _edit_on_disk(self, shelf: Shelf, parsed: Document) -> Shelf:
        raw = self.files[shelf.path]
        owner = self._shelves.owner(parsed.id) if parsed.id != shelf.parsed.id else None
        if owner and not owner.live and parsed.id not in owner.former_ids:
            self._shelves.retire(shelf, DISK, published_sha256=shelf.standing.published_sha256)
            return self._shelves.add(parsed, raw, DISK, "", self._seen)
        return self._shelves.edit(shelf, parsed, raw, DISK, "", self._seen)

    def _seen(self, path: str, sha256: str, before: Standing | None) -> Standing:
        return seen_on_disk(path, sha256, before, self._trusted)

    def _written(self, principal: Principal) -> Judge:
        return lambda path, sha256, before: written_by(principal, path, sha256, before)

    def _parsed(self, raw: bytes, path: str, *, wanted_id: str) -> Document:
        if len(raw) > MAX_FILE_BYTES:
            raise InvalidInput("content", f"has {len(raw)} bytes; {MAX_FILE_BYTES} are the limit")
        parsed = self._parse(raw, path=path)
        if parsed.id != wanted_id:
            raise id_mismatch(parsed.id, wanted_id)
        return parsed

    def _take_in(self, shelf: Shelf, if_match: str | None) -> None:
        """An edit on disk that no sync has seen becomes a version before anything is written over it."""
        raw = self.files.get(shelf.path)
        if raw is None:
            if if_match not in (None, "*"):
                raise EditConflict(shelf.id, expected=if_match or "", current="no file")
            return
        found = digest_of(raw)
        parsed = self._parse(raw, path=shelf.path)
        if not matches_etag(if_match, found) or parsed.id != shelf.parsed.id:
            raise EditConflict(shelf.id, expected=if_match or "any text", current=etag_of(found))
        if found != shelf.sha256:
            self._shelves.edit(shelf, parsed, raw, DISK, "", self._seen)

    def _mark(self, shelf: Shelf, standing: Standing) -> None:
        shelf.standing = standing
        version, raw = shelf.history[-1]
        shelf.history[-1] = (replace(version, state=standing.state), raw)
        self._shelves.revision += 1

    def _any(self, runbook_id: str) -> Shelf:
        shelf = self._shelves.owner(runbook_id)
        if shelf is None:
            ids = [name for s in self._shelves.all if s.live for name in (s.id, *s.entries.values())]
            raise RunbookNotFound(runbook_id, close_matches=difflib.get_close_matches(runbook_id, ids, n=3, cutoff=0.6))
        return shelf

    def _live(self, runbook_id: str) -> Shelf:
        shelf = self._any(runbook_id)
        if not shelf.live:
            raise RunbookNotFound(runbook_id)
        return shelf

    def _editable(self, runbook_id: str, if_match: str | None) -> Shelf:
        shelf = self._live(runbook_id)
        if runbook_id in shelf.entries.values():
            raise RunbookReadOnly(
                f"'{runbook_id}' is one entry of the file {shelf.path}.",
                advice=f"Edit the runbook '{shelf.id}' instead.",
            )
        if not matches_etag(if_match, shelf.sha256):
            raise EditConflict(shelf.id, expected=if_match or "", current=etag_of(shelf.sha256))
        return shelf

    def _stored(self, shelf: Shelf) -> StoredDocument:
        return StoredDocument(
            document=relabel(shelf.parsed, shelf.id, shelf.entries),
            version=shelf.last.number,
            state=shelf.standing.state,
            author=shelf.last.author,
            updated_at=shelf.last.created_at,
        )
