"""What only a database can show of the records: audit and events in the change's own transaction, no secret on the
disk, many writers, indexes that are used, and an older database brought up to date."""

import multiprocessing
import random
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import func, select

from kb.audit import AuditLog
from kb.database import Database, open_database, sqlite_url
from kb.errors import StorageUnavailable
from kb.feedback import NewOutcome, NewVote, Verdict
from kb.idempotency import RequestInFlight, keyed_request
from kb.incident import ActionOutcome, ActionTaken, Incident, IncidentStatus, Resolution
from kb.incident_records import IncidentPatch, IncidentQuery
from kb.once import Once
from kb.outbox import Outbox
from kb.pattern import ChangeKind, PatternChange
from kb.pattern_records import Assignment, Word, WordKind
from kb.principal import Face, Principal, Role
from kb.record_store import RecordChange, RecordStore
from kb.record_tables import answers, incidents
from kb.redact import redact
from kb.review_records import Decision, DraftKind, NewDraft, ReviewStatus
from kb.runbook_records import Journal
from kb.sql_records import SqlRecords

pytestmark = pytest.mark.integration

ANNA = Principal("anna", Role.RESPONDER, Face.HTTP)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def now() -> datetime:
    return datetime(2026, 3, 2, tzinfo=UTC)


def records(database: Database) -> SqlRecords:
    numbers = count(1)
    new_id = lambda: f"id-{next(numbers)}-{threading.get_ident()}"  # noqa: E731
    journal = Journal(AuditLog(database, now=now, redact=redact), Outbox(database, now=now, new_id=new_id), now, new_id)
    return SqlRecords(database, journal, redact=redact)


def incident(number: int, **more: object) -> Incident:
    told = Incident(
        id="",
        title=f"Incident {number}",
        started_at=NOON + timedelta(minutes=number),
        recorded_at=NOON,
        reported_by="",
        source="test",
        source_id=f"T-{number}",
    )
    return replace(told, **more)  # type: ignore[arg-type]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(sqlite_url(tmp_path / "kb.sqlite"))
    yield opened
    opened.close()


@pytest.fixture
def store(database: Database) -> RecordStore:
    return records(database)


class TestAuditAndEvents:
    def test_every_act_leaves_one_audit_line_and_one_event(self, database: Database, store: RecordStore) -> None:
        with store.change(ANNA) as change:
            one = change.incidents.add(incident(1)).stored.incident.id
            change.incidents.add(incident(1, service="orders"))
            change.incidents.add(incident(1))
            change.incidents.patch(one, IncidentPatch(assignee="anna"))
            change.incidents.add_note(one, "looking")
            change.patterns.assign([Assignment(one, "pat-a")])
            change.patterns.move({one: "pat-b"})
            change.patterns.record([PatternChange(ChangeKind.MERGED, "pat-a", ("pat-b",), 1, 1)])
            change.patterns.call({"pat-b": "disk full"})
            change.patterns.say(Word(WordKind.UNLEARN, (frozenset({one}),)))
            review = change.reviews.put(NewDraft("pat-b", DraftKind.PATTERN, "disk", "a" * 64, "e", 3))
            change.reviews.decide(review.id, Decision(ReviewStatus.APPROVED, "a" * 64))
            change.reviews.undo(review.id)
            change.feedback.vote(NewVote("disk#fix", one, Verdict.HELPED))
            change.feedback.withdraw("disk#fix", one)
            change.feedback.tell(NewOutcome(one, "disk#fix", ActionOutcome.HELPED))
            change.feedback.recurred(one, NOON)
        audit = AuditLog(database, now=now, redact=redact)
        lines = list(reversed(audit.latest(100)))
        acts = [line.action for line in lines]
        assert acts == [
            "incident.add",
            "incident.merge",
            "incident.edit",
            "incident.note",
            "pattern.assign",
            "pattern.move",
            "pattern.merged",
            "pattern.name",
            "pattern.unlearn",
            "review.open",
            "review.approved",
            "review.undone",
            "review.open",
            "feedback.vote",
            "feedback.withdraw",
            "feedback.outcome",
            "feedback.recurred",
        ]
        assert {(line.actor, line.face) for line in lines} == {("anna", "http")}
        events = Outbox(database, now=now, new_id=str).pending("anybody", limit=100)
        assert [event.payload["act"] for event in events] == acts
        assert {event.topic for event in events} == {
            "incident.changed",
            "pattern.changed",
            "review.changed",
            "feedback.changed",
        }
        assert audit.verify().first_bad_seq is None

    def test_a_change_that_changes_nothing_leaves_no_line(self, database: Database, store: RecordStore) -> None:
        with store.change(ANNA) as change:
            one = change.incidents.add(incident(1)).stored.incident.id
            change.patterns.assign([Assignment(one, "pat-a")])
        lines_before = AuditLog(database, now=now, redact=redact).head().seq
        with store.change(ANNA) as change:
            change.incidents.add(incident(1))
            change.incidents.patch(one, IncidentPatch(title="Incident 1"))
            change.patterns.assign([Assignment(one, "pat-b")])
            change.patterns.move({one: "pat-a"})
            change.patterns.record([])
            change.patterns.call({"pat-a": ""})
            change.feedback.withdraw("x", one)
            change.feedback.forget(before=NOON)
        assert AuditLog(database, now=now, redact=redact).head().seq == lines_before

    def test_a_change_that_fails_leaves_neither_line_nor_event(self, database: Database, store: RecordStore) -> None:
        def fail() -> None:
            with store.change(ANNA) as change:
                change.incidents.add(incident(1))
                raise RuntimeError("power cut")

        with pytest.raises(RuntimeError, match="power cut"):
            fail()
        assert AuditLog(database, now=now, redact=redact).head().seq == 0
        assert Outbox(database, now=now, new_id=str).pending("anybody") == []


class TestOnDisk:
    def test_no_secret_reaches_the_disk(self, database: Database, store: RecordStore, tmp_path: Path) -> None:
        canary = "kq7Zp3WmVx9TdR2s"
        text = f"PGPASSWORD={canary} psql"
        told = incident(
            1,
            title=text,
            description=f"curl -H 'Authorization: Bearer {canary}{canary}' https://x.example",
            labels={"password": canary, "note": text},
            metadata={"db": {"api_key": canary}, "url": f"postgres://app:{canary}@db/x"},
            resolution=Resolution(actions=(ActionTaken(text, command=f"mysql -p{canary} -u root"),)),
        )
        with store.change(ANNA) as change:
            one = change.incidents.add(told).stored.incident.id
            change.incidents.patch(one, IncidentPatch(impact=text, assignee=text))
            change.incidents.add_note(one, text)
            change.patterns.assign([Assignment(one, "pat-a")])
            change.patterns.say(Word(WordKind.RENAME, pattern_id="pat-a", name=text))
            change.patterns.call({"pat-a": text})
            change.feedback.vote(NewVote("disk#fix", one, Verdict.WRONG, note=text))
            change.feedback.tell(NewOutcome(one, "disk#fix", ActionOutcome.HELPED, note=text))
            review = change.reviews.put(NewDraft("pat-a", DraftKind.PATTERN, "disk", "a" * 64, "e", 3))
            change.reviews.decide(review.id, Decision(ReviewStatus.REJECTED, "a" * 64, reason=text))
        files = list(tmp_path.iterdir())
        assert any(file.name.endswith("-wal") for file in files)
        assert all(canary.encode() not in file.read_bytes() for file in files)
        with store.read() as view:
            assert view.incidents.get(one).incident.labels["password"] == "***"  # noqa: S105

    @pytest.mark.parametrize("column", ["source_key", "moment_key"])
    def test_duplicates_are_looked_up_by_index(self, database: Database, column: str) -> None:
        lookup = select(incidents).where(incidents.c[column].in_(["a", "b"]))
        literal = lookup.compile(compile_kwargs={"literal_binds": True})
        with database.read() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {literal}").all()
        assert "USING INDEX" in str(plan)

    def test_a_database_of_the_first_release_is_brought_up_to_date(self, tmp_path: Path) -> None:
        path = tmp_path / "old.sqlite"
        code = (
            "import sys; from sqlalchemy import create_engine\n"
            "from alembic import command; from kb import migrate\n"
            "engine = create_engine('sqlite:///' + sys.argv[1])\n"
            "with engine.begin() as connection:\n"
            "    config = migrate._config(); config.attributes['connection'] = connection\n"
            "    command.upgrade(config, '0001')\n"
        )
        subprocess.run([sys.executable, "-c", code, str(path)], check=True, cwd=Path(__file__).parents[2])
        with sqlite3.connect(path) as raw:
            raw.execute("INSERT INTO counters VALUES ('kept', 7)")
        raw.close()
        opened = open_database(sqlite_url(path))
        with records(opened).change(ANNA) as change:
            change.incidents.add(incident(1))
        with opened.read() as connection:
            assert connection.exec_driver_sql("SELECT value FROM counters WHERE name = 'kept'").scalar() == 7
            assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == "0004"
        opened.close()

    def test_what_was_kept_is_there_after_opening_again(self, tmp_path: Path) -> None:
        url = sqlite_url(tmp_path / "kb.sqlite")
        first = open_database(url)
        request = keyed_request(ANNA, "k", operation="o", body={})
        with records(first).change(ANNA) as change:
            kept = change.incidents.add(incident(1)).stored
            change.keys.remember(request, {"id": kept.incident.id})
        first.close()
        second = open_database(url)
        with records(second).read() as view:
            assert view.incidents.get(kept.incident.id) == kept
            found = view.keys.find(request)
        second.close()
        assert found is not None
        assert found.answer == {"id": kept.incident.id}

    def test_answers_beyond_the_limit_are_forgotten_oldest_first(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("kb.sql_feedback.KEPT_ROWS", 3)
        store = records(database)
        for number in range(5):
            with store.change(ANNA) as change:
                change.keys.remember(keyed_request(ANNA, f"k{number}", operation="o", body={}), number)
        with database.read() as connection:
            assert connection.execute(select(answers.c.answer).order_by(answers.c.seq)).scalars().all() == [2, 3, 4]


PROCESSES, THREADS, EACH = 4, 4, 12


def write_one(store: RecordStore, who: Principal, name: int) -> None:
    """An incident of one's own, and a change of the one that all have in common."""
    with store.change(who) as change:
        shared = change.incidents.add(incident(99_999, status=IncidentStatus.OPEN)).stored
        version = change.incidents.get(shared.incident.id).version
        change.incidents.patch(shared.incident.id, IncidentPatch(impact=f"{name}"), if_version=version)
        mine = change.incidents.add(incident(name)).stored.incident.id
        change.patterns.assign([Assignment(mine, "pat-shared")])
        change.keys.remember(keyed_request(ANNA, f"k{name}", operation="o", body={}), mine)


def write_patiently(store: RecordStore, who: Principal, name: int) -> None:
    """On a slow machine a turn may not come in time; then one tries again, as the error says."""
    for _ in range(10):
        with suppress(StorageUnavailable):
            return write_one(store, who, name)
    return write_one(store, who, name)


def write_beside_others(path: str, process: int) -> None:
    """One of the processes; ends with 1 when one of its threads fails."""
    database = open_database(sqlite_url(Path(path)), check=False)
    store = records(database)

    def write(thread: int) -> None:
        who = Principal(f"p{process}t{thread}", Role.RESPONDER, Face.HTTP)
        for number in range(EACH):
            write_patiently(store, who, process * 1000 + thread * 100 + number)

    with ThreadPoolExecutor(THREADS) as threads:
        for done in [threads.submit(write, thread) for thread in range(THREADS)]:
            done.result()
    database.close()


@pytest.mark.slow
def test_sixteen_writers_in_four_processes_lose_nothing(database: Database, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    path = str(tmp_path / "kb.sqlite")
    processes = [context.Process(target=write_beside_others, args=(path, number)) for number in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    writes = PROCESSES * THREADS * EACH
    with records(database).read() as view:
        shared = view.incidents.page(IncidentQuery(text="t-99999")).incidents[0]
        assert view.incidents.page(IncidentQuery()).total == writes + 1
        assert shared.version == writes + 1
        assert view.patterns.sizes() == {"pat-shared": writes}
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(answers)).scalar_one() == writes
        assert connection.execute(select(func.count()).select_from(incidents)).scalar_one() == writes + 1
    assert AuditLog(database, now=now, redact=redact).verify().first_bad_seq is None


@pytest.mark.slow
def test_many_threads_that_send_few_keys_again_and_again_have_each_done_once(
    database: Database, store: RecordStore
) -> None:
    keys, threads, posts = 20, 32, 20
    once = Once(store)
    refused = Counter[str]()
    answers_given: list[tuple[int, object]] = []

    def act(change: RecordChange, nonce: int) -> object:
        told = incident(nonce, source_id="", title=f"post {nonce}")  # every doing would be an incident of its own
        return change.incidents.add(told).stored.incident.id

    def post(thread: int) -> None:
        rng = random.Random(thread)
        for number in range(posts):
            key = rng.randrange(keys)
            request = keyed_request(ANNA, f"key-{key}", operation="o", body={"key": key})
            try:
                reply = once.answer(request, ANNA, prepare=lambda n=number: thread * 1000 + n, act=act)
                answers_given.append((key, reply.answer))
            except RequestInFlight:
                refused["in flight"] += 1

    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(post, thread) for thread in range(threads)]:
            done.result()
    with store.read() as view:
        assert view.incidents.page(IncidentQuery()).total == keys
    assert len(answers_given) + refused.total() == threads * posts
    assert len({answer for _, answer in answers_given}) == keys
    assert len(set(answers_given)) == keys
