"""One state of the index: every part over the same rows, never changed once it is made. An update makes another one.

Runbooks stand in the order of their ids and chunks in the order of their text, so a generation depends on what is in it
and not on the way that led there. Saving and loading live in `generation_files`.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from indexer.cards import card_to_json
from indexer.chunk_table import ChunkTable
from indexer.embed import Vectors
from indexer.features import Features
from indexer.lexical import LexicalIndex, UpdatePlan, plan_update
from indexer.ngrams import NgramIndex
from indexer.postings import Entries
from indexer.vectors import Keys, Matrix, VectorIndex
from kb.hits import RunbookCard

# Raise it whenever the same runbooks would give other features, so that saved indexes of older releases are rebuilt.
RECIPE = 2
UNKNOWN_REVISION = -1  # of no store: whatever was indexed at it is compared document by document
NO_VECTORS = "vectors: being built"


@dataclass(frozen=True, slots=True)
class IndexedDocument:
    """A file in the index. `fingerprint` covers everything that its features are made from."""

    fingerprint: str
    runbook_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Addition:
    """A file to be indexed: a card and features for each of its runbooks, in the same order. `vectors` has a matrix
    (n_chunks + 1, dim) for each: its chunks', then that of the runbook as a whole; None when there are none yet."""

    document_id: str
    fingerprint: str
    cards: tuple[RunbookCard, ...]
    features: tuple[Features, ...]
    vectors: tuple[Vectors, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Generation:
    """An immutable index. Row r of `cards`, `lexical`, `ngrams` and `card_vectors` is the same runbook; row c of
    `chunks`, `chunk_vectors` and the lexical index's chunk rows the same chunk.

    `id` is a digest of the content, `revision` the store's when the documents were read, `model_id` that of the
    embedder (empty without vectors). `degraded` says what is missing, empty when nothing is.
    """

    id: str
    revision: int
    model_id: str
    degraded: str
    cards: tuple[RunbookCard, ...]
    documents: Mapping[str, IndexedDocument]
    chunks: ChunkTable
    lexical: LexicalIndex
    ngrams: NgramIndex
    chunk_vectors: VectorIndex | None
    card_vectors: VectorIndex | None

    @classmethod
    def empty(cls) -> "Generation":
        """Nothing indexed yet."""
        lexical, ngrams = LexicalIndex.build([]), NgramIndex.build([])
        return cls(
            "", UNKNOWN_REVISION, "", NO_VECTORS, (), {}, ChunkTable.empty(), lexical, ngrams, None, None
        ).named()

    @property
    def has_vectors(self) -> bool:
        return self.chunk_vectors is not None

    def updated(
        self,
        *,
        removed: Collection[str] = (),
        added: Sequence[Addition] = (),
        recarded: Mapping[str, tuple[RunbookCard, ...]] | None = None,
    ) -> "Generation":
        """Without the documents `removed`, with those `added` (replacing earlier forms), and with other cards for those
        `recarded`. Has vectors when this generation has and every addition brings its own. Equals a generation built
        at once from the documents that it ends up with."""
        documents, gone = self._without({*removed, *(addition.document_id for addition in added)}, added)
        for addition in added:
            ids = tuple(card.id for card in addition.cards)
            documents[addition.document_id] = IndexedDocument(addition.fingerprint, ids)
        cards = {card.id: card for card in self.cards if card.id not in gone}
        for group in (*(addition.cards for addition in added), *(recarded or {}).values()):
            cards.update((card.id, card) for card in group)
        features = [one for addition in added for one in addition.features]
        changed = replace(self, documents=_sorted(documents), cards=tuple(cards[key] for key in sorted(cards)))
        return changed._with_rows(gone, features, _vectors_of(added)).named()

    def with_vectors(self, model_id: str, dimension: int, vectors: Mapping[str, Vectors]) -> "Generation":
        """The same documents, complete. `vectors` has a matrix (n_chunks + 1, dim) for each runbook id."""
        chunk_matrix = np.empty((len(self.chunks), dimension), dtype=np.float32)
        card_matrix = np.empty((len(self.cards), dimension), dtype=np.float32)
        for row, card in enumerate(self.cards):
            first, last = self.lexical.chunk_starts[row : row + 2]
            chunk_matrix[first:last] = vectors[card.id][:-1]
            card_matrix[row] = vectors[card.id][-1]
        complete = replace(
            self,
            model_id=model_id,
            degraded="",
            chunk_vectors=VectorIndex.build(chunk_keys(self.lexical), chunk_matrix),
            card_vectors=VectorIndex.build(card_keys(self.lexical), card_matrix),
        )
        return complete.named()

    def without_vectors(self, degraded: str = NO_VECTORS) -> "Generation":
        """The lexical parts alone, for the time until vectors of the right model are there."""
        bare = replace(self, model_id="", degraded=degraded, chunk_vectors=None, card_vectors=None)
        return bare.named()

    def at_revision(self, revision: int) -> "Generation":
        """The same content, known to be what the store holds at `revision`."""
        return replace(self, revision=revision)

    def named(self) -> "Generation":
        """The same content under the id that belongs to it."""
        return replace(self, id=generation_id(self.documents, self.cards, self.model_id))

    def content_digest(self) -> str:
        """SHA-256 over every part, vectors included: equal digests answer alike. For tests and diagnosis."""
        digest = hashlib.sha256(json.dumps([self.model_id, self.degraded, sorted(self.documents)]).encode())
        for card in self.cards:
            digest.update(json.dumps(card_to_json(card), sort_keys=True).encode())
        digest.update(self.chunks.block)
        arrays: dict[str, NDArray[np.generic]] = {**self.lexical.to_arrays(), **self.ngrams.to_arrays()}
        for name, array in sorted(arrays.items()):
            digest.update(f"{name}{array.shape}{array.dtype}".encode() + array.tobytes())
        for index in (self.chunk_vectors, self.card_vectors):
            if index is not None:
                digest.update(index.keys.tobytes() + index.matrix.tobytes())
        return digest.hexdigest()

    def _without(self, leaving: set[str], added: Sequence[Addition]) -> tuple[dict[str, IndexedDocument], set[str]]:
        """The documents that stay, and the ids of the runbooks that go. A runbook id that moves to another file takes
        the rows of its old file along."""
        owner = {runbook_id: key for key, found in self.documents.items() for runbook_id in found.runbook_ids}
        taken = {owner[card.id] for addition in added for card in addition.cards if card.id in owner}
        leaving = leaving | taken
        gone = {i for key in leaving if key in self.documents for i in self.documents[key].runbook_ids}
        return {key: found for key, found in self.documents.items() if key not in leaving}, gone

    def _with_rows(
        self, gone: Collection[str], features: Sequence[Features], vectors: Mapping[str, Vectors] | None
    ) -> "Generation":
        """The same cards and documents, every part moved to its new rows. `vectors` by runbook id."""
        if not gone and not features:
            return self
        plan = plan_update(self.lexical.ids, self.lexical.chunk_starts, gone, features)
        grams = Entries.joined((f.grams for f in plan.added), plan.added_rows, 1)
        moved = replace(
            self,
            chunks=self.chunks.updated(plan),
            lexical=self.lexical.updated(gone, features),
            ngrams=self.ngrams.updated(plan.runbook_rows, grams, len(plan.ids)),
            chunk_vectors=None,
            card_vectors=None,
        )
        if self.chunk_vectors is None or self.card_vectors is None or vectors is None:
            return replace(moved, model_id="", degraded=self.degraded or NO_VECTORS)
        return replace(
            moved,
            chunk_vectors=_moved_chunks(self.chunk_vectors, plan, vectors, moved.lexical),
            card_vectors=_moved_cards(self.card_vectors, plan, vectors, moved.lexical),
        )


def generation_id(documents: Mapping[str, IndexedDocument], cards: Iterable[RunbookCard], model_id: str) -> str:
    """16 hex digits: the same documents, cards and model give the same id in any process."""
    digest = hashlib.sha256(json.dumps([RECIPE, model_id]).encode())
    for document_id, found in documents.items():
        digest.update(json.dumps([document_id, found.fingerprint, found.runbook_ids]).encode())
    for card in cards:
        digest.update(repr(card).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:16]


def chunk_keys(lexical: LexicalIndex) -> Keys:
    """A number for each chunk: its runbook's key and its place in it."""
    sizes = np.diff(lexical.chunk_starts)
    within = np.arange(int(lexical.chunk_starts[-1])) - np.repeat(lexical.chunk_starts[:-1], sizes)
    return (np.repeat(card_keys(lexical), sizes) + 1 + within).astype(np.int64)


def card_keys(lexical: LexicalIndex) -> Keys:
    """A number for each runbook, from its id alone; 2^16 apart, with room for the chunks of one between."""
    digests = [hashlib.blake2b(i.encode("utf-8", "surrogatepass"), digest_size=6).digest() for i in lexical.ids]
    return np.array([(int.from_bytes(digest) >> 1) << 16 for digest in digests], dtype=np.int64)


def _sorted(documents: Mapping[str, IndexedDocument]) -> Mapping[str, IndexedDocument]:
    return MappingProxyType({key: documents[key] for key in sorted(documents)})


def _vectors_of(added: Sequence[Addition]) -> Mapping[str, Vectors] | None:
    vectors: dict[str, Vectors] = {}
    for addition in added:
        if addition.vectors is None:
            return None
        vectors.update(zip((one.runbook_id for one in addition.features), addition.vectors, strict=True))
    return vectors


def _moved_chunks(
    old: VectorIndex, plan: UpdatePlan, vectors: Mapping[str, Vectors], lexical: LexicalIndex
) -> VectorIndex:
    matrix = _kept(old, plan.chunk_rows, int(plan.chunk_starts[-1]))
    for features, row in zip(plan.added, plan.added_chunk_rows, strict=True):
        matrix[row : row + len(features.chunks)] = vectors[features.runbook_id][:-1]
    return VectorIndex.build(chunk_keys(lexical), matrix)


def _moved_cards(
    old: VectorIndex, plan: UpdatePlan, vectors: Mapping[str, Vectors], lexical: LexicalIndex
) -> VectorIndex:
    matrix = _kept(old, plan.runbook_rows, len(plan.ids))
    for features, row in zip(plan.added, plan.added_rows, strict=True):
        matrix[row] = vectors[features.runbook_id][-1]
    return VectorIndex.build(card_keys(lexical), matrix)


def _kept(old: VectorIndex, new_rows: NDArray[np.int32], count: int) -> Matrix:
    """(count, dim): old row r at row `new_rows[r]`, the others to be filled. Rows that move together are copied at
    once: after one changed file that is nearly all of them."""
    matrix: Matrix = np.empty((count, old.dimension), dtype=old.matrix.dtype)
    kept = np.flatnonzero(new_rows >= 0)
    if not len(kept):
        return matrix
    ends = np.flatnonzero((np.diff(kept) != 1) | (np.diff(new_rows[kept]) != 1))
    firsts, lasts = np.concatenate(([0], ends + 1)), np.concatenate((ends, [len(kept) - 1]))
    for first, last in zip(kept[firsts].tolist(), kept[lasts].tolist(), strict=True):
        start = int(new_rows[first])
        matrix[start : start + last + 1 - first] = old.matrix[first : last + 1]
    return matrix
