"""A file of incidents, learnt a batch at a time. An import that was interrupted goes on where it stopped; whatever is
read twice is one incident all the same."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from api.imports.incident_file import ReadIncident, RefusedEntry
from api.imports.position import Position
from kb.errors import InvalidInput
from kb.principal import Principal
from learner.arrivals import Learned
from learner.learner import Learner

BATCH = 300
"""Incidents in one transaction: so many share one sync of the disk, and a kill costs no more than these."""

POSITIONS = "imports"
"""Below the data folder."""

_EDGE_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class Taken:
    """One incident of the file and where it is kept; `name` is the id that the file gave it, else ours."""

    name: str
    incident_id: str


@dataclass(slots=True)
class ImportReport:
    """What came of a file. `resumed_from` is the line after which reading began, 0 for the beginning."""

    new: int = 0
    changed: int = 0
    known: int = 0
    open: int = 0
    refused: list[RefusedEntry] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    resumed_from: int = 0

    @property
    def read(self) -> int:
        """Incidents in the file, without those that were refused."""
        return self.new + self.changed + self.known


class Importer:
    """Takes the incidents of a file in. `learner` must be open."""

    def __init__(self, learner: Learner, principal: Principal) -> None:
        self._learner = learner
        self._principal = principal

    def run(
        self,
        entries: Iterator[ReadIncident | RefusedEntry],
        *,
        at_batch: Callable[[Position, str], None],
        on_refused: Callable[[RefusedEntry], None],
    ) -> ImportReport:
        """Learn every entry. `at_batch` is told after each transaction how far the file is done and the id of the last
        incident of it, `on_refused` of every bad entry as it is met."""
        report = ImportReport()
        batch: list[ReadIncident] = []
        for entry in entries:
            if isinstance(entry, RefusedEntry):
                report.refused.append(entry)
                on_refused(entry)
                continue
            batch.append(entry)
            if len(batch) >= min(BATCH, self._learner.room()):
                self._learn(batch, report, at_batch, on_refused)
                batch = []
        if batch:
            self._learn(batch, report, at_batch, on_refused)
        self._learner.settle()
        return report

    def _learn(
        self,
        batch: Sequence[ReadIncident],
        report: ImportReport,
        at_batch: Callable[[Position, str], None],
        on_refused: Callable[[RefusedEntry], None],
    ) -> None:
        try:
            learned = list(
                zip(batch, self._learner.learn([one.incident for one in batch], self._principal), strict=True)
            )
        except InvalidInput:
            learned = [*self._one_by_one(batch, report, on_refused)]
        for entry, one in learned:
            report.new += one.is_new
            report.changed += one.has_changed and not one.is_new
            report.known += not one.has_changed
            report.open += one.pattern_id is None
            incident_id = one.stored.incident.id
            report.taken.append(Taken(entry.incident.source_id or incident_id, incident_id))
        self._learner.recluster_if_due()
        at_batch(batch[-1].end, report.taken[-1].incident_id if report.taken else "")

    def _one_by_one(
        self, batch: Sequence[ReadIncident], report: ImportReport, on_refused: Callable[[RefusedEntry], None]
    ) -> Iterator[tuple[ReadIncident, Learned]]:
        """A batch in which something cannot be kept: the others are learnt."""
        for entry in batch:
            try:
                (learned,) = self._learner.learn([entry.incident], self._principal)
            except InvalidInput as exc:
                refused = RefusedEntry(entry.number, entry.end, exc.message)
                report.refused.append(refused)
                on_refused(refused)
            else:
                yield entry, learned


class Bookmark:
    """Where an import of one file stands, in a file of its own. It holds as long as what was read looks the same and
    the last incident of it is still kept."""

    def __init__(self, folder: Path, path: Path, how: Sequence[object]) -> None:
        """`how` tells whatever else decides what the file says, such as its time zone."""
        key = hashlib.sha256(json.dumps([str(path.resolve()), *map(str, how)]).encode()).hexdigest()[:32]
        self._path = path
        self._file = folder / POSITIONS / f"{key}.json"

    def find(self, is_kept: Callable[[str], bool]) -> Position:
        """Where to go on; the beginning when nothing is remembered, or something else by now."""
        try:
            told = json.loads(self._file.read_text(encoding="utf-8"))
            position = Position(int(told["offset"]), int(told["number"]))
            holds = told["edges"] == self._edges(position.offset) and is_kept(str(told["incident"]))
        except (OSError, ValueError, KeyError, TypeError):
            return Position()
        return position if holds else Position()

    def put(self, position: Position, incident_id: str) -> None:
        """Remember how far the file is done. What cannot be written is not remembered: reading twice does no harm."""
        scratch = self._file.with_suffix(".new")
        try:
            told = {
                "offset": position.offset,
                "number": position.number,
                "edges": self._edges(position.offset),
                "incident": incident_id,
            }
            self._file.parent.mkdir(parents=True, exist_ok=True)
            scratch.write_text(json.dumps(told), encoding="utf-8")
            os.replace(scratch, self._file)
        except OSError:
            return

    def drop(self) -> None:
        """The whole file is done."""
        self._file.unlink(missing_ok=True)

    def _edges(self, offset: int) -> str:
        """A digest of the first bytes of the file and of the last ones before `offset`."""
        with self._path.open("rb") as file:
            head = file.read(min(_EDGE_BYTES, offset))
            file.seek(max(0, offset - _EDGE_BYTES))
            tail = file.read(min(_EDGE_BYTES, offset))
        return hashlib.sha256(head + tail).hexdigest()
