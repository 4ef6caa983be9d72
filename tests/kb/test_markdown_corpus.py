"""The parser over real runbooks, where the benchmark is at hand: the laws hold for every one, and it is fast."""

import time
from collections import Counter
from pathlib import Path

import pytest

from kb.html import render_html
from kb.markdown import parse_document
from kb.render import render_runbook
from kb.runbook import Document

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def corpus(bench_dir: Path) -> dict[str, bytes]:
    folder = bench_dir / "retrieval" / "corpus"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.md"))}


@pytest.fixture(scope="module")
def documents(corpus: dict[str, bytes]) -> list[Document]:
    return [parse_document(raw, path=path) for path, raw in corpus.items()]


def test_sections_cover_every_text_and_entries_are_slices_of_it(documents: list[Document]) -> None:
    assert len(documents) > 800
    for document in documents:
        for runbook in document.runbooks:
            assert document.text[runbook.start : runbook.start + len(runbook.text)] == runbook.text
            pieces = [runbook.text[section.start : section.end] for section in runbook.sections]
            assert "".join(pieces) == runbook.text, document.path


def test_nearly_every_file_has_a_title_a_summary_and_no_problem(documents: list[Document]) -> None:
    mains = [document.runbooks[0] for document in documents]
    problems = Counter(problem.code for document in documents for problem in document.problems)

    assert all(main.title for main in mains)
    assert sum(not main.summary for main in mains) <= 0.07 * len(mains)
    assert sum(problems.values()) <= 0.02 * len(documents)


def test_alert_folders_give_alerts(documents: list[Document]) -> None:
    pages = [
        document.runbooks[0]
        for document in documents
        if document.path.startswith(("openshift-runbooks/alerts/", "prometheus-operator-runbooks/content/runbooks/"))
        and "helpers/" not in document.path
        and not document.path.endswith(("README.md", "_index.md"))
    ]

    named = [page for page in pages if Path(page.path).stem in page.alerts]

    assert len(named) >= 0.97 * len(pages)


def test_pages_agree_with_the_parser_on_anchors_and_commands(documents: list[Document]) -> None:
    for document in documents[::7]:
        main = document.runbooks[0]
        anchors = [section.anchor for section in main.sections if section.level]

        html = render_html(main.text, heading_anchors=anchors)

        assert html.count("<pre data-command=") == sum(len(section.commands) for section in main.sections), (
            document.path
        )
        assert all(f'id="{anchor}"' in html for anchor in anchors if "&" not in anchor), document.path


def test_real_runbooks_survive_being_written_again(documents: list[Document]) -> None:
    for document in documents[::7]:
        main = document.runbooks[0]

        again = parse_document(render_runbook(main).encode(), path=main.path).runbooks[0]

        assert (again.id, again.title, again.alerts, again.summary) == (main.id, main.title, main.alerts, main.summary)
        assert again.text == main.text


def test_a_file_takes_milliseconds(corpus: dict[str, bytes]) -> None:
    sample = list(corpus.items())[::4]
    start = time.process_time()
    for path, raw in sample:
        parse_document(raw, path=path)

    assert (time.process_time() - start) / len(sample) < 0.012
