"""What people do with runbooks comes back: in the next search, in insights, and in the files for other tools. A whole
knowledge base with an embedder that needs no weights."""

import json
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from api.acts import SearchRequest
from api.engine import open_engine
from api.settings import load_settings
from api.wiring import SERVER, Background, KnowledgeBase
from indexer.embed import HashingEmbedder
from kb.feedback import NewVote, Verdict
from kb.principal import Face, Principal, Role
from learner.insight import InsightKind

pytestmark = pytest.mark.integration
ANA, BEN = Principal("ana", Role.LOCAL, Face.WEB), Principal("ben", Role.LOCAL, Face.WEB)
DISK = "---\nalerts: [NodeDiskFull]\n---\n# Disk is full\n\nA file system has no room left. Delete the old logs.\n"
CRASH = "---\nreviewed: 2020-01-01\nreview_interval: 30d\n---\n# Pod is crash looping\n\nRead the last words of it.\n"
SOON_S = 30.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    static = tmp_path / "runbooks" / "static"
    static.mkdir(parents=True)
    (static / "disk-full.md").write_text(DISK)
    (static / "pod-crash.md").write_text(CRASH)
    return tmp_path


def opened(folder: Path, background: Background | None = None) -> KnowledgeBase:
    settings = load_settings({}, runbooks_dir=folder / "runbooks", data_dir=folder / "data", watch=False)
    open_twin = partial(open_engine, settings, embedder=HashingEmbedder())
    base = KnowledgeBase(settings, open_engine=open_twin, **({"background": background} if background else {}))
    base.catch_up()
    return base


@pytest.fixture
def base(folder: Path) -> Iterator[KnowledgeBase]:
    made = opened(folder)
    yield made
    made.close()


def reasons(base: KnowledgeBase) -> tuple[str, ...]:
    answer = base.services.search(SearchRequest(text="NodeDiskFull"), ANA)
    return answer.hits[0].reasons.notes


def test_a_vote_shows_in_the_next_second_s_search(base: KnowledgeBase) -> None:
    assert not any("helped" in note for note in reasons(base))
    base.services.learning.vote(NewVote("disk-full", "s1", Verdict.HELPED), ANA)
    base.services.learning.vote(NewVote("disk-full#fix", "s2", Verdict.HELPED), BEN)
    deadline = time.monotonic() + SOON_S
    while "2 people said this helped" not in reasons(base) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert "2 people said this helped" in reasons(base)


def test_a_command_that_starts_anew_knows_the_vote_at_once(folder: Path, base: KnowledgeBase) -> None:
    base.services.learning.vote(NewVote("disk-full", "s1", Verdict.OUTDATED), ANA)
    other = opened(folder)
    try:
        assert "1 person said this is outdated" in reasons(other)
    finally:
        other.close()


def test_insights_tell_what_people_did_not_find_and_what_is_due_for_review(base: KnowledgeBase) -> None:
    for who in (ANA, BEN):
        for typed in ("vault", "vault sealed", "vault sealed unseal keys"):
            base.services.search(SearchRequest(text=typed), who)
    base.recorder.flush()
    found = {insight.kind: insight for insight in base.services.learning.insights().insights}
    assert set(found) == {InsightKind.FAILED_SEARCHES, InsightKind.RUNBOOK_STALE}
    gap = found[InsightKind.FAILED_SEARCHES]
    assert gap.text.startswith("“vault sealed unseal keys”: 2 people searched 2 times")
    assert found[InsightKind.RUNBOOK_STALE].runbook_ids == ("pod-crash",)


def test_a_server_writes_the_files_for_other_tools_and_indexes_none_of_them(folder: Path) -> None:
    base = opened(folder, SERVER)
    base.start()
    cache = folder / "runbooks" / "cache"
    try:
        deadline = time.monotonic() + SOON_S
        while not (cache / "metrics.json").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert base.learning_base.follower.trouble == ""
    finally:
        base.close()
    entries = json.loads((cache / "search-index.json").read_text())["entries"]
    assert [entry["id"] for entry in entries] == ["disk-full", "pod-crash"]
    assert json.loads((cache / "patterns.json").read_text())["total"] == 0
    assert json.loads((cache / "metrics.json").read_text())["storage_usage"]["documents"] == 2
