"""What every store of records does with patterns. Adapters inherit and say how a bench for them is made."""

from datetime import timedelta

import pytest

from kb.errors import InvalidInput
from kb.incident_records import IncidentNotFound, IncidentQuery
from kb.pattern import ChangeKind, PatternChange
from kb.pattern_records import Assignment, PatternNotFound, PatternRecord, Word, WordKind, resolve
from tests.contracts.records_bench import ANNA, BEN, HOUR, RecordsBench, told_apart

BORN, MERGED, SPLIT = ChangeKind.BORN, ChangeKind.MERGED, ChangeKind.SPLIT


class PatternRecordsContract:
    """Inherit, and give a `bench` fixture whose store masks `hunter2`."""

    @pytest.fixture
    def bench(self) -> RecordsBench:
        raise NotImplementedError

    def learnt(self, bench: RecordsBench, *pattern_ids: str) -> list[str]:
        """Incidents learnt into these patterns, in this order; their ids."""
        with bench.store.change(ANNA) as change:
            added = change.incidents.add_many([told_apart(n) for n in range(len(pattern_ids))])
            ids = [one.stored.incident.id for one in added]
            change.patterns.assign([Assignment(*pair) for pair in zip(ids, pattern_ids, strict=True)])
        return ids

    # Where incidents stand

    def test_an_incident_has_the_pattern_of_its_arrival_and_the_present_one(self, bench: RecordsBench) -> None:
        one, two, three = self.learnt(bench, "pat-a", "pat-a", "pat-b")
        with bench.store.change(ANNA) as change:
            assert change.patterns.move({one: "pat-c", two: "pat-a", three: None}) == 2
        with bench.store.read() as view:
            kept = view.incidents.get_many([one, two, three])
            sizes = view.patterns.sizes()
            assert list(view.patterns.standing().items()) == [(one, "pat-c"), (two, "pat-a"), (three, None)]
        stands = {key: (stored.arrival_pattern_id, stored.pattern_id) for key, stored in kept.items()}
        assert stands == {one: ("pat-a", "pat-c"), two: ("pat-a", "pat-a"), three: ("pat-b", None)}
        assert sizes == {"pat-a": 1, "pat-c": 1}

    def test_an_incident_that_was_not_learnt_has_none(self, bench: RecordsBench) -> None:
        stored = bench.add(told_apart(1)).stored
        assert (stored.arrival_pattern_id, stored.pattern_id) == (None, None)

    def test_moving_changes_no_version_of_an_incident(self, bench: RecordsBench) -> None:
        (one,) = self.learnt(bench, "pat-a")
        bench.clock.turn(HOUR)
        with bench.store.change(ANNA) as change:
            before = change.incidents.get(one)
            change.patterns.move({one: "pat-b"})
            after = change.incidents.get(one)
        assert (after.version, after.updated_at) == (before.version, before.updated_at)

    def test_learning_again_keeps_the_first_pattern(self, bench: RecordsBench) -> None:
        (one,) = self.learnt(bench, "pat-a")
        with bench.store.change(ANNA) as change:
            assert change.patterns.assign([Assignment(one, "pat-b")]) == 0
            assert change.incidents.get(one).pattern_id == "pat-a"

    def test_the_order_of_learning_is_kept_and_can_be_read_in_parts(self, bench: RecordsBench) -> None:
        with bench.store.change(ANNA) as change:
            added = change.incidents.add_many([told_apart(n) for n in range(7)])
            ids = [one.stored.incident.id for one in added]
            change.patterns.assign([Assignment(one, "pat-a") for one in reversed(ids)])
        seen: list[str] = []
        after = 0
        while True:
            with bench.store.read() as view:
                part = view.incidents.learnt(after=after, limit=3)
            if not part:
                break
            seen += [one.stored.incident.id for one in part]
            after = part[-1].seq
        assert seen == list(reversed(ids))

    def test_incidents_of_a_pattern_are_listed(self, bench: RecordsBench) -> None:
        ids = self.learnt(bench, "pat-a", "pat-b", "pat-a")
        with bench.store.read() as view:
            page = view.incidents.page(IncidentQuery(pattern_id="pat-a"))
        assert sorted(one.incident.id for one in page.incidents) == sorted([ids[0], ids[2]])
        assert page.total == 2

    def test_unknown_incidents_are_neither_learnt_nor_moved(self, bench: RecordsBench) -> None:
        (one,) = self.learnt(bench, "pat-a")
        unlearnt = bench.add(told_apart(9)).stored.incident.id
        with pytest.raises(IncidentNotFound), bench.store.change(ANNA) as change:
            change.patterns.assign([Assignment(unlearnt, "pat-b"), Assignment("inc-none", "pat-b")])
        with pytest.raises(IncidentNotFound), bench.store.change(ANNA) as change:
            change.patterns.move({one: "pat-b", unlearnt: "pat-b"})
        with bench.store.read() as view:
            assert view.patterns.sizes() == {"pat-a": 1}
            assert [record.id for record in view.patterns.all()] == ["pat-a"]

    def test_a_thousand_incidents_are_learnt_and_moved_at_once(self, bench: RecordsBench) -> None:
        with bench.store.change(ANNA) as change:
            added = change.incidents.add_many([told_apart(n) for n in range(1000)])
            ids = [one.stored.incident.id for one in added]
            assert change.patterns.assign([Assignment(one, f"pat-{n % 7}") for n, one in enumerate(ids)]) == 1000
        with bench.store.change(ANNA) as change:
            assert change.patterns.move(dict.fromkeys(ids[:900], "pat-0")) == 771
            assert change.patterns.sizes()["pat-0"] == 914

    # Patterns and their history

    def test_a_pattern_that_incidents_name_exists(self, bench: RecordsBench) -> None:
        self.learnt(bench, "pat-a")
        with bench.store.read() as view:
            now = bench.clock.at
            assert view.patterns.get("pat-a") == PatternRecord("pat-a", "", "", None, born_at=now, updated_at=now)
            with pytest.raises(PatternNotFound):
                view.patterns.get("pat-b")

    def test_history_is_kept_in_order_and_forwards(self, bench: RecordsBench) -> None:
        changes = [
            PatternChange(BORN, "pat-a", (), 1, 1),
            PatternChange(BORN, "pat-b", (), 1, 2),
            PatternChange(MERGED, "pat-b", ("pat-a",), 3, 9, by="ben"),
        ]
        with bench.store.change(ANNA) as change:
            change.patterns.record(changes[:2])
        bench.clock.turn(HOUR)
        with bench.store.change(BEN) as change:
            change.patterns.record(changes[2:])
            change.patterns.record([PatternChange(SPLIT, "pat-a", ("pat-c", "pat-d"), 5, 12)])
        with bench.store.read() as view:
            lines = view.patterns.history()
            assert [line.change for line in lines[:3]] == changes
            assert [line.seq for line in lines] == sorted(line.seq for line in lines)
            assert lines[2].event_time - lines[0].event_time == HOUR
            assert [line.change.kind for line in view.patterns.history("pat-b")] == [BORN, MERGED]
            assert [line.change.kind for line in view.patterns.history("pat-d")] == [SPLIT]
            assert [line.change.kind for line in view.patterns.history("pat-a")] == [BORN, MERGED, SPLIT]
            assert {record.id: record.forwards_to for record in view.patterns.all()} == {
                "pat-a": None,
                "pat-b": "pat-a",
                "pat-c": None,
                "pat-d": None,
            }

    def test_a_line_about_an_incident_makes_it_no_pattern(self, bench: RecordsBench) -> None:
        with bench.store.change(ANNA) as change:
            change.patterns.record([PatternChange(ChangeKind.UNLEARNED, "pat-a", ("inc-1",), 1, 4, by="anna")])
            assert [record.id for record in change.patterns.all()] == ["pat-a"]

    def test_forwarding_ids_lead_to_the_end_even_in_a_circle(self) -> None:
        assert resolve("a", {"a": "b", "b": "c"}) == "c"
        assert resolve("c", {"a": "b", "b": "c"}) == "c"
        assert resolve("a", {"a": "b", "b": "a"}) == "b"

    # Names

    def test_a_persons_name_outlasts_the_learners(self, bench: RecordsBench) -> None:
        self.learnt(bench, "pat-a", "pat-b")
        with bench.store.change(ANNA) as change:
            change.patterns.call({"pat-a": "disk full on hosts", "pat-b": "pool hunter2"})
        with bench.store.change(BEN) as change:
            change.patterns.say(Word(WordKind.RENAME, pattern_id="pat-a", name="  Log disk\n fills "))
            change.patterns.call({"pat-a": "disk full on hosts, newly", "pat-b": "pool full"})
        with bench.store.read() as view:
            names = {record.id: (record.name, record.named_by) for record in view.patterns.all()}
        assert names == {"pat-a": ("Log disk fills", "ben"), "pat-b": ("pool full", "")}

    def test_an_empty_name_gives_the_pattern_back_to_the_learner(self, bench: RecordsBench) -> None:
        self.learnt(bench, "pat-a")
        with bench.store.change(BEN) as change:
            change.patterns.say(Word(WordKind.RENAME, pattern_id="pat-a", name="Mine"))
            change.patterns.say(Word(WordKind.RENAME, pattern_id="pat-a", name=""))
            change.patterns.call({"pat-a": "learned"})
            assert change.patterns.get("pat-a").name == "learned"
            assert change.patterns.get("pat-a").named_by == ""

    def test_an_unknown_pattern_has_no_name(self, bench: RecordsBench) -> None:
        with pytest.raises(PatternNotFound), bench.store.change(ANNA) as change:
            change.patterns.call({"pat-x": "x"})
        with pytest.raises(PatternNotFound), bench.store.change(ANNA) as change:
            change.patterns.say(Word(WordKind.RENAME, pattern_id="pat-x", name="x"))

    # What people say

    def test_words_are_kept_in_order_with_who_said_them(self, bench: RecordsBench) -> None:
        words = [
            Word(WordKind.MERGE, (frozenset({"i1", "i2"}), frozenset({"i3"}))),
            Word(WordKind.SPLIT, (frozenset({"i1"}), frozenset({"i2", "i3"}))),
            Word(WordKind.UNLEARN, (frozenset({"i3"}),)),
            Word(WordKind.LEARN_AGAIN, (frozenset({"i3"}),)),
        ]
        for word in words:
            with bench.store.change(BEN) as change:
                change.patterns.say(word)
            bench.clock.turn(timedelta(seconds=1))
        with bench.store.read() as view:
            spoken = view.patterns.words()
        assert [one.word for one in spoken] == words
        assert [one.by for one in spoken] == ["ben"] * 4
        assert [one.seq for one in spoken] == sorted(one.seq for one in spoken)
        assert spoken[3].event_time - spoken[0].event_time == timedelta(seconds=3)

    @pytest.mark.parametrize(
        "word",
        [
            Word(WordKind.MERGE),
            Word(WordKind.MERGE, (frozenset({"i1"}), frozenset({"i1"}))),
            Word(WordKind.SPLIT, (frozenset({"i1"}),)),
            Word(WordKind.SPLIT, (frozenset({"i1"}), frozenset())),
            Word(WordKind.SPLIT, (frozenset({"i1"}), frozenset({"i1", "i2"}))),
            Word(WordKind.UNLEARN),
            Word(WordKind.RENAME, name="x"),
        ],
    )
    def test_a_word_that_says_nothing_is_refused(self, bench: RecordsBench, word: Word) -> None:
        with pytest.raises(InvalidInput), bench.store.change(BEN) as change:
            change.patterns.say(word)
        with bench.store.read() as view:
            assert view.patterns.words() == []
