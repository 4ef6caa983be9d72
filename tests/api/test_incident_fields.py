"""Fields of bodies and files: times, words, steps, and the bodies of the learn route."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.imports.incident_fields import Telling
from api.imports.learn_body import incident_of_body
from api.imports.times import parse_time
from api.imports.values import labels_of, outcome_of, status_of, text_of, texts_of, truth_of
from kb.errors import InvalidInput
from kb.incident import ActionOutcome, ActionTaken, DiagnosisStep, IncidentStatus, Resolution
from kb.severity import Severity

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
JUST_NOW = Telling("anna", NOW, source="api", may_start_now=True)
OPEN, ACKNOWLEDGED, RESOLVED = IncidentStatus


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


NO_TIMES: list[object] = [
    *["", "yesterday", "2024-13-01", "2024-02-30", "32/Jan/24", "15/Foo/24 3:26 PM", "15/Jan/24 13:26 PM", "1/2/2024"],
    *["15/15/2024", "1969-12-31", "2200-01-01", "0001-01-01T00:00:00Z", "24:00", "-5", "9" * 20, "x" * 100],
    *[True, None, -1, 1e30, float("nan"), [], {}],
]


class TestTimes:
    @pytest.mark.parametrize(
        ("told", "expected"),
        [
            ("2024-01-15T10:22:03Z", utc(2024, 1, 15, 10, 22, 3)),
            ("2024-01-15T10:22:03.5+02:00", utc(2024, 1, 15, 8, 22, 3, 500000)),
            ("2024-01-15T10:22:03.000+0200", utc(2024, 1, 15, 8, 22, 3)),
            ("2024-01-15 10:22:03 UTC", utc(2024, 1, 15, 10, 22, 3)),
            ("2024-01-15 10:22", utc(2024, 1, 15, 10, 22)),
            ("2024-01-15", utc(2024, 1, 15)),
            ("20240115T102203Z", utc(2024, 1, 15, 10, 22, 3)),
            (1705314123, utc(2024, 1, 15, 10, 22, 3)),
            ("1705314123", utc(2024, 1, 15, 10, 22, 3)),
            (1705314123456, utc(2024, 1, 15, 10, 22, 3, 456000)),
            ("15/Jan/24 3:26 PM", utc(2024, 1, 15, 15, 26)),
            ("15/Jan/24 12:26 AM", utc(2024, 1, 15, 0, 26)),
            ("15-Jan-2024 15:26:07", utc(2024, 1, 15, 15, 26, 7)),
            ("15 January 2024", utc(2024, 1, 15)),
            ("Mon, 15 Jan 2024 15:26:07 GMT", utc(2024, 1, 15, 15, 26, 7)),
            ("Jan 15, 2024, 3:26 PM", utc(2024, 1, 15, 15, 26)),
            ("01/15/2024 15:26:07", utc(2024, 1, 15, 15, 26, 7)),
            ("15.01.2024 15:26", utc(2024, 1, 15, 15, 26)),
            ("01/01/2024", utc(2024, 1, 1)),
            (datetime(2024, 1, 15, 10), utc(2024, 1, 15, 10)),
        ],
    )
    def test_a_time_is_read_as_tools_write_it(self, told: object, expected: datetime) -> None:
        assert parse_time(told, field="x") == expected

    @pytest.mark.parametrize("told", NO_TIMES)
    def test_what_is_no_time_is_refused(self, told: object) -> None:
        with pytest.raises(InvalidInput) as caught:
            parse_time(told, field="started_at")
        assert caught.value.field == "started_at"

    def test_a_zone_that_is_said_counts_where_the_time_names_none(self) -> None:
        kolkata = ZoneInfo("Asia/Kolkata")
        assert parse_time("2024-01-15 10:00", field="x", zone=kolkata) == utc(2024, 1, 15, 4, 30)
        assert parse_time("2024-01-15 10:00Z", field="x", zone=kolkata) == utc(2024, 1, 15, 10)

    @settings(deadline=None)
    @given(st.datetimes(datetime(1970, 1, 2), datetime(2199, 12, 30), timezones=st.timezones()))
    def test_every_iso_time_is_read_back(self, moment: datetime) -> None:
        assert parse_time(moment.isoformat(), field="x") == moment.astimezone(UTC)


class TestWords:
    @pytest.mark.parametrize(
        ("told", "expected"),
        [
            ("a\n- b\r\n  * c\n1. d\n2) e\n\n(3) f\n", ("a", "b", "c", "d", "e", "f")),
            (["a ", "", None, {"text": "b"}, 3], ("a", "b", "3")),
            ("-5 degrees", ("-5 degrees",)),
            (None, ()),
            ({"name": "x"}, ("x",)),
        ],
    )
    def test_a_list_of_texts(self, told: object, expected: tuple[str, ...]) -> None:
        assert texts_of(told) == expected

    def test_values_as_text(self) -> None:
        told = [None, "  x ", 3, 2.5, True, float("nan"), {"display_value": "d", "value": "v"}, ["a", ["b"]], {}]
        assert [text_of(value) for value in told] == ["", "x", "3", "2.5", "true", "", "d", "a\nb", ""]

    def test_labels(self) -> None:
        assert labels_of({"a": 1, "b": None}) == {"a": "1", "b": ""}
        assert labels_of("a=1, b; c = x=y") == {"a": "1", "b": "true", "c": "x=y"}

    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("Closed", RESOLVED),
            ("Post-Incident", RESOLVED),
            ("6", RESOLVED),
            ("in_progress", ACKNOWLEDGED),
            ("Waiting for support", ACKNOWLEDGED),
            ("triggered", OPEN),
            ("To Do", OPEN),
            ("whatever", None),
            ("", None),
        ],
    )
    def test_states(self, word: str, status: IncidentStatus | None) -> None:
        assert status_of(word) is status

    @pytest.mark.parametrize(
        ("word", "outcome"),
        [
            ("helped", ActionOutcome.HELPED),
            ("It worked", ActionOutcome.HELPED),
            (True, ActionOutcome.HELPED),
            ("did_not_help", ActionOutcome.DID_NOT_HELP),
            (False, ActionOutcome.DID_NOT_HELP),
            ("made it worse", ActionOutcome.MADE_WORSE),
            (None, ActionOutcome.UNKNOWN),
        ],
    )
    def test_outcomes(self, word: object, outcome: ActionOutcome) -> None:
        assert outcome_of(word, field="x") is outcome

    def test_yes_and_no(self) -> None:
        assert [truth_of(word, field="x") for word in (True, "yes", 1, False, "No", 0, None, "")] == [
            *[True] * 3,
            *[False] * 3,
            *[None] * 2,
        ]


SEED_BODY: dict[str, Any] = {
    "incident_data": {
        "type": "pod_crash",
        "diagnosis": ["memory_limit_exceeded"],
        "resolution": ["increase_memory_limit"],
        "success": True,
        "duration": "5m",
    },
    "context": {"namespace": "production", "pod_type": "web"},
}


class TestLearnBody:
    def test_the_short_form_is_an_incident_that_has_just_ended(self) -> None:
        one = incident_of_body(SEED_BODY, JUST_NOW)
        assert (one.type, one.title, one.status) == ("pod_crash", "pod_crash", RESOLVED)
        assert one.started_at == NOW - timedelta(minutes=5)
        assert one.lasted_s == 300
        assert one.diagnosis == (DiagnosisStep("memory_limit_exceeded"),)
        assert one.resolution == Resolution(actions=(ActionTaken("increase_memory_limit"),), success=True)
        assert one.labels == {"namespace": "production", "pod_type": "web"}
        assert (one.reported_by, one.recorded_at, one.source, one.source_id) == ("anna", NOW, "", "")

    def test_the_fuller_form_says_everything(self) -> None:
        one = incident_of_body(
            {
                "id": "PM-7",
                "source": "wiki",
                "title": "Pool  exhausted\n",
                "summary": "too many clients",
                "severity": "sev2",
                "service": "orders",
                "alerts": ["PgConnections", {"labels": {"alertname": "OrdersSlow"}}],
                "labels": {"alertname": "PgConnections", "pod": "x"},
                "symptoms": "orders fail\npool full",
                "root_cause": "a deploy",
                "impact": "1 in 5 orders",
                "started_at": "2026-03-01T10:00:00+01:00",
                "acknowledged_at": "2026-03-01T09:05:00Z",
                "resolved_at": 1772359200,
                "diagnosis": [{"text": "counted", "command": "select 1", "found": "497"}, "looked"],
                "resolution": [
                    {"action": "restarted", "command": "kubectl rollout restart", "outcome": "failed"},
                    {"text": "halved the pool", "outcome": "helped", "took": "90s", "side_effects": ["slow start"]},
                ],
                "success": "yes",
                "resolved_by": "ben",
                "confirmed": "errors gone",
                "side_effects": ["slow start"],
                "lessons": ["pools add up"],
                "prevention": ["alert at 80 %"],
                "links": ["https://wiki/7"],
                "metadata": {"approved": True},
            },
            JUST_NOW,
        )
        assert (one.title, one.description) == ("Pool exhausted", "too many clients")
        assert (one.severity, one.trigger) == (Severity.HIGH, "a deploy")
        assert one.alerts == ("PgConnections", "OrdersSlow")
        assert (one.started_at, one.acknowledged_at) == (utc(2026, 3, 1, 9), utc(2026, 3, 1, 9, 5))
        assert one.resolved_at == utc(2026, 3, 1, 10)
        assert one.diagnosis == (DiagnosisStep("counted", "select 1", "497"), DiagnosisStep("looked"))
        assert one.resolution == Resolution(
            actions=(
                ActionTaken("restarted", "kubectl rollout restart", ActionOutcome.DID_NOT_HELP),
                ActionTaken("halved the pool", "", ActionOutcome.HELPED, ("slow start",), 90.0),
            ),
            success=True,
            resolved_by="ben",
            confirmed="errors gone",
            side_effects=("slow start",),
        )
        assert one.metadata == {"approved": True}

    def test_both_forms_can_be_mixed(self) -> None:
        body = {
            "incident_data": {**SEED_BODY["incident_data"], "title": "Web crashes", "labels": {"namespace": "x"}},
            "context": {"namespace": "production", "service": "web"},
            "metadata": {"by": "n8n"},
        }
        one = incident_of_body(body, JUST_NOW)
        assert (one.title, one.service, one.metadata) == ("Web crashes", "web", {"by": "n8n"})
        assert one.labels == {"namespace": "x", "service": "web"}

    def test_an_open_incident_has_no_end(self) -> None:
        one = incident_of_body({"title": "Slow", "status": "open", "duration": "5m"}, JUST_NOW)
        assert (one.status, one.resolved_at, one.duration_s) == (OPEN, None, None)

    @pytest.mark.parametrize("duration", ["5m", "300", 300, "PT5M", "0:05:00", "5 minutes"])
    def test_a_duration_may_be_written_in_any_way(self, duration: object) -> None:
        body = {"incident_data": {**SEED_BODY["incident_data"], "duration": duration}}
        assert incident_of_body(body, JUST_NOW).lasted_s == 300

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ([], "body"),
            ({}, "title"),
            ({"incident_data": []}, "incident_data"),
            ({"incident_data": {}, "context": []}, "incident_data.title"),
            ({"incident_data": {}, "context": [1]}, "context"),
            ({"incident_data": {"type": "x"}, "extra": 1}, "extra"),
            ({"incident_data": {"type": "x", "execute": True}}, "incident_data.execute"),
            ({"incident_data": {"type": "x", "duration": "soon"}}, "incident_data.duration"),
            ({"incident_data": {"type": "x", "success": "maybe"}}, "incident_data.success"),
            ({"title": "x", "approved": True}, "approved"),
            ({"title": "x", "started_at": "2026-01-01", "ts": 5}, "ts"),
            ({"title": "x", "severity": "purple"}, "severity"),
            ({"title": "x", "started_at": "2027-01-01"}, "started_at"),
            ({"title": "x", "resolution": [{"text": "y", "took": -1}]}, "resolution[0].took"),
        ],
    )
    def test_what_cannot_be_understood_is_refused_with_its_place(self, body: object, field: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            incident_of_body(body, JUST_NOW)
        assert caught.value.field == field

    def test_two_clocks_that_differ_a_little_are_forgiven(self) -> None:
        body = {"title": "x", "started_at": "2026-03-01T10:00:00Z", "acknowledged_at": "2026-03-01T09:58:00Z"}
        assert incident_of_body(body, JUST_NOW).acknowledged_at == utc(2026, 3, 1, 10)
        with pytest.raises(InvalidInput, match="before the incident began"):
            incident_of_body({**body, "acknowledged_at": "2026-03-01T09:00:00Z"}, JUST_NOW)
