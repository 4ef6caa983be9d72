"""One act of the learner: a transaction, what it learns, and what memory does once it is written."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from kb.principal import Principal
from kb.record_store import RecordChange, RecordStore
from learner.arrivals import Arrivals
from learner.recall import Memory
from learner.spoken import Said


class Turn:
    """One act: its transaction, what it learns, and what memory does once it is written."""

    change: RecordChange
    arrivals: Arrivals

    def __init__(self, memory: Callable[[], Memory]) -> None:
        self._memory = memory
        self.has_begun = False
        self.after: list[Callable[[], object]] = []
        self.position = 0

    def say(self, said: Said | None) -> None:
        """Write what a person says with what it moves and changes; memory follows afterwards."""
        if said is None:
            return
        patterns = self.change.patterns
        patterns.say(said.word)
        patterns.move(said.moves)
        patterns.record(said.changes)
        self.after.append(lambda: self._memory().follow(said))

    def keep(self) -> None:
        """It is written: memory follows."""
        self.arrivals.keep()
        for step in self.after:
            step()
        memory = self._memory()
        memory.revision += bool(self.after)
        memory.position = self.position


@contextmanager
def settling(memory: Callable[[], Memory]) -> Iterator[Turn]:
    """A turn, which the body begins. What its transaction learns is forgotten when the body raises; when it does not,
    memory follows."""
    turn = Turn(memory)
    try:
        yield turn
    except BaseException:
        if turn.has_begun:
            turn.arrivals.forget()
        raise
    if turn.has_begun:
        turn.keep()


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
