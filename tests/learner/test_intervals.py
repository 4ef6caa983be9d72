"""Rates, medians and trends against literature values and by simulation."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from kb.pattern import Direction
from learner.intervals import binomial_p_value, quantiles, rate, trend

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def test_a_rate_has_the_exact_interval() -> None:
    found = rate(7, 10)
    assert found.value == pytest.approx(0.7)
    assert (found.interval.low, found.interval.high) == pytest.approx((0.34755, 0.93326), abs=1e-4)


def test_no_trial_says_nothing() -> None:
    found = rate(0, 0)
    assert (found.value, found.interval.low, found.interval.high) == (None, 0.0, 1.0)


def test_more_successes_than_trials_are_refused() -> None:
    with pytest.raises(ValueError, match="3 successes of 2"):
        rate(3, 2)


@pytest.mark.parametrize("trials", [3, 8, 25])
@pytest.mark.parametrize("truth", [0.05, 0.3, 0.5, 0.9])
def test_intervals_cover_the_true_rate_in_93_of_100_cases(trials: int, truth: float) -> None:
    found = [rate(int(k), trials).interval for k in np.random.default_rng(7).binomial(trials, truth, size=2000)]
    assert sum(interval.low <= truth <= interval.high for interval in found) >= 0.93 * 2000


def test_the_interval_of_the_median_covers_it() -> None:
    random = np.random.default_rng(3)
    found = [quantiles(random.exponential(1.0, size=12).tolist()).p50_interval for _ in range(1000)]
    inside = sum(interval is not None and interval.low <= np.log(2) <= interval.high for interval in found)
    assert inside >= 930


def test_quantiles_of_a_hand_computed_set() -> None:
    found = quantiles([10, 20, 30, 40, 100])
    assert (found.count, found.mean_s, found.p50_s, found.p90_s) == (5, 40, 30, pytest.approx(76))
    assert found.p50_interval is None


@pytest.mark.parametrize(("k", "n", "p"), [(0, 0, 1.0), (5, 10, 1.0), (8, 10, 0.109375), (10, 10, 0.001953125)])
def test_the_coin_test_is_exact(k: int, n: int, p: float) -> None:
    assert binomial_p_value(k, n) == pytest.approx(p)


def test_many_incidents_of_late_are_a_rising_trend() -> None:
    old = [NOW - timedelta(days=100), NOW - timedelta(days=40)]
    found = trend([*old, *(NOW - timedelta(days=day) for day in range(12))], now=NOW)
    assert (found.recent, found.before, found.direction) == (12, 1, Direction.RISING)


def test_two_against_none_is_not_yet_a_trend() -> None:
    found = trend([NOW - timedelta(days=100), NOW - timedelta(days=1), NOW - timedelta(days=2)], now=NOW)
    assert found.direction is Direction.STEADY
