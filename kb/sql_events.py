"""What was done to the records, read back from the events that every change of them announces."""

from sqlalchemy import Connection, func, select

from kb.record_ledger import Ledger
from kb.record_store import INCIDENT_CHANGED, PATTERN_CHANGED, RecordEvent, RecordNews
from kb.tables import outbox

_LAST = select(func.coalesce(func.max(outbox.c.seq), 0))


class SqlEventReads:
    """`EventReads` on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def last(self) -> int:
        return int(self._connection.execute(_LAST).scalar_one())

    def since(self, seq: int) -> RecordNews | None:
        last = self.last()
        if last == seq:
            return RecordNews((), last)
        oldest = self._connection.execute(select(func.min(outbox.c.seq))).scalar()
        if last < seq or oldest is None or oldest > seq + 1:
            return None
        mine = outbox.c.topic.in_((INCIDENT_CHANGED, PATTERN_CHANGED))
        later = select(outbox.c.seq, outbox.c.payload, outbox.c.subject).where(outbox.c.seq > seq, mine)
        rows = self._connection.execute(later.order_by(outbox.c.seq))
        events = tuple(RecordEvent(number, str(told.get("act", "")), subject) for number, told, subject in rows)
        return RecordNews(events, last)


class SqlEvents(SqlEventReads):
    """`EventReads` in one write transaction: what it has told so far counts."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger.connection)
        self._ledger = ledger

    def last(self) -> int:
        self._ledger.flush()
        return super().last()
