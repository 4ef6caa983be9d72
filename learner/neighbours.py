"""Which groups an incident should be compared with at all. The seam for a nearest-neighbour index, and the exact one
that serves when there is none."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from learner.features import Vector, Vectors

_ROOM = 256
_BLOCK_ROWS = 1024


NearestRows = Callable[[Vectors, int], list[list[int]]]
"""Vectors (n, dim) and a count -> for every row so many other rows with the largest inner product, in any order."""


class Neighbours(Protocol):
    """Keyed vectors. Keys are whole numbers that the caller chooses and never uses twice."""

    def put(self, key: int, vector: Vector) -> None:
        """Store a vector under a new or a known key."""
        ...

    def nearest(self, vector: Vector, count: int) -> Sequence[int]:
        """At most `count` keys by falling inner product with `vector`; equal ones by key."""
        ...


class ExactNeighbours:
    """All vectors in one matrix, every one looked at: exact, and fast enough to some ten thousands of groups."""

    def __init__(self, dimension: int) -> None:
        self._rows = np.zeros((_ROOM, dimension), dtype=np.float32)
        self._keys: list[int] = []
        self._row_of: dict[int, int] = {}

    def put(self, key: int, vector: Vector) -> None:
        row = self._row_of.get(key)
        if row is None:
            row = self._row_of[key] = len(self._keys)
            self._keys.append(key)
            if row == len(self._rows):
                self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._rows[row] = vector

    def nearest(self, vector: Vector, count: int) -> list[int]:
        filled = len(self._keys)
        if filled == 0:
            return []
        scores = self._rows[:filled] @ vector
        rows = np.argpartition(-scores, count - 1)[:count] if count < filled else np.arange(filled)
        return [self._keys[row] for row in sorted(rows.tolist(), key=lambda row: (-scores[row], self._keys[row]))]


def nearest_rows(vectors: Vectors, count: int) -> list[list[int]]:
    """For every row of `vectors` the `count` other rows with the largest inner product, in blocks of bounded size."""
    total = len(vectors)
    kept = min(count + 1, total)
    found: list[list[int]] = []
    for start in range(0, total, _BLOCK_ROWS):
        scores = vectors[start : start + _BLOCK_ROWS] @ vectors.T
        near = np.argpartition(-scores, kept - 1, axis=1)[:, :kept] if kept < total else np.argsort(-scores, axis=1)
        found.extend([int(row) for row in line if row != start + at][:count] for at, line in enumerate(near))
    return found
