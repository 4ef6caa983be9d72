"""From disk to database: what people did to the files becomes versions, ids and states. The other direction is in
`kb.face_writes`."""

import threading
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import timedelta

from kb.database import Database
from kb.directory import Directory, FileText
from kb.document_cache import DocumentCache
from kb.document_rows import live_digests, live_ids, load_intents, revision_of
from kb.folder_look import FolderLook, Look
from kb.folder_scan import is_runbook_path
from kb.principal import Principal
from kb.problems import file_problem
from kb.runbook import Problem
from kb.runbook_records import Journal, Records, Text
from kb.runbook_store import SyncReport
from kb.scan_cache import ScanCache
from kb.sync_batch import FoundText, SyncBatch, event_time_of
from kb.sync_plan import Move, SyncPlan, plan_sync

_BATCH = 200  # documents recorded in one transaction: short enough that other writers hardly wait
_EMPTY_IS_ODD = 5  # this many known runbooks do not vanish all at once, unless the folder did
_INTENT_LIFE = timedelta(hours=1)  # no write takes that long; an older intent belongs to one that never happened


@dataclass(slots=True)
class _Outcome:
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


class FolderSync:
    """Brings the database in step with the folders. One sync at a time in a process; several processes may try."""

    def __init__(
        self,
        database: Database,
        directory: Directory,
        documents: DocumentCache,
        journal: Journal,
        *,
        look: FolderLook,
        cache: ScanCache,
        trusted: Set[str],
    ) -> None:
        self._database = database
        self._directory = directory
        self._documents = documents
        self._journal = journal
        self._look = look
        self._cache = cache
        self._trusted = trusted
        self._turn = threading.Lock()

    def sync(self, principal: Principal, *, reread: bool, accept_empty: bool) -> SyncReport:
        """See `RunbookStore.sync`."""
        with self._turn:
            known = self._known()
            plan, look = self._look.settled(known, lambda: self._look.everywhere(known, reread=reread))
            if plan.removed and not look.digests and len(known) >= _EMPTY_IS_ODD and not accept_empty:
                return self._report(_Outcome(problems=[file_problem("folder-empty", "", count=len(known))]), plan, look)
            if self._database.read_only and not plan.is_empty:
                return self._report(_Outcome(problems=[file_problem("not-recorded", "")]), plan, look)
            outcome = self._apply(plan, known, principal)
            self._clean_up(look)
            self._cache.forget_others(frozenset(look.digests))
            self._cache.save()
            return self._report(outcome, plan, look)

    def refresh(self, paths: Iterable[str], principal: Principal) -> SyncReport | None:
        """See `RunbookStore.refresh_paths`; None when only a whole sync can tell."""
        wanted = sorted(set(paths))
        if not all(path.lower().endswith((".md", ".markdown")) for path in wanted):
            return None
        with self._turn:
            known = self._known()
            mine = {path: known[path] for path in wanted if path in known}
            runbooks = [path for path in wanted if is_runbook_path(path)]
            plan, look = self._look.settled(mine, lambda: self._look.at(runbooks, known))
            arrived = {look.digests[path] for path in plan.added}
            elsewhere = {
                path: digest
                for path, digest in known.items()
                if digest in arrived and path not in mine and self._directory.stamp(path) is None
            }
            plan = plan_sync({**mine, **elsewhere}, look.digests, look.is_held)
            outcome = self._apply(plan, known, principal)
            self._cache.save()
            return self._report(outcome, plan, look)

    def differs(self) -> bool:
        """Whether a sync would find something to do. Reads only files that changed since they were last read."""
        with self._turn:
            known = self._known()
            look = self._look.everywhere(known)
            return not plan_sync(known, look.digests, look.is_held).is_empty

    def _known(self) -> dict[str, str]:
        with self._database.read() as connection:
            return live_digests(connection)

    def _apply(self, plan: SyncPlan, known: Mapping[str, str], principal: Principal) -> _Outcome:
        outcome = _Outcome()
        steps: list[tuple[str, Move]] = [("remove", Move(path, "")) for path in plan.removed]
        steps += [("move", move) for move in plan.moved]
        steps += [("edit", Move(path, path)) for path in plan.edited]
        steps += [("add", Move("", path)) for path in plan.added]
        for start in range(0, len(steps), _BATCH):
            self._apply_batch(steps[start : start + _BATCH], known, principal, outcome)
        return outcome

    def _apply_batch(
        self, steps: Sequence[tuple[str, Move]], known: Mapping[str, str], principal: Principal, outcome: _Outcome
    ) -> None:
        """Read and parse first, then record in one short transaction whatever is still as it was when planned."""
        found: dict[str, FoundText] = {}
        for _, move in steps:
            if move.new_path and (text := self._text(move.new_path, outcome)) is not None:
                found[move.new_path] = text
        with self._database.write() as connection:
            batch = SyncBatch(Records(connection, self._journal), principal, self._trusted, known, found)
            batch.release_ids([move.old_path for action, move in steps if action == "edit"])
            for action, move in steps:
                if action == "remove" and self._directory.stamp(move.old_path) is None:
                    outcome.removed += batch.remove(move.old_path)
                elif action == "move":
                    outcome.renamed += batch.move(move)
                elif action == "edit":
                    outcome.changed += batch.edit(move.new_path)
                elif action == "add":
                    outcome.added += batch.add(move.new_path)
            batch.finish()

    def _text(self, path: str, outcome: _Outcome) -> FoundText | None:
        file = self._directory.find(path)
        if not isinstance(file, FileText):
            outcome.problems.append(file or file_problem("gone", path))
            return None
        written_at = event_time_of(file.stamp, self._journal.now())
        parsed = self._documents.parse(file.raw, path, written_at.date())
        return FoundText(Text(file.raw, parsed), written_at)

    def _clean_up(self, look: Look) -> None:
        """Remove what crashes left. Inside a write transaction: no writer can be half-way then."""
        before = self._journal.now() - _INTENT_LIFE
        with self._database.read() as connection:
            stale = [intent.id for intent in load_intents(connection) if intent.recorded_at < before]
        if self._database.read_only or not (stale or look.leftovers):
            return
        with self._database.write() as connection:
            self._directory.remove_leftovers(look.leftovers)
            Records(connection, self._journal).drop_intents(stale)

    def _report(self, outcome: _Outcome, plan: SyncPlan, look: Look) -> SyncReport:
        """The report on `outcome`, with a note on every file looked at whose id was taken when it came."""
        with self._database.read() as connection:
            ids = live_ids(connection)
            revision = revision_of(connection)
        paths = {given: path for path, (given, _) in ids.items()}
        taken = [
            file_problem("id-taken", path, natural_id=natural, other=paths[natural], id=given)
            for path, (given, natural) in ids.items()
            if path in look.digests and given != natural and natural in paths
        ]
        return SyncReport(
            added=tuple(outcome.added),
            changed=tuple(outcome.changed),
            renamed=tuple(outcome.renamed),
            removed=tuple(outcome.removed),
            unchanged=tuple(ids[path][0] for path in plan.unchanged if path in ids),
            problems=(*look.problems, *outcome.problems, *taken),
            revision=revision,
        )
