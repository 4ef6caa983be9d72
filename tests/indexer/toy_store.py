"""A store of small runbooks for tests of the index: real parsing, no disk, edits that can be replayed from a seed."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from indexer.embed import Embedder, HashingEmbedder
from indexer.embedding_cache import EmbeddingCache
from indexer.generation import Generation
from indexer.sync import Index
from kb.identity import relabel
from kb.markdown import parse_document
from kb.runbook import ReviewState
from kb.runbook_store import StoredDocument

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = ("disk", "full", "pod", "crash", "loop", "latency", "kafka", "lag", "certificate", "expires", "ünïcode", "🚨")


class ToySource:
    """Documents by id; every change raises the revision."""

    def __init__(self) -> None:
        self._documents: dict[str, StoredDocument] = {}
        self._revision = 0

    def revision(self) -> int:
        return self._revision

    def documents(self) -> Sequence[StoredDocument]:
        return [self._documents[key] for key in sorted(self._documents)]

    def put(self, name: str, text: str, *, state: ReviewState = ReviewState.PUBLISHED) -> None:
        document = relabel(parse_document(text.encode(), path=f"static/{name}.md"), name, {})
        self._revision += 1
        self._documents[name] = StoredDocument(document, self._revision, state, "somebody", EPOCH)

    def set_state(self, name: str, state: ReviewState) -> None:
        self._revision += 1
        self._documents[name] = replace(self._documents[name], state=state)

    def remove(self, name: str) -> None:
        self._revision += 1
        del self._documents[name]

    def names(self) -> list[str]:
        return sorted(self._documents)


def text_of(chance: random.Random, *, sections: int = 3) -> str:
    """A runbook of a few sections of a few words; sometimes one with an entry for each of two alerts."""
    lines = [f"# {' '.join(chance.choices(WORDS, k=2))}", ""]
    for number in range(chance.randint(0, sections)):
        title = f"Alert: {chance.choice('ABCD')}Firing" if chance.random() < 0.3 else f"Step {number}"
        lines += [f"## {title}", "", " ".join(chance.choices(WORDS, k=chance.randint(0, 40))), ""]
    return "\n".join(lines)


def edit(source: ToySource, chance: random.Random, *, names: int = 8) -> None:
    """One random change: a new or changed document, another state, or a removal."""
    name = f"runbook-{chance.randrange(names)}"
    what = chance.random()
    if name in source.names() and what < 0.2:
        source.remove(name)
    elif name in source.names() and what < 0.35:
        source.set_state(name, chance.choice([ReviewState.PUBLISHED, ReviewState.UNREVIEWED]))
    else:
        source.put(name, text_of(chance))


def edited(seed: int, edits: int) -> ToySource:
    """The source after the first `edits` of the changes that belong to `seed`."""
    source, chance = ToySource(), random.Random(seed)
    for _ in range(edits):
        edit(source, chance)
    return source


def open_index(folder: Path, *, embedder: Embedder | None = None, said: list[str] | None = None) -> Index:
    """An index under `folder` with a cache beside it. What it warns of goes to `said`, and is an error without it."""

    def warn(message: str) -> None:
        if said is None:
            raise AssertionError(message)
        said.append(message)

    folder.mkdir(parents=True, exist_ok=True)
    return Index(
        folder / "index", embedder or HashingEmbedder(), EmbeddingCache(folder / "embeddings.db", warn=warn), warn=warn
    )


def built_from_scratch(source: ToySource, folder: Path, *, embedder: Embedder | None = None) -> Generation:
    """The generation that an index without a past makes of `source`."""
    index = open_index(folder, embedder=embedder)
    index.refresh(source)
    index.close()
    return index.current
