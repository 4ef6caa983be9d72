"""Pictures drawn on the server show the numbers they were given, and say them."""

import re
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from api.web.chart import Chart, ChartKind, Series, by_week, week_starts
from api.web.graphics import duration_strip, rate_bar, sparkline
from kb.pattern import Interval, Quantiles, Rate


def test_bars_are_as_high_as_their_counts() -> None:
    svg = str(sparkline((0, 2, 4), "6 incidents in 3 weeks"))
    assert re.findall(r'class="(\w+)" x="(\d+)" y="[\d.]+" width="5" height="([\d.]+)"', svg) == [
        ("empty", "0", "2"),
        ("full", "7", "13.5"),
        ("full", "14", "24.0"),
    ]
    assert 'role="img" aria-label="6 incidents in 3 weeks"' in svg


def test_what_a_picture_says_is_escaped() -> None:
    assert 'aria-label="&#34;&gt;&lt;script&gt;"' in str(sparkline((1,), '"><script>'))


def test_a_rate_shows_its_interval_and_its_value() -> None:
    svg = str(rate_bar(Rate(1, 2, 0.5, Interval(0.0, 1.0))))
    assert '<rect class="range" x="5.0" y="3" width="110.0"' in svg
    assert 'class="point" cx="60.0"' in svg
    assert "point" not in str(rate_bar(Rate(0, 0, None, Interval(0.0, 1.0))))


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_rate_never_leaves_its_track(low: float, value: float, high: float) -> None:
    low, value, high = sorted((low, value, high))
    svg = str(rate_bar(Rate(1, 1, value, Interval(low, high))))
    left, width = (float(found) for found in re.findall(r'range" x="([\d.]+)" y="3" width="([\d.]+)"', svg)[0])
    assert 5 <= left <= left + width <= 118
    assert 5 <= float(re.findall(r'cx="([\d.]+)"', svg)[0]) <= 115


@given(st.lists(st.floats(0, 1e7), min_size=1, max_size=40))
def test_every_length_is_a_dot_inside_the_strip(lengths: list[float]) -> None:
    middle = sorted(lengths)[len(lengths) // 2]
    svg = str(duration_strip(lengths, Quantiles(len(lengths), p50_s=middle), "lengths"))
    places = [float(found) for found in re.findall(r'class="dot" cx="([\d.]+)"', svg)]
    assert len(places) == len(lengths)
    assert places == sorted(places)
    assert all(8 <= place <= 632 for place in places)


def test_without_lengths_there_is_no_strip() -> None:
    assert duration_strip([], Quantiles(0), "nothing") == ""


def test_weeks_begin_on_mondays_and_count_what_lies_in_them() -> None:
    weeks = week_starts(date(2026, 11, 4), date(2026, 11, 21))
    assert weeks == (date(2026, 11, 2), date(2026, 11, 9), date(2026, 11, 16))
    moments = [datetime(2026, 11, day, 23, 59, tzinfo=UTC) for day in (8, 16, 22)]
    assert by_week(moments, weeks) == (1, 0, 2)


def test_a_chart_is_a_table_first() -> None:
    chart = Chart("T", "S", ChartKind.LINE, "Day", ("a", "b"), (Series("x", (1.0, None)), Series("y", (0.25, 20.0))))
    assert list(chart.rows()) == [("a", ("1", "0.2")), ("b", ("", "20"))]
    assert not chart.is_empty
    assert Chart("T", "S", ChartKind.BAR, "Day", ("a",), (Series("x", (0.0,)),)).is_empty
