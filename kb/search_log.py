"""What was searched and what came of it: every answer's id, and the views, copies and votes that refer to it. Queries
are redacted before they are stored, and everything is forgotten after thirty days."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from sqlalchemy import RowMapping, delete, func, insert, select, update

from kb.database import Database
from kb.errors import InvalidInput, KBError
from kb.principal import Face
from kb.printable import one_line
from kb.slugs import is_valid_id
from kb.tables import search_events, search_log

KEPT = timedelta(days=30)
_MAX_ID_CHARS = 64
_MAX_ANCHOR_CHARS = 500
MAX_QUERY_CHARS = 4096  # of a pasted alert; more tells nothing new about what people look for


class SearchNotFound(KBError):
    """No answer of that id was given, or it was longer ago than the log remembers."""

    def __init__(self, search_id: str) -> None:
        super().__init__(
            f"There is no search '{one_line(search_id[:100])}'.",
            advice=f"Searches are remembered for {KEPT.days} days.",
        )
        self.search_id = search_id


class EventKind(StrEnum):
    """What a reader did with an answer."""

    VIEW = "view"
    COPY = "copy"
    VOTE_UP = "vote_up"
    VOTE_DOWN = "vote_down"


OPENING = frozenset({EventKind.VIEW, EventKind.COPY})
"""Events that show that a reader used a hit."""


@dataclass(frozen=True, slots=True)
class SearchRecord:
    """One answer. `hit_ids` are runbook ids, best first; `event_time` is aware, UTC; `took_s` is wall time.

    `superseded` marks a search that the same person went on typing: what they looked for is in the next one.
    """

    search_id: str
    event_time: datetime
    principal: str
    face: Face
    query: str
    hit_ids: tuple[str, ...]
    confident: bool
    degraded: str
    generation: str
    took_s: float
    superseded: bool = False


@dataclass(frozen=True, slots=True)
class SearchEvent:
    """One thing a reader did with one hit of an answer."""

    search_id: str
    kind: EventKind
    runbook_id: str
    anchor: str
    principal: str
    face: Face
    event_time: datetime


@dataclass(frozen=True, slots=True)
class LogUse:
    """What all remembered searches that were finished come to, by runbook id: in how many answers it was, and how often
    readers opened or copied from it. `since` is when the oldest was; None when there is none."""

    since: datetime | None
    shown: Mapping[str, int]
    opened: Mapping[str, int]


class SearchLog(Protocol):
    """A log of answers. Safe to call from several threads."""

    def record(self, records: Sequence[SearchRecord]) -> None:
        """Remember answers; one that is known already is left as it is."""
        ...

    def supersede(self, search_ids: Sequence[str]) -> None:
        """Mark answers as steps on the way to a later one; unknown ones are passed over."""
        ...

    def get(self, search_id: str) -> SearchRecord:
        """Raises `SearchNotFound`."""
        ...

    def add_event(self, event: SearchEvent) -> None:
        """Remember what a reader did. Raises `SearchNotFound` when the answer is not known, `InvalidInput` for an id or
        an anchor that can be none."""
        ...

    def events(self, search_id: str) -> list[SearchEvent]:
        """What readers did with one answer, in the order of time."""
        ...

    def recent(self, *, limit: int = 100, only_failed: bool = False, only_finished: bool = False) -> list[SearchRecord]:
        """The latest answers first; with `only_failed` those that were not confident, with `only_finished` those that
        were not superseded."""
        ...

    def use(self) -> LogUse:
        """How runbooks were found and opened, over all that is remembered."""
        ...

    def purge(self, now: datetime) -> int:
        """Forget answers older than thirty days, with their events; how many answers."""
        ...


class SqlSearchLog:
    """A `SearchLog` in the database of records. `redact` takes secrets out of queries before they are stored."""

    def __init__(self, database: Database, *, new_id: Callable[[], str], redact: Callable[[str], str]) -> None:
        self._database = database
        self._new_id = new_id
        self._redact = redact

    def record(self, records: Sequence[SearchRecord]) -> None:
        with self._database.write() as connection:
            wanted = [record.search_id for record in records]
            known = set(
                connection.execute(select(search_log.c.search_id).where(search_log.c.search_id.in_(wanted))).scalars()
            )
            rows = {record.search_id: self._values(record) for record in records if record.search_id not in known}
            if rows:
                connection.execute(insert(search_log), list(rows.values()))

    def supersede(self, search_ids: Sequence[str]) -> None:
        if not search_ids:
            return
        with self._database.write() as connection:
            mine = search_log.c.search_id.in_(search_ids)
            connection.execute(update(search_log).where(mine).values(superseded=True))

    def get(self, search_id: str) -> SearchRecord:
        check_search_id(search_id)
        with self._database.read() as connection:
            query = select(search_log).where(search_log.c.search_id == search_id)
            row = connection.execute(query).mappings().first()
        if row is None:
            raise SearchNotFound(search_id)
        return _record(row)

    def add_event(self, event: SearchEvent) -> None:
        check_event(event)
        with self._database.write() as connection:
            query = select(search_log.c.search_id).where(search_log.c.search_id == event.search_id)
            if connection.execute(query).first() is None:
                raise SearchNotFound(event.search_id)
            connection.execute(
                insert(search_events).values(
                    id=self._new_id(),
                    search_id=event.search_id,
                    kind=event.kind.value,
                    runbook_id=event.runbook_id,
                    anchor=event.anchor,
                    principal=event.principal,
                    face=event.face.value,
                    event_time=event.event_time,
                )
            )

    def events(self, search_id: str) -> list[SearchEvent]:
        query = select(search_events).where(search_events.c.search_id == search_id)
        if not search_id.isascii() or not search_id.isprintable():
            return []
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(search_events.c.event_time, search_events.c.id)).mappings()
            return [_event(row) for row in rows]

    def recent(self, *, limit: int = 100, only_failed: bool = False, only_finished: bool = False) -> list[SearchRecord]:
        query = select(search_log).order_by(search_log.c.event_time.desc(), search_log.c.search_id).limit(limit)
        if only_failed:
            query = query.where(search_log.c.confident.is_(False))
        if only_finished:
            query = query.where(search_log.c.superseded.is_(False))
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(query).mappings()]

    def use(self) -> LogUse:
        finished = search_log.c.superseded.is_(False)
        opened = search_events.c.kind.in_([kind.value for kind in OPENING])
        by_runbook = select(search_events.c.runbook_id, func.count()).where(opened).group_by(search_events.c.runbook_id)
        with self._database.read() as connection:
            since = connection.execute(select(func.min(search_log.c.event_time))).scalar()
            shown = count_shown(connection.execute(select(search_log.c.hit_ids).where(finished)).scalars())
            return LogUse(since, shown, dict(connection.execute(by_runbook).all()))

    def purge(self, now: datetime) -> int:
        with self._database.write() as connection:
            old = search_log.c.event_time < now - KEPT
            count = int(connection.execute(select(func.count()).select_from(search_log).where(old)).scalar_one())
            connection.execute(delete(search_log).where(old))
        return count

    def _values(self, record: SearchRecord) -> dict[str, object]:
        return {
            "search_id": record.search_id,
            "event_time": record.event_time,
            "principal": record.principal,
            "face": record.face.value,
            "query": self._redact(record.query)[:MAX_QUERY_CHARS],
            "hit_ids": list(record.hit_ids),
            "confident": record.confident,
            "degraded": record.degraded,
            "generation": record.generation,
            "took_s": record.took_s,
            "superseded": record.superseded,
        }


def count_shown(answers: Iterable[object]) -> Mapping[str, int]:
    """In how many answers each runbook was; an answer is the list of its runbooks' ids."""
    return Counter(name for ids in answers if isinstance(ids, list | tuple) for name in dict.fromkeys(ids))


def check_search_id(search_id: str) -> None:
    """Raise `SearchNotFound` for text that cannot be an id, some of which no database would even take."""
    if len(search_id) > _MAX_ID_CHARS or not search_id.isascii() or not search_id.isprintable():
        raise SearchNotFound(search_id)


def check_event(event: SearchEvent) -> None:
    """Raise `SearchNotFound` or `InvalidInput` for an event that cannot be one."""
    check_search_id(event.search_id)
    if not is_valid_id(event.runbook_id):
        raise InvalidInput("runbook_id", "is not a runbook id", advice="Send the id of one of the answer's hits.")
    if len(event.anchor) > _MAX_ANCHOR_CHARS:
        raise InvalidInput("anchor", f"has more than {_MAX_ANCHOR_CHARS} characters", advice="Send the hit's anchor.")


def _record(row: RowMapping) -> SearchRecord:
    return SearchRecord(**{**row, "face": Face(row["face"]), "hit_ids": tuple(row["hit_ids"])})


def _event(row: RowMapping) -> SearchEvent:
    fields = {name: row[name] for name in row if name != "id"}
    return SearchEvent(**{**fields, "kind": EventKind(row["kind"]), "face": Face(row["face"])})
