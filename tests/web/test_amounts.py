"""Amounts as people read them."""

from datetime import UTC, datetime, timedelta

import pytest

from api.web.amounts import (
    between,
    between_lengths,
    counted,
    in_or_since,
    length,
    moment,
    of_trials,
    percent,
)
from kb.pattern import Interval, Rate

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0, "0 s"),
        (45.4, "45 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (6000, "1 h 40 min"),
        (93600, "1 d 2 h"),
        (86400 * 12, "12 d"),
        (-5, "0 s"),
    ],
)
def test_a_length_of_time_has_at_most_two_units(seconds: float | None, text: str) -> None:
    assert length(seconds) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(None, ""), (0.0, "0 %"), (0.004, "under 1 %"), (0.625, "62 %"), (0.997, "over 99 %"), (1.0, "100 %")],
)
def test_a_share_that_is_not_all_never_reads_as_all(share: float | None, text: str) -> None:
    assert percent(share) == text


def test_a_rate_is_told_by_its_counts_and_its_bounds() -> None:
    rate = Rate(5, 6, 5 / 6, Interval(0.359, 0.996))
    assert of_trials(rate) == "5 of 6"
    assert between(rate.interval) == "36 to 100 %"
    assert between_lengths(Interval(720, 3900)) == "12 min to 1 h 5 min"
    assert between_lengths(None) == ""


def test_numbers_agree_with_their_nouns() -> None:
    assert [counted(n, "incident") for n in (0, 1, 2031)] == ["0 incidents", "1 incident", "2,031 incidents"]
    assert counted(2, "search", "searches") == "2 searches"


def test_moments_are_told_in_utc_and_from_now() -> None:
    assert moment(NOW) == "2026-11-21 03:00 UTC"
    assert moment(None) == ""
    assert in_or_since(NOW + timedelta(minutes=12), NOW) == "due in 12 min"
    assert in_or_since(NOW - timedelta(minutes=3), NOW) == "overdue by 3 min"
    assert in_or_since(NOW + timedelta(seconds=20), NOW) == "due now"
