"""Scores on different scales -> one score (pure): scaling a query's scores, pooling chunks' into their runbook's,
adding up.

Sums of scaled scores, because they beat merging ranks on the benchmark: how far ahead the best is counts."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from indexer.postings import Floats

Mask = NDArray[np.bool_]
Starts = NDArray[np.int64]  # where each group begins, and the end of the last


def scaled(scores: Floats, among: Mask | None = None, *, full: float = 0.0) -> Floats:
    """The mean of one query's scores becomes 0 and the best 1; all 0 where none differs. With `among`, mean and best
    are those of the rows it marks. A best below `full` becomes as much less than 1: it is the best of nothing much."""
    these = scores if among is None else scores[among]
    if not len(these):
        return np.zeros(len(scores), dtype=np.float32)
    mean = float(these.mean())
    spread = float(these.max()) - mean
    if spread <= 1e-9:
        return np.zeros(len(scores), dtype=np.float32)
    trust = min(1.0, (mean + spread) / full) if full else 1.0
    return ((scores - mean) * np.float32(trust / spread)).astype(np.float32)


def best_of_groups(scores: Floats, starts: Starts) -> Floats:
    """(n_groups,): the highest score in each run of rows; 0 for an empty one."""
    return mean_of_best(scores, starts, 1)


def mean_of_best(scores: Floats, starts: Starts, count: int) -> Floats:
    """(n_groups,): the mean of the `count` highest different scores in each group, of fewer where it has no more; 0 for
    an empty one. A runbook that speaks of the matter in several places is a better answer than one that mentions it."""
    sizes = np.diff(starts)
    out = np.zeros(len(sizes), dtype=np.float32)
    filled = np.flatnonzero(sizes)
    if not len(filled):
        return out
    begins = starts[:-1][filled]
    groups = np.repeat(np.arange(len(filled)), sizes[filled])
    left = scores.astype(np.float32, copy=count > 1)
    total = np.zeros(len(filled), dtype=np.float32)
    found = np.zeros(len(filled), dtype=np.float32)
    for taken in range(count):
        best = np.maximum.reduceat(left, begins)
        there = best > -np.inf
        total[there] += best[there]
        found += there
        if taken + 1 < count:
            left[left == best[groups]] = -np.inf
    out[filled] = total / np.maximum(found, 1)
    return out


def weighted_sum(parts: Mapping[str, Floats], weights: Mapping[str, float]) -> Floats:
    """(n,): the sum of weight x part over the parts that are there; a part without a weight counts nothing."""
    total: Floats | None = None
    for name, scores in parts.items():
        weight = weights.get(name, 0.0)
        if weight:
            term = np.float32(weight) * scores
            total = term if total is None else total + term
    if total is None:
        raise ValueError("none of the parts has a weight")
    return total
