"""Learning over HTTP, as programs see it: incidents in, patterns and recommendations out."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from starlette.testclient import TestClient

from api.learning.incident_schemas import LearnOut
from api.learning.pattern_schemas import PatternsOut
from api.routes.examples import LEARN_ANSWER, PATTERNS_ANSWER
from tests.web.stage import NOW, Stage, build_stage, served

SEED = {
    "incident_data": {
        "type": "pod_crash",
        "diagnosis": ["memory_limit_exceeded"],
        "resolution": ["increase_memory_limit"],
        "success": True,
        "duration": "5m",
    },
    "context": {"namespace": "production", "pod_type": "web-app"},
}


@pytest.fixture
def stage() -> Stage:
    return build_stage()


@pytest.fixture
def client(stage: Stage) -> TestClient:
    return TestClient(stage.app, base_url="http://127.0.0.1:8080")


def queue_incident(number: int, **more: object) -> dict[str, object]:
    return {
        "id": f"INC-{number}",
        "title": f"Queue of payments is stuck on broker-{number}",
        "started_at": f"2026-11-{number + 1:02}T10:00:00Z",
        "severity": "P1",
        "service": "payments",
        "alerts": ["QueueIsStuck"],
        "resolution": [{"text": "Restarted the consumer", "outcome": "helped", "took": "2m"}],
        "success": True,
        "duration": "20m",
        **more,
    }


def learn(client: TestClient, body: object, headers: Mapping[str, str] | None = None) -> dict[str, object]:
    answer = client.post("/runbooks/learn", json=body, headers=dict(headers or {}))
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


def problem(response: object, status: int, kind: str) -> dict[str, object]:
    assert response.status_code == status, response.text  # type: ignore[attr-defined]
    document: dict[str, object] = response.json()  # type: ignore[attr-defined]
    assert document["type"] == f"urn:sre-kb:problem:{kind}"
    return document


@pytest.fixture
def taught(client: TestClient) -> TestClient:
    for number in range(1, 5):
        learn(client, queue_incident(number))
    return client


class TestLearning:
    def test_the_answer_has_the_fields_that_clients_know(self, client: TestClient) -> None:
        answer = learn(client, SEED)
        assert list(answer)[:6] == [
            "pattern_detected",
            "pattern_id",
            "confidence",
            "new_runbook_created",
            "runbook_id",
            "recommendations",
        ]
        assert answer["pattern_detected"] is False
        assert answer["confidence"] == 0.0
        assert answer["is_new"] is True
        assert str(answer["pattern_id"]).startswith("pat-")
        assert answer["why"]
        kept = client.get(f"/incidents/{answer['incident_id']}").json()
        assert kept["labels"] == {"namespace": "production", "pod_type": "web-app"}
        assert kept["duration_s"] == 300.0
        assert kept["resolution"]["actions"][0]["text"] == "increase_memory_limit"

    def test_what_recurs_becomes_a_pattern_that_says_what_helped(self, client: TestClient) -> None:
        answers = [learn(client, queue_incident(number)) for number in range(1, 5)]
        assert [answer["pattern_detected"] for answer in answers] == [False, False, True, True]
        assert len({answer["pattern_id"] for answer in answers}) == 1
        assert answers[-1]["confidence"] > 0.5  # type: ignore[operator]
        assert "'Restarted the consumer' worked in" in answers[-1]["recommendations"][0]  # type: ignore[index]

    def test_the_alias_and_objects_inside_strings_are_taken_as_workflow_tools_send_them(
        self, client: TestClient
    ) -> None:
        body = {"incident_data": '{"type": "pod_crash", "success": "true", "duration": "5m"}', "context": "{}"}
        assert client.post("/learn", json=body).status_code == 200

    def test_a_duplicate_adds_what_it_tells_more(self, client: TestClient) -> None:
        first = learn(client, queue_incident(1))
        again = learn(client, queue_incident(1, lessons=["Watch the consumer"]))
        same = learn(client, queue_incident(1))
        assert first["incident_id"] == again["incident_id"] == same["incident_id"]
        assert [one["is_new"] for one in (first, again, same)] == [True, False, False]
        assert [one["has_changed"] for one in (first, again, same)] == [True, True, False]
        assert client.get("/incidents").json()["total"] == 1

    def test_secrets_are_masked_before_anything_is_kept(self, client: TestClient) -> None:
        answer = learn(client, queue_incident(1, description="login with password=hunter2hunter2 failed"))
        assert "hunter2" not in client.get(f"/incidents/{answer['incident_id']}").text

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"incident_data": {"type": "x", "colour": "red"}}, "incident_data.colour"),
            ({"incident_data": {"type": "x"}, "state": "published"}, "state"),
            ({"incident_data": []}, "incident_data"),
            ({"title": "x", "duration": "-5m"}, "duration"),
            ({"title": "x", "severity": "terrible"}, "severity"),
            ({"title": "x", "started_at": "yesterday"}, "started_at"),
            ({"severity": "P1"}, "title"),
            ({}, "title"),
        ],
    )
    def test_a_wrong_field_is_named(self, client: TestClient, body: object, field: str) -> None:
        document = problem(client.post("/runbooks/learn", json=body), 422, "invalid-request")
        assert [error["field"] for error in document["errors"]] == [field]  # type: ignore[index]


class TestIdempotency:
    def test_a_repeated_request_is_answered_as_before_and_done_once(self, client: TestClient) -> None:
        body = {"title": "Disk is full", "success": True, "duration": "5m"}  # says no time: twice would be two
        first = client.post("/runbooks/learn", json=body, headers={"Idempotency-Key": "a-1"})
        again = client.post("/learn", json=body, headers={"Idempotency-Key": '"a-1"'})
        assert first.json() == again.json()
        assert "idempotent-replayed" not in first.headers
        assert again.headers["idempotent-replayed"] == "true"
        assert client.get("/incidents").json()["total"] == 1

    def test_a_key_is_for_one_body(self, client: TestClient) -> None:
        learn(client, queue_incident(1), {"Idempotency-Key": "a-1"})
        other = client.post("/runbooks/learn", json=queue_incident(2), headers={"Idempotency-Key": "a-1"})
        problem(other, 422, "idempotency-key-reused")
        assert client.get("/incidents").json()["total"] == 1

    @pytest.mark.parametrize("key", ["", " ", "x" * 300, "two words"])
    def test_a_key_that_is_none_is_refused(self, client: TestClient, key: str) -> None:
        answer = client.post("/runbooks/learn", json=SEED, headers={"Idempotency-Key": key})
        problem(answer, 422, "invalid-request")

    @pytest.mark.integration
    def test_many_senders_of_few_keys_are_all_answered_alike_and_each_key_is_done_once(self, stage: Stage) -> None:
        def send(number: int) -> tuple[int, str, int]:
            key = number % 10
            body = {"title": f"Trouble number {key}", "success": True, "duration": "5m"}
            headers = {"Idempotency-Key": f"key-{key}"}
            while True:
                answer = httpx.post(f"{origin}/runbooks/learn", json=body, headers=headers, timeout=30, trust_env=False)
                if answer.status_code != 409:  # somebody else's is being answered
                    return key, answer.text, answer.status_code

        with served(stage.app) as origin, ThreadPoolExecutor(16) as senders:
            answers = list(senders.map(send, range(300)))
            total = httpx.get(f"{origin}/incidents", trust_env=False).json()["total"]
        assert {status for _, _, status in answers} == {200}
        assert len({(key, text) for key, text, _ in answers}) == 10
        assert total == 10


class TestBatch:
    def test_good_entries_are_learnt_and_bad_ones_named_with_their_number(self, client: TestClient) -> None:
        entries = [queue_incident(1), {"colour": "red"}, queue_incident(2), 7, queue_incident(1)]
        answer = client.post("/incidents/batch", json={"incidents": entries}).json()
        assert (answer["learnt"], answer["duplicates"]) == (2, 1)
        assert [(one["number"], one["reason"]) for one in answer["refused"]] == [
            (2, "colour: is not a known field"),
            (4, "body: is not an object"),
        ]
        assert [one["number"] for one in answer["incidents"]] == [1, 3, 5]
        assert client.get("/incidents").json()["total"] == 2

    @pytest.mark.parametrize("body", [{}, {"incidents": []}, {"incidents": {}}, {"incidents": [{}] * 501}, []])
    def test_a_body_that_is_no_batch_is_refused(self, client: TestClient, body: object) -> None:
        problem(client.post("/incidents/batch", json=body), 422, "invalid-request")


class TestIncidents:
    def test_they_are_listed_filtered_sorted_and_cut_into_pages(self, taught: TestClient) -> None:
        everything = taught.get("/incidents").json()
        assert everything["total"] == 4
        assert [one["source_id"] for one in everything["incidents"]] == ["INC-4", "INC-3", "INC-2", "INC-1"]
        page = taught.get("/incidents?sort=started_at&limit=2&offset=1").json()
        assert [one["source_id"] for one in page["incidents"]] == ["INC-2", "INC-3"]
        assert page["total"] == 4
        for query, total in [
            ("status=resolved", 4),
            ("status=open,acknowledged", 0),
            ("severity=P1,low", 4),
            ("severity=low", 0),
            ("service=payments&text=BROKER-2", 1),
            ("since=2026-11-03T00:00:00Z&until=2026-11-05T00:00:00Z", 2),
            ("alert=queueisstuck", 4),
            (f"pattern={everything['incidents'][0]['pattern_id']}", 4),
        ]:
            assert taught.get(f"/incidents?{query}").json()["total"] == total, query

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("status=burning", "query.status"),
            ("severity=terrible", "query.severity"),
            ("sort=title", "query.sort"),
            ("limit=0", "query.limit"),
            ("limit=501", "query.limit"),
            ("offset=-1", "query.offset"),
            ("since=yesterday", "query.since"),
            ("colour=red", "query.colour"),
        ],
    )
    def test_a_wrong_parameter_is_named(self, client: TestClient, query: str, field: str) -> None:
        document = problem(client.get(f"/incidents?{query}"), 422, "invalid-request")
        assert [error["field"] for error in document["errors"]] == [field]  # type: ignore[index]

    def test_an_open_incident_is_followed_resolved_and_then_learnt(self, client: TestClient) -> None:
        opened = learn(client, {"title": "Queue of payments is stuck", "status": "open", "severity": "critical"})
        assert opened["pattern_id"] is None
        address = f"/incidents/{opened['incident_id']}"
        read = client.get(address)
        assert read.headers["etag"] == '"1"'
        incident = read.json()
        assert incident["level"]["code"] == "P0"
        assert {duty["id"] for duty in incident["duties"]} >= {"respond", "resolve", "stakeholders"}
        assert incident["recommendation"]["confident"] is False
        note = client.post(f"{address}/notes", json={"text": "told them", "duty": "stakeholders"})
        assert note.status_code == 201
        assert "stakeholders" not in {duty["id"] for duty in client.get(address).json()["duties"]}
        change = {"status": "resolved", "resolution": ["Restarted the consumer"], "success": True, "assignee": "dana"}
        changed = client.patch(address, json=change, headers={"If-Match": '"1"'})
        assert changed.status_code == 200, changed.text
        resolved = changed.json()
        assert resolved["status"] == "resolved"
        assert resolved["resolved_at"] == NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert resolved["pattern_id"].startswith("pat-")
        assert resolved["assignee"] == "dana"
        assert changed.headers["etag"] == '"2"'
        assert resolved["notes"][0]["text"] == "told them"

    def test_of_two_who_read_the_same_version_the_second_is_told(self, taught: TestClient) -> None:
        incident_id = taught.get("/incidents").json()["incidents"][0]["id"]
        address = f"/incidents/{incident_id}"
        problem(taught.patch(address, json={"impact": "x"}), 428, "precondition-required")
        assert taught.patch(address, json={"impact": "x"}, headers={"If-Match": '"1"'}).status_code == 200
        for tag in ('"1"', 'W/"2"', "nonsense", '"99999999999999"'):
            answer = taught.patch(address, json={"impact": "y"}, headers={"If-Match": tag})
            problem(answer, 412, "incident-changed")
        assert taught.patch(address, json={"impact": None}, headers={"If-Match": "*"}).json()["impact"] == ""

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({}, "body"),
            ([], "body"),
            ({"colour": "red"}, "colour"),
            ({"id": "x"}, "id"),
            ({"started_at": "2026-01-01T00:00:00Z"}, "started"),
            ({"title": ""}, "title"),
            ({"status": "burning"}, "status"),
            ({"success": True}, "success"),
            ({"resolved_at": "soon"}, "resolved_at"),
            ({"duration": "long"}, "duration"),
            ({"resolution": [{"text": "x", "outcome": "maybe"}]}, "resolution[0].outcome"),
        ],
    )
    def test_a_change_that_cannot_be_made_names_its_field(self, taught: TestClient, change: object, field: str) -> None:
        incident_id = taught.get("/incidents").json()["incidents"][0]["id"]
        answer = taught.patch(f"/incidents/{incident_id}", json=change, headers={"If-Match": "*"})
        document = problem(answer, 422, "invalid-request")
        assert [error["field"] for error in document["errors"]] == [field]  # type: ignore[index]

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("GET", "/incidents/nobody", None),
            ("PATCH", "/incidents/nobody", {"impact": "x"}),
            ("POST", "/incidents/nobody/notes", {"text": "x"}),
            ("GET", "/incidents/nobody/outcomes", None),
            ("POST", "/incidents/nobody/outcomes", {"target": "disk-full", "outcome": "helped"}),
            ("POST", "/incidents/nobody/unlearn", None),
            ("POST", "/incidents/nobody/learn-again", None),
        ],
    )
    def test_an_incident_that_nobody_told_of_is_not_found(
        self, client: TestClient, method: str, path: str, body: object
    ) -> None:
        answer = client.request(method, path, json=body, headers={"If-Match": "*"})
        problem(answer, 404, "incident-not-found")


class TestPatterns:
    def test_the_list_has_the_shape_of_the_learning_format(self, taught: TestClient) -> None:
        found = taught.get("/runbooks/patterns").json()
        assert found["total"] == 1
        ((name, pattern),) = found["incident_patterns"].items()
        assert "stuck" in name.lower()
        assert pattern["frequency"] == 4
        assert pattern["avg_resolution_time"] == "20m"
        assert pattern["success_rate"] == 1.0
        assert pattern["common_solutions"] == ["Restarted the consumer"]
        assert "QueueIsStuck" in pattern["triggers"]
        ((action, stats),) = found["resolution_effectiveness"].items()
        assert action == "Restarted the consumer"
        assert (stats["success_rate"], stats["avg_time"], stats["side_effects"]) == (1.0, "2m", [])
        assert taught.get("/resolutions/effectiveness").json() == {
            "resolution_effectiveness": found["resolution_effectiveness"]
        }

    def test_a_pattern_shows_its_numbers_evidence_and_confidence(self, taught: TestClient) -> None:
        pattern_id = taught.get("/incidents").json()["incidents"][0]["pattern_id"]
        pattern = taught.get(f"/patterns/{pattern_id}").json()
        assert pattern["frequency"] == 4
        assert len(pattern["incident_ids"]) == 4
        assert pattern["durations"]["p50_s"] == 1200.0
        assert {part["name"] for part in pattern["confidence_parts"]["parts"]} >= {"evidence", "agreement", "recency"}
        assert pattern["history"][0]["kind"] == "born"
        problem(taught.get("/patterns/pat-none"), 404, "pattern-not-found")

    def test_a_person_names_parts_and_joins_patterns(self, taught: TestClient) -> None:
        incidents = taught.get("/incidents").json()["incidents"]
        pattern_id = incidents[0]["pattern_id"]
        renamed = taught.patch(f"/patterns/{pattern_id}", json={"name": "Payments stall"}).json()
        assert (renamed["name"], renamed["named_by_person"]) == ("Payments stall", True)
        parted = taught.post(f"/patterns/{pattern_id}/split", json={"incident_ids": [incidents[0]["id"]]}).json()
        assert (parted["rest"]["frequency"], parted["taken"]["frequency"]) == (3, 1)
        ids = [parted["rest"]["id"], parted["taken"]["id"]]
        joined = taught.post("/patterns/merge", json={"pattern_ids": ids}).json()
        assert (joined["id"], joined["frequency"]) == (pattern_id, 4)
        assert taught.get(f"/patterns/{ids[1]}").json()["id"] == pattern_id

    def test_an_incident_is_taken_out_and_put_back(self, taught: TestClient) -> None:
        incident = taught.get("/incidents").json()["incidents"][0]
        out = taught.post(f"/incidents/{incident['id']}/unlearn")
        assert out.status_code == 200, out.text
        assert out.json()["pattern_id"] is None
        assert taught.get(f"/patterns/{incident['pattern_id']}").json()["frequency"] == 3
        back = taught.post(f"/incidents/{incident['id']}/learn-again")
        assert back.json()["pattern_id"] == incident["pattern_id"]

    def test_a_word_that_cannot_be_followed_is_refused(self, taught: TestClient) -> None:
        incidents = taught.get("/incidents").json()["incidents"]
        pattern_id = incidents[0]["pattern_id"]
        everything = {"incident_ids": [one["id"] for one in incidents]}
        for path, body in [
            ("/patterns/merge", {"pattern_ids": [pattern_id, pattern_id]}),
            (f"/patterns/{pattern_id}/split", everything),
            (f"/patterns/{pattern_id}/split", {"incident_ids": ["inc-nobody"]}),
        ]:
            problem(taught.post(path, json=body), 422, "invalid-request")
        assert taught.get(f"/patterns/{pattern_id}").json()["frequency"] == 4

    def test_what_was_never_learnt_cannot_be_forgotten(self, client: TestClient) -> None:
        opened = learn(client, {"title": "Queue is stuck", "status": "open"})
        problem(client.post(f"/incidents/{opened['incident_id']}/unlearn"), 409, "incident-not-learnt")


class TestRecommendations:
    def test_a_known_alert_is_answered_with_what_ended_it(self, taught: TestClient) -> None:
        alert = {"labels": {"alertname": "QueueIsStuck"}, "annotations": {"summary": "Queue of payments is stuck"}}
        answer = taught.post("/recommend", json={"alert": alert}).json()
        assert answer["pattern"]["frequency"] == 4
        assert answer["actions"][0]["name"] == "Restarted the consumer"
        assert answer["actions"][0]["success"]["successes"] == 4
        assert len(answer["similar_incidents"]) == 4
        assert answer["expected_duration"] == "20m"
        assert answer["escalation"] == ["senior engineer"]
        assert answer["confidence"] > 0.5
        assert "worked in 4 of 4" in answer["says"]

    def test_a_text_in_any_form_is_taken(self, taught: TestClient) -> None:
        for body in (
            {"q": "Queue of payments is stuck"},
            {"text": "Queue of payments is stuck"},
            {"alert": {"type": "Queue of payments is stuck", "severity": "high"}, "context": {"cluster": "eu"}},
        ):
            answer = taught.post("/recommend", json=body)
            assert answer.status_code == 200, answer.text
            assert answer.json()["pattern"] is not None, body

    def test_with_nothing_to_say_it_says_so(self, taught: TestClient) -> None:
        answer = taught.post("/recommend", json={"q": "zebra giraffe unicorn wombat"}).json()
        assert answer["says"].startswith("Nothing is known about this")
        assert answer["confidence"] == 0.0
        assert (answer["pattern"], answer["actions"], answer["escalation"]) == (None, [], [])

    @pytest.mark.parametrize("body", [{}, {"q": ""}, {"q": "  "}, {"alert": {}}, {"alert": 7}, [], 7])
    def test_a_body_that_asks_nothing_is_refused(self, client: TestClient, body: object) -> None:
        problem(client.post("/recommend", json=body), 422, "invalid-request")


class TestFeedbackAndInsights:
    def test_one_person_has_one_vote_a_target_and_case(self, taught: TestClient) -> None:
        vote = {"target": "disk-full#diagnosis", "case": "s0", "verdict": "helped"}
        assert taught.put("/feedback", json=vote).json()["verdict"] == "helped"
        assert taught.put("/feedback", json={**vote, "verdict": "outdated"}).json()["verdict"] == "outdated"
        assert taught.request("DELETE", "/feedback", json={"target": vote["target"], "case": "s0"}).json() == {
            "withdrawn": True
        }
        assert taught.request("DELETE", "/feedback", json={"target": vote["target"], "case": "s0"}).json() == {
            "withdrawn": False
        }

    def test_the_outcome_of_using_a_runbook_is_kept_with_the_incident(self, taught: TestClient) -> None:
        incident_id = taught.get("/incidents").json()["incidents"][0]["id"]
        body = {"target": "disk-full", "outcome": "helped", "took": "5m", "note": "quick"}
        told = taught.post(f"/incidents/{incident_id}/outcomes", json=body).json()
        assert (told["took_s"], told["outcome"]) == (300.0, "helped")
        assert taught.get(f"/incidents/{incident_id}/outcomes").json()["outcomes"] == [told]

    def test_insights_name_their_evidence_and_what_to_do(self, taught: TestClient) -> None:
        insights = taught.get("/insights").json()["insights"]
        missing = next(one for one in insights if one["kind"] == "no runbook")
        assert len(missing["incident_ids"]) == 4
        assert missing["action"]["url"].startswith("/p/pat-")

    def test_rules_are_a_rule_file(self, taught: TestClient) -> None:
        answer = taught.get("/insights/rules")
        assert answer.headers["content-type"].startswith("application/yaml")
        assert answer.text.startswith("groups:")

    def test_trends_count_every_day(self, taught: TestClient) -> None:
        trends = taught.get("/trends?days=21").json()
        assert len(trends["days"]) == 21
        assert trends["days"][-1]["day"] == "2026-11-21"
        assert trends["total"] == 4
        day = next(one for one in trends["days"] if one["day"] == "2026-11-03")
        assert (day["by_severity"], day["resolved"], day["median_s"]) == ({"high": 1}, 1, 1200.0)
        problem(taught.get("/trends?days=400"), 422, "invalid-request")

    def test_accuracy_counts_what_people_corrected(self, taught: TestClient) -> None:
        incident_id = taught.get("/incidents").json()["incidents"][0]["id"]
        taught.post(f"/incidents/{incident_id}/unlearn")
        accuracy = taught.get("/learning/accuracy").json()
        assert (accuracy["assignments"]["made"], accuracy["assignments"]["refused"]) == (4, 1)
        assert accuracy["response_times"]


class TestExamples:
    def test_the_examples_of_the_description_are_answers(self) -> None:
        assert LearnOut.model_validate(LEARN_ANSWER).pattern_detected is True
        assert PatternsOut.model_validate(PATTERNS_ANSWER).total == 1

    def test_the_seed_body_of_the_description_is_taken(self, client: TestClient) -> None:
        schema = client.get("/openapi.json").json()["components"]["schemas"]["LearnBody"]["properties"]
        body = {name: schema[name]["examples"][0] for name in ("incident_data", "context")}
        assert learn(client, body)["is_new"] is True


class TestPeoplesWord:
    def test_what_people_said_of_an_action_is_shown_with_it(self, taught: TestClient) -> None:
        question = {"q": "Queue of payments is stuck"}
        action = taught.post("/recommend", json=question).json()["actions"][0]
        for case in ("s1", "s2"):
            vote = {"target": action["key"], "case": case, "verdict": "outdated"}
            assert taught.put("/feedback", json=vote).status_code == 200
        said = taught.post("/recommend", json=question).json()["said"]
        assert said[action["key"]]

    def test_advice_names_what_people_asked_for_to_prevent_it(self, client: TestClient) -> None:
        for number in range(1, 5):
            answer = learn(client, queue_incident(number, prevention=["Watch the age of the oldest message"]))
        assert "To prevent it: Watch the age of the oldest message" in answer["recommendations"]  # type: ignore[operator]
