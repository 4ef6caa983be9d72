"""What a severity obliges people to, and when."""

import tomllib
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.errors import InvalidInput
from kb.incident import Incident, IncidentStatus
from kb.severity import Severity
from kb.severity_policy import DEFAULT_POLICY, Escalation, Moment, called_by_now, duties_due, phase_now
from kb.severity_policy_config import policy_from

OPEN, ACKNOWLEDGED, RESOLVED = IncidentStatus
NINE = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def at(clock: str) -> datetime:
    """A time of that day; hours past 24 lie in the days after."""
    hours, minutes = clock.split(":")
    return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=int(hours), minutes=int(minutes))


def incident(severity: Severity | None, status: IncidentStatus = OPEN, **more: Any) -> Incident:
    return Incident("inc-1", "Down", NINE, NINE, "anna", severity=severity, status=status, **more)


def due(one: Incident, clock: str, done: dict[str, datetime] | None = None) -> list[tuple[str, str, bool]]:
    found = duties_due(DEFAULT_POLICY, one, at(clock), done or {})
    midnight = datetime(2026, 3, 1, tzinfo=UTC)
    shown = []
    for duty in found:
        minutes = round((duty.due_at - midnight).total_seconds() / 60)
        shown.append((duty.duty.id, f"{minutes // 60:02}:{minutes % 60:02}", duty.is_overdue))
    return shown


class TestDefaults:
    @pytest.mark.parametrize(
        ("severity", "code", "respond_min", "resolve_h", "first"),
        [
            (Severity.CRITICAL, "P0", 5, 4, "senior engineer"),
            (Severity.HIGH, "P1", 15, 2, "senior engineer"),
            (Severity.MEDIUM, "P2", 30, 4, "on-call engineer"),
            (Severity.LOW, "P3", 60, 8, "on-call engineer"),
        ],
    )
    def test_levels_have_their_times_and_whom_to_call(
        self, severity: Severity, code: str, respond_min: int, resolve_h: int, first: str
    ) -> None:
        level = DEFAULT_POLICY.levels[severity]
        assert level.code == code
        assert level.respond_within_s == respond_min * 60
        assert level.resolve_within_s == resolve_h * 3600
        assert level.escalation[0] == Escalation(first, 0)
        assert level.definition
        assert level.examples

    def test_manager_and_cto_are_called_for_long_critical_incidents_only(self) -> None:
        steps = DEFAULT_POLICY.levels[Severity.CRITICAL].escalation
        assert steps[1:] == (Escalation("engineering manager", 7200), Escalation("CTO", 14400))
        assert all(
            len(DEFAULT_POLICY.levels[s].escalation) == 1 for s in (Severity.HIGH, Severity.MEDIUM, Severity.LOW)
        )

    def test_signals_ask_for_nothing(self) -> None:
        assert due(incident(Severity.INFO), "23:00") == []


class TestDutiesDue:
    def test_a_new_critical_incident_names_everything_in_order(self) -> None:
        assert due(incident(Severity.CRITICAL), "09:06") == [
            ("stakeholders", "09:00", True),
            ("respond", "09:05", True),
            ("page-backup", "09:15", False),
            ("status-page", "09:30", False),
            ("escalate-2", "11:00", False),
            ("escalate-3", "13:00", False),
            ("resolve", "13:00", False),
        ]

    def test_an_answer_ends_what_waits_for_it(self) -> None:
        answered = incident(Severity.MEDIUM, ACKNOWLEDGED, acknowledged_at=at("09:10"))
        assert [name for name, _, _ in due(answered, "09:20")] == ["stakeholders", "status-page", "resolve"]

    def test_what_was_done_once_is_not_due_again(self) -> None:
        done = {"stakeholders": at("09:02")}
        assert "stakeholders" not in [name for name, _, _ in due(incident(Severity.HIGH), "09:03", done)]

    def test_what_repeats_is_due_again_after_its_time(self) -> None:
        done = {"status-page": at("09:40")}
        assert ("status-page", "10:10", False) in due(incident(Severity.HIGH), "10:09", done)
        assert ("status-page", "10:10", True) in due(incident(Severity.HIGH), "10:10", done)

    def test_after_the_end_report_and_postmortem_are_left(self) -> None:
        ended = incident(Severity.LOW, RESOLVED, resolved_at=at("10:00"))
        assert due(ended, "10:01") == [("report", "34:00", False), ("postmortem", "58:00", False)]
        assert due(ended, "10:01", {"report": at("10:00")}) == [("postmortem", "58:00", False)]

    def test_an_end_known_by_its_length_counts_too(self) -> None:
        ended = incident(Severity.LOW, RESOLVED, duration_s=3600.0)
        assert due(ended, "10:01") == [("report", "34:00", False), ("postmortem", "58:00", False)]
        assert due(incident(Severity.LOW, RESOLVED), "10:01") == []

    def test_nobody_is_asked_for_the_report_of_an_old_import(self) -> None:
        ended = incident(Severity.LOW, RESOLVED, resolved_at=at("10:00"))
        assert due(ended, f"{34 + 30 * 24}:00") == [("report", "34:00", True), ("postmortem", "58:00", True)]
        assert due(ended, f"{34 + 30 * 24}:01") == [("postmortem", "58:00", True)]

    def test_an_incident_of_unknown_severity_is_taken_for_a_medium_one(self) -> None:
        assert due(incident(None), "09:00") == due(incident(Severity.MEDIUM), "09:00")

    @settings(deadline=None)
    @given(
        st.sampled_from([None, *Severity]),
        st.sampled_from(IncidentStatus),
        st.integers(0, 10**7),
        st.dictionaries(st.sampled_from(["respond", "status-page", "report"]), st.integers(0, 10**6)),
    )
    def test_what_is_due_is_ordered_named_once_and_overdue_by_its_time(
        self, severity: Severity | None, status: IncidentStatus, later_s: int, done_s: dict[str, int]
    ) -> None:
        one = incident(severity, status, resolved_at=NINE + timedelta(hours=1) if status is RESOLVED else None)
        now = NINE + timedelta(seconds=later_s)
        done = {name: NINE + timedelta(seconds=s) for name, s in done_s.items()}
        found = duties_due(DEFAULT_POLICY, one, now, done)
        assert [duty.due_at for duty in found] == sorted(duty.due_at for duty in found)
        assert len({duty.duty.id for duty in found}) == len(found)
        assert all(duty.is_overdue == (duty.due_at <= now) for duty in found)


class TestEscalationAndPhases:
    def test_those_are_called_whose_time_has_come(self) -> None:
        critical = incident(Severity.CRITICAL)
        called = {
            clock: [step.to for step in called_by_now(DEFAULT_POLICY, critical, at(clock))]
            for clock in ("09:00", "11:00", "13:00")
        }
        assert called == {
            "09:00": ["senior engineer"],
            "11:00": ["senior engineer", "engineering manager"],
            "13:00": ["senior engineer", "engineering manager", "CTO"],
        }

    def test_after_the_end_nobody_more_is_called(self) -> None:
        ended = incident(Severity.CRITICAL, RESOLVED, resolved_at=at("09:30"))
        assert [step.to for step in called_by_now(DEFAULT_POLICY, ended, at("23:00"))] == ["senior engineer"]

    @pytest.mark.parametrize(
        ("clock", "name"),
        [("09:00", "immediate response"), ("09:05", "assessment"), ("09:29", "mitigation"), ("09:30", None)],
    )
    def test_a_critical_incident_goes_through_its_boxes_of_time(self, clock: str, name: str | None) -> None:
        phase = phase_now(DEFAULT_POLICY, incident(Severity.CRITICAL), at(clock))
        assert (phase.name if phase else None) == name

    def test_a_resolved_incident_is_in_none(self) -> None:
        ended = incident(Severity.CRITICAL, RESOLVED, resolved_at=at("09:01"))
        assert phase_now(DEFAULT_POLICY, ended, at("09:02")) is None


class TestConfiguration:
    def test_nothing_said_changes_nothing(self) -> None:
        assert policy_from({}) == DEFAULT_POLICY

    def test_what_is_named_takes_the_place_of_the_default(self) -> None:
        policy = policy_from(
            tomllib.loads("""
            when_unknown = "sev1"
            [levels.P1]
            respond_within = "10m"
            escalation = [{to = "manager", after = "1h"}, {to = "pager"}]
            [levels.info]
            respond_within = "P1D"
            resolve_within = 604800
            [levels.critical]
            phases = [{name = "stop the bleeding", from = 0, until = "10m"}]
            [duties.status-page]
            every = "1h"
            severities = ["critical", "P1"]
            [duties]
            report = false
            [duties.legal]
            text = "Call legal"
            to = "legal"
            after = "30m"
            since = "acknowledged"
            until = "never"
            severities = ["critical"]
            """)
        )
        high = DEFAULT_POLICY.levels[Severity.HIGH]
        assert policy.when_unknown is Severity.CRITICAL
        assert policy.levels[Severity.HIGH] == replace(
            high, respond_within_s=600.0, escalation=(Escalation("pager", 0.0), Escalation("manager", 3600.0))
        )
        assert policy.levels[Severity.INFO].resolve_within_s == 604800
        assert [phase.until_s for phase in policy.levels[Severity.CRITICAL].phases] == [600.0]
        duties = {duty.id: duty for duty in policy.duties}
        assert sorted(duties) == ["legal", "page-backup", "postmortem", "stakeholders", "status-page"]
        assert duties["status-page"].every_s == 3600
        assert duties["status-page"].after_s == 1800
        assert duties["legal"].since is Moment.ACKNOWLEDGED

    @pytest.mark.parametrize(
        ("mapping", "field"),
        [
            ({"levles": {}}, "p.levles"),
            ({"levels": []}, "p.levels"),
            ({"levels": {"huge": {}}}, "p.levels.huge"),
            ({"levels": {"P0": {"respond": "5m"}}}, "p.levels.P0.respond"),
            ({"levels": {"P0": {"respond_within": "soon"}}}, "p.levels.P0.respond_within"),
            ({"levels": {"P0": {"escalation": [{"after": "5m"}]}}}, "p.levels.P0.escalation[0].to"),
            ({"levels": {"P0": {"escalation": {}}}}, "p.levels.P0.escalation"),
            ({"levels": {"P0": {"phases": [{"name": "a", "from": 5, "until": 5}]}}}, "p.levels.P0.phases[0].until"),
            ({"levels": {"P0": {"phases": [{"name": "a", "until": 5}]}}}, "p.levels.P0.phases[0].from"),
            ({"levels": {"P0": {"phases": [{"name": "a", "from": 5}]}}}, "p.levels.P0.phases[0].until"),
            ({"levels": {"info": {"respond_within": 5}}}, "p.levels.info.resolve_within"),
            ({"levels": {"P0": {"examples": "one"}}}, "p.levels.P0.examples"),
            ({"levels": {"P0": {"code": ""}}}, "p.levels.P0.code"),
            ({"when_unknown": 3}, "p.when_unknown"),
            ({"duties": {"new": {"text": "x"}}}, "p.duties.new.after"),
            ({"duties": {"New One": {"text": "x", "after": 0}}}, "p.duties.New One"),
            ({"duties": {"report": True}}, "p.duties.report"),
            ({"duties": {"report": {"since": "yesterday"}}}, "p.duties.report.since"),
            ({"duties": {"report": {"every": 0}}}, "p.duties.report.every"),
            ({"duties": {"report": {"severities": "P0"}}}, "p.duties.report.severities"),
            ({"duties": {f"d{n}": False for n in range(51)}}, "p.duties"),
        ],
    )
    def test_what_cannot_be_understood_is_refused_with_its_place(self, mapping: dict[str, Any], field: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            policy_from(mapping, where="p")
        assert caught.value.field == field

    @settings(deadline=None)
    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        ["levels", "duties", "P0", "report", "after", "to", "escalation", "phases", "every", "x"]
                    ),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=12,
        ).filter(lambda value: isinstance(value, dict))
    )
    def test_any_mapping_is_a_policy_or_a_clear_error(self, mapping: dict[str, Any]) -> None:
        with suppress(InvalidInput):
            duties_due(policy_from(mapping), incident(Severity.CRITICAL), NINE)
