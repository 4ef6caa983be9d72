"""Events that are written with the change they tell of, and read until they are acknowledged."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from kb.database import Database, open_database, sqlite_url
from kb.outbox import Announcement, Outbox

pytestmark = pytest.mark.integration

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(sqlite_url(tmp_path / "kb.sqlite"))
    yield opened
    opened.close()


@pytest.fixture
def outbox(database: Database) -> Outbox:
    numbers = count(1)
    return Outbox(database, now=lambda: NOON, new_id=lambda: f"event-{next(numbers)}")


def announce(outbox: Outbox, database: Database, *subjects: str) -> None:
    with database.write() as connection:
        notes = [Announcement("t", subject, {"n": 1}, NOON - timedelta(hours=1)) for subject in subjects]
        outbox.append(connection, notes)


def subjects(outbox: Outbox, consumer: str, limit: int = 100) -> list[str]:
    return [event.subject for event in outbox.pending(consumer, limit=limit)]


def test_events_are_pending_in_order_until_they_are_acknowledged(outbox: Outbox, database: Database) -> None:
    announce(outbox, database, "a", "b", "c")
    assert subjects(outbox, "index") == ["a", "b", "c"]
    outbox.ack("index", 2)
    assert subjects(outbox, "index") == ["c"]
    announce(outbox, database, "d")
    assert subjects(outbox, "index") == ["c", "d"]


def test_each_consumer_comes_along_at_its_own_pace(outbox: Outbox, database: Database) -> None:
    announce(outbox, database, "a", "b")
    outbox.ack("index", 2)
    assert subjects(outbox, "index") == []
    assert subjects(outbox, "notify") == ["a", "b"]


def test_an_event_that_was_not_acknowledged_comes_again_as_the_same(outbox: Outbox, database: Database) -> None:
    announce(outbox, database, "a")
    assert outbox.pending("index") == outbox.pending("index")
    (event,) = outbox.pending("index")
    assert (event.seq, event.event_id, event.payload) == (1, "event-1", {"n": 1})
    assert (event.event_time, event.recorded_at) == (NOON - timedelta(hours=1), NOON)


def test_acknowledging_less_than_before_changes_nothing(outbox: Outbox, database: Database) -> None:
    announce(outbox, database, "a", "b", "c")
    outbox.ack("index", 3)
    outbox.ack("index", 1)
    assert subjects(outbox, "index") == []


def test_an_event_exists_exactly_when_its_change_does(outbox: Outbox, database: Database) -> None:
    def change_and_fail() -> None:
        with database.write() as connection:
            outbox.append(connection, [Announcement("t", "a", {}, NOON)])
            raise LookupError

    with pytest.raises(LookupError):
        change_and_fail()
    assert subjects(outbox, "index") == []


def test_no_more_than_asked_for_are_given(outbox: Outbox, database: Database) -> None:
    announce(outbox, database, "a", "b", "c")
    assert subjects(outbox, "index", limit=2) == ["a", "b"]


def test_only_what_everybody_has_seen_is_forgotten_and_numbers_go_on(outbox: Outbox, database: Database) -> None:
    announce(outbox, database, "a", "b", "c")
    assert outbox.purge(before=NOON + timedelta(days=1)) == 0  # nobody has seen anything
    outbox.ack("index", 3)
    outbox.ack("notify", 1)
    assert outbox.purge(before=NOON) == 0  # not old enough
    assert outbox.purge(before=NOON + timedelta(days=1)) == 1
    assert subjects(outbox, "notify") == ["b", "c"]
    outbox.ack("notify", 3)
    outbox.purge(before=NOON + timedelta(days=1))
    announce(outbox, database, "d")
    assert [event.seq for event in outbox.pending("index")] == [4]


def test_what_nobody_has_seen_for_very_long_is_forgotten_too(outbox: Outbox, database: Database) -> None:
    announce(outbox, database, "a", "b", "c")
    later = NOON + timedelta(days=1)
    assert outbox.purge(before=later, unseen_before=NOON) == 0
    assert outbox.purge(before=NOON, unseen_before=later) == 2  # the newest stays, for the numbers to go on
    assert subjects(outbox, "index") == ["c"]
