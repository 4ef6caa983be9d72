"""Rows in memory that a failed change leaves as they were."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from kb.incident_cleaning import Redact
from kb.principal import Principal

Key = TypeVar("Key")
Row = TypeVar("Row")


@dataclass(slots=True)
class Turn:
    """Who changes the records now, and when."""

    principal: Principal
    now: datetime
    redact: Redact
    new_id: Callable[[], str]


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
