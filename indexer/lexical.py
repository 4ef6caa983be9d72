"""Which terms occur in which runbook and chunk, and BM25 over the chunks; in memory and immutable. An update keeps the
rows of the runbooks that stay and recomputes only what depends on all of them: rarity and average lengths."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.features import CHUNK_FIELDS, FIELDS, Features
from indexer.postings import Entries, Floats, Keys, Postings, Rows

Roles = NDArray[np.int8]  # of `indexer.roles.Role`


@dataclass(frozen=True, slots=True)
class Bm25:
    """One weight a field; `k1` bends repetition, `b` (0..1) how much a long field counts against its words."""

    weights: tuple[float, ...]
    k1: float
    b: float


# Weights in the order of CHUNK_FIELDS. Measured in benchmarks/retrieval.py: every k1 from 2 to 3 does as well.
RAREST_SHARE = 2.0  # of rarity, added to every whole: a name of one common word is not said in full by saying it
CHUNK_BM25 = Bm25(weights=(1.0, 1.0, 1.0), k1=2.0, b=0.75)
PAIR_BM25 = Bm25(weights=(1.0,), k1=1.2, b=0.3)


@dataclass(frozen=True, slots=True, eq=False)
class LexicalIndex:
    """Rows of `fields`, `names` and `pairs` are runbooks in the order of `ids` (sorted); rows of `chunks` are their
    chunks in text order, those of runbook i being `chunk_starts[i] .. chunk_starts[i + 1] - 1`. `roles` has one for
    each chunk; impacts run along postings: `name_impacts` along those of `fields`, `pair_impacts` of `pairs`, the
    others of `chunks`."""

    ids: tuple[str, ...]
    chunk_starts: NDArray[np.int64]
    fields: Postings
    names: Postings
    pairs: Postings
    chunks: Postings
    roles: Roles
    name_impacts: Floats
    heading_impacts: Floats
    chunk_impacts: Floats
    pair_impacts: Floats

    @classmethod
    def build(cls, features: Sequence[Features]) -> "LexicalIndex":
        empty = cls.weighed(
            (),
            np.zeros(1, dtype=np.int64),
            np.empty(0, dtype=np.int8),
            *(Postings.of(Entries.from_counts([], width), 0) for width in _WIDTHS),
        )
        return empty.updated((), features)

    @classmethod
    def weighed(
        cls,
        ids: tuple[str, ...],
        chunk_starts: NDArray[np.int64],
        roles: Roles,
        fields: Postings,
        names: Postings,
        pairs: Postings,
        chunks: Postings,
    ) -> "LexicalIndex":
        return cls(
            ids=ids,
            chunk_starts=chunk_starts,
            fields=fields,
            names=names,
            pairs=pairs,
            chunks=chunks,
            roles=roles,
            name_impacts=_shares(fields, FIELDS.index("name")),
            heading_impacts=_shares(chunks, CHUNK_FIELDS.index("headings")),
            chunk_impacts=_impacts(chunks, CHUNK_BM25),
            pair_impacts=_impacts(pairs, PAIR_BM25),
        )

    def updated(self, removed: Iterable[str], added: Sequence[Features]) -> "LexicalIndex":
        """Without the runbooks `removed`, with those `added`; an added id that is here already is replaced. Equals
        `build` over what remains."""
        plan = plan_update(self.ids, self.chunk_starts, removed, added)
        return LexicalIndex.weighed(
            plan.ids,
            plan.chunk_starts,
            plan.moved_roles(self.roles),
            self.fields.moved(
                plan.runbook_rows,
                Entries.joined((f.fields for f in plan.added), plan.added_rows, len(FIELDS)),
                len(plan.ids),
            ),
            self.names.moved(
                plan.runbook_rows, Entries.joined((f.names for f in plan.added), plan.added_rows, 1), len(plan.ids)
            ),
            self.pairs.moved(
                plan.runbook_rows, Entries.joined((f.pairs for f in plan.added), plan.added_rows, 1), len(plan.ids)
            ),
            self.chunks.moved(
                plan.chunk_rows,
                Entries.joined((f.chunk_terms for f in plan.added), plan.added_chunk_rows, len(CHUNK_FIELDS)),
                int(plan.chunk_starts[-1]),
            ),
        )

    def named(self, name_keys: Keys) -> NDArray[np.int64]:
        """Rows of the runbooks that one of these normalised names calls, ascending."""
        lo, hi = self.names.ranges(name_keys)
        found = [self.names.rows[a:b] for a, b in zip(lo, hi, strict=True)]
        return np.unique(np.concatenate(found)).astype(np.int64) if found else np.empty(0, dtype=np.int64)

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        return {
            "lexical.ids": np.frombuffer("\n".join(self.ids).encode(), dtype=np.uint8),
            "lexical.chunk_starts": self.chunk_starts,
            "lexical.roles": self.roles,
            **self.fields.to_arrays("fields"),
            **self.names.to_arrays("names"),
            **self.pairs.to_arrays("pairs"),
            **self.chunks.to_arrays("chunks"),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> "LexicalIndex":
        joined = arrays["lexical.ids"].tobytes().decode()
        return cls.weighed(
            tuple(joined.split("\n")) if joined else (),
            arrays["lexical.chunk_starts"].astype(np.int64, copy=False),
            arrays["lexical.roles"].astype(np.int8, copy=False),
            *(Postings.from_arrays(arrays, prefix) for prefix in ("fields", "names", "pairs", "chunks")),
        )


_WIDTHS = (len(FIELDS), 1, 1, len(CHUNK_FIELDS))


@dataclass(frozen=True, slots=True, eq=False)
class UpdatePlan:
    """Where every row goes. `runbook_rows` and `chunk_rows` map old rows to new ones, -1 for those that leave."""

    ids: tuple[str, ...]
    chunk_starts: NDArray[np.int64]
    runbook_rows: Rows
    chunk_rows: Rows
    added: tuple[Features, ...]
    added_rows: tuple[int, ...]
    added_chunk_rows: tuple[int, ...]

    def moved_roles(self, old: Roles) -> Roles:
        """The chunks' roles in their new rows."""
        roles = np.zeros(int(self.chunk_starts[-1]), dtype=np.int8)
        kept = self.chunk_rows >= 0
        roles[self.chunk_rows[kept]] = old[kept]
        for features, row in zip(self.added, self.added_chunk_rows, strict=True):
            roles[row : row + len(features.chunks)] = features.roles
        return roles


def plan_update(
    ids: tuple[str, ...], chunk_starts: NDArray[np.int64], removed: Iterable[str], added: Sequence[Features]
) -> UpdatePlan:
    """The plan that every part of a generation follows, so that their rows stay the same ones: sorted by id."""
    incoming = {features.runbook_id: features for features in added}
    gone = set(removed) | incoming.keys()
    sizes = dict(zip(ids, np.diff(chunk_starts).tolist(), strict=True))
    kept = {runbook_id: size for runbook_id, size in sizes.items() if runbook_id not in gone}
    kept.update({runbook_id: len(features.chunks) for runbook_id, features in incoming.items()})
    new_ids = tuple(sorted(kept))
    row_of = {runbook_id: row for row, runbook_id in enumerate(new_ids)}
    starts = np.concatenate(([0], np.cumsum([kept[runbook_id] for runbook_id in new_ids]))).astype(np.int64)
    runbook_rows = np.array([-1 if i in gone else row_of[i] for i in ids], dtype=np.int32)
    first = np.where(runbook_rows >= 0, starts[runbook_rows], -1) if len(ids) else np.empty(0, dtype=np.int64)
    within = np.arange(chunk_starts[-1]) - np.repeat(chunk_starts[:-1], np.diff(chunk_starts))
    old_first = np.repeat(first, np.diff(chunk_starts))
    rows = tuple(row_of[runbook_id] for runbook_id in incoming)
    return UpdatePlan(
        new_ids,
        starts,
        runbook_rows,
        np.where(old_first >= 0, old_first + within, -1).astype(np.int32),
        tuple(incoming.values()),
        rows,
        tuple(int(starts[row]) for row in rows),
    )


def idf_of(row_counts: NDArray[np.int64], n_rows: int) -> Floats:
    """Rarity as BM25 has it; never negative."""
    rarity: NDArray[np.float64] = np.log(1 + (n_rows - row_counts + 0.5) / (row_counts + 0.5))
    return rarity.astype(np.float32)


def _impacts(postings: Postings, bm25: Bm25) -> Floats:
    """(n_postings,): what one occurrence in a query adds to the row's score."""
    lengths = postings.row_sums()
    average = np.maximum(lengths.mean(axis=0, dtype=np.float64), 1e-9) if postings.n_rows else np.ones(lengths.shape[1])
    scale = np.array(bm25.weights, dtype=np.float32) / (1 - bm25.b + bm25.b * lengths / average)
    frequency = (postings.counts * scale[postings.rows]).sum(axis=1)
    idf = np.repeat(idf_of(np.diff(postings.offsets), postings.n_rows), np.diff(postings.offsets))
    impacts: NDArray[np.float64] = idf * frequency * (bm25.k1 + 1) / (frequency + bm25.k1)
    return impacts.astype(np.float32)


def _shares(postings: Postings, column: int) -> Floats:
    """(n_postings,): how much of what a row has in `column`, by rarity, is this term; 0 where it has it not there."""
    sizes = np.diff(postings.offsets)
    rarity = np.repeat(idf_of(sizes, postings.n_rows), sizes) * (postings.counts[:, column] > 0)
    whole = np.bincount(postings.rows, weights=rarity, minlength=postings.n_rows) + RAREST_SHARE
    shares: NDArray[np.float64] = rarity / whole[postings.rows]
    return shares.astype(np.float32)
