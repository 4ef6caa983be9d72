"""Answers are remembered soon, and never at the cost of an answer."""

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from api.recording import Recorder
from kb.errors import StorageUnavailable
from kb.memory_logs import MemorySearchLog
from kb.principal import Face
from kb.search_log import EventKind, SearchEvent, SearchNotFound, SearchRecord

NOW = datetime(2026, 11, 21, tzinfo=UTC)


class FailingLog(MemorySearchLog):
    """Its disk can be made to fail."""

    fails = False

    def record(self, records: Sequence[SearchRecord]) -> None:
        if self.fails:
            raise StorageUnavailable("The disk is full.")
        super().record(records)


def _record(search_id: str) -> SearchRecord:
    return SearchRecord(search_id, NOW, "local", Face.HTTP, "q", (), False, "", "g", 0.01)


def _event(search_id: str) -> SearchEvent:
    return SearchEvent(search_id, EventKind.VIEW, "r", "", "local", Face.HTTP, NOW)


@pytest.fixture
def searches() -> FailingLog:
    return FailingLog(redact=str)


def test_what_is_recorded_is_written_in_the_background(searches: FailingLog) -> None:
    recorder = Recorder(searches, now=lambda: NOW)
    recorder.start()
    recorder.record(_record("s1"))
    until = time.monotonic() + 5
    while not searches.recent() and time.monotonic() < until:
        time.sleep(0.02)
    recorder.stop()
    assert [record.search_id for record in searches.recent()] == ["s1"]


def test_stopping_writes_what_still_waits(searches: FailingLog) -> None:
    recorder = Recorder(searches, now=lambda: NOW)
    recorder.record(_record("s1"))
    recorder.stop()
    assert len(searches.recent()) == 1


def test_an_event_finds_the_answer_of_a_moment_ago(searches: FailingLog) -> None:
    recorder = Recorder(searches, now=lambda: NOW)
    recorder.record(_record("s1"))
    recorder.add_event(_event("s1"))
    assert len(searches.events("s1")) == 1
    with pytest.raises(SearchNotFound):
        recorder.add_event(_event("s2"))


def test_a_log_that_cannot_be_written_is_told_once_and_made_up_for_later(
    searches: FailingLog, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(searches, now=lambda: NOW)
    searches.fails = True
    recorder.record(_record("s1"))
    with caplog.at_level(logging.WARNING, logger="sre_kb.recording"):
        recorder.flush()
        recorder.flush()
    assert len(caplog.records) == 1
    searches.fails = False
    recorder.record(_record("s2"))
    recorder.flush()
    assert {record.search_id for record in searches.recent()} == {"s1", "s2"}


def test_where_nothing_can_be_written_nothing_is_kept(searches: FailingLog) -> None:
    recorder = Recorder(searches, now=lambda: NOW, enabled=False)
    recorder.record(_record("s1"))
    recorder.stop()
    assert searches.recent() == []
