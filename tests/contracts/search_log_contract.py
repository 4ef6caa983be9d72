"""What every `SearchLog` does. Adapters inherit the class and give a `log` fixture that redacts `hunter2`."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kb.errors import InvalidInput
from kb.principal import Face
from kb.search_log import EventKind, SearchEvent, SearchLog, SearchNotFound, SearchRecord

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
RECORD = SearchRecord(
    search_id="s1",
    event_time=NOON,
    principal="anna",
    face=Face.WEB,
    query="disk full on db-1",
    hit_ids=("disk-full", "node-down"),
    confident=True,
    degraded="",
    generation="g1",
    took_s=0.02,
)
VIEW = SearchEvent("s1", EventKind.VIEW, "disk-full", "diagnosis", "anna", Face.WEB, NOON + timedelta(seconds=5))


class SearchLogContract:
    """Inherit, and give a `log` fixture."""

    @pytest.fixture
    def log(self) -> SearchLog:
        raise NotImplementedError

    def test_an_answer_is_remembered_as_it_was(self, log: SearchLog) -> None:
        log.record([RECORD])
        assert log.get("s1") == RECORD

    def test_secrets_in_queries_are_not_remembered(self, log: SearchLog) -> None:
        log.record([replace(RECORD, query="login with hunter2 fails")])
        assert log.get("s1").query == "login with *** fails"

    def test_a_very_long_query_is_cut_after_its_secrets_are_out(self, log: SearchLog) -> None:
        log.record([replace(RECORD, query="x" * 4092 + "hunter2" + "y" * 5000)])
        assert log.get("s1").query == "x" * 4092 + "***y"

    def test_an_answer_recorded_twice_is_remembered_once(self, log: SearchLog) -> None:
        log.record([RECORD, replace(RECORD, search_id="s2")])
        log.record([RECORD])
        assert [record.search_id for record in log.recent()] == ["s1", "s2"]

    def test_nothing_to_record_is_fine(self, log: SearchLog) -> None:
        log.record([])
        assert log.recent() == []

    def test_the_latest_answers_come_first_and_failed_ones_can_be_asked_for(self, log: SearchLog) -> None:
        for number in range(4):
            record = replace(
                RECORD, search_id=f"s{number}", event_time=NOON + timedelta(minutes=number), confident=number % 2 == 0
            )
            log.record([record])
        assert [record.search_id for record in log.recent(limit=3)] == ["s3", "s2", "s1"]
        assert [record.search_id for record in log.recent(only_failed=True)] == ["s3", "s1"]

    def test_searches_that_led_to_another_are_marked_and_can_be_left_out(self, log: SearchLog) -> None:
        steps = [replace(RECORD, search_id=f"s{n}", event_time=NOON + timedelta(seconds=n)) for n in range(4)]
        log.record([*steps[:3], replace(steps[3], superseded=True)])
        log.supersede(["s1", "unknown"])
        log.supersede([])
        assert [record.search_id for record in log.recent(only_finished=True)] == ["s2", "s0"]
        assert [record.superseded for record in log.recent()] == [True, False, True, False]
        assert log.recent(only_failed=True, only_finished=True) == []

    def test_use_counts_finished_answers_and_what_readers_opened(self, log: SearchLog) -> None:
        assert (log.use().since, dict(log.use().shown), dict(log.use().opened)) == (None, {}, {})
        later = replace(RECORD, search_id="s2", event_time=NOON + timedelta(hours=1), hit_ids=("disk-full",))
        log.record([RECORD, later, replace(later, search_id="s3", superseded=True)])
        for kind in EventKind:
            log.add_event(replace(VIEW, kind=kind))
        use = log.use()
        assert use.since == NOON
        assert dict(use.shown) == {"disk-full": 2, "node-down": 1}
        assert dict(use.opened) == {"disk-full": 2}

    def test_what_readers_did_is_kept_with_the_answer_in_order(self, log: SearchLog) -> None:
        log.record([RECORD])
        copy = replace(VIEW, kind=EventKind.COPY, event_time=VIEW.event_time + timedelta(seconds=1))
        log.add_event(copy)
        log.add_event(VIEW)
        assert log.events("s1") == [VIEW, copy]
        assert log.events("unknown") == []

    @pytest.mark.parametrize("unknown", ["s2", "", "../etc", "nul\x00", "\ud800", "x" * 1000])
    def test_an_answer_that_was_never_given_is_not_found(self, log: SearchLog, unknown: str) -> None:
        log.record([RECORD])
        with pytest.raises(SearchNotFound) as caught:
            log.get(unknown)
        assert "30 days" in caught.value.advice
        with pytest.raises(SearchNotFound):
            log.add_event(replace(VIEW, search_id=unknown))

    @pytest.mark.parametrize(
        "bad", [replace(VIEW, runbook_id="../x"), replace(VIEW, runbook_id="x" * 101), replace(VIEW, anchor="x" * 501)]
    )
    def test_an_event_about_nothing_that_could_be_a_hit_is_refused(self, log: SearchLog, bad: SearchEvent) -> None:
        log.record([RECORD])
        with pytest.raises(InvalidInput):
            log.add_event(bad)
        assert log.events("s1") == []

    def test_everything_is_forgotten_after_thirty_days(self, log: SearchLog) -> None:
        log.record([RECORD, replace(RECORD, search_id="s2", event_time=NOON + timedelta(days=1))])
        log.add_event(VIEW)
        assert log.purge(NOON + timedelta(days=30)) == 0
        assert log.purge(NOON + timedelta(days=30, seconds=1)) == 1
        assert [record.search_id for record in log.recent()] == ["s2"]
        assert log.events("s1") == []
