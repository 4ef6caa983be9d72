"""Keyed requests to the records, killed and sent again: run as a process of its own by `test_record_crash.py`.

    record_crash_child.py FOLDER KILLS SEED

Every writer sends requests 1, 2, 3 … under keys of its own and notes each answer in `FOLDER/acks-WRITER` before the
next. After a kill it begins with the first that has no answer: whether that one was done nobody knows. Everything a
request does differs each time it is done, so what is done twice shows. Exits with 1 and a reason when a promise broke.
"""

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path

from sqlalchemy import func, select

from kb.audit import AuditLog
from kb.database import Database, open_database, sqlite_url
from kb.idempotency import KeyedRequest, keyed_request
from kb.incident import ActionTaken, Incident, Resolution
from kb.once import Once
from kb.outbox import Outbox
from kb.pattern_records import Assignment
from kb.principal import Face, Principal, Role
from kb.record_store import RecordChange
from kb.record_tables import answers, assignments, incident_notes, incidents
from kb.redact import redact
from kb.runbook_records import Journal
from kb.sql_records import SqlRecords
from kb.tables import audit, outbox
from tests.kb.crash_child import forked

ANNA = Principal("anna", Role.RESPONDER, Face.HTTP)
WRITERS = 4
PATTERNS = 7
FULL_CHECK_EVERY = 20


def now() -> datetime:
    return datetime.now(UTC)


def opened(folder: Path) -> tuple[Database, SqlRecords]:
    numbers = count(1)
    database = open_database(sqlite_url(folder / "data" / "kb.sqlite"), check=False)

    def new_id() -> str:
        return f"{os.getpid()}x{time.monotonic_ns()}x{next(numbers)}"

    journal = Journal(AuditLog(database, now=now, redact=redact), Outbox(database, now=now, new_id=new_id), now, new_id)
    return database, SqlRecords(database, journal, redact=redact)


def request_of(writer: int, number: int) -> KeyedRequest:
    return keyed_request(ANNA, f"w{writer}-{number}", operation="POST /runbooks/learn", body={"number": number})


def learn(writer: int, number: int, change: RecordChange, nonce: str) -> object:
    """What a request does; never twice the same."""
    incident = Incident(
        id="",
        title=f"w{writer} n{number}",
        description=nonce,
        started_at=now(),
        recorded_at=now(),
        reported_by="",
        resolution=Resolution(actions=(ActionTaken("restarted it"),), success=number % 3 > 0),
    )
    stored = change.incidents.add(incident).stored
    change.patterns.assign([Assignment(stored.incident.id, f"pat-{number % PATTERNS}")])
    change.incidents.add_note(stored.incident.id, nonce)
    return {"id": stored.incident.id, "nonce": nonce}


def answered(folder: Path, writer: int) -> list[dict[str, str]]:
    file = folder / f"acks-{writer}"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def send(folder: Path, writer: int, last: int | None) -> None:
    """Send from the first unanswered request on, up to `last` or for ever."""
    _, store = opened(folder)
    once = Once(store)
    acks = os.open(folder / f"acks-{writer}", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for number in count(len(answered(folder, writer)) + 1):
        if last is not None and number > last:
            return
        nonce = f"{os.getpid()}-{time.monotonic_ns()}"
        reply = once.answer(
            request_of(writer, number), ANNA, prepare=lambda nonce=nonce: nonce, act=partial(learn, writer, number)
        )
        os.write(acks, (json.dumps(reply.answer) + "\n").encode())


def faults(folder: Path, *, full: bool, all_answered: bool) -> list[str]:
    """What is wrong now; nothing, when the promises hold."""
    database, store = opened(folder)
    wrong = [*half_changes(database), *broken_promises(folder, store, all_answered)]
    if full:
        wrong += deep_faults(database)
    database.close()
    return wrong


def half_changes(database: Database) -> list[str]:
    """Each request writes one row into each of four tables, and the journals have no gap."""
    wrong = []
    with database.read() as connection:
        tables = (incidents, assignments, incident_notes, answers)
        counts = {t.name: connection.execute(select(func.count()).select_from(t)).scalar_one() for t in tables}
        if len(set(counts.values())) != 1:
            wrong.append(f"half a change: {counts}")
        for table in (audit, outbox):
            last, lines = connection.execute(select(func.max(table.c.seq), func.count(table.c.seq))).one()
            if (last or 0) != lines:
                wrong.append(f"{table.name} has {lines} lines up to {last}")
    return wrong


def broken_promises(folder: Path, store: SqlRecords, all_answered: bool) -> list[str]:
    """Every answer that was given still holds, nothing was done twice, the statistics are those of a recount."""
    kept: dict[str, str] = {}
    wrong = []
    with store.read() as view:
        for one in view.incidents.learnt(limit=10**9):
            incident = one.stored.incident
            if incident.title in kept:
                wrong.append(f"{incident.title} was done twice")
            if incident.resolution is None:
                wrong.append(f"half an incident: {incident.title}")
            kept[incident.title] = incident.id
        sizes = view.patterns.sizes()
    recount = Counter(f"pat-{int(title.rsplit('n', 1)[1]) % PATTERNS}" for title in kept)
    if sizes != recount:
        wrong.append(f"sizes {sizes} but {recount}")
    acks = {(writer, at): ack for writer in range(WRITERS) for at, ack in enumerate(answered(folder, writer), 1)}
    for (writer, number), ack in acks.items():
        if kept.get(f"w{writer} n{number}") != ack["id"]:
            wrong.append(f"lost: w{writer} n{number}")
    if not 0 <= len(kept) - len(acks) <= (0 if all_answered else WRITERS):
        wrong.append(f"{len(kept)} done, {len(acks)} answered")
    return wrong


def deep_faults(database: Database) -> list[str]:
    with database.read() as connection:
        verdict = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
    wrong = [] if verdict == "ok" else [f"integrity: {verdict}"]
    chain = AuditLog(database, now=now, redact=redact).verify()
    return wrong if chain.first_bad_seq is None else [*wrong, f"audit: {chain}"]


def checked(folder: Path, kills: int, *, full: bool, all_answered: bool = False) -> None:
    """Check in a child, so that this process never has the database open when it forks."""

    def check() -> None:
        wrong = faults(folder, full=full, all_answered=all_answered)
        if wrong:
            raise AssertionError(wrong[:5])

    if os.waitpid(forked(check), 0)[1] != 0:
        sys.exit(f"after {kills} kills")


def main(arguments: Sequence[str]) -> None:
    folder, kills, seed = Path(arguments[0]), int(arguments[1]), int(arguments[2])
    rng = random.Random(seed)
    opened(folder)[0].close()  # imports and migrates once; every writer is a fork
    for kill in range(1, kills + 1):
        children = [forked(partial(send, folder, writer, None)) for writer in range(WRITERS)]
        time.sleep(rng.uniform(0.02, 0.5))
        for child in children:
            os.kill(child, signal.SIGKILL)
        for child in children:
            if not os.WIFSIGNALED(os.waitpid(child, 0)[1]):
                sys.exit(f"a writer ended by itself before kill {kill}")
        checked(folder, kill, full=kill % FULL_CHECK_EVERY == 0)
    last = max(len(answered(folder, writer)) for writer in range(WRITERS)) + 1
    for writer in range(WRITERS):
        if os.waitpid(forked(partial(send, folder, writer, last)), 0)[1] != 0:
            sys.exit("a writer failed at the end")
    checked(folder, kills, full=True, all_answered=True)
    print(f"{WRITERS * last} requests", flush=True)  # noqa: T201 - read by the test


if __name__ == "__main__":
    main(sys.argv[1:])
