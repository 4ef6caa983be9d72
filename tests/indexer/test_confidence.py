"""How sure an answer is."""

from dataclasses import replace

import pytest

from indexer.confidence import THRESHOLD, Evidence, probability

GOOD = Evidence(margin=0.6, meaning=0.75, name=0.8, coverage=0.9, exact=True, mention=0.0)
NOISE = Evidence(margin=0.1, meaning=0.2, name=0.0, coverage=0.4, exact=False, mention=0.0)


@pytest.mark.parametrize("has_vectors", [True, False])
def test_a_named_and_covered_runbook_is_sure_and_noise_is_not(has_vectors: bool) -> None:
    assert probability(GOOD, has_vectors=has_vectors) > 0.95
    assert probability(NOISE, has_vectors=has_vectors) < 0.1 < THRESHOLD


@pytest.mark.parametrize("has_vectors", [True, False])
@pytest.mark.parametrize("field", ["margin", "name", "coverage"])
def test_more_of_what_speaks_for_it_makes_it_surer(field: str, has_vectors: bool) -> None:
    more = replace(NOISE, **{field: getattr(NOISE, field) + 0.2})
    assert probability(more, has_vectors=has_vectors) > probability(NOISE, has_vectors=has_vectors)


def test_a_hit_behind_another_is_less_sure_than_one_before_it() -> None:
    behind = replace(GOOD, margin=-0.6)
    assert probability(behind, has_vectors=True) < probability(GOOD, has_vectors=True)


def test_meaning_counts_only_where_there_are_vectors() -> None:
    alike = replace(NOISE, meaning=0.9)
    assert probability(alike, has_vectors=True) > probability(NOISE, has_vectors=True)
    assert probability(alike, has_vectors=False) == probability(NOISE, has_vectors=False)


def test_no_evidence_overflows() -> None:
    assert probability(replace(GOOD, margin=1e4), has_vectors=True) > 0.999
    assert probability(replace(GOOD, margin=-1e4), has_vectors=True) < 0.001
