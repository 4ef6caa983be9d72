"""sre-kb eval: index a folder apart from one's own, ask it questions whose answers are known, and measure."""

import tempfile
import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

from pydantic import BaseModel, SecretStr

from api.commands.console import out, print_json, progress_bar, remark
from api.engine import EMBEDDINGS, open_engine, open_model
from api.settings import Settings, load_settings
from api.wiring import KnowledgeBase, open_knowledge_base
from indexer.evaluate import Judged, Measures, Run, measure, parse_qrels, parse_queries, run_queries
from kb.errors import InvalidInput, StorageUnavailable
from kb.hits import Answer

# More hits than the ten files that count, because several hits may be entries of one file.
_HITS = 30


class FormOut(BaseModel):
    """Means over the queries of one form."""

    queries: int
    ndcg10: float
    mrr10: float
    r1: float
    r5: float
    confident_share: float
    confident_precision: float | None


class EvalReport(BaseModel):
    """What the measurement says, by form, and what it was made of."""

    forms: dict[str, FormOut]
    right_hidden: bool
    files: int
    chunks: int
    index_s: float
    search_p50_ms: float
    search_p95_ms: float


def run(*, corpus: Path, queries: Path, qrels: Path, hide_right: bool, run_out: Path | None, as_json: bool) -> int:
    """Measure, print, and write the ranked files where they are wanted."""
    judged = parse_queries(_lines(queries, "--queries"), parse_qrels(_lines(qrels, "--qrels")))
    if not judged:
        raise InvalidInput("--queries", "holds no query that --qrels has an answer for", advice="Compare their ids.")
    if not corpus.is_dir():
        raise InvalidInput("--corpus", f"{corpus} is no folder", advice="Name a folder of Markdown files.")
    settings = load_settings()
    with tempfile.TemporaryDirectory(prefix="sre-kb-eval-") as scratch:
        apart = _apart(settings, corpus, Path(scratch))
        # The model's export is the usual one. Embeddings are kept apart, so that measuring twice is quick and the
        # cache of the real index is left alone.
        embeddings = settings.data_dir / f"eval-{EMBEDDINGS}"
        embedder = open_model(settings, say=remark)
        opening = partial(open_engine, apart, embedder=embedder, embeddings=embeddings, is_fresh=True)
        with open_knowledge_base(apart, open_engine=opening) as base:
            report, runs = _measure(base, judged, hide_right=hide_right)
    if run_out is not None:
        _write(run_out, runs)
    if as_json:
        print_json(report)
    else:
        _print(report)
    return 0


def _apart(settings: Settings, corpus: Path, scratch: Path) -> Settings:
    """The same settings over other folders, with a database of its own."""
    changed = {"runbooks_dir": corpus, "data_dir": scratch, "database_url": SecretStr("")}
    return settings.model_copy(update=changed)


def _measure(base: KnowledgeBase, judged: Sequence[Judged], *, hide_right: bool) -> tuple[EvalReport, list[Run]]:
    started = time.perf_counter()
    with progress_bar("Embedding") as progress:
        base.catch_up(progress)
    index_s = time.perf_counter() - started
    ids = _ids_by_path(base)
    took: list[float] = []

    def search(text: str, hidden: frozenset[str]) -> Answer:
        answer = base.finder.find_text(text, limit=_HITS, hidden_ids=hidden)
        took.append(answer.took_s)
        return answer

    def ids_of(paths: Collection[str]) -> frozenset[str]:
        return frozenset(runbook_id for path in paths for runbook_id in ids.get(path, ()))

    with progress_bar("Searching") as progress:
        runs = []
        for found in run_queries(judged, search, hide_right=hide_right, ids_of=ids_of):
            runs.append(found)
            progress(len(runs), len(judged))
    forms = {form or "all": _form_out(means) for form, means in measure(judged, runs).items()}
    took.sort()
    generation = base.index.current
    report = EvalReport(
        forms=forms,
        right_hidden=hide_right,
        files=len(generation.documents),
        chunks=len(generation.chunks),
        index_s=round(index_s, 2),
        search_p50_ms=round(1000 * took[len(took) // 2], 2),
        search_p95_ms=round(1000 * took[int(0.95 * (len(took) - 1))], 2),
    )
    return report, runs


def _ids_by_path(base: KnowledgeBase) -> Mapping[str, Sequence[str]]:
    ids: defaultdict[str, list[str]] = defaultdict(list)
    for card in base.index.current.cards:
        ids[card.path].append(card.id)
    return ids


def _form_out(means: Measures) -> FormOut:
    precision = means.confident_precision
    return FormOut(
        queries=means.queries,
        ndcg10=round(means.ndcg10, 4),
        mrr10=round(means.mrr10, 4),
        r1=round(means.r1, 4),
        r5=round(means.r5, 4),
        confident_share=round(means.confident_share, 4),
        confident_precision=None if precision is None else round(precision, 4),
    )


def _print(report: EvalReport) -> None:
    out(f"{report.files} files, {report.chunks:,} chunks, indexed in {report.index_s:.1f} s")
    out(f"a search takes {report.search_p50_ms:.1f} ms (p50), {report.search_p95_ms:.1f} ms (p95)")
    if report.right_hidden:
        out("The right files were hidden: every confident answer is a false one.")
    out(
        f"{'form':10} {'queries':>7} {'nDCG@10':>8} {'MRR@10':>7} {'R@1':>6} {'R@5':>6} "
        f"{'confident':>10} {'precision':>10}"
    )
    for form, row in report.forms.items():
        precision = "-" if row.confident_precision is None else f"{row.confident_precision:.3f}"
        out(
            f"{form:10} {row.queries:7} {row.ndcg10:8.3f} {row.mrr10:7.3f} {row.r1:6.3f} {row.r5:6.3f} "
            f"{row.confident_share:10.3f} {precision:>10}"
        )


def _lines(path: Path, option: str) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidInput(option, f"{path} cannot be read ({exc})", advice="Check the path.") from None


def _write(path: Path, runs: Sequence[Run]) -> None:
    try:
        path.write_text("".join(one.to_json() + "\n" for one in runs), encoding="utf-8")
    except OSError as exc:
        raise StorageUnavailable(f"{path} cannot be written: {exc.strerror}.", advice="Choose another place.") from exc
