"""The timeline of an incident, its links, and what is due."""

from datetime import UTC, datetime, timedelta

from api.web.incident_view import duty_lines, timeline, web_links
from kb.incident import Incident, IncidentStatus, Resolution
from kb.incident_records import IncidentNote, StoredIncident
from kb.severity import Severity
from kb.severity_policy import DEFAULT_POLICY, duties_due

BEGAN = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def stored(**fields: object) -> StoredIncident:
    known = {
        "id": "inc-1",
        "title": "Mail is late",
        "started_at": BEGAN,
        "recorded_at": BEGAN + timedelta(minutes=2),
        "reported_by": "ann",
        "status": IncidentStatus.OPEN,
        "severity": Severity.CRITICAL,
    }
    return StoredIncident(Incident(**{**known, **fields}), "ann", "", 1, BEGAN)  # type: ignore[arg-type]


def told(incident: StoredIncident, notes: tuple[IncidentNote, ...] = ()) -> list[tuple[str, str, str]]:
    return [(entry.after, entry.text, entry.who) for entry in timeline(incident, notes, {"report": "Write the report"})]


def test_what_happened_stands_in_the_order_of_time() -> None:
    notes = (
        IncidentNote("inc-1", "ben", "It is the queue", BEGAN + timedelta(minutes=9)),
        IncidentNote("inc-1", "ann", "sent", BEGAN + timedelta(minutes=30), "report"),
    )
    incident = stored(
        status=IncidentStatus.RESOLVED,
        acknowledged_at=BEGAN + timedelta(minutes=4),
        resolved_at=BEGAN + timedelta(minutes=20),
        resolution=Resolution(resolved_by="chen"),
    )
    assert told(incident, notes) == [
        ("", "It began", ""),
        ("+4 min", "Somebody answered", ""),
        ("+9 min", "It is the queue", "ben"),
        ("+20 min", "It was resolved", "chen"),
        ("+30 min", "Done: Write the report. sent", "ann"),
    ]


def test_an_end_that_only_a_length_tells_is_there_too() -> None:
    incident = stored(status=IncidentStatus.RESOLVED, duration_s=600.0)
    assert told(incident) == [("", "It began", ""), ("+10 min", "It was resolved", "")]


def test_while_it_lasts_it_says_when_it_was_recorded() -> None:
    assert told(stored()) == [("", "It began", ""), ("+2 min", "It was recorded here", "ann")]


def test_answering_and_resolving_are_not_ticked_off() -> None:
    now = BEGAN + timedelta(minutes=7)
    lines = duty_lines(duties_due(DEFAULT_POLICY, stored().incident, now), now)
    told_lines = {line.id: (line.due, line.is_overdue, line.can_be_ticked) for line in lines}
    assert told_lines["respond"] == ("overdue by 2 min", True, False)
    assert told_lines["stakeholders"] == ("overdue by 7 min", True, True)
    assert told_lines["page-backup"] == ("due in 8 min", False, True)
    assert next(line.to for line in lines if line.id == "escalate-3") == ""


def test_only_addresses_of_the_web_are_followed() -> None:
    links = ("https://a.example/x", "javascript:alert(1)", "//b.example", "http://[", "JIRA-1", "http://c.example/ d")
    assert web_links(links) == (("https://a.example/x",), links[1:])
