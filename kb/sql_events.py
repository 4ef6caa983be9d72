"""What was done to the records, read back from the events that every change of them announces."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from kb.record_ledger import Ledger
from kb.record_store import INCIDENT_CHANGED, PATTERN_CHANGED, RecordEvent
from kb.tables import outbox


class SqlEventReads:
    """`EventReads` on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def last(self) -> int:
        return int(self._connection.execute(select(func.coalesce(func.max(outbox.c.seq), 0))).scalar_one())

    def since(self, seq: int) -> Sequence[RecordEvent] | None:
        last = self.last()
        if last == seq:
            return []
        oldest = self._connection.execute(select(func.min(outbox.c.seq))).scalar()
        if last < seq or oldest is None or oldest > seq + 1:
            return None
        mine = outbox.c.topic.in_((INCIDENT_CHANGED, PATTERN_CHANGED))
        told = select(outbox.c.seq, outbox.c.payload, outbox.c.subject).where(outbox.c.seq > seq, mine)
        rows = self._connection.execute(told.order_by(outbox.c.seq))
        return [RecordEvent(number, str(payload.get("act", "")), subject) for number, payload, subject in rows]


class SqlEvents(SqlEventReads):
    """`EventReads` in one write transaction: what it has told so far counts."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger.connection)
        self._ledger = ledger

    def last(self) -> int:
        self._ledger.flush()
        return super().last()
