"""sre-kb learn: a file of incidents becomes patterns."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from api.commands.console import Progress, out, print_json, progress_bar, remark, shown
from api.commands.incident_source import open_incidents
from api.imports.incident_file import IncidentFile, ReadIncident, RefusedEntry
from api.imports.position import Position
from api.learning.importing import Bookmark, Importer, ImportReport, Taken
from api.settings import load_settings
from api.wiring import KnowledgeBase, open_knowledge_base
from kb.errors import KBError, StorageUnavailable
from kb.incident_records import IncidentNotFound, StoredIncident
from kb.principal import Face, local
from learner.assign import MIN_PATTERN_INCIDENTS

EXIT_REFUSED_ENTRIES = 1
_SHOWN = 20


class RefusedLine(BaseModel):
    """An entry that was not learnt."""

    line: int
    reason: str


class LearnReport(BaseModel):
    """What came of a file."""

    format: str
    learnt: int
    changed: int
    known: int
    open: int
    refused: list[RefusedLine]
    resumed_after_line: int
    unused_columns: list[str]
    incidents: int
    patterns: int
    drafts_opened: int


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was typed, as far as it decides how the file is read."""

    path: Path
    restart: bool
    assignments_out: Path | None
    how: Sequence[object]


def run(
    *,
    path: Path,
    source: str,
    format: str,
    zone: str,
    day_first: bool | None,
    encoding: str,
    restart: bool,
    drafts: bool,
    assignments_out: Path | None,
    as_json: bool,
) -> int:
    """Learn and tell what came of it; 1 when an entry was refused."""
    settings = load_settings()
    opened = open_incidents(path, source=source, format=format, zone=zone, day_first=day_first, encoding=encoding)
    how = (source, format, zone, day_first, encoding)
    with opened as incidents, open_knowledge_base(settings) as base:
        with progress_bar("Opening") as progress:
            base.learning_base.open(progress)
        report = _learn(base, incidents, _Asked(path, restart, assignments_out, how))
        if assignments_out is not None:
            _write_assignments(base, report.taken, assignments_out)
        opened_drafts = _draft(base) if drafts else 0
        told = _report(base, incidents, report, opened_drafts)
    if as_json:
        print_json(told)
    else:
        _print(told)
    return EXIT_REFUSED_ENTRIES if report.refused else 0


def _learn(base: KnowledgeBase, incidents: IncidentFile, asked: _Asked) -> ImportReport:
    bookmark = Bookmark(base.settings.data_dir, asked.path, asked.how)

    def is_kept(incident_id: str) -> bool:
        with base.learning_base.records.read() as view:
            return incident_id in view.incidents.get_many([incident_id])

    # Where the patterns of all incidents are asked for, all are read: those that are known already cost little.
    from_beginning = asked.restart or asked.assignments_out is not None
    start = Position() if from_beginning else bookmark.find(is_kept)
    total = asked.path.stat().st_size
    told: list[int] = []

    def refuse(entry: RefusedEntry) -> None:
        told.append(entry.number)
        if len(told) <= _SHOWN:
            remark(f"line {entry.number}: {shown(entry.reason)}")

    with progress_bar("Learning") as progress:
        report = Importer(base.learning_base.learner, local(Face.CLI)).run(
            _watched(incidents.read(start), progress, total), at_batch=bookmark.put, on_refused=refuse
        )
    bookmark.drop()
    report.resumed_from = start.number
    if len(told) > _SHOWN:
        remark(f"... and {len(told) - _SHOWN} more refused entries; --json lists all.")
    return report


def _watched(
    entries: Iterator[ReadIncident | RefusedEntry], progress: Progress, total: int
) -> Iterator[ReadIncident | RefusedEntry]:
    """The entries, with the bytes that they end at told on the way."""
    for entry in entries:
        progress(entry.end.offset, total)
        yield entry


def _write_assignments(base: KnowledgeBase, taken: Sequence[Taken], path: Path) -> None:
    """One line for each incident of the file: its pattern as it stands now, and the one it got on arrival."""
    stands = _standing(base, [one.incident_id for one in taken])
    lines = (_assignment(one.name, stands[one.incident_id]) for one in taken)
    try:
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    except OSError as exc:
        raise StorageUnavailable(f"{path} cannot be written: {exc.strerror}.", advice="Choose another place.") from exc


def _standing(base: KnowledgeBase, incident_ids: Sequence[str]) -> dict[str, StoredIncident]:
    with base.learning_base.records.read() as view:
        found = dict(view.incidents.get_many(incident_ids))
    missing = next((incident_id for incident_id in incident_ids if incident_id not in found), None)
    if missing is not None:
        raise IncidentNotFound(missing)
    return found


def _assignment(name: str, stored: StoredIncident) -> str:
    line = {"id": name, "pattern_id": stored.pattern_id, "arrival_pattern_id": stored.arrival_pattern_id}
    return json.dumps(line, ensure_ascii=True)


def _draft(base: KnowledgeBase) -> int:
    """Write drafts for what was learnt; how many are new. What was learnt stays learnt when that fails."""
    if not base.folder.is_dir():
        remark("No drafts are written: there is no runbooks folder ('sre-kb index' creates it).")
        return 0
    try:
        with progress_bar("Indexing") as progress:
            base.catch_up(progress)
        report = base.learning_base.draft()
        base.index.refresh(base.store)
        return len(report.opened)
    except KBError as exc:
        remark(f"Drafts are not written now: {exc.message} {exc.advice}")
        return 0


def _report(base: KnowledgeBase, incidents: IncidentFile, report: ImportReport, drafts: int) -> LearnReport:
    with base.learning_base.records.read() as view:
        sizes = view.patterns.sizes()
    return LearnReport(
        format=incidents.format,
        learnt=report.new,
        changed=report.changed,
        known=report.known,
        open=report.open,
        refused=[RefusedLine(line=entry.number, reason=entry.reason) for entry in report.refused],
        resumed_after_line=report.resumed_from,
        unused_columns=list(incidents.unused_columns),
        incidents=sum(sizes.values()),
        patterns=sum(size >= MIN_PATTERN_INCIDENTS for size in sizes.values()),
        drafts_opened=drafts,
    )


def _print(told: LearnReport) -> None:
    if told.resumed_after_line:
        remark(f"Went on after line {told.resumed_after_line}, where the last import stopped.")
    if told.unused_columns:
        remark(f"Columns that tell nothing: {shown(', '.join(told.unused_columns[:_SHOWN]))}.")
    counts = {"new": told.learnt, "changed": told.changed, "known already": told.known, "refused": len(told.refused)}
    out(", ".join(f"{count} {what}" for what, count in counts.items() if count) or "No incidents.")
    out(f"{told.patterns} patterns among {told.incidents} learnt incidents.")
    if told.drafts_opened:
        out(f"{told.drafts_opened} drafts wait for review: sre-kb review")
