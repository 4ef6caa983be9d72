"""Scores of several scales become one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from indexer.fuse import best_of_groups, mean_of_best, scaled

FLOATS = arrays.arrays(np.float32, st.integers(1, 30), elements=st.floats(-5, 5, width=32).map(lambda x: round(x, 2)))


def scores(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def test_the_mean_becomes_nothing_and_the_best_one() -> None:
    assert scaled(scores(1, 2, 6)).tolist() == pytest.approx([-0.6667, -0.3333, 1.0], abs=1e-3)


def test_scores_that_do_not_differ_say_nothing() -> None:
    assert scaled(scores(3, 3, 3)).tolist() == [0, 0, 0]
    assert scaled(scores()).tolist() == []


def test_mean_and_best_are_of_those_that_may_be_found() -> None:
    among = np.array([True, True, False])
    assert scaled(scores(1, 3, 9), among).tolist() == [-1, 1, 7]
    assert scaled(scores(1, 3), np.array([False, False])).tolist() == [0, 0]


def test_the_best_of_nothing_much_counts_less() -> None:
    assert scaled(scores(0, 0.1), full=0.5).tolist() == pytest.approx([-0.2, 0.2])
    assert scaled(scores(0, 0.9), full=0.5).tolist() == pytest.approx([-1, 1])


@settings(deadline=None)
@given(FLOATS)
def test_scaling_keeps_the_order(values: np.ndarray) -> None:
    out = scaled(values)
    order = np.argsort(values, kind="stable")
    assert (np.diff(out[order]) >= -1e-5).all()
    assert out.max() <= 1 + 1e-5


def test_a_group_has_the_mean_of_its_best_and_an_empty_one_nothing() -> None:
    starts = np.array([0, 4, 4, 5], dtype=np.int64)
    assert mean_of_best(scores(5, 1, 3, 2, 7), starts, 2).tolist() == [4, 0, 7]
    assert best_of_groups(scores(5, 1, 3, 2, 7), starts).tolist() == [5, 0, 7]


def test_equal_scores_in_a_group_count_once() -> None:
    assert mean_of_best(scores(4, 4, 2), np.array([0, 3]), 2).tolist() == [3]


def test_no_groups_give_nothing() -> None:
    assert mean_of_best(scores(), np.array([0]), 3).tolist() == []


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 50), max_size=6, unique=True), max_size=6), st.integers(1, 4))
def test_pooling_is_what_a_loop_would_do(groups: list[list[int]], count: int) -> None:
    flat = scores(*(value for group in groups for value in group))
    starts = np.cumsum([0, *(len(group) for group in groups)]).astype(np.int64)
    expected = [float(np.mean(sorted(group)[-count:])) if group else 0.0 for group in groups]
    before = flat.copy()
    assert mean_of_best(flat, starts, count).tolist() == pytest.approx(expected)
    assert np.array_equal(flat, before)
