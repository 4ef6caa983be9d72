"""Which runbook covers a pattern, by what a search found."""

from dataclasses import replace

import pytest

from kb.hits import Answer, Chunk, Hit, Reasons, RunbookCard
from kb.pattern import Pattern
from kb.runbook import ReviewState, RunbookType
from learner.covering import covering, main_alert
from tests.learner.draft_stage import new_stage

CARD = RunbookCard(
    id="queues",
    title="Queues",
    path="static/queues.md",
    anchor="",
    type=RunbookType.STATIC,
    state=ReviewState.PUBLISHED,
    severity=None,
    service="",
    alerts=(),
    tags=(),
    summary="",
    updated_at=None,
)


def hit(**more: object) -> Hit:
    card = replace(CARD, **more)  # type: ignore[arg-type]  # fields of a card, by name
    return Hit(card, Chunk(card.id, "", (), 0, 0, ""), 1.0, 0.9, 1, 1, "", Reasons((), ()))


def answer(*hits: Hit, near: tuple[Hit, ...] = (), drafts: tuple[Hit, ...] = ()) -> Answer:
    return Answer("s", "q", hits, near, drafts, bool(hits), "g", "", 0.0)


@pytest.fixture
def pattern() -> Pattern:
    stage = new_stage()
    stage.learn("pat-a", 3, alerts=("QueueGrowing",))
    return stage.pattern("pat-a")


def test_the_runbook_of_the_patterns_alert_covers_it_wherever_it_was_found(pattern: Pattern) -> None:
    other, own = hit(id="other"), hit(alerts=("queue_growing",))
    assert covering(pattern, answer(other, own)) == "queues"
    assert covering(pattern, answer(near=(other, own))) == "queues"


def test_without_one_of_that_name_the_confident_hit_covers_it(pattern: Pattern) -> None:
    assert covering(pattern, answer(hit(), hit(id="other"))) == "queues"
    assert covering(pattern, answer(near=(hit(),))) is None
    assert covering(pattern, answer()) is None


def test_a_hit_that_is_good_enough_to_read_is_not_good_enough_to_write_in(pattern: Pattern) -> None:
    assert covering(pattern, answer(replace(hit(), confidence=0.84))) is None
    assert covering(pattern, answer(replace(hit(), confidence=0.85))) == "queues"
    by_name = replace(hit(alerts=("QueueGrowing",)), confidence=0.1)
    assert covering(pattern, answer(by_name)) == "queues"


@pytest.mark.parametrize(
    "more",
    [
        {"state": ReviewState.DRAFT},
        {"state": ReviewState.RETIRED},
        {"type": RunbookType.TEMPLATE},
        {"type": RunbookType.DYNAMIC},
        {"tags": ("learned",)},
    ],
)
def test_what_waits_or_was_learned_of_another_pattern_covers_nothing(pattern: Pattern, more: dict[str, object]) -> None:
    assert covering(pattern, answer(hit(**more))) is None


def test_a_learned_runbook_of_the_same_alert_covers_the_pattern(pattern: Pattern) -> None:
    assert covering(pattern, answer(hit(type=RunbookType.DYNAMIC, alerts=("QueueGrowing",)))) == "queues"


def test_drafts_cover_nothing_even_by_name(pattern: Pattern) -> None:
    waiting = hit(state=ReviewState.DRAFT, alerts=("QueueGrowing",))
    assert covering(pattern, answer(waiting)) is None
    assert covering(pattern, answer(drafts=(waiting,))) is None


def test_the_main_alert_is_that_of_most_incidents(pattern: Pattern) -> None:
    assert main_alert(pattern) == "QueueGrowing"
    assert main_alert(replace(pattern, alerts=(("A", 2), ("B", 1)))) == "A"
    assert main_alert(replace(pattern, frequency=5, alerts=(("A", 2), ("B", 1)))) == ""
