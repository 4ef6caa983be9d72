"""The reference that search has to beat: the best published recipe for this benchmark, written down plainly.

A sum of five scores, each scaled per query (mean to 0, best to 1): .3 BM25F over files (name x8, title x8, headings x3,
path x1, body x1; k1 3, b .75) + .5 similarity of the best chunk + .5 TF-IDF of 3- to 5-grams over name, title and
headings + .2 BM25 over chunks + .1 similarity of name, title and headings; and a boost where the alert's name is the
file's. It gets the same cleaned queries, chunks and vectors as the product.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from indexer.chunk import display_name
from indexer.query import Query
from indexer.tokens import Analyzer, normal_name, spaced
from kb.runbook import Runbook

Scores = NDArray[np.float32]  # (n_queries, n_files)
Matrix = NDArray[np.float32]
FIELD_WEIGHTS = (8.0, 8.0, 3.0, 1.0, 1.0)
EXACT_BOOST = 1.0


@dataclass(frozen=True, slots=True)
class Corpus:
    """One runbook a file, its chunks' texts as they were embedded, and the vectors of both."""

    runbooks: Sequence[Runbook]
    chunk_files: NDArray[np.int64]  # (n_chunks,), ascending
    chunk_texts: Sequence[str]
    chunk_vectors: Matrix
    heading_vectors: Matrix  # (n_files, dim): of `heading_text`


def heading_text(runbook: Runbook) -> str:
    return f"{display_name(runbook)}. {runbook.title}. {'. '.join(_headings(runbook))[:1_000]}"


def recipe_scores(corpus: Corpus, queries: Sequence[Query], query_vectors: Matrix) -> Scores:
    analyzer = Analyzer()
    names = [runbook.path.rsplit("/", 1)[-1].rsplit(".", 1)[0] for runbook in corpus.runbooks]
    fields = [
        names,
        [runbook.title for runbook in corpus.runbooks],
        ["\n".join(_headings(runbook)) for runbook in corpus.runbooks],
        [runbook.path.rpartition("/")[0] for runbook in corpus.runbooks],
        [runbook.text for runbook in corpus.runbooks],
    ]
    vocabulary: dict[str, int] = {}
    field_counts = [_counts(texts, analyzer.terms, vocabulary, grow=True) for texts in fields]
    chunk_counts = _counts(corpus.chunk_texts, analyzer.terms, vocabulary, grow=True)
    asked = _counts([_words(query) for query in queries], analyzer.terms, vocabulary, grow=False)
    size = len(vocabulary)
    bm25f = _bm25([_widened(counts, size) for counts in field_counts], FIELD_WEIGHTS, k1=3.0, b=0.75)
    bm25 = _bm25([_widened(chunk_counts, size)], (1.0,), k1=1.2, b=0.75)
    wanted = _widened(asked, size)
    starts = np.searchsorted(corpus.chunk_files, np.arange(len(corpus.runbooks)))
    exact = np.array(
        [[bool(q.alert_name) and normal_name(q.alert_name) == normal_name(n) for n in names] for q in queries]
    )
    return (
        0.3 * _scaled((wanted @ bm25f.T).toarray())
        + 0.5 * _scaled(np.maximum.reduceat(query_vectors @ corpus.chunk_vectors.T, starts, axis=1))
        + 0.5 * _scaled(_ngrams(fields, queries))
        + 0.2 * _scaled(np.maximum.reduceat((wanted @ bm25.T).toarray(), starts, axis=1))
        + 0.1 * _scaled(query_vectors @ corpus.heading_vectors.T)
        + EXACT_BOOST * exact
    ).astype(np.float32)


def _headings(runbook: Runbook) -> list[str]:
    return [section.title for section in runbook.sections if section.title]


def _words(query: Query) -> str:
    return " ".join((query.alert_name, query.headline, query.detail))


def _ngrams(fields: Sequence[Sequence[str]], queries: Sequence[Query]) -> Matrix:
    documents = [spaced(" ".join(parts)).lower() for parts in zip(*fields[:3], strict=True)]
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
    rows = vectorizer.fit_transform(documents)
    return np.asarray((vectorizer.transform([spaced(_words(q)).lower() for q in queries]) @ rows.T).toarray())


def _counts(
    texts: Sequence[str], terms: Callable[[str], list[str]], vocabulary: dict[str, int], *, grow: bool
) -> sparse.csr_matrix:
    rows, columns, counts = [], [], []
    for row, text in enumerate(texts):
        for term, count in Counter(terms(text)).items():
            if grow:
                vocabulary.setdefault(term, len(vocabulary))
            if term in vocabulary:
                rows.append(row)
                columns.append(vocabulary[term])
                counts.append(float(count))
    return sparse.csr_matrix((counts, (rows, columns)), shape=(len(texts), max(len(vocabulary), 1)))


def _widened(counts: sparse.csr_matrix, width: int) -> sparse.csr_matrix:
    return sparse.csr_matrix((counts.data, counts.indices, counts.indptr), shape=(counts.shape[0], width))


def _bm25(fields: Sequence[sparse.csr_matrix], weights: Sequence[float], *, k1: float, b: float) -> sparse.csr_matrix:
    total = None
    for counts, weight in zip(fields, weights, strict=True):
        lengths = np.asarray(counts.sum(axis=1)).ravel()
        scaled = sparse.diags(weight / (1 - b + b * lengths / max(lengths.mean(), 1e-9))) @ counts
        total = scaled if total is None else total + scaled
    assert total is not None
    total = total.tocsr()
    rows = np.bincount(total.indices, minlength=total.shape[1])
    total.data = total.data * (k1 + 1) / (total.data + k1)
    return total @ sparse.diags(np.log(1 + (total.shape[0] - rows + 0.5) / (rows + 0.5)))


def _scaled(scores: NDArray[np.floating]) -> NDArray[np.floating]:
    mean = scores.mean(axis=1, keepdims=True)
    return (scores - mean) / np.maximum(scores.max(axis=1, keepdims=True) - mean, 1e-9)
