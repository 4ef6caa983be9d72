"""How good is search: queries with their right files -> nDCG@10, MRR@10, R@1, R@5 and what confidence is worth (pure,
but for running the searches). The same measures as the public benchmark's scorer."""

import json
import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kb.errors import InvalidInput
from kb.hits import Answer

DEPTH = 10

Search = Callable[[str, frozenset[str]], Answer]  # a query's text, and ids of runbooks that must not be found


@dataclass(frozen=True, slots=True)
class Judged:
    """One query and the files that answer it. `form` groups queries of a kind, `source` those of one origin."""

    id: str
    text: str
    right: frozenset[str]
    form: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """What came back for one query: paths, best first, results and near misses together."""

    query_id: str
    docs: tuple[str, ...]
    confident: bool
    confidence: float

    def to_json(self) -> str:
        """One line for the scorer."""
        return json.dumps(
            {
                "query_id": self.query_id,
                "docs": self.docs,
                "confident": self.confident,
                "confidence": round(self.confidence, 4),
            },
            ensure_ascii=False,
        )


@dataclass(frozen=True, slots=True)
class Measures:
    """Means over queries, each in [0, 1]. `confident_precision` is R@1 among the confident answers, None without
    any."""

    queries: int
    ndcg10: float
    mrr10: float
    r1: float
    r5: float
    confident_share: float
    confident_precision: float | None


def parse_queries(lines: Iterable[str], right: Mapping[str, frozenset[str]]) -> tuple[Judged, ...]:
    """JSON lines with `id` and `text`, optionally `form` and `source`. Queries without a right file are left out.
    Raises `InvalidInput` naming the line that is not understood."""
    judged = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            query_id, text = str(row["id"]), str(row["text"])
        except (ValueError, KeyError, TypeError) as exc:
            raise InvalidInput("queries", f"line {number} is not a JSON object with id and text") from exc
        if query_id in right:
            judged.append(Judged(query_id, text, right[query_id], str(row.get("form", "")), str(row.get("source", ""))))
    return tuple(judged)


def parse_qrels(lines: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """Tab-separated query id, path and relevance (0: not right), with or without a header line. Raises `InvalidInput`
    naming the line that is not understood."""
    right: defaultdict[str, set[str]] = defaultdict(set)
    for number, line in enumerate(lines, start=1):
        cells = line.rstrip("\r\n").split("\t")
        if not line.strip() or (number == 1 and cells[0] == "query_id"):
            continue
        if len(cells) < 2:
            raise InvalidInput("qrels", f"line {number} has no tab between query id and path")
        if len(cells) < 3 or cells[2].strip() not in {"0", ""}:
            right[cells[0]].add(cells[1])
    return {query_id: frozenset(paths) for query_id, paths in right.items()}


def run_queries(
    queries: Sequence[Judged],
    search: Search,
    *,
    hide_right: bool = False,
    ids_of: Callable[[Collection[str]], frozenset[str]] | None = None,
) -> Iterator[Run]:
    """Search each text as a user would. With `hide_right` a query's right files are not there, so that every confident
    answer is a false one; `ids_of` then tells the ids of the runbooks in some files."""
    for query in queries:
        hidden = ids_of(query.right) if hide_right and ids_of is not None else frozenset()
        answer = search(query.text, hidden)
        hits = (*answer.hits, *answer.near_misses)
        docs = tuple(dict.fromkeys(hit.runbook.path for hit in hits))
        yield Run(query.id, docs[:DEPTH], answer.confident, hits[0].confidence if hits else 0.0)


def measure(queries: Sequence[Judged], runs: Iterable[Run]) -> Mapping[str, Measures]:
    """Measures for each form, in the order in which forms appear. A query without a run counts as an empty answer."""
    by_id = {run.query_id: run for run in runs}
    groups: defaultdict[str, list[tuple[Judged, Run]]] = defaultdict(list)
    for query in queries:
        groups[query.form].append((query, by_id.get(query.id, Run(query.id, (), False, 0.0))))
    return {form: _means(rows) for form, rows in groups.items()}


def ndcg(docs: Sequence[str], right: Collection[str]) -> float:
    """Normalised discounted gain of the first ten, 1 when all right ones come first."""
    gain = sum(1 / math.log2(place + 2) for place, doc in enumerate(docs[:DEPTH]) if doc in right)
    return gain / sum(1 / math.log2(place + 2) for place in range(min(DEPTH, len(right))))


def reciprocal_rank(docs: Sequence[str], right: Collection[str]) -> float:
    """1 over the place of the first right one among the first ten, 0 without any."""
    return next((1 / (place + 1) for place, doc in enumerate(docs[:DEPTH]) if doc in right), 0.0)


def _means(rows: Sequence[tuple[Judged, Run]]) -> Measures:
    count = len(rows)
    first = [float(bool(run.docs) and run.docs[0] in query.right) for query, run in rows]
    sure = [hit for hit, (_, run) in zip(first, rows, strict=True) if run.confident]
    return Measures(
        queries=count,
        ndcg10=sum(ndcg(run.docs, query.right) for query, run in rows) / count,
        mrr10=sum(reciprocal_rank(run.docs, query.right) for query, run in rows) / count,
        r1=sum(first) / count,
        r5=sum(len(query.right.intersection(run.docs[:5])) / len(query.right) for query, run in rows) / count,
        confident_share=len(sure) / count,
        confident_precision=sum(sure) / len(sure) if sure else None,
    )
