"""Neighbours of moving vectors: exact while few, nearly so when many, and the same every time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.neighbours import MovingVectors, nearest_rows

DIMENSION = 16
Vectors = NDArray[np.float32]


def clouds(count: int, seed: int = 1) -> Vectors:
    """Unit vectors around a tenth as many centres, as texts that repeat are."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(max(1, count // 10), DIMENSION))
    points = centres[np.arange(count) % len(centres)] + 0.2 * random.normal(size=(count, DIMENSION))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


def filled(vectors: Vectors, **more: int) -> MovingVectors:
    moving = MovingVectors(DIMENSION, **more)
    for key, vector in enumerate(vectors):
        moving.put(key, vector)
    return moving


def exact(vectors: Vectors, query: NDArray[np.float32], count: int) -> list[int]:
    scores = vectors @ query
    return sorted(range(len(vectors)), key=lambda row: (-scores[row], row))[:count]


def test_nothing_is_near_where_there_is_nothing() -> None:
    assert list(MovingVectors(DIMENSION).nearest(clouds(1)[0], 5)) == []


@given(count=st.integers(1, 60), wanted=st.integers(1, 70), seed=st.integers(0, 50))
def test_few_vectors_are_all_looked_at(count: int, wanted: int, seed: int) -> None:
    vectors = clouds(count, seed)
    query = clouds(1, seed + 99)[0]
    assert list(filled(vectors).nearest(query, wanted)) == exact(vectors, query, wanted)


def test_a_vector_that_moved_is_found_where_it_is_and_not_where_it_was() -> None:
    vectors = clouds(50)
    moving = filled(vectors)
    moving.put(7, vectors[3])
    assert list(moving.nearest(vectors[3], 2)) == [3, 7]
    assert 7 not in moving.nearest(vectors[7], 1)


def test_equal_vectors_come_in_the_order_of_their_keys() -> None:
    moving = filled(np.tile(clouds(1), (6, 1)))
    assert list(moving.nearest(clouds(1)[0], 3)) == [0, 1, 2]


class TestMany:
    """More vectors than are looked at one by one."""

    def test_nearly_all_neighbours_are_found_in_the_right_order(self) -> None:
        vectors = clouds(3_000)
        moving = filled(vectors, cells_from=500)
        hits = 0
        for row in range(0, 3_000, 60):
            found, right = list(moving.nearest(vectors[row], 10)), exact(vectors, vectors[row], 10)
            assert found[0] == right[0]
            assert found == sorted(found, key=lambda key: -float(vectors[key] @ vectors[row]))
            hits += len(set(found) & set(right))
        assert hits >= 0.95 * 500

    def test_the_same_vectors_give_the_same_neighbours(self) -> None:
        vectors = clouds(1_500)
        first, second = filled(vectors, cells_from=500), filled(vectors, cells_from=500)
        assert all(
            list(first.nearest(vectors[row], 12)) == list(second.nearest(vectors[row], 12))
            for row in range(0, 1_500, 50)
        )

    def test_vectors_that_move_often_are_found_where_they_are(self) -> None:
        vectors = clouds(900)
        moving = filled(vectors, cells_from=500)
        moving.nearest(vectors[0], 1)
        elsewhere = clouds(900, seed=7)
        for _ in range(4):
            for key in range(900):
                moving.put(key, elsewhere[key])
        found = [list(moving.nearest(elsewhere[key], 1)) == [key] for key in range(0, 900, 30)]
        assert sum(found) >= 0.95 * len(found)

    def test_one_that_moves_by_little_all_the_time_hides_no_other(self) -> None:
        vectors = clouds(900)
        moving = filled(vectors, cells_from=500)
        moving.nearest(vectors[0], 1)
        random = np.random.default_rng(3)
        for _ in range(800):
            moving.put(5, vectors[5] + 0.01 * random.normal(size=DIMENSION).astype(np.float32))
        assert len(moving.nearest(vectors[5], 8)) == 8

    def test_those_that_come_later_are_found_too(self) -> None:
        vectors = clouds(2_000)
        moving = filled(vectors[:600], cells_from=500)
        moving.nearest(vectors[0], 1)
        for key in range(600, 2_000):
            moving.put(key, vectors[key])
        found = [moving.nearest(vectors[key], 1)[0] == key for key in range(600, 2_000, 40)]
        assert sum(found) >= 0.95 * len(found)


@pytest.mark.parametrize("cells_from", [10_000, 300])
def test_every_row_gets_its_nearest_others(cells_from: int) -> None:
    vectors = clouds(1_200)
    near = nearest_rows(vectors, 5, cells_from=cells_from)
    right = [[row for row in exact(vectors, vectors[at], 6) if row != at][:5] for at in range(1_200)]
    assert len(near) == 1_200
    assert all(at not in rows and len(rows) == 5 for at, rows in enumerate(near))
    agreed = sum(len(set(mine) & set(theirs)) for mine, theirs in zip(near, right, strict=True))
    assert agreed >= (1.0 if cells_from > 1_200 else 0.95) * 6_000


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_a_handful_of_rows_has_fewer_neighbours_than_asked_for(count: int) -> None:
    near = nearest_rows(clouds(count) if count else np.empty((0, DIMENSION), np.float32), 24)
    assert [sorted(rows) for rows in near] == [[row for row in range(count) if row != at] for at in range(count)]
