"""How the knowledge base is, asked when somebody wants to know: readiness, health, what is stored."""

import logging
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from api.acts import Check, Health, Usage
from api.errors import NotReady
from indexer.generation import Generation
from kb.database import Database
from kb.errors import KBError
from kb.runbook import Problem, ProblemLevel
from kb.runbook_store import RunbookStore

log = logging.getLogger("sre_kb.reporting")


@dataclass(frozen=True, slots=True)
class Places:
    """Where things live on disk. `database` is None when the records are not in a file of ours."""

    runbooks: Path
    data: Path
    index: Path
    caches: tuple[Path, ...]
    database: Path | None


class Reporter:
    """Answers the three questions over one store and one index. `trouble` tells why the index fell behind, empty if it
    did not, `learning_trouble` the same of learning; `skipped` are the files that the last look at the folders left
    out."""

    def __init__(
        self,
        *,
        store: RunbookStore,
        database: Database,
        current: Callable[[], Generation],
        trouble: Callable[[], str],
        learning_trouble: Callable[[], str],
        skipped: Callable[[], Sequence[Problem]],
        places: Places,
        model_id: Callable[[], str],
        version: Callable[[], str],
        uptime_s: Callable[[], float],
    ) -> None:
        self._store = store
        self._database = database
        self._current = current
        self._trouble = trouble
        self._learning_trouble = learning_trouble
        self._skipped = skipped
        self._places = places
        self._model_id = model_id
        self._version = version
        self._uptime_s = uptime_s

    def readiness(self) -> str:
        """What search misses, empty when nothing. Raises `NotReady` while there is no index at all."""
        generation = self._current()
        if not generation.documents and generation.degraded:
            raise NotReady("The index")
        return generation.degraded

    def health(self) -> Health:
        """What works, what does not, and what to do."""
        generation = self._current()
        checks = [self._folder_check(), self._database_check(), self._index_check(generation), self._files_check()]
        return Health(
            checks=(*checks, self._learning_check(), Check("model", ok=True, detail=self._model_id())),
            runbooks=len(generation.cards),
            documents=len(generation.documents),
            generation=generation.id if generation.documents or not generation.degraded else "",
            degraded=generation.degraded,
            read_only=self._database.read_only,
            version=self._version(),
            uptime_s=self._uptime_s(),
        )

    def usage(self) -> Usage:
        """Sizes, and the files that were left out or need a look."""
        places = self._places
        return Usage(
            runbooks=_sizes_below(places.runbooks),
            database_bytes=_database_bytes(places.database),
            index_bytes=size_of(places.index),
            cache_bytes=sum(size_of(cache) for cache in places.caches),
            free_bytes=shutil.disk_usage(places.data).free,
            documents=len(self._current().documents),
            problems=self._problems(),
        )

    def _problems(self) -> tuple[Problem, ...]:
        found = {*self._skipped(), *(problem for one in self._store.documents() for problem in one.document.problems)}
        return tuple(sorted(found, key=lambda problem: (problem.path, problem.line or 0, problem.code)))

    def _folder_check(self) -> Check:
        folder = self._places.runbooks
        if folder.is_dir():
            return Check("runbooks folder", ok=True, detail=str(folder))
        return Check("runbooks folder", False, f"{folder} is not there", "Bring it back, or set SRE_KB_RUNBOOKS_DIR.")

    def _database_check(self) -> Check:
        try:
            self._store.revision()
        except KBError as exc:
            log.warning("%s %s", exc.message, exc.advice, extra={"event": "health_check_failed"})
            return Check("database", False, "it refuses to be read", "The log and 'sre-kb doctor' say why.")
        if self._database.read_only:
            return Check("database", False, "read-only", "Make the data folder writable to change and record things.")
        return Check("database", ok=True, detail="SQLite" if self._database.is_sqlite else "PostgreSQL")

    def _index_check(self, generation: Generation) -> Check:
        if trouble := self._trouble():
            return Check("index", False, trouble, "It is tried again every few seconds; the log says more.")
        if generation.degraded:
            return Check("index", False, generation.degraded, "Search answers by words alone until this is done.")
        return Check("index", ok=True, detail=f"{len(generation.chunks):,} chunks, generation {generation.id}")

    def _learning_check(self) -> Check:
        if trouble := self._learning_trouble():
            return Check("learning", False, trouble, "It is tried again every few seconds; the log says more.")
        return Check("learning", ok=True, detail="in step")

    def _files_check(self) -> Check:
        left_out = sum(problem.level is ProblemLevel.ERROR for problem in self._skipped())
        if left_out:
            return Check("files", False, f"{left_out} left out", "GET /storage/usage says which, and why.")
        return Check("files", ok=True, detail="all are read")


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; 0 when nothing is there."""
    if path.is_file():
        return path.stat().st_size
    return sum(_file_sizes(path))


def _file_sizes(folder: Path) -> Iterable[int]:
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                yield os.lstat(os.path.join(parent, name)).st_size
            except OSError:  # gone since it was listed
                continue


def _sizes_below(folder: Path) -> dict[str, int]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return {}
    sizes = {entry.name: size_of(entry) for entry in entries if entry.is_dir() and not entry.name.startswith(".")}
    loose = sum(entry.stat().st_size for entry in entries if entry.is_file() and not entry.name.startswith("."))
    return {**sizes, **({".": loose} if loose else {})}


def _database_bytes(path: Path | None) -> int:
    if path is None:
        return 0
    return sum(size_of(path.with_name(path.name + suffix)) for suffix in ("", "-wal", "-shm"))
