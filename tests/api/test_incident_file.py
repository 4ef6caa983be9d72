"""Files of incidents: our own and what other tools export."""

import csv
import io
import json
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.imports.incident_fields import ALIASES, Telling
from api.imports.incident_file import EXPORT_FORMATS, IncidentFile, ReadIncident, RefusedEntry
from api.imports.position import Position
from kb.errors import InvalidInput
from kb.incident import ActionOutcome, ActionTaken, Incident, IncidentStatus, Resolution
from kb.severity import Severity

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TELLING = Telling("anna", NOW)


def opened(raw: bytes | str, telling: Telling = TELLING, **more: Any) -> IncidentFile:
    return IncidentFile(io.BytesIO(raw.encode() if isinstance(raw, str) else raw), telling, **more)


def incidents_in(raw: bytes | str, telling: Telling = TELLING, **more: Any) -> list[Incident]:
    read = list(opened(raw, telling, **more).read())
    refused = [entry for entry in read if isinstance(entry, RefusedEntry)]
    assert refused == []
    return [entry.incident for entry in read if isinstance(entry, ReadIncident)]


def case(name: str) -> bytes:
    return (Path(__file__).parents[1] / "cases" / "imports" / name).read_bytes()


def as_csv(header: Sequence[str], *rows: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([header, *rows])
    return out.getvalue()


BENCHMARK_LINE = {
    "id": "d200-1",
    "ts": 1700591954,
    "title": "CompactorHasNotCleanedUp",
    "description": "Compactor node-39:9100 has not cleaned up in 6 hours.",
    "service": "tickets",
    "severity": "critical",
    "labels": {"alertname": "CompactorHasNotCleanedUp", "namespace": "edge"},
    "diagnosis": ["Looked at the bucket"],
    "resolution": ["Killed the query", "Rotated credentials"],
    "success": True,
    "duration_s": 869,
    "gold": "never read",
    "meta": {"mode": "full"},
}


class TestOwnFiles:
    def test_the_fields_of_a_line_become_an_incident(self) -> None:
        (one,) = incidents_in(json.dumps(BENCHMARK_LINE))
        assert (one.source, one.source_id, one.title) == ("import", "d200-1", "CompactorHasNotCleanedUp")
        assert one.started_at == datetime(2023, 11, 21, 18, 39, 14, tzinfo=UTC)
        assert (one.status, one.duration_s, one.severity) == (IncidentStatus.RESOLVED, 869.0, Severity.CRITICAL)
        assert one.alerts == ("CompactorHasNotCleanedUp",)
        assert [step.text for step in one.diagnosis] == ["Looked at the bucket"]
        assert one.resolution is not None
        assert [action.text for action in one.resolution.actions] == ["Killed the query", "Rotated credentials"]
        assert one.resolution.success is True
        assert one.metadata == {}
        assert (one.reported_by, one.recorded_at) == ("anna", NOW)

    def test_what_tells_nothing_is_named(self) -> None:
        assert opened(json.dumps(BENCHMARK_LINE)).unused_columns == ("gold", "meta")

    def test_the_same_incident_has_the_same_id_in_every_container(self) -> None:
        line = {name: value for name, value in BENCHMARK_LINE.items() if name not in ("labels", "gold", "meta")}
        cells = {name: "\n".join(value) if isinstance(value, list) else str(value) for name, value in line.items()}
        (from_lines,) = incidents_in(json.dumps(line))
        (from_list,) = incidents_in(json.dumps([line]))
        (from_document,) = incidents_in(json.dumps({"incidents": [line], "total": 1}, indent=1))
        (from_csv,) = incidents_in(as_csv(list(cells), list(cells.values())))
        assert from_lines == from_list == from_document == from_csv

    def test_a_cell_may_hold_a_list_or_an_object(self) -> None:
        row = as_csv(
            ["id", "start", "title", "resolution", "labels"],
            ["1", "2024-01-01", "A", '["a, b", {"text": "c", "outcome": "worse"}]', '{"pod": "x"}'],
            ["2", "2024-01-01", "B", "[not json", "namespace=shop, canary"],
        )
        first, second = incidents_in(row)
        assert first.resolution is not None
        assert [(a.text, a.outcome) for a in first.resolution.actions] == [
            ("a, b", ActionOutcome.UNKNOWN),
            ("c", ActionOutcome.MADE_WORSE),
        ]
        assert (first.labels, second.labels) == ({"pod": "x"}, {"namespace": "shop", "canary": "true"})

    def test_bad_entries_are_told_with_their_line_and_good_ones_pass(self) -> None:
        lines = [
            json.dumps(BENCHMARK_LINE),
            "{broken",
            '{"id": "2", "title": "no start"}',
            '{"id": "3", "ts": "yesterday", "title": "x"}',
            '{"id": "4", "ts": 1700000000}',
            '{"id": "5", "ts": 1700000000, "title": "x", "duration": "5 parsecs"}',
            '{"id": "6", "ts": 1700000000, "title": "x", "severity": "purple"}',
            '{"id": "7", "ts": 1700000000, "title": "x", "resolved_at": 1600000000}',
            '{"id": "8", "ts": 4000000000, "title": "x"}',
            '{"id": "9", "ts": 1700000000, "title": "x", "resolution": [{"text": "y", "outcome": "maybe"}]}',
            '{"id": "10", "ts": 1700000000, "title": "ok"}',
        ]
        read = list(opened("\n".join(lines)).read())
        refused = {entry.number: entry.reason for entry in read if isinstance(entry, RefusedEntry)}
        assert [entry.number for entry in read if isinstance(entry, ReadIncident)] == [1, 11]
        assert sorted(refused) == [2, 3, 4, 5, 6, 7, 8, 9, 10]
        assert refused[3] == "started_at: is missing"
        assert refused[4].startswith("started_at: 'yesterday' is not a time")
        assert refused[5] == "title: is missing"
        assert refused[6] == "duration: '5 parsecs' is not a length of time"
        assert refused[7] == "severity: 'purple' names no severity"
        assert refused[8] == "resolved_at: lies before the incident began"
        assert refused[9] == "started_at: lies in the future"
        assert refused[10].startswith("resolution[0].outcome: 'maybe'")

    def test_reading_goes_on_where_it_stopped(self) -> None:
        raw = "\n".join(json.dumps({"id": n, "ts": 1_700_000_000 + n, "title": "x"}) for n in range(1, 9))
        whole = list(opened(raw).read())
        for at, entry in enumerate(whole):
            assert list(opened(raw).read(entry.end)) == whole[at + 1 :]

    @pytest.mark.parametrize("raw", [b"", b" \n ", b"\xff\xfe{\x00}\x00", b"{}\xff\xfe"[2:]])
    def test_a_file_that_is_none_is_a_clear_error(self, raw: bytes) -> None:
        with pytest.raises(InvalidInput):
            opened(raw)

    def test_unknown_formats_and_encodings_are_clear_errors(self) -> None:
        with pytest.raises(InvalidInput, match="opsgenie"):
            opened("a,b\n", export="opsgenie")
        with pytest.raises(InvalidInput, match="utf-99"):
            opened("a,b\n", encoding="utf-99")

    def test_a_large_file_needs_little_memory(self, tmp_path: Path) -> None:
        path = tmp_path / "large.jsonl"
        row = {"title": "x" * 2000, "resolution": ["y" * 500] * 4}
        with path.open("w") as out:
            for number in range(2000):
                out.write(json.dumps({"id": number, "ts": 1_700_000_000 + number, **row}) + "\n")
        assert path.stat().st_size > 8_000_000
        with path.open("rb") as file:
            reading = IncidentFile(file, TELLING)
            tracemalloc.start()
            count = sum(1 for _ in reading.read())
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert count == 2000
        assert peak < 3_000_000

    @pytest.mark.integration
    def test_the_benchmarks_incidents_are_all_read(self, bench_dir: Path) -> None:
        with (bench_dir / "learner" / "A_2000.jsonl").open("rb") as file:
            read = [entry for entry in IncidentFile(file, TELLING).read() if isinstance(entry, ReadIncident)]
        assert len(read) == 2000
        assert len({entry.incident.id for entry in read}) == 2000


class TestPagerDuty:
    def test_the_incident_report_is_read(self) -> None:
        raw = case("pagerduty-report.csv")
        (one,) = incidents_in(raw)
        assert opened(raw).format == "pagerduty"
        assert (one.source, one.source_id, one.title) == ("pagerduty", "PABC1", "[FIRING:1] DiskFull (db-1)")
        assert one.started_at == datetime(2024, 1, 15, 9, 22, 3, tzinfo=UTC)
        assert one.acknowledged_at == datetime(2024, 1, 15, 9, 23, 33, tzinfo=UTC)
        assert one.lasted_s == 1800
        assert (one.severity, one.service, one.status) == (Severity.HIGH, "orders-db", IncidentStatus.RESOLVED)
        assert one.resolution == Resolution(resolved_by="Ann Lee")
        assert opened(raw).unused_columns == ("service_id", "escalation_policy_name", "auto_resolved")

    def test_insights_without_an_end_column_is_read(self) -> None:
        (one,) = incidents_in(case("pagerduty-insights.csv"))
        assert (one.lasted_s, one.severity) == (600, Severity.MEDIUM)

    def test_the_api_is_read(self) -> None:
        first, second = incidents_in(case("pagerduty-api.json"))
        assert (first.title, first.service, first.severity) == ("The server is on fire.", "Mail", Severity.HIGH)
        assert first.description == "host: mx-3\nload: 99.5"
        assert (first.lasted_s, first.fingerprint) == (1800, "baf7cf21")
        assert first.resolution == Resolution(resolved_by="Earline")
        assert [step.text for step in first.diagnosis] == ["Smoke everywhere"]
        assert first.links == ("https://x.pagerduty.com/incidents/PT4KHLK",)
        assert (second.status, second.severity, second.resolution) == (IncidentStatus.ACKNOWLEDGED, Severity.LOW, None)


class TestIncidentIo:
    def test_the_api_is_read_and_what_is_no_incident_left_out_with_the_reason(self) -> None:
        first, *others = opened(case("incident-io-api.json")).read()
        assert isinstance(first, ReadIncident)
        one = first.incident
        assert (one.source, one.source_id, one.title) == ("incident.io", "INC-123", "Checkout fails")
        assert one.started_at == datetime(2024, 1, 6, 21, 30, tzinfo=UTC)
        assert one.acknowledged_at == datetime(2024, 1, 6, 21, 35, tzinfo=UTC)
        assert (one.lasted_s, one.status, one.severity) == (5400, IncidentStatus.RESOLVED, Severity.HIGH)
        assert (one.service, one.trigger, one.type) == ("checkout, cart", "A full disk", "Production")
        assert one.links == ("https://app.incident.io/incidents/123",)
        assert one.resolution == Resolution(resolved_by="Lisa")
        assert [entry.reason for entry in others if isinstance(entry, RefusedEntry)] == [
            "status: is 'declined' at its source",
            "status: is 'tutorial' at its source",
            "status: is 'merged' at its source",
        ]

    def test_a_csv_with_its_columns_is_read(self) -> None:
        (one,) = incidents_in(case("incident-io.csv"))
        assert (one.source, one.service, one.severity, one.lasted_s) == ("incident.io", "search", Severity.LOW, 1800)


class TestJira:
    def test_the_csv_of_a_search_is_read_and_a_duplicate_left_out(self) -> None:
        first, second = opened(case("jira-search.csv")).read()
        assert isinstance(first, ReadIncident)
        one = first.incident
        assert (one.source, one.source_id, one.title) == ("jira", "OPS-7", "Mail queue grows")
        assert one.started_at == datetime(2024, 1, 15, 15, 26, tzinfo=UTC)
        assert (one.lasted_s, one.severity) == (3600, Severity.CRITICAL)
        assert (one.description, one.trigger) == ("Two\nlines", "Disk full")
        assert [step.text for step in one.diagnosis] == ["looked at df", "logs; many"]
        assert one.resolution == Resolution(
            actions=(ActionTaken("rotated logs"), ActionTaken("freed 5 GB")), success=True, resolved_by="Ann Lee"
        )
        assert isinstance(second, RefusedEntry)
        assert (second.number, second.reason) == (5, "status: is 'duplicate' at its source")

    def test_the_api_is_read_with_its_documents(self) -> None:
        (one,) = incidents_in(case("jira-api.json"))
        assert (one.source_id, one.status, one.severity) == ("OPS-8", IncidentStatus.ACKNOWLEDGED, Severity.MEDIUM)
        assert one.started_at == datetime(2024, 1, 15, 14, 26, tzinfo=UTC)
        assert one.description == "Disk full\non db-1"
        assert one.service == "orders, db"
        assert [step.text for step in one.diagnosis] == ["Disk full\non db-1"]


class TestServiceNow:
    def test_the_csv_with_field_names_is_read(self) -> None:
        (one,) = incidents_in(case("servicenow-list.csv"))
        assert (one.source, one.source_id, one.title) == ("servicenow", "INC0010023", "VPN down")
        assert (one.severity, one.service, one.type, one.lasted_s) == (Severity.CRITICAL, "VPN", "Network", 3600)
        assert [step.text for step in one.diagnosis] == ["Looked\nat it", "It expired"]
        assert one.resolution == Resolution(
            actions=(ActionTaken("Renewed the certificate"),), success=True, resolved_by="Ann Lee"
        )

    def test_the_csv_with_labels_in_another_encoding_is_read(self) -> None:
        raw = as_csv(
            ["Number", "Short description", "Priority", "State", "Opened", "Configuration item", "Resolution code"],
            ["INC1", "Störung", "5 - Planning", "In Progress", "01/15/2024 10:22:03 PM", "drucker", ""],
        )
        (one,) = incidents_in(raw.encode("cp1252"), encoding="cp1252")
        assert (one.title, one.severity, one.service) == ("Störung", Severity.INFO, "drucker")
        assert one.started_at == datetime(2024, 1, 15, 22, 22, 3, tzinfo=UTC)
        assert one.status is IncidentStatus.ACKNOWLEDGED

    def test_the_table_api_is_read_with_codes_or_display_values(self) -> None:
        plain, shown = incidents_in(case("servicenow-table-api.json"))
        assert (plain.status, plain.severity) == (IncidentStatus.RESOLVED, Severity.HIGH)
        assert plain.resolution == Resolution(success=False)
        assert (shown.source_id, shown.service, shown.status) == ("INC3", "db-1", IncidentStatus.ACKNOWLEDGED)
        assert shown.started_at == datetime(2024, 1, 15, 9, 22, 3, tzinfo=UTC)

    def test_times_without_a_zone_are_in_the_zone_that_is_said(self) -> None:
        raw = as_csv(["number", "short_description", "opened_at"], ["INC1", "A", "2024-07-15 10:00:00"])
        berlin = Telling("anna", NOW, zone=ZoneInfo("Europe/Berlin"))
        assert incidents_in(raw, berlin)[0].started_at == datetime(2024, 7, 15, 8, tzinfo=UTC)

    def test_of_a_date_in_numbers_one_must_say_which_is_the_day(self) -> None:
        raw = as_csv(["number", "short_description", "opened_at"], ["INC1", "A", "02/01/2024 10:00:00"])
        (refused,) = opened(raw).read()
        assert isinstance(refused, RefusedEntry)
        assert "can be read in one way" in refused.reason
        assert incidents_in(raw, Telling("a", NOW, day_first=True))[0].started_at.month == 1
        assert incidents_in(raw, Telling("a", NOW, day_first=False))[0].started_at.month == 2

    def test_a_priority_that_nobody_knows_costs_no_incident(self) -> None:
        raw = as_csv(["number", "short_description", "opened_at", "priority"], ["INC1", "A", "2024-01-15", "Purple"])
        (one,) = incidents_in(raw)
        assert (one.severity, one.metadata) == (None, {"priority": "Purple"})


ANY_VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["2024-01-15", "5m", "P1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = sorted(
    {name for aliases in ALIASES.values() for name in aliases}
    | {path.split(".")[0] for export in EXPORT_FORMATS.values() for paths in export.columns.values() for path in paths}
    | {name for export in EXPORT_FORMATS.values() for name in export.also_read}
)


class TestAnything:
    @settings(deadline=None)
    @given(
        st.lists(st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=8), ANY_VALUE, max_size=12), max_size=4),
        st.sampled_from(["", "own", *EXPORT_FORMATS]),
    )
    def test_any_rows_are_incidents_or_told_reasons(self, rows: list[dict[str, object]], export: str) -> None:
        raw = "\n".join(json.dumps(row) for row in rows) or "{}"
        read = list(opened(raw, export=export).read())
        assert len(read) == max(1, len(rows))
        assert all(entry.reason for entry in read if isinstance(entry, RefusedEntry))

    @given(
        st.binary(max_size=200)
        | st.text(max_size=200).map(
            lambda text: ("number,short_description,opened_at\n" + text).encode("utf-8", "replace")
        )
    )
    def test_any_file_is_read_or_a_clear_error(self, raw: bytes) -> None:
        try:
            read = list(opened(raw).read())
        except InvalidInput:
            return
        assert all(entry.end.offset <= len(raw) for entry in read)
        assert Position() not in {entry.end for entry in read}
