"""The in-memory twin of the records, for tests: the same promises, nothing outlives the process, no audit."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from kb.incident_cleaning import Redact
from kb.memory_feedback import MemoryFeedback, MemoryKeys
from kb.memory_incidents import MemoryIncidents
from kb.memory_patterns import MemoryPatterns
from kb.memory_reviews import MemoryReviews
from kb.memory_rows import MemoryEvents, Turn, Undo
from kb.principal import SYSTEM, Principal
from kb.record_store import RecordChange, RecordView


class MemoryRecords:
    """A `RecordStore` that ends with the process."""

    def __init__(self, *, now: Callable[[], datetime], new_id: Callable[[], str], redact: Redact) -> None:
        self._now = now
        self._lock = threading.RLock()
        self._undo = Undo()
        self._turn = Turn(SYSTEM, now(), redact, new_id)
        incidents = MemoryIncidents(self._turn, self._undo)
        self._parts = (
            incidents,
            MemoryPatterns(self._turn, self._undo, incidents),
            MemoryReviews(self._turn, self._undo),
            MemoryFeedback(self._turn, self._undo, incidents),
            MemoryKeys(self._turn, self._undo),
            MemoryEvents(self._turn),
        )

    @contextmanager
    def read(self) -> Iterator[RecordView]:
        with self._lock:
            yield RecordView(*self._parts)

    @contextmanager
    def change(self, principal: Principal) -> Iterator[RecordChange]:
        with self._lock:
            self._turn.principal, self._turn.now = principal, self._now()
            told = len(self._turn.told)
            try:
                yield RecordChange(*self._parts)
            except BaseException:
                self._undo.roll_back()
                del self._turn.told[told:]
                raise
            self._undo.keep()
