"""Snippets, chances, dates and sizes as people read them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.web.marks import ago, chance_in_words, marked, review_due, size_in_words

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def test_matches_are_marked_after_escaping() -> None:
    assert marked("a <b> \x02pod\x03 & c") == "a &lt;b&gt; <mark>pod</mark> &amp; c"


@pytest.mark.parametrize("text", ["\x02open", "close\x03", "\x03\x02", "\x02\x02a\x03\x03"])
def test_stray_marks_leave_no_open_tag(text: str) -> None:
    html = str(marked(text))
    assert html.count("<mark>") == html.count("</mark>")
    assert "\x02" not in html
    assert "\x03" not in html


@given(st.text("<>&\"'\x02\x03a= /", max_size=40))
def test_no_snippet_brings_a_tag_of_its_own(text: str) -> None:
    html = str(marked(text)).replace("<mark>", "").replace("</mark>", "")
    assert not set(html) & set("<>\"'")


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (1.0, "almost certain"),
        (0.9, "almost certain"),
        (0.89, "very likely"),
        (0.75, "very likely"),
        (0.5, "likely"),
        (0.25, "possible"),
        (0.1, "unlikely"),
        (0.0, "unlikely"),
    ],
)
def test_no_word_promises_more_than_its_bound(probability: float, words: str) -> None:
    assert chance_in_words(probability) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (5, "just now"),
        (90, "1 minute ago"),
        (7200, "2 hours ago"),
        (86_400 * 3, "3 days ago"),
        (86_400 * 62, "2 months ago"),
        (86_400 * 800, "2 years ago"),
        (-50, "just now"),
    ],
)
def test_times_are_told_in_one_unit(seconds: int, words: str) -> None:
    assert ago(NOW - timedelta(seconds=seconds), NOW) == words


def test_no_time_is_no_words() -> None:
    assert ago(None, NOW) == ""


@pytest.mark.parametrize(
    ("reviewed", "interval", "words"),
    [
        (date(2026, 11, 1), 30, ""),
        (date(2026, 10, 21), 30, "overdue by 1 day"),
        (date(2025, 11, 21), 180, "overdue by 185 days"),
        (date(2020, 1, 1), None, ""),
        (None, 30, ""),
    ],
)
def test_a_review_is_overdue_only_when_an_interval_was_promised(
    reviewed: date | None, interval: int | None, words: str
) -> None:
    assert review_due(reviewed, interval, NOW.date()) == words


def test_sizes_are_told_in_small_numbers() -> None:
    assert [size_in_words(n) for n in (0, 999, 1000, 12_345)] == ["0 B", "999 B", "1.0 kB", "12.3 kB"]
