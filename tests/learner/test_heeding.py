"""What people say of recommended actions settles close calls, and no more."""

from collections.abc import Callable
from datetime import timedelta

from kb.feedback_weight import Feedback
from kb.incident import ActionOutcome, Incident
from learner.distill import distill
from learner.heeding import heed, targets_of
from learner.recommend import Recommendation

Make = Callable[..., Incident]
Tries = dict[str, list[ActionOutcome]]
HELPED, FAILED = ActionOutcome.HELPED, ActionOutcome.DID_NOT_HELP


def recommended(make: Make, tries: Tries, *, by: tuple[str, ...] = ("ana", "ben")) -> Recommendation:
    incidents = []
    for text, outcomes in tries.items():
        for outcome in outcomes:
            number = len(incidents)
            incidents.append(make(number, actions=((text, outcome),), by=by[number % len(by)]))
    pattern = distill("pat-1", incidents, now=incidents[-1].started_at + timedelta(days=1))
    actions = tuple(stats for stats in pattern.actions if stats.worked)
    return Recommendation(True, "pat-1", pattern.name, 0.9, actions, (), (), None, None, ())


def names(found: Recommendation) -> list[str]:
    return [stats.name for stats in found.actions]


def test_what_was_said_is_shown_and_settles_a_close_call(incident: Make) -> None:
    found = recommended(incident, {"Restart consumer": [HELPED] * 4, "Add partitions": [HELPED] * 4})
    last = found.actions[-1]
    heard = heed(found, {last.key: Feedback(0.25, ("1 person said this helped",))})
    assert heard.actions[0] == last
    assert heard.said == {last.key: ("1 person said this helped",)}


def test_clear_evidence_is_not_overruled_by_any_number_of_voices(incident: Make) -> None:
    found = recommended(
        incident, {"Restart consumer": [HELPED] * 12, "Add partitions": [HELPED, HELPED] + [FAILED] * 6}
    )
    assert names(found) == ["Restart consumer", "Add partitions"]
    best, other = found.actions
    said = {best.key: Feedback(-0.99, ("500 people said this was wrong",)), other.key: Feedback(0.99, ("…",))}
    assert names(heed(found, said)) == ["Restart consumer", "Add partitions"]


def test_what_one_source_alone_saw_work_stays_behind(incident: Make) -> None:
    found = recommended(incident, {"Restart consumer": [HELPED] * 6})
    alone = recommended(incident, {"Add partitions": [HELPED] * 30}, by=("mallory",)).actions
    both = Recommendation(True, "pat-1", "x", 0.9, (*found.actions, *alone), (), (), None, None, ())
    heard = heed(both, {alone[0].key: Feedback(0.99, ("…",))})
    assert names(heard) == ["Restart consumer", "Add partitions"]


def test_with_nothing_said_the_recommendation_is_as_it_was(incident: Make) -> None:
    found = recommended(incident, {"Restart consumer": [HELPED] * 3})
    assert heed(found, {"another action": Feedback(0.5, ("…",))}) is found
    assert targets_of(found) == ("pat-1", found.actions[0].key)
