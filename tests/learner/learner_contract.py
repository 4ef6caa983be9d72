"""What a learner promises over any store of records. Adapters inherit and say how a bench is made."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from kb.errors import InvalidInput
from kb.idempotency import KeyReused, keyed_request
from kb.incident import ActionOutcome, ActionTaken, Alert, Incident, IncidentStatus, Resolution
from kb.incident_records import IncidentChanged, IncidentPatch
from kb.pattern import ChangeKind
from kb.pattern_records import PatternNotFound
from kb.principal import Face, Principal, Role
from kb.record_store import RecordChange, RecordStore
from learner.errors import NotLearnt
from learner.learner import Learner
from learner.words import terms_in

ANNA = Principal("anna", Role.RESPONDER, Face.HTTP)
BEN = Principal("ben", Role.APPROVER, Face.WEB)
START = datetime(2026, 1, 1, tzinfo=UTC)
LATER = START + timedelta(days=30)
DIMENSION = 64

QUEUE = "Orders broker queue backlog keeps growing"
CERT = "Ingress certificate for login expires soon"
DISK = "Windows volume nearly full on archive"


@dataclass
class Stage:
    """A store, and how a learner over it is opened; `embedded` are the texts that the model was asked for."""

    records: RecordStore
    embedded: list[str] = field(default_factory=list)

    def opened(self, records: RecordStore | None = None) -> Learner:
        learner = Learner(records or self.records, self.embed, dimension=DIMENSION, now=lambda: LATER)
        learner.open()
        return learner

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.embedded.extend(texts)
        return embed_terms(texts)


def embed_terms(texts: Sequence[str]) -> NDArray[np.float32]:
    """Like words, like vectors; hashes of terms stand in for a model."""
    rows = np.zeros((len(texts), DIMENSION), dtype=np.float32)
    for row, text in enumerate(texts):
        for term in terms_in(text) or ["nothing"]:
            seed = int.from_bytes(term.encode()[:8].ljust(8, b"."))
            rows[row] += np.random.default_rng(seed).standard_normal(DIMENSION).astype(np.float32)
        rows[row] /= np.linalg.norm(rows[row])
    return rows


def told(number: int, title: str = QUEUE, **more: object) -> Incident:
    at = START + timedelta(hours=number)
    incident = Incident(
        id="",
        title=title,
        started_at=at,
        recorded_at=at,
        reported_by="",
        source="test",
        source_id=f"T-{number}",
        duration_s=600.0,
        resolution=Resolution((ActionTaken("Restart the consumer", outcome=ActionOutcome.HELPED),), success=True),
    )
    return replace(incident, **more)  # type: ignore[arg-type]  # fields by name


def teach(learner: Learner, title: str, *numbers: int, by: Principal = ANNA) -> list[str]:
    return [one.stored.incident.id for one in learner.learn([told(n, title) for n in numbers], by)]


def group_of(records: RecordStore, incident_id: str) -> str | None:
    with records.read() as view:
        return view.incidents.get(incident_id).pattern_id


def seen(learner: Learner) -> object:
    """All that people can see of what was learnt."""
    return learner.patterns(), learner.effectiveness()


class FailsAtTheEnd:
    """A store whose next changes fail when all is done but the commit."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store
        self.fails = False

    def read(self) -> "object":
        return self._store.read()

    @contextmanager
    def change(self, principal: Principal) -> Iterator[RecordChange]:
        with self._store.change(principal) as change:
            yield change
            if self.fails:
                raise OSError("no space left on device")


class LearnerContract:
    """Inherit, and give a `stage` fixture."""

    @pytest.fixture
    def stage(self) -> Stage:
        raise NotImplementedError

    # Incidents

    def test_repeats_become_a_pattern_with_their_numbers(self, stage: Stage) -> None:
        learner = stage.opened()
        first, second, third = learner.learn([told(1), told(2), told(3)], ANNA)
        assert (first.founded, first.is_pattern, first.pattern_size, first.likelihood) == (True, False, 1, 1.0)
        assert (third.founded, third.is_pattern, third.pattern_size) == (False, True, 3)
        assert third.pattern_id == first.pattern_id == third.stored.pattern_id == third.stored.arrival_pattern_id
        assert second.likelihood > 0.9
        (pattern,) = learner.patterns()
        assert (pattern.id, pattern.frequency, pattern.name) == (first.pattern_id, 3, QUEUE)
        assert pattern.success.value == 1.0
        assert [(stats.name, stats.worked) for stats in learner.effectiveness()] == [("Restart the consumer", 3)]
        with stage.records.read() as view:
            assert view.patterns.sizes() == {first.pattern_id: 3}
            assert view.patterns.get(pattern.id).name == QUEUE
            assert [event.change.kind for event in view.patterns.history()] == [ChangeKind.BORN]

    def test_the_numbers_of_a_pattern_are_those_of_a_hand_computed_set(self, stage: Stage) -> None:
        learner = stage.opened()
        fails = Resolution((ActionTaken("Purge the queue", outcome=ActionOutcome.MADE_WORSE),), success=False)
        incidents = [
            told(0, duration_s=60.0),
            told(24, duration_s=120.0),
            told(48, duration_s=300.0, trigger="a deploy"),
            told(72, duration_s=900.0, resolution=fails),
        ]
        learner.learn(incidents[:3], ANNA)
        learner.learn(incidents[3:], BEN)
        (pattern,) = learner.patterns()
        assert (pattern.frequency, pattern.success.successes, pattern.success.trials) == (4, 3, 4)
        assert (pattern.success.interval.low, pattern.success.interval.high) == pytest.approx(
            (0.1941, 0.9937), abs=1e-4
        )
        assert (pattern.durations.count, pattern.durations.mean_s, pattern.durations.p50_s) == (4, 345.0, 210.0)
        assert pattern.durations.p90_s == pytest.approx(720.0)
        assert (pattern.evidence.first_seen, pattern.evidence.last_seen) == (START, START + timedelta(days=3))
        assert (pattern.trend.recent, pattern.trend.before, pattern.trend.window_days) == (0, 0, 7.5)
        restart, purge = pattern.actions
        assert (restart.tried, restart.worked, restart.worse, restart.median_s) == (3, 3, 0, 120.0)
        assert (purge.tried, purge.worked, purge.worse, purge.harm.value) == (1, 0, 1, 1.0)
        # 4 incidents of two principals, helped in 3 of 4, last seen 27 days ago
        assert [part.value for part in pattern.confidence.parts] == pytest.approx(
            [4 / 7, 0.875, 1.0, 0.5 ** (27 / 180)]
        )
        assert pattern.confidence.value == pytest.approx(4 / 7 * 0.875 * 0.5 ** (27 / 180))
        assert [(cited.text, len(cited.incident_ids)) for cited in pattern.triggers] == [("a deploy", 1)]

    def test_why_is_told_in_plain_words(self, stage: Stage) -> None:
        learner = stage.opened()
        first, second, other = learner.learn([told(1), told(2), told(3, CERT)], ANNA)
        assert first.why == ("It is the first of its kind: nothing known is alike.",)
        assert second.why[0].startswith(f"It joined '{QUEUE}' (1 incident so far); they share a cause with probability")
        assert second.why[1].startswith("Both speak of: ")
        assert second.why[2] == "On average the titles are alike to 1.00 and the texts to 1.00, where 1 is the same."
        assert other.why[0].startswith(f"Nothing known is alike enough. The nearest is '{QUEUE}'; ")

    def test_an_open_incident_is_kept_and_learnt_once_it_is_resolved(self, stage: Stage) -> None:
        learner = stage.opened()
        teach(learner, QUEUE, 1, 2)
        (kept,) = learner.learn([told(3, status=IncidentStatus.OPEN, duration_s=None, resolution=None)], ANNA)
        assert (kept.pattern_id, kept.is_new) == (None, True)
        assert kept.why == ("It is open: kept, and learnt once it is resolved.",)
        assert learner.patterns() == ()
        resolved = learner.patch(
            kept.stored.incident.id,
            IncidentPatch(
                status=IncidentStatus.RESOLVED,
                duration_s=60.0,
                resolution=Resolution((ActionTaken("Scale it", outcome=ActionOutcome.DID_NOT_HELP),), success=False),
            ),
            BEN,
        )
        assert resolved.is_pattern
        assert learner.patterns()[0].success.trials == 3
        assert group_of(stage.records, kept.stored.incident.id) == resolved.pattern_id

    def test_a_duplicate_is_one_incident_and_what_it_adds_counts(self, stage: Stage) -> None:
        learner = stage.opened()
        teach(learner, QUEUE, 1, 2, 3)
        (again,) = learner.learn([told(2, lessons=("Watch the lag",))], ANNA)
        assert (again.is_new, again.has_changed, again.pattern_size) == (False, True, 3)
        assert again.why[0].startswith("It was learnt before")
        (pattern,) = learner.patterns()
        assert [cited.text for cited in pattern.lessons] == ["Watch the lag"]
        twice = learner.learn([told(7), told(7)], ANNA)
        assert [one.is_new for one in twice] == [True, False]
        assert learner.patterns()[0].frequency == 4

    def test_a_change_of_a_learnt_incident_counts_at_once(self, stage: Stage) -> None:
        learner = stage.opened()
        one, _, _ = teach(learner, QUEUE, 1, 2, 3)
        learner.patch(one, IncidentPatch(resolution=Resolution((ActionTaken("Pray"),), success=False)), BEN)
        (pattern,) = learner.patterns()
        assert (pattern.success.successes, pattern.success.trials) == (2, 3)
        assert pattern.evidence.principals == ("anna", "ben")
        with pytest.raises(IncidentChanged):
            learner.patch(one, IncidentPatch(title="x"), BEN, if_version=1)

    def test_what_is_wrong_is_refused_and_nothing_is_learnt(self, stage: Stage) -> None:
        learner = stage.opened()
        with pytest.raises(InvalidInput):
            learner.learn([told(1), told(2, title="")], ANNA)
        assert learner.room() == 32
        with stage.records.read() as view:
            assert view.patterns.all() == []

    def test_a_change_that_fails_leaves_memory_as_it_was(self, stage: Stage) -> None:
        store = FailsAtTheEnd(stage.records)
        learner = stage.opened(store)  # type: ignore[arg-type]  # a store that fails
        teach(learner, QUEUE, 1, 2, 3)
        before = seen(learner)
        store.fails = True
        request = keyed_request(ANNA, "k", operation="learn", body=4)
        acts: list[Callable[[], object]] = [
            lambda: teach(learner, QUEUE, 4, 5),
            lambda: teach(learner, CERT, 4),
            lambda: learner.learn_once(told(4), ANNA, request, lambda learned: learned.pattern_id),
            lambda: learner.unlearn(learner.patterns()[0].evidence.incident_ids[0], ANNA),
            lambda: learner.rename(learner.patterns()[0].id, "x", ANNA),
            lambda: learner.settle(),
        ]
        for act in acts:
            with pytest.raises(OSError, match="no space"):
                act()
            assert seen(learner) == before
        store.fails = False
        teach(learner, CERT, 6, 7, 8)
        teach(learner, QUEUE, 9)
        assert [pattern.frequency for pattern in learner.patterns()] == [4, 3]
        assert seen(learner) == seen(stage.opened())

    def test_a_keyed_request_is_done_once(self, stage: Stage) -> None:
        learner = stage.opened()
        request = keyed_request(ANNA, "k", operation="learn", body=1)
        first = learner.learn_once(told(1), ANNA, request, lambda learned: [learned.pattern_id, learned.pattern_size])
        again = stage.opened().learn_once(told(1), ANNA, request, lambda learned: "never asked")
        assert (first.is_replay, again.is_replay) == (False, True)
        assert again.answer == first.answer
        assert learner.room() == 31
        with pytest.raises(KeyReused):
            learner.learn_once(told(2), ANNA, keyed_request(ANNA, "k", operation="learn", body=2), str)

    def test_a_glance_at_a_large_pattern_may_lag_a_little(self, stage: Stage) -> None:
        learner = stage.opened()
        teach(learner, QUEUE, *range(16))
        pattern_id = learner.patterns()[0].id
        teach(learner, QUEUE, 20)
        assert learner.glance(pattern_id).frequency == 16
        assert learner.pattern(pattern_id).frequency == 17
        teach(learner, QUEUE, *range(21, 26))
        assert learner.glance(pattern_id).frequency == 22
        learner.rename(pattern_id, "Backlog", BEN)
        assert learner.glance(pattern_id).name == "Backlog"
        with pytest.raises(PatternNotFound):
            learner.glance("pat-none")

    # Opening again

    def test_opening_again_shows_the_same_and_embeds_each_text_once(self, stage: Stage) -> None:
        learner = stage.opened()
        teach(learner, QUEUE, *range(20))
        teach(learner, CERT, *range(20, 45))
        learner.recluster_if_due()
        learner.unlearn(learner.patterns()[0].evidence.incident_ids[3], BEN)
        progress: list[tuple[int, int]] = []
        stage.embedded.clear()
        again = Learner(stage.records, stage.embed, dimension=DIMENSION, now=lambda: LATER)
        again.open(lambda done, total: progress.append((done, total)))
        assert seen(again) == seen(learner)
        assert progress[-1] == (90, 90)
        assert len(stage.embedded) == len(set(stage.embedded))
        assert again.recluster_if_due() == ()

    def test_reclustering_comes_due_by_the_number_of_incidents(self, stage: Stage) -> None:
        learner = stage.opened()
        teach(learner, QUEUE, *range(31))
        assert (learner.room(), learner.recluster_if_due()) == (1, ())
        teach(learner, QUEUE, 31)
        assert (learner.room(), stage.opened().room()) == (16, 16)
        assert learner.settle() == ()

    # Two at a time

    def test_two_learners_over_one_store_take_in_what_the_other_does(self, stage: Stage) -> None:
        one, other = stage.opened(), stage.opened()
        teach(one, QUEUE, 1, 2)
        third = teach(other, QUEUE, 3)
        assert [pattern.frequency for pattern in other.patterns()] == [3]
        assert one.catch_up() is True
        assert one.catch_up() is False
        assert seen(one) == seen(other)
        pattern_id = one.patterns()[0].id
        one.rename(pattern_id, "Backlog", BEN)
        other.catch_up()
        assert other.patterns()[0].name == "Backlog"
        other.patch(third[0], IncidentPatch(lessons=("Add consumers",)), BEN)
        one.catch_up()
        assert [cited.text for cited in one.patterns()[0].lessons] == ["Add consumers"]
        teach(other, CERT, 4, 5, 6, 7)
        one.merge([pattern_id, other.patterns()[0].id], BEN)
        other.catch_up()
        assert seen(one) == seen(other)
        one.split(pattern_id, one.pattern(pattern_id).evidence.incident_ids[:2], BEN)
        assert other.settle() == ()
        one.catch_up()
        assert seen(one) == seen(other) == seen(stage.opened())

    def test_a_pattern_that_another_has_just_learnt_is_found_at_once(self, stage: Stage) -> None:
        one, other = stage.opened(), stage.opened()
        teach(other, QUEUE, 1, 2, 3)
        assert one.pattern(other.patterns()[0].id).frequency == 3
        with pytest.raises(PatternNotFound):
            one.pattern("pat-nobody")

    def test_what_another_learnt_is_found_among_much_that_was_learnt_here(self, stage: Stage) -> None:
        one, other = stage.opened(), stage.opened()
        for start in range(0, 600, 100):
            teach(one, [QUEUE, CERT, DISK][start % 300 // 100], *range(start, start + 100))
        for number in (700, 701):
            teach(other, CERT, number)
            teach(one, QUEUE, 100 + number)
        other.catch_up()
        assert sum(pattern.frequency for pattern in one.patterns()) == 604
        assert seen(one) == seen(other) == seen(stage.opened())

    def test_notes_and_other_changes_of_the_records_are_passed_over(self, stage: Stage) -> None:
        learner = stage.opened()
        (one,) = teach(learner, QUEUE, 1)
        with stage.records.change(BEN) as change:
            change.incidents.add_note(one, "seen")
        learner.catch_up()
        teach(learner, QUEUE, 2, 3)
        assert learner.patterns()[0].frequency == 3

    # What to do

    def test_a_recommendation_says_what_ended_such_incidents(self, stage: Stage) -> None:
        learner = stage.opened()
        ids = teach(learner, QUEUE, 1, 2, 3)
        teach(learner, CERT, 4, 5, 6)
        found = learner.recommend(Alert(annotations={"summary": QUEUE}))
        assert found.confident
        assert found.pattern_id == group_of(stage.records, ids[0])
        assert [stats.name for stats in found.actions] == ["Restart the consumer"]
        assert {one.incident_id for one in found.similar} == set(ids)
        assert found.similar[0].similarity == pytest.approx(1.0)
        assert found.expected_s == 600.0

    def test_with_nothing_to_say_it_says_so(self, stage: Stage) -> None:
        learner = stage.opened()
        assert learner.recommend(Alert(annotations={"summary": QUEUE})).confident is False
        teach(learner, QUEUE, 1, 2, 3)
        found = learner.recommend(told(9, DISK))
        assert (found.confident, found.pattern_id, found.actions, found.similar) == (False, None, (), ())
        assert found.likelihood < 0.5

    def test_similar_incidents_are_others_of_the_same_pattern(self, stage: Stage) -> None:
        learner = stage.opened()
        one, two, three = teach(learner, QUEUE, 1, 2, 3)
        (lone,) = teach(learner, CERT, 4)
        assert {found.incident_id for found in learner.similar(one)} == {two, three}
        assert learner.similar(lone) == ()
        learner.unlearn(one, BEN)
        assert learner.similar(one) == ()
        with pytest.raises(NotLearnt):
            learner.similar("inc-none")

    # People's word

    def test_merged_patterns_are_one_at_once_and_stay_one(self, stage: Stage) -> None:
        learner = stage.opened()
        queue, cert = teach(learner, QUEUE, 1, 2, 3), teach(learner, CERT, 4, 5, 6, 7)
        small, large = group_of(stage.records, queue[0]), group_of(stage.records, cert[0])
        assert small is not None
        assert large is not None
        assert learner.merge([small, large], BEN).id == large
        assert learner.pattern(small).frequency == 7
        teach(learner, DISK, *range(10, 50))
        learner.settle()
        assert learner.pattern(small).id == large
        with stage.records.read() as view:
            assert view.patterns.get(small).forwards_to == large
            said = [event.change for event in view.patterns.history(small) if event.change.by]
        assert [(change.kind, change.others, change.by) for change in said] == [(ChangeKind.MERGED, (large,), "ben")]
        with pytest.raises(InvalidInput):
            learner.merge([small, large], BEN)
        with pytest.raises(PatternNotFound):
            learner.merge([large, "pat-none"], BEN)

    def test_incidents_taken_apart_are_apart_at_once_and_stay_apart(self, stage: Stage) -> None:
        learner = stage.opened()
        ids = teach(learner, QUEUE, *range(8))
        pattern_id = group_of(stage.records, ids[0]) or ""
        rest, taken = learner.split(pattern_id, ids[:3], BEN)
        assert rest == pattern_id
        assert set(learner.pattern(taken).evidence.incident_ids) == set(ids[:3])
        teach(learner, CERT, *range(10, 50))
        learner.settle()
        assert group_of(stage.records, ids[0]) != group_of(stage.records, ids[7])
        for wrong in (["inc-none"], ids[3:], []):
            with pytest.raises(InvalidInput):
                learner.split(rest, wrong, BEN)

    def test_an_unlearned_incident_counts_for_nothing_until_it_is_learnt_again(self, stage: Stage) -> None:
        learner = stage.opened()
        ids = teach(learner, QUEUE, 1, 2, 3, 4)
        pattern_id = group_of(stage.records, ids[0]) or ""
        learner.unlearn(ids[1], BEN)
        learner.unlearn(ids[1], BEN)
        assert set(learner.pattern(pattern_id).evidence.incident_ids) == {ids[0], ids[2], ids[3]}
        assert learner.effectiveness()[0].tried == 3
        teach(learner, CERT, *range(10, 50))
        learner.settle()
        assert group_of(stage.records, ids[1]) is None
        assert stage.opened().pattern(pattern_id).frequency == 3
        learner.learn_again(ids[1], BEN)
        learner.learn_again(ids[1], BEN)
        assert group_of(stage.records, ids[1]) == pattern_id
        assert learner.pattern(pattern_id).frequency == 4
        with pytest.raises(NotLearnt):
            learner.unlearn("inc-none", BEN)

    def test_the_latest_groups_too_small_to_be_patterns_are_newcomers(self, stage: Stage) -> None:
        learner = stage.opened()
        learner.learn([told(number) for number in range(3)], ANNA)
        (one,) = learner.learn([told(7, CERT)], ANNA)
        found = learner.newcomers()
        assert [(pattern.id, pattern.frequency) for pattern in found] == [(one.pattern_id, 1)]
        learner.unlearn(one.stored.incident.id, ANNA)
        assert learner.newcomers() == []

    def test_a_pattern_without_incidents_is_not_found_until_one_comes_back(self, stage: Stage) -> None:
        learner = stage.opened()
        (one,) = teach(learner, QUEUE, 1)
        pattern_id = group_of(stage.records, one) or ""
        learner.unlearn(one, BEN)
        with pytest.raises(PatternNotFound):
            learner.pattern(pattern_id)
        learner.learn_again(one, BEN)
        assert learner.pattern(group_of(stage.records, one) or "").frequency == 1
        assert seen(learner) == seen(stage.opened())

    def test_a_persons_name_stays_through_growth_and_merging(self, stage: Stage) -> None:
        learner = stage.opened()
        queue, cert = teach(learner, QUEUE, 1, 2, 3), teach(learner, CERT, 4, 5, 6, 7)
        small = group_of(stage.records, queue[0]) or ""
        named = learner.rename(small, "  Checkout   backlog ", BEN)
        assert (named.name, named.named_by_person) == ("Checkout backlog", True)
        teach(learner, QUEUE, *range(10, 14))
        learner.settle()
        assert learner.pattern(small).name == "Checkout backlog"
        learner.merge([small, group_of(stage.records, cert[0]) or ""], BEN)
        assert learner.pattern(small).name == "Checkout backlog"
        assert learner.rename(small, "", BEN).named_by_person is False
        assert stage.opened().pattern(small) == learner.pattern(small)

    def test_one_loud_source_takes_no_place_from_others(self, stage: Stage) -> None:
        learner = stage.opened()
        mallory = Principal("mallory", Role.RESPONDER, Face.HTTP)
        mine = [*teach(learner, QUEUE, 1, 2, 3, 4), *teach(learner, CERT, 5, 6, 7, 8, by=BEN)]
        before = {key: group_of(stage.records, key) for key in mine}
        for start in range(0, 1000, 100):
            hostile = [
                told(1000 + start + n, f"{QUEUE} {CERT}" if n % 2 else f"{CERT} {QUEUE} approved") for n in range(100)
            ]
            learner.learn(hostile, mallory)
            learner.recluster_if_due()
        learner.settle()
        assert {key: group_of(stage.records, key) for key in mine} == before
        assert len(set(before.values())) == 2

    def test_many_threads_learn_while_others_look_and_group_anew(self, stage: Stage) -> None:
        learner = stage.opened()
        wrong: list[BaseException] = []

        def act(number: int) -> None:
            try:
                for step in range(12):
                    at = 100 * number + step
                    title = [QUEUE, CERT, DISK][at % 3]
                    request = keyed_request(ANNA, f"k{at}", operation="learn", body=at)
                    learner.learn_once(told(at, title), ANNA, request, lambda learned: learned.pattern_id)
                    learner.recommend(Alert(annotations={"summary": title}))
                    learner.recluster_if_due()
                    learner.patterns()
            except BaseException as exc:
                wrong.append(exc)
                raise

        threads = [threading.Thread(target=act, args=(number,)) for number in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert wrong == []
        assert sum(pattern.frequency for pattern in learner.patterns()) == 60
        assert seen(learner) == seen(stage.opened())
