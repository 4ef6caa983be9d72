"""Query x generation -> what speaks for each runbook, one array a signal. Weights and decisions are made elsewhere.

Signals over runbooks: `words` (BM25 of its best chunks), `phrases` (BM25 of its pairs of neighbouring words), `meaning`
(similarity of its best chunk), `overview` (similarity of its name, title and first prose), `spelling` (character
n-grams), `name` (how much of its name the query says), `coverage` (how much of the query it says anywhere), `exact`
(the query's alert is the runbook's, or is mentioned).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.fuse import best_of_groups, mean_of_best
from indexer.lexical import LexicalIndex, idf_of
from indexer.ngrams import NgramIndex
from indexer.postings import Floats, term_key
from indexer.query import Query
from indexer.query_terms import QueryTerms
from indexer.tokens import Analyzer, normal_name

WORDS_CHUNKS = 3  # best chunks averaged: 3 and 5 do as well, 1 loses .03 (benchmarks/retrieval.py)
MAX_EXACT_ROWS = 200_000  # vectors compared one by one; past it the nearest DENSE_CANDIDATES stand for the rest
DENSE_CANDIDATES = 1_000
MENTION = 0.5  # of a match of names


class VectorRows(Protocol):
    """What is asked of an index of vectors."""

    def __len__(self) -> int: ...

    def search(self, query: Floats, limit: int) -> tuple[NDArray[np.int64], Floats]: ...

    def similarities(self, query: Floats) -> Floats: ...

    def mean_similarity(self, query: Floats) -> float: ...


@dataclass(frozen=True, slots=True, eq=False)
class Signals:
    """`runbooks` has an array (n_runbooks,) for each signal. `chunk_words`, `chunk_headings` (the share of the headings
    above that the query says) and `chunk_meaning` (None without vectors) are (n_chunks,). `known` is the share of the
    query's words, by rarity, that the index knows at all."""

    runbooks: Mapping[str, Floats]
    chunk_words: Floats
    chunk_headings: Floats
    chunk_meaning: Floats | None
    known: float


def collect(
    query: Query,
    terms: QueryTerms,
    vector: Floats | None,
    *,
    lexical: LexicalIndex,
    ngrams: NgramIndex,
    chunk_vectors: VectorRows | None,
    card_vectors: VectorRows | None,
) -> Signals:
    """All signals of one query. Without a vector or without vectors, those of meaning are left out."""
    starts = lexical.chunk_starts
    in_runbooks = lexical.fields.gathered(terms.keys)
    in_chunks = lexical.chunks.gathered(terms.keys)
    rarity = idf_of(in_runbooks.sizes, len(lexical.ids))
    sought = terms.weights * rarity
    known = float(sought[in_runbooks.sizes > 0].sum())
    ones = np.ones(len(terms.keys), dtype=np.float32)
    chunk_words = in_chunks.sums(terms.weights, lexical.chunk_impacts)
    chunk_headings = in_chunks.sums(ones, lexical.heading_impacts)
    runbooks = {
        "words": mean_of_best(chunk_words, starts, WORDS_CHUNKS),
        "phrases": lexical.pairs.gathered(terms.pair_keys).sums(terms.pair_weights, lexical.pair_impacts),
        "spelling": ngrams.scores(query.text),
        "name": in_runbooks.sums(ones, lexical.name_impacts),
        "coverage": in_runbooks.sums(sought / max(known, 1e-9)),
        "exact": _exact(query, lexical),
    }
    chunk_meaning: Floats | None = None
    if vector is not None and chunk_vectors is not None and card_vectors is not None:
        chunk_meaning = _similarities(chunk_vectors, vector)
        runbooks["meaning"] = best_of_groups(chunk_meaning, starts)
        runbooks["overview"] = _similarities(card_vectors, vector)
    return Signals(runbooks, chunk_words, chunk_headings, chunk_meaning, known / max(float(sought.sum()), 1e-9))


def _similarities(vectors: VectorRows, vector: Floats) -> Floats:
    """(n,): exact up to MAX_EXACT_ROWS; past it those not among the nearest have the mean, which is no evidence."""
    if len(vectors) <= MAX_EXACT_ROWS:
        return vectors.similarities(vector)
    rows, found = vectors.search(vector, DENSE_CANDIDATES)
    out = np.full(len(vectors), vectors.mean_similarity(vector), dtype=np.float32)
    out[rows] = found
    return out


def _exact(query: Query, lexical: LexicalIndex) -> Floats:
    """(n_runbooks,): 1 where the query's alert is one of the runbook's names; at most MENTION, the rarer the more,
    where a name that the query mentions stands in the text."""
    out = np.zeros(len(lexical.ids), dtype=np.float32)
    if query.identifiers:
        out = _mentions(query.identifiers, lexical)
    if query.alert_name:
        key = np.array([term_key(normal_name(query.alert_name))], dtype=np.uint64)
        out[lexical.named(key)] = 1.0
    return out


def _mentions(identifiers: Sequence[str], lexical: LexicalIndex) -> Floats:
    analyzer = Analyzer()
    wholes = {terms[-1] for name in identifiers if (terms := analyzer.terms(name))}
    keys = np.array(sorted(term_key(term) for term in wholes), dtype=np.uint64)
    found = lexical.fields.gathered(keys)
    rarest = idf_of(np.ones(1, dtype=np.int64), len(lexical.ids))
    strength = found.sums((np.float32(MENTION) * idf_of(found.sizes, len(lexical.ids)) / rarest).astype(np.float32))
    return np.minimum(strength, np.float32(MENTION))
