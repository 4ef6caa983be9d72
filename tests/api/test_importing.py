"""Imports: batches, bad entries, interruption, and going on where one stopped."""

import io
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from api.imports.incident_fields import Telling
from api.imports.incident_file import IncidentFile, ReadIncident, RefusedEntry
from api.imports.position import Position
from api.learning.importing import BATCH, Bookmark, Importer
from kb.errors import InvalidInput
from kb.incident import Incident
from kb.incident_records import IncidentQuery
from kb.memory_records import MemoryRecords
from kb.principal import Face, Principal, local
from learner.learner import Learner
from tests.web.learning_stage import toy_learner

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ME = local(Face.CLI)
TELLING = Telling("local", NOW)
CASES = Path(__file__).parents[1] / "cases" / "imports"


def line(number: int, **more: object) -> str:
    told = {"id": f"I-{number}", "title": f"Disk of db-{number} is full", "ts": 1_700_000_000 + number, **more}
    return json.dumps(told) + "\n"


def entries(text: str, start: Position | None = None) -> Iterator[ReadIncident | RefusedEntry]:
    return IncidentFile(io.BytesIO(text.encode()), TELLING).read(start)


@pytest.fixture
def records() -> MemoryRecords:
    return MemoryRecords(now=lambda: NOW, new_id=lambda: "id", redact=str)


@pytest.fixture
def learner(records: MemoryRecords) -> Learner:
    return toy_learner(records, now=lambda: NOW)


def nowhere(position: Position, incident_id: str) -> None:
    return None


def test_every_good_entry_is_learnt_and_every_bad_one_named_with_its_line(learner: Learner) -> None:
    told: list[int] = []
    text = line(1) + "{broken\n" + line(2) + '{"severity": "P1"}\n' + line(3)
    report = Importer(learner, ME).run(
        entries(text), at_batch=nowhere, on_refused=lambda entry: told.append(entry.number)
    )
    assert (report.new, report.changed, report.known) == (3, 0, 0)
    assert told == [entry.number for entry in report.refused] == [2, 4]
    assert [one.name for one in report.taken] == ["I-1", "I-2", "I-3"]
    (pattern,) = learner.patterns()
    assert pattern.frequency == 3


def test_a_file_that_is_learnt_twice_is_learnt_once(learner: Learner, records: MemoryRecords) -> None:
    text = "".join(line(number) for number in range(40))
    for _ in range(2):
        report = Importer(learner, ME).run(entries(text), at_batch=nowhere, on_refused=pytest.fail)
    assert (report.new, report.known) == (0, 40)
    with records.read() as view:
        assert sum(view.patterns.sizes().values()) == 40


def test_what_an_entry_tells_more_is_counted_as_changed(learner: Learner) -> None:
    Importer(learner, ME).run(entries(line(1)), at_batch=nowhere, on_refused=pytest.fail)
    report = Importer(learner, ME).run(entries(line(1, lessons=["watch it"])), at_batch=nowhere, on_refused=pytest.fail)
    assert (report.new, report.changed, report.known) == (0, 1, 0)


def test_each_batch_is_one_transaction_and_tells_how_far_the_file_is_done(learner: Learner) -> None:
    text = "".join(line(number) for number in range(BATCH + 50))
    positions: list[Position] = []
    Importer(learner, ME).run(
        entries(text), at_batch=lambda position, _: positions.append(position), on_refused=pytest.fail
    )
    assert positions[-1] == Position(len(text.encode()), BATCH + 50)
    assert positions == sorted(positions, key=lambda position: position.offset)
    assert all(later.number - earlier.number <= BATCH for earlier, later in pairwise(positions))


class Moody:
    """A learner that refuses one incident when it comes to keeping it."""

    def __init__(self, inner: Learner, refused: str) -> None:
        self._inner = inner
        self._refused = refused

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def learn(self, incidents: Sequence[Incident], principal: Principal) -> object:
        if any(incident.source_id == self._refused for incident in incidents):
            raise InvalidInput("started_at", "lies outside 1970 to 2200")
        return self._inner.learn(incidents, principal)


def test_one_entry_that_cannot_be_kept_costs_no_other_of_its_batch(learner: Learner) -> None:
    told: list[str] = []
    report = Importer(Moody(learner, "I-2"), ME).run(  # type: ignore[arg-type]
        entries(line(1) + line(2) + line(3)), at_batch=nowhere, on_refused=lambda entry: told.append(entry.reason)
    )
    assert report.new == 2
    assert told == ["started_at: lies outside 1970 to 2200"]
    assert [one.name for one in report.taken] == ["I-1", "I-3"]


class TestBookmark:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        path = tmp_path / "incidents.jsonl"
        path.write_text(line(1) + line(2) + line(3))
        return path

    def test_it_remembers_where_the_import_stopped(self, tmp_path: Path, file: Path) -> None:
        bookmark = Bookmark(tmp_path, file, ("import",))
        assert bookmark.find(lambda incident_id: True) == Position()
        bookmark.put(Position(len(line(1)), 1), "inc-1")
        assert Bookmark(tmp_path, file, ("import",)).find(lambda incident_id: incident_id == "inc-1") == Position(
            len(line(1)), 1
        )
        bookmark.drop()
        assert bookmark.find(lambda incident_id: True) == Position()

    def test_it_holds_when_the_file_has_grown(self, tmp_path: Path, file: Path) -> None:
        bookmark = Bookmark(tmp_path, file, ())
        bookmark.put(Position(len(line(1)), 1), "inc-1")
        file.write_text(file.read_text() + line(4))
        assert bookmark.find(lambda incident_id: True).number == 1

    @pytest.mark.parametrize("text", ["", line(7), line(1, title="another") + line(2)])
    def test_it_does_not_hold_when_what_was_read_is_another_text(self, tmp_path: Path, file: Path, text: str) -> None:
        bookmark = Bookmark(tmp_path, file, ())
        bookmark.put(Position(len(line(1) + line(2)), 2), "inc-2")
        file.write_text(text)
        assert bookmark.find(lambda incident_id: True) == Position()

    def test_it_does_not_hold_when_the_records_have_gone(self, tmp_path: Path, file: Path) -> None:
        bookmark = Bookmark(tmp_path, file, ())
        bookmark.put(Position(len(line(1)), 1), "inc-1")
        assert bookmark.find(lambda incident_id: False) == Position()

    def test_it_does_not_hold_for_another_way_of_reading(self, tmp_path: Path, file: Path) -> None:
        Bookmark(tmp_path, file, ("UTC",)).put(Position(len(line(1)), 1), "inc-1")
        assert Bookmark(tmp_path, file, ("Europe/Berlin",)).find(lambda incident_id: True) == Position()

    @pytest.mark.parametrize("told", ["", "{", "[]", '{"offset": "x"}', "null", '{"offset": 1e9, "number": 1}'])
    def test_a_damaged_bookmark_is_none(self, tmp_path: Path, file: Path, told: str) -> None:
        bookmark = Bookmark(tmp_path, file, ())
        bookmark.put(Position(len(line(1)), 1), "inc-1")
        (kept,) = (tmp_path / "imports").iterdir()
        kept.write_text(told)
        assert bookmark.find(lambda incident_id: True) == Position()

    def test_where_it_cannot_be_written_the_import_goes_on(self, tmp_path: Path, file: Path) -> None:
        (tmp_path / "imports").write_text("in the way")
        Bookmark(tmp_path, file, ()).put(Position(1, 1), "inc-1")


@pytest.mark.parametrize("name", sorted(path.name for path in CASES.iterdir()))
def test_the_export_of_every_tool_is_learnt_and_repeating_it_changes_nothing(
    learner: Learner, records: MemoryRecords, name: str
) -> None:
    raw = (CASES / name).read_bytes()
    reports = [
        Importer(learner, ME).run(
            IncidentFile(io.BytesIO(raw), Telling("local", datetime(2030, 1, 1, tzinfo=UTC), day_first=False)).read(),
            at_batch=nowhere,
            on_refused=lambda entry: None,
        )
        for _ in range(2)
    ]
    assert reports[0].new >= 1
    assert (reports[1].new, reports[1].changed, reports[1].known) == (0, 0, reports[0].read)
    with records.read() as view:
        assert view.incidents.page(IncidentQuery()).total == reports[0].new
