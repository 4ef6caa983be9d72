"""The measures of search, computable by hand."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.evaluate import Judged, Run, measure, ndcg, parse_qrels, parse_queries, reciprocal_rank, run_queries
from kb.errors import InvalidInput
from kb.hits import Answer, Chunk, Hit, Reasons, RunbookCard
from kb.runbook import ReviewState, RunbookType


def hit(path: str, confidence: float = 0.9) -> Hit:
    card = RunbookCard(path, path, path, "", RunbookType.STATIC, ReviewState.PUBLISHED, None, "", (), (), "", None)
    chunk = Chunk(path, "", (), 0, 0, "")
    return Hit(card, chunk, 1.0, confidence, 1, 1, "", Reasons((), ()))


def answer(*paths: str, confident: bool = True) -> Answer:
    hits = tuple(hit(path) for path in paths)
    return Answer("", "", hits if confident else (), () if confident else hits, (), confident, "g", "", 0.0)


def test_the_discounted_gain_is_whole_when_all_right_ones_come_first() -> None:
    assert ndcg(["a", "b", "c"], {"a", "b"}) == 1.0


def test_the_discounted_gain_of_a_right_one_at_the_second_place() -> None:
    assert ndcg(["x", "a"], {"a"}) == pytest.approx(0.6309, abs=1e-4)


def test_the_eleventh_place_counts_nothing() -> None:
    docs = [str(n) for n in range(10)] + ["a"]
    assert (ndcg(docs, {"a"}), reciprocal_rank(docs, {"a"})) == (0.0, 0.0)


def test_the_reciprocal_rank_is_of_the_first_right_one() -> None:
    assert reciprocal_rank(["x", "y", "b", "a"], {"a", "b"}) == pytest.approx(1 / 3)


def test_measures_are_means_by_form() -> None:
    queries = [
        Judged("1", "", frozenset({"a"}), "full"),
        Judged("2", "", frozenset({"b", "c"}), "full"),
        Judged("3", "", frozenset({"a"}), "desc"),
    ]
    runs = [Run("1", ("a", "x"), True, 0.9), Run("2", ("x", "b"), False, 0.2)]
    found = measure(queries, runs)
    full = found["full"]
    assert (full.queries, full.r1, full.mrr10, full.r5) == (2, 0.5, 0.75, 0.75)
    assert full.ndcg10 == pytest.approx(0.6934, abs=1e-4)
    assert (full.confident_share, full.confident_precision) == (0.5, 1.0)
    assert found["desc"].ndcg10 == 0.0  # no run is an empty answer
    assert found["desc"].confident_precision is None


def test_results_and_near_misses_are_one_list_and_a_file_counts_once() -> None:
    runs = list(
        run_queries(
            [Judged("1", "disk", frozenset({"b"}))], lambda text, hidden: answer("a", "a", "b", confident=False)
        )
    )
    assert runs == [Run("1", ("a", "b"), False, 0.9)]


def test_the_right_files_are_hidden_by_the_ids_of_their_runbooks() -> None:
    asked: list[tuple[str, frozenset[str]]] = []

    def search(text: str, hidden: frozenset[str]) -> Answer:
        asked.append((text, hidden))
        return answer("x")

    queries = [Judged("1", "disk", frozenset({"b.md"}))]
    list(
        run_queries(queries, search, hide_right=True, ids_of=lambda paths: frozenset(f"id of {path}" for path in paths))
    )
    list(run_queries(queries, search, hide_right=False))
    assert asked == [("disk", frozenset({"id of b.md"})), ("disk", frozenset())]


def test_a_line_for_the_scorer_has_what_it_reads() -> None:
    line = json.loads(Run("q-1", ("a.md", "ü.md"), True, 0.91234).to_json())
    assert line == {"query_id": "q-1", "docs": ["a.md", "ü.md"], "confident": True, "confidence": 0.9123}


def test_qrels_are_read_with_and_without_a_header() -> None:
    lines = ["query_id\tdoc\tscore", "1\ta.md\t1", "1\tb.md\t1", "2\tc.md\t0", "", "3\td e.md"]
    assert parse_qrels(lines) == {"1": frozenset({"a.md", "b.md"}), "3": frozenset({"d e.md"})}
    assert parse_qrels(["1\ta.md\t1"]) == {"1": frozenset({"a.md"})}


def test_queries_without_a_right_file_are_left_out() -> None:
    lines = ['{"id": "1", "text": "disk", "form": "full", "source": "us"}', "", '{"id": "2", "text": "pod"}']
    assert parse_queries(lines, {"1": frozenset({"a"})}) == (Judged("1", "disk", frozenset({"a"}), "full", "us"),)


@pytest.mark.parametrize("line", ["not json", "[]", '{"id": "1"}', '"text"'])
def test_a_bad_line_of_queries_is_named(line: str) -> None:
    with pytest.raises(InvalidInput, match="line 2"):
        parse_queries(['{"id": "1", "text": "x"}', line], {})


def test_a_bad_line_of_qrels_is_named() -> None:
    with pytest.raises(InvalidInput, match="line 1"):
        parse_qrels(["no tab here"])


@settings(deadline=None)
@given(st.lists(st.sampled_from("abcdefgh"), unique=True), st.sets(st.sampled_from("abcdefgh"), min_size=1))
def test_a_gain_lies_between_nothing_and_all(docs: list[str], right: set[str]) -> None:
    assert 0.0 <= ndcg(docs, right) <= 1.0 + 1e-9
    assert (ndcg(docs, right) > 0) == bool(right.intersection(docs[:10]))
