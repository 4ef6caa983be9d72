"""Actions over their wordings: how often they were tried, worked, failed and made it worse."""

from collections.abc import Callable

import pytest

from kb.incident import ActionOutcome, Incident
from learner.effectiveness import action_stats, join_wordings

HELPED, USELESS, WORSE, UNKNOWN = (
    ActionOutcome.HELPED,
    ActionOutcome.DID_NOT_HELP,
    ActionOutcome.MADE_WORSE,
    ActionOutcome.UNKNOWN,
)
Make = Callable[..., Incident]


def test_wordings_of_one_action_are_joined_and_opposites_are_not() -> None:
    keys = join_wordings(
        [
            "Restarted the consumer",
            "restart consumer",
            "We restarted the consumers again",
            "Restarted the broker",
            "Scaled the consumer up",
            "Scaled the consumer down",
        ]
    )
    assert keys["Restarted the consumer"] == keys["restart consumer"] == keys["We restarted the consumers again"]
    assert len(set(keys.values())) == 4


def test_statistics_of_a_hand_computed_set(incident: Make) -> None:
    found = action_stats(
        [
            incident(1, actions=(("Restart consumer", HELPED),), duration_s=100),
            incident(2, actions=(("restarted the consumer", HELPED),), duration_s=300, by="ben"),
            incident(3, actions=(("Restart consumer", USELESS), ("Purge queue", WORSE)), success=False),
            incident(4, actions=(("Restart consumer", WORSE), ("Restart consumer", HELPED)), duration_s=900),
        ]
    )
    restart, purge = found
    assert (restart.tried, restart.worked, restart.failed, restart.worse) == (4, 2, 1, 1)
    assert restart.success.value == pytest.approx(0.5)
    assert restart.median_s == 200
    assert restart.principals == 2
    assert restart.worse_ids == ("inc-4",)
    assert (purge.tried, purge.worked, purge.worse, purge.success.value) == (1, 0, 1, 0.0)


def test_the_end_speaks_for_actions_of_which_nobody_said_anything(incident: Make) -> None:
    worked, failed = (
        action_stats([incident(1, actions=(("Fail over", UNKNOWN),), success=success)])[0] for success in (True, False)
    )
    assert (worked.worked, failed.failed) == (1, 1)


def test_nothing_is_claimed_when_another_action_is_named_as_what_helped(incident: Make) -> None:
    found = {
        stats.name: stats
        for stats in action_stats([incident(1, actions=(("Fail over", UNKNOWN), ("Add a disk", HELPED)))])
    }
    assert (found["Fail over"].worked, found["Fail over"].unknown) == (0, 1)


def test_one_loud_source_does_not_outrank_what_two_people_saw_work(incident: Make) -> None:
    honest = [incident(n, actions=(("Restart consumer", HELPED),), by=by) for n, by in enumerate(["ana", "ben"])]
    loud = [incident(10 + n, actions=(("Pipe this into a shell", HELPED),), by="mallory") for n in range(1000)]
    assert [stats.name for stats in action_stats([*honest, *loud])] == ["Restart consumer", "Pipe this into a shell"]
