"""The contracts of `SearchLog` and `Pins` on the in-memory twins, on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from kb.audit import AuditLog
from kb.database import Database, open_database, sqlite_url
from kb.memory_logs import MemoryPins, MemorySearchLog
from kb.pins import Pins, SqlPins
from kb.search_log import SearchLog, SqlSearchLog
from tests.contracts.pins_contract import ANNA, NOON, PinsContract
from tests.contracts.search_log_contract import SearchLogContract


def redact(text: str) -> str:
    return text.replace("hunter2", "***")


def sql_search_log(database: Database) -> SqlSearchLog:
    numbers = count(1)
    return SqlSearchLog(database, new_id=lambda: f"e{next(numbers):04}", redact=redact)


def sql_pins(database: Database) -> SqlPins:
    return SqlPins(database, AuditLog(database, now=lambda: NOON, redact=redact), now=lambda: NOON)


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    database = open_database(sqlite_url(tmp_path / "kb.sqlite"))
    yield database
    database.close()


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[Database]:
    database = open_database(postgres_url)
    yield database
    database.close()


class TestMemorySearchLog(SearchLogContract):
    @pytest.fixture
    def log(self) -> SearchLog:
        return MemorySearchLog(redact=redact)


@pytest.mark.integration
class TestSqlSearchLogOnSqlite(SearchLogContract):
    @pytest.fixture
    def log(self, sqlite: Database) -> SearchLog:
        return sql_search_log(sqlite)


@pytest.mark.integration
class TestSqlSearchLogOnPostgres(SearchLogContract):
    @pytest.fixture
    def log(self, postgres: Database) -> SearchLog:
        return sql_search_log(postgres)


class TestMemoryPins(PinsContract):
    @pytest.fixture
    def pins(self) -> Pins:
        return MemoryPins(now=lambda: NOON)


@pytest.mark.integration
class TestSqlPinsOnSqlite(PinsContract):
    @pytest.fixture
    def pins(self, sqlite: Database) -> Pins:
        return sql_pins(sqlite)

    def test_who_pinned_and_unpinned_is_in_the_audit(self, sqlite: Database) -> None:
        pins = sql_pins(sqlite)
        pins.pin("A", "x", ANNA, note="password hunter2")
        pins.unpin("A", ANNA)
        lines = AuditLog(sqlite, now=lambda: NOON, redact=redact).latest()
        assert [(line.action, line.object, line.details) for line in lines] == [
            ("pin.remove", "A", '{"runbook_id":"x"}'),
            ("pin.set", "A", '{"note":"password ***","runbook_id":"x"}'),
        ]


@pytest.mark.integration
class TestSqlPinsOnPostgres(PinsContract):
    @pytest.fixture
    def pins(self, postgres: Database) -> Pins:
        return sql_pins(postgres)
