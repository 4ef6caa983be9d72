"""An immutable sparse table from hashed terms to rows with counts, in arrays only: what BM25 and n-grams stand on.
It knows nothing of weights; rows are runbooks or chunks, as its owner says."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Rows = NDArray[np.int32]
Counts = NDArray[np.uint16]
Floats = NDArray[np.float32]

_COUNT_MAX = int(np.iinfo(np.uint16).max)


def term_key(term: str) -> int:
    """A 64-bit number that stands for `term` in every process and release: two terms of a million share one with
    probability 3e-8, which spares the index a vocabulary."""
    return int.from_bytes(blake2b(term.encode("utf-8", "replace"), digest_size=8).digest(), "little")


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """Counts by (key, row), in no order but each pair once. `counts` is (n, width): one column a field."""

    keys: Keys
    rows: Rows
    counts: Counts

    @classmethod
    def from_counts(cls, rows: Sequence[Mapping[int, Sequence[int]]], width: int) -> "Entries":
        """Row i holds the counts of `rows[i]`: key -> one number a column."""
        keys = [key for row in rows for key in row]
        numbers = [value for row in rows for counts in row.values() for value in counts]
        sizes = [len(row) for row in rows]
        return cls(
            np.array(keys, dtype=np.uint64),
            np.repeat(np.arange(len(rows), dtype=np.int32), sizes),
            np.minimum(np.array(numbers, dtype=np.int64), _COUNT_MAX).astype(np.uint16).reshape(len(keys), width),
        )

    @classmethod
    def joined(cls, parts: Iterable["Entries"], first_rows: Sequence[int], width: int) -> "Entries":
        """All parts in one, the rows of part i counted on from `first_rows[i]`."""
        found = list(parts)
        if not found:
            return cls.from_counts([], width)
        return cls(
            np.concatenate([part.keys for part in found]),
            np.concatenate([part.rows + np.int32(first) for part, first in zip(found, first_rows, strict=True)]).astype(
                np.int32
            ),
            np.concatenate([part.counts for part in found]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """The postings of some keys, one after the other: `positions` in the table's arrays, and `of`, the place of each
    one's key among those asked for. `sizes` has in how many rows each key occurs."""

    rows: Rows
    positions: NDArray[np.int64]
    of: NDArray[np.int64]
    sizes: NDArray[np.int64]
    n_rows: int

    def sums(self, weights: Floats, impacts: Floats | None = None) -> Floats:
        """(n_rows,): over the postings, the sum of their key's weight, times their impact where impacts are given.
        `weights` runs along the keys, `impacts` along the table's rows."""
        values = weights[self.of]
        if impacts is not None:
            values = values * impacts[self.positions]
        return np.bincount(self.rows, weights=values, minlength=self.n_rows).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Postings:
    """`rows[offsets[i]:offsets[i + 1]]`, ascending, are the rows in which `keys[i]` occurs; `counts` runs along."""

    keys: Keys
    offsets: NDArray[np.int64]
    rows: Rows
    counts: Counts
    n_rows: int

    @classmethod
    def of(cls, entries: Entries, n_rows: int) -> "Postings":
        order = np.lexsort((entries.rows, entries.keys))
        keys, first = np.unique(entries.keys[order], return_index=True)
        offsets = np.append(first, len(order)).astype(np.int64)
        return cls(keys, offsets, entries.rows[order], entries.counts[order], n_rows)

    def moved(self, new_rows: Rows, added: Entries, n_rows: int) -> "Postings":
        """The table after old row r became `new_rows[r]` (-1: gone; the others keep their order) and `added` came in.

        Equals `Postings.of` over the same content; costs one copy of the arrays instead of a sort of everything.
        """
        rows = new_rows[self.rows] if len(self.rows) else self.rows
        kept = rows >= 0
        running = np.concatenate(([0], np.cumsum(kept)))
        offsets = running[self.offsets]
        alive = np.diff(offsets) > 0
        base = Postings(
            self.keys[alive],
            np.append(offsets[:-1][alive], offsets[-1]).astype(np.int64),
            rows[kept],
            self.counts[kept],
            n_rows,
        )
        return base._merged(Postings.of(added, n_rows)) if len(added.keys) else base

    def _merged(self, other: "Postings") -> "Postings":
        lo, hi = self.ranges(other.keys)
        at = np.empty(len(other.rows), dtype=np.int64)
        for i in range(len(other.keys)):
            a, b = other.offsets[i], other.offsets[i + 1]
            at[a:b] = lo[i] + np.searchsorted(self.rows[lo[i] : hi[i]], other.rows[a:b])
        fresh = other.keys[hi == lo]
        keys = np.insert(self.keys, np.searchsorted(self.keys, fresh), fresh)  # both in order: no sort of everything
        sizes = np.zeros(len(keys), dtype=np.int64)
        sizes[np.searchsorted(keys, self.keys)] += np.diff(self.offsets)
        sizes[np.searchsorted(keys, other.keys)] += np.diff(other.offsets)
        return Postings(
            keys,
            np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
            np.insert(self.rows, at, other.rows),
            np.insert(self.counts, at, other.counts, axis=0),
            self.n_rows,
        )

    def ranges(self, keys: Keys) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where each key's postings begin and end; an unknown key has an empty range at its place in the order."""
        at = np.searchsorted(self.keys, keys)
        known = np.zeros(len(keys), dtype=bool)
        inside = at < len(self.keys)
        known[inside] = self.keys[at[inside]] == keys[inside]
        lo = self.offsets[at]
        hi = np.where(known, self.offsets[np.minimum(at + 1, len(self.keys))], lo)
        return lo, hi

    def row_counts(self, keys: Keys) -> NDArray[np.int64]:
        """In how many rows each key occurs."""
        lo, hi = self.ranges(keys)
        return hi - lo

    def row_sums(self) -> NDArray[np.float32]:
        """(n_rows, width): the sum of counts of each row, a column at a time."""
        columns = [
            np.bincount(self.rows, weights=self.counts[:, column], minlength=self.n_rows)
            for column in range(self.counts.shape[1])
        ]
        return np.stack(columns, axis=1).astype(np.float32)

    def gathered(self, keys: Keys) -> "Gathered":
        """All postings of `keys`, for scores of several kinds from one look-up."""
        lo, hi = self.ranges(keys)
        sizes = hi - lo
        starts = np.cumsum(sizes) - sizes
        positions = np.arange(int(sizes.sum()), dtype=np.int64) + np.repeat(lo - starts, sizes)
        return Gathered(self.rows[positions], positions, np.repeat(np.arange(len(keys)), sizes), sizes, self.n_rows)

    def occurs(self, keys: Keys, rows: Rows) -> NDArray[np.bool_]:
        """(len(keys), len(rows)): whether each key occurs in each of a few rows."""
        lo, hi = self.ranges(keys)
        out = np.zeros((len(keys), len(rows)), dtype=bool)
        for i in range(len(keys)):
            if hi[i] > lo[i]:
                own = self.rows[lo[i] : hi[i]]
                at = np.minimum(np.searchsorted(own, rows), len(own) - 1)
                out[i] = own[at] == rows
        return out

    def to_arrays(self, prefix: str) -> dict[str, NDArray[np.generic]]:
        return {
            f"{prefix}.keys": self.keys,
            f"{prefix}.offsets": self.offsets,
            f"{prefix}.rows": self.rows,
            f"{prefix}.counts": self.counts,
            f"{prefix}.n_rows": np.array([self.n_rows], dtype=np.int64),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]], prefix: str) -> "Postings":
        return cls(
            arrays[f"{prefix}.keys"].astype(np.uint64, copy=False),
            arrays[f"{prefix}.offsets"].astype(np.int64, copy=False),
            arrays[f"{prefix}.rows"].astype(np.int32, copy=False),
            arrays[f"{prefix}.counts"].astype(np.uint16, copy=False),
            int(arrays[f"{prefix}.n_rows"][0]),
        )
