"""Patterns in the database of records: who stands where, forwarding ids, history and people's words."""

import json
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, RowMapping, Text, func, insert, or_, select, type_coerce, update

from kb.incident_cleaning import clean_text
from kb.incident_records import IncidentNotFound
from kb.pattern import ChangeKind, PatternChange
from kb.pattern_records import (
    MAX_PATTERN_NAME_CHARS,
    Assignment,
    PatternEvent,
    PatternNotFound,
    PatternRecord,
    SpokenWord,
    Word,
    WordKind,
    born_by,
    ready_word,
)
from kb.record_ledger import Facts, Ledger
from kb.record_store import PATTERN_CHANGED
from kb.record_tables import assignments, incidents, pattern_history, pattern_words, patterns
from kb.sql_incidents import chunks


class SqlPatternReads:
    """`PatternReads` on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, pattern_id: str) -> PatternRecord:
        row = self._connection.execute(select(patterns).where(patterns.c.id == pattern_id)).mappings().first()
        if row is None:
            raise PatternNotFound(pattern_id)
        return PatternRecord(**row)

    def all(self) -> Sequence[PatternRecord]:
        rows = self._connection.execute(select(patterns).order_by(patterns.c.id)).mappings()
        return [PatternRecord(**row) for row in rows]

    def sizes(self) -> Mapping[str, int]:
        present = assignments.c.pattern_id
        counted = select(present, func.count()).where(present.is_not(None)).group_by(present).order_by(present)
        return {pattern_id: int(count) for pattern_id, count in self._connection.execute(counted)}

    def standing(self) -> Mapping[str, str | None]:
        stands = select(assignments.c.incident_id, assignments.c.pattern_id).order_by(assignments.c.seq)
        return {row.incident_id: row.pattern_id for row in self._connection.execute(stands)}

    def history(self, pattern_id: str | None = None) -> Sequence[PatternEvent]:
        lines = select(pattern_history).order_by(pattern_history.c.seq)
        if pattern_id is not None:
            others = type_coerce(pattern_history.c.others, Text)
            lines = lines.where(
                or_(
                    pattern_history.c.pattern_id == pattern_id,
                    others.contains(json.dumps(pattern_id), autoescape=True),
                )
            )
        return [_event(row) for row in self._connection.execute(lines).mappings()]

    def words(self) -> Sequence[SpokenWord]:
        rows = self._connection.execute(select(pattern_words).order_by(pattern_words.c.seq)).mappings()
        return [_spoken(row) for row in rows]

    def _names_of(self, pattern_ids: Iterable[str]) -> dict[str, RowMapping]:
        found: dict[str, RowMapping] = {}
        for ids in chunks(sorted(set(pattern_ids))):
            rows = self._connection.execute(select(patterns).where(patterns.c.id.in_(ids))).mappings()
            found.update((row["id"], row) for row in rows)
        return found


class SqlPatterns(SqlPatternReads):
    """`PatternWrites` in one write transaction."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger.connection)
        self._ledger = ledger

    def assign(self, given: Sequence[Assignment]) -> int:
        is_learnt: dict[str, bool] = {}
        for ids in chunks(list(dict.fromkeys(one.incident_id for one in given))):
            joined = incidents.outerjoin(assignments, assignments.c.incident_id == incidents.c.id)
            known = select(incidents.c.id, assignments.c.seq).select_from(joined).where(incidents.c.id.in_(ids))
            is_learnt.update((incident_id, seq is not None) for incident_id, seq in self._connection.execute(known))
        rows = []
        for one in given:
            if one.incident_id not in is_learnt:
                raise IncidentNotFound(one.incident_id)
            if not is_learnt[one.incident_id]:
                is_learnt[one.incident_id] = True
                rows.append(
                    {
                        "incident_id": one.incident_id,
                        "arrival_pattern_id": one.pattern_id,
                        "pattern_id": one.pattern_id,
                        "learnt_at": self._ledger.now,
                    }
                )
        if rows:
            self._ensure(str(row["pattern_id"]) for row in rows)
            self._connection.execute(insert(assignments), rows)
            first = str(rows[0]["incident_id"])
            facts: Facts = {"incidents": len(rows), "pattern_id": str(rows[0]["pattern_id"])}
            self._ledger.tell("pattern.assign", first, facts, topic=PATTERN_CHANGED)
        return len(rows)

    def move(self, moves: Mapping[str, str | None]) -> int:
        present: dict[str, str | None] = {}
        for ids in chunks(sorted(moves)):
            mine = select(assignments.c.incident_id, assignments.c.pattern_id)
            rows = self._connection.execute(mine.where(assignments.c.incident_id.in_(ids)))
            present.update((incident_id, pattern_id) for incident_id, pattern_id in rows)
        for incident_id in moves:
            if incident_id not in present:
                raise IncidentNotFound(incident_id)
        moved: dict[str | None, list[str]] = {}
        for incident_id, pattern_id in sorted(moves.items()):
            if present[incident_id] != pattern_id:
                moved.setdefault(pattern_id, []).append(incident_id)
        self._ensure(pattern_id for pattern_id in moved if pattern_id is not None)
        for pattern_id, incident_ids in moved.items():
            for ids in chunks(incident_ids):
                mine_now = assignments.c.incident_id.in_(ids)
                values = {"pattern_id": pattern_id, "moved_at": self._ledger.now}
                self._connection.execute(update(assignments).where(mine_now).values(**values))
        count = sum(map(len, moved.values()))
        if count:
            facts: Facts = {"incidents": count, "patterns": len(moved)}
            self._ledger.tell("pattern.move", "patterns", facts, topic=PATTERN_CHANGED)
        return count

    def record(self, changes: Sequence[PatternChange]) -> None:
        if not changes:
            return
        self._ensure(pattern_id for change in changes for pattern_id in born_by(change))
        self._connection.execute(insert(pattern_history), [self._line(change) for change in changes])
        for change in changes:
            if change.kind is ChangeKind.MERGED:
                self._update(change.pattern_id, forwards_to=change.others[0])
            facts: Facts = {"others": ", ".join(change.others), "incidents": change.incidents, "by": change.by}
            self._ledger.tell(f"pattern.{change.kind.value}", change.pattern_id, facts, topic=PATTERN_CHANGED)

    def call(self, names: Mapping[str, str]) -> None:
        known = self._names_of(names)
        named = 0
        for pattern_id, name in sorted(names.items()):
            if pattern_id not in known:
                raise PatternNotFound(pattern_id)
            kept = clean_text(" ".join(name.split()), self._ledger.redact, max_chars=MAX_PATTERN_NAME_CHARS)
            if not known[pattern_id]["named_by"] and known[pattern_id]["name"] != kept:
                self._update(pattern_id, name=kept)
                named += 1
        if named:
            self._ledger.tell("pattern.name", "patterns", {"patterns": named}, topic=PATTERN_CHANGED)

    def say(self, word: Word) -> SpokenWord:
        ledger = self._ledger
        said = ready_word(word, ledger.redact)
        if said.pattern_id:
            self.get(said.pattern_id)
        row = {
            "kind": said.kind.value,
            "members": [sorted(group) for group in said.groups],
            "pattern_id": said.pattern_id,
            "name": said.name,
            "said_by": ledger.principal.name,
            "event_time": ledger.now,
        }
        seq = self._connection.execute(insert(pattern_words).returning(pattern_words.c.seq), row).scalar_one()
        if said.kind is WordKind.RENAME:
            self._update(said.pattern_id, name=said.name, named_by=ledger.principal.name if said.name else "")
        facts: Facts = {"name": said.name, "incidents": sum(map(len, said.groups))}
        act = f"pattern.{said.kind.value.replace(' ', '_')}"
        ledger.tell(act, said.pattern_id or "patterns", facts, topic=PATTERN_CHANGED)
        return SpokenWord(seq, said, ledger.principal.name, ledger.now)

    def _ensure(self, pattern_ids: Iterable[str]) -> None:
        wanted = sorted(set(pattern_ids))
        known = self._names_of(wanted)
        now = self._ledger.now
        rows = [
            {"id": pattern_id, "name": "", "named_by": "", "born_at": now, "updated_at": now}
            for pattern_id in wanted
            if pattern_id not in known
        ]
        if rows:
            self._connection.execute(insert(patterns), rows)

    def _update(self, pattern_id: str, **values: object) -> None:
        row = {**values, "updated_at": self._ledger.now}
        self._connection.execute(update(patterns).where(patterns.c.id == pattern_id).values(**row))

    def _line(self, change: PatternChange) -> dict[str, object]:
        return {
            "kind": change.kind.value,
            "pattern_id": change.pattern_id,
            "others": list(change.others),
            "incidents": change.incidents,
            "at_count": change.at_count,
            "said_by": change.by,
            "event_time": self._ledger.now,
        }


def _event(row: RowMapping) -> PatternEvent:
    change = PatternChange(
        kind=ChangeKind(row["kind"]),
        pattern_id=row["pattern_id"],
        others=tuple(row["others"]),
        incidents=row["incidents"],
        at_count=row["at_count"],
        by=row["said_by"],
    )
    return PatternEvent(row["seq"], change, row["event_time"])


def _spoken(row: RowMapping) -> SpokenWord:
    word = Word(
        kind=WordKind(row["kind"]),
        groups=tuple(frozenset(group) for group in row["members"]),
        pattern_id=row["pattern_id"],
        name=row["name"],
    )
    return SpokenWord(row["seq"], word, row["said_by"], row["event_time"])
