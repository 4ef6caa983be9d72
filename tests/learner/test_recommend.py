"""What is said to an alert, out of what was recognised."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from kb.incident import ActionOutcome, Incident
from kb.pattern import Pattern
from learner.assign import Candidate, Grouping
from learner.distill import distill
from learner.recommend import choose, how_it_ended, likest, recommend
from learner.signature import sign

Make = Callable[..., Incident]
ACTS = (("Restart consumer", ActionOutcome.HELPED), ("Purge queue", ActionOutcome.MADE_WORSE))


def learnt(make: Make) -> Pattern:
    incidents = [make(n, actions=ACTS, by=by) for n, by in enumerate(["ana", "ben", "ana"])]
    return distill("pat-1", incidents, now=max(i.started_at for i in incidents) + timedelta(days=1))


def test_a_recommendation_tells_what_worked_and_what_to_beware_of(incident: Make) -> None:
    pattern = learnt(incident)
    ended = how_it_ended(incident(2, actions=ACTS), pattern, 0.9)
    found = recommend([Candidate("pat-1", 4.0, 3.0, 3)], pattern, (ended,))
    assert found.confident
    assert [stats.name for stats in found.actions] == ["Restart consumer"]
    assert [stats.name for stats in found.cautions] == ["Purge queue"]
    assert found.expected_s == 600
    assert [(one.incident_id, one.worked, one.success, one.similarity) for one in found.similar] == [
        ("inc-2", ("Restart consumer",), True, 0.9)
    ]


@pytest.mark.parametrize(
    ("candidate", "nearest"),
    [(Candidate("pat-1", 0.0, -0.1, 9), ("pat-1",)), (Candidate("pat-1", 4.0, 3.0, 2), ())],
)
def test_nothing_is_recommended_when_little_is_known(candidate: Candidate, nearest: tuple[str, ...]) -> None:
    assert choose([candidate]) is None
    found = recommend([candidate], None, ())
    assert (found.confident, found.pattern_id, found.actions, found.nearest) == (False, None, (), nearest)


def test_the_likest_incidents_come_from_the_likest_wording_and_the_latest_first(grouping: Grouping) -> None:
    for number in range(4):
        grouping.learn(f"q{number}", sign("Orders queue backlog keeps growing", ""), principal="ana")
    for number in range(4):
        grouping.learn(f"r{number}", sign("Orders queue backlog keeps growing on broker", ""), principal="ana")
    pattern_id = grouping.pattern_of("q0") or ""
    found = likest(grouping, grouping.read(sign("Orders queue backlog keeps growing", "")), pattern_id, but="q3")
    assert [incident_id for incident_id, _ in found][:3] == ["q2", "q1", "q0"]
    assert found[0][1] == pytest.approx(1.0)
    assert len(found) == 5
