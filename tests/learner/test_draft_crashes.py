"""The process dies at any step of drafting, of a decision or of taking one back: the next run makes good what is
missing, and the same is there in the end as if it had never died."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kb.audit import AuditLog
from kb.database import open_database, sqlite_url
from kb.markdown import parse_document
from kb.outbox import Outbox
from kb.record_store import RecordChange, RecordStore
from kb.review_records import ReviewDecided, ReviewStatus
from kb.runbook import ReviewState, RunbookType
from kb.runbook_records import Journal
from kb.runbook_store import NewRunbook, RunbookStore
from kb.sql_records import SqlRecords
from kb.sql_runbook_store import SqlRunbookStore
from learner.drafting import Drafter
from tests.learner.draft_stage import ANNA, HELPED, START, WORSE, Killed, Stage, new_stage

OPEN, APPROVED, REJECTED, UNDONE = ReviewStatus
ACTS = frozenset({"create", "update", "delete", "publish", "withdraw", "restore", "promote"})


class Mortal:
    """Counts down through the writes of both stores, and dies before or after the one that it was told."""

    def __init__(self) -> None:
        self.left = -1
        self.is_done_first = False

    def step(self, act: Callable[[], Any]) -> Any:
        self.left -= 1
        if self.left == 0 and not self.is_done_first:
            raise Killed
        done = act()
        if self.left == 0:
            raise Killed
        return done


class MortalRunbooks:
    def __init__(self, store: RunbookStore, fate: Mortal) -> None:
        self._store = store
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        act = getattr(self._store, name)
        if name not in ACTS:
            return act
        return lambda *args, **more: self._fate.step(lambda: act(*args, **more))


class MortalRecords:
    def __init__(self, store: RecordStore, fate: Mortal) -> None:
        self._store = store
        self._fate = fate
        self.read = store.read

    @contextmanager
    def change(self, principal: Any) -> Iterator[RecordChange]:
        opened = self._store.change(principal)
        change = opened.__enter__()
        try:
            yield change
            if self._fate.left == 1 and not self._fate.is_done_first:
                raise Killed
        except BaseException as exc:
            opened.__exit__(type(exc), exc, exc.__traceback__)
            raise
        self._fate.step(lambda: opened.__exit__(None, None, None))


def first_draft(stage: Stage) -> None:
    stage.learn("pat-a", 3)
    stage.drafter.run()


def approved(stage: Stage) -> None:
    first_draft(stage)
    stage.approve(stage.only_review())


def change_waiting(stage: Stage) -> None:
    approved(stage)
    stage.learn("pat-a", 3, actions=(("Restart the consumer", HELPED), ("Purge the queue", WORSE)))
    stage.drafter.run()


def patch_waiting(stage: Stage) -> None:
    stage.runbooks.create(_queues(), ANNA)
    stage.covers["pat-a"] = "queues"
    stage.learn("pat-a", 3)
    stage.drafter.run()


def more_evidence(stage: Stage) -> None:
    first_draft(stage)
    stage.learn("pat-a", 3, actions=(("Scale out", HELPED),))


def approve(stage: Stage) -> None:
    stage.approve(stage.only_review())


def reject(stage: Stage) -> None:
    stage.reject(stage.only_review())


def undo(stage: Stage) -> None:
    decided = [review for review in stage.all_reviews() if review.status is not OPEN]
    stage.reviews.undo(decided[-1].id, ANNA)


def learnt(stage: Stage) -> None:
    stage.learn("pat-a", 3)


def change_approved(stage: Stage) -> None:
    change_waiting(stage)
    approve(stage)


def patch_approved(stage: Stage) -> None:
    patch_waiting(stage)
    approve(stage)


def draft_rejected(stage: Stage) -> None:
    first_draft(stage)
    reject(stage)


def run(stage: Stage) -> None:
    stage.drafter.run()


STORIES: list[tuple[Callable[[Stage], None], Callable[[Stage], None]]] = [
    (learnt, run),
    (more_evidence, run),
    (first_draft, approve),
    (first_draft, reject),
    (change_waiting, approve),
    (change_waiting, reject),
    (patch_waiting, approve),
    (patch_waiting, reject),
    (approved, undo),
    (change_approved, undo),
    (patch_approved, undo),
    (draft_rejected, undo),
]
NAMES = [
    "open", "update", "approve", "reject", "approve-change", "reject-change", "approve-patch", "reject-patch",
    "undo-approval", "undo-change", "undo-patch", "undo-rejection",
]  # fmt: skip


@pytest.mark.parametrize(("before", "act"), STORIES, ids=NAMES)
def test_a_death_at_any_step_leaves_nothing_half_done(
    before: Callable[[Stage], None], act: Callable[[Stage], None]
) -> None:
    untouched, finished = outcome_of(before), outcome_of(before, act)
    deaths = 0
    for is_done_first in (False, True):
        for steps in range(1, 20):
            stage, fate = mortal_stage()
            before(stage)
            fate.left, fate.is_done_first = steps, is_done_first
            try:
                act(stage)
            except Killed:
                deaths += 1
            else:
                break
            fate.left = -1
            after = restarted(stage)
            after.drafter.run()
            assert state_of(after) in (untouched, finished)
            assert not after.drafter.run().has_changes
            repeat(act, after)
            after.drafter.run()
            assert state_of(after) == finished
        else:
            raise AssertionError("the act has no end")
    assert deaths >= 2


@pytest.mark.integration
@pytest.mark.parametrize(("before", "act"), [STORIES[0], STORIES[2], STORIES[6]], ids=["open", "approve", "patch"])
def test_the_same_on_a_disk_and_in_a_database(
    tmp_path: Path, before: Callable[[Stage], None], act: Callable[[Stage], None]
) -> None:
    finished = outcome_of(before, act)
    for steps in range(1, 20):
        with disk_stage(tmp_path / str(steps)) as (stage, fate):
            before(stage)
            fate.left = steps
            try:
                act(stage)
            except Killed:
                fate.left = -1
                stage.drafter.run()
                repeat(act, stage)
            else:
                break
            stage.drafter.run()
            assert state_of(stage) == finished


@pytest.mark.integration
def test_two_processes_on_one_database_open_each_review_once(tmp_path: Path) -> None:
    with disk_stage(tmp_path) as (stage, _):
        for name in "abcd":
            stage.learn(f"pat-{name}", 3, alerts=(f"Alert{name.upper()}",))
        drafters = [stage.drafter, stage.new_drafter(), stage.new_drafter()]
        gate = threading.Barrier(len(drafters))

        def race(drafter: Drafter) -> None:
            gate.wait()
            drafter.run()

        threads = [threading.Thread(target=race, args=(drafter,)) for drafter in drafters]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stage.drafter.run()
        assert sorted(review.draft.pattern_id for review in stage.all_reviews()) == [f"pat-{name}" for name in "abcd"]
        assert len(list((tmp_path / "runbooks").rglob("*.md"))) == 4


@pytest.mark.integration
def test_the_audit_tells_who_drafted_and_who_approved(tmp_path: Path) -> None:
    with disk_stage(tmp_path) as (stage, _):
        first_draft(stage)
        approve(stage)
    database = open_database(sqlite_url(tmp_path / "kb.sqlite"))
    lines = AuditLog(database, now=lambda: START, redact=str).latest()
    told = [(line.actor, line.action) for line in reversed(lines) if line.action.startswith("r")]
    database.close()
    assert told == [
        ("sre-kb learner", "review.open"),
        ("sre-kb learner", "runbook.added"),
        ("anna", "review.approved"),
        ("anna", "runbook.published"),
        ("anna", "review.finish"),
    ]


def repeat(act: Callable[[Stage], None], stage: Stage) -> None:
    """Whoever saw no answer tries again, and may learn that it was done."""
    waiting = [one for one in stage.all_reviews() if one.status is OPEN]
    if act in (approve, reject) and not waiting:
        return
    try:
        act(stage)
    except ReviewDecided:
        return


def outcome_of(*acts: Callable[[Stage], None]) -> object:
    stage = new_stage()
    for act in acts:
        act(stage)
    stage.drafter.run()
    return state_of(stage)


def state_of(stage: Stage) -> object:
    """What people see: texts and states of runbooks, and what waits or was decided last for each document."""
    runbooks = {
        stored.document.path: (stage.text(stored.document.id), stored.state) for stored in stage.runbooks.documents()
    }
    reviews = {
        (one.draft.pattern_id, one.draft.kind): (one.status, one.draft.text_sha256, one.is_pending, one.reviewer)
        for one in stage.all_reviews()
    }
    return runbooks, reviews


def restarted(stage: Stage) -> Stage:
    """The same stores under another process."""
    return Stage(stage.records, stage.runbooks, stage.files, at=stage.at, covers=stage.covers, numbers=stage.numbers)


def mortal_stage() -> tuple[Stage, Mortal]:
    stage, fate = new_stage(), Mortal()
    stage.runbooks = MortalRunbooks(stage.runbooks, fate)  # type: ignore[assignment]
    stage.records = MortalRecords(stage.records, fate)  # type: ignore[assignment]
    stage.__post_init__()
    return stage, fate


@contextmanager
def disk_stage(folder: Path) -> Iterator[tuple[Stage, Mortal]]:
    (folder / "runbooks").mkdir(parents=True)
    database = open_database(sqlite_url(folder / "kb.sqlite"))
    numbers = iter(range(1, 100_000))
    now, new_id = (lambda: START), (lambda: f"id{next(numbers):06}")
    journal = Journal(AuditLog(database, now=now, redact=str), Outbox(database, now=now, new_id=new_id), now, new_id)
    runbooks = SqlRunbookStore(
        database, folder / "runbooks", parse=parse_document, now=now, new_id=new_id, redact=str, settle_s=0
    )
    fate = Mortal()
    stage = Stage(
        MortalRecords(SqlRecords(database, journal, redact=str), fate),  # type: ignore[arg-type]
        MortalRunbooks(runbooks, fate),  # type: ignore[arg-type]
        {},
    )
    yield stage, fate
    database.close()


def _queues() -> NewRunbook:
    return NewRunbook("queues", RunbookType.STATIC, b"# Queues\n\nRead the log.\n")


def test_the_approver_is_named_although_the_process_died() -> None:
    stage, fate = mortal_stage()
    first_draft(stage)
    fate.left, fate.is_done_first = 1, True
    with pytest.raises(Killed):
        stage.approve(stage.only_review())
    assert stage.runbooks.get("queue-growing").state is ReviewState.DRAFT
    after = restarted(stage)
    assert after.drafter.run().settled == [after.all_reviews()[0].id]
    assert after.all_reviews()[0].reviewer == "anna"
    assert after.runbooks.get("queue-growing").state is ReviewState.PUBLISHED


@pytest.mark.parametrize(
    ("before", "act"),
    [
        (patch_waiting, approve),
        (change_waiting, approve),
        (first_draft, reject),
        (change_approved, undo),
        (draft_rejected, undo),
    ],
    ids=["approve-patch", "approve-change", "reject", "undo-change", "undo-rejection"],
)
def test_a_learner_that_carries_out_a_decision_at_the_same_moment_does_no_harm(
    before: Callable[[Stage], None], act: Callable[[Stage], None]
) -> None:
    finished = outcome_of(before, act)
    stage = new_stage()
    before(stage)
    others = [restarted(stage)]
    plain = stage.runbooks

    class Overtaken:
        """Before the first write, another process does all that is pending."""

        def __getattr__(self, name: str) -> Any:
            if name in ACTS and others:
                others.pop().drafter.run()
            return getattr(plain, name)

    stage.runbooks = Overtaken()  # type: ignore[assignment]
    stage.__post_init__()
    act(stage)
    assert others == []
    stage.drafter.run()
    assert state_of(stage) == finished
