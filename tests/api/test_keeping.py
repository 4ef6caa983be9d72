"""While a server takes in what was learnt before, people can follow incidents; what is to be learnt has to wait."""

from datetime import UTC, datetime

import pytest

from api.errors import NotReady
from api.imports.change_body import change_of_body
from api.imports.incident_fields import Telling
from api.imports.learn_body import incident_of_body
from api.learning.service import Learning
from kb.errors import InvalidInput
from kb.hits import Answer
from kb.incident import IncidentStatus
from kb.incident_records import IncidentChanged, IncidentNotFound
from kb.memory_records import MemoryRecords
from kb.principal import Face, local
from tests.web.learning_stage import build_learning, no_learner

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ME = local(Face.WEB)
TELLING = Telling("local", NOW, may_start_now=True)
OPEN = {"id": "I-1", "title": "Queue is stuck", "status": "open", "severity": "P1"}


def _no_search(request: object, principal: object) -> Answer:
    raise AssertionError("nobody searches here")


@pytest.fixture
def records() -> MemoryRecords:
    return MemoryRecords(now=lambda: NOW, new_id=lambda: "id", redact=str)


@pytest.fixture
def starting(records: MemoryRecords) -> Learning:
    return build_learning(records, search=_no_search, now=lambda: NOW, learner=no_learner)


@pytest.fixture
def ready(records: MemoryRecords) -> Learning:
    return build_learning(records, search=_no_search, now=lambda: NOW)


def learn(learning: Learning, body: object) -> str:
    return learning.learn(incident_of_body(body, TELLING), ME).learned.stored.incident.id


def change(learning: Learning, incident_id: str, body: object, *, if_version: int | None = None) -> IncidentStatus:
    view = learning.change_incident(incident_id, change_of_body(body, TELLING), ME, if_version=if_version)
    return view.stored.incident.status


def test_an_incident_that_goes_on_is_kept_shown_and_followed(starting: Learning) -> None:
    answer = starting.learn(incident_of_body(OPEN, TELLING), ME)
    assert (answer.learned.is_new, answer.learned.pattern_id) == (True, None)
    incident_id = answer.learned.stored.incident.id
    view = starting.incident(incident_id)
    assert "being prepared" in view.degraded
    assert view.duties
    assert change(starting, incident_id, {"status": "acknowledged", "assignee": "dana"}) is IncidentStatus.ACKNOWLEDGED
    starting.add_note(incident_id, "looking", ME)
    assert learn(starting, OPEN) == incident_id


def test_what_is_to_be_learnt_waits_for_the_learner(starting: Learning, ready: Learning) -> None:
    resolved = {"title": "Queue was stuck", "success": True}
    with pytest.raises(NotReady):
        learn(starting, resolved)
    incident_id = learn(starting, OPEN)
    with pytest.raises(NotReady):
        change(starting, incident_id, {"status": "resolved", "resolution": ["restarted it"], "success": True})
    assert starting.incident(incident_id).stored.version == 1
    assert change(ready, incident_id, {"status": "resolved"}) is IncidentStatus.RESOLVED
    assert ready.incident(incident_id).stored.pattern_id is not None
    for body in ({"impact": "more"}, {"status": "open"}):
        with pytest.raises(NotReady):
            change(starting, incident_id, body)
    with pytest.raises(NotReady):
        learn(starting, OPEN)


def test_the_rules_of_a_change_hold_all_the_same(starting: Learning) -> None:
    incident_id = learn(starting, OPEN)
    with pytest.raises(IncidentChanged):
        change(starting, incident_id, {"impact": "x"}, if_version=7)
    with pytest.raises(IncidentNotFound):
        change(starting, "inc-nobody", {"impact": "x"})
    with pytest.raises(InvalidInput):
        change(starting, incident_id, {"acknowledged_at": "1999-01-01T00:00:00Z"})
