"""The page on learning says what the code does."""

import re
from pathlib import Path

import pytest

from indexer.neighbours import CELLS_FROM
from learner.assign import MIN_PATTERN_INCIDENTS, NEAREST
from learner.distill import EVIDENCE_SCALE, HALF_LIFE, INCIDENTS_PER_SOURCE, RECENCY_FLOOR, SINGLE_SOURCE_CAP
from learner.recluster import FIRST_RECLUSTERING, GROWTH_BETWEEN
from learner.similarity import CROWD, Weights


@pytest.fixture(scope="module")
def page() -> str:
    return (Path(__file__).parents[2] / "docs" / "explanation" / "learning.md").read_text()


def test_the_views_have_their_weights(page: str) -> None:
    weights = Weights()
    told = [
        [float(number) for number in re.findall(r"[-+]\d\.\d\d", row)] for row in re.findall(r"^\|.*\|$", page, re.M)
    ]
    assert [row for row in told if row] == [
        [weights.base],
        [weights.same_alert, weights.same_told],
        [weights.other_alert, weights.other_told],
        [weights.title],
        [weights.full],
        [weights.terms],
        [weights.conflict],
        [weights.one_sided],
    ]


def test_the_text_has_the_numbers_of_the_code(page: str) -> None:
    weights = Weights()
    text = " ".join(page.split())
    for sentence in (
        f"gains {weights.size_bonus} for each doubling, six times at most",
        f"log-odds of {weights.join} on when {CROWD} different texts are known",
        f"its {NEAREST} nearest neighbours",
        f"when there are {FIRST_RECLUSTERING} incidents",
        f"n / (n + {EVIDENCE_SCALE:.0f}), n counting at most {INCIDENTS_PER_SOURCE} incidents",
        f"half every {HALF_LIFE.days} days since the last incident, at least 1/{1 / RECENCY_FLOOR:.0f}",
        f"it is at most {SINGLE_SOURCE_CAP}",
        f"Up to {CELLS_FROM:,} different texts",
    ):
        assert sentence in text
    assert (weights.size_doublings, GROWTH_BETWEEN, MIN_PATTERN_INCIDENTS) == (6.0, 1.5, 3)  # written out in words
