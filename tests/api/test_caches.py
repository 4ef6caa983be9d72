"""The files of `cache/`: written for other tools when they change, in one step, and read by nobody here."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.acts import Usage
from api.caches import Caches, CacheSources, Measured, cache_folder, metrics_text, write_cache
from api.learning.acts import AccuracyView
from api.web.urls import Urls
from indexer.generation import Generation
from kb.errors import StorageUnavailable
from kb.incident import ActionOutcome, ActionTaken, Incident, Resolution
from kb.pattern import ActionStats, Pattern
from kb.runbook import RunbookType
from kb.severity import Severity
from learner.accuracy import Judgements, accuracy_of, response_times
from learner.distill import distill
from learner.effectiveness import action_stats
from learner.insight import RunbookUse
from tests.indexer.toy_store import ToySource, built_from_scratch

pytestmark = pytest.mark.integration
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
INCIDENTS = [
    Incident(
        f"inc-{n}",
        "Checkout queue is growing",
        NOON + timedelta(days=n),
        NOON,
        "ana",
        severity=Severity.HIGH,
        trigger="a deploy",
        duration_s=600.0,
        resolution=Resolution((ActionTaken("Restart consumer", outcome=ActionOutcome.HELPED),), success=True),
    )
    for n in range(3)
]
USAGE = Usage({"static": 10}, 20, 30, 40, 50, 1, ())


def learnt() -> tuple[list[Pattern], tuple[ActionStats, ...]]:
    return [distill("pat-1", INCIDENTS, now=NOON + timedelta(days=4))], action_stats(INCIDENTS)


def measured() -> Measured:
    static = RunbookUse("queue", "Queue", "", shown=4, resolved_ids=("a", "b"), failed_ids=("c",), recurred_ids=("b",))
    dynamic = replace(static, runbook_id="drafted", type=RunbookType.DYNAMIC, shown=0, failed_ids=(), recurred_ids=())
    accuracy = AccuracyView(accuracy_of(Judgements()), response_times(INCIDENTS, {"inc-0"}))
    return Measured((static, dynamic, RunbookUse("idle", "Idle", "")), learnt()[0], accuracy, USAGE)


@pytest.fixture(scope="module")
def generation(tmp_path_factory: pytest.TempPathFactory) -> Generation:
    source = ToySource()
    source.put("queue", "# Queue grows\n\nRestart the consumer.\n")
    return built_from_scratch(source, tmp_path_factory.mktemp("index"))


class Stage:
    """Caches over values that a test changes, with a clock."""

    def __init__(self, folder: Path, generation: Generation) -> None:
        self.folder = folder
        self.passed = 0.0
        self.patterns: list[Pattern] = []
        self.asked: list[str] = []
        sources = CacheSources(lambda: generation, self._patterns, self._measured)
        self.caches = Caches(folder, sources, Urls(), every_s=60.0, timer=lambda: self.passed)

    def _patterns(self) -> tuple[list[Pattern], tuple[ActionStats, ...]]:
        self.asked.append("patterns")
        return self.patterns, ()

    def _measured(self) -> Measured:
        self.asked.append("measured")
        return measured()

    def read(self, name: str) -> dict[str, object]:
        found: dict[str, object] = json.loads((self.folder / name).read_text(encoding="ascii"))
        return found


@pytest.fixture
def stage(tmp_path: Path, generation: Generation) -> Stage:
    return Stage(tmp_path / "cache", generation)


def test_the_three_files_are_there_after_the_first_look(stage: Stage, generation: Generation) -> None:
    stage.patterns = learnt()[0]
    stage.caches()
    assert stage.read("search-index.json")["id"] == generation.id
    found = stage.read("patterns.json")["incident_patterns"]
    assert isinstance(found, dict)
    (pattern,) = found.values()
    assert (pattern["frequency"], pattern["triggers"], pattern["success_rate"]) == (3, ["a deploy"], 1.0)
    assert sorted(path.name for path in stage.folder.iterdir()) == [
        ".gitignore",
        "metrics.json",
        "patterns.json",
        "search-index.json",
    ]


def test_metrics_tell_use_success_by_type_times_accuracy_and_storage() -> None:
    body = json.loads(metrics_text(measured()))
    assert body["runbook_usage"]["queue"] == {"shown": 4, "opened": 0, "resolved": 2, "failed": 1, "recurred": 1}
    assert "idle" not in body["runbook_usage"]
    rates = body["success_rate_by_runbook_type"]
    assert (rates["static"]["resolved"], rates["static"]["incidents"]) == (1, 3)
    assert (rates["dynamic"]["success_rate"], rates["template"]["success_rate"]) == (1.0, None)
    assert body["resolution_time"][0]["severity"] == "high"
    assert body["ai_accuracy"]["assignments"]["made"] == 0
    assert body["ai_confidence"]["patterns"] == 1
    assert body["storage_usage"]["database_bytes"] == 20


def test_a_file_is_looked_at_when_it_is_due_and_written_when_it_changed(stage: Stage) -> None:
    stage.caches()
    written = (stage.folder / "patterns.json").stat().st_ino
    stage.asked.clear()
    stage.passed = 59.0
    stage.caches()
    assert stage.asked == []
    stage.passed = 60.0
    stage.caches()
    assert stage.asked == ["patterns"]
    assert (stage.folder / "patterns.json").stat().st_ino == written
    stage.patterns = learnt()[0]
    stage.passed = 120.0
    stage.caches()
    assert stage.read("patterns.json")["total"] == 1
    stage.passed = 3600.0
    stage.caches()
    assert stage.asked[-1] == "measured"


def test_a_folder_that_takes_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(StorageUnavailable, match=r"patterns\.json cannot be written"):
        write_cache(tmp_path / "cache", "patterns.json", b"{}")


def test_the_files_of_someone_who_keeps_runbooks_in_git_stay_out_of_it(tmp_path: Path) -> None:
    write_cache(tmp_path / "cache", "patterns.json", b"{}")
    assert (tmp_path / "cache" / ".gitignore").read_text().splitlines()[-1] == "*"


def test_where_the_runbooks_folder_takes_nothing_the_files_go_to_the_data_folder(tmp_path: Path) -> None:
    assert cache_folder(tmp_path / "gone", tmp_path / "data") == tmp_path / "data" / "cache"


def test_the_files_lie_where_the_layout_of_the_folders_has_them(tmp_path: Path) -> None:
    assert cache_folder(tmp_path, tmp_path / "data") == tmp_path / "cache"
