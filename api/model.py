"""Settings -> the embedding model, and nothing else, so that it can be opened before the rest is imported."""

from collections.abc import Callable
from pathlib import Path

from api.settings import Settings
from indexer.embed import Embedder
from indexer.embedders import open_embedder

MODELS = "models"  # below the data folder


def open_model(
    settings: Settings, *, say: Callable[[str], None] | None = None, models_dir: Path | None = None
) -> Embedder:
    """The model that the settings mean. `say` is told in a few words what takes long; `models_dir` keeps the bundled
    model's export, in place of the one in the data folder. Raises `EmbedderUnavailable`."""
    return open_embedder(settings.embedding_model, models_dir or settings.data_dir / MODELS, report=say)
