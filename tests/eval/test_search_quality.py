"""Floors under the quality of search over the bundled runbooks, on the real model. The right answers were written down
before any search existed; the floors lie a little below what is measured, to notice a fall and not a flicker."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.acts import SearchRequest
from api.settings import Settings
from api.wiring import KnowledgeBase, open_knowledge_base
from kb.hits import Answer
from kb.principal import Face, local

pytestmark = [pytest.mark.model, pytest.mark.slow]

EVAL = Path(__file__).parent


def lines_of(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (EVAL / name).read_text().splitlines()]


@pytest.fixture(scope="module")
def base(bundled_home: Path) -> Iterator[KnowledgeBase]:
    settings = Settings(runbooks_dir=bundled_home / "runbooks", data_dir=bundled_home / "data")
    with open_knowledge_base(settings) as base:
        base.catch_up()
        yield base


def ask(base: KnowledgeBase, text: str) -> Answer:
    return base.services.search(SearchRequest(text=text, limit=10), local(Face.CLI))


def found(answer: Answer) -> list[str]:
    return [hit.runbook.id for hit in answer.hits or answer.near_misses]


def test_the_right_runbook_is_among_the_first_five(base: KnowledgeBase) -> None:
    queries = lines_of("golden.jsonl")
    ranks = [found(ask(base, query["text"]))[:5].count(query["runbook"]) for query in queries]
    assert sum(ranks) / len(queries) >= 0.95


def test_the_right_runbook_comes_early(base: KnowledgeBase) -> None:
    queries = lines_of("golden.jsonl")
    reciprocal = []
    for query in queries:
        ids = found(ask(base, query["text"]))
        reciprocal.append(1 / (ids.index(query["runbook"]) + 1) if query["runbook"] in ids else 0.0)
    assert sum(reciprocal) / len(queries) >= 0.85


def test_the_right_section_comes_first(base: KnowledgeBase) -> None:
    queries = lines_of("sections.jsonl")
    right = 0
    for query in queries:
        answer = ask(base, query["text"])
        best = (answer.hits or answer.near_misses)[:1]
        right += [(hit.runbook.id, hit.chunk.anchor) for hit in best] == [(query["runbook"], query["section"])]
    assert right / len(queries) >= 0.80
