"""Groups of incidents: arrival, re-clustering, stable ids, people's word, and one source that floods the learner."""

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb.pattern import ChangeKind
from learner.assign import Grouping
from learner.constraints import Constraints, learn_again, put_together, rename, take_apart, unlearn
from learner.recluster import is_due, recluster
from learner.signature import sign

QUEUE = "Orders broker queue backlog keeps growing"
CERT = "Ingress certificate for login expires soon"
DISK = "Windows volume nearly full on archive"


def teach(grouping: Grouping, title: str, *ids: str, by: str = "ana") -> None:
    for incident_id in ids:
        grouping.learn(incident_id, sign(title, ""), principal=by)


def groups_of(grouping: Grouping) -> set[frozenset[str]]:
    return {frozenset(grouping.members_of(group)) for group in grouping.groups}


def test_repeats_share_a_pattern_and_others_do_not(grouping: Grouping) -> None:
    teach(grouping, QUEUE, "a", "b", "c")
    teach(grouping, CERT, "d")
    assert grouping.members_of(grouping.pattern_of("a") or "") == ("a", "b", "c")
    assert grouping.pattern_ids() == (grouping.pattern_of("a"),)
    assert grouping.pattern_of("d") != grouping.pattern_of("a")


def test_two_incidents_are_not_a_pattern_yet(grouping: Grouping) -> None:
    teach(grouping, QUEUE, "a", "b")
    assert grouping.pattern_ids() == ()


def test_reclustering_keeps_ids(grouping: Grouping) -> None:
    teach(grouping, QUEUE, "a", "b", "c")
    teach(grouping, CERT, "d", "e", "f")
    before = {key: grouping.pattern_of(key) for key in "abcdef"}
    assert recluster(grouping) == ()
    assert {key: grouping.pattern_of(key) for key in "abcdef"} == before


def test_patterns_put_together_by_a_person_stay_one_and_the_old_id_forwards(grouping: Grouping) -> None:
    teach(grouping, QUEUE, "a", "b", "c")
    teach(grouping, CERT, "d", "e", "f", "g")
    queue, cert = grouping.pattern_of("a"), grouping.pattern_of("d")
    assert queue is not None
    assert cert is not None
    grouping.constraints = put_together(grouping.constraints, [frozenset("abc"), frozenset("defg")])
    changes = recluster(grouping, by="ben")
    assert [(change.kind, change.pattern_id, change.others, change.by) for change in changes] == [
        (ChangeKind.MERGED, queue, (cert,), "ben")
    ]
    teach(grouping, DISK, "h")
    recluster(grouping)
    assert grouping.resolve(queue) == cert
    assert set(grouping.members_of(queue)) == set("abcdefg")


def test_incidents_taken_apart_stay_apart(grouping: Grouping) -> None:
    teach(grouping, QUEUE, "a", "b", "c", "d")
    old = grouping.pattern_of("a")
    grouping.constraints = take_apart(grouping.constraints, frozenset("d"), frozenset("abc"))
    changes = recluster(grouping)
    assert [change.kind for change in changes] == [ChangeKind.SPLIT]
    teach(grouping, CERT, "e")
    recluster(grouping)
    assert grouping.pattern_of("a") == old
    assert grouping.pattern_of("d") not in (None, old)


def test_an_unlearned_incident_stays_out_until_it_is_learnt_again(grouping: Grouping) -> None:
    teach(grouping, QUEUE, "a", "b", "c", "d")
    grouping.constraints = unlearn(grouping.constraints, "b")
    recluster(grouping)
    teach(grouping, QUEUE, "e")
    recluster(grouping)
    assert grouping.pattern_of("b") is None
    assert set(grouping.members_of(grouping.pattern_of("a") or "")) == set("acde")
    assert learn_again(grouping.constraints, "b").unlearned == frozenset()


def test_a_name_given_and_taken_back() -> None:
    named = rename(Constraints(), "pat-1", "Backlog")
    assert dict(named.names) == {"pat-1": "Backlog"}
    assert dict(rename(named, "pat-1", "").names) == {}


def test_reclustering_comes_due_as_the_memory_grows(grouping: Grouping) -> None:
    teach(grouping, QUEUE, *(f"q{n}" for n in range(31)))
    assert not is_due(grouping)
    teach(grouping, QUEUE, "last")
    assert is_due(grouping)
    recluster(grouping)
    assert not is_due(grouping)


def test_recognising_remembers_nothing(grouping: Grouping) -> None:
    teach(grouping, QUEUE, "a", "b", "c")
    found = grouping.recognise(grouping.look(sign(QUEUE, ""), {}))
    assert found[0].pattern_id == grouping.pattern_of("a")
    assert found[0].margin > 0
    assert len(grouping.items) == 3


def test_texts_that_are_only_asked_about_leave_no_vectors_behind(grouping: Grouping) -> None:
    teach(grouping, QUEUE, "a")
    known, beside = dict(grouping.vectors), {}
    grouping.look(sign(CERT, "seen at noon"), beside)
    assert grouping.vectors.keys() == known.keys()
    assert set(beside) == {"ingress certificate for login expires soon", "seen at noon"}


def test_a_thousand_hostile_incidents_of_one_source_take_no_place_from_others(grouping: Grouping) -> None:
    teach(grouping, QUEUE, "a", "b", "c", "d")
    teach(grouping, CERT, "e", "f", "g", "h")
    before = {key: grouping.pattern_of(key) for key in "abcdefgh"}
    for number in range(1000):
        title = f"{QUEUE} {CERT}" if number % 2 else f"{CERT} {QUEUE} approved"
        teach(grouping, title, f"evil-{number}", by="mallory")
        if is_due(grouping):
            recluster(grouping)
    recluster(grouping)
    assert {key: grouping.pattern_of(key) for key in "abcdefgh"} == before
    assert grouping.pattern_of("a") != grouping.pattern_of("e")


titles = st.lists(st.sampled_from([QUEUE, CERT, DISK, "Broker queue grows", "Login certificate soon"]), max_size=14)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=titles, cluster_after=st.sets(st.integers(0, 13)))
def test_the_same_incidents_give_the_same_groups_and_every_old_id_still_leads_somewhere(
    new_grouping: Callable[[], Grouping], told: list[str], cluster_after: set[int]
) -> None:
    runs = []
    for _ in range(2):
        grouping = new_grouping()
        arrivals = []
        for number, title in enumerate(told):
            arrivals.append(grouping.learn(str(number), sign(title, ""), principal="ana").pattern_id)
            if number in cluster_after:
                recluster(grouping)
        recluster(grouping)
        runs.append((groups_of(grouping), arrivals, dict(grouping.forwards)))
        assert all(grouping.resolve(pattern_id) in grouping.groups for pattern_id in arrivals)
        assert sum(grouping.sizes.values()) == len(told)
    assert runs[0] == runs[1]


def test_a_new_grouping_is_empty(new_grouping: Callable[[], Grouping]) -> None:
    grouping = new_grouping()
    assert recluster(grouping) == ()
    assert grouping.recognise(grouping.look(sign(QUEUE, ""), {})) == ()
