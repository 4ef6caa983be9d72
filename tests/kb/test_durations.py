"""Lengths of time, read and written."""

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kb.durations import MAX_DURATION_S, format_duration, parse_duration
from kb.errors import InvalidInput


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("5m", 300),
        ("1h30m", 5400),
        ("1H 30M", 5400),
        ("2d3h", 183600),
        ("1w", 604800),
        ("90", 90),
        (" 90.5 ", 90.5),
        ("+90", 90),
        (90, 90),
        (0, 0),
        (0.25, 0.25),
        ("0s", 0),
        ("250ms", 0.25),
        ("1.5h", 5400),
        ("2 hours", 7200),
        ("1 hour, 30 minutes", 5400),
        ("1 hour 30 minutes and 5 seconds", 5405),
        ("3 days and 4 hrs.", 273600),
        ("45 min.", 2700),
        ("1 Minute", 60),
        ("PT5M", 300),
        ("pt1h30m", 5400),
        ("P1DT2H", 93600),
        ("P2W", 1209600),
        ("PT0.5S", 0.5),
        ("PT1,5S", 1.5),
        ("1:30:00", 5400),
        ("00:05:00.5", 300.5),
        ("2 days, 01:00:00", 176400),
        ("2d 1:00:00", 176400),
        ("100:00:00", 360000),
        ("5M", 300),
    ],
)
def test_a_length_of_time_is_read_however_it_is_written(written: object, seconds: float) -> None:
    assert parse_duration(written) == seconds


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "soon",
        "5 parsecs",
        "5x",
        "m",
        "-5m",
        "-5",
        "5m-",
        "1h 5",
        "5 1h",
        "30m1h",
        "5m5m",
        "5m,",
        "5m and",
        "h5m",
        "1,5h",
        "P",
        "PT",
        "P1DT",
        "P1M",
        "P1Y",
        "PT5",
        "1:75:00",
        "5:30",
        "1e3",
        "nan",
        "inf",
        "0x10",
        "٥m",
        "5m\x00",
        "9" * 30,
        "9999999999999999",
        "400000 days",
        "P400000D",
        "1" * 100_000,
        math.nan,
        math.inf,
        -1,
        -0.5,
        10**400,
        True,
        None,
        [],
        b"5m",
    ],
)
def test_what_is_no_length_of_time_is_refused_with_the_name_of_its_field(written: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_duration(written, field="incident_data.duration")
    assert caught.value.field == "incident_data.duration"
    assert caught.value.advice
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0s"),
        (45, "45s"),
        (300, "5m"),
        (5400, "1h30m"),
        (86400, "1d"),
        (90061.5, "1d1h1m1.5s"),
        (0.25, "0.25s"),
        (3600.001, "1h0.001s"),
        (604800, "7d"),
        (0.0004, "0s"),
    ],
)
def test_a_length_of_time_is_written_short(seconds: float, written: str) -> None:
    assert format_duration(seconds) == written


@settings(deadline=None)
@given(st.integers(0, int(MAX_DURATION_S * 1000)))
def test_what_is_written_is_read_back_to_the_millisecond(milliseconds: int) -> None:
    assert parse_duration(format_duration(milliseconds / 1000)) == milliseconds / 1000


@settings(deadline=None)
@given(st.floats(0, MAX_DURATION_S))
@example(MAX_DURATION_S)
def test_a_number_of_seconds_is_itself(seconds: float) -> None:
    assert parse_duration(seconds) == seconds


@settings(deadline=None)
@given(st.text() | st.from_regex(r"[0-9.,:pt dhms-]{0,20}", fullmatch=True))
def test_any_text_is_a_length_of_time_or_a_clear_error(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except InvalidInput:
        return
    assert 0 <= seconds <= MAX_DURATION_S
