"""Whatever is done, in whatever order: a learner that is opened anew shows what the one that did it shows, and the
numbers are those of a recount."""

from collections import Counter
from itertools import count

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from kb.incident import ActionOutcome, ActionTaken, IncidentStatus, Resolution
from kb.incident_records import IncidentPatch
from kb.memory_records import MemoryRecords
from kb.redact import redact
from learner.learner import Learner
from tests.learner.learner_contract import ANNA, BEN, CERT, DISK, LATER, QUEUE, Stage, told

TITLES = [QUEUE, CERT, DISK, "Broker queue of orders grows", "Login certificate expires soon", "Something else"]
WHO = [ANNA, BEN]


class Acts(RuleBasedStateMachine):
    """Two learners over one store, and people who change their minds."""

    learnt = Bundle("learnt")
    kept_open = Bundle("kept_open")

    @initialize()
    def open_both(self) -> None:
        numbers, self.told = count(1), count(1)
        self.stage = Stage(MemoryRecords(now=lambda: LATER, new_id=lambda: f"id{next(numbers)}", redact=redact))
        self.learners = [self.stage.opened(), self.stage.opened()]

    @rule(
        target=learnt,
        titles=st.lists(st.sampled_from(TITLES), min_size=1, max_size=6),
        who=st.sampled_from(WHO),
        at=st.sampled_from([0, 1]),
        helped=st.booleans(),
    )
    def learn(self, titles: list[str], who: object, at: int, helped: bool) -> object:
        outcome = ActionOutcome.HELPED if helped else ActionOutcome.MADE_WORSE
        resolution = Resolution((ActionTaken("Restart it", outcome=outcome),), success=helped)
        incidents = [told(next(self.told), title, resolution=resolution) for title in titles]
        return multiple(*(one.stored.incident.id for one in self.learners[at].learn(incidents, who)))

    @rule(target=kept_open, title=st.sampled_from(TITLES), at=st.sampled_from([0, 1]))
    def keep_open(self, title: str, at: int) -> str:
        incident = told(next(self.told), title, status=IncidentStatus.OPEN, duration_s=None, resolution=None)
        return self.learners[at].learn([incident], ANNA)[0].stored.incident.id

    @rule(target=learnt, incident_id=consumes(kept_open), at=st.sampled_from([0, 1]))
    def resolve(self, incident_id: str, at: int) -> str:
        self.learners[at].patch(incident_id, IncidentPatch(status=IncidentStatus.RESOLVED), BEN)
        return incident_id

    @rule(incident_id=learnt, title=st.sampled_from(TITLES), at=st.sampled_from([0, 1]))
    def reword(self, incident_id: str, title: str, at: int) -> None:
        self.learners[at].patch(incident_id, IncidentPatch(title=title), ANNA)

    @rule(incident_id=learnt, at=st.sampled_from([0, 1]), again=st.booleans())
    def take_out_or_back(self, incident_id: str, at: int, again: bool) -> None:
        learner = self.learners[at]
        (learner.learn_again if again else learner.unlearn)(incident_id, BEN)

    @rule(ids=st.lists(learnt, min_size=2, max_size=4, unique=True), at=st.sampled_from([0, 1]))
    def merge(self, ids: list[str], at: int) -> None:
        patterns = sorted({group for key in ids if (group := self.group_of(key)) is not None})
        if len(patterns) > 1:
            self.learners[at].merge(patterns, BEN)

    @rule(incident_id=learnt, at=st.sampled_from([0, 1]), share=st.integers(1, 4))
    def split(self, incident_id: str, at: int, share: int) -> None:
        pattern_id = self.group_of(incident_id)
        self.learners[at].catch_up()
        if pattern_id is not None:
            members = self.learners[at].pattern(pattern_id).evidence.incident_ids
            if len(members) > share:
                self.learners[at].split(pattern_id, members[:share], BEN)

    @rule(incident_id=learnt, name=st.sampled_from(["Backlog", "Login", ""]), at=st.sampled_from([0, 1]))
    def rename(self, incident_id: str, name: str, at: int) -> None:
        pattern_id = self.group_of(incident_id)
        if pattern_id is not None:
            self.learners[at].rename(pattern_id, name, BEN)

    @rule(at=st.sampled_from([0, 1]))
    def settle(self, at: int) -> None:
        self.learners[at].settle()

    @rule(at=st.sampled_from([0, 1]))
    def reopen(self, at: int) -> None:
        self.learners[at] = self.stage.opened()

    @invariant()
    def all_show_the_same_and_the_numbers_are_those_of_a_recount(self) -> None:
        if not hasattr(self, "learners"):
            return
        for learner in self.learners:
            learner.catch_up()
        shown = [self.shown(learner) for learner in (*self.learners, self.stage.opened())]
        assert shown[0] == shown[1] == shown[2]
        with self.stage.records.read() as view:
            kept = [one.stored for one in view.incidents.learnt(limit=10**6)]
            sizes = view.patterns.sizes()
        assert sizes == dict(Counter(stored.pattern_id for stored in kept if stored.pattern_id is not None))
        found = {pattern.id: pattern for pattern in self.learners[0].patterns()}
        assert {key: pattern.frequency for key, pattern in found.items()} == {
            key: size for key, size in sizes.items() if size >= 3
        }
        for key, pattern in found.items():
            mine = [one.incident for one in kept if one.pattern_id == key]
            worked = sum(1 for one in mine if one.resolution is not None and one.resolution.success)
            assert (pattern.success.successes, {*pattern.evidence.incident_ids}) == (worked, {one.id for one in mine})

    def shown(self, learner: Learner) -> object:
        groups = {group for stage in [self.stage] for group in self.sizes(stage)}
        return learner.patterns(), learner.effectiveness(), [learner.pattern(group) for group in sorted(groups)]

    def sizes(self, stage: Stage) -> list[str]:
        with stage.records.read() as view:
            return list(view.patterns.sizes())

    def group_of(self, incident_id: str) -> str | None:
        with self.stage.records.read() as view:
            return view.incidents.get(incident_id).pattern_id


TestActs = Acts.TestCase
TestActs.settings = settings(max_examples=25, stateful_step_count=14, deadline=None)
