"""Unchanged text is embedded once; a damaged, foreign or unwritable cache costs time and never a wrong vector."""

import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from indexer.embed import HashingEmbedder, Progress, Vectors
from indexer.embedding_cache import EmbeddingCache

pytestmark = pytest.mark.integration


class CountingEmbedder(HashingEmbedder):
    """Remembers what it was asked to embed."""

    def __init__(self, *, dimension: int = 64) -> None:
        super().__init__(dimension=dimension)
        self.embedded: list[str] = []

    def embed_passages(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        self.embedded.extend(texts)
        return super().embed_passages(texts, progress=progress)


@pytest.fixture
def warnings_told() -> list[str]:
    return []


@pytest.fixture
def cache(tmp_path: Path, warnings_told: list[str]) -> Iterator[EmbeddingCache]:
    cache = EmbeddingCache(tmp_path / "embeddings.db", warn=warnings_told.append)
    yield cache
    cache.close()


TEXTS = [f"section {number} of the runbook" for number in range(300)]


def test_a_text_is_embedded_once_whatever_it_stands_beside(cache: EmbeddingCache, warnings_told: list[str]) -> None:
    embedder = CountingEmbedder()
    first = cache.embed(embedder, ["a", "b", "a", "\ud800 half"])
    assert embedder.embedded == ["a", "b", "\ud800 half"]
    again = cache.embed(embedder, ["c", "a", "\ud800 half"])
    assert embedder.embedded == ["a", "b", "\ud800 half", "c"]
    assert again[1].tobytes() == first[0].tobytes() == first[2].tobytes()
    assert cache.embed(embedder, []).shape == (0, 64)
    assert cache.count_missing(embedder, ["a", "d", "d", "e"]) == 2
    assert warnings_told == []


def test_vectors_survive_a_restart(tmp_path: Path, warnings_told: list[str]) -> None:
    first = EmbeddingCache(tmp_path / "e.db", warn=warnings_told.append)
    vectors = first.embed(HashingEmbedder(), TEXTS)
    first.close()
    embedder = CountingEmbedder()
    second = EmbeddingCache(tmp_path / "e.db", warn=warnings_told.append)
    assert second.embed(embedder, TEXTS).tobytes() == vectors.tobytes()
    assert embedder.embedded == []
    second.close()


def test_another_model_never_gets_this_ones_vectors(cache: EmbeddingCache) -> None:
    cache.embed(HashingEmbedder(dimension=64), ["a"])
    other = CountingEmbedder(dimension=32)
    assert cache.embed(other, ["a"]).shape == (1, 32)
    assert other.embedded == ["a"]


def test_progress_counts_known_texts_first(cache: EmbeddingCache) -> None:
    cache.embed(HashingEmbedder(), TEXTS[:100])
    seen: list[tuple[int, int]] = []
    cache.embed(HashingEmbedder(), TEXTS, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(100, 300), (228, 300), (300, 300)]


def test_pruning_forgets_what_was_not_asked_for_longest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.embedding_cache.MIN_ROWS_KEPT", 4)
    for texts in (["a", "b", "c"], ["d", "e"], ["a", "f"]):
        cache = EmbeddingCache(tmp_path / "e.db", warn=pytest.fail)
        cache.embed(HashingEmbedder(), texts)
        cache.close()
    cache = EmbeddingCache(tmp_path / "e.db", warn=pytest.fail)
    assert cache.prune(live=1) == 2
    embedder = CountingEmbedder()
    cache.embed(embedder, ["a", "b", "c", "d", "e", "f"])
    assert embedder.embedded == ["b", "c"]
    cache.close()


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_file_never_gives_a_wrong_vector(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "e.db"
    cache = EmbeddingCache(path, warn=pytest.fail)
    right = cache.embed(HashingEmbedder(), TEXTS)
    cache.close()
    chance = random.Random(seed)
    content = bytearray(path.read_bytes())
    match seed % 4:
        case 0:
            del content[chance.randrange(len(content)) :]
        case 1:
            for _ in range(8):
                content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        case 2:
            start = chance.randrange(len(content))
            content[start : start + 4096] = bytes(len(content[start : start + 4096]))
        case _:
            content[100:] = chance.randbytes(len(content) - 100)
    path.write_bytes(content)

    told: list[str] = []
    cache = EmbeddingCache(path, warn=told.append)
    assert cache.embed(HashingEmbedder(), TEXTS).tobytes() == right.tobytes()
    assert cache.embed(HashingEmbedder(), TEXTS).tobytes() == right.tobytes()
    cache.close()
    healed = CountingEmbedder()
    cache = EmbeddingCache(path, warn=told.append)
    cache.embed(healed, TEXTS)
    cache.embed(healed, TEXTS)
    cache.close()
    assert len(healed.embedded) <= len(TEXTS)
    assert all("damaged" in message for message in told)


def test_a_file_of_another_release_is_made_anew(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "e.db") as connection:
        connection.execute("pragma user_version = 99")
    connection.close()
    told: list[str] = []
    cache = EmbeddingCache(tmp_path / "e.db", warn=told.append)
    cache.embed(HashingEmbedder(), ["a"])
    embedder = CountingEmbedder()
    cache.embed(embedder, ["a", "b"])
    cache.close()
    assert "another release" in told[0]
    assert embedder.embedded == ["a", "b"] or embedder.embedded == ["b"]


def test_without_a_place_to_write_texts_are_embedded_every_time_and_it_is_said_once(tmp_path: Path) -> None:
    told: list[str] = []
    cache = EmbeddingCache(tmp_path / "missing-folder" / "e.db", warn=told.append)
    embedder = CountingEmbedder()
    for _ in range(3):
        cache.embed(embedder, ["a"])
    assert embedder.embedded == ["a", "a", "a"]
    assert len(told) == 1
    assert "unable to open" in told[0]


def test_two_processes_fill_one_cache(tmp_path: Path, repository: Path) -> None:
    script = (
        "import sys, pathlib\n"
        "from indexer.embed import HashingEmbedder\n"
        "from indexer.embedding_cache import EmbeddingCache\n"
        f"cache = EmbeddingCache(pathlib.Path({str(tmp_path / 'e.db')!r}), warn=sys.exit)\n"
        "start = int(sys.argv[1])\n"
        "for n in range(start, start + 40):\n"
        "    cache.embed(HashingEmbedder(), [f'text {m}' for m in range(n, n + 5)])\n"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", script, start], cwd=repository, stderr=subprocess.PIPE)
        for start in ("0", "20")
    ]
    assert [(child.communicate()[1], child.returncode) for child in children] == [(b"", 0), (b"", 0)]
    cache = EmbeddingCache(tmp_path / "e.db", warn=pytest.fail)
    embedder = CountingEmbedder()
    vectors = cache.embed(embedder, [f"text {number}" for number in range(64)])
    cache.close()
    assert embedder.embedded == []
    np.testing.assert_array_equal(vectors, HashingEmbedder().embed_passages([f"text {n}" for n in range(64)]))
