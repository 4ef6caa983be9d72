"""What insights look at beside the patterns, collected from runbooks, records and the search log."""

from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest

from api.learning.insight_sources import InsightSources
from kb.feedback import NewOutcome
from kb.incident import ActionOutcome, Incident
from kb.markdown import parse_document
from kb.memory_logs import MemorySearchLog
from kb.memory_records import MemoryRecords
from kb.principal import Face, Principal, Role
from kb.review_records import DraftKind, NewDraft
from kb.runbook import ReviewState
from kb.runbook_store import StoredDocument
from kb.search_log import EventKind, SearchEvent, SearchRecord

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
ANA = Principal("ana", Role.LOCAL, Face.WEB)
DISK = "---\nreviewed: 2026-01-01\nreview_interval: 30d\nalerts: [DiskFull]\n---\n# Disk full\n\nDelete logs.\n"
MANY = "# Messaging\n\nBrokers.\n\n## Alert: KafkaLag\n\nThe lag.\n\n## Alert: KafkaDown\n\nThe broker.\n"


class Stage:
    """A knowledge base in memory."""

    def __init__(self) -> None:
        self.documents: list[StoredDocument] = []
        self.incidents: list[str] = []
        self.searches = MemorySearchLog(redact=str)
        ids = count(1)
        self.records = MemoryRecords(now=lambda: NOW, new_id=lambda: f"id-{next(ids)}", redact=str)
        self.sources = InsightSources(
            self.records, documents=lambda: self.documents, searches=self.searches, now=lambda: NOW
        )

    def keep(self, name: str, text: str, state: ReviewState = ReviewState.PUBLISHED) -> None:
        document = parse_document(text.encode(), path=f"static/{name}.md")
        self.documents.append(StoredDocument(document, 1, state, "ana", NOW))

    def search(self, number: int, query: str = "q", *, hits: tuple[str, ...] = (), **more: object) -> None:
        at = NOW - timedelta(days=number)
        made = SearchRecord(f"s{number}", at, "ana", Face.WEB, query, hits, bool(hits), "", "g", 0.01, **more)  # type: ignore[arg-type]
        self.searches.record([made])

    def tell(self, target: str, outcome: ActionOutcome, *, recurred: bool = False) -> str:
        started = NOW - timedelta(hours=len(self.incidents) + 1)
        with self.records.change(ANA) as change:
            added = change.incidents.add(Incident("", "Disk", started, started, "ana")).stored.incident.id
            change.feedback.tell(NewOutcome(added, target, outcome))
            if recurred:
                change.feedback.recurred(added, NOW)
        self.incidents.append(added)
        return added


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_runbook_comes_with_its_review_date_and_alerts(stage: Stage) -> None:
    stage.keep("disk-full", DISK)
    (use,) = stage.sources.surroundings().runbooks
    assert (use.runbook_id, use.title, use.alerts) == ("disk-full", "Disk full", ("DiskFull",))
    assert use.review_due == date(2026, 1, 31)
    assert "Delete logs." in use.text


def test_drafts_retired_runbooks_and_forms_are_left_out(stage: Stage) -> None:
    stage.keep("draft", "# Draft\n", ReviewState.DRAFT)
    stage.keep("old", "# Old\n", ReviewState.RETIRED)
    stage.keep("form", "---\ntype: template\n---\n# Form\n")
    assert stage.sources.surroundings().runbooks == ()


def test_the_entries_of_a_file_count_for_the_file(stage: Stage) -> None:
    stage.keep("messaging", MANY)
    entry = stage.documents[0].document.runbooks[1].id
    stage.search(1, hits=("messaging", entry))
    stage.search(2, hits=(entry,), superseded=True)
    stage.searches.add_event(SearchEvent("s1", EventKind.VIEW, entry, "", "ana", Face.WEB, NOW))
    told = stage.tell(f"{entry}#diagnosis", ActionOutcome.HELPED)
    (use,) = stage.sources.surroundings().runbooks
    assert (use.shown, use.opened, use.resolved_ids) == (2, 1, (told,))


def test_outcomes_are_told_apart_and_those_of_actions_left_out(stage: Stage) -> None:
    stage.keep("disk-full", DISK)
    good = stage.tell("disk-full", ActionOutcome.HELPED)
    back = stage.tell("disk-full#fix", ActionOutcome.HELPED, recurred=True)
    bad = stage.tell("disk-full", ActionOutcome.MADE_WORSE)
    stage.tell("disk-full", ActionOutcome.UNKNOWN)
    stage.tell("delete logs", ActionOutcome.DID_NOT_HELP)
    (use,) = stage.sources.surroundings().runbooks
    assert set(use.resolved_ids) == {good, back}
    assert (use.failed_ids, use.recurred_ids) == ((bad,), (back,))


def test_only_finished_searches_that_a_whole_index_answered_are_failed_ones(stage: Stage) -> None:
    stage.search(1, "vault sealed")
    stage.search(2, "vau", superseded=True)
    stage.search(3, "found", hits=("disk-full",))
    stage.search(5, " ")
    degraded = SearchRecord("s4", NOW, "ana", Face.WEB, "lost", (), False, "vectors: rebuilding", "g", 0.01)
    stage.searches.record([degraded])
    around = stage.sources.surroundings()
    assert [search.query for search in around.failed_searches] == ["vault sealed"]
    assert around.watched_days == 5.0


def test_with_nothing_recorded_nothing_was_watched(stage: Stage) -> None:
    around = stage.sources.surroundings()
    assert (around.watched_days, around.runbooks, around.today) == (0.0, (), date(2026, 3, 31))


def test_the_draft_that_waits_for_a_pattern_is_known(stage: Stage) -> None:
    with stage.records.change(ANA) as change:
        review = change.reviews.put(NewDraft("pat-1", DraftKind.PATTERN, "disk", "0" * 64, "e", 3))
    assert stage.sources.surroundings().reviews == {"pat-1": review.id}
