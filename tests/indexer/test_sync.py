"""The index follows the store with the least work, serves while it does, and is the same whatever way led there."""

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from indexer.embed import HashingEmbedder, Progress, Vectors
from indexer.generation import Generation
from indexer.sync import Index, RefreshReport, plan_sync
from kb.runbook import ReviewState
from kb.runbook_store import StoredDocument
from tests.indexer.toy_store import ToySource, built_from_scratch, edit, edited, open_index, text_of

pytestmark = pytest.mark.integration

LONG = "\n\n".join(f"## Part {number}\n\nThe pod number {number} restarts." for number in range(200))


class CountingEmbedder(HashingEmbedder):
    """Remembers what it was asked to embed, and can be told to fail."""

    def __init__(self, *, dimension: int = 64) -> None:
        super().__init__(dimension=dimension)
        self.embedded: list[str] = []
        self.fails = False

    def embed_passages(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        if self.fails:
            raise RuntimeError("no embedding today")
        self.embedded.extend(texts)
        return super().embed_passages(texts, progress=progress)


@pytest.fixture
def source() -> ToySource:
    source = ToySource()
    source.put("disk-full", "# Disk full\n\n## Check\n\ndf -h\n\n## Fix\n\nDelete old logs.\n")
    source.put("pod-crash", "# Pod crash\n\n## Check\n\nkubectl logs\n")
    return source


def counts(report: RefreshReport) -> tuple[int, int, int, int, int]:
    return report.added, report.changed, report.recarded, report.removed, report.unchanged


def test_a_plan_names_each_kind_of_difference_and_changes_nothing(source: ToySource, tmp_path: Path) -> None:
    generation = built_from_scratch(source, tmp_path)
    source.put("kafka-lag", "# Kafka lag\n")
    source.put("disk-full", "# Disk is full\n")
    source.set_state("pod-crash", ReviewState.UNREVIEWED)
    plan = plan_sync(source.documents(), generation)
    assert [one.document.id for one in plan.added] == ["kafka-lag"]
    assert [one.document.id for one in plan.changed] == ["disk-full"]
    assert {key: [card.state for card in cards] for key, cards in plan.recarded.items()} == {
        "pod-crash": [ReviewState.UNREVIEWED]
    }
    assert (plan.removed, plan.unchanged) == ((), 0)
    source.remove("pod-crash")
    assert plan_sync(source.documents(), generation).removed == ("pod-crash",)
    assert plan_sync([], Generation.empty()).is_empty


def test_a_refresh_reports_what_it_did_and_the_next_one_finds_nothing_to_do(source: ToySource, tmp_path: Path) -> None:
    index = open_index(tmp_path)
    assert counts(index.refresh(source)) == (2, 0, 0, 0, 0)
    assert counts(index.refresh(source)) == (0, 0, 0, 0, 2)
    source.remove("disk-full")
    source.put("kafka-lag", "# Kafka lag\n")
    source.set_state("pod-crash", ReviewState.DRAFT)
    assert counts(index.refresh(source)) == (1, 0, 1, 1, 0)
    assert [card.id for card in index.current.cards] == ["kafka-lag", "pod-crash"]
    assert [card.state for card in index.current.cards] == [ReviewState.PUBLISHED, ReviewState.DRAFT]
    index.close()


def test_a_changed_file_costs_only_its_changed_texts(source: ToySource, tmp_path: Path) -> None:
    embedder = CountingEmbedder()
    index = open_index(tmp_path, embedder=embedder)
    index.refresh(source)
    embedder.embedded.clear()
    source.put("disk-full", "# Disk full\n\n## Check\n\ndf -h\n\n## Fix\n\nDelete old logs and grow the volume.\n")
    index.refresh(source)
    assert sum(text.endswith("Delete old logs and grow the volume.\n") for text in embedder.embedded) == 1
    assert not any("## Check" in text for text in embedder.embedded)
    embedder.embedded.clear()
    source.set_state("disk-full", ReviewState.UNREVIEWED)
    index.refresh(source)
    assert embedder.embedded == []
    index.close()


def test_a_restart_embeds_nothing_and_reads_no_document(source: ToySource, tmp_path: Path) -> None:
    index = open_index(tmp_path)
    index.refresh(source)
    index.close()
    before = index.current.content_digest()

    class Unread(ToySource):
        def revision(self) -> int:
            return source.revision()

        def documents(self) -> Sequence[object]:  # type: ignore[override] # never returns
            raise AssertionError("nothing has changed, so no document is needed")

    embedder = CountingEmbedder()
    again = open_index(tmp_path, embedder=embedder)
    assert again.load().content_digest() == before
    again.refresh(Unread())
    again.close()
    assert embedder.embedded == []


def test_before_the_first_vectors_a_lexical_generation_serves_and_says_so(source: ToySource, tmp_path: Path) -> None:
    seen: list[tuple[str, int, bool]] = []

    class Watching(CountingEmbedder):
        def embed_passages(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
            current = index.current
            seen.append((current.degraded, len(current.lexical.ids), current.has_vectors))
            return super().embed_passages(texts, progress=progress)

    index = open_index(tmp_path, embedder=Watching())
    assert index.current.degraded == "index: being built"
    index.refresh(source)
    assert seen == [("vectors: being built", 2, False)]
    assert (index.current.degraded, index.current.has_vectors) == ("", True)
    index.close()


def test_while_a_first_index_is_built_its_first_documents_can_be_found_already(
    source: ToySource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.sync._BATCH_DOCUMENTS", 1)
    seen: list[tuple[str, list[str]]] = []

    class Watched(list[StoredDocument]):
        def __getitem__(self, key: Any) -> Any:
            seen.append((index.current.degraded, [card.id for card in index.current.cards]))
            return super().__getitem__(key)

    class Watching(ToySource):
        def documents(self) -> Sequence[StoredDocument]:
            return Watched(source.documents())

    index = open_index(tmp_path)
    index.refresh(Watching())
    index.close()
    assert seen == [("index: being built", []), ("index: being built", ["disk-full"])]
    assert index.current.content_digest() == built_from_scratch(source, tmp_path / "2").content_digest()


def test_when_embedding_fails_the_lexical_generation_stays_and_the_next_refresh_completes_it(
    source: ToySource, tmp_path: Path
) -> None:
    embedder = CountingEmbedder()
    embedder.fails = True
    index = open_index(tmp_path, embedder=embedder)
    with pytest.raises(RuntimeError, match="no embedding today"):
        index.refresh(source)
    assert (index.current.degraded, len(index.current.cards)) == ("vectors: being built", 2)
    embedder.fails = False
    index.refresh(source)
    assert index.current.degraded == ""
    embedder.fails = True
    source.put("new", "# Something new\n")
    with pytest.raises(RuntimeError, match="no embedding today"):
        index.refresh(source)
    embedder.fails = False
    assert counts(index.refresh(source)) == (1, 0, 0, 0, 2)
    index.close()


def test_another_model_serves_lexically_until_its_own_vectors_are_there(source: ToySource, tmp_path: Path) -> None:
    first = open_index(tmp_path)
    first.refresh(source)
    first.close()
    other = HashingEmbedder(dimension=32)
    index = open_index(tmp_path, embedder=other)
    loaded = index.load()
    assert (loaded.degraded, loaded.has_vectors) == ("vectors: of another model, being rebuilt", False)
    assert [card.id for card in loaded.cards] == ["disk-full", "pod-crash"]
    index.refresh(source)
    assert (index.current.degraded, index.current.model_id) == ("", "hashing-32")
    index.close()
    assert index.current.content_digest() == built_from_scratch(source, tmp_path / "2", embedder=other).content_digest()


def test_in_a_large_change_what_is_removed_vanishes_first_and_progress_counts_all_texts(
    source: ToySource, tmp_path: Path
) -> None:
    states: list[tuple[list[str], str]] = []
    done: list[tuple[int, int]] = []

    class Watching(HashingEmbedder):
        def embed_passages(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
            states.append(([card.id for card in index.current.cards], index.current.degraded))
            return super().embed_passages(texts, progress=progress)

    index = open_index(tmp_path, embedder=Watching())
    index.refresh(source)
    states.clear()
    for name in ("a", "b", "c"):
        source.put(name, f"# Long {name}\n\n{LONG}")
    source.remove("disk-full")
    index.refresh(source, progress=lambda *pair: done.append(pair))
    assert states[0] == (["pod-crash"], "")
    assert states[-1] == (["a", "b", "pod-crash"], "")
    assert done[-1] == (603, 603)
    assert [pair[0] for pair in done] == sorted(pair[0] for pair in done)
    index.close()
    assert index.current.content_digest() == built_from_scratch(source, tmp_path / "2").content_digest()


def test_a_runbook_id_may_move_from_one_file_to_another_in_any_batch(tmp_path: Path) -> None:
    source = ToySource()
    source.put("agent", "# Agent\n\n## Alert: DiskFull\n\nText\n\n## Alert: PodCrash\n\nText\n")
    source.put("z", f"# Other\n\n{LONG}")
    entries = [runbook.id for runbook in source.documents()[0].document.runbooks]
    assert entries == ["agent", "agent-disk-full", "agent-pod-crash"]
    index = open_index(tmp_path)
    index.refresh(source)
    # The new file takes an id that the old file gives up in the same sync, far enough behind it for another batch.
    source.put("agent-disk-full", f"# Disk full\n\n{LONG}")
    source.put("middle", f"# Middle\n\n{LONG}")
    source.put("agent", "# Agent\n\n## Alert: PodCrash\n\nText\n")
    index.refresh(source)
    index.close()
    assert index.current.content_digest() == built_from_scratch(source, tmp_path / "2").content_digest()


def test_what_cannot_be_saved_serves_from_memory_and_is_told(source: ToySource, tmp_path: Path) -> None:
    said: list[str] = []
    index = open_index(tmp_path, said=said)
    (tmp_path / "index").write_text("a file where the folder should be")
    index.refresh(source)
    index.close()
    assert len(index.current.cards) == 2
    assert len(said) == 1
    assert "serves from memory" in said[0]


class IndexMachine(RuleBasedStateMachine):
    """Edits, refreshes, restarts and lost files in any order. The law: after a refresh the index equals one that was
    built from scratch, to the last byte."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        self.said: list[str] = []
        self.source = ToySource()
        self.index = self.opened()
        self.is_fresh = False

    def opened(self) -> Index:
        return open_index(self.path, said=self.said)

    @rule(seed=st.integers(0, 10_000), edits=st.integers(1, 4))
    def edit(self, seed: int, edits: int) -> None:
        chance = random.Random(seed)
        for _ in range(edits):
            edit(self.source, chance, names=5)
        self.is_fresh = False

    @rule()
    def refresh(self) -> None:
        self.index.refresh(self.source)
        self.is_fresh = True

    @rule()
    def restart(self) -> None:
        self.index.close()
        self.index = self.opened()
        self.index.load()
        self.is_fresh = False

    @rule()
    def lose_the_cache(self) -> None:
        self.index.close()
        for path in self.path.glob("embeddings.db*"):
            path.unlink()
        self.index = self.opened()
        self.index.load()
        self.is_fresh = False

    @rule(seed=st.integers(0, 10_000))
    def damage_a_file(self, seed: int) -> None:
        self.index.save()
        files = sorted(path for path in (self.path / "index").rglob("*") if path.is_file() and path.stat().st_size)
        if files:
            chance = random.Random(seed)
            path = chance.choice(files)
            content = bytearray(path.read_bytes())
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
            path.write_bytes(content)
        self.restart()

    @precondition(lambda self: self.is_fresh)
    @invariant()
    def it_equals_one_built_from_scratch(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            scratch = built_from_scratch(self.source, Path(folder))
        assert self.index.current.id == scratch.id
        assert self.index.current.content_digest() == scratch.content_digest()
        shown = [runbook.id for one in self.source.documents() for runbook in one.document.runbooks]
        assert [card.id for card in self.index.current.cards] == sorted(shown)

    def teardown(self) -> None:
        self.index.close()
        self.folder.cleanup()


TestIndexMachine = pytest.mark.slow(IndexMachine.TestCase)
TestIndexMachine.settings = settings(
    max_examples=60, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_the_seeds_of_the_toy_store_can_be_replayed() -> None:
    assert [one.document for one in edited(3, 20).documents()] == [one.document for one in edited(3, 20).documents()]
    assert text_of(random.Random(1)) == text_of(random.Random(1))
