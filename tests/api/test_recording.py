"""Answers are remembered soon, and never at the cost of an answer."""

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from api.recording import Recorder
from api.typed import is_continued
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


class TestTyping:
    def typed(self, *queries: str, gap_s: float = 0.2, who: str = "ana", face: Face = Face.WEB) -> list[SearchRecord]:
        return [
            replace(
                _record(f"{who}-{n}"),
                query=query,
                principal=who,
                face=face,
                event_time=NOW + timedelta(seconds=gap_s * n),
            )
            for n, query in enumerate(queries)
        ]

    def finished(self, searches: FailingLog) -> list[str]:
        return sorted(record.query for record in searches.recent(only_finished=True))

    def test_of_a_query_typed_key_by_key_the_last_one_is_finished(self, searches: FailingLog) -> None:
        recorder = Recorder(searches, now=lambda: NOW)
        for record in self.typed("d", "di", "disk", "disk f", "disk", "disk quota", "disk quota"):
            recorder.record(record)
        recorder.flush()
        assert self.finished(searches) == ["disk quota"]

    def test_a_step_that_is_written_already_is_marked_later(self, searches: FailingLog) -> None:
        recorder = Recorder(searches, now=lambda: NOW)
        for record in self.typed("disk", "disk quota", "vault"):
            recorder.record(record)
            recorder.flush()
        assert self.finished(searches) == ["disk quota", "vault"]

    def test_two_people_of_one_name_do_not_end_each_others_searches(self, searches: FailingLog) -> None:
        recorder = Recorder(searches, now=lambda: NOW)
        for record in self.typed("vau", "pods", "vault", "pods crash", "vault sealed", who="local"):
            recorder.record(record)
        recorder.flush()
        assert self.finished(searches) == ["pods crash", "vault sealed"]

    def test_after_a_pause_or_through_another_face_it_is_a_new_search(self, searches: FailingLog) -> None:
        recorder = Recorder(searches, now=lambda: NOW)
        slow = self.typed("disk", "disk quota", gap_s=11, who="ana")
        command = self.typed("vault", "vault sealed", who="ben", face=Face.CLI)
        for record in (*slow, *command):
            recorder.record(record)
        recorder.flush()
        assert self.finished(searches) == ["disk", "disk quota", "vault", "vault sealed"]

    def test_marks_that_could_not_be_written_are_made_up_for(self, searches: FailingLog) -> None:
        recorder = Recorder(searches, now=lambda: NOW)
        first, second = self.typed("disk", "disk quota")
        recorder.record(first)
        recorder.flush()
        searches.fails = True
        recorder.record(second)
        recorder.flush()
        searches.fails = False
        recorder.flush()
        assert self.finished(searches) == ["disk quota"]


@pytest.mark.parametrize(
    ("earlier", "later", "goes_on"),
    [
        ("kube pod", "kube pod crash", True),
        ("kube pod crash", "kube pod", True),
        ("kube pod crsah", "kube pod crash", True),
        ("kube pod crash", "kube node down", False),
        ("disk", "vault", False),
        ("a", "b", False),
        ("", "disk", True),
    ],
)
def test_a_text_goes_on_where_it_was_typed_from_the_other(earlier: str, later: str, goes_on: bool) -> None:
    assert is_continued(earlier, later) is goes_on
