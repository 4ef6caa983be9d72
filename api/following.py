"""Keeps index, store and folders in step while a server runs: one thread hears of changed files, one brings the index
up to date. What goes wrong is logged and tried again; it never ends the following."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from indexer.sync import Index, RefreshReport
from kb.errors import KBError
from kb.principal import DISK
from kb.runbook import Problem
from kb.runbook_store import RunbookStore

log = logging.getLogger("sre_kb.following")

# A watcher misses what a network share or an overflowing queue does not tell, so everything is looked at now and then.
FULL_LOOK_S = 60.0
_RETRY_S = 5.0


class _Stopped(Exception):
    """Somebody asked for the end while many texts were being embedded."""


class Follower:
    """Two threads over one store and one index. `wake` asks for the index to be brought in step soon."""

    def __init__(
        self, store: RunbookStore, index: Callable[[], Index], *, folder: Path | None, full_look_s: float = FULL_LOOK_S
    ) -> None:
        self._store = store
        self._index = index
        self._folder = folder
        self._full_look_s = full_look_s
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._threads: list[threading.Thread] = []
        self._trouble = ""
        self.skipped: tuple[Problem, ...] = ()  # files that the last full look left out or wants to tell about

    @property
    def trouble(self) -> str:
        """Why the index could not be brought in step the last time; empty when it could."""
        ended = [thread.name for thread in self._threads if not thread.is_alive()]
        if ended and not self._stopping.is_set():
            return f"{' and '.join(ended)} ended unexpectedly; restart the server"
        return self._trouble

    def start(self) -> None:
        """Begin with a full look at the folders. `folder` None follows the store alone."""
        acts: list[tuple[str, Callable[[], None]]] = [("index-follow", self._follow)]
        if self._folder is not None:
            acts.append(("folder-watch", self._watch))
        self._threads = [threading.Thread(target=act, name=name, daemon=True) for name, act in acts]
        for thread in self._threads:
            thread.start()

    def stop(self, *, wait_s: float = 5.0) -> None:
        """End both threads; a refresh that takes longer than `wait_s` is left behind, for the next start to make up."""
        self._stopping.set()
        self._woken.set()
        until = time.monotonic() + wait_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def wake(self) -> None:
        """The store has changed."""
        self._woken.set()

    def _follow(self) -> None:
        next_look = 0.0
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                if time.monotonic() >= next_look:
                    self.skipped = self._store.sync(DISK).problems
                    next_look = time.monotonic() + self._full_look_s
                report = self._index().refresh(self._store, progress=self._go_on)
                self._trouble = ""
                if report.added or report.changed or report.removed:
                    log.info("index in step", extra={"event": "index_refreshed", **_counts(report)})
                self._store.documents()  # parsed by now, so that neither the first change nor the first page waits
            except _Stopped:
                return  # what is embedded is kept, and the next start goes on from there
            except KBError as exc:
                self._tell(exc)
                next_look = 0.0
            self._woken.wait(_RETRY_S if self._trouble else max(0.1, next_look - time.monotonic()))

    def _go_on(self, done: int, total: int) -> None:
        if self._stopping.is_set() and done < total:
            raise _Stopped

    def _watch(self) -> None:
        if self._folder is None:
            return
        from kb.watch import watch_folder  # only a server watches; a command need not wait for the library

        for paths in watch_folder(self._folder, self._stopping):
            try:
                self._store.refresh_paths(paths, DISK)
            except KBError as exc:
                self._tell(exc)
            self.wake()

    def _tell(self, exc: KBError) -> None:
        self._trouble = exc.message
        log.warning("%s %s", exc.message, exc.advice, extra={"event": "following_failed"})


def _counts(report: RefreshReport) -> dict[str, object]:
    return {
        "generation": report.generation,
        "added": report.added,
        "changed": report.changed,
        "removed": report.removed,
        "texts": report.texts,
    }
