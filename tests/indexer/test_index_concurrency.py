"""Searches beside a refresh: nobody waits, nobody crashes, and every answer is of one generation."""

import random
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from indexer.embed import HashingEmbedder
from indexer.generation import Generation
from tests.indexer.toy_store import EPOCH, ToySource, edit, edited, open_index

pytestmark = pytest.mark.integration


def answer(generation: Generation, embedder: HashingEmbedder, text: str) -> list[str]:
    """Ids of the runbooks whose chunks are nearest; checks on the way that all parts speak of the same rows."""
    if generation.chunk_vectors is None or not len(generation.chunks):
        return []
    query = embedder.embed_query(text)
    rows, similarities = generation.chunk_vectors.search(query, 5)
    found = []
    for row, similarity in zip(rows.tolist(), similarities.tolist(), strict=True):
        chunk = generation.chunks[row]
        card = generation.cards[int(generation.chunks.runbook_rows[row])]
        assert chunk.runbook_id == card.id == generation.lexical.ids[int(generation.chunks.runbook_rows[row])]
        assert abs(float(generation.chunk_vectors.matrix[row] @ query) - similarity) < 1e-5
        found.append(card.id)
    assert len(generation.chunk_vectors.similarities(query)) == generation.lexical.chunk_starts[-1]
    return found


def search_while_refreshing(tmp_path: Path, *, seconds: float, searchers: int = 8) -> tuple[int, int]:
    """How many searches and refreshes took place; what any of them raised fails the test."""
    index = open_index(tmp_path)
    source = edited(1, 30)
    index.refresh(source)
    embedder = HashingEmbedder()
    stop = threading.Event()
    failures: list[BaseException] = []
    searches = [0] * searchers

    def search(number: int) -> None:
        while not stop.is_set():
            try:
                generation = index.current
                names = answer(generation, embedder, f"pod crash {searches[number] % 7}")
                assert set(names) <= {card.id for card in generation.cards}
            except BaseException as exc:
                failures.append(exc)
                raise
            searches[number] += 1

    threads = [threading.Thread(target=search, args=(number,)) for number in range(searchers)]
    for thread in threads:
        thread.start()
    chance, refreshes = random.Random(2), 0
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and not failures:
        edit(source, chance)
        index.refresh(source)
        refreshes += 1
    stop.set()
    for thread in threads:
        thread.join()
    index.close()
    assert failures == []
    return sum(searches), refreshes


@pytest.mark.slow
def test_eight_searchers_beside_a_continuous_refresh(tmp_path: Path) -> None:
    searches, refreshes = search_while_refreshing(tmp_path, seconds=4)
    assert searches > 100
    assert refreshes > 10


@pytest.mark.soak
def test_eight_searchers_beside_a_refresh_for_ten_minutes(tmp_path: Path) -> None:
    searches, refreshes = search_while_refreshing(tmp_path, seconds=600)
    print(f"\n{searches} searches beside {refreshes} refreshes: no failure")  # noqa: T201 -- soak tests print figures


def test_two_refreshes_at_once_take_turns_and_agree(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    sources = [edited(1, 30)]
    threads = [threading.Thread(target=index.refresh, args=(sources[0],)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    index.close()
    assert [card.id for card in index.current.cards] == sorted(
        runbook.id for one in sources[0].documents() for runbook in one.document.runbooks
    )


def test_a_search_keeps_the_generation_it_began_with(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    source = ToySource()
    source.put("old", "# Old runbook\n\n## Only\n\ntext\n")
    index.refresh(source)
    held = index.current
    source.remove("old")
    source.put("new", "# New runbook\n")
    index.refresh(source)
    index.close()
    assert [card.id for card in index.current.cards] == ["new"]
    assert answer(held, HashingEmbedder(), "old") == ["old"] * len(held.chunks)
    assert held.cards[0].updated_at == EPOCH
    assert not np.shares_memory(held.chunk_vectors.matrix, index.current.chunk_vectors.matrix)
