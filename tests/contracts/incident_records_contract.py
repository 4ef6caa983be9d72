"""What every store of records does with incidents. Adapters inherit and say how a bench for them is made."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest

from kb.errors import InvalidInput
from kb.incident import ActionTaken, DiagnosisStep, Incident, IncidentStatus, Resolution
from kb.incident_records import (
    IncidentChanged,
    IncidentNotFound,
    IncidentPatch,
    IncidentQuery,
    IncidentSort,
)
from kb.severity import Severity
from tests.contracts.records_bench import (
    ALERTMANAGER,
    ANNA,
    BEN,
    FULL,
    HOUR,
    MINUTE,
    NOON,
    RecordsBench,
    told,
    told_apart,
)

OPEN, ACKNOWLEDGED, RESOLVED = IncidentStatus


class IncidentRecordsContract:
    """Inherit, and give a `bench` fixture whose store masks `hunter2`."""

    @pytest.fixture
    def bench(self) -> RecordsBench:
        raise NotImplementedError

    # Keeping

    def test_everything_told_of_an_incident_comes_back(self, bench: RecordsBench) -> None:
        added = bench.add(FULL)
        kept = bench.get(added.stored.incident.id)
        expected = replace(FULL, id=kept.id, reported_by="anna", recorded_at=bench.clock.at)
        assert kept == expected
        assert (added.is_new, added.has_changed) == (True, True)

    def test_a_bare_incident_comes_back(self, bench: RecordsBench) -> None:
        kept = bench.get(bench.add(told("Odd")).stored.incident.id)
        assert kept == replace(told("Odd"), id=kept.id, reported_by="anna", recorded_at=bench.clock.at)

    def test_the_store_says_who_told_and_when_it_heard(self, bench: RecordsBench) -> None:
        liar = told("Odd", reported_by="the ceo", recorded_at=NOON - 999 * HOUR)
        stored = bench.add(liar, by=BEN).stored
        assert (stored.incident.reported_by, stored.opened_by) == ("ben", "ben")
        assert stored.incident.recorded_at == stored.updated_at == datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
        assert stored.incident.started_at == NOON
        assert stored.version == 1

    def test_an_unknown_incident_is_a_clear_error(self, bench: RecordsBench) -> None:
        with bench.store.read() as view, pytest.raises(IncidentNotFound) as caught:
            view.incidents.get("inc-none")
        assert caught.value.incident_id == "inc-none"

    def test_many_are_got_at_once_and_unknown_ones_left_out(self, bench: RecordsBench) -> None:
        ids = [bench.add(told_apart(n)).stored.incident.id for n in range(3)]
        with bench.store.read() as view:
            got = view.incidents.get_many([ids[2], "inc-none", ids[0], ids[0]])
        assert sorted(got) == sorted([ids[0], ids[2]])
        assert got[ids[0]].incident.title == "Incident 0"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("started_at", datetime(2026, 3, 1, 12)),
            ("started_at", datetime(1969, 12, 31, tzinfo=UTC)),
            ("started_at", datetime(2200, 1, 1, tzinfo=UTC)),
            ("resolved_at", datetime(2026, 3, 1, 12)),
        ],
    )
    def test_times_that_cannot_be_are_refused(self, bench: RecordsBench, field: str, value: datetime) -> None:
        with pytest.raises(InvalidInput) as caught:
            bench.add(told("Odd", **{field: value}))
        assert caught.value.field == field

    def test_an_incident_that_says_nothing_is_refused(self, bench: RecordsBench) -> None:
        with pytest.raises(InvalidInput) as caught:
            bench.add(told("  ", description="no title, no type, no alert"))
        assert caught.value.field == "title"

    def test_an_alert_or_a_type_is_title_enough(self, bench: RecordsBench) -> None:
        assert bench.add(told("", alerts=("DiskFull",))).is_new
        assert bench.add(told("", type="pod_crash")).is_new

    def test_all_of_a_batch_is_kept_or_nothing(self, bench: RecordsBench) -> None:
        batch = [told_apart(1), told("  "), told_apart(2)]
        with pytest.raises(InvalidInput), bench.store.change(ANNA) as change:
            change.incidents.add_many(batch)
        with bench.store.read() as view:
            assert view.incidents.page(IncidentQuery()).total == 0

    def test_a_change_that_fails_later_leaves_nothing(self, bench: RecordsBench) -> None:
        first = bench.add(told_apart(1)).stored.incident.id

        def fail() -> None:
            with bench.store.change(ANNA) as change:
                change.incidents.add(told_apart(2))
                change.incidents.patch(first, IncidentPatch(title="Other"))
                change.incidents.add_note(first, "looking")
                raise RuntimeError("power cut")

        with pytest.raises(RuntimeError, match="power cut"):
            fail()
        with bench.store.read() as view:
            assert [one.incident.title for one in view.incidents.page(IncidentQuery()).incidents] == ["Incident 1"]
            assert view.incidents.notes(first) == []

    # Hostile fields

    def test_secrets_are_masked_wherever_they_stand(self, bench: RecordsBench) -> None:
        leak = "x hunter2 y"
        incident = told(
            leak,
            description=leak,
            type=leak,
            service=leak,
            alerts=(leak,),
            labels={leak: leak},
            symptoms=(leak,),
            trigger=leak,
            impact=leak,
            diagnosis=(DiagnosisStep(leak, leak, leak),),
            resolution=Resolution(
                actions=(ActionTaken(leak, leak, side_effects=(leak,)),),
                resolved_by=leak,
                confirmed=leak,
                side_effects=(leak,),
            ),
            lessons=(leak,),
            prevention=(leak,),
            links=(leak,),
            source=leak,
            source_id=leak,
            fingerprint=leak,
            metadata={leak: [leak, {"deep": leak}]},
        )
        kept = bench.get(bench.add(incident).stored.incident.id)
        assert "hunter2" not in repr(kept)
        assert repr(kept).count("x *** y") == 28

    def test_what_no_database_can_hold_is_replaced(self, bench: RecordsBench) -> None:
        odd = "a\x00b\ud800c"
        kept = bench.get(
            bench.add(
                told(
                    odd,
                    description=odd,
                    labels={odd: odd},
                    source=odd,
                    source_id=odd,
                    resolution=Resolution(actions=(ActionTaken(odd, took_s=math.nan),)),
                    duration_s=math.inf,
                    metadata={odd: [odd, math.nan, -math.inf, 2**80, object]},
                )
            ).stored.incident.id
        )
        plain = "a\ufffdb\ufffdc"
        assert (kept.title, kept.description, kept.source, kept.source_id) == (plain, plain, plain, plain)
        assert kept.labels == {plain: plain}
        assert kept.resolution == Resolution(actions=(ActionTaken(plain),))
        assert kept.duration_s is None
        assert kept.metadata == {plain: [plain, None, None, "1208925819614629174706176", "<class 'object'>"]}

    def test_very_long_fields_are_cut_and_say_so(self, bench: RecordsBench) -> None:
        long = "z" * 100_000
        kept = bench.get(
            bench.add(
                told(long, description=long, service=long, alerts=(long,), source="s", source_id=long, symptoms=(long,))
            ).stored.incident.id
        )
        assert (len(kept.title), len(kept.description), len(kept.symptoms[0])) == (1000, 65536, 65536)
        assert kept.title.endswith("z […]")
        assert len(kept.service) == len(kept.alerts[0]) == len(kept.source_id) == 300

    def test_long_ids_that_differ_at_their_end_stay_two_incidents(self, bench: RecordsBench) -> None:
        one = bench.add(told("A", source="s", source_id="9" * 5000 + "1"))
        two = bench.add(told("A", source="s", source_id="9" * 5000 + "2"))
        assert one.stored.incident.id != two.stored.incident.id

    def test_endless_lists_and_deep_metadata_are_bounded(self, bench: RecordsBench) -> None:
        deep: dict[str, object] = {}
        for _ in range(50):
            deep = {"d": deep}
        many = {f"key{n}": "v" for n in range(5000)}
        kept = bench.get(
            bench.add(
                told(symptoms=("s",) * 9999, labels=many, metadata={"deep": deep, "many": many})
            ).stored.incident.id
        )
        assert (len(kept.symptoms), len(kept.labels)) == (200, 100)
        assert len(repr(kept.metadata)) < 20_000

    # Duplicates

    def test_the_same_id_of_the_same_source_is_one_incident(self, bench: RecordsBench) -> None:
        first = bench.add(told_apart(1))
        again = bench.add(told_apart(1), by=BEN)
        assert (again.is_new, again.has_changed) == (False, False)
        assert again.stored == first.stored

    def test_the_same_id_of_another_source_is_another_incident(self, bench: RecordsBench) -> None:
        bench.add(told("A", source="jira", source_id="7"))
        assert bench.add(told("A", source="pagerduty", source_id="7")).is_new

    def test_the_same_fingerprint_and_start_is_one_incident(self, bench: RecordsBench) -> None:
        first = bench.add(told("A", fingerprint="f1"))
        again = bench.add(told("B", fingerprint="f1"))
        later = bench.add(told("A", fingerprint="f1", started_at=NOON + MINUTE))
        assert not again.is_new
        assert again.stored.incident.id == first.stored.incident.id
        assert later.is_new

    def test_the_same_moment_in_another_zone_is_the_same_start(self, bench: RecordsBench) -> None:
        bench.add(told("A", fingerprint="f1"))
        there = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
        assert not bench.add(told("A", fingerprint="f1", started_at=there)).is_new

    def test_a_moment_of_the_hour_that_comes_twice_is_one_moment(self, bench: RecordsBench) -> None:
        second_half_past_two = datetime(2025, 10, 26, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin"))
        first = bench.add(told("A", fingerprint="f1", started_at=second_half_past_two)).stored
        assert first.incident.started_at == datetime(2025, 10, 26, 1, 30, tzinfo=UTC)
        assert not bench.add(told("A", fingerprint="f1", started_at=second_half_past_two)).has_changed

    def test_two_reports_with_no_id_that_say_the_same_of_the_same_moment_are_one(self, bench: RecordsBench) -> None:
        assert bench.add(told("A", labels={"pod": "x"})).is_new
        assert not bench.add(told("A", labels={"pod": "x"})).is_new
        assert bench.add(told("A", labels={"pod": "y"})).is_new
        assert bench.add(told("A", labels={"pod": "x"}, started_at=NOON + MINUTE)).is_new

    def test_like_sounding_incidents_with_ids_of_their_own_stay_apart(self, bench: RecordsBench) -> None:
        assert bench.add(told("A", source="s", source_id="1")).is_new
        assert bench.add(told("A", source="s", source_id="2")).is_new

    def test_duplicates_inside_a_batch_are_one_incident(self, bench: RecordsBench) -> None:
        with bench.store.change(ANNA) as change:
            added = change.incidents.add_many([told_apart(1), told_apart(2), told_apart(1, service="orders")])
        assert [one.is_new for one in added] == [True, True, False]
        assert added[0].stored == added[2].stored
        assert (added[0].stored.version, added[0].stored.incident.service) == (1, "orders")

    def test_the_same_report_has_the_same_id_in_every_store(self, bench: RecordsBench) -> None:
        assert bench.add(told_apart(1)).stored.incident.id == "inc-6d718230ccffbad9"

    def test_a_duplicate_fills_what_was_empty_and_changes_nothing_else(self, bench: RecordsBench) -> None:
        first = bench.add(told("Disk full", source="s", source_id="1", status=OPEN, labels={"a": "1"}))
        bench.clock.turn(HOUR)
        again = bench.add(
            told(
                "Another title",
                source="s",
                source_id="1",
                service="orders",
                labels={"a": "2", "b": "3"},
                severity=Severity.LOW,
                resolved_at=NOON + HOUR,
            )
        ).stored
        assert (again.incident.title, again.incident.service) == ("Disk full", "orders")
        assert again.incident.labels == {"a": "1", "b": "3"}
        assert (again.incident.status, again.incident.resolved_at) == (RESOLVED, NOON + HOUR)
        assert (again.version, again.updated_at) == (2, first.stored.updated_at + HOUR)
        assert again.incident.recorded_at == first.stored.incident.recorded_at

    def test_reports_of_one_alert_in_any_order_end_the_same(self, bench: RecordsBench) -> None:
        fires = told("A", fingerprint="f", status=OPEN)
        seen = replace(fires, status=ACKNOWLEDGED, acknowledged_at=NOON + MINUTE)
        ends = replace(fires, status=RESOLVED, resolved_at=NOON + 9 * MINUTE)
        corrected = replace(fires, status=RESOLVED, resolved_at=NOON + 11 * MINUTE)
        ends_seen = set()
        for at, order in enumerate(permutations([fires, fires, seen, ends, corrected])):
            for report in order:
                last = bench.add(replace(report, fingerprint=f"f{at}"), by=ALERTMANAGER).stored.incident
            ends_seen.add((last.status, last.acknowledged_at, last.resolved_at))
        assert ends_seen == {(RESOLVED, NOON + MINUTE, NOON + 11 * MINUTE)}

    def test_whoever_tells_the_resolution_first_is_the_one_whose_word_it_is(self, bench: RecordsBench) -> None:
        fixed = Resolution(actions=(ActionTaken("deleted old logs"),), success=True)
        bench.add(told_apart(1, status=OPEN), by=ALERTMANAGER)
        by_ben = bench.add(told_apart(1, resolution=fixed), by=BEN).stored
        by_anna = bench.add(told_apart(1, resolution=Resolution(actions=(ActionTaken("rm -rf /"),))), by=ANNA).stored
        assert (by_ben.incident.reported_by, by_ben.opened_by) == ("ben", "alertmanager")
        assert by_anna.incident.resolution == fixed
        assert by_anna.incident.reported_by == "ben"

    def test_an_id_that_comes_later_is_known_from_then_on(self, bench: RecordsBench) -> None:
        first = bench.add(told("A", fingerprint="f"))
        bench.add(told("A", fingerprint="f", source="pagerduty", source_id="P1"))
        third = bench.add(told("A", source="pagerduty", source_id="P1", started_at=NOON + HOUR))
        assert third.stored.incident.id == first.stored.incident.id

    def test_a_report_is_found_without_adding_it(self, bench: RecordsBench) -> None:
        stored = bench.add(told_apart(1)).stored
        with bench.store.read() as view:
            assert view.incidents.find(told_apart(1)) == stored
            assert view.incidents.find(told_apart(2)) is None

    # Changing

    def test_a_change_touches_what_it_names(self, bench: RecordsBench) -> None:
        before = bench.add(FULL).stored
        bench.clock.turn(HOUR)
        with bench.store.change(BEN) as change:
            after = change.incidents.patch(
                before.incident.id, IncidentPatch(title="Pool hunter2", severity=None, assignee="ben")
            )
        assert after.incident == replace(before.incident, title="Pool ***", severity=None)
        assert (after.assignee, after.version) == ("ben", 2)
        assert after.updated_at == before.updated_at + HOUR
        with bench.store.read() as view:
            assert view.incidents.get(before.incident.id) == after

    def test_a_change_of_nothing_is_no_change(self, bench: RecordsBench) -> None:
        before = bench.add(FULL).stored
        bench.clock.turn(HOUR)
        with bench.store.change(BEN) as change:
            assert change.incidents.patch(before.incident.id, IncidentPatch(service="orders")) == before

    def test_of_two_who_read_the_same_version_one_is_told_so(self, bench: RecordsBench) -> None:
        incident_id = bench.add(told_apart(1)).stored.incident.id
        with bench.store.change(ANNA) as change:
            change.incidents.patch(incident_id, IncidentPatch(assignee="anna"), if_version=1)
        with pytest.raises(IncidentChanged) as caught, bench.store.change(BEN) as change:
            change.incidents.patch(incident_id, IncidentPatch(assignee="ben"), if_version=1)
        assert (caught.value.expected, caught.value.current) == (1, 2)

    def test_an_incident_is_followed_from_open_to_resolved_and_opened_again(self, bench: RecordsBench) -> None:
        incident_id = bench.add(told_apart(1, status=OPEN, started_at=bench.clock.at)).stored.incident.id
        seen = []
        for status in (ACKNOWLEDGED, RESOLVED, OPEN):
            bench.clock.turn(5 * MINUTE)
            with bench.store.change(ANNA) as change:
                incident = change.incidents.patch(incident_id, IncidentPatch(status=status)).incident
            seen.append((incident.status, incident.acknowledged_at, incident.resolved_at, incident.lasted_s))
        start = incident.started_at
        assert seen == [
            (ACKNOWLEDGED, start + 5 * MINUTE, None, None),
            (RESOLVED, start + 5 * MINUTE, start + 10 * MINUTE, 600.0),
            (OPEN, None, None, None),
        ]

    def test_a_time_brings_its_status(self, bench: RecordsBench) -> None:
        incident_id = bench.add(told_apart(1, status=OPEN)).stored.incident.id
        with bench.store.change(ANNA) as change:
            seen = change.incidents.patch(incident_id, IncidentPatch(acknowledged_at=NOON + MINUTE))
            ended = change.incidents.patch(incident_id, IncidentPatch(resolved_at=NOON + HOUR))
        assert (seen.incident.status, ended.incident.status) == (ACKNOWLEDGED, RESOLVED)

    def test_a_length_of_time_says_when_it_ended(self, bench: RecordsBench) -> None:
        incident_id = bench.add(told_apart(1, status=OPEN)).stored.incident.id
        with bench.store.change(ANNA) as change:
            ended = change.incidents.patch(incident_id, IncidentPatch(status=RESOLVED, duration_s=300.0))
        assert ended.incident.resolved_at == NOON + 5 * MINUTE

    @pytest.mark.parametrize(
        ("patch", "field"),
        [
            (IncidentPatch(title=" "), "title"),
            (IncidentPatch(resolved_at=NOON - MINUTE), "resolved_at"),
            (IncidentPatch(acknowledged_at=datetime(2026, 3, 1, 13)), "acknowledged_at"),
            (IncidentPatch(duration_s=math.nan), "duration"),
            (IncidentPatch(duration_s=-1.0), "duration"),
            (IncidentPatch(status=RESOLVED, duration_s=1e300), "duration"),
        ],
    )
    def test_a_change_to_nonsense_is_refused(self, bench: RecordsBench, patch: IncidentPatch, field: str) -> None:
        stored = bench.add(told_apart(1, status=OPEN)).stored
        with pytest.raises(InvalidInput) as caught, bench.store.change(ANNA) as change:
            change.incidents.patch(stored.incident.id, patch)
        assert caught.value.field == field
        assert bench.get(stored.incident.id) == stored.incident

    def test_a_change_of_no_incident_is_a_clear_error(self, bench: RecordsBench) -> None:
        with pytest.raises(IncidentNotFound), bench.store.change(ANNA) as change:
            change.incidents.patch("inc-none", IncidentPatch(title="A"))

    def test_who_resolves_an_alerts_incident_is_the_one_whose_word_it_is(self, bench: RecordsBench) -> None:
        incident_id = bench.add(told_apart(1, status=OPEN), by=ALERTMANAGER).stored.incident.id
        fixed = Resolution(actions=(ActionTaken("deleted old logs"),))
        with bench.store.change(BEN) as change:
            after = change.incidents.patch(incident_id, IncidentPatch(status=RESOLVED, resolution=fixed))
        assert (after.incident.reported_by, after.opened_by) == ("ben", "alertmanager")

    # Remarks

    def test_remarks_come_in_order_with_their_authors(self, bench: RecordsBench) -> None:
        incident_id = bench.add(told_apart(1)).stored.incident.id
        other_id = bench.add(told_apart(2)).stored.incident.id
        with bench.store.change(ANNA) as change:
            change.incidents.add_note(incident_id, " looking, pw hunter2 ")
            change.incidents.add_note(other_id, "elsewhere")
        bench.clock.turn(MINUTE)
        with bench.store.change(BEN) as change:
            change.incidents.add_note(incident_id, "", duty="status-page")
        with bench.store.read() as view:
            notes = view.incidents.notes(incident_id)
        assert [(note.author, note.text, note.duty) for note in notes] == [
            ("anna", "looking, pw ***", ""),
            ("ben", "", "status-page"),
        ]
        assert notes[1].event_time - notes[0].event_time == MINUTE

    def test_an_empty_remark_is_refused(self, bench: RecordsBench) -> None:
        incident_id = bench.add(told_apart(1)).stored.incident.id
        with pytest.raises(InvalidInput), bench.store.change(ANNA) as change:
            change.incidents.add_note(incident_id, " \n ")
        with pytest.raises(IncidentNotFound), bench.store.change(ANNA) as change:
            change.incidents.add_note("inc-none", "x")


class IncidentListContract:
    """Lists of incidents: inherit, and give a `bench` fixture."""

    @pytest.fixture
    def bench(self) -> RecordsBench:
        raise NotImplementedError

    @pytest.fixture
    def shelf(self, bench: RecordsBench) -> RecordsBench:
        rows: list[Incident] = [
            told("Disk full", source="a", source_id="0", service="orders", severity=Severity.LOW, alerts=("DiskFull",)),
            told("Größe STRASSE", source="a", source_id="1", service="cart", severity=Severity.CRITICAL, status=OPEN),
            told("100% cpu_load", source="b", source_id="X-9", severity=Severity.HIGH, status=ACKNOWLEDGED),
            told(
                "Plain", source="b", source_id="3", service="orders", alerts=('Odd "name"', "diskfull"), duration_s=60.0
            ),
            told("Slow", source="b", source_id="4", service="orders", resolved_at=NOON + 3 * HOUR + 20 * MINUTE),
        ]
        for hour, row in enumerate(rows):
            bench.add(replace(row, started_at=NOON + hour * HOUR), by=BEN if hour == 2 else ANNA)
            bench.clock.turn(MINUTE)
        return bench

    def titles(self, bench: RecordsBench, query: IncidentQuery) -> list[str]:
        with bench.store.read() as view:
            page = view.incidents.page(query)
            assert page.total == len(page.incidents)
            return [one.incident.title for one in page.incidents]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (IncidentQuery(), ["Slow", "Plain", "100% cpu_load", "Größe STRASSE", "Disk full"]),
            (IncidentQuery(statuses=frozenset({OPEN, ACKNOWLEDGED})), ["100% cpu_load", "Größe STRASSE"]),
            (IncidentQuery(severities=frozenset({Severity.LOW})), ["Disk full"]),
            (IncidentQuery(service="orders"), ["Slow", "Plain", "Disk full"]),
            (IncidentQuery(source="a", service="cart"), ["Größe STRASSE"]),
            (IncidentQuery(alert="DISKFULL"), ["Plain", "Disk full"]),
            (IncidentQuery(alert="disk"), []),
            (IncidentQuery(alert='Odd "name"'), ["Plain"]),
            (IncidentQuery(reported_by="ben"), ["100% cpu_load"]),
            (IncidentQuery(text="0%"), ["100% cpu_load"]),
            (IncidentQuery(text="u_l"), ["100% cpu_load"]),
            (IncidentQuery(text="größe strasse"), ["Größe STRASSE"]),
            (IncidentQuery(text="x-9"), ["100% cpu_load"]),
            (IncidentQuery(text="%"), ["100% cpu_load"]),
            (IncidentQuery(text="nothing like it" * 9999), []),
            (
                IncidentQuery(started_from=NOON + HOUR, started_before=NOON + 3 * HOUR),
                ["100% cpu_load", "Größe STRASSE"],
            ),
            (IncidentQuery(pattern_id="pat-none"), []),
        ],
    )
    def test_a_list_holds_what_it_is_asked_for(
        self, shelf: RecordsBench, query: IncidentQuery, expected: list[str]
    ) -> None:
        assert self.titles(shelf, query) == expected

    @pytest.mark.parametrize(
        ("sort", "descending", "expected"),
        [
            (IncidentSort.STARTED, False, ["Disk full", "Größe STRASSE", "100% cpu_load", "Plain", "Slow"]),
            (IncidentSort.SEVERITY, True, ["Größe STRASSE", "100% cpu_load", "Disk full"]),
            (IncidentSort.SEVERITY, False, ["Disk full", "100% cpu_load", "Größe STRASSE"]),
            (IncidentSort.DURATION, True, ["Plain"]),
            (IncidentSort.RECORDED, True, ["Slow", "Plain", "100% cpu_load", "Größe STRASSE", "Disk full"]),
        ],
    )
    def test_a_list_is_ordered_as_asked_and_the_unknown_come_last(
        self, shelf: RecordsBench, sort: IncidentSort, descending: bool, expected: list[str]
    ) -> None:
        listed = self.titles(shelf, IncidentQuery(sort=sort, descending=descending))
        assert listed[: len(expected)] == expected
        assert len(listed) == 5

    def test_an_end_known_only_by_a_time_orders_too(self, shelf: RecordsBench) -> None:
        query = IncidentQuery(sort=IncidentSort.RESOLVED, descending=False)
        assert self.titles(shelf, query)[0] == "Slow"

    def test_pages_part_the_list_without_gap_or_overlap(self, bench: RecordsBench) -> None:
        with bench.store.change(ANNA) as change:
            change.incidents.add_many([told_apart(n) for n in range(23)])  # all of one start: ordered by id alone
        seen: list[str] = []
        for offset in range(0, 30, 5):
            with bench.store.read() as view:
                page = view.incidents.page(IncidentQuery(limit=5, offset=offset))
            assert page.total == 23
            seen += [one.incident.id for one in page.incidents]
        assert len(seen) == 23
        assert seen == sorted(seen)

    @pytest.mark.parametrize("query", [IncidentQuery(limit=-1), IncidentQuery(limit=501), IncidentQuery(offset=-1)])
    def test_a_page_that_no_list_has_is_refused(self, bench: RecordsBench, query: IncidentQuery) -> None:
        with bench.store.read() as view, pytest.raises(InvalidInput):
            view.incidents.page(query)

    def test_the_total_counts_all_and_the_page_may_be_empty(self, shelf: RecordsBench) -> None:
        with shelf.store.read() as view:
            page = view.incidents.page(IncidentQuery(limit=0))
        assert (page.total, list(page.incidents)) == (5, [])
