"""How well search finds the right file, beside the best published recipe; how sure it may be; how little hangs on
constants.

    python benchmarks/retrieval.py BENCH_DIR [--data DIR] [--run-out RUN.jsonl] [--json]

BENCH_DIR holds `corpus/`, `queries.jsonl` and `qrels.tsv`. The whole corpus is searched, with a query's text alone.
`--data` keeps the index between runs; the first one embeds the corpus, which takes minutes. `--run-out` writes lines
for BENCH_DIR's score.py. Prints: both systems by form with paired bootstrap intervals; the weights tuned with each
source of queries left out in turn; what moving one weight changes; confidence, the same with right files hidden, and
queries off every topic.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

import indexer.search as search_module
from benchmarks.corpus import opened
from benchmarks.recipe import Corpus, heading_text, recipe_scores
from indexer.chunk import chunk_runbook, embed_text
from indexer.confidence import THRESHOLD, Evidence
from indexer.embed import Embedder
from indexer.embedders import open_embedder
from indexer.embedding_cache import EmbeddingCache
from indexer.evaluate import Judged, Run, measure, parse_qrels, parse_queries, run_queries
from indexer.fuse import scaled
from indexer.generation import Generation
from indexer.query import parse_query
from indexer.query_terms import Synonyms, corrected, weigh_terms
from indexer.search import SCALED, WEIGHTS, Searcher
from indexer.search_view import Filters
from indexer.signals import collect
from kb.hits import Answer
from kb.principal import DISK
from kb.runbook import Runbook

Scores = NDArray[np.float32]
DEPTH = 10
RESAMPLES = 10_000
STEPS = (0.5, 1.0, 1.5)  # what tuning may multiply a weight by
MIN_STEP_GAIN = 0.001  # of nDCG@10; less is chance
HIDDEN_WEIGHT, OFF_TOPIC_WEIGHT = 0.5, 2.0
OFF_TOPIC = Path(__file__).parent / "data" / "off_topic.txt"
COMPANIES = {"gitlab-runbooks": "gitlab-rules"}  # two sources of one author are left out together
Report = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bench:
    """The benchmark, indexed. `files` are paths; `right` is (n_queries, n_files)."""

    queries: tuple[Judged, ...]
    files: tuple[str, ...]
    right: NDArray[np.bool_]
    generation: Generation
    runbooks: Mapping[str, Runbook]
    embedder: Embedder

    def rows(self, form: str) -> NDArray[np.bool_]:
        return np.array([query.form == form for query in self.queries])

    @property
    def forms(self) -> tuple[str, ...]:
        return tuple(
            sorted({query.form for query in self.queries}, key=lambda form: ("full", "desc", "symptom").index(form))
        )

    @property
    def authors(self) -> NDArray[np.str_]:
        return np.array([COMPANIES.get(query.source, query.source) for query in self.queries])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", type=Path)
    parser.add_argument("--data", type=Path, help="where the index is kept; a temporary folder without it")
    parser.add_argument("--run-out", type=Path, help="write lines for score.py")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = run(args.bench, args.data or Path(folder), args.run_out)
    print(json.dumps(report, indent=1) if args.json else as_text(report))


def run(folder: Path, data: Path, run_out: Path | None) -> Report:
    bench = load(folder, data)
    ours = runs_of(bench, Searcher(bench.embedder))
    if run_out is not None:
        run_out.write_text("".join(f"{one.to_json()}\n" for one in ours))
    recipe = recipe_of(bench, EmbeddingCache(data / "embeddings.db", warn=print))
    parts = signal_scores(bench)
    found = gains(bench, [one.docs for one in ours])
    base = gains(bench, ranked(recipe, bench.files))
    return {
        "recipe": by_form(bench, base),
        "sre-kb": by_form(bench, found),
        "gain": intervals(bench, found, base),
        "tuned without the source": left_out(bench, parts, base),
        "one weight moved": sensitivity(bench, parts),
        "without vectors": {
            form: asdict(row) for form, row in measure(bench.queries, runs_of(bench, Searcher(None))).items()
        },
        "measures": {form: asdict(row) for form, row in measure(bench.queries, ours).items()},
        "confidence": confidence(bench, bench.embedder),
        "confidence without vectors": confidence(bench, None),
    }


def load(folder: Path, data: Path) -> Bench:
    right = parse_qrels((folder / "qrels.tsv").read_text().splitlines())
    queries = parse_queries((folder / "queries.jsonl").read_text().splitlines(), right)
    embedder = open_embedder("", data / "models")
    with opened(folder / "corpus", data, embedder) as kb:
        kb.index.load()
        kb.store.sync(DISK)
        kb.index.refresh(kb.store)
        generation = kb.index.current
        runbooks = {one.document.path: one.document.runbooks[0] for one in kb.store.documents()}
    files = tuple(sorted(runbooks))
    table = np.array([[path in query.right for path in files] for query in queries])
    return Bench(queries, files, table, generation, runbooks, embedder)


def runs_of(bench: Bench, searcher: Searcher, *, hide_right: bool = False) -> list[Run]:
    def ask(text: str, hidden: frozenset[str]) -> Answer:
        return searcher.search(parse_query(text), bench.generation, filters=Filters(hidden_ids=hidden))

    def ids_of(paths: Any) -> frozenset[str]:
        return frozenset(card.id for card in bench.generation.cards if card.path in paths)

    return list(run_queries(bench.queries, ask, hide_right=hide_right, ids_of=ids_of))


# What the two systems score


def recipe_of(bench: Bench, cache: EmbeddingCache) -> Scores:
    runbooks = [bench.runbooks[path] for path in bench.files]
    chunks = [(row, embed_text(one, chunk)) for row, one in enumerate(runbooks) for chunk in chunk_runbook(one)]
    queries = [parse_query(query.text) for query in bench.queries]
    corpus = Corpus(
        runbooks,
        np.array([row for row, _ in chunks]),
        [text for _, text in chunks],
        cache.embed(bench.embedder, [text for _, text in chunks]),
        cache.embed(bench.embedder, [heading_text(one) for one in runbooks]),
    )
    return recipe_scores(corpus, queries, np.stack([bench.embedder.embed_query(query.text) for query in queries]))


def signal_scores(bench: Bench) -> dict[str, Scores]:
    """Signal -> (n_queries, n_files), scaled as search scales it; a file has the best of its runbooks."""
    generation = bench.generation
    place = {path: column for column, path in enumerate(bench.files)}
    columns = np.array([place[card.path] for card in generation.cards])
    parts = {name: np.full(bench.right.shape, -np.inf, dtype=np.float32) for name in WEIGHTS}
    for row, judged in enumerate(bench.queries):
        query = corrected(parse_query(judged.text), generation.lexical)
        found = collect(
            query,
            weigh_terms(query, Synonyms()),
            bench.embedder.embed_query(query.text),
            lexical=generation.lexical,
            ngrams=generation.ngrams,
            chunk_vectors=generation.chunk_vectors,
            card_vectors=generation.card_vectors,
        )
        for name, values in found.runbooks.items():
            own = scaled(values, full=SCALED[name]) if name in SCALED else values
            np.maximum.at(parts[name][row], columns, own)
    return parts


def fused(parts: Mapping[str, Scores], weights: Mapping[str, float]) -> Scores:
    total = np.zeros_like(next(iter(parts.values())))
    for name, weight in weights.items():
        total += np.float32(weight) * parts[name]
    return total


def ranked(scores: Scores, files: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(files[i] for i in row) for row in np.argsort(-scores, axis=1, kind="stable")[:, :DEPTH]]


# What that is worth


@dataclass(frozen=True, slots=True)
class Gains:
    """Of each query, (n_queries,)."""

    ndcg: NDArray[np.float64]
    first: NDArray[np.float64]


def gains(bench: Bench, docs: Sequence[Sequence[str]]) -> Gains:
    discount = 1 / np.log2(np.arange(DEPTH) + 2)
    ideal = np.cumsum(discount)
    ndcg, first = np.zeros(len(docs)), np.zeros(len(docs))
    for row, (query, found) in enumerate(zip(bench.queries, docs, strict=True)):
        hits = np.array([doc in query.right for doc in found[:DEPTH]], dtype=float)
        ndcg[row] = (hits * discount[: len(hits)]).sum() / ideal[min(DEPTH, len(query.right)) - 1]
        first[row] = hits[0] if len(hits) else 0.0
    return Gains(ndcg, first)


def by_form(bench: Bench, found: Gains) -> Report:
    return {
        form: {"ndcg10": mean(found.ndcg[rows]), "r1": mean(found.first[rows])}
        for form in bench.forms
        if (rows := bench.rows(form)).any()
    }


def intervals(bench: Bench, found: Gains, base: Gains) -> Report:
    """Mean difference of nDCG@10 and its 95 % interval: queries drawn again, both systems on the same draw."""
    chance = np.random.default_rng(0)
    out = {}
    for form in bench.forms:
        difference = (found.ndcg - base.ndcg)[bench.rows(form)]
        means = difference[chance.integers(0, len(difference), (RESAMPLES, len(difference)))].mean(axis=1)
        low, high = np.quantile(means, (0.025, 0.975))
        out[form] = {"mean": mean(difference), "low": round(float(low), 4), "high": round(float(high), 4)}
    return out


def score_of(bench: Bench, scores: Scores, rows: NDArray[np.bool_]) -> float:
    """The mean of nDCG@10 over the forms that `rows` hold, each form weighing the same."""
    part = gains(Bench(tuple(np.array(bench.queries, dtype=object)[rows]), bench.files, bench.right[rows],
    bench.generation,
                       bench.runbooks, bench.embedder), ranked(scores[rows], bench.files))  # fmt: skip
    forms = np.array([query.form for query in bench.queries])[rows]
    return float(np.mean([part.ndcg[forms == form].mean() for form in np.unique(forms)]))


def tuned(bench: Bench, parts: Mapping[str, Scores], rows: NDArray[np.bool_]) -> dict[str, float]:
    """Weights by coordinate ascent from all equal, two rounds, on the queries of `rows` alone."""
    weights = dict.fromkeys(WEIGHTS, 0.25)
    best = score_of(bench, fused(parts, weights), rows)
    for _ in range(2):
        for name in weights:
            for step in STEPS:
                tried = {**weights, name: weights[name] * step}
                score = score_of(bench, fused(parts, tried), rows)
                if score > best + MIN_STEP_GAIN:
                    best, weights = score, tried
    return weights


def left_out(bench: Bench, parts: Mapping[str, Scores], base: Gains) -> Report:
    total = np.zeros(bench.right.shape, dtype=np.float32)
    weights_of = {}
    for author in np.unique(bench.authors):
        held = bench.authors == author
        weights = tuned(bench, parts, ~held)
        weights_of[str(author)] = {name: round(weight, 3) for name, weight in weights.items()}
        total[held] = fused(parts, weights)[held]
    found = gains(bench, ranked(total, bench.files))
    return {**by_form(bench, found), "gain": intervals(bench, found, base), "weights": weights_of}


def sensitivity(bench: Bench, parts: Mapping[str, Scores]) -> Report:
    out = {}
    for name, weight in WEIGHTS.items():
        for factor in (0.0, 0.5, 1.5):
            moved = gains(bench, ranked(fused(parts, {**WEIGHTS, name: weight * factor}), bench.files))
            out[f"{name} x {factor}"] = {form: row["ndcg10"] for form, row in by_form(bench, moved).items()}
    return out


# Confidence


def evidence_of(
    bench: Bench, embedder: Embedder | None, texts: Sequence[str], hidden: Sequence[frozenset[str]]
) -> tuple[NDArray[np.float64], list[str]]:
    """(n, n_features) of the first hits, and their paths."""
    seen: list[Evidence] = []

    def note(evidence: Evidence, *, has_vectors: bool) -> float:
        seen.append(evidence)
        return 1.0

    real, search_module.probability = search_module.probability, note
    try:
        rows, paths = [], []
        searcher = Searcher(embedder)
        for text, ids in zip(texts, hidden, strict=True):
            seen.clear()
            answer = searcher.search(parse_query(text), bench.generation, limit=1, filters=Filters(hidden_ids=ids))
            rows.append([float(getattr(seen[0], field.name)) if seen else 0.0 for field in fields(Evidence)])
            paths.append(answer.hits[0].runbook.path if answer.hits else "")
    finally:
        search_module.probability = real
    return np.array(rows), paths


def confidence(bench: Bench, embedder: Embedder | None) -> Report:
    """What the product's coefficients give, and what coefficients give that have not seen the source they judge."""
    texts = [query.text for query in bench.queries]
    off = [line for line in OFF_TOPIC.read_text().splitlines() if line and not line.startswith("#")]
    hidden = [
        frozenset(card.id for card in bench.generation.cards if card.path in query.right) for query in bench.queries
    ]
    shown, paths = evidence_of(bench, embedder, texts, [frozenset()] * len(texts))
    without, _ = evidence_of(bench, embedder, texts, hidden)
    idle, _ = evidence_of(bench, embedder, off, [frozenset()] * len(off))
    right = np.array([path in query.right for path, query in zip(paths, bench.queries, strict=True)])
    model = fit(shown, right, without, idle)
    has_vectors = embedder is not None
    real = lambda rows: np.array([search_module.probability(Evidence(*row), has_vectors=has_vectors) for row in rows])  # noqa: E731
    unseen = out_of_sample(bench, shown, right, without, idle)
    return {
        "product": judged(bench, real(shown), right, real(without), real(idle)),
        "source unseen": judged(bench, *unseen[:1], right, *unseen[1:]),
        "coefficients": {
            "intercept": round(float(model.intercept_[0]), 2),
            **{field.name: round(float(c), 2) for field, c in zip(fields(Evidence), model.coef_[0], strict=True)},
        },
    }


def fit(shown: Any, right: Any, without: Any, idle: Any) -> LogisticRegression:
    rows = np.concatenate([shown, without, idle])
    target = np.concatenate([right, np.zeros(len(without) + len(idle))])
    weight = np.repeat((1.0, HIDDEN_WEIGHT, OFF_TOPIC_WEIGHT), (len(shown), len(without), len(idle)))
    return LogisticRegression(C=30.0, max_iter=5_000).fit(rows, target, sample_weight=weight)


def out_of_sample(bench: Bench, shown: Any, right: Any, without: Any, idle: Any) -> tuple[Any, Any, Any]:
    """Probabilities from models that have not seen the author, nor that fifth of the off-topic queries."""
    seen, hid, off = np.zeros(len(shown)), np.zeros(len(shown)), np.zeros(len(idle))
    for author in np.unique(bench.authors):
        held = bench.authors == author
        model = fit(shown[~held], right[~held], without[~held], idle)
        seen[held], hid[held] = model.predict_proba(shown[held])[:, 1], model.predict_proba(without[held])[:, 1]
    fold = np.arange(len(idle)) % 5
    for held_fold in range(5):
        model = fit(shown, right, without, idle[fold != held_fold])
        off[fold == held_fold] = model.predict_proba(idle[fold == held_fold])[:, 1]
    return seen, hid, off


def judged(bench: Bench, seen: Any, right: Any, hid: Any, off: Any) -> Report:
    out: Report = {"off topic, confident": int((off >= THRESHOLD).sum()), "off topic, asked": len(off)}
    groups = {
        **{form: bench.rows(form) for form in bench.forms},
        "full and desc": bench.rows("full") | bench.rows("desc"),
    }
    for name, rows in groups.items():
        sure = seen[rows] >= THRESHOLD
        out[name] = {
            "answered": mean(sure),
            "precision": mean(right[rows][sure]) if sure.any() else None,
            "right hidden, still confident": mean(hid[rows] >= THRESHOLD),
        }
    return out


def mean(values: Any) -> float:
    return round(float(np.mean(values)), 4)


def as_text(report: Report, indent: int = 0) -> str:
    lines = []
    for key, value in report.items():
        if isinstance(value, dict) and any(isinstance(inner, dict) for inner in value.values()):
            lines += [f"{' ' * indent}{key}", as_text(value, indent + 2)]
        elif isinstance(value, dict):
            lines.append(f"{' ' * indent}{key:<28}" + "  ".join(f"{name} {inner}" for name, inner in value.items()))
        else:
            lines.append(f"{' ' * indent}{key:<28}{value}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
