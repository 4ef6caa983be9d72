"""The only home of FAISS: exact nearest neighbours by inner product of unit vectors, so what comes out is a cosine
similarity and nobody else meets a distance.

An index is built once and never changed: FAISS crashes when it is searched and changed at the same time. It is saved as
plain arrays, because FAISS's own file format has no checksum and its reader trusts what it reads.
"""

from dataclasses import dataclass
from typing import Any, cast

import faiss
import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.int64]
Rows = NDArray[np.int64]
Similarities = NDArray[np.float32]
Matrix = NDArray[np.float32] | NDArray[np.float16]

HALF_PRECISION_ABOVE = 200_000  # vectors; half the memory and twice the speed for a recall@10 of .998 and more
_BELOW_ALL = -2.0  # less than any cosine: everything is in range


@dataclass(frozen=True, slots=True, eq=False)
class VectorIndex:
    """Row i holds the vector named `keys[i]`. Rows are this index's own order, keys mean the same in every index."""

    keys: Keys
    dimension: int
    centroid: NDArray[np.float32]  # (dim,), the mean of all vectors
    _faiss: Any
    _matrix: Matrix  # a view into what FAISS holds, not a copy
    _order: Rows  # rows by ascending key

    @classmethod
    def build(cls, keys: Keys, vectors: Matrix, *, half_above: int = HALF_PRECISION_ABOVE) -> "VectorIndex":
        """An index over `vectors` (n, dim) of unit length, in half precision when there are more than `half_above`."""
        count, dimension = vectors.shape
        if len(keys) != count:
            raise ValueError(f"{len(keys)} keys for {count} vectors")
        order = np.argsort(keys, kind="stable")
        if count and bool((np.diff(keys[order]) == 0).any()):
            raise ValueError("two vectors have the same key")
        inner = _empty_half(dimension) if count > half_above else faiss.IndexFlatIP(dimension)
        index = faiss.IndexIDMap2(inner)
        _fill(inner, vectors)
        faiss.copy_array_to_vector(np.ascontiguousarray(keys, dtype=np.int64), index.id_map)
        index.construct_rev_map()
        index.ntotal = count
        matrix = _view(inner, count, dimension)
        centroid = matrix.mean(axis=0, dtype=np.float32) if count else np.zeros(dimension, dtype=np.float32)
        return cls(keys, dimension, centroid, index, matrix, order)

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def is_half_precision(self) -> bool:
        return self._matrix.dtype == np.float16

    @property
    def matrix(self) -> Matrix:
        """(n, dim), float32, or float16 when half precision; read-only."""
        return self._matrix

    def search(self, query: NDArray[np.float32], limit: int) -> tuple[Rows, Similarities]:
        """The `limit` rows most similar to `query` (dim,), best first, with their similarities."""
        limit = min(limit, len(self))
        if not limit:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        # OpenMP keeps this number per thread. One is the fastest for one query: waking others costs milliseconds
        # whenever the CPUs are busy.
        faiss.omp_set_num_threads(1)
        similarities, keys = self._faiss.search(np.ascontiguousarray(query, dtype=np.float32)[None, :], limit)
        return self.rows_of(keys[0]), similarities[0]

    def similarities(self, query: NDArray[np.float32]) -> Similarities:
        """(n,): the similarity of every row to `query`, of unit length too. 0.3 ms for 8,000 rows, 13 ms for 200,000.

        By FAISS on one thread: numpy's matrix product wakes all of them, and on busy CPUs waits for them (7 ms seen).
        """
        found = np.empty(len(self), dtype=np.float32)
        if self.is_half_precision:
            for start in range(0, len(self), 8_192):
                block = self._matrix[start : start + 8_192].astype(np.float32)
                found[start : start + 8_192] = np.einsum("ij,j->i", block, query)
        elif len(self):
            faiss.omp_set_num_threads(1)
            one = np.ascontiguousarray(query, dtype=np.float32)[None, :]
            _, similarities, rows = self._faiss.index.range_search(one, _BELOW_ALL)
            found[rows] = similarities
        return found

    def mean_similarity(self, query: NDArray[np.float32]) -> float:
        """The mean of `similarities(query)` at the cost of one row."""
        return float(self.centroid @ query)

    def rows_of(self, keys: Keys) -> Rows:
        """The row of each of `keys`; KeyError for one that is not here."""
        at = np.minimum(np.searchsorted(self.keys, keys, sorter=self._order), max(len(self) - 1, 0))
        rows = self._order[at] if len(self) else np.empty(0, dtype=np.int64)
        if len(rows) != len(keys) or not np.array_equal(self.keys[rows], keys):
            raise KeyError("a key that is not in this index")
        return rows


class VectorCells:
    """Nearest neighbours among many vectors, nearly all of them: vectors are parted into cells around their centres,
    and only the cells nearest to a query are looked at. It grows, and is not to be searched meanwhile: one thread at a
    time.

    The same vectors in the same order give the same neighbours.
    """

    def __init__(self, sample: NDArray[np.float32], *, cells: int, probes: int) -> None:
        """`sample` (n, dim) of unit length, at least `cells` of them, tells where the centres lie."""
        dimension = sample.shape[1]
        self._index = faiss.IndexIVFFlat(faiss.IndexFlatIP(dimension), dimension, cells, faiss.METRIC_INNER_PRODUCT)
        self._index.cp.seed = 1
        self._index.cp.niter = 8  # the centres need not be good, only spread
        self._index.cp.min_points_per_centroid = 1
        self._index.nprobe = probes
        faiss.omp_set_num_threads(1)
        self._index.train(np.ascontiguousarray(sample, dtype=np.float32))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def add(self, vectors: NDArray[np.float32]) -> None:
        """Add vectors (n, dim), numbered on from the last."""
        faiss.omp_set_num_threads(1)
        self._index.add(np.ascontiguousarray(vectors, dtype=np.float32))

    def search(self, queries: NDArray[np.float32], limit: int) -> Rows:
        """(q, limit): for each of `queries` (q, dim) the numbers of the most similar, best first; -1 where there are
        fewer."""
        faiss.omp_set_num_threads(1)
        _, numbers = self._index.search(np.ascontiguousarray(queries, dtype=np.float32), limit)
        found: Rows = numbers
        return found


def _empty_half(dimension: int) -> Any:
    index = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    index.is_trained = True  # half precision has nothing to learn from the vectors
    return index


def _fill(index: Any, vectors: Matrix) -> None:
    if isinstance(index, faiss.IndexFlat):
        index.add(np.ascontiguousarray(vectors, dtype=np.float32))
        return
    # Its codes are the half-precision numbers themselves, so they are put in without another rounding.
    codes = np.ascontiguousarray(vectors, dtype=np.float16).view(np.uint8)
    faiss.copy_array_to_vector(codes.ravel(), index.codes)
    index.ntotal = len(vectors)


class _Owned:
    """Memory of a FAISS index as numpy takes it over: the array that is made of it keeps the index alive."""

    def __init__(self, index: Any, view: Matrix) -> None:
        self.index = index
        address, _ = view.__array_interface__["data"]
        self.__array_interface__ = {**view.__array_interface__, "data": (address, True)}  # True: read-only


def _view(index: Any, count: int, dimension: int) -> Matrix:
    is_flat = isinstance(index, faiss.IndexFlat)
    if not count:
        return np.empty((0, dimension), np.float32) if is_flat else np.empty((0, dimension), np.float16)
    if is_flat:
        view = faiss.rev_swig_ptr(index.get_xb(), count * dimension)
    else:
        view = faiss.rev_swig_ptr(index.codes.data(), count * dimension * 2).view(np.float16)
    matrix: Any = np.asarray(_Owned(index, view.reshape(count, dimension)))
    return cast("Matrix", matrix)
