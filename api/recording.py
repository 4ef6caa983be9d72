"""Remembers answers without making anybody wait for the disk: they collect in memory and are written a batch at a time.
A crash may lose the last half second of them; nothing that a person wrote goes this way."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from api.typed import TypedSearches
from kb.errors import KBError
from kb.search_log import SearchEvent, SearchLog, SearchRecord

log = logging.getLogger("sre_kb.recording")

FLUSH_S = 0.5
_MAX_WAITING = 10_000  # answers; beyond it the disk has been away for long, and the oldest are forgotten first
_PURGE_EVERY = timedelta(hours=1)


class Recorder:
    """Writes to a search log from one thread of its own."""

    def __init__(self, searches: SearchLog, *, now: Callable[[], datetime], enabled: bool = True) -> None:
        self._searches = searches
        self._enabled = enabled
        self._is_failing = False
        self._now = now
        self._waiting: deque[SearchRecord] = deque(maxlen=_MAX_WAITING)
        self._typed = TypedSearches()
        self._steps: deque[str] = deque(maxlen=_MAX_WAITING)
        self._writing = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="search-recorder", daemon=True)
        self._next_purge = now()

    def start(self) -> None:
        """Begin to write in the background. Without it, `flush` writes."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits and end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5.0)
        self.flush()

    def record(self, record: SearchRecord) -> None:
        """Remember an answer soon; not at all where nothing can be written."""
        if not self._enabled:
            return
        step = self._typed.step_before(record)
        if step is not None:
            self._steps.append(step)
        self._waiting.append(record)

    def add_event(self, event: SearchEvent) -> None:
        """Remember now what a reader did. Raises `SearchNotFound`."""
        self.flush()  # the answer it speaks of may be half a second old
        self._searches.add_event(event)

    def flush(self) -> None:
        """Write what waits. A log that cannot be written is no reason to fail a search: it is told and tried again."""
        with self._writing:
            steps = [self._steps.popleft() for _ in range(len(self._steps))]
            batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if not batch and not steps:
                return
            try:
                self._write(batch, frozenset(steps))
                self._is_failing = False
            except KBError as exc:
                self._waiting.extendleft(reversed(batch))
                self._steps.extendleft(reversed(steps))
                if not self._is_failing:  # told once, not twice a second
                    log.warning("searches are not recorded: %s", exc.message, extra={"event": "recording_failed"})
                self._is_failing = True

    def _write(self, batch: list[SearchRecord], steps: frozenset[str]) -> None:
        fresh = {record.search_id for record in batch}
        self._searches.record([replace(one, superseded=True) if one.search_id in steps else one for one in batch])
        self._searches.supersede(sorted(steps - fresh))

    def _run(self) -> None:
        while not self._stopping.wait(FLUSH_S):
            self.flush()
            if self._enabled and self._now() >= self._next_purge:
                self._next_purge = self._now() + _PURGE_EVERY
                self._purge()

    def _purge(self) -> None:
        try:
            self._searches.purge(self._now())
        except KBError as exc:
            log.warning("old searches are not forgotten: %s", exc.message, extra={"event": "purge_failed"})
