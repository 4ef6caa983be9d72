"""The record of who did what, and finding out that somebody changed it."""

import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from kb.audit import GENESIS, AuditLog, AuditNote, Checkpoint
from kb.database import Database, open_database, sqlite_url
from kb.principal import Face, Principal, Role

pytestmark = pytest.mark.integration

ANNA = Principal("anna", Role.ADMIN, Face.WEB)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LINES = 40


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kb.sqlite"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    opened = open_database(sqlite_url(path))
    yield opened
    opened.close()


@pytest.fixture
def audit(database: Database) -> AuditLog:
    return AuditLog(database, now=lambda: NOON, redact=lambda text: text.replace("hunter2", "***"))


def note(number: int = 0, **details: str | int | None) -> AuditNote:
    return AuditNote(ANNA, "runbook.edited", f"runbook-{number}", details, NOON)


@pytest.fixture
def filled(audit: AuditLog, database: Database) -> AuditLog:
    with database.write() as connection:
        audit.append(connection, [note(number, version=number) for number in range(LINES)])
    return audit


def test_lines_are_numbered_and_chained_from_the_first(filled: AuditLog) -> None:
    lines = list(reversed(filled.latest(LINES)))
    assert [line.seq for line in lines] == list(range(1, LINES + 1))
    assert lines[0].prev_hash == GENESIS
    assert all(after.prev_hash == before.hash for before, after in pairwise(lines))
    verdict = filled.verify()
    assert (verdict.lines, verdict.first_bad_seq, verdict.head) == (LINES, None, Checkpoint(LINES, lines[-1].hash))


def test_the_chain_goes_on_over_transactions(filled: AuditLog) -> None:
    filled.record(note(99))
    assert filled.head().seq == LINES + 1
    assert filled.verify().first_bad_seq is None


def test_a_line_exists_exactly_when_its_change_does(audit: AuditLog, database: Database) -> None:
    def change_and_fail() -> None:
        with database.write() as connection:
            audit.append(connection, [note()])
            raise LookupError

    with pytest.raises(LookupError):
        change_and_fail()
    assert audit.head() == Checkpoint(0, GENESIS)


def test_secrets_and_forged_lines_do_not_get_in(audit: AuditLog) -> None:
    forger = Principal("eve\nroot", Role.AGENT, Face.MCP)
    audit.record(
        AuditNote(forger, "x", "a\x1b[2J\u202e\ud800\x00", {"note": "hunter2\nline", "n": 1, "none": None}, NOON)
    )
    (line,) = audit.latest()
    assert line.actor == "eve\\nroot"
    assert line.object == "a\\x1b[2J\\u202e\\ud800\\x00"
    assert json.loads(line.details) == {"note": "***\nline", "n": 1, "none": None}
    assert "\n" not in line.details
    assert audit.verify().first_bad_seq is None


def test_lines_of_one_object_can_be_asked_for(filled: AuditLog) -> None:
    filled.record(note(3, version=99))
    assert [json.loads(line.details)["version"] for line in filled.latest(object="runbook-3")] == [99, 3]


def edit(column: str, value: object) -> Callable[[sqlite3.Connection, int], int]:
    def tamper(raw: sqlite3.Connection, seq: int) -> int:
        raw.execute(f"UPDATE audit SET {column} = ? WHERE seq = ?", (value, seq))  # noqa: S608 - names from this file
        return seq

    return tamper


def delete(raw: sqlite3.Connection, seq: int) -> int:
    raw.execute("DELETE FROM audit WHERE seq = ?", (seq,))
    return seq


def delete_and_close_the_gap(raw: sqlite3.Connection, seq: int) -> int:
    raw.execute("DELETE FROM audit WHERE seq = ?", (seq,))
    raw.execute("UPDATE audit SET seq = -seq WHERE seq > ?", (seq,))
    raw.execute("UPDATE audit SET seq = -seq - 1 WHERE seq < 0")
    return seq


def insert(raw: sqlite3.Connection, seq: int) -> int:
    raw.execute("UPDATE audit SET seq = -seq WHERE seq >= ?", (seq,))
    raw.execute("UPDATE audit SET seq = -seq + 1 WHERE seq < 0")
    columns = "prev_hash, hash, actor, role, face, action, object, details, event_time, recorded_at"
    raw.execute(f"INSERT INTO audit SELECT ?, {columns} FROM audit WHERE seq = ?", (seq, seq + 1))  # noqa: S608
    return seq + 1


def swap(raw: sqlite3.Connection, seq: int) -> int:
    raw.execute("UPDATE audit SET seq = -1 WHERE seq = ?", (seq,))
    raw.execute("UPDATE audit SET seq = ? WHERE seq = ?", (seq, seq + 1))
    raw.execute("UPDATE audit SET seq = ? WHERE seq = -1", (seq + 1,))
    return seq


TAMPERS: dict[str, Callable[[sqlite3.Connection, int], int]] = {
    "actor": edit("actor", "somebody else"),
    "role": edit("role", "nonsense"),
    "face": edit("face", ""),
    "action": edit("action", "runbook.added"),
    "object": edit("object", "runbook-x"),
    "details": edit("details", "{}"),
    "event time": edit("event_time", "yesterday"),
    "record time": edit("recorded_at", "2026-01-01T12:00:01+00:00"),
    "hash": edit("hash", "0" * 64),
    "previous hash": edit("prev_hash", "0" * 63 + "1"),
    "delete": delete,
    "delete and close the gap": delete_and_close_the_gap,
    "insert": insert,
    "swap": swap,
}


@pytest.mark.parametrize("how", TAMPERS)
def test_the_first_line_that_was_tampered_with_is_found(filled: AuditLog, path: Path, how: str) -> None:
    rng = random.Random(how)
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("PRAGMA synchronous=OFF")
    for seq in rng.sample(range(2, LINES - 1), 15):
        raw.execute("BEGIN IMMEDIATE")
        raw.execute("CREATE TEMP TABLE kept AS SELECT * FROM audit")
        first_bad = TAMPERS[how](raw, seq)
        raw.execute("COMMIT")
        verdict = filled.verify()
        assert verdict.first_bad_seq == first_bad, (seq, verdict.reason)
        assert verdict.reason
        raw.execute("BEGIN IMMEDIATE")
        raw.execute("DELETE FROM audit")
        raw.execute("INSERT INTO audit SELECT * FROM kept")
        raw.execute("DROP TABLE kept")
        raw.execute("COMMIT")
    raw.close()
    assert filled.verify().first_bad_seq is None


def test_lines_cut_off_the_end_show_only_against_a_checkpoint(filled: AuditLog, path: Path) -> None:
    checkpoint = filled.head()
    raw = sqlite3.connect(path)
    raw.execute("DELETE FROM audit WHERE seq > 30")
    raw.commit()
    raw.close()
    assert filled.verify().first_bad_seq is None
    assert filled.verify(checkpoint).first_bad_seq == 31


def test_a_chain_written_anew_shows_against_a_checkpoint(database: Database, filled: AuditLog) -> None:
    checkpoint = Checkpoint(20, "f" * 64)
    assert filled.verify(checkpoint).first_bad_seq == 20


def test_a_checkpoint_that_holds_says_nothing_against_lines_after_it(filled: AuditLog) -> None:
    checkpoint = filled.head()
    filled.record(note())
    assert filled.verify(checkpoint).first_bad_seq is None
