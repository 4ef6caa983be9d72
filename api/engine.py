"""Settings -> the embedding model and the index, and nothing else, so that both can be opened before the rest of the
program is imported."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from api.settings import Settings
from indexer.embed import Embedder
from indexer.embedders import open_embedder
from indexer.embedding_cache import EmbeddingCache
from indexer.sync import Index

log = logging.getLogger("sre_kb.engine")

# Below the data folder.
MODELS = "models"
INDEX = "index"
EMBEDDINGS = "embeddings.db"
INCIDENT_EMBEDDINGS = "incident-embeddings.db"  # apart: what runbooks no longer need is forgotten

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Engine:
    """A model, and an index that it made or will make."""

    embedder: Embedder
    index: Index


def open_model(settings: Settings, *, say: Say | None = None, niceness: int = 0) -> Embedder:
    """The model that the settings mean. `say` is told in a few words what takes long, with a `niceness` (1 to 19)
    embedding of many texts gives way to everything else. Raises `EmbedderUnavailable`."""
    return open_embedder(settings.embedding_model, settings.data_dir / MODELS, niceness=niceness, report=say)


def open_engine(
    settings: Settings,
    *,
    say: Say | None = None,
    niceness: int = 0,
    embedder: Embedder | None = None,
    embeddings: Path | None = None,
    is_fresh: bool = False,
) -> Engine:
    """Model and index, the index loaded as it was saved, or empty when it `is_fresh`. `embedder` is one that is open
    already, `embeddings` a cache to be used in place of the one in the data folder. Raises `EmbedderUnavailable`."""
    model = embedder or open_model(settings, say=say, niceness=niceness)
    cache = open_cache(embeddings or settings.data_dir / EMBEDDINGS)
    index = Index(settings.data_dir / INDEX, model, cache, warn=_warn)
    if not is_fresh:
        index.load()
    return Engine(model, index)


def open_cache(path: Path) -> EmbeddingCache:
    """A cache of embeddings; what is wrong with it is logged."""
    return EmbeddingCache(path, warn=_warn)


def _warn(sentence: str) -> None:
    log.warning("%s", sentence, extra={"event": "index_warning"})
