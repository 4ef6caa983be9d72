"""Rows in memory that a failed change leaves as they were."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from kb.incident_cleaning import Redact
from kb.principal import Principal
from kb.record_store import RecordEvent, RecordNews

Key = TypeVar("Key")
Row = TypeVar("Row")


@dataclass(slots=True)
class Turn:
    """Who changes the records now, and when."""

    principal: Principal
    now: datetime
    redact: Redact
    new_id: Callable[[], str]
    told: list[tuple[str, str]] = field(default_factory=list)

    def tell(self, act: str, subject: str) -> None:
        """Something was done, as the events of the other store have it."""
        self.told.append((act, subject))


class Undo:
    """What takes back the changes since the last that was kept."""

    def __init__(self) -> None:
        self._steps: list[Callable[[], object]] = []

    def add(self, step: Callable[[], object]) -> None:
        self._steps.append(step)

    def keep(self) -> None:
        self._steps.clear()

    def roll_back(self) -> None:
        while self._steps:
            self._steps.pop()()


class Rows(Generic[Key, Row]):
    """A table: rows by key, in the order in which their keys came."""

    def __init__(self, undo: Undo) -> None:
        self._rows: dict[Key, Row] = {}
        self._undo = undo

    def __contains__(self, key: Key) -> bool:
        return key in self._rows

    def __getitem__(self, key: Key) -> Row:
        return self._rows[key]

    def __iter__(self) -> Iterator[Row]:
        return iter(list(self._rows.values()))

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: Key) -> Row | None:
        return self._rows.get(key)

    def items(self) -> list[tuple[Key, Row]]:
        return list(self._rows.items())

    def put(self, key: Key, row: Row) -> None:
        if key in self._rows:
            before = self._rows[key]
            self._undo.add(lambda: self._rows.__setitem__(key, before))
        else:
            self._undo.add(lambda: self._rows.pop(key))
        self._rows[key] = row

    def drop(self, key: Key) -> None:
        before = self._rows  # dropping is rare, and the order must come back too
        self._rows = {kept: row for kept, row in before.items() if kept != key}
        self._undo.add(lambda: setattr(self, "_rows", before))


class MemoryEvents:
    """`EventReads` over what was told; nothing is forgotten."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn

    def last(self) -> int:
        return len(self._turn.told)

    def since(self, seq: int) -> RecordNews | None:
        later = enumerate(self._turn.told[seq:], start=seq + 1)
        events = tuple(RecordEvent(number, act, subject) for number, (act, subject) in later)
        return None if seq > self.last() else RecordNews(events, self.last())
