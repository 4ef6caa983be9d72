"""The only home of sentence-transformers and torch: any model by name or path, on the GPU where there is one, and the
tracing of a model into ONNX. Importing this file is cheap; what it needs is imported when a model is loaded."""

import hashlib
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexer.embed import Progress, RecentQueries, Vector, Vectors, without_surrogates
from indexer.errors import EmbedderUnavailable

_BATCH = 32  # sentence-transformers' own default; larger batches were no faster on CPU
_SLICE = 256  # texts between two reports of progress


class SentenceTransformerEmbedder:
    """Any sentence-transformers model, by name or by path, in this process.

    Its `model_id` holds a digest of the weights, so two revisions of one name never mix in a cache or an index.
    """

    def __init__(self, model: str, *, device: str | None = None) -> None:
        self._model = _load(model, device=device)
        self.model_id = f"{model}@{_weights_digest(self._model)}"
        self.dimension = _dimension(self._model, model)
        self._queries = RecentQueries(self._embed_query)

    def embed_passages(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for start in range(0, len(texts), _SLICE):
            batch = [without_surrogates(text) for text in texts[start : start + _SLICE]]
            vectors[start : start + len(batch)] = self._encode(self._model.encode_document, batch)
            if progress is not None:
                progress(start + len(batch), len(texts))
        return vectors

    def embed_query(self, text: str) -> Vector:
        return self._queries.get(text)

    def _embed_query(self, text: str) -> Vector:
        vector: Vector = self._encode(self._model.encode_query, [without_surrogates(text)])[0]
        return vector

    def _encode(self, encode: Callable[..., Any], texts: list[str]) -> Vectors:
        try:
            found = encode(
                texts, batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True
            )
        except RuntimeError as exc:  # torch's only kind: out of memory, a lost device
            raise EmbedderUnavailable(
                self.model_id, f"torch failed: {_first_line(exc)}", remedy="Is there free memory? Restart sre-kb."
            ) from exc
        return np.asarray(found, dtype=np.float32)


def trace_to_onnx(model_folder: Path, target: Path) -> None:
    """Write the model with pooling and normalisation as one graph: input_ids, attention_mask -> embedding (n, dim).

    The TorchScript exporter, because what it writes is the form that onnxruntime's optimizer fuses.
    """
    import torch  # 2 s and 400 MB: only an export pays for it

    model = _load(str(model_folder), device="cpu", model_kwargs={"attn_implementation": "eager"})

    class Pooled(torch.nn.Module):  # type: ignore[misc] # torch is imported late, so mypy sees Any
        def __init__(self) -> None:
            super().__init__()
            self.encoder = model[0].auto_model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
            mean = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
            return torch.nn.functional.normalize(mean, p=2, dim=1)

    input_ids = torch.arange(1000, 1032).reshape(2, 16)
    attention_mask = torch.ones_like(input_ids)
    attention_mask[1, 10:] = 0
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces the newer exporter and comments on the tracing
        torch.onnx.export(
            Pooled().eval(),
            (input_ids, attention_mask),
            str(target),
            input_names=["input_ids", "attention_mask"],
            output_names=["embedding"],
            dynamic_axes={
                "input_ids": {0: "texts", 1: "tokens"},
                "attention_mask": {0: "texts", 1: "tokens"},
                "embedding": {0: "texts"},
            },
            opset_version=17,
            dynamo=False,
        )


def reference_vectors(model_folder: Path, texts: Sequence[str]) -> Vectors:
    """What sentence-transformers itself makes of `texts`: the yardstick of every other way to run the model."""
    model = _load(str(model_folder), device="cpu")
    vectors = model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True)
    return np.asarray(vectors, dtype=np.float32)


def _load(model: str, *, device: str | None, model_kwargs: dict[str, object] | None = None) -> Any:
    try:
        from sentence_transformers import SentenceTransformer  # 4 s: only who needs torch pays
        from transformers.utils import logging as transformers_logging
    except ImportError as exc:
        raise EmbedderUnavailable(
            model, f"sentence-transformers cannot be imported ({exc})", remedy="Run: pip install sentence-transformers"
        ) from exc
    transformers_logging.disable_progress_bar()  # it would draw over the command line's own
    try:
        return SentenceTransformer(model, device=device, model_kwargs=model_kwargs)
    except (OSError, ValueError, RuntimeError, ImportError, KeyError, AttributeError) as exc:
        raise EmbedderUnavailable(
            model,
            f"{type(exc).__name__}: {_first_line(exc)}",
            remedy="Check SRE_KB_EMBEDDING_MODEL: it takes the name of a sentence-transformers model that this machine"
            " has or can download, or the path of a folder with one. Leave it unset for the model that comes along.",
        ) from exc


def _first_line(exc: BaseException) -> str:
    return str(exc).strip().partition("\n")[0][:300]


def _weights_digest(model: Any) -> str:
    """SHA-256 over names, shapes and bytes of all weights, shortened; independent of where they came from."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        digest.update(memoryview(tensor.detach().cpu().contiguous().flatten().view(_bytes_type()).numpy()))
    digest.update(str(model.max_seq_length).encode())
    return digest.hexdigest()[:16]


def _bytes_type() -> Any:
    import torch  # loaded already when a model is

    return torch.uint8


def _dimension(model: Any, name: str) -> int:
    dimension = model.get_embedding_dimension()
    if not dimension:
        raise EmbedderUnavailable(name, "it does not say how long its vectors are", remedy="Choose another model.")
    return int(dimension)
