"""Search in process beside the script that one would write with sentence-transformers and faiss: the same model, the
same chunks, the same raw texts in blocks by turns, the embedding of the query included.

    python benchmarks/throughput.py --corpus DIR [--queries queries.jsonl] [--data DIR] [--count 400] [--json]

`--data` keeps the index between runs. Without `--queries` the corpus's own headings are asked. A line of queries.jsonl
has a "text".
"""

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import faiss
import numpy as np

from benchmarks.corpus import memory_mb, opened
from indexer.embedders import open_embedder
from indexer.generation import Generation
from indexer.model_files import bundled_model
from indexer.query import parse_query
from indexer.search import Searcher
from kb.principal import DISK

BLOCK = 20
REST_S = 0.2  # torch's threads spin on for a while after each of its answers, at the cost of whoever comes next
CLIENTS = 4
Search = Callable[[str], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="a folder of Markdown files")
    parser.add_argument("--queries", type=Path, help="JSON lines with a text each")
    parser.add_argument("--data", type=Path, help="where the index is kept; a temporary folder without it")
    parser.add_argument("--count", type=int, default=400, help="queries, each asked once of both sides")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = args.data or Path(folder)
        embedder = open_embedder("", data / "models")
        with opened(args.corpus, data, embedder) as kb:
            kb.index.load()
            kb.store.sync(DISK)
            kb.index.refresh(kb.store)
            generation = kb.index.current
        texts = queries(generation, args.queries, args.count)
        searcher = Searcher(embedder)
        ours: Search = lambda text: searcher.search(parse_query(text), generation, limit=10)  # noqa: E731
        for text in texts[:5]:
            ours(f"warm up {text}")
        before_mb = memory_mb()[0]
        plain = plain_script(generation)
        found: dict[str, Any] = {
            "queries": len(texts),
            "chunks": len(generation.chunks),
            "memory before torch is imported, MB": before_mb,
        }
        # Words, because numbers are cut out of a query: it would find its vector in the cache of the run before.
        for threads, word in dict.fromkeys(((os.cpu_count() or 1, "once"), (1, "again"))):
            found[f"one client, torch on {threads} threads"] = in_turns(ours, plain(threads), texts, word)
        found[f"{CLIENTS} clients, torch on 1 thread"] = clients(ours, plain(1), texts)
    print(json.dumps(found, indent=1) if args.json else report(found))


def queries(generation: Generation, path: Path | None, count: int) -> list[str]:
    """Different texts, in an order of chance that is always the same."""
    if path is not None:
        texts = [json.loads(line)["text"] for line in path.read_text().splitlines() if line.strip()]
    else:
        texts = [" ".join(generation.chunks[row].section_path) for row in range(len(generation.chunks))]
    unique = [text for text in dict.fromkeys(texts) if text.strip()]
    random.Random(1).shuffle(unique)
    return unique[:count]


def plain_script(generation: Generation) -> Callable[[int], Search]:
    """The search of a script of a few lines: embed the text, search the chunks, the first ten files. It gets the
    product's own vectors, which are those of the same model."""
    import torch
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(bundled_model().path), device="cpu")
    if generation.chunk_vectors is None:
        raise SystemExit("the index has no vectors")
    index = faiss.IndexFlatIP(generation.chunk_vectors.dimension)
    index.add(np.ascontiguousarray(generation.chunk_vectors.matrix, dtype=np.float32))
    files = [generation.cards[int(row)].path for row in generation.chunks.runbook_rows]

    def with_threads(threads: int) -> Search:
        torch.set_num_threads(threads)

        def search(text: str) -> object:
            vector = model.encode([text], normalize_embeddings=True, show_progress_bar=False)
            scores, rows = index.search(vector, 50)
            best: dict[str, float] = {}
            for score, row in zip(scores[0].tolist(), rows[0].tolist(), strict=True):
                best.setdefault(files[row], score)
            return list(best.items())[:10]

        search("warm up")
        return search

    return with_threads


def in_turns(ours: Search, theirs: Search, texts: Sequence[str], word: str) -> dict[str, Any]:
    """Each text once to both; blocks of texts in turns, so that a busy moment meets both."""
    took: dict[str, list[float]] = {"ours": [], "theirs": []}
    for number, start in enumerate(range(0, len(texts), BLOCK)):
        pair = [("ours", ours), ("theirs", theirs)]
        for name, search in pair if number % 2 == 0 else reversed(pair):
            time.sleep(REST_S)
            for place, text in enumerate(texts[start : start + BLOCK], start=start):
                # A text that nobody asked before, though its words are the same: no cache of answers or vectors helps.
                asked = f"{text} {word} {place}"
                started = time.perf_counter()
                search(asked)
                took[name].append(time.perf_counter() - started)
    return compared(took["ours"], took["theirs"], sum(took["ours"]), sum(took["theirs"]))


def clients(ours: Search, theirs: Search, texts: Sequence[str]) -> dict[str, Any]:
    """The same from several threads at once; blocks of texts in turns."""
    took: dict[str, list[float]] = {"ours": [], "theirs": []}
    wall: dict[str, float] = {"ours": 0.0, "theirs": 0.0}
    blocks = [texts[start : start + 80] for start in range(0, len(texts), 80)]
    for number, block in enumerate(blocks):
        pair = [("ours", ours), ("theirs", theirs)]
        for name, search in pair if number % 2 == 0 else reversed(pair):
            started = time.perf_counter()
            took[name].extend(at_once(search, [f"{text} client {number}" for text in block]))
            wall[name] += time.perf_counter() - started
    return compared(took["ours"], took["theirs"], wall["ours"], wall["theirs"])


def at_once(search: Search, texts: Sequence[str]) -> list[float]:
    took: list[float] = []
    waiting = list(texts)

    def ask() -> None:
        while True:
            try:
                text = waiting.pop()
            except IndexError:
                return
            started = time.perf_counter()
            search(text)
            took.append(time.perf_counter() - started)

    threads = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


def compared(ours: Sequence[float], theirs: Sequence[float], ours_s: float, theirs_s: float) -> dict[str, Any]:
    return {
        "ours": timings(ours, ours_s),
        "sentence-transformers + faiss": timings(theirs, theirs_s),
        "throughput ratio": round((len(ours) / ours_s) / (len(theirs) / theirs_s), 2),
        "p95 ratio": round(percentile(ours, 95) / percentile(theirs, 95), 2),
    }


def timings(took: Sequence[float], wall_s: float) -> dict[str, float]:
    return {
        "per_s": round(len(took) / wall_s, 1),
        "p50_ms": round(1e3 * statistics.median(took), 2),
        "p95_ms": round(1e3 * percentile(took, 95), 2),
    }


def percentile(values: Sequence[float], percent: float) -> float:
    return float(np.percentile(np.array(values), percent))


def report(found: dict[str, Any]) -> str:
    lines = []
    for name, figures in found.items():
        if isinstance(figures, dict):
            lines.append(name)
            lines.extend(f"  {key:32} {value}" for key, value in figures.items())
        else:
            lines.append(f"{name:34} {figures}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
