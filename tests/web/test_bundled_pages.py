"""The runbooks that come along, as pages: every section can be linked to, and every command can be filled."""

import re
from collections.abc import Mapping
from html import unescape
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.web.runbook_html import blanks_of, commands_of
from kb.runbook import Runbook
from tests.web.stage import Stage, build_stage


@pytest.fixture(scope="module")
def stage() -> Stage:
    root = Path(__file__).resolve().parent.parent.parent / "runbooks"
    files: Mapping[str, bytes] = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.md")}
    return build_stage(files)


@pytest.fixture(scope="module")
def pages(stage: Stage) -> Mapping[str, str]:
    """The page of every runbook by its id, each blank filled with its own name."""
    client = TestClient(stage.app, base_url="http://127.0.0.1")
    found = {}
    for runbook in runbooks(stage):
        values = {name: f"my-{name}" for name in blanks_of(commands_of(runbook))}
        answer = client.get(f"/r/{runbook.id}", params=values)
        assert answer.status_code == 200, runbook.path
        found[runbook.id] = answer.text
    return found


def runbooks(stage: Stage) -> list[Runbook]:
    return [runbook for stored in stage.store.documents() for runbook in stored.document.runbooks]


def test_every_section_that_a_hit_can_name_stands_on_the_page(stage: Stage, pages: Mapping[str, str]) -> None:
    missing = [
        f"{runbook.id}#{section.anchor}"
        for runbook in runbooks(stage)
        for section in runbook.sections
        if section.level and f'id="{section.anchor}"' not in pages[runbook.id]
    ]
    assert missing == []


def test_every_anchor_stands_once(pages: Mapping[str, str]) -> None:
    for runbook_id, html in pages.items():
        ids = re.findall(r'\sid="([^"]+)"', html)
        assert sorted(ids) == sorted(set(ids)), runbook_id


def test_every_command_of_a_runbook_can_be_copied(stage: Stage, pages: Mapping[str, str]) -> None:
    for runbook in runbooks(stage):
        assert pages[runbook.id].count("data-copy") == len(commands_of(runbook)), runbook.id


def test_no_blank_stays_open_once_all_have_a_value(pages: Mapping[str, str]) -> None:
    assert [runbook_id for runbook_id, html in pages.items() if 'class="blank"' in html] == []


def test_every_kubectl_command_that_reaches_a_cluster_names_it(pages: Mapping[str, str]) -> None:
    for runbook_id, html in pages.items():
        for block in re.findall(r'<div class="command wraps".*?<code>(.*?)</code>', html, re.DOTALL):
            text = unescape(re.sub(r"<[^>]+>", "", block)).replace("\\\n", " ")
            for line in re.findall(r"^\s*(kubectl .*)$", text, re.MULTILINE):
                assert re.search(r"--context|^kubectl (config|completion|kustomize)\b", line), f"{runbook_id}: {line}"


def test_links_between_the_runbooks_that_come_along_are_alive(stage: Stage, pages: Mapping[str, str]) -> None:
    known = set(pages)
    for runbook_id, html in pages.items():
        for target in re.findall(r'href="/r/([a-z0-9-]+)[?#"]', html):
            assert target in known, f"{runbook_id} links to {target}"
