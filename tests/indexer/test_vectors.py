"""Nearest neighbours are exact, named by key and measured as similarities, small or in half precision."""

import gc
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.vectors import VectorIndex

pytestmark = pytest.mark.integration


def unit_vectors(count: int, dimension: int = 16, seed: int = 7) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_nearest_comes_first_with_its_cosine() -> None:
    vectors = np.array([[1, 0], [0, 1], [0.6, 0.8]], dtype=np.float32)
    index = VectorIndex.build(np.array([30, 10, 20]), vectors)
    rows, similarities = index.search(np.array([0, 1], dtype=np.float32), 2)
    assert rows.tolist() == [1, 2]
    assert similarities.tolist() == pytest.approx([1.0, 0.8])
    assert index.keys[rows].tolist() == [10, 20]


@settings(max_examples=50, deadline=None)
@given(count=st.integers(1, 60), limit=st.integers(1, 80), half=st.booleans(), seed=st.integers(0, 1000))
def test_search_agrees_with_all_similarities(count: int, limit: int, half: bool, seed: int) -> None:
    vectors = unit_vectors(count, seed=seed)
    keys = np.random.default_rng(seed).permutation(10 * count)[:count].astype(np.int64)
    index = VectorIndex.build(keys, vectors, half_above=0 if half else 200_000)
    query = unit_vectors(1, seed=seed + 1)[0]
    every = index.similarities(query)
    rows, similarities = index.search(query, limit)
    assert index.is_half_precision is half
    assert len(rows) == min(limit, count)
    np.testing.assert_allclose(every[rows], similarities, atol=1e-5)
    assert np.sort(every)[::-1][: len(rows)] == pytest.approx(np.sort(every[rows])[::-1], abs=1e-5)
    assert index.mean_similarity(query) == pytest.approx(float(every.mean()), abs=1e-3)


def test_half_precision_keeps_the_order_of_real_neighbours() -> None:
    vectors = unit_vectors(500, dimension=384)
    exact = VectorIndex.build(np.arange(500), vectors)
    half = VectorIndex.build(np.arange(500), vectors, half_above=499)
    shared = [
        len(set(exact.search(query, 10)[0].tolist()) & set(half.search(query, 10)[0].tolist()))
        for query in unit_vectors(50, dimension=384, seed=8)
    ]
    assert sum(shared) >= 495  # of 500
    assert half.matrix.nbytes == exact.matrix.nbytes // 2


def test_half_precision_vectors_are_not_rounded_again_when_an_index_is_built_of_them() -> None:
    first = VectorIndex.build(np.arange(9), unit_vectors(9), half_above=0)
    again = VectorIndex.build(np.arange(9), first.matrix, half_above=0)
    assert again.matrix.tobytes() == first.matrix.tobytes()


@pytest.mark.parametrize("half_above", [0, 10])
def test_an_empty_index_finds_nothing(half_above: int) -> None:
    index = VectorIndex.build(np.empty(0, dtype=np.int64), np.empty((0, 4), dtype=np.float32), half_above=half_above)
    query = np.ones(4, dtype=np.float32)
    assert [len(part) for part in index.search(query, 5)] == [0, 0]
    assert len(index.similarities(query)) == 0
    assert len(index) == 0


def test_keys_lead_to_rows_and_unknown_keys_are_an_error() -> None:
    index = VectorIndex.build(np.array([5, -3, 9]), unit_vectors(3))
    assert index.rows_of(np.array([9, 5, -3, 9])).tolist() == [2, 0, 1, 2]
    with pytest.raises(KeyError):
        index.rows_of(np.array([6]))


def test_wrong_shapes_and_double_keys_are_refused() -> None:
    with pytest.raises(ValueError, match="2 keys for 3 vectors"):
        VectorIndex.build(np.array([1, 2]), unit_vectors(3))
    with pytest.raises(ValueError, match="same key"):
        VectorIndex.build(np.array([1, 2, 1]), unit_vectors(3))


def test_what_is_served_cannot_be_changed() -> None:
    index = VectorIndex.build(np.arange(3), unit_vectors(3))
    with pytest.raises(ValueError, match="read-only"):
        index.matrix[0, 0] = 2.0


@pytest.mark.parametrize("half_above", [0, 10_000])
def test_the_matrix_outlives_its_index(half_above: int) -> None:
    vectors = unit_vectors(2_000, dimension=64)
    matrix = VectorIndex.build(np.arange(2_000), vectors, half_above=half_above).matrix
    gc.collect()
    others = [VectorIndex.build(np.arange(2_000), -vectors, half_above=half_above) for _ in range(8)]
    np.testing.assert_allclose(matrix, vectors, atol=1e-3)
    assert len(others) == 8


def test_many_threads_search_one_index_at_once() -> None:
    index = VectorIndex.build(np.arange(2_000), unit_vectors(2_000, dimension=64))
    queries = unit_vectors(20, dimension=64, seed=3)
    alone = [index.search(query, 10)[0].tolist() for query in queries]
    together: list[list[list[int]]] = []

    def search_all() -> None:
        together.append([index.search(query, 10)[0].tolist() for query in queries])

    threads = [threading.Thread(target=search_all) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == [alone] * 8
