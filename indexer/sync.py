"""Keeps the index in step with the store: what differs (pure), then the smallest work that makes it equal, then a new
generation in place of the old one. Whoever searches takes `current` and keeps it for the whole search."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from indexer.cards import cards_of
from indexer.embed import Embedder, Progress, Vectors
from indexer.embedding_cache import EmbeddingCache
from indexer.errors import IndexBusy, IndexCorrupt, IndexOutdated
from indexer.features import Features, extract_features
from indexer.file_lock import locked
from indexer.generation import NO_VECTORS, UNKNOWN_REVISION, Addition, Generation
from indexer.generation_files import load_generation, save_generation
from indexer.sealed_folder import Step, has_leftovers, no_step, remove_leftovers
from kb.hits import RunbookCard
from kb.runbook import Document
from kb.runbook_store import StoredDocument

NOT_LOADED = "index: being built"
OTHER_MODEL = "vectors: of another model, being rebuilt"
_BATCH_DOCUMENTS = 256  # made searchable by words at once while an index is built from nothing; about 2 s
_BATCH_TEXTS = 256  # embedded between two generations while many files change; about 8 s on one core
_SAVE_LOCK_TIMEOUT_S = 60.0  # another process saves in well under a second

Warn = Callable[[str], None]


class DocumentSource(Protocol):
    """What the index asks of the store."""

    def revision(self) -> int:
        """Grows with every change."""
        ...

    def documents(self) -> Sequence[StoredDocument]:
        """All live documents."""
        ...


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """What makes an index equal to the store. `added` and `changed` hold documents whose features are to be made,
    `recarded` those of which only what an answer shows has changed, such as the review state."""

    added: tuple[StoredDocument, ...]
    changed: tuple[StoredDocument, ...]
    recarded: Mapping[str, tuple[RunbookCard, ...]]
    removed: tuple[str, ...]
    unchanged: int

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.changed or self.recarded or self.removed)


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """What a refresh did, in documents; `texts` counts those that were embedded or found in the cache."""

    generation: str
    added: int = 0
    changed: int = 0
    recarded: int = 0
    removed: int = 0
    unchanged: int = 0
    texts: int = 0


def plan_sync(stored: Sequence[StoredDocument], generation: Generation) -> SyncPlan:
    """Compare document by document; neither side is changed."""
    cards = {card.id: card for card in generation.cards}
    added, changed = [], []
    recarded: dict[str, tuple[RunbookCard, ...]] = {}
    for one in stored:
        known = generation.documents.get(one.document.id)
        if known is None:
            added.append(one)
        elif known.fingerprint != fingerprint(one.document):
            changed.append(one)
        else:
            shown = cards_of(one)
            if any(cards[card.id] != card for card in shown):
                recarded[one.document.id] = shown
    live = {one.document.id for one in stored}
    removed = tuple(document_id for document_id in generation.documents if document_id not in live)
    unchanged = len(live) - len(added) - len(changed) - len(recarded)
    return SyncPlan(tuple(added), tuple(changed), recarded, removed, unchanged)


def fingerprint(document: Document) -> str:
    """Covers all that a document's features are made from: its bytes, its path and the ids the store gave."""
    made_of = [document.sha256, document.path, [runbook.id for runbook in document.runbooks]]
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()


class Index:
    """The current generation behind a reference. One refresh at a time; searches never wait for it.

    `folder` keeps the saved generations and nothing else. `warn` is told, in a sentence, what was found damaged and
    what could not be saved; the index serves from memory all the same. `step` is told each sub-step of a save.
    """

    def __init__(
        self, folder: Path, embedder: Embedder, cache: EmbeddingCache, *, warn: Warn, step: Step = no_step
    ) -> None:
        self._folder = folder
        self._lock_path = folder.with_name(f"{folder.name}.lock")
        self._embedder = embedder
        self._cache = cache
        self._warn = warn
        self._step = step
        self._writer = threading.Lock()
        self._current = replace(Generation.empty(), degraded=NOT_LOADED)
        self._saver = ThreadPoolExecutor(1, thread_name_prefix="index-save")
        self._saved: Generation | None = None

    @property
    def current(self) -> Generation:
        """The generation to search: immutable, so one answer takes it once and uses it throughout."""
        return self._current

    def load(self) -> Generation:
        """Make the saved generation current. Without a sound one of this release, `current` stays empty and
        `degraded`; one of another model serves without its vectors until the next refresh."""
        self._clear_leftovers()
        problems: list[IndexCorrupt | IndexOutdated] = []
        found = load_generation(self._folder, problems)
        for problem in problems:
            self._warn(f"{problem.message} {problem.advice}")
        if found is not None:
            is_ours = found.model_id == self._embedder.model_id
            self._saved = found if is_ours else None
            self._current = found if is_ours else found.without_vectors(OTHER_MODEL).at_revision(UNKNOWN_REVISION)
        return self._current

    def refresh(self, source: DocumentSource, *, progress: Progress | None = None) -> RefreshReport:
        """Make the index equal to the store. `progress` counts texts. Removed documents go first; after that new
        generations follow as texts are embedded. Without usable vectors a lexical generation serves meanwhile.

        The result is saved in the background; `close` waits for that. When something fails on the way, what was
        published so far stays, and the next refresh goes on from there.
        """
        with self._writer:
            revision = source.revision()  # before the documents, which are then at least as new
            base = self._current
            if self._is_complete(base) and base.revision == revision:
                return RefreshReport(base.id, unchanged=len(base.documents))
            stored = source.documents()
            if self._is_complete(base):
                report = self._update(plan_sync(stored, base), revision, progress)
            else:
                report = self._rebuild(stored, revision, progress)
            self._save_later()
            return report

    def save(self) -> None:
        """Wait until the current generation is on disk, or `warn` was told why it is not."""
        self._saver.submit(self._save_latest).result()

    def close(self) -> None:
        """Wait for the save under way, and let go of the cache."""
        self._saver.shutdown(wait=True)
        self._cache.close()

    def _is_complete(self, generation: Generation) -> bool:
        return generation.has_vectors and generation.model_id == self._embedder.model_id

    def _rebuild(self, stored: Sequence[StoredDocument], revision: int, progress: Progress | None) -> RefreshReport:
        """Everything anew. Batch by batch, so that the features of few documents are in memory at once and, where
        nothing serves yet, the first documents can be found early."""
        serves_already = bool(self._current.cards)
        lexical = replace(Generation.empty(), degraded=NOT_LOADED)
        texts: dict[str, tuple[str, ...]] = {}
        for start in range(0, len(stored), _BATCH_DOCUMENTS):
            additions = [_addition(one) for one in stored[start : start + _BATCH_DOCUMENTS]]
            texts.update((one.runbook_id, one.embed_texts) for addition in additions for one in addition.features)
            lexical = lexical.updated(added=additions)
            if not serves_already:
                self._publish(lexical)
        lexical = replace(lexical, degraded=NO_VECTORS)
        self._publish(lexical)
        vectors = dict(zip(texts, self._embed(list(texts.values()), progress), strict=True))
        complete = lexical.with_vectors(self._embedder.model_id, self._embedder.dimension, vectors)
        self._publish(complete.at_revision(revision))
        return RefreshReport(complete.id, added=len(stored), texts=sum(map(len, texts.values())))

    def _update(self, plan: SyncPlan, revision: int, progress: Progress | None) -> RefreshReport:
        generation = self._current
        additions = [_addition(one) for one in (*plan.added, *plan.changed)]
        batches = list(_batches(additions)) or [[]]
        features = [one for addition in additions for one in addition.features]
        removed, recarded = plan.removed, plan.recarded
        if len(batches) > 1:  # what is gone vanishes now, not when everything new is embedded
            generation = generation.updated(removed=removed, recarded=recarded).at_revision(UNKNOWN_REVISION)
            self._publish(generation)
            removed, recarded = (), {}
        done, total = 0, _count(features)
        for batch in batches:
            ready = self._with_vectors(batch, _shifted(progress, done, total))
            generation = generation.updated(removed=removed, added=ready, recarded=recarded)
            done += _count([one for addition in batch for one in addition.features])
            is_last = batch is batches[-1]
            generation = generation.at_revision(revision if is_last else UNKNOWN_REVISION)
            self._publish(generation)
        return RefreshReport(
            generation.id, len(plan.added), len(plan.changed), len(plan.recarded), len(plan.removed), plan.unchanged,
            total,
        )  # fmt: skip

    def _with_vectors(self, additions: Sequence[Addition], progress: Progress | None) -> list[Addition]:
        texts = [one.embed_texts for addition in additions for one in addition.features]
        vectors = iter(self._embed(texts, progress))
        return [replace(addition, vectors=tuple(next(vectors) for _ in addition.features)) for addition in additions]

    def _embed(self, texts: Sequence[tuple[str, ...]], progress: Progress | None) -> list[Vectors]:
        """A matrix (n_chunks + 1, dim) for each runbook's texts."""
        matrix = self._cache.embed(self._embedder, [text for group in texts for text in group], progress=progress)
        parts, start = [], 0
        for group in texts:
            parts.append(matrix[start : start + len(group)])
            start += len(group)
        return parts

    def _publish(self, generation: Generation) -> None:
        self._current = generation  # one assignment: a reader has the old one or the new one

    def _clear_leftovers(self) -> None:
        """Remove what a killed save left, unless somebody is saving or the folder cannot be written."""
        if not has_leftovers(self._folder):
            return
        with suppress(OSError, IndexBusy), locked(self._lock_path, timeout_s=0.0):
            remove_leftovers(self._folder)

    def _save_later(self) -> None:
        self._saver.submit(self._save_latest).add_done_callback(self._tell_failure)

    def _tell_failure(self, saving: "Future[None]") -> None:
        failure = saving.exception()
        if failure is not None:
            self._warn(f"Saving the index failed unexpectedly: {failure!r}")

    def _save_latest(self) -> None:
        """Save what is current now; of several saves that wait, the later ones find it saved."""
        generation = self._current
        if not self._is_complete(generation) or generation is self._saved:
            return
        try:
            with locked(self._lock_path, timeout_s=_SAVE_LOCK_TIMEOUT_S):
                save_generation(generation, self._folder, step=self._step)
        except (OSError, IndexBusy) as exc:
            self._warn(f"The index could not be saved to {self._folder} ({exc}); it serves from memory.")
        else:
            self._saved = generation
            self._cache.prune(live=len(generation.chunks) + len(generation.cards))


def _addition(stored: StoredDocument) -> Addition:
    document = stored.document
    features = tuple(extract_features(runbook) for runbook in document.runbooks)
    return Addition(document.id, fingerprint(document), cards_of(stored), features)


def _batches(additions: Sequence[Addition]) -> Iterator[list[Addition]]:
    batch: list[Addition] = []
    size = 0
    for addition in additions:
        batch.append(addition)
        size += _count(addition.features)
        if size >= _BATCH_TEXTS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _count(features: Sequence[Features]) -> int:
    return sum(len(one.embed_texts) for one in features)


def _shifted(progress: Progress | None, before: int, total: int) -> Progress | None:
    if progress is None:
        return None
    return lambda done, _: progress(before + done, total)
