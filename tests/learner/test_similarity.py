"""How alike two groups are: one formula, told in parts or at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.features import Features
from learner.similarity import Profile, Weights, compare, explain, profile_of, sum_of

WORDS = ["queue", "broker", "disk", "full", "certificate", "login"]
ALERTS = ["", "QueueGrows", "DiskFull"]


@st.composite
def features(draw: st.DrawFn) -> Features:
    chance = np.random.default_rng(draw(st.integers(0, 10**6)))
    vectors = chance.standard_normal((2, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    words = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4, unique=True))
    alert = draw(st.sampled_from(ALERTS))
    return Features(
        full=vectors[0],
        title=vectors[1],
        terms={word: 1 / len(words) ** 0.5 for word in words},
        naming={word: 1 / len(words) for word in words},
        words=frozenset(words),
        alert=alert,
        speaks_of=alert or draw(st.sampled_from(ALERTS)),
    )


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    return sum_of([profile_of(one) for one in draw(st.lists(features(), min_size=1, max_size=4))])


@given(left=profiles(), right=profiles())
def test_the_parts_add_up_to_the_whole_whichever_side_comes_first(left: Profile, right: Profile) -> None:
    whole = compare(left, right, Weights())
    assert explain(left, right, Weights()).log_odds == pytest.approx(whole, abs=1e-4)
    assert compare(right, left, Weights()) == pytest.approx(whole, abs=1e-4)


@given(left=profiles(), right=profiles(), bar=st.floats(-20, 10))
def test_what_is_left_early_is_below_the_bar_and_what_is_not_is_exact(
    left: Profile, right: Profile, bar: float
) -> None:
    whole, early = compare(left, right, Weights()), compare(left, right, Weights(), at_least=bar)
    if whole >= bar:
        assert early == whole
    else:
        assert whole <= early + 1e-9
        assert early < bar or early == whole


@given(members=st.lists(features(), min_size=1, max_size=4), other=features())
def test_a_group_is_as_alike_as_its_members_are_on_average_but_for_words_one_side_lacks(
    members: list[Features], other: Features
) -> None:
    group, single = sum_of([profile_of(one) for one in members]), profile_of(other)
    linear = {"same alert", "other alert", "title", "meaning", "terms"}

    def linear_views(left: Profile) -> float:
        return sum(value for name, value in explain(left, single, Weights()).views if name in linear)

    mean = sum(linear_views(profile_of(one)) for one in members) / len(members)
    assert linear_views(group) == pytest.approx(mean, abs=1e-4)


def test_the_bar_rises_with_the_number_of_near_repetitions() -> None:
    weights = Weights()
    assert weights.bar(600) == pytest.approx(0.2)
    assert weights.bar(6000) == pytest.approx(0.2 + 0.5 * 2.302585)
