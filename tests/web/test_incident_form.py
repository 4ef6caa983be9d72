"""What people type about an incident becomes exactly what they meant."""

from datetime import UTC, datetime, timedelta

import pytest

from api.web.incident_form import began_at, labels_in, typed_change, typed_incident
from api.web.resolve_form import resolve_patch, resolve_screen, typed_again
from kb.errors import InvalidInput
from kb.incident import ActionOutcome, ActionTaken, DiagnosisStep, Incident, IncidentStatus, Resolution
from kb.incident_records import StoredIncident
from kb.severity import Severity

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
DIAGNOSIS = (DiagnosisStep("Read the log", "journalctl -u mail", "full of errors"),)
RESTARTED = ActionTaken("Restarted it", "systemctl restart mail", ActionOutcome.DID_NOT_HELP, ("lost mails",), 60.0)


def incident(**fields: object) -> Incident:
    known = {
        "id": "inc-1",
        "title": "Mail is late",
        "started_at": NOW - timedelta(minutes=65),
        "recorded_at": NOW,
        "reported_by": "ann",
        "status": IncidentStatus.OPEN,
        "diagnosis": DIAGNOSIS,
        "resolution": Resolution((RESTARTED,)),
    }
    return Incident(**{**known, **fields})  # type: ignore[arg-type]


def stored(**fields: object) -> StoredIncident:
    return StoredIncident(incident(**fields), "ann", "", 3, NOW)


@pytest.mark.parametrize(
    ("given", "began"),
    [
        ("", NOW),
        ("20m", NOW - timedelta(minutes=20)),
        ("1h30m ago", NOW - timedelta(minutes=90)),
        ("2026-11-21 02:00", NOW - timedelta(hours=1)),
        ("2026-11-21T03:30+01:00", NOW - timedelta(minutes=30)),
    ],
)
def test_a_beginning_can_be_told_in_many_ways(given: str, began: datetime) -> None:
    assert began_at(given, NOW) == began


@pytest.mark.parametrize("given", ["yesterday", "2026-11-22 00:00", "-5m"])
def test_a_beginning_that_is_none_or_lies_ahead_is_refused(given: str) -> None:
    with pytest.raises(InvalidInput, match="began"):
        began_at(given, NOW)


def test_labels_are_read_line_by_line_and_lines_that_are_none_left_out() -> None:
    assert labels_in('namespace=shop\n pod : "web-1" \nnothing\n=x\n') == {"namespace": "shop", "pod": "web-1"}


def test_an_alert_alone_names_an_incident() -> None:
    typed = typed_incident({"title": " ", "alerts": "A, B\nA", "severity": "sev1"}, by="ann", now=NOW)
    assert (typed.title, typed.alerts, typed.severity) == ("A, B", ("A", "B"), Severity.CRITICAL)
    assert typed.status is IncidentStatus.OPEN
    with pytest.raises(InvalidInput, match="title"):
        typed_incident({}, by="ann", now=NOW)


def test_a_change_holds_what_the_form_holds() -> None:
    change = typed_change({"title": "Late", "symptoms": "a\n\n b \n", "severity": ""})
    assert (change.title, change.symptoms, change.severity) == ("Late", ("a", "b"), None)


def test_the_form_offers_what_is_written_down_and_room_for_more() -> None:
    screen = resolve_screen(stored(), (), "", by="ann", now=NOW)
    assert [(row.number, row.text, row.outcome) for row in screen.rows] == [
        (1, "Restarted it", "did not help"),
        (2, "", ""),
        (3, "", ""),
        (4, "", ""),
    ]
    assert (screen.so_far, screen.lasted, screen.diagnosis) == ("1 h 5 min", "", "Read the log")


def test_what_the_form_does_not_ask_for_stays() -> None:
    form = {"text-1": "Restarted it", "outcome-1": "helped", "command-1": "x", "diagnosis": "Read  the log\nAsked ben"}
    patch = resolve_patch(form, incident(), by="ben")
    resolution = patch.resolution
    assert isinstance(resolution, Resolution)
    assert resolution.actions == (ActionTaken("Restarted it", "x", ActionOutcome.HELPED, ("lost mails",), 60.0),)
    assert patch.diagnosis == (*DIAGNOSIS, DiagnosisStep("Asked ben"))
    assert (resolution.success, resolution.resolved_by) == (None, "ben")


def test_a_length_of_time_sets_the_end() -> None:
    patch = resolve_patch({"lasted": "1h"}, incident(), by="ann")
    assert (patch.duration_s, patch.resolved_at) == (3600.0, NOW - timedelta(minutes=5))
    with pytest.raises(InvalidInput, match="lasted"):
        resolve_patch({"lasted": "long"}, incident(), by="ann")


def test_an_outcome_that_is_none_of_the_choices_is_unknown() -> None:
    patch = resolve_patch({"text-1": "x", "outcome-1": "<script>"}, incident(), by="ann")
    assert isinstance(patch.resolution, Resolution)
    assert patch.resolution.actions == (ActionTaken("x"),)


def test_the_form_comes_back_with_every_line_that_was_typed() -> None:
    screen = resolve_screen(stored(), (), "", by="ann", now=NOW)
    form = {"text-1": "Restarted it", "text-7": "More", "outcome-7": "made worse", "success": "no", "lasted": "soon"}
    again = typed_again(screen, form, refused="why", is_conflict=False)
    assert [(row.number, row.text, row.outcome) for row in again.rows] == [
        (1, "Restarted it", ""),
        (7, "More", "made worse"),
    ]
    assert (again.success, again.lasted, again.refused) == ("no", "soon", "why")
