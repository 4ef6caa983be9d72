"""What learning costs as incidents add up: `python -m benchmarks.learner_growth [--sizes 200 2000 20000 100000]
[--plot docs/images/learner-growth.svg] [--json]`.

Incidents are made: causes that recur by Zipf's law, more of them the more incidents there are, each worded by two
authors with words dropped, and one in eight that never comes again. Times are CPU seconds on one core besides
embedding, which takes the same for every incident and is stood in for by hashing. Each size is a process of its own.
"""

import argparse
import json
import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.corpus import memory_mb
from benchmarks.learner import TimedEmbed
from indexer.embed import HashingEmbedder
from indexer.neighbours import MovingVectors, nearest_rows
from learner.assign import Grouping
from learner.recluster import is_due, recluster
from learner.signature import sign

DIMENSION = 384
ONE_OFFS = 1 / 8
DROPPED = 0.12
CAUSES_PER_INCIDENT = 0.6  # exponent: 1,000 incidents have 63 causes, 100,000 have 1,000
LATEST = 500
_SYLLABLES = [a + b for a in "bcdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er", "il", "or", "us")]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[200, 2_000, 20_000, 100_000])
    parser.add_argument("--plot", type=Path, help="where to write a picture (.svg or .png)")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    found = []
    for size in args.sizes:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            found.append(pool.submit(measure, size).result())
    print(json.dumps(found, indent=1) if args.json else table(found))
    if args.plot:
        plot(found, args.plot)
    return 0


def measure(size: int) -> dict[str, Any]:
    """Learn so many incidents in order, re-clustering whenever it is due and once at the end."""
    embed = TimedEmbed(HashingEmbedder(dimension=DIMENSION).embed_passages)
    grouping = Grouping(embed, dimension=DIMENSION, neighbours=MovingVectors(DIMENSION))
    arrivals: list[float] = []
    clustering_s = 0.0
    told = list(made(size))
    started = time.process_time()
    for number, (title, description, alert) in enumerate(told):
        at, embedded = time.process_time(), embed.spent_s
        grouping.learn(f"i{number}", sign(title, description, alert=alert), principal="bench")
        arrivals.append(time.process_time() - at - (embed.spent_s - embedded))
        if is_due(grouping) or number == size - 1:
            at, embedded = time.process_time(), embed.spent_s
            recluster(grouping, neighbours=MovingVectors(DIMENSION), near=nearest_rows)
            clustering_s += time.process_time() - at - (embed.spent_s - embedded)
    total_s = time.process_time() - started - embed.spent_s
    return {
        "incidents": size,
        "CPU s": round(total_s, 1),
        "of it re-clustering s": round(clustering_s, 1),
        "ms an incident": round(1e3 * total_s / size, 2),
        "latest arrivals p50 ms": round(1e3 * float(np.median(arrivals[-LATEST:])), 2),
        "latest arrivals p95 ms": round(1e3 * float(np.percentile(arrivals[-LATEST:], 95)), 2),
        "near repetitions": len(grouping.micros),
        "patterns": len(grouping.pattern_ids()),
        "memory MB": round(memory_mb()[0]),
    }


def made(size: int) -> Iterator[tuple[str, str, str]]:
    """Title, description and alert of made incidents in the order of time; other sizes give other incidents."""
    chance = np.random.default_rng(size)
    words = ["".join(chance.choice(_SYLLABLES, size=chance.integers(2, 4))) for _ in range(4_000)]
    causes = [_cause(words, chance) for _ in range(max(5, round(size**CAUSES_PER_INCIDENT)))]
    shares = 1 / np.arange(1, len(causes) + 1)
    shares /= shares.sum()
    for _ in range(size):
        cause = _cause(words, chance) if chance.random() < ONE_OFFS else causes[chance.choice(len(causes), p=shares)]
        alert, titles, texts = cause
        author = int(chance.integers(2))
        said = " ".join(word for word in titles[author] if chance.random() > DROPPED) or alert
        told = ". ".join(" ".join(word for word in text if chance.random() > DROPPED) for text in texts)
        yield said, told, alert if chance.random() < 0.5 else ""


def _cause(words: Sequence[str], chance: np.random.Generator) -> tuple[str, list[list[str]], list[list[str]]]:
    """An alert's name, two titles that share half of their words, and two sentences."""
    naming = list(chance.choice(words, size=3))
    shared = [*naming, *chance.choice(words, size=1)]
    titles = [[*shared, *chance.choice(words, size=3)] for _ in range(2)]
    texts = [list(chance.choice(words, size=9)) for _ in range(2)]
    return "".join(word.capitalize() for word in naming), titles, texts


def table(found: Sequence[dict[str, Any]]) -> str:
    """Markdown, one column a size."""
    lines = ["| | " + " | ".join(f"{one['incidents']:,} incidents" for one in found) + " |"]
    lines.append("|---|" + "---:|" * len(found))
    names = [name for name in found[0] if name != "incidents"]
    lines += [f"| {name} | " + " | ".join(f"{one[name]:,}" for one in found) + " |" for name in names]
    return "\n".join(lines)


def plot(found: Sequence[dict[str, Any]], path: Path) -> None:
    """CPU seconds over incidents, both axes logarithmic, beside what a straight line would take."""
    import matplotlib

    matplotlib.use("svg" if path.suffix == ".svg" else "agg")
    from matplotlib import pyplot

    matplotlib.rcParams["svg.hashsalt"] = "learner-growth"  # the same figures give the same file
    sizes = np.array([one["incidents"] for one in found])
    total = np.array([one["CPU s"] for one in found])
    figure, axes = pyplot.subplots(figsize=(7, 4))
    axes.plot(sizes, total, "o-", label="learning them all")
    axes.plot(sizes, [one["of it re-clustering s"] for one in found], "s--", label="of it re-clustering")
    axes.plot(sizes, total[0] * sizes / sizes[0], ":", color="grey", label="proportional to their number")
    axes.set(xscale="log", yscale="log", xlabel="incidents", ylabel="CPU seconds", title="Learning by size")
    axes.grid(True, which="both", alpha=0.3)
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None} if path.suffix == ".svg" else None)


if __name__ == "__main__":
    sys.exit(main())
