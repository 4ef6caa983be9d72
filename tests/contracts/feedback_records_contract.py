"""What every store of records does with votes, outcomes and answered requests. Adapters inherit and say how a bench is
made."""

import threading
from datetime import timedelta

import pytest

from kb.errors import InvalidInput
from kb.feedback import NewOutcome, NewVote, TooManyVotes, Verdict
from kb.idempotency import GivenAnswer, KeyedRequest, KeyReused, RequestInFlight, keyed_request
from kb.incident import ActionOutcome
from kb.incident_records import IncidentNotFound, IncidentQuery
from kb.once import Once, Reply
from kb.record_store import RecordChange
from tests.contracts.records_bench import ANNA, BEN, HOUR, NOON, RecordsBench, told_apart

HELPED, WRONG, OUTDATED = Verdict
FIX = "disk-full#fix"


class FeedbackRecordsContract:
    """Inherit, and give a `bench` fixture whose store masks `hunter2`."""

    @pytest.fixture
    def bench(self) -> RecordsBench:
        raise NotImplementedError

    def test_a_person_has_one_vote_on_a_target_in_a_case(self, bench: RecordsBench) -> None:
        with bench.store.change(ANNA) as change:
            change.feedback.vote(NewVote(FIX, "inc-1", WRONG))
        bench.clock.turn(HOUR)
        with bench.store.change(ANNA) as change:
            change.feedback.vote(NewVote(FIX, "inc-1", HELPED, "after hunter2"))
            change.feedback.vote(NewVote(FIX, "inc-2", OUTDATED))
        with bench.store.change(BEN) as change:
            change.feedback.vote(NewVote(FIX, "inc-1", WRONG))
            change.feedback.vote(NewVote("other", "inc-1", WRONG))
        with bench.store.read() as view:
            votes = view.feedback.votes(target=FIX)
            assert len(view.feedback.votes()) == 4
        cast = {(vote.principal, vote.vote.case): (vote.vote.verdict, vote.vote.note) for vote in votes}
        assert cast == {
            ("anna", "inc-1"): (HELPED, "after ***"),
            ("anna", "inc-2"): (OUTDATED, ""),
            ("ben", "inc-1"): (WRONG, ""),
        }
        assert {vote.event_time for vote in votes} == {bench.clock.at}

    def test_a_vote_can_be_taken_back_by_whoever_cast_it(self, bench: RecordsBench) -> None:
        with bench.store.change(ANNA) as change:
            change.feedback.vote(NewVote(FIX, "inc-1", WRONG))
        with bench.store.change(BEN) as change:
            assert change.feedback.withdraw(FIX, "inc-1") is False
        with bench.store.change(ANNA) as change:
            assert change.feedback.withdraw(FIX, "inc-1") is True
            assert change.feedback.votes() == []

    def test_votes_are_read_from_a_moment_on_and_forgotten_before_one(self, bench: RecordsBench) -> None:
        for case in ("a", "b", "c"):
            with bench.store.change(ANNA) as change:
                change.feedback.vote(NewVote(FIX, case, HELPED))
            bench.clock.turn(HOUR)
        since = bench.clock.at - 2 * HOUR
        with bench.store.read() as view:
            assert [vote.vote.case for vote in view.feedback.votes(since=since)] == ["b", "c"]
        with bench.store.change(ANNA) as change:
            assert change.feedback.forget(before=since) == 1
            assert [vote.vote.case for vote in change.feedback.votes()] == ["b", "c"]

    def test_nobody_votes_without_end(self, bench: RecordsBench) -> None:
        with bench.store.change(ANNA) as change:
            for number in range(200):
                change.feedback.vote(NewVote(FIX, f"inc-{number}", HELPED))
        with pytest.raises(TooManyVotes), bench.store.change(ANNA) as change:
            change.feedback.vote(NewVote(FIX, "inc-200", HELPED))
        with bench.store.change(ANNA) as change:
            change.feedback.vote(NewVote(FIX, "inc-7", WRONG))  # changing one's mind is not one more
        with bench.store.change(BEN) as change:
            change.feedback.vote(NewVote(FIX, "inc-200", HELPED))
        bench.clock.turn(timedelta(days=1))
        with bench.store.change(ANNA) as change:
            change.feedback.vote(NewVote(FIX, "inc-200", HELPED))

    @pytest.mark.parametrize("name", ["", " ", "a\nb", "a\x00b", "\ud800", "x" * 301])
    def test_a_name_that_is_none_is_refused(self, bench: RecordsBench, name: str) -> None:
        for vote in (NewVote(name, "inc-1", HELPED), NewVote(FIX, name, HELPED)):
            with pytest.raises(InvalidInput), bench.store.change(ANNA) as change:
                change.feedback.vote(vote)

    def test_how_following_a_runbook_ended_is_told_and_corrected(self, bench: RecordsBench) -> None:
        incident_id = bench.add(told_apart(1)).stored.incident.id
        with bench.store.change(ANNA) as change:
            change.feedback.tell(NewOutcome(incident_id, FIX, ActionOutcome.DID_NOT_HELP))
            change.feedback.tell(NewOutcome(incident_id, FIX, ActionOutcome.HELPED, took_s=90.0, note="hunter2!"))
        with bench.store.change(BEN) as change:
            change.feedback.tell(NewOutcome(incident_id, FIX, ActionOutcome.MADE_WORSE))
        with bench.store.read() as view:
            told = view.feedback.outcomes(target=FIX)
            assert view.feedback.outcomes(incident_id="inc-none") == []
        by = {one.principal: (one.outcome.outcome, one.outcome.took_s, one.outcome.note) for one in told}
        assert by == {"anna": (ActionOutcome.HELPED, 90.0, "***!"), "ben": (ActionOutcome.MADE_WORSE, None, "")}

    def test_trouble_that_came_back_is_marked_where_something_had_helped(self, bench: RecordsBench) -> None:
        one = bench.add(told_apart(1)).stored.incident.id
        other = bench.add(told_apart(2)).stored.incident.id
        with bench.store.change(ANNA) as change:
            change.feedback.tell(NewOutcome(one, FIX, ActionOutcome.HELPED))
            change.feedback.tell(NewOutcome(one, "restart", ActionOutcome.DID_NOT_HELP))
            change.feedback.tell(NewOutcome(other, FIX, ActionOutcome.HELPED))
            assert change.feedback.recurred(one, NOON + HOUR) == 1
            assert change.feedback.recurred(one, NOON + 2 * HOUR) == 0
        with bench.store.read() as view:
            marked = {
                (told.outcome.incident_id, told.outcome.target): told.recurred_at for told in view.feedback.outcomes()
            }
        assert marked == {(one, FIX): NOON + HOUR, (one, "restart"): None, (other, FIX): None}

    def test_an_outcome_of_no_incident_is_refused(self, bench: RecordsBench) -> None:
        with pytest.raises(IncidentNotFound), bench.store.change(ANNA) as change:
            change.feedback.tell(NewOutcome("inc-none", FIX, ActionOutcome.HELPED))
        incident_id = bench.add(told_apart(1)).stored.incident.id
        with pytest.raises(InvalidInput), bench.store.change(ANNA) as change:
            change.feedback.tell(NewOutcome(incident_id, FIX, ActionOutcome.HELPED, took_s=float("nan")))


def learn_request(key: str = "k1", body: object = None, by: str = "anna") -> KeyedRequest:
    who = ANNA if by == "anna" else BEN
    return keyed_request(who, key, operation="POST /runbooks/learn", body=body or {"n": 1})


class KeyRecordsContract:
    """Requests under a key: inherit, and give a `bench` fixture."""

    @pytest.fixture
    def bench(self) -> RecordsBench:
        raise NotImplementedError

    def test_an_answer_is_given_again(self, bench: RecordsBench) -> None:
        answer = {"pattern_id": "pat-a", "confidence": 0.5, "parts": [None, "ü\U0001f600"]}
        with bench.store.change(ANNA) as change:
            assert change.keys.find(learn_request()) is None
            change.keys.remember(learn_request(), answer)
        with bench.store.read() as view:
            assert view.keys.find(learn_request()) == GivenAnswer(answer)

    def test_an_empty_answer_is_an_answer(self, bench: RecordsBench) -> None:
        with bench.store.change(ANNA) as change:
            change.keys.remember(learn_request(), None)
            assert change.keys.find(learn_request()) == GivenAnswer(None)

    def test_a_key_for_another_request_is_refused(self, bench: RecordsBench) -> None:
        with bench.store.change(ANNA) as change:
            change.keys.remember(learn_request(), 1)
        with bench.store.read() as view:
            with pytest.raises(KeyReused):
                view.keys.find(learn_request(body={"n": 2}))
            with pytest.raises(KeyReused):
                view.keys.find(keyed_request(ANNA, "k1", operation="POST /incidents/batch", body={"n": 1}))

    def test_the_keys_of_two_people_have_nothing_to_do_with_each_other(self, bench: RecordsBench) -> None:
        with bench.store.change(ANNA) as change:
            change.keys.remember(learn_request(), 1)
        with bench.store.read() as view:
            assert view.keys.find(learn_request(by="ben", body={"n": 2})) is None

    def test_the_order_of_fields_makes_no_other_request(self) -> None:
        one = keyed_request(ANNA, "k", operation="o", body={"a": 1, "b": [2, 3]})
        assert one == keyed_request(ANNA, "k", operation="o", body={"b": [2, 3], "a": 1})
        assert one != keyed_request(ANNA, "k", operation="o", body={"b": [3, 2], "a": 1})

    @pytest.mark.parametrize("key", ["", "a b", "a\n", "é", "x" * 256])
    def test_a_key_that_is_none_is_refused(self, key: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            keyed_request(ANNA, key, operation="o", body={})
        assert caught.value.field == "Idempotency-Key"

    def test_answers_are_kept_for_48_hours(self, bench: RecordsBench) -> None:
        with bench.store.change(ANNA) as change:
            change.keys.remember(learn_request("old"), 1)
        bench.clock.turn(timedelta(hours=48))
        with bench.store.change(ANNA) as change:
            change.keys.remember(learn_request("new"), 2)
            assert change.keys.find(learn_request("old")) == GivenAnswer(1)
        bench.clock.turn(timedelta(seconds=1))
        with bench.store.change(ANNA) as change:
            change.keys.remember(learn_request("newer"), 3)
            assert change.keys.find(learn_request("old")) is None
            assert change.keys.find(learn_request("new")) == GivenAnswer(2)

    def test_a_request_sent_again_is_answered_again_and_done_once(self, bench: RecordsBench) -> None:
        once = Once(bench.store)

        def learn(number: int) -> Reply:
            def act(change: RecordChange, prepared: int) -> object:
                return {"id": change.incidents.add(told_apart(prepared)).stored.incident.id}

            return once.answer(learn_request(body={"n": number}), ANNA, prepare=lambda: number, act=act)

        first, second = learn(1), learn(1)
        assert (first.is_replay, second.is_replay) == (False, True)
        assert first.answer == second.answer
        with pytest.raises(KeyReused):
            learn(2)
        with bench.store.read() as view:
            assert view.incidents.page(IncidentQuery()).total == 1

    def test_a_request_that_fails_leaves_its_key_free(self, bench: RecordsBench) -> None:
        once = Once(bench.store)

        def fail(change: RecordChange, prepared: None) -> object:
            change.incidents.add(told_apart(1))
            raise RuntimeError("embedder died")

        with pytest.raises(RuntimeError):
            once.answer(learn_request(), ANNA, prepare=lambda: None, act=fail)
        reply = once.answer(learn_request(), ANNA, prepare=lambda: None, act=lambda change, prepared: "done")
        assert reply == Reply("done", is_replay=False)
        with bench.store.read() as view:
            assert view.incidents.page(IncidentQuery()).total == 0

    def test_a_request_that_is_being_answered_is_refused_meanwhile(self, bench: RecordsBench) -> None:
        once = Once(bench.store)
        inside, go_on = threading.Event(), threading.Event()
        replies: list[Reply] = []

        def prepare() -> None:
            inside.set()
            assert go_on.wait(10)

        def run() -> None:
            replies.append(once.answer(learn_request(), ANNA, prepare=prepare, act=lambda change, prepared: 1))

        thread = threading.Thread(target=run)
        thread.start()
        assert inside.wait(10)
        with pytest.raises(RequestInFlight):
            once.answer(learn_request(), ANNA, prepare=lambda: None, act=lambda change, prepared: 2)
        other = once.answer(learn_request("k2"), ANNA, prepare=lambda: None, act=lambda change, prepared: 3)
        go_on.set()
        thread.join(10)
        assert (replies, other.answer) == ([Reply(1, is_replay=False)], 3)

    def test_of_two_processes_with_one_key_one_acts_and_both_answer_the_same(self, bench: RecordsBench) -> None:
        one, two = Once(bench.store), Once(bench.store)  # each has a register of its own, as two processes have

        def beaten() -> None:
            two.answer(learn_request(), ANNA, prepare=lambda: None, act=lambda change, prepared: "two's")

        reply = one.answer(learn_request(), ANNA, prepare=beaten, act=lambda change, prepared: "one's")
        assert reply == Reply("two's", is_replay=True)
