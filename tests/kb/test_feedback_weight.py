"""What votes and outcomes come to: bounded for each person, fading, and told in plain words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.feedback import FORGOTTEN_AFTER, HALF_LIFE, NewOutcome, NewVote, Outcome, Verdict, Vote
from kb.feedback_weight import feedback_by_target
from kb.incident import ActionOutcome

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HELPED, FAILED, WORSE = ActionOutcome.HELPED, ActionOutcome.DID_NOT_HELP, ActionOutcome.MADE_WORSE


def vote(
    who: str, verdict: Verdict, target: str = "disk-full", *, case: str = "c", age: timedelta = timedelta()
) -> Vote:
    return Vote(NewVote(target, case, verdict), who, NOW - age)


def used(
    who: str, incident: int, outcome: ActionOutcome, *, recurred: bool = False, age: timedelta = timedelta()
) -> Outcome:
    told = NewOutcome(f"inc-{incident}", "disk-full", outcome)
    return Outcome(told, who, NOW - age, NOW if recurred else None)


def value(votes: list[Vote] = [], outcomes: list[Outcome] = []) -> float:  # noqa: B006  # never changed
    return feedback_by_target(votes, outcomes, now=NOW)["disk-full"].value


def test_one_vote_of_today_beside_three_neutral_voices() -> None:
    assert value([vote("ana", Verdict.HELPED)]) == 0.25
    assert value([vote("ana", Verdict.WRONG)]) == -0.25
    assert value([vote("ana", Verdict.OUTDATED)]) == -0.125


def test_a_vote_weighs_half_after_a_half_life_and_nothing_once_forgotten() -> None:
    assert value([vote("ana", Verdict.HELPED, age=HALF_LIFE)]) == pytest.approx(0.5 / 3.5)
    assert feedback_by_target([vote("ana", Verdict.HELPED, age=FORGOTTEN_AFTER * 1.01)], [], now=NOW) == {}


def test_a_person_has_one_voice_on_a_runbook_however_many_sections_and_cases_they_vote_on() -> None:
    many = [vote("ana", Verdict.WRONG, f"disk-full#s{n}", case=f"c{n}") for n in range(200)]
    assert value(many) == -0.25


def test_many_incidents_of_one_person_are_one_voice() -> None:
    assert value(outcomes=[used("ana", n, HELPED) for n in range(500)]) == 0.25
    mixed = [
        used("ana", 1, HELPED),
        used("ana", 2, HELPED),
        used("ana", 3, HELPED, recurred=True),
        used("ana", 4, WORSE),
    ]
    assert value(outcomes=mixed) == pytest.approx((1 + 1 - 0.5 - 1) / 4 / 4)


@given(st.lists(st.builds(vote, st.sampled_from("abc"), st.sampled_from(Verdict)), max_size=9), st.randoms())
def test_the_order_in_which_votes_come_does_not_matter(cast: list[Vote], random: Any) -> None:
    unlike = [Vote(one.vote, one.principal, NOW - timedelta(days=n)) for n, one in enumerate(cast)]
    told = feedback_by_target(unlike, [], now=NOW)
    random.shuffle(unlike)
    assert feedback_by_target(unlike, [], now=NOW) == told


def test_people_who_agree_weigh_more() -> None:
    assert value([vote(f"p{n}", Verdict.HELPED) for n in range(9)]) == 0.75
    assert value([vote("ana", Verdict.HELPED), vote("ben", Verdict.WRONG)]) == 0.0


def test_the_reasons_say_how_many_people_and_how_incidents_ended() -> None:
    votes = [vote("ana", Verdict.HELPED), vote("ben", Verdict.HELPED), vote("cem", Verdict.OUTDATED)]
    uses = [used("ana", n, HELPED, recurred=n == 0) for n in range(7)] + [used("ben", 7, FAILED), used("ben", 8, WORSE)]
    found = feedback_by_target(votes, uses, now=NOW)["disk-full"]
    assert found.notes == (
        "2 people said this helped",
        "1 person said this is outdated",
        "resolved 7 of 9 incidents, recurred once, made it worse once",
    )


def test_of_two_who_tell_of_one_incident_the_latest_is_told() -> None:
    uses = [used("ana", 1, HELPED, age=timedelta(days=1)), used("ben", 1, FAILED)]
    assert feedback_by_target([], uses, now=NOW)["disk-full"].notes == ("resolved 0 of 1 incident",)


def test_what_nobody_knows_the_end_of_says_nothing() -> None:
    assert feedback_by_target([], [used("ana", 1, ActionOutcome.UNKNOWN)], now=NOW) == {}


people = st.sampled_from(["ana", "ben", "cem"])
ages = st.integers(0, 800).map(lambda days: timedelta(days=days))
votes = st.lists(
    st.builds(
        vote,
        people,
        st.sampled_from(Verdict),
        st.sampled_from(["disk-full", "disk-full#fix"]),
        case=st.text(),
        age=ages,
    )
)
uses = st.lists(
    st.builds(used, people, st.integers(0, 30), st.sampled_from(ActionOutcome), recurred=st.booleans(), age=ages)
)


@given(votes=votes, uses=uses, hostile_votes=votes, hostile_uses=uses)
def test_whatever_one_person_says_moves_a_runbook_by_a_bounded_share(
    votes: list[Vote], uses: list[Outcome], hostile_votes: list[Vote], hostile_uses: list[Outcome]
) -> None:
    theirs = [Vote(one.vote, "mallory", one.event_time) for one in hostile_votes]
    told = [Outcome(one.outcome, "mallory", one.event_time, one.recurred_at) for one in hostile_uses]

    def of(cast: list[Vote], ends: list[Outcome]) -> float:
        found = feedback_by_target(cast, ends, now=NOW).get("disk-full")
        return 0.0 if found is None else found.value

    before, after = of(votes, uses), of([*votes, *theirs], [*uses, *told])
    assert -1 < after < 1
    assert abs(after - before) <= 2 * (1 + abs(before)) / 5 + 1e-9  # two voices among at least three others
