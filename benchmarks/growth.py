"""What happens as a knowledge base grows: search, refresh of one file, save, load and memory at several sizes.

    python benchmarks/growth.py --corpus DIR [--chunks 2000 20000 200000] [--plot docs/images/growth.svg] [--json]

Runbooks are written of the corpus's own words, as often as they occur there; beyond the first 2,500 they are copies
under other names. Vectors are random directions around a few hundred centres, so the time to embed a query or a changed
text is not in these figures: it does not depend on size. Search, refresh and build are CPU time on one core; save and
load are wall time.
"""

import argparse
import json
import multiprocessing
import re
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from numpy.typing import NDArray

from benchmarks.corpus import cpu_timed, memory_mb, timed
from indexer.cards import cards_of
from indexer.embed import HashingEmbedder, Vector
from indexer.features import Features, extract_features
from indexer.generation import Addition, Generation
from indexer.generation_files import read_generation, save_generation
from indexer.query import parse_query
from indexer.search import Searcher
from kb.markdown import parse_document
from kb.runbook import ReviewState
from kb.runbook_store import StoredDocument

DIMENSION = 384
DIFFERENT = 2_500  # runbooks written; more are copies
SEARCHES = 60
UPDATES = 5
BATCH = 2_000
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class SyntheticEmbedder(HashingEmbedder):
    """The direction of one of 300 centres with noise, chosen by the text."""

    def __init__(self) -> None:
        super().__init__(dimension=DIMENSION)
        self.model_id = "synthetic"
        self._centres = np.random.default_rng(0).standard_normal((300, DIMENSION)).astype(np.float32)

    def embed_query(self, text: str) -> Vector:
        return self.around(np.random.default_rng(abs(hash(text))), 1)[0]

    def around(self, chance: np.random.Generator, count: int) -> NDArray[np.float32]:
        """`count` unit vectors (count, dim)."""
        noise = chance.standard_normal((count, DIMENSION), dtype=np.float32)
        vectors = self._centres[chance.integers(0, 300, count)] + noise
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="a folder of Markdown files")
    parser.add_argument("--chunks", type=int, nargs="+", default=[2_000, 20_000, 200_000])
    parser.add_argument("--plot", type=Path, help="where to write a picture (.svg or .png)")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    found = []
    for count in args.chunks:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            found.append(pool.submit(measure, args.corpus, count).result())
    print(json.dumps(found, indent=1) if args.json else table(found))
    if args.plot:
        plot(found, args.plot)


def measure(corpus: Path, count: int) -> dict[str, Any]:
    """One size, in a process of its own."""
    embedder = SyntheticEmbedder()
    words = vocabulary(corpus)
    generation, build_s = cpu_timed(lambda: grown(words, count, embedder))
    resident_mb, _ = memory_mb()
    searcher = Searcher(embedder)
    queries = [" ".join(words.draw(np.random.default_rng(seed), 6)) for seed in range(SEARCHES)]
    for text in queries[:3]:
        searcher.search(parse_query(text), generation)
    searched = [
        cpu_timed(lambda text=text: searcher.search(parse_query(f"{text} now"), generation))[1] for text in queries
    ]
    changed = [
        timed(lambda number=number: generation.updated(added=[written(words, 10_000_000 + number, number, embedder)]))[
            1
        ]
        for number in range(UPDATES)
    ]
    with tempfile.TemporaryDirectory() as folder:
        saved, save_s = timed(lambda: save_generation(generation, Path(folder)))
        size_mb = sum(path.stat().st_size for path in saved.iterdir()) / 1e6
        loaded, load_s = timed(lambda: read_generation(saved))
    if loaded.id != generation.id:
        raise SystemExit("what was loaded is not what was saved")
    return {
        "chunks": len(generation.chunks),
        "runbooks": len(generation.cards),
        "search p50 ms": round(1e3 * statistics.median(searched), 1),
        "search p95 ms": round(1e3 * float(np.percentile(searched, 95)), 1),
        "one changed file ms": round(1e3 * statistics.median(changed)),
        "save s": round(save_s, 2),
        "load s": round(load_s, 2),
        "disk MB": round(size_mb),
        "memory MB": round(resident_mb),
        "build s": round(build_s, 1),
    }


class Vocabulary:
    """Words with how often they occur."""

    def __init__(self, counts: Counter[str]) -> None:
        self._words = np.array(list(counts), dtype=object)
        frequencies = np.array(list(counts.values()), dtype=np.float64)
        self._shares = np.cumsum(frequencies / frequencies.sum())

    def draw(self, chance: np.random.Generator, count: int) -> Sequence[str]:
        at = np.minimum(np.searchsorted(self._shares, chance.random(count)), len(self._words) - 1)
        return list(self._words[at])


def vocabulary(corpus: Path) -> Vocabulary:
    counts: Counter[str] = Counter()
    for path in sorted(corpus.rglob("*.md")):
        counts.update(re.findall(r"[\w.-]{2,40}", path.read_text(errors="replace")))
    return Vocabulary(counts)


def grown(words: Vocabulary, count: int, embedder: SyntheticEmbedder) -> Generation:
    """A generation of about `count` chunks."""
    generation = Generation.empty()
    batch: list[Addition] = []
    made = 0
    for addition in runbooks(words, embedder):
        batch.append(addition)
        made += sum(len(one.chunks) for one in addition.features)
        if len(batch) == BATCH or made >= count:
            generation = generation.updated(added=batch)
            batch = []
        if made >= count:
            break
    sizes = np.diff(generation.lexical.chunk_starts).tolist()
    chance = np.random.default_rng(1)
    vectors = {card.id: embedder.around(chance, size + 1) for card, size in zip(generation.cards, sizes, strict=True)}
    return generation.with_vectors(embedder.model_id, DIMENSION, vectors)


def runbooks(words: Vocabulary, embedder: SyntheticEmbedder) -> Iterator[Addition]:
    """Without end: first different runbooks, then copies of them under other ids."""
    originals: list[Addition] = []
    number = 0
    while True:
        if number < DIFFERENT:
            originals.append(written(words, number, number, embedder))
            yield originals[-1]
        else:
            yield copied(originals[number % DIFFERENT], f"runbook-{number}")
        number += 1


def written(words: Vocabulary, number: int, seed: int, embedder: SyntheticEmbedder) -> Addition:
    """A runbook of eight sections of about a hundred words."""
    chance = np.random.default_rng(seed)
    name = f"runbook-{number}"
    lines = [f"# {' '.join(words.draw(chance, 4))}", ""]
    for _ in range(8):
        lines += [f"## {' '.join(words.draw(chance, 3))}", "", " ".join(words.draw(chance, 100)), ""]
    document = parse_document("\n".join(lines).encode(), path=f"{name}.md")
    document = replace(document, id=name, runbooks=(replace(document.runbooks[0], id=name),))
    stored = StoredDocument(document, 1, ReviewState.PUBLISHED, "somebody", EPOCH)
    features = extract_features(document.runbooks[0])
    vectors = embedder.around(chance, len(features.chunks) + 1)
    return Addition(name, document.sha256, cards_of(stored), (features,), (vectors,))


def copied(original: Addition, name: str) -> Addition:
    def renamed(features: Features) -> Features:
        chunks = tuple(replace(chunk, runbook_id=name) for chunk in features.chunks)
        return replace(features, runbook_id=name, chunks=chunks)

    cards = tuple(replace(card, id=name, path=f"{name}.md") for card in original.cards)
    return replace(original, document_id=name, cards=cards, features=tuple(renamed(one) for one in original.features))


def table(found: Sequence[dict[str, Any]]) -> str:
    """Markdown, one column a size."""
    names = [name for name in found[0] if name != "chunks"]
    lines = ["| | " + " | ".join(f"{one['chunks']:,} chunks" for one in found) + " |"]
    lines.append("|---|" + "---:|" * len(found))
    lines += [f"| {name} | " + " | ".join(f"{one[name]:,}" for one in found) + " |" for name in names]
    return "\n".join(lines)


def plot(found: Sequence[dict[str, Any]], path: Path) -> None:
    """Search and refresh over size, both axes logarithmic."""
    import matplotlib

    matplotlib.use("svg" if path.suffix == ".svg" else "agg")
    from matplotlib import pyplot

    matplotlib.rcParams["svg.hashsalt"] = "growth"  # the same figures give the same file
    sizes = [one["chunks"] for one in found]
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for name, style in (("search p50 ms", "o-"), ("search p95 ms", "o--"), ("one changed file ms", "s-")):
        axes.plot(sizes, [one[name] for one in found], style, label=name.removesuffix(" ms"))
    axes.set(xscale="log", yscale="log", xlabel="chunks", ylabel="milliseconds", title="Search and refresh by size")
    axes.grid(True, which="both", alpha=0.3)
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None} if path.suffix == ".svg" else None)


if __name__ == "__main__":
    main()
