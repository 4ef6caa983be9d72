"""Events that background work waits for: written in the same transaction as the change they announce, read later, at
least once, by any number of consumers that each remember how far they have come."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from kb.database import Database
from kb.tables import outbox, outbox_consumers

RUNBOOK_CHANGED = "runbook.changed"


@dataclass(frozen=True, slots=True)
class Announcement:
    """An event before it is written: its topic, the id of what it is about, and plain facts."""

    topic: str
    subject: str
    payload: Mapping[str, str | int | None]
    event_time: datetime


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """An announcement as written. `seq` has no gaps; `event_id` is the same however often the event is delivered."""

    seq: int
    event_id: str
    topic: str
    subject: str
    payload: Mapping[str, str | int | None]
    event_time: datetime
    recorded_at: datetime


class Outbox:
    """The events of one database."""

    def __init__(self, database: Database, *, now: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._database = database
        self._now = now
        self._new_id = new_id

    def append(self, connection: Connection, announcements: Sequence[Announcement]) -> None:
        """Write events inside the caller's write transaction: they exist exactly when the change does."""
        if not announcements:
            return
        last = _last_seq(connection)
        rows = [
            {
                "seq": last + offset,
                "event_id": self._new_id(),
                "topic": item.topic,
                "subject": item.subject,
                "payload": dict(item.payload),
                "event_time": item.event_time,
                "recorded_at": self._now(),
            }
            for offset, item in enumerate(announcements, start=1)
        ]
        connection.execute(insert(outbox), rows)

    def pending(self, consumer: str, *, limit: int = 100) -> list[OutboxEvent]:
        """The oldest events that `consumer` has not acknowledged, in order. A new consumer gets all that are kept."""
        with self._database.read() as connection:
            query = select(outbox).where(outbox.c.seq > _acked(connection, consumer)).order_by(outbox.c.seq)
            return [OutboxEvent(**row) for row in connection.execute(query.limit(limit)).mappings()]

    def ack(self, consumer: str, seq: int) -> None:
        """`consumer` is done with every event up to `seq`. Acknowledging less than before changes nothing."""
        values = {"acked_seq": seq, "acked_at": self._now()}
        mine = outbox_consumers.c.consumer == consumer
        with self._database.write() as connection:
            known = connection.execute(select(outbox_consumers.c.acked_seq).where(mine)).scalar()
            if known is None:
                connection.execute(insert(outbox_consumers).values(consumer=consumer, **values))
            elif seq > known:
                connection.execute(update(outbox_consumers).where(mine).values(**values))

    def purge(self, *, before: datetime, unseen_before: datetime | None = None) -> int:
        """Forget events that every consumer has acknowledged and that were recorded before that time; how many.

        Those recorded before `unseen_before` go even when a consumer has not acknowledged them, or there is none.
        """
        with self._database.write() as connection:
            done = connection.execute(select(func.min(outbox_consumers.c.acked_seq))).scalar()
            gone = (outbox.c.seq <= (done or 0)) & (outbox.c.recorded_at < before)
            if unseen_before is not None:
                gone |= outbox.c.recorded_at < unseen_before
            last = _last_seq(connection)  # the newest stays: the next event's number follows from it
            return connection.execute(delete(outbox).where(outbox.c.seq < last, gone)).rowcount


def _last_seq(connection: Connection) -> int:
    return int(connection.execute(select(func.coalesce(func.max(outbox.c.seq), 0))).scalar_one())


def _acked(connection: Connection, consumer: str) -> int:
    acked = select(outbox_consumers.c.acked_seq).where(outbox_consumers.c.consumer == consumer)
    return int(connection.execute(acked).scalar() or 0)
