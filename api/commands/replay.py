"""sre-kb replay: what would be recommended today for alerts or incidents of the past."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from pydantic import BaseModel

from api.commands.console import out, print_json, progress_bar, remark, shown
from api.commands.incident_source import open_incidents
from api.imports.alert_lines import holds_alerts, read_alert_lines
from api.imports.incident_file import RefusedEntry
from api.settings import load_settings
from api.wiring import KnowledgeBase, open_knowledge_base
from kb.errors import InvalidInput, StorageUnavailable
from kb.incident import Alert, Incident

_SHOWN = 20


class PatternLine(BaseModel):
    """A pattern and how often it would be recommended."""

    pattern_id: str
    name: str
    times: int


class ReplayReport(BaseModel):
    """What would be said about a file."""

    replayed: int
    confident: int
    refused: int
    patterns: list[PatternLine]


@dataclass(frozen=True, slots=True)
class _Subject:
    """One entry: the id it bears, and what it tells; None with a reason for an entry that tells nothing."""

    number: int
    name: str
    told: Incident | Alert | None
    problem: str = ""


def run(
    *,
    path: Path,
    out_path: Path | None,
    format: str,
    zone: str,
    day_first: bool | None,
    encoding: str,
    as_json: bool,
) -> int:
    """Print a summary, and write each answer where that is wanted."""
    entries = _entries(path, format=format, zone=zone, day_first=day_first, encoding=encoding)
    with open_knowledge_base(load_settings()) as base:
        with progress_bar("Opening") as progress:
            base.learning_base.open(progress)
        with _output(out_path) as sink:
            report = _replay(base, entries, sink)
    if as_json:
        print_json(report)
        return 0
    share = f" ({100 * report.confident / report.replayed:.0f} %)" if report.replayed else ""
    out(f"{report.replayed} replayed; a pattern is recognised with confidence for {report.confident}{share}.")
    for line in report.patterns[:_SHOWN]:
        out(f"{line.times:5} x  {shown(line.name)}  ({line.pattern_id})")
    return 0


def _replay(base: KnowledgeBase, entries: Iterator[_Subject], sink: TextIO | None) -> ReplayReport:
    learner = base.learning_base.learner
    times: Counter[str] = Counter()
    names: dict[str, str] = {}
    replayed = refused = 0
    with progress_bar("Replaying") as progress:
        for entry in entries:
            if entry.told is None:
                refused += 1
                if refused <= _SHOWN:
                    remark(f"line {entry.number}: {shown(entry.problem)}")
                continue
            found = learner.recommend(entry.told)
            replayed += 1
            progress(replayed, replayed)
            if found.confident and found.pattern_id is not None:
                times[found.pattern_id] += 1
                names[found.pattern_id] = found.pattern_name
            if sink is not None:
                said = {"id": entry.name, "pattern_id": found.pattern_id, "confident": found.confident}
                sink.write(json.dumps(said) + "\n")
    patterns = [PatternLine(pattern_id=key, name=names[key], times=count) for key, count in times.most_common()]
    return ReplayReport(replayed=replayed, confident=times.total(), refused=refused, patterns=patterns)


def _entries(path: Path, *, format: str, zone: str, day_first: bool | None, encoding: str) -> Iterator[_Subject]:
    if not format and _is_of_alerts(path):
        with path.open("rb") as file:
            for line in read_alert_lines(file):
                yield _Subject(line.number, line.name, line.alert, line.problem)
        return
    opened = open_incidents(path, source="replay", format=format, zone=zone, day_first=day_first, encoding=encoding)
    with opened as incidents:
        for entry in incidents.read():
            if isinstance(entry, RefusedEntry):
                yield _Subject(entry.number, "", None, entry.reason)
            else:
                yield _Subject(entry.number, entry.incident.source_id or str(entry.number), entry.incident)


def _is_of_alerts(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return holds_alerts(file)
    except OSError as exc:
        raise InvalidInput("FILE", f"{path} cannot be read ({exc.strerror})", advice="Check the path.") from None


def _output(path: Path | None) -> "nullcontext[None] | TextIO":
    if path is None:
        return nullcontext()
    try:
        return path.open("w", encoding="utf-8")
    except OSError as exc:
        raise StorageUnavailable(f"{path} cannot be written: {exc.strerror}.", advice="Choose another place.") from exc
