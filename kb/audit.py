"""The record of who did what: append-only and hash-chained, written in the same transaction as the change it tells of.

A change, a deletion or a swap of lines breaks the chain at a known line. Cutting lines off the end does not: that shows
only against a checkpoint kept somewhere else.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select

from kb.database import Database
from kb.principal import Principal
from kb.printable import one_line
from kb.tables import audit

GENESIS = "0" * 64  # stands where the first line's predecessor would
_BATCH = 1000

Details = Mapping[str, str | int | None]


@dataclass(frozen=True, slots=True)
class AuditNote:
    """What is to be recorded: the act (`runbook.update`), the thing it was done to, and plain facts about it."""

    principal: Principal
    action: str
    object: str
    details: Details
    event_time: datetime


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One recorded line. `hash` covers every other field and, through `prev_hash`, all lines before."""

    seq: int
    prev_hash: str
    hash: str
    actor: str
    role: str
    face: str
    action: str
    object: str
    details: str  # canonical JSON
    event_time: str  # ISO 8601, UTC, as is the next: text stays to the letter what was hashed
    recorded_at: str


_NAMES = tuple(one.name for one in fields(AuditLine))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The last line at some moment, to be kept where whoever edits the database cannot."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """Whether the chain holds. `first_bad_seq` is the first line that is wrong or missing, None when all is well."""

    lines: int
    first_bad_seq: int | None
    reason: str
    head: Checkpoint


class AuditLog:
    """Reads the audit and appends to it. `redact` takes secrets out of free text before it is stored."""

    def __init__(self, database: Database, *, now: Callable[[], datetime], redact: Callable[[str], str]) -> None:
        self._database = database
        self._now = now
        self._redact = redact

    def append(self, connection: Connection, notes: Sequence[AuditNote]) -> None:
        """Add lines inside the caller's write transaction, so that their order is the order of the changes."""
        if not notes:
            return
        head = _head(connection)
        lines: list[AuditLine] = []
        for note in notes:
            line = self._line(note, head)
            lines.append(line)
            head = Checkpoint(line.seq, line.hash)
        connection.execute(insert(audit), [_row(line) for line in lines])

    def record(self, note: AuditNote) -> None:
        """Add one line in a transaction of its own: for acts that change nothing else in the database."""
        with self._database.write() as connection:
            self.append(connection, [note])

    def head(self) -> Checkpoint:
        """The last line now; seq 0 when there is none."""
        with self._database.read() as connection:
            return _head(connection)

    def latest(self, limit: int = 100, *, object: str | None = None) -> list[AuditLine]:
        """The newest lines first, of one object when named."""
        query = select(audit).order_by(audit.c.seq.desc()).limit(limit)
        if object is not None:
            query = query.where(audit.c.object == object)
        with self._database.read() as connection:
            return [AuditLine(**row) for row in connection.execute(query).mappings()]

    def verify(self, checkpoint: Checkpoint | None = None) -> AuditVerdict:
        """Walk the whole chain. With a `checkpoint`, lines up to it must still be there and be the same."""
        with self._database.read() as connection:
            return verify_lines(_all_lines(connection), checkpoint)

    def _line(self, note: AuditNote, before: Checkpoint) -> AuditLine:
        facts = {name: self._redact(v) if isinstance(v, str) else v for name, v in note.details.items()}
        bare = AuditLine(
            seq=before.seq + 1,
            prev_hash=before.hash,
            hash="",
            actor=one_line(note.principal.name),
            role=note.principal.role.value,
            face=note.principal.face.value,
            action=one_line(note.action),
            object=one_line(note.object),
            details=json.dumps(facts, ensure_ascii=True, sort_keys=True, separators=(",", ":")),
            event_time=note.event_time.astimezone(UTC).isoformat(),
            recorded_at=self._now().astimezone(UTC).isoformat(),
        )
        return _sealed(bare)


def verify_lines(lines: Iterator[AuditLine], checkpoint: Checkpoint | None) -> AuditVerdict:
    """The verdict on `lines`, which come in order of seq (pure)."""
    head, count = Checkpoint(0, GENESIS), 0
    for line in lines:
        reason = _fault(line, head)
        if checkpoint and line.seq == checkpoint.seq and line.hash != checkpoint.hash:
            reason = reason or "differs from the checkpoint"
        if reason:
            return AuditVerdict(count, min(line.seq, head.seq + 1), reason, head)
        head, count = Checkpoint(line.seq, line.hash), count + 1
    if checkpoint and checkpoint.seq > head.seq:
        return AuditVerdict(count, head.seq + 1, "lines up to the checkpoint are missing", head)
    return AuditVerdict(count, None, "", head)


def _fault(line: AuditLine, before: Checkpoint) -> str:
    if line.seq != before.seq + 1:
        return "a line is missing" if line.seq > before.seq + 1 else "a line is out of order"
    if line.prev_hash != before.hash:
        return "does not follow from the line before"
    return "" if _sealed(line).hash == line.hash else "was changed after it was written"


def _sealed(line: AuditLine) -> AuditLine:
    canonical = json.dumps({**_row(line), "hash": ""}, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return replace(line, hash=hashlib.sha256(canonical.encode("ascii")).hexdigest())


def _row(line: AuditLine) -> dict[str, str | int]:
    return {name: getattr(line, name) for name in _NAMES}


def _head(connection: Connection) -> Checkpoint:
    row = connection.execute(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)).first()
    return Checkpoint(row.seq, row.hash) if row else Checkpoint(0, GENESIS)


def _all_lines(connection: Connection) -> Iterator[AuditLine]:
    rows = connection.execution_options(yield_per=_BATCH).execute(select(audit).order_by(audit.c.seq))
    for row in rows.mappings():
        yield AuditLine(**row)
