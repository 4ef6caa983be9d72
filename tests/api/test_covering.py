"""Which runbook covers a pattern: asked of search once for each state of the index."""

from datetime import UTC, datetime

import pytest

from api.acts import SearchRequest
from api.learning.covering import Covering, alert_of
from kb.hits import Answer, Chunk, Hit, Reasons, RunbookCard
from kb.incident import Incident
from kb.pattern import Pattern
from kb.runbook import ReviewState, RunbookType
from learner.distill import distill

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def pattern_of(title: str, *, alerts: tuple[str, ...] = ()) -> Pattern:
    incidents = [Incident(f"inc-{number}", title, NOW, NOW, "anna", alerts=alerts) for number in range(3)]
    return distill("pat-1", incidents, now=NOW)


def hit(runbook_id: str, alerts: tuple[str, ...] = ()) -> Hit:
    card = RunbookCard(
        runbook_id,
        runbook_id,
        "static/x.md",
        "",
        RunbookType.STATIC,
        ReviewState.PUBLISHED,
        None,
        "",
        alerts,
        (),
        "",
        None,
    )
    return Hit(card, Chunk(runbook_id, "", (), 0, 0, ""), 1.0, 0.9, 1, 1, "", Reasons((), ()))


class Search:
    """Finds the same hits for everything, and remembers what it was asked."""

    def __init__(self, *hits: Hit) -> None:
        self.hits = hits
        self.asked: list[SearchRequest] = []

    def __call__(self, request: SearchRequest) -> Answer:
        self.asked.append(request)
        return Answer("", "", self.hits, (), (), bool(self.hits), "g", "", 0.0)


@pytest.fixture
def generation() -> list[str]:
    return ["g1"]


def covering(search: Search, generation: list[str]) -> Covering:
    return Covering(search, generation=lambda: generation[0], document_of=lambda runbook_id: f"file-of-{runbook_id}")


def test_the_file_that_holds_the_runbook_covers_the_pattern(generation: list[str]) -> None:
    search = Search(hit("other"), hit("disk-full", ("DiskFull",)))
    assert covering(search, generation)(pattern_of("Disk is full", alerts=("DiskFull",))) == "file-of-disk-full"
    assert search.asked[0].alert == alert_of(pattern_of("Disk is full", alerts=("DiskFull",)))


def test_where_nothing_is_found_nothing_covers_it(generation: list[str]) -> None:
    assert covering(Search(), generation)(pattern_of("Disk is full")) is None


def test_search_is_asked_again_only_when_the_index_or_the_pattern_has_changed(generation: list[str]) -> None:
    search = Search(hit("disk-full"))
    covers = covering(search, generation)
    for _ in range(3):
        covers(pattern_of("Disk is full"))
    assert len(search.asked) == 1
    generation[0] = "g2"
    covers(pattern_of("Disk is full"))
    assert len(search.asked) == 2
    covers(pattern_of("Disk is full", alerts=("DiskFull",)))
    assert len(search.asked) == 3


def test_a_pattern_asks_as_the_alert_of_its_next_incident_would() -> None:
    asked = alert_of(pattern_of("Disk of db-17 is full", alerts=("DiskFull",)))
    assert asked.name == "DiskFull"
    assert "disk" in asked.annotations["summary"].lower()
    assert "17" not in asked.annotations["summary"]
