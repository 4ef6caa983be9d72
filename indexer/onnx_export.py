"""The exported form of a model: made once in a process of its own, kept under the data folder by everything that shapes
it, checked whenever it is opened and made again when it is missing or damaged."""

import hashlib
import importlib.metadata
import json
import logging
import multiprocessing
import os
import shutil
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from indexer.calibration import TEXTS as CALIBRATION
from indexer.embed import Embedder, Vectors
from indexer.errors import EmbedderUnavailable
from indexer.file_lock import locked
from indexer.model_files import DIMENSION, MAX_TOKENS, TOKENIZER, ModelFolder
from indexer.onnx_model import OnnxEmbedder, activation_peaks, fuse_graph, quantize_graph
from indexer.onnx_quantize import expose, matmul_inputs, smooth_graph, store_apart
from indexer.sealed_folder import TEMPORARY_PREFIX, SealBroken, check_sealed, publish, remove_leftovers, seal
from indexer.torch_model import reference_vectors, trace_to_onnx

GRAPH = "model.onnx"
# Least cosine on PROBES between an export and sentence-transformers. In full precision it is .9999998; eight bits reach
# .99 where the CPU multiplies them exactly. Some older ones do not (no VNNI): they are served in full precision.
MIN_COSINE = 0.9999
MIN_COSINE_INT8 = 0.99
_SAME = 0.9999  # least cosine between what this CPU makes of PROBES and what the exporting one made
_RECIPE = "torchscript-17-fused-smooth-int8-1"  # changes whenever the code that exports changes what it writes
_PROBE_VECTORS = "probes.npy"
_SELF_CHECKS = 3  # of PROBES, the short ones, embedded at every start: 5 ms
_SHAPED_BY = ("torch", "transformers", "sentence-transformers", "onnx", "onnxruntime")
_EXPORT_TIMEOUT_S = 600.0  # an export takes 12 s on a laptop core; a busy small machine needs longer
_KEEP = 2  # exports, so that going back to the last release costs nothing

# Short, long, empty, not English, code: what runbooks and queries look like.
PROBES = (
    "KubePodCrashLooping",
    "",
    "Pod is in CrashLoopBackOff for more than 15 minutes",
    "kubectl -n <namespace> logs -f deploy/api --previous | grep -i 'out of memory'",
    "Festplatte läuft voll: /var/lib/postgresql über 90 % — 日本語のアラート 🚨",
    "histogram_quantile(0.99, sum(rate(http_request_duration_seconds_bucket[5m])) by (le, service)) > 0.5",
    "Check the disk. " * 150,
)

Reporter = Callable[[str], None]  # told in a few words what takes long


def open_onnx(
    model: ModelFolder, models_dir: Path, *, threads: int = 0, niceness: int = 0, report: Reporter | None = None
) -> Embedder:
    """The model, ready to embed; exported first when `models_dir` has no sound export of it (about 15 s).

    Raises EmbedderUnavailable when the model's files are not the published ones, the export fails or differs from
    sentence-transformers, or `models_dir` cannot be written.
    """
    folder = models_dir / export_key(model)
    embedder = _open_sound(model, folder, threads, niceness)
    if embedder is None:
        _export_once(model, folder, report)
        embedder = _open_sound(model, folder, threads, niceness)
    if embedder is None:
        raise EmbedderUnavailable(
            model.name,
            f"its export in {folder} does not give the vectors it gave a moment ago",
            remedy="Is the disk or the memory of this machine sound? 'sre-kb doctor' tries again.",
        )
    return embedder


def export_key(model: ModelFolder) -> str:
    """The folder name of an export: readable, and a digest of weights, recipe and the versions that shape it."""
    shaped_by = {name: _version(name) for name in _SHAPED_BY}
    parts = json.dumps([model.weights_sha256, _RECIPE, shaped_by], sort_keys=True)
    return f"{model.name}-{hashlib.sha256(parts.encode()).hexdigest()[:16]}"


def _open(model: ModelFolder, graph: Path, precision: str, threads: int, niceness: int = 0) -> OnnxEmbedder:
    return OnnxEmbedder(
        graph,
        model.read(TOKENIZER),
        model_id=f"{model.name}@{model.weights_sha256[:16]}-{precision}",
        dimension=DIMENSION,
        max_tokens=MAX_TOKENS,
        threads=threads,
        niceness=niceness,
    )


def _open_sound(model: ModelFolder, folder: Path, threads: int, niceness: int = 0) -> OnnxEmbedder | None:
    """The embedder, when its files are whole and give the vectors here that they gave where they were exported."""
    try:
        precision = str(check_sealed(folder).facts["precision"])
    except SealBroken:
        return None
    embedder = _open(model, folder / GRAPH, precision, threads, niceness)
    expected = np.load(folder / _PROBE_VECTORS, allow_pickle=False)
    found = embedder.embed_passages(PROBES[:_SELF_CHECKS])
    return embedder if _worst(found, expected[:_SELF_CHECKS]) >= _SAME else None


def _export_once(model: ModelFolder, folder: Path, report: Reporter | None) -> None:
    """Export under a lock: of two processes that start at once, one works and the other finds the result."""
    models_dir = folder.parent
    try:
        with locked(models_dir / "export.lock", timeout_s=_EXPORT_TIMEOUT_S):
            if _open_sound(model, folder, 1) is not None:
                return
            if report is not None:
                report(f"Preparing the embedding model {model.name} (once, about 15 seconds)")
            remove_leftovers(models_dir)
            temporary = models_dir / f"{TEMPORARY_PREFIX}{os.getpid()}-{folder.name}"
            temporary.mkdir()
            _run_apart(model, temporary)
            publish(temporary, folder)
            _prune(models_dir, keep=folder)
    except OSError as exc:
        raise EmbedderUnavailable(
            model.name,
            f"its ONNX export cannot be written to {models_dir} ({exc.strerror})",
            remedy="Give this user write access to SRE_KB_DATA_DIR and about 400 MB of free space there.",
        ) from exc


def _run_apart(model: ModelFolder, temporary: Path) -> None:
    """Export in a child process, so that torch's 1.3 GB are gone when it is done."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_export_in_child, args=(model, temporary, sender), name="sre-kb export", daemon=True)
    child.start()
    sender.close()
    try:
        outcome = receiver.recv() if receiver.poll(_EXPORT_TIMEOUT_S) else "it took too long"
    except EOFError:
        outcome = "the exporting process died; is there 1.5 GB of free memory?"
    finally:
        receiver.close()
        child.join(5)
        if child.is_alive():
            child.kill()
            child.join()
    if outcome != "done":
        shutil.rmtree(temporary, ignore_errors=True)
        raise EmbedderUnavailable(
            model.name,
            f"exporting it to ONNX failed: {outcome}",
            remedy="Run 'sre-kb doctor'; it names what is missing. The versions in constraints.txt are known to work.",
        )


def _export_in_child(model: ModelFolder, temporary: Path, sender: Connection) -> None:
    outcome = "it ended early"
    logging.disable(logging.WARNING)  # onnxruntime's tools talk to the root logger
    try:
        export(model, temporary)
        outcome = "done"
    except EmbedderUnavailable as exc:
        outcome = exc.reason
    except (OSError, RuntimeError, ImportError, ValueError, TypeError, AttributeError) as exc:
        outcome = f"{type(exc).__name__}: {str(exc)[:500]}"
    finally:
        sender.send(outcome)
        sender.close()


def export(model: ModelFolder, folder: Path) -> None:
    """Write the graph into the empty `folder` and seal it. Uses torch. In eight bits when this CPU keeps close to
    sentence-transformers with them, in full precision otherwise."""
    model.check()
    work = folder / "work"
    work.mkdir()
    fused = work / "fused.onnx"
    trace_to_onnx(model.path, work / "traced.onnx")
    fuse_graph(work / "traced.onnx", fused)
    reference = reference_vectors(model.path, PROBES)
    worst = _worst(_vectors(model, fused), reference)
    if worst < MIN_COSINE:
        raise EmbedderUnavailable(
            model.name,
            f"the export differs from sentence-transformers (cosine {worst:.6f}, at least {MIN_COSINE} is needed)",
            remedy="Install the versions that constraints.txt names.",
        )
    precision, graph = "int8", _quantized(model, fused, work)
    worst_int8 = _worst(_vectors(model, graph), reference)
    if worst_int8 < MIN_COSINE_INT8:
        precision, graph = "fp32", fused
    store_apart(graph, folder / GRAPH)
    np.save(folder / _PROBE_VECTORS, _vectors(model, folder / GRAPH), allow_pickle=False)
    shutil.rmtree(work)
    for path in folder.iterdir():
        path.chmod(0o644)  # onnx writes 0600; an image built as root is served by another user
    facts = {"model": model.name, "precision": precision, "recipe": _RECIPE}
    seal(folder, {**facts, "worst_cosine": round(worst, 7), "worst_cosine_int8": round(worst_int8, 7)})


def _quantized(model: ModelFolder, fused: Path, work: Path) -> Path:
    names = matmul_inputs(fused)
    expose(fused, names, work / "exposed.onnx")
    peaks = activation_peaks(work / "exposed.onnx", names, model.read(TOKENIZER), MAX_TOKENS, CALIBRATION)
    smooth_graph(fused, peaks, work / "smooth.onnx")
    quantize_graph(work / "smooth.onnx", work / "int8.onnx")
    return work / "int8.onnx"


def _vectors(model: ModelFolder, graph: Path) -> Vectors:
    return _open(model, graph, "unsettled", 1).embed_passages(PROBES)


def _worst(ours: Vectors, reference: Vectors) -> float:
    """The least cosine between rows of the same number."""
    return float(np.min(np.sum(ours * reference, axis=1)))


def _prune(models_dir: Path, *, keep: Path) -> None:
    exports = sorted(
        (path for path in models_dir.iterdir() if path.is_dir() and path != keep),
        key=lambda path: path.stat().st_mtime,
        reverse=True,
    )
    for path in exports[_KEEP - 1 :]:
        shutil.rmtree(path, ignore_errors=True)


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""  # an export made elsewhere may be served without the package that made it
