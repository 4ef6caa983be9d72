"""The only home of onnxruntime: serves an exported model without torch, and fuses a traced graph for the CPU."""

import os
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors
from tokenizers import Tokenizer

from indexer.embed import Progress, RecentQueries, Vector, Vectors, without_surrogates
from indexer.errors import EmbedderUnavailable

_HEADS = 12
_HIDDEN = 384
_FLOAT = 1  # onnx.TensorProto.FLOAT: what the fused operators give, which shape inference cannot tell
_RUNTIME_ERRORS = (  # they share no base class but Exception
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoSuchFile,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
    RuntimeError,
)


_FEW = 6  # texts that one thread embeds before a pool is up; a second core is better left to whoever searches meanwhile


class OnnxEmbedder:
    """One text a run, without padding, on `threads` threads that share one session.

    On the CPUs we measured this beats batches: the working set of one text stays in the cache and no time is spent on
    padding. It also makes a vector independent of what else is embedded, to the last bit. With a `niceness` of 1 to 19
    passages give way to what else wants the CPU, queries above all; a server indexes like that.
    """

    def __init__(
        self,
        graph: Path,
        tokenizer_json: bytes,
        *,
        model_id: str,
        dimension: int,
        max_tokens: int,
        threads: int = 0,
        niceness: int = 0,
    ) -> None:
        self.model_id = model_id
        self.dimension = dimension
        self._threads = threads or available_cpus()
        self._niceness = niceness
        self._tokenizer = _tokenizer(tokenizer_json, max_tokens)
        self._session = _session(graph, model_id)
        self._queries = RecentQueries(self._embed)

    def embed_passages(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        if len(texts) <= _FEW or (self._threads == 1 and not self._niceness):
            for row, text in enumerate(texts):
                vectors[row] = self._embed(text)
                _report(progress, row + 1, len(texts))
            return vectors
        pool = ThreadPoolExecutor(self._threads, thread_name_prefix="embed", initializer=self._give_way)
        try:
            for row, vector in enumerate(pool.map(self._embed, texts)):
                vectors[row] = vector
                _report(progress, row + 1, len(texts))
        finally:
            pool.shutdown(cancel_futures=True)  # on an error or Ctrl-C, do not work off the rest first
        return vectors

    def embed_query(self, text: str) -> Vector:
        return self._queries.get(text)

    def _give_way(self) -> None:
        if self._niceness and sys.platform == "linux":  # where a priority belongs to a thread
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), self._niceness)

    def _embed(self, text: str) -> Vector:
        # sentence-transformers strips too; the model's vectors should be the same through either.
        ids = np.array([self._tokenizer.encode(without_surrogates(text).strip()).ids], dtype=np.int64)
        try:
            [[vector]] = self._session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        except _RUNTIME_ERRORS as exc:
            raise EmbedderUnavailable(
                self.model_id, f"onnxruntime failed: {str(exc)[:300]}", remedy="Is there free memory? Restart sre-kb."
            ) from exc
        return np.asarray(vector, dtype=np.float32)


def fuse_graph(traced: Path, fused: Path) -> None:
    """Fuse attention, layer norms and GELU of a traced BERT. Its matrix products stay apart, to be quantized."""
    from onnxruntime.transformers import optimizer  # imports onnx and half of torch: only an export pays
    from onnxruntime.transformers.fusion_options import FusionOptions

    options = FusionOptions("bert")
    options.use_multi_head_attention = True
    model = optimizer.optimize_model(
        str(traced),
        model_type="bert",
        num_heads=_HEADS,
        hidden_size=_HIDDEN,
        opt_level=1,
        optimization_options=options,
    )
    found = model.get_fused_operator_statistics()
    if not found.get("MultiHeadAttention") or not found.get("SkipLayerNormalization"):
        raise EmbedderUnavailable(
            str(traced),
            f"onnxruntime's optimizer did not recognise the traced graph ({found})",
            remedy="Install the versions of torch, transformers and onnxruntime that constraints.txt names.",
        )
    model.save_model_to_file(str(fused))


def quantize_graph(smoothed: Path, target: Path) -> None:
    """Eight-bit weights, a scale for each column, and inputs rounded to eight bits as they come."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        smoothed,
        target,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        extra_options={"MatMulConstBOnly": True, "DefaultTensorType": _FLOAT},
    )


def activation_peaks(
    graph: Path, names: Sequence[str], tokenizer_json: bytes, max_tokens: int, texts: Sequence[str]
) -> dict[str, NDArray[np.float32]]:
    """For each tensor of `names`, which are outputs of `graph`, the largest absolute value of each channel."""
    tokenizer, session = _tokenizer(tokenizer_json, max_tokens), _session(graph, graph.name)
    peaks: dict[str, NDArray[np.float32]] = {}
    for text in texts:
        ids = np.array([tokenizer.encode(text).ids], dtype=np.int64)
        found = session.run(list(names), {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        for name, values in zip(names, found, strict=True):
            highest = np.abs(values).reshape(-1, values.shape[-1]).max(axis=0)
            peaks[name] = np.maximum(peaks.get(name, highest), highest)
    return peaks


def available_cpus() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _tokenizer(tokenizer_json: bytes, max_tokens: int) -> Tokenizer:
    tokenizer = Tokenizer.from_buffer(tokenizer_json)
    tokenizer.no_padding()  # the file asks for 128 tokens, always
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


def _session(graph: Path, model_id: str) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # texts run beside one another; within one text a second thread gave nothing
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except _RUNTIME_ERRORS as exc:
        raise EmbedderUnavailable(
            model_id,
            f"onnxruntime cannot open {graph}: {str(exc)[:300]}",
            remedy=f"Remove {graph.parent}; the model is exported again at the next start.",
        ) from exc


def _report(progress: Progress | None, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total)
