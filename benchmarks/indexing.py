"""How fast an index comes about and follows: chunks per second beside plain sentence-transformers, the first index of a
folder, one changed file, nothing changed, and the memory of it all.

    python benchmarks/indexing.py --corpus DIR [--rounds 3] [--texts 256] [--json]
"""

import argparse
import json
import multiprocessing
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.corpus import memory_mb, opened, timed
from indexer.embedders import open_embedder
from indexer.features import extract_features
from kb.markdown import parse_document
from kb.principal import DISK

ANIMALS = ("zebra", "penguin", "giraffe", "octopus", "hedgehog", "camel", "parrot", "lobster", "badger", "flamingo")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="a folder of Markdown files")
    parser.add_argument("--rounds", type=int, default=3, help="alternations of the comparison")
    parser.add_argument("--texts", type=int, default=256, help="chunks that each side embeds in one round")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        shutil.copytree(args.corpus, work / "runbooks")
        found: dict[str, Any] = {"embedding": in_child(compare_embedding, work, args.rounds, args.texts)}
        for name, phase in (("first index", first_index), ("nothing changed", nothing_changed),
                            ("one changed file", one_changed_file)):  # fmt: skip
            found[name] = in_child(phase, work)
    print(json.dumps(found, indent=1) if args.json else report(found))


def in_child(act: Callable[..., dict[str, Any]], *args: object) -> dict[str, Any]:
    """Run `act` in a process of its own, as its memory is part of the answer."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(act, *args).result()


def compare_embedding(work: Path, rounds: int, count: int) -> dict[str, Any]:
    """Chunks per second of the product's embedder and of plain sentence-transformers, round by round in turns.

    Both get the same raw chunks; sentence-transformers runs as its users run it: default batch of 32, sorted by length,
    all threads.
    """
    from sentence_transformers import SentenceTransformer

    from indexer.model_files import bundled_model

    texts = chunk_texts(work / "runbooks")
    ours = open_embedder("", work / "models")
    theirs = SentenceTransformer(str(bundled_model().path))
    chance = random.Random(1)
    warm_up = texts[:8]
    ours.embed_passages(warm_up)
    theirs.encode(warm_up, show_progress_bar=False)
    rates: dict[str, list[float]] = {"ours": [], "theirs": []}
    for number in range(rounds):
        sample = chance.sample(texts, min(count, len(texts)))
        sides: list[tuple[str, Callable[[], object]]] = [
            ("ours", lambda sample=sample: ours.embed_passages(sample)),
            ("theirs", lambda sample=sample: theirs.encode(sample, show_progress_bar=False)),
        ]
        for name, act in sides if number % 2 == 0 else reversed(sides):
            rates[name].append(round(len(sample) / timed(act)[1], 1))
    ratios = [a / b for a, b in zip(rates["ours"], rates["theirs"], strict=True)]
    return {
        "model": ours.model_id,
        "chunks": len(texts),
        "ours chunks/s": rates["ours"],
        "sentence-transformers chunks/s": rates["theirs"],
        "ratios": [round(ratio, 2) for ratio in ratios],
        "ratio": round(statistics.median(ratios), 2),
    }


def chunk_texts(runbooks: Path) -> list[str]:
    """Every text that an index of the folder embeds."""
    texts: list[str] = []
    for path in sorted(runbooks.rglob("*.md")):
        document = parse_document(path.read_bytes(), path=path.relative_to(runbooks).as_posix())
        for runbook in document.runbooks:
            texts.extend(extract_features(runbook).embed_texts)
    return texts


def first_index(work: Path) -> dict[str, Any]:
    """From an empty data folder (the model is exported) to a saved index."""
    embedder = open_embedder("", work / "models")
    with opened(work / "runbooks", work / "data", embedder) as kb:
        report, sync_s = timed(lambda: kb.store.sync(DISK))
        documents, parse_s = timed(kb.store.documents)
        first_answer: list[float] = []
        started = time.perf_counter()
        refreshed, refresh_s = timed(
            lambda: kb.index.refresh(
                kb.store,
                progress=lambda _done, _total: first_answer or first_answer.append(time.perf_counter() - started),
            )
        )
        _, save_s = timed(kb.index.save)
        now_mb, peak_mb = memory_mb()
        return {
            "files": len(documents),
            "problems": len(report.problems),
            "texts": refreshed.texts,
            "sync_s": round(sync_s, 2),
            "parse_s": round(parse_s, 2),
            "until lexical answers_s": round(sync_s + parse_s + first_answer[0], 2),
            "refresh_s": round(refresh_s, 1),
            "texts/s": round(refreshed.texts / refresh_s, 1),
            "save_s": round(save_s, 2),
            "memory_mb": now_mb,
            "peak_mb": peak_mb,
        }


def nothing_changed(work: Path) -> dict[str, Any]:
    """A new process over an index that is up to date: everything from opening to done."""
    started = time.perf_counter()
    embedder, embedder_s = timed(lambda: open_embedder("", work / "models"))
    with opened(work / "runbooks", work / "data", embedder) as kb:
        _, load_s = timed(kb.index.load)
        _, sync_s = timed(lambda: kb.store.sync(DISK))
        report, refresh_s = timed(lambda: kb.index.refresh(kb.store))
    return {
        "all_s": round(time.perf_counter() - started, 3),
        "embedder_s": round(embedder_s, 3),
        "load_s": round(load_s, 3),
        "sync_s": round(sync_s, 3),
        "refresh_s": round(refresh_s, 4),
        "changed": report.added + report.changed + report.removed,
        "memory_mb": memory_mb()[0],
    }


def one_changed_file(work: Path) -> dict[str, Any]:
    """In a running process: from the save of a file until its new text is what a search finds, ten times."""
    embedder = open_embedder("", work / "models")
    runbooks = work / "runbooks"
    paths = sorted(runbooks.rglob("*.md"))
    chance = random.Random(3)
    took: list[float] = []
    with opened(runbooks, work / "data", embedder) as kb:
        kb.index.load()
        kb.store.documents()
        for number, animal in enumerate(ANIMALS):
            path = chance.choice(paths)
            mark = f"A {animal} was seen in the server room and sat on the keyboard of the {animal} keeper."
            path.write_text(f"{path.read_text(errors='replace')}\n\n## Note {number}\n\n{mark}\n")
            started = time.perf_counter()
            kb.store.refresh_paths([path.relative_to(runbooks).as_posix()], DISK)
            kb.index.refresh(kb.store)
            generation = kb.index.current
            vectors = generation.chunk_vectors
            if vectors is None:
                raise SystemExit("the index has no vectors")
            rows, _ = vectors.search(embedder.embed_query(mark), 5)
            took.append(time.perf_counter() - started)
            if not any(mark in generation.chunks[row].text for row in rows.tolist()):
                raise SystemExit(f"{path} was changed and is not found")
        now_mb, peak_mb = memory_mb()
    return {
        "median_s": round(statistics.median(took), 3),
        "worst_s": round(max(took), 3),
        "memory_mb": now_mb,
        "peak_mb": peak_mb,
    }


def report(found: dict[str, Any]) -> str:
    lines = []
    for name, figures in found.items():
        lines.append(name)
        lines.extend(f"  {key:32} {value}" for key, value in figures.items())
    return "\n".join(lines)


if __name__ == "__main__":
    main()
