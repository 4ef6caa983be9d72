"""A generation on disk: a sealed folder `gen-<id>` of plain arrays and JSON, and a file CURRENT that names the one to
load. A reader sees the last complete generation or the one before, whatever happened to the process that saved."""

import hashlib
import io
import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from shutil import rmtree
from typing import cast

import numpy as np
from numpy.typing import NDArray

from indexer.cards import card_from_json, card_to_json
from indexer.chunk_table import ChunkTable
from indexer.errors import IndexCorrupt, IndexOutdated
from indexer.generation import RECIPE, UNKNOWN_REVISION, Generation, IndexedDocument, card_keys, chunk_keys
from indexer.lexical import LexicalIndex
from indexer.ngrams import NgramIndex
from indexer.sealed_folder import (
    TEMPORARY_PREFIX,
    SealBroken,
    Step,
    check_sealed,
    no_step,
    publish,
    read_sealed,
    remove_leftovers,
    replace_synced,
    seal,
)
from indexer.vectors import VectorIndex

CURRENT = "CURRENT"
PREFIX = "gen-"
KEEP = 2  # the one before stays for readers that have just read CURRENT, and for the day the new one is damaged
_CARDS = "cards.json"
_CHUNKS = "chunks.jsonb"
_FORMAT = 1

Arrays = dict[str, NDArray[np.generic]]


def save_generation(generation: Generation, folder: Path, *, step: Step = no_step) -> Path:
    """Save and name it in CURRENT; the caller holds the writer lock. `step` is told after each sub-step.

    Raises OSError when the disk refuses; then CURRENT still names what it named before.
    """
    folder.mkdir(parents=True, exist_ok=True)
    remove_leftovers(folder)
    final = folder / f"{PREFIX}{generation.id}"
    if not _is_sound(final):
        _write_folder(generation, folder / f"{TEMPORARY_PREFIX}{final.name}", final, step)
    replace_synced(folder / CURRENT, _pointer(final.name, generation.revision), step=step)
    _prune(folder, final)
    step("pruned")
    return final


def _write_folder(generation: Generation, temporary: Path, final: Path, step: Step) -> None:
    temporary.mkdir()
    step("folder made")
    try:
        _write_files(generation, temporary)
        step("files written")
        seal(temporary, facts_of(generation), step=step)
        publish(temporary, final, step=step)
    except OSError:
        rmtree(temporary, ignore_errors=True)
        raise


def load_generation(folder: Path, problems: list[IndexCorrupt | IndexOutdated]) -> Generation | None:
    """The newest generation under `folder` that is whole and of this release; None when there is none. What was passed
    over on the way is added to `problems`. Its revision is UNKNOWN_REVISION unless CURRENT vouches for it."""
    for candidate, revision in _candidates(folder, problems):
        try:
            return read_generation(candidate).at_revision(revision)
        except (IndexCorrupt, IndexOutdated) as exc:
            problems.append(exc)
    return None


def read_generation(folder: Path) -> Generation:
    """The generation in one folder, every byte checked before it is used. Raises IndexCorrupt or IndexOutdated."""
    try:
        manifest, files = read_sealed(folder)
    except SealBroken as exc:
        raise IndexCorrupt(exc.path, exc.reason) from exc
    facts = manifest.facts
    made_by = tuple(facts.get(name) for name in ("format", "recipe", "release"))
    if made_by != (_FORMAT, RECIPE, _release()):
        raise IndexOutdated(folder, f"release {made_by[2]} made it, format {made_by[0]}, recipe {made_by[1]}")
    try:
        generation = _assemble(facts, files)
    except (KeyError, ValueError, TypeError, IndexError) as exc:
        raise IndexCorrupt(folder, f"its parts do not fit together ({type(exc).__name__}: {exc})") from exc
    if generation.id != facts["id"]:
        raise IndexCorrupt(folder, f"it calls itself {facts['id']} and holds {generation.id}")
    return generation


def facts_of(generation: Generation) -> dict[str, object]:
    """What the manifest says of a generation, and what other tools may show; plain JSON values."""
    return {
        "format": _FORMAT,
        "recipe": RECIPE,
        "release": _release(),
        "id": generation.id,
        "model": generation.model_id,
        "dimension": generation.chunk_vectors.dimension if generation.chunk_vectors is not None else 0,
        "documents": len(generation.documents),
        "runbooks": len(generation.cards),
        "chunks": len(generation.chunks),
        "degraded": generation.degraded,
    }


def search_index_text(generation: Generation) -> str:
    """`search-index.json` for tools that look for it: the manifest's facts, and each runbook's id, title, path and
    number of chunks, in ASCII. sre-kb never reads it back."""
    counts = np.diff(generation.lexical.chunk_starts).tolist()
    rows = [
        {"id": card.id, "title": card.title, "path": card.path, "type": card.type.value, "chunks": count}
        for card, count in zip(generation.cards, counts, strict=True)
    ]
    body = {**facts_of(generation), "revision": generation.revision, "entries": rows}
    return json.dumps(body, indent=1, ensure_ascii=True) + "\n"


def _release() -> str:
    """The version of sre-kb: another may parse and cut the same files otherwise, so it reads no index but its own."""
    try:
        return version("sre-kb")
    except PackageNotFoundError:  # run from a source tree that nobody installed
        return "source"


def _write_files(generation: Generation, folder: Path) -> None:
    arrays: Arrays = {
        **generation.lexical.to_arrays(),
        **generation.ngrams.to_arrays(),
        "table.offsets": generation.chunks.offsets,
    }
    for name, index in (("chunk", generation.chunk_vectors), ("card", generation.card_vectors)):
        if index is not None:
            arrays[f"{name}_vectors"] = index.matrix
            arrays[f"{name}_keys"] = index.keys
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    (folder / _CHUNKS).write_bytes(generation.chunks.block)
    body = {
        "cards": [card_to_json(card) for card in generation.cards],
        "documents": {key: [found.fingerprint, found.runbook_ids] for key, found in generation.documents.items()},
    }
    (folder / _CARDS).write_text(json.dumps(body, ensure_ascii=True), encoding="ascii")


def _assemble(facts: Mapping[str, object], files: Mapping[str, bytes]) -> Generation:
    arrays = {name.removesuffix(".npy"): _array(content) for name, content in files.items() if name.endswith(".npy")}
    body = json.loads(files[_CARDS])
    lexical = LexicalIndex.from_arrays(arrays)
    ngrams = NgramIndex.from_arrays(arrays)
    offsets = cast("NDArray[np.int64]", arrays["table.offsets"])
    chunks = ChunkTable.of(lexical.ids, lexical.chunk_starts, offsets, files[_CHUNKS])
    cards = tuple(card_from_json(row) for row in body["cards"])
    documents = {key: IndexedDocument(mark, tuple(ids)) for key, (mark, ids) in body["documents"].items()}
    generation = Generation(
        id="",
        revision=UNKNOWN_REVISION,
        model_id=str(facts["model"]),
        degraded=str(facts["degraded"]),
        cards=cards,
        documents=documents,
        chunks=chunks,
        lexical=lexical,
        ngrams=ngrams,
        chunk_vectors=_vectors(arrays, "chunk"),
        card_vectors=_vectors(arrays, "card"),
    )
    _check_fit(generation, int(cast("int", facts["dimension"])))
    return generation.named()


def _check_fit(generation: Generation, dimension: int) -> None:
    lexical, runbooks, chunks = generation.lexical, len(generation.cards), len(generation.chunks)
    ids = tuple(card.id for card in generation.cards)
    listed = sorted(i for found in generation.documents.values() for i in found.runbook_ids)
    sizes: dict[str, tuple[int, ...]] = {
        "runbooks": (runbooks, lexical.fields.n_rows, lexical.names.n_rows, generation.ngrams.postings.n_rows),
        "chunks": (chunks, len(generation.chunks.offsets) - 1, lexical.chunks.n_rows),
    }
    for name, index, keys in (
        ("chunk vectors", generation.chunk_vectors, chunk_keys(lexical)),
        ("card vectors", generation.card_vectors, card_keys(lexical)),
    ):
        if index is not None:
            sizes[f"dimension of {name}"] = (index.dimension, dimension)
            if not np.array_equal(index.keys, keys):
                raise ValueError(f"the {name} are those of other runbooks")
    for name, counted in sizes.items():
        if len(set(counted)) != 1:
            raise ValueError(f"different counts of {name}: {counted}")
    if ids != lexical.ids or listed != list(ids):
        raise ValueError("cards, documents and lexical index name different runbooks")
    if int(generation.chunks.offsets[-1]) != len(generation.chunks.block):
        raise ValueError("the chunks' offsets do not cover their text")


def _vectors(arrays: Arrays, name: str) -> VectorIndex | None:
    if f"{name}_vectors" not in arrays:
        return None
    matrix = cast("NDArray[np.float32]", arrays[f"{name}_vectors"])
    keys = cast("NDArray[np.int64]", arrays[f"{name}_keys"])
    return VectorIndex.build(keys, matrix, half_above=0 if matrix.dtype == np.float16 else len(matrix))


def _array(content: bytes) -> NDArray[np.generic]:
    """The array of an .npy file as a read-only view of its bytes: no copy, and nothing that could run code."""
    stream = io.BytesIO(content)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("an array file of an unknown version")
    shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    if is_fortran or dtype.hasobject:
        raise ValueError("an array file of an unexpected layout")
    if 0 in shape:
        return np.empty(shape, dtype=dtype)
    return np.frombuffer(content, dtype=dtype, offset=stream.tell()).reshape(shape)


def _candidates(folder: Path, problems: list[IndexCorrupt | IndexOutdated]) -> list[tuple[Path, int]]:
    """Saved generations with their revisions: the one that CURRENT names first, then from new to old."""
    paths = sorted(folder.glob(f"{PREFIX}*"), key=_saved_at, reverse=True) if folder.is_dir() else []
    found = [(path, UNKNOWN_REVISION) for path in paths]
    pointer = folder / CURRENT
    try:
        content = pointer.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        if found:
            problems.append(IndexCorrupt(pointer, "it is missing"))
        return found
    except OSError as exc:
        problems.append(IndexCorrupt(pointer, f"it cannot be read ({exc.strerror})"))
        return found
    name, _, rest = content.decode("ascii", "replace").partition(" ")
    revision = rest.partition(" ")[0]
    if len(revision) > 20 or not revision.lstrip("-").isdecimal() or content != _pointer(name, int(revision)):
        problems.append(IndexCorrupt(pointer, "it is damaged"))
        return found
    if folder / name not in paths:
        problems.append(IndexCorrupt(pointer, "it names a generation that is not there"))
        return found
    return [(folder / name, int(revision)), *((path, mark) for path, mark in found if path.name != name)]


def _pointer(name: str, revision: int) -> bytes:
    """Content of CURRENT: folder, the store's revision, and a digest of both."""
    fact = f"{name} {revision}"
    return f"{fact} {hashlib.sha256(fact.encode()).hexdigest()[:16]}\n".encode("ascii", "replace")


def _is_sound(folder: Path) -> bool:
    try:
        check_sealed(folder)
    except SealBroken:
        return False
    return True


def _saved_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:  # pruned by another process since it was listed
        return 0


def _prune(folder: Path, current: Path) -> None:
    others = sorted((path for path in folder.glob(f"{PREFIX}*") if path != current), key=_saved_at, reverse=True)
    for path in others[KEEP - 1 :]:
        rmtree(path, ignore_errors=True)
