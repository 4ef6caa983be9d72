"""Run every benchmark that needs no running server, one after another: `python -m benchmarks BENCH_DIR [NAME ...]`.

BENCH_DIR holds `retrieval/` (`corpus/`, `queries.jsonl`, `qrels.tsv`) and `learner/` (incidents and their scorers).
"""

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def commands(bench: Path, data: str) -> dict[str, list[str]]:
    """Benchmark -> its arguments. All that search an index share one, which the first of them makes."""
    corpus = ["--corpus", str(bench / "retrieval" / "corpus")]
    queries = ["--queries", str(bench / "retrieval" / "queries.jsonl")]
    learner = bench / "learner"
    return {
        "retrieval": [str(bench / "retrieval"), "--data", data],
        "throughput": [*corpus, *queries, "--data", data],
        "faces": [*corpus, *queries, "--data", data],
        "indexing": corpus,
        "store": corpus,
        "growth": corpus,
        "loop": [str(learner / "A_2000.jsonl")],
        "learner": [str(learner / "A_2000.jsonl"), "--scorer", str(learner)],
        "learner_latency": [str(learner / "A_2000.jsonl")],
    }


def main() -> int:
    """The number of benchmarks that ended badly."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", type=Path)
    parser.add_argument("names", nargs="*", help="only these")
    parser.add_argument("--data", default="build/benchmarks", help="keeps the index between runs")
    args = parser.parse_args()
    known = commands(args.bench, args.data)
    unknown = [name for name in args.names if name not in known]
    if unknown or not args.bench.is_dir():
        what = f"no benchmark is called {', '.join(unknown)}" if unknown else f"{args.bench} is not a folder"
        parser.error(f"{what}; the benchmarks are {', '.join(known)}")
    failed = 0
    for name in args.names or known:
        print(f"\n== {name}", flush=True)
        failed += (
            subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *known[name]], cwd=HERE.parent).returncode != 0
        )
    return failed


if __name__ == "__main__":
    sys.exit(main())
