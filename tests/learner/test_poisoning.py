"""Somebody who may report incidents wants more than that: to change what people approved, to have something run, to
drown the reviewers, or to win the searches of others. They get a draft that waits, at most."""

import random
import threading
from collections.abc import Iterator

import pytest

from kb.incident import ActionOutcome, ActionTaken, DiagnosisStep, Incident, Resolution
from kb.markdown import parse_document
from kb.memory_records import MemoryRecords
from kb.principal import Face, Principal, Role
from kb.review_records import DraftKind, ReviewStatus
from kb.runbook import ReviewState
from kb.severity import Severity
from learner.draft_rules import DraftRules
from learner.learner import Learner
from tests.learner.conftest import DIMENSION, embed_words
from tests.learner.draft_stage import EVE, HELPED, START, Stage, new_stage
from tests.learner.test_draft_law import HOSTILE

HOSTILE_INCIDENTS = 1000
ATTACKER = Principal("mallory", Role.RESPONDER, Face.HTTP)


def hostile_incidents(count: int) -> Iterator[Incident]:
    """Everything at once: commands, Markdown, HTML, fences, front matter, prompts, huge fields, deceiving signs; half
    of them copy the words and the alert of somebody else's pattern."""
    chance = random.Random(20260504)
    for number in range(count):
        bad = lambda: chance.choice(HOSTILE)  # noqa: E731 - drawn anew each time
        copies = number % 2 == 0
        yield Incident(
            id="",
            title="Checkout queue is growing" if copies else f"{bad()} {chance.choice('abcdef') * 4}",
            description=bad() * chance.choice([1, 1, 40]),
            started_at=START,
            recorded_at=START,
            reported_by="anna",
            severity=Severity.CRITICAL,
            service=bad(),
            alerts=("QueueGrowing",) if copies else (bad(), "KubePodCrashLooping"),
            symptoms=(bad(), bad()),
            trigger=bad(),
            impact=bad(),
            diagnosis=tuple(DiagnosisStep(bad(), bad(), bad()) for _ in range(3)),
            resolution=Resolution(
                tuple(ActionTaken(bad(), bad(), ActionOutcome.HELPED, (bad(),)) for _ in range(3)),
                success=True,
                resolved_by="anna",
                confirmed="approved: true",
            ),
            lessons=(bad(), "approved: true", "executable: true"),
            prevention=(bad(),),
            duration_s=1.0,
            source="test",
            source_id=f"M-{number}",
            metadata={"approved": True, "steps": [{"run": "ls"}]},
        )


@pytest.fixture(scope="module")
def poisoned() -> tuple[Stage, dict[str, bytes]]:
    """A year of an approved runbook and a static one, and then a thousand hostile incidents with a real learner; the
    second value is the folder as it was before."""
    stage = new_stage()
    assert isinstance(stage.records, MemoryRecords)
    learner = Learner(stage.records, embed_words, dimension=DIMENSION, now=stage.now)
    learner.open()
    for number in range(8):
        learner.learn([friendly(number)], (EVE, Principal("ben", Role.RESPONDER, Face.WEB))[number % 2])
    stage.edit_on_disk("static/pods.md", "---\nalerts: [KubePodCrashLooping]\n---\n# Pods\n\nLook.\n")
    stage.patterns = learner.patterns  # type: ignore[method-assign]
    stage.pattern = learner.pattern  # type: ignore[method-assign]
    stage.__post_init__()
    stage.drafter.run()
    stage.approve(stage.only_review())
    before = dict(stage.files)
    batch = list(hostile_incidents(HOSTILE_INCIDENTS))
    for start in range(0, len(batch), 100):
        learner.learn(batch[start : start + 100], ATTACKER)
        learner.recluster_if_due()
    learner.settle()
    for _ in range(10):
        stage.drafter.run()
        stage.turn(days=1)
    return stage, before


def friendly(number: int) -> Incident:
    return Incident(
        id="",
        title="Checkout queue is growing",
        started_at=START,
        recorded_at=START,
        reported_by="",
        severity=Severity.HIGH,
        alerts=("QueueGrowing",),
        diagnosis=(DiagnosisStep("Look at the consumer lag"),),
        resolution=Resolution((ActionTaken("Restart the consumer", outcome=HELPED),), success=True),
        source="test",
        source_id=f"F-{number}",
    )


def test_no_text_that_people_approved_or_wrote_changes(poisoned: tuple[Stage, dict[str, bytes]]) -> None:
    stage, before = poisoned
    assert {path: stage.files[path] for path in before} == before
    states = {stored.document.path: stored.state for stored in stage.runbooks.documents()}
    assert states["dynamic/patterns/queue-growing.md"] is ReviewState.PUBLISHED


def test_everything_hostile_is_a_draft_in_which_nothing_runs(poisoned: tuple[Stage, dict[str, bytes]]) -> None:
    stage, before = poisoned
    drafts = {path: raw for path, raw in stage.files.items() if path not in before}
    assert drafts
    for path, raw in drafts.items():
        assert path.startswith("dynamic/")
        document = parse_document(raw, path=path)
        assert stage.runbooks.get(document.id).state is ReviewState.DRAFT
        body = raw.decode().split("---\n", 2)[2]
        assert "```" not in body
        assert "~~~" not in body
        (runbook,) = document.runbooks
        assert (runbook.steps, runbook.owner, runbook.runbook_urls) == ((), "", ())
        assert not [command for part in runbook.sections for command in part.commands]
        assert not [link for part in runbook.sections for link in part.links]
    for review in stage.all_reviews():
        document = parse_document(review.draft.text.encode(), path="static/x.md")
        assert [one.steps for one in document.runbooks] == [()] * len(document.runbooks)


def test_reviewers_are_not_drowned(poisoned: tuple[Stage, dict[str, bytes]]) -> None:
    stage, _ = poisoned
    waiting = [review for review in stage.all_reviews() if review.status is ReviewStatus.OPEN]
    assert len(waiting) <= DraftRules().max_of_one_source + 1
    assert len({(review.draft.pattern_id, review.draft.kind) for review in waiting}) == len(waiting)


def test_one_principals_word_is_no_more_than_one_persons(poisoned: tuple[Stage, dict[str, bytes]]) -> None:
    stage, _ = poisoned
    alone = [pattern for pattern in stage.patterns() if pattern.evidence.principals == ("mallory",)]
    assert alone
    assert all(pattern.confidence.value <= 0.6 for pattern in alone)


def test_the_update_of_an_approved_runbook_waits_and_says_what_would_change(
    poisoned: tuple[Stage, dict[str, bytes]],
) -> None:
    stage, _ = poisoned
    for review in stage.all_reviews():
        if review.draft.base_sha256:
            assert review.status is ReviewStatus.OPEN
            assert stage.reviews.page(review.id).diff


def test_a_draft_is_opened_once_however_many_learners_run_at_once() -> None:
    stage = new_stage()
    for name in "abcdef":
        stage.learn(f"pat-{name}", 3, alerts=(f"Alert{name.upper()}",))
    drafters = [stage.new_drafter() for _ in range(6)]
    gate = threading.Barrier(len(drafters))

    def race(number: int) -> None:
        gate.wait()
        drafters[number].run()

    threads = [threading.Thread(target=race, args=(number,)) for number in range(len(drafters))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stage.drafter.run()
    reviews = stage.all_reviews()
    assert sorted(review.draft.pattern_id for review in reviews) == [f"pat-{name}" for name in "abcdef"]
    assert {review.draft.kind for review in reviews} == {DraftKind.PATTERN}
    assert len(stage.files) == 6
    assert not stage.drafter.run().has_changes
