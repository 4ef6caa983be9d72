"""Patterns in words."""

import pytest

from api.web.pattern_view import history_text, rate_words, trend_words
from kb.pattern import ChangeKind, Direction, Interval, PatternChange, Rate, Trend


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (PatternChange(ChangeKind.BORN, "p1", (), 3, 9), "Became a pattern with 3 incidents"),
        (
            PatternChange(ChangeKind.MERGED, "p1", ("p2",), 4, 9, by="ann"),
            "p1 with 4 incidents became part of p2, by ann",
        ),
        (PatternChange(ChangeKind.SPLIT, "p1", ("p2", "p3"), 7, 9), "p1 with 7 incidents was split; p2, p3 came of it"),
        (PatternChange(ChangeKind.RENAMED, "p1", (), 0, 9, by="ann"), "Got another name, by ann"),
        (PatternChange(ChangeKind.UNLEARNED, "p1", (), 1, 9, by="ann"), "1 incident taken out, by ann"),
    ],
)
def test_history_reads_as_sentences(change: PatternChange, text: str) -> None:
    assert history_text(change) == text


def test_a_trend_tells_its_numbers_and_its_significance() -> None:
    words = trend_words(Trend(9, 2, 30.0, 0.0654, Direction.RISING))
    assert (words.word, words.tone) == ("Rising", "bad")
    assert words.told == (
        "9 in the latest 30 days, 2 in the 30 before; chance alone would do that with a probability of 6.5 %"
    )
    assert "under 0.1 %" in trend_words(Trend(40, 2, 30.0, 0.00001, Direction.RISING)).told


def test_a_rate_that_nobody_spoke_of_has_no_share() -> None:
    words = rate_words(Rate(0, 0, None, Interval(0.0, 1.0)))
    assert (words.share, words.counts, words.interval) == ("", "0 of 0", "0 to 100 %")
