"""The exported form of a model: made once in a process of its own, kept under the data folder by everything that shapes
it, checked whenever it is opened and made again when it is missing or damaged."""

import hashlib
import importlib.metadata
import json
import multiprocessing
import os
import shutil
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from indexer.embed import Embedder
from indexer.errors import EmbedderUnavailable
from indexer.file_lock import locked
from indexer.model_files import DIMENSION, MAX_TOKENS, TOKENIZER, ModelFolder
from indexer.onnx_model import OnnxEmbedder, fuse_graph
from indexer.sealed_folder import TEMPORARY_PREFIX, SealBroken, check_sealed, publish, remove_leftovers, seal
from indexer.torch_model import reference_vectors, trace_to_onnx

GRAPH = "model.onnx"
PRECISION = "fp32"
MIN_COSINE = 0.9999  # between this export and sentence-transformers, on PROBES; what fp32 reaches is 0.999999
_RECIPE = "torchscript-17-fused-1"  # changes whenever the code that exports changes what it writes
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


def open_onnx(model: ModelFolder, models_dir: Path, *, threads: int = 0, report: Reporter | None = None) -> Embedder:
    """The model, ready to embed; exported first when `models_dir` has no sound export of it (about 12 s).

    Raises EmbedderUnavailable when the model's files are not the published ones, the export fails or differs from
    sentence-transformers, or `models_dir` cannot be written.
    """
    tokenizer_json = model.read(TOKENIZER)
    folder = models_dir / export_key(model)
    if not _is_sound(folder):
        _export_once(model, folder, report)
    return _open(model, folder, tokenizer_json, threads)


def export_key(model: ModelFolder) -> str:
    """The folder name of an export: readable, and a digest of weights, recipe and the versions that shape it."""
    shaped_by = {name: _version(name) for name in _SHAPED_BY}
    parts = json.dumps([model.weights_sha256, _RECIPE, PRECISION, shaped_by], sort_keys=True)
    return f"{model.name}-{PRECISION}-{hashlib.sha256(parts.encode()).hexdigest()[:16]}"


def _open(model: ModelFolder, folder: Path, tokenizer_json: bytes, threads: int) -> OnnxEmbedder:
    return OnnxEmbedder(
        folder / GRAPH,
        tokenizer_json,
        model_id=f"{model.name}@{model.weights_sha256[:16]}-{PRECISION}",
        dimension=DIMENSION,
        max_tokens=MAX_TOKENS,
        threads=threads,
    )


def _is_sound(folder: Path) -> bool:
    try:
        check_sealed(folder)
    except SealBroken:
        return False
    return True


def _export_once(model: ModelFolder, folder: Path, report: Reporter | None) -> None:
    """Export under a lock: of two processes that start at once, one works and the other finds the result."""
    models_dir = folder.parent
    try:
        with locked(models_dir / "export.lock", timeout_s=_EXPORT_TIMEOUT_S):
            if _is_sound(folder):
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
            remedy="Give this user write access to SRE_KB_DATA_DIR and about 200 MB of free space there.",
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
    """Write the fused graph into the empty `folder`, hold it against sentence-transformers, and seal it. Uses torch."""
    model.check()
    traced = folder / "traced.onnx"
    trace_to_onnx(model.path, traced)
    fuse_graph(traced, folder / GRAPH)
    traced.unlink()
    cosine = _worst_cosine(model, folder)
    if cosine < MIN_COSINE:
        raise EmbedderUnavailable(
            model.name,
            f"the export differs from sentence-transformers (cosine {cosine:.6f}, at least {MIN_COSINE} is needed)",
            remedy="Install the versions that constraints.txt names.",
        )
    for path in folder.iterdir():
        path.chmod(0o644)  # onnx writes 0600; an image built as root is served by another user
    seal(folder, {"model": model.name, "precision": PRECISION, "recipe": _RECIPE, "worst_cosine": round(cosine, 7)})


def _worst_cosine(model: ModelFolder, folder: Path) -> float:
    ours = _open(model, folder, model.read(TOKENIZER), 1).embed_passages(PROBES)
    return float(np.min(np.sum(ours * reference_vectors(model.path, PROBES), axis=1)))


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
