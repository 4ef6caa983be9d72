"""One act of the learner: a transaction, what it learns, and what memory does once it is written."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from kb.principal import Principal
from kb.record_store import RecordChange, RecordStore
from learner.arrivals import Arrivals


class Turn:
    """One act: its transaction, what it learns, and what memory does once it is written."""

    change: RecordChange
    arrivals: Arrivals

    def __init__(self) -> None:
        self.has_begun = False
        self.after: list[Callable[[], object]] = []
        self.position = 0


class Turns:
    """The records as `Once` wants them, each of its changes a turn of the learner."""

    present: Turn

    def __init__(self, records: RecordStore, changing: Callable[[Principal], AbstractContextManager[Turn]]) -> None:
        self.read = records.read
        self._changing = changing

    @contextmanager
    def change(self, principal: Principal) -> Iterator[RecordChange]:
        with self._changing(principal) as turn:
            self.present = turn
            yield turn.change
