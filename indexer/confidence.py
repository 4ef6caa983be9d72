"""How sure an answer is (pure): the probability that a hit is a right one, and the decision that nothing matches.

A logistic model over six things that a score alone does not tell. Its coefficients are what `benchmarks/retrieval.py`
prints under "confidence", rounded: fitted on the benchmark's queries with their right files there (weight 1), on the
same queries with those files hidden (weight 1/2), and on queries off every topic (weight 2). The intercepts are moved
up by a tenth, to where at one half a fifth of the queries without a runbook would still be answered. Fitted with each
source of queries left out in turn, the model judges the queries of that source about as well.
"""

import math
from dataclasses import dataclass

THRESHOLD = 0.5  # below it an answer says that nothing matches


@dataclass(frozen=True, slots=True)
class Evidence:
    """One hit against the others. Shares are in [0, 1]."""

    margin: float  # fused score less that of the best other file; below 0 for all but the first
    meaning: float  # cosine similarity of the best chunk
    name: float  # share of the runbook's name that the query says
    coverage: float  # share of the query's known words, by rarity, that the runbook says
    exact: bool  # the alert's name is the runbook's
    mention: float  # how rare a name is that query and runbook mention, when `exact` is false


def probability(evidence: Evidence, *, has_vectors: bool) -> float:
    """In (0, 1). Without vectors another model speaks, which knows less and is sure more seldom."""
    if has_vectors:
        logit = (
            -5.17
            + 2.9 * evidence.margin
            + 2.0 * evidence.meaning
            + 3.2 * evidence.name
            + 2.6 * evidence.coverage
            + 0.6 * evidence.exact
            - 2.2 * evidence.mention
        )
    else:
        logit = (
            -4.5
            + 3.8 * evidence.margin
            + 4.2 * evidence.name
            + 2.7 * evidence.coverage
            + 0.4 * evidence.exact
            - 2.3 * evidence.mention
        )
    return 1 / (1 + math.exp(-max(-50.0, min(logit, 50.0))))
