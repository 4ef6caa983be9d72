"""In-memory twins of the search log and the pins, for tests."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from kb.pins import Pin, PinNotFound, check_pin
from kb.principal import Principal
from kb.search_log import (
    KEPT,
    MAX_QUERY_CHARS,
    OPENING,
    LogUse,
    SearchEvent,
    SearchNotFound,
    SearchRecord,
    check_event,
    count_shown,
)


class MemorySearchLog:
    """A `SearchLog` that ends with the process."""

    def __init__(self, *, redact: Callable[[str], str]) -> None:
        self._redact = redact
        self._records: dict[str, SearchRecord] = {}
        self._events: list[SearchEvent] = []

    def record(self, records: Sequence[SearchRecord]) -> None:
        for record in records:
            redacted = replace(record, query=self._redact(record.query)[:MAX_QUERY_CHARS])
            self._records.setdefault(record.search_id, redacted)

    def supersede(self, search_ids: Sequence[str]) -> None:
        for search_id in search_ids:
            if search_id in self._records:
                self._records[search_id] = replace(self._records[search_id], superseded=True)

    def get(self, search_id: str) -> SearchRecord:
        if search_id not in self._records:
            raise SearchNotFound(search_id)
        return self._records[search_id]

    def add_event(self, event: SearchEvent) -> None:
        check_event(event)
        self.get(event.search_id)
        self._events.append(event)

    def events(self, search_id: str) -> list[SearchEvent]:
        mine = [event for event in self._events if event.search_id == search_id]
        return sorted(mine, key=lambda event: event.event_time)

    def recent(self, *, limit: int = 100, only_failed: bool = False, only_finished: bool = False) -> list[SearchRecord]:
        wanted = [
            record
            for record in self._records.values()
            if not (only_failed and record.confident) and not (only_finished and record.superseded)
        ]
        wanted.sort(key=lambda record: record.search_id)
        return sorted(wanted, key=lambda record: record.event_time, reverse=True)[:limit]

    def use(self) -> LogUse:
        finished = [record.hit_ids for record in self._records.values() if not record.superseded]
        opened = Counter(event.runbook_id for event in self._events if event.kind in OPENING)
        return LogUse(
            min((record.event_time for record in self._records.values()), default=None), count_shown(finished), opened
        )

    def purge(self, now: datetime) -> int:
        old = {name for name, record in self._records.items() if record.event_time < now - KEPT}
        self._records = {name: record for name, record in self._records.items() if name not in old}
        self._events = [event for event in self._events if event.search_id not in old]
        return len(old)


class MemoryPins:
    """`Pins` that end with the process."""

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        self._now = now
        self._pins: dict[str, Pin] = {}

    def pin(self, alert_name: str, runbook_id: str, principal: Principal, *, note: str = "") -> Pin:
        check_pin(alert_name, runbook_id)
        self._pins[alert_name] = Pin(alert_name, runbook_id, note, principal.name, self._now())
        return self._pins[alert_name]

    def unpin(self, alert_name: str, principal: Principal) -> None:
        if self._pins.pop(alert_name, None) is None:
            raise PinNotFound(alert_name)

    def find(self, alert_name: str) -> Pin | None:
        return self._pins.get(alert_name)

    def all(self) -> Mapping[str, Pin]:
        return dict(sorted(self._pins.items()))
