"""Re-clustering and restoring in a process of their own: the same result, and learning goes on meanwhile."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import count

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.neighbours import MovingVectors
from indexer.neighbours import nearest_rows as cells_rows
from kb.memory_records import MemoryRecords
from kb.redact import redact
from learner.apart import ApartFailed, regroup_apart
from learner.assign import Grouping
from learner.learner import Learner
from learner.recluster import Regrouping, regroup, snapshot_of
from learner.signature import sign
from tests.learner.learner_contract import ANNA, BEN, CERT, DIMENSION, DISK, LATER, QUEUE, Stage, seen, teach, told

pytestmark = pytest.mark.integration


@pytest.fixture
def stage() -> Stage:
    numbers = count(1)
    return Stage(MemoryRecords(now=lambda: LATER, new_id=lambda: f"id{next(numbers)}", redact=redact))


def grown(stage: Stage) -> Grouping:
    grouping = Grouping(stage.embed, dimension=DIMENSION)
    titles = [QUEUE, CERT, DISK, f"{QUEUE} slowly", f"{CERT} tomorrow"]
    for number in range(60):
        by = "ana" if number % 3 else "ben"
        grouping.learn(f"i{number}", sign(titles[number % 5], f"seen on {number}"), principal=by, service="shop")
    return grouping


def said(regrouping: Regrouping) -> object:
    return [(micro.group, micro.members) for micro in regrouping.micros], regrouping.changes, regrouping.at_count


def test_regrouping_apart_gives_what_regrouping_here_gives(stage: Stage) -> None:
    grouping = grown(stage)
    grouping.vectors.clear()
    stage.embedded.clear()
    found = regroup_apart(snapshot_of(grouping), stage.embed)
    assert len(stage.embedded) == len(set(stage.embedded)) > 0
    assert set(grouping.vectors) >= set(stage.embedded)
    here = regroup(snapshot_of(grouping), stage.embed)
    assert said(found) == said(here)
    assert all(
        np.array_equal(one.profile.full, other.profile.full)
        for one, other in zip(found.micros, here.micros, strict=True)
    )


def test_a_learner_with_help_apart_shows_what_one_without_shows(stage: Stage) -> None:
    learner = Learner(stage.records, stage.embed, dimension=DIMENSION, now=lambda: LATER, apart=True)
    learner.open()
    teach(learner, QUEUE, *range(20))
    teach(learner, CERT, *range(20, 40), by=BEN)
    learner.unlearn(learner.patterns()[0].evidence.incident_ids[0], BEN)
    learner.recluster_if_due()
    again = Learner(stage.records, stage.embed, dimension=DIMENSION, now=lambda: LATER, apart=True)
    again.open()
    assert seen(learner) == seen(again) == seen(stage.opened())
    assert teach(again, QUEUE, 50) != []
    assert again.patterns()[0].frequency + again.patterns()[1].frequency == 40


def teach_misspelt(learner: Learner) -> None:
    """Texts with a word that a later lexicon mends, so that re-clustering has a text to ask for."""
    for number, word in enumerate(["archive", "billing", "customs", "depots", "exports"]):
        teach(learner, f"Volume {word * 3} of {word} nearly full", 100 + number)
    teach(learner, "Voulme of freight nearly full", 110)


class Gate:
    """An embedder that waits at its first new text until it is let through."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.asked, self.go = stage, threading.Event(), threading.Event()
        self.armed = False

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self.armed and threading.current_thread() is not threading.main_thread():
            self.asked.set()
            assert self.go.wait(30)
        return self.stage.embed(texts)


def test_what_is_learnt_during_a_regrouping_stands_where_its_group_went(stage: Stage) -> None:
    gate = Gate(stage)
    learner = Learner(stage.records, gate, dimension=DIMENSION, now=lambda: LATER, apart=True)
    learner.open()
    teach(learner, QUEUE, *range(20))
    teach_misspelt(learner)
    gate.armed = True
    worker = threading.Thread(target=learner.settle)
    worker.start()
    assert gate.asked.wait(30)
    late = [*teach(learner, QUEUE, 41, 42), *teach(learner, CERT, 43, 44, 45)]
    assert learner.settle() == ()  # one at a time
    gate.go.set()
    worker.join(30)
    assert not worker.is_alive()
    gate.armed = False
    assert [len(learner.similar(incident_id)) for incident_id in late] == [5, 5, 2, 2, 2]
    assert learner.patterns()[0].frequency == 22
    assert seen(learner) == seen(stage.opened())


def test_a_word_during_a_regrouping_makes_it_void_and_it_comes_again(stage: Stage) -> None:
    gate = Gate(stage)
    learner = Learner(stage.records, gate, dimension=DIMENSION, now=lambda: LATER, apart=True)
    learner.open()
    ids = teach(learner, QUEUE, *range(20))
    teach_misspelt(learner)
    gate.armed = True
    done: list[object] = []
    worker = threading.Thread(target=lambda: done.append(learner.settle()))
    worker.start()
    assert gate.asked.wait(30)
    learner.unlearn(ids[0], BEN)
    gate.go.set()
    worker.join(30)
    assert done == [()]
    gate.armed = False
    assert learner.patterns()[0].frequency == 19
    learner.settle()
    assert learner.similar(ids[0]) == ()
    assert learner.patterns()[0].frequency == 19


def test_a_regrouping_that_is_given_up_ends_soon(stage: Stage) -> None:
    with pytest.raises(ApartFailed, match="closed"):
        regroup_apart(snapshot_of(grown(stage)), stage.embed, is_given_up=lambda: True)


def test_a_regrouping_that_fails_says_why(stage: Stage) -> None:
    broken = replace(snapshot_of(grown(stage)), standing=[("pat-1", (999,))])
    with pytest.raises(ApartFailed, match="IndexError"):
        regroup_apart(broken, stage.embed)


def test_an_error_of_the_embedder_is_passed_on(stage: Stage) -> None:
    grouping = grown(stage)
    grouping.vectors.clear()

    def fail(texts: Sequence[str]) -> NDArray[np.float32]:
        raise OSError("no model")

    with pytest.raises(OSError, match="no model"):
        regroup_apart(snapshot_of(grouping), fail)


def test_restoring_apart_finds_neighbours_with_what_it_is_given(stage: Stage) -> None:
    learner = stage.opened()
    teach(learner, QUEUE, *range(20))
    teach(learner, CERT, *range(20, 40))
    index = partial(MovingVectors, DIMENSION, cells_from=2)
    again = Learner(
        stage.records,
        stage.embed,
        dimension=DIMENSION,
        now=lambda: LATER,
        make_neighbours=index,
        near=cells_rows,
        apart=True,
    )
    again.open()
    again.settle()
    assert seen(again) == seen(learner)


def test_learning_needs_nobody_apart(stage: Stage) -> None:
    learner = Learner(stage.records, stage.embed, dimension=DIMENSION, now=lambda: LATER, apart=True)
    learner.open()
    assert learner.learn([told(1)], ANNA)[0].founded
    assert learner.recluster_if_due() == ()
