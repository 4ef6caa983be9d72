"""Honest numbers from few observations: rates with exact intervals, medians with distribution-free ones, and whether a
frequency has changed. Pure."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from scipy.special import betaincinv

from kb.pattern import Direction, Interval, Quantiles, Rate, Trend

LEVEL = 0.95
SIGNIFICANT = 0.05
_WIDEST_WINDOW = timedelta(days=90)
_NARROWEST_WINDOW = timedelta(days=1)


def rate(successes: int, trials: int, *, level: float = LEVEL) -> Rate:
    """A success rate with its Clopper-Pearson interval, which never covers less than it says, however few the trials.

    Raises ValueError when `successes` is not in [0, `trials`].
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes of {trials} trials")
    tail = (1 - level) / 2
    low = float(betaincinv(successes, trials - successes + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, trials - successes, 1 - tail)) if successes < trials else 1.0
    return Rate(successes, trials, successes / trials if trials else None, Interval(low, high, level))


def quantiles(seconds: Sequence[float], *, level: float = LEVEL) -> Quantiles:
    """Mean, median and 90th percentile; the median's interval comes from order statistics and needs six values."""
    values = sorted(seconds)
    if not values:
        return Quantiles(count=0)
    return Quantiles(
        count=len(values),
        mean_s=sum(values) / len(values),
        p50_s=_quantile(values, 0.5),
        p90_s=_quantile(values, 0.9),
        p50_interval=_median_interval(values, level),
    )


def trend(times: Sequence[datetime], *, now: datetime) -> Trend:
    """The latest span against the one before it, by the exact test for two Poisson counts.

    The span is a quarter of the time since the first incident, between 1 and 90 days. Times after `now` are left out.
    """
    known = [time for time in times if time <= now]
    age = now - min(known, default=now)
    window = min(max(age / 4, _NARROWEST_WINDOW), _WIDEST_WINDOW)
    recent = sum(1 for time in known if time > now - window)
    before = sum(1 for time in known if now - 2 * window < time <= now - window)
    p_value = binomial_p_value(recent, recent + before)
    direction = Direction.STEADY
    if p_value < SIGNIFICANT:
        direction = Direction.RISING if recent > before else Direction.FALLING
    return Trend(recent, before, window / timedelta(days=1), p_value, direction)


def binomial_p_value(successes: int, trials: int) -> float:
    """Two-sided exact p-value of a fair coin; 1 when there was no trial."""
    further = max(successes, trials - successes)
    if trials == 0 or 2 * further == trials:
        return 1.0
    tail = sum(math.exp(_log_choose(trials, k) - trials * math.log(2)) for k in range(further, trials + 1))
    return min(1.0, 2 * tail)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _quantile(values: Sequence[float], share: float) -> float:
    """Linear interpolation between the two nearest order statistics."""
    at = share * (len(values) - 1)
    low = math.floor(at)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (at - low)


def _median_interval(values: Sequence[float], level: float) -> Interval | None:
    count = len(values)
    below = 0.0
    for at in range((count + 1) // 2):
        below += math.exp(_log_choose(count, at) - count * math.log(2))
        if below > (1 - level) / 2:
            return Interval(values[at - 1], values[count - at], level) if at > 0 else None
    return None
