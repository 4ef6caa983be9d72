"""What is due next on an incident, and where the policy that says so comes from."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.learning.duties import duties_of, severity_policy
from api.settings import SettingsInvalid, load_settings
from api.wiring import KnowledgeBase
from kb.errors import InvalidInput
from kb.incident import Incident, IncidentStatus
from kb.incident_records import IncidentNote
from kb.severity import Severity
from kb.severity_policy import DEFAULT_POLICY

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
OUTAGE = Incident(
    "inc-1", "Everything is down", START, START, "ana", status=IncidentStatus.OPEN, severity=Severity.CRITICAL
)
TABLE = '[severity_policy.levels.critical]\nrespond_within = "3m"\n'


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("SRE_KB_CONFIG", "SRE_KB_SEVERITY_POLICY"):
        monkeypatch.delenv(name, raising=False)


def note(duty: str, minutes: float) -> IncidentNote:
    return IncidentNote("inc-1", "ana", "done", START + timedelta(minutes=minutes), duty)


def test_the_next_duty_of_an_outage_that_nobody_has_answered() -> None:
    found = duties_of(DEFAULT_POLICY, OUTAGE, [], START + timedelta(minutes=6))
    assert found.level is not None
    assert (found.level.code, found.phase and found.phase.name) == ("P0", "assessment")
    assert [(due.duty.id, due.is_overdue) for due in found.due[:3]] == [
        ("stakeholders", True),
        ("respond", True),
        ("page-backup", False),
    ]
    assert found.next_due == found.due[0]
    assert [step.to for step in found.called] == ["senior engineer"]


def test_a_note_that_says_a_duty_is_done_puts_it_off_or_ends_it() -> None:
    notes = [note("stakeholders", 1), note("status-page", 30), note("", 31), note("status-page", 61)]
    found = duties_of(DEFAULT_POLICY, OUTAGE, notes, START + timedelta(minutes=70))
    due = {one.duty.id: one.due_at for one in found.due}
    assert "stakeholders" not in due
    assert due["status-page"] == START + timedelta(minutes=91)
    assert [one.duty for one in found.done] == ["stakeholders", "status-page", "status-page"]


def test_an_incident_that_asks_for_nothing_has_nothing_due() -> None:
    found = duties_of(DEFAULT_POLICY, replace(OUTAGE, severity=Severity.INFO), [], START)
    assert (found.level, found.due, found.next_due, found.called, found.phase) == (None, (), None, (), None)


def test_without_a_setting_the_default_policy_holds() -> None:
    assert severity_policy(load_settings()) == DEFAULT_POLICY


def test_the_policy_may_stand_in_the_configuration_file() -> None:
    Path("sre-kb.toml").write_text(TABLE, encoding="utf-8")
    assert severity_policy(load_settings()).levels[Severity.CRITICAL].respond_within_s == 180


@pytest.mark.parametrize("text", [TABLE, TABLE.replace("severity_policy.", "")])
def test_the_variable_names_a_file_and_wins(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    Path("sre-kb.toml").write_text('[severity_policy]\nwhen_unknown = "high"\n', encoding="utf-8")
    Path("policy.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("SRE_KB_SEVERITY_POLICY", "policy.toml")
    policy = severity_policy(load_settings())
    assert (policy.levels[Severity.CRITICAL].respond_within_s, policy.when_unknown) == (180, Severity.MEDIUM)


def test_a_policy_that_cannot_be_used_stops_with_the_key_that_is_wrong() -> None:
    Path("sre-kb.toml").write_text('[severity_policy.levels.critical]\nrespond_within = "soon"\n', encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        load_settings()
    assert "severity_policy.levels.critical.respond_within" in caught.value.message


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "which cannot be read (No such file or directory)"), (b"a = \n", "which is not TOML")],
)
def test_a_policy_file_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, content: bytes | None, reason: str
) -> None:
    if content is not None:
        Path("policy.toml").write_bytes(content)
    monkeypatch.setenv("SRE_KB_SEVERITY_POLICY", "policy.toml")
    with pytest.raises(SettingsInvalid) as caught:
        load_settings()
    assert caught.value.message.startswith(f"SRE_KB_SEVERITY_POLICY is 'policy.toml', {reason}")


def test_the_policy_of_the_settings_is_the_one_that_incidents_are_held_to(tmp_path: Path) -> None:
    (tmp_path / "runbooks").mkdir()
    settings = load_settings(severity_policy={"when_unknown": "critical"})
    base = KnowledgeBase(settings)
    try:
        assert base.services.learning.policy.when_unknown is Severity.CRITICAL
    finally:
        base.close()
