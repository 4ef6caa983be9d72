"""Which embedder a setting means: the bundled model through onnxruntime, any other through sentence-transformers."""

from pathlib import Path

from indexer.embed import Embedder
from indexer.model_files import BUNDLED_NAME, bundled_model
from indexer.onnx_export import Reporter, open_onnx
from indexer.torch_model import SentenceTransformerEmbedder

_BUNDLED_NAMES = frozenset({"", BUNDLED_NAME, f"sentence-transformers/{BUNDLED_NAME}"})


def open_embedder(
    model: str, models_dir: Path, *, threads: int = 0, niceness: int = 0, report: Reporter | None = None
) -> Embedder:
    """The embedder for `model`: empty or all-MiniLM-L6-v2 is the bundled one, anything else a name or a path.

    `models_dir` keeps the bundled model's export. `threads` 0 means one for each CPU; a server passes a `niceness` (1
    to 19), so that indexing gives way to searches. Raises EmbedderUnavailable; it never falls back to another model,
    whose vectors would mean something else.
    """
    if model in _BUNDLED_NAMES:
        return open_onnx(bundled_model(), models_dir, threads=threads, niceness=niceness, report=report)
    return SentenceTransformerEmbedder(model)
