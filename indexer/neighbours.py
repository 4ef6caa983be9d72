"""Nearest neighbours among vectors that come and move all the time: exact while they are few, by FAISS cells when they
are many, so that looking one up costs hardly more when there are ten times as many."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.embed import Vector, Vectors
from indexer.vectors import VectorCells

CELLS_FROM = 8_000
"""Looking at so many vectors takes 1 ms, a fraction of an embedding, and comparing each with all 2 s. At 20,000 it is
3.2 ms against 0.2 with cells, and 12 s against 1.7 (384 dimensions)."""

PROBED_SHARE = 1 / 24
MIN_PROBES = 8
WASTE = 2.0
"""A vector that moved is found under its old places too. Cells are made anew when there are so many a vector."""

MOVED_BELOW = 0.99
"""A vector keeps its place until its cosine with it is smaller: a mean that settles moves by little."""

_ROOM = 256
_BLOCK_ROWS = 1024
_SAMPLE_A_CELL = 64


class MovingVectors:
    """Keyed vectors of unit length or less. Not thread-safe.

    Below `cells_from` vectors the answers are exact; above, some of the less similar neighbours may be missing, and
    those that come are in the right order.
    """

    def __init__(self, dimension: int, *, cells_from: int = CELLS_FROM) -> None:
        self._vectors = np.zeros((_ROOM, dimension), dtype=np.float32)
        self._keys: list[int] = []
        self._row_of: dict[int, int] = {}
        self._cells_from = cells_from
        self._cells: VectorCells | None = None
        self._places: list[int] = []  # number in the cells -> row
        self._placed = np.zeros((0, dimension), dtype=np.float32)  # row -> the vector at its latest place
        self._made_at = 0

    def put(self, key: int, vector: Vector) -> None:
        """Store a vector under a new or a known key."""
        row = self._row_of.get(key)
        if row is None:
            row = self._row_of[key] = len(self._keys)
            self._keys.append(key)
            if row == len(self._vectors):
                self._vectors = np.concatenate([self._vectors, np.zeros_like(self._vectors)])
        self._vectors[row] = vector
        if self._cells is not None and not self._is_placed(row, vector):
            self._cells.add(vector[None, :])
            self._places.append(row)
            self._placed[row] = vector

    def nearest(self, vector: Vector, count: int) -> Sequence[int]:
        """At most `count` keys by falling inner product with `vector`; equal ones by key."""
        filled = len(self._keys)
        if filled == 0 or count <= 0:
            return []
        rows = np.arange(filled) if filled <= self._cells_from else self._likely(vector, count)
        scores = self._vectors[:filled] @ vector if len(rows) == filled else self._vectors[rows] @ vector
        kept = np.argpartition(-scores, count - 1)[:count] if count < len(rows) else np.arange(len(rows))
        return [
            self._keys[rows[at]] for at in sorted(kept.tolist(), key=lambda at: (-scores[at], self._keys[rows[at]]))
        ]

    def _likely(self, vector: Vector, count: int) -> NDArray[np.int64]:
        """Rows worth looking at, each once."""
        cells = self._fresh_cells()
        places = round(WASTE * count) + count
        numbers = cells.search(vector[None, :], places)[0]
        return np.unique([self._places[number] for number in numbers if number >= 0])

    def _fresh_cells(self) -> VectorCells:
        filled = len(self._keys)
        if self._cells is None or len(self._places) > (1 + WASTE) * filled or filled > 2 * self._made_at:
            self._cells = _cells_over(self._vectors[:filled])
            self._places = list(range(filled))
            self._placed = self._vectors.copy()
            self._made_at = filled
        return self._cells

    def _is_placed(self, row: int, vector: Vector) -> bool:
        """Whether a search for `vector` comes by the place that its row has."""
        if row >= len(self._placed):
            self._placed = np.concatenate([self._placed, np.zeros_like(self._placed)])
        place = self._placed[row]
        return float(place @ vector) > MOVED_BELOW * float(np.linalg.norm(place) * np.linalg.norm(vector))


def nearest_rows(vectors: Vectors, count: int, *, cells_from: int = CELLS_FROM) -> list[list[int]]:
    """For every row of `vectors` (n, dim) at most `count` other rows with the largest inner product, best first; exact
    up to `cells_from` rows."""
    total = len(vectors)
    cells = _cells_over(vectors) if total > cells_from else None
    kept = min(count + 1, total)
    found: list[list[int]] = []
    for start in range(0, total, _BLOCK_ROWS):
        block = vectors[start : start + _BLOCK_ROWS]
        near = _nearest_exact(block, vectors, kept) if cells is None else cells.search(block, kept)
        for at, line in enumerate(near.tolist()):
            found.append([row for row in line if row >= 0 and row != start + at][:count])
    return found


def _nearest_exact(block: Vectors, vectors: Vectors, kept: int) -> NDArray[np.int64]:
    scores = block @ vectors.T
    near = np.argpartition(-scores, kept - 1, axis=1)[:, :kept] if kept < len(vectors) else np.argsort(-scores, axis=1)
    order = np.argsort(-np.take_along_axis(scores, near, axis=1), axis=1, kind="stable")
    ordered: NDArray[np.int64] = np.take_along_axis(near, order, axis=1)
    return ordered


def _cells_over(vectors: Vectors) -> VectorCells:
    """Cells with all of these vectors, about as many as the square root of their number."""
    total = len(vectors)
    count = max(1, min(total, round(total**0.5)))
    step = max(1, total // (count * _SAMPLE_A_CELL))
    cells = VectorCells(vectors[::step], cells=count, probes=max(MIN_PROBES, round(count * PROBED_SHARE)))
    cells.add(vectors)
    return cells
