"""What every store of records tells those who hold a copy of a part of it. Adapters inherit and say how a bench is
made."""

import pytest

from kb.errors import InvalidInput
from kb.pattern import ChangeKind, PatternChange
from kb.pattern_records import Assignment, Word, WordKind
from kb.record_store import RecordChange, RecordEvent, RecordNews
from tests.contracts.records_bench import ANNA, BEN, RecordsBench, told, told_apart


class EventRecordsContract:
    """Inherit, and give a `bench` fixture."""

    @pytest.fixture
    def bench(self) -> RecordsBench:
        raise NotImplementedError

    def since(self, bench: RecordsBench, seq: int) -> list[RecordEvent]:
        with bench.store.read() as view:
            found = view.events.since(seq)
        assert found is not None
        assert found.last == self.last(bench)
        return list(found.events)

    def last(self, bench: RecordsBench) -> int:
        with bench.store.read() as view:
            return view.events.last()

    def test_an_empty_store_has_nothing_to_tell(self, bench: RecordsBench) -> None:
        with bench.store.read() as view:
            assert view.events.last() == 0
            assert view.events.since(0) == RecordNews((), 0)

    def test_every_change_is_told_in_its_order(self, bench: RecordsBench) -> None:
        one = bench.add(told_apart(1)).stored.incident.id
        with bench.store.read() as view:
            before = view.events.last()
        with bench.store.change(BEN) as change:
            change.patterns.assign([Assignment(one, "pat-a")])
            change.patterns.record([PatternChange(ChangeKind.BORN, "pat-a", (), 1, 1)])
            change.patterns.move({one: None})
            change.patterns.say(Word(WordKind.UNLEARN, (frozenset({one}),)))
            inside = change.events.last()
        found = self.since(bench, before)
        assert [(event.act, event.subject) for event in found] == [
            ("pattern.assign", one),
            ("pattern.born", "pat-a"),
            ("pattern.move", "patterns"),
            ("pattern.unlearn", "patterns"),
        ]
        assert found[-1].seq == inside
        assert self.since(bench, inside) == []

    def test_what_changes_nothing_is_not_told(self, bench: RecordsBench) -> None:
        bench.add(told_apart(1))
        with bench.store.read() as view:
            before = view.events.last()
        assert bench.add(told_apart(1)).has_changed is False
        assert self.since(bench, before) == []

    def test_a_change_that_fails_tells_nothing(self, bench: RecordsBench) -> None:
        with pytest.raises(InvalidInput), bench.store.change(ANNA) as change:
            self.fail_halfway(change)
        assert self.since(bench, 0) == []

    def fail_halfway(self, change: RecordChange) -> None:
        change.incidents.add(told_apart(1))
        assert change.events.last() == 1
        change.incidents.add(told(""))

    def test_whoever_knows_more_than_was_told_has_to_read_anew(self, bench: RecordsBench) -> None:
        bench.add(told_apart(1))
        with bench.store.read() as view:
            assert view.events.since(7) is None
