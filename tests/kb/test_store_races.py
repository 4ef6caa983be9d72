"""Several processes, threads and editors on one folder and database: one wins, the others are told, nothing is lost."""

import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from kb.audit import AuditLog
from kb.database import Database, open_database, sqlite_url
from kb.errors import EditConflict
from kb.principal import DISK, Face, Principal, Role
from kb.runbook import RunbookType
from kb.runbook_store import NewRunbook
from kb.sql_runbook_store import SqlRunbookStore
from tests.kb.light_parse import parse_lightly

pytestmark = pytest.mark.integration

PROCESSES, ROUNDS = 4, 25
ANNA = Principal("anna", Role.ADMIN, Face.WEB)


def opened(folder: Path, name: str) -> tuple[Database, SqlRunbookStore]:
    numbers = count(1)
    database = open_database(sqlite_url(folder / "data" / "kb.sqlite"))
    store = SqlRunbookStore(
        database,
        folder / "runbooks",
        parse=parse_lightly,
        now=lambda: datetime.now(UTC),
        new_id=lambda: f"{name}x{next(numbers)}",
        redact=str,
        settle_s=0,
    )
    return database, store


@pytest.fixture
def ground(tmp_path: Path) -> Path:
    (tmp_path / "runbooks").mkdir()
    return tmp_path


@pytest.fixture
def store(ground: Path) -> Iterator[SqlRunbookStore]:
    database, store = opened(ground, "main")
    store.create(NewRunbook("a", RunbookType.STATIC, b"# A\n\nstart\n"), ANNA)
    yield store
    verdict = AuditLog(database, now=lambda: datetime.now(UTC), redact=str).verify()
    database.close()
    assert verdict.first_bad_seq is None


def race_with_one_etag(folder: str, number: int, barrier: Barrier, results: "multiprocessing.Queue[str]") -> None:
    database, store = opened(Path(folder), f"p{number}")
    me = Principal(f"writer-{number}", Role.ADMIN, Face.HTTP)
    for turn in range(ROUNDS):
        etag = store.get("a").etag
        barrier.wait(60)
        try:
            store.update("a", f"# A\n\nturn {turn} by {number}\n".encode(), me, if_match=etag)
            results.put(f"{turn} won {number}")
        except EditConflict:
            results.put(f"{turn} lost {number}")
        barrier.wait(60)
    database.close()


def test_of_a_hundred_racing_updates_exactly_one_wins_each_version(ground: Path, store: SqlRunbookStore) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(PROCESSES), context.Queue()
    racers = [
        context.Process(target=race_with_one_etag, args=(str(ground), number, barrier, results))
        for number in range(PROCESSES)
    ]
    for racer in racers:
        racer.start()
    told = sorted(results.get(timeout=120) for _ in range(PROCESSES * ROUNDS))
    for racer in racers:
        racer.join(60)
    won = [line.split() for line in told if " won " in line]
    assert [int(turn) for turn, _, _ in sorted(won, key=lambda line: int(line[0]))] == list(range(ROUNDS))
    assert len([line for line in told if " lost " in line]) == (PROCESSES - 1) * ROUNDS
    history = list(reversed(store.versions("a")))
    assert [version.number for version in history] == list(range(1, ROUNDS + 2))
    winners = {int(turn): f"writer-{number}" for turn, _, number in won}
    assert [version.author for version in history[1:]] == [winners[turn] for turn in range(ROUNDS)]
    assert (ground / "runbooks" / "static" / "a.md").read_bytes() == store.version_text("a", ROUNDS + 1)


def insist(store: SqlRunbookStore, number: int, times: int) -> None:
    """Read, change, write; again from the start when somebody else was faster."""
    for turn in range(times):
        while True:
            read = store.get("a")
            raw = f"{read.document.text}{number}.{turn}\n".encode()
            try:
                store.update("a", raw, ANNA, if_match=read.etag)
                break
            except EditConflict:
                continue


def test_threads_that_read_change_and_write_lose_no_line(store: SqlRunbookStore) -> None:
    threads = [threading.Thread(target=insist, args=(store, number, 10)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = store.get("a").document.text.splitlines()[3:]
    assert sorted(lines) == sorted(f"{number}.{turn}" for number in range(4) for turn in range(10))


def test_what_an_editor_saves_while_others_write_is_in_the_history(ground: Path, store: SqlRunbookStore) -> None:
    file, saved = ground / "runbooks" / "static" / "a.md", []
    stop = threading.Event()

    def edit() -> None:
        for turn in count():
            if stop.is_set():
                return
            raw = f"# A\n\nsaved by an editor, {turn}\n".encode()
            aside = file.with_name("aside.txt")
            aside.write_bytes(raw)
            os.replace(aside, file)
            saved.append(raw)
            while not stop.is_set() and file.read_bytes() == raw:  # save again only after somebody wrote over it
                time.sleep(0.001)

    editor = threading.Thread(target=edit)
    editor.start()
    written = [f"# A\n\nwritten through a face, {turn}\n".encode() for turn in range(60)]
    for raw in written:
        store.update("a", raw, ANNA, if_match=None)
    stop.set()
    editor.join()
    store.sync(DISK)
    kept = {store.version_text("a", version.number): version.author for version in store.versions("a")}
    assert len(saved) > 5
    assert [raw for raw in saved if kept.get(raw) != "disk"] == []
    assert [raw for raw in written if kept.get(raw) != "anna"] == []


def sync_often(folder: str, number: int, stop: "multiprocessing.synchronize.Event") -> None:
    database, store = opened(Path(folder), f"s{number}")
    while not stop.is_set():
        store.sync(DISK)
    database.close()


def test_syncs_of_other_processes_neither_double_nor_misattribute_a_write(ground: Path, store: SqlRunbookStore) -> None:
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    syncers = [context.Process(target=sync_often, args=(str(ground), number, stop)) for number in range(2)]
    for syncer in syncers:
        syncer.start()
    try:
        for turn in range(40):
            name = f"b-{turn % 3}"
            raw = f"# B\n\n{turn}\n".encode()
            live = {stored.document.id for stored in store.documents()}
            if name not in live:
                store.create(NewRunbook(name, RunbookType.STATIC, raw), ANNA)
            elif turn % 7 == 0:
                store.delete(name, ANNA, if_match=None)
            else:
                store.update(name, raw, ANNA, if_match=None)
    finally:
        stop.set()
        for syncer in syncers:
            syncer.join(60)
    assert [syncer.exitcode for syncer in syncers] == [0, 0]
    for name in ("b-0", "b-1", "b-2"):
        history = store.versions(name)
        assert {version.author for version in history} == {"anna"}
        assert [version.number for version in history] == list(range(len(history), 0, -1))
    assert sum(len(store.versions(name)) for name in ("b-0", "b-1", "b-2")) == 40
    assert store.sync(DISK).has_changes is False


def create_or_be_told(folder: str, number: int, barrier: Barrier, results: "multiprocessing.Queue[str]") -> None:
    from kb.errors import RunbookExists

    database, store = opened(Path(folder), f"c{number}")
    for turn in range(10):
        barrier.wait(60)
        try:
            store.create(NewRunbook(f"new-{turn}", RunbookType.STATIC, f"by {number}\n".encode()), ANNA)
            results.put("made")
        except RunbookExists:
            results.put("exists")
    database.close()


def test_two_who_create_the_same_runbook_get_one_runbook(ground: Path, store: SqlRunbookStore) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(2), context.Queue()
    makers = [
        context.Process(target=create_or_be_told, args=(str(ground), number, barrier, results)) for number in range(2)
    ]
    for maker in makers:
        maker.start()
    told = [results.get(timeout=120) for _ in range(20)]
    for maker in makers:
        maker.join(60)
    assert sorted(told) == ["exists"] * 10 + ["made"] * 10
    assert len(store.documents()) == 11
