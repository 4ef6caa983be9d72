"""Patterns in memory: the twin of `kb.sql_patterns`."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from kb.incident_cleaning import clean_text
from kb.incident_records import IncidentNotFound
from kb.memory_incidents import MemoryIncidents, Placement
from kb.memory_rows import Rows, Turn, Undo
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


class MemoryPatterns:
    """`PatternWrites` over dictionaries."""

    def __init__(self, turn: Turn, undo: Undo, incidents: MemoryIncidents) -> None:
        self._turn = turn
        self._incidents = incidents
        self._rows: Rows[str, PatternRecord] = Rows(undo)
        self._history: Rows[int, PatternEvent] = Rows(undo)
        self._words: Rows[int, SpokenWord] = Rows(undo)

    def get(self, pattern_id: str) -> PatternRecord:
        if pattern_id not in self._rows:
            raise PatternNotFound(pattern_id)
        return self._rows[pattern_id]

    def all(self) -> Sequence[PatternRecord]:
        return sorted(self._rows, key=lambda record: record.id)

    def sizes(self) -> Mapping[str, int]:
        stands_in = (place.pattern_id for place in self._incidents.placements)
        return dict(sorted(Counter(pattern_id for pattern_id in stands_in if pattern_id is not None).items()))

    def standing(self) -> Mapping[str, str | None]:
        return {incident_id: place.pattern_id for incident_id, place in self._incidents.placements.items()}

    def history(self, pattern_id: str | None = None) -> Sequence[PatternEvent]:
        return [
            event
            for event in self._history
            if pattern_id is None or pattern_id in (event.change.pattern_id, *event.change.others)
        ]

    def words(self) -> Sequence[SpokenWord]:
        return list(self._words)

    def assign(self, given: Sequence[Assignment]) -> int:
        placements = self._incidents.placements
        new = 0
        for one in given:
            self._incidents.get(one.incident_id)
            if one.incident_id not in placements:
                placements.put(one.incident_id, Placement(len(placements) + 1, one.pattern_id, one.pattern_id))
                self._ensure([one.pattern_id])
                new += 1
        if new:
            self._turn.tell("pattern.assign", given[0].incident_id)
        return new

    def move(self, moves: Mapping[str, str | None]) -> int:
        placements = self._incidents.placements
        moved = 0
        for incident_id, pattern_id in moves.items():
            place = placements.get(incident_id)
            if place is None:
                raise IncidentNotFound(incident_id)
            if place.pattern_id != pattern_id:
                placements.put(incident_id, replace(place, pattern_id=pattern_id))
                self._ensure([] if pattern_id is None else [pattern_id])
                moved += 1
        if moved:
            self._turn.tell("pattern.move", "patterns")
        return moved

    def record(self, changes: Sequence[PatternChange]) -> None:
        for change in changes:
            self._ensure(born_by(change))
            seq = len(self._history) + 1
            self._history.put(seq, PatternEvent(seq, change, self._turn.now))
            if change.kind is ChangeKind.MERGED:
                self._put(replace(self.get(change.pattern_id), forwards_to=change.others[0]))
            self._turn.tell(f"pattern.{change.kind.value}", change.pattern_id)

    def call(self, names: Mapping[str, str]) -> None:
        for pattern_id, name in sorted(names.items()):
            before = self.get(pattern_id)
            kept = clean_text(" ".join(name.split()), self._turn.redact, max_chars=MAX_PATTERN_NAME_CHARS)
            if not before.named_by and before.name != kept:
                self._put(replace(before, name=kept))
                self._turn.tell("pattern.name", "patterns")

    def say(self, word: Word) -> SpokenWord:
        said = ready_word(word, self._turn.redact)
        who = self._turn.principal.name
        if said.pattern_id:
            self.get(said.pattern_id)
        spoken = SpokenWord(len(self._words) + 1, said, who, self._turn.now)
        self._words.put(spoken.seq, spoken)
        if said.kind is WordKind.RENAME:
            self._put(replace(self.get(said.pattern_id), name=said.name, named_by=who if said.name else ""))
        self._turn.tell(f"pattern.{said.kind.value.replace(' ', '_')}", said.pattern_id or "patterns")
        return spoken

    def _ensure(self, pattern_ids: Iterable[str]) -> None:
        for pattern_id in pattern_ids:
            if pattern_id not in self._rows:
                self._put(PatternRecord(pattern_id, "", "", None, self._turn.now, self._turn.now))

    def _put(self, record: PatternRecord) -> None:
        self._rows.put(record.id, replace(record, updated_at=self._turn.now))
