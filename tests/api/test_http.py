"""The HTTP face as a program sees it: shapes, statuses, headers, preconditions."""

import re

import pytest
from starlette.testclient import TestClient

from api.access import LEAST_ROLE
from api.problems import all_kinds
from kb.errors import StorageFull, StorageUnavailable
from tests.web.stage import Stage, build_stage

JSON = {"Content-Type": "application/json"}
NEW = {
    "title": "Queue is stuck",
    "type": "static",
    "severity": "P1",
    "content": "## Symptoms\n\nNothing moves.\n",
    "tags": ["mail"],
    "metadata": {"incident_id": "INC-7", "resolved_by": "dana", "confidence": 0.8},
}


@pytest.fixture
def stage() -> Stage:
    return build_stage()


@pytest.fixture
def client(stage: Stage) -> TestClient:
    return TestClient(stage.app, base_url="http://127.0.0.1:8080")


def _problem(response: object, status: int, kind: str) -> dict[str, object]:
    assert response.status_code == status, response.text  # type: ignore[attr-defined]
    assert response.headers["content-type"] == "application/problem+json"  # type: ignore[attr-defined]
    document: dict[str, object] = response.json()  # type: ignore[attr-defined]
    assert document["type"] == f"urn:sre-kb:problem:{kind}"
    assert document["status"] == status
    assert document["request_id"]
    return document


class TestSearch:
    def test_the_answer_has_the_shape_that_clients_know(self, client: TestClient) -> None:
        answer = client.get("/runbooks/search", params={"q": "pod crash looping", "limit": 3}).json()
        assert answer["total"] == 1
        assert re.fullmatch(r"\d+\.\d{3}s", answer["search_time"])
        hit = answer["results"][0]
        assert list(hit)[:7] == ["id", "title", "type", "severity", "relevance_score", "summary", "last_updated"]
        assert hit["id"] == "pod-crash"
        assert hit["type"] == "static"
        assert hit["severity"] == "high"
        assert hit["last_updated"] == "2026-11-21T03:00:00Z"
        assert hit["confidence"] == pytest.approx(0.97)
        assert hit["url"].startswith("/r/pod-crash?search=s0")
        assert "\x02" not in hit["snippet"]
        assert answer["confident"] is True
        assert answer["search_id"] == "s0"
        assert answer["generation"] == "0123456789abcdef"
        assert [draft["id"] for draft in answer["drafts"]] == ["pod-draft"]

    def test_when_nothing_matches_results_are_empty_and_near_misses_are_apart(self, client: TestClient) -> None:
        answer = client.get("/runbooks/search", params={"q": "kubelet something else entirely unknown here"}).json()
        assert answer["results"] == []
        assert answer["confident"] is False
        assert answer["near_misses"]

    def test_filters_reach_the_search_in_any_vocabulary(self, client: TestClient, stage: Stage) -> None:
        params = {"q": "pod", "type": "static", "severity": "P1", "service": "kubernetes", "tag": "pod", "limit": "7"}
        assert client.get("/runbooks/search", params=params).status_code == 200
        (asked,) = stage.search.asked
        assert (asked.type, asked.severity, asked.service, asked.tag, asked.limit) == (
            "static",
            "high",
            "kubernetes",
            "pod",
            7,
        )

    def test_empty_filters_as_workflow_tools_send_them_filter_nothing(self, client: TestClient, stage: Stage) -> None:
        assert client.get("/runbooks/search?q=pod&type=&severity=&service=&tag=").status_code == 200
        assert (stage.search.asked[0].type, stage.search.asked[0].severity) == (None, None)

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("", "query.q"),
            ("?q=", "query.q"),
            ("?q=pod&limit=0", "query.limit"),
            ("?q=pod&limit=51", "query.limit"),
            ("?q=pod&limit=x", "query.limit"),
            ("?q=pod&limit=1e3", "query.limit"),
            ("?q=pod&type=book", "query.type"),
            ("?q=pod&severity=terrible", "query.severity"),
            ("?q=pod&serverity=high", "query.serverity"),
            ("?q=pod&q=disk", "query.q"),
            ("?q=" + "x" * 16_385, "query.q"),
        ],
    )
    def test_a_wrong_parameter_is_named(self, client: TestClient, query: str, field: str) -> None:
        document = _problem(client.get(f"/runbooks/search{query}"), 422, "invalid-request")
        assert [error["field"] for error in document["errors"]] == [field]  # type: ignore[index]

    def test_a_blank_query_is_refused_with_an_example(self, client: TestClient) -> None:
        document = _problem(client.get("/runbooks/search?q=%20%20"), 422, "invalid-request")
        assert document["detail"] == "q: is empty"

    def test_what_was_sent_is_not_repeated_in_a_refusal(self, client: TestClient) -> None:
        response = client.get("/runbooks/search?q=pod&limit=hunter2")
        assert "hunter2" not in response.text

    def test_alertmanagers_webhook_is_answered_for_its_worst_alert(self, client: TestClient, stage: Stage) -> None:
        payload = {
            "version": "4",
            "status": "firing",
            "alerts": [
                {"status": "firing", "labels": {"alertname": "Mild", "severity": "info"}},
                {"status": "firing", "labels": {"alertname": "KubePodCrashLooping", "severity": "critical"}},
            ],
        }
        answer = client.post("/runbooks/search", json=payload)
        assert answer.status_code == 200
        assert answer.json()["results"][0]["id"] == "pod-crash"
        asked = stage.search.asked[0].alert
        assert asked is not None
        assert asked.name == "KubePodCrashLooping"

    def test_a_plain_text_and_an_n8n_incident_are_answered_too(self, client: TestClient, stage: Stage) -> None:
        assert client.post("/runbooks/search?limit=2", json={"text": "pod crash looping"}).json()["total"] == 1
        incident = {"alert": {"type": "pod crash", "severity": "high"}, "context": {"cluster": "eu"}}
        assert client.post("/runbooks/search", json=incident).status_code == 200
        assert [asked.limit for asked in stage.search.asked] == [2, 10]

    def test_a_body_that_is_no_alert_is_told_what_would_be(self, client: TestClient) -> None:
        document = _problem(client.post("/runbooks/search", json={"x": 1}), 422, "invalid-request")
        assert "Alertmanager" in str(document["advice"])

    @pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/plain"}, {"Content-Type": "multipart/form-data"}])
    def test_a_body_of_another_type_is_refused(self, client: TestClient, headers: dict[str, str]) -> None:
        _problem(client.post("/runbooks/search", content=b'{"text":"x"}', headers=headers), 415, "wrong-content-type")

    def test_every_answer_is_remembered_under_its_id(self, client: TestClient, stage: Stage) -> None:
        search_id = client.get("/runbooks/search?q=pod+crash").json()["search_id"]
        event = {"kind": "vote_up", "runbook_id": "pod-crash", "anchor": "diagnosis"}
        assert client.post(f"/searches/{search_id}/events", json=event).status_code == 204
        assert stage.log.get(search_id).query == "pod crash"
        assert [one.kind.value for one in stage.log.events(search_id)] == ["vote_up"]

    def test_a_vote_on_a_hit_counts_for_its_runbook_and_the_last_word_holds(
        self, client: TestClient, stage: Stage
    ) -> None:
        search_id = client.get("/runbooks/search?q=pod+crash").json()["search_id"]
        for kind in ("view", "vote_up", "vote_down"):
            event = {"kind": kind, "runbook_id": "pod-crash", "anchor": "diagnosis"}
            assert client.post(f"/searches/{search_id}/events", json=event).status_code == 204
        with stage.records.read() as view:
            (vote,) = view.feedback.votes()
        assert (vote.vote.target, vote.vote.case, vote.vote.verdict.value) == ("pod-crash", search_id, "wrong")

    def test_an_event_of_an_unknown_search_is_not_found(self, client: TestClient) -> None:
        event = {"kind": "view", "runbook_id": "pod-crash"}
        _problem(client.post("/searches/nope/events", json=event), 404, "search-not-found")


class TestRunbooks:
    def test_a_list_has_pages_filters_and_an_order(self, client: TestClient) -> None:
        body = client.get("/runbooks", params={"limit": 2, "sort": "-title"}).json()
        assert (body["total"], body["offset"], body["limit"], len(body["runbooks"])) == (6, 0, 2, 2)
        titles = [runbook["title"] for runbook in client.get("/runbooks").json()["runbooks"]]
        assert titles == sorted(titles, key=str.casefold)
        assert client.get("/runbooks", params={"severity": "critical"}).json()["total"] == 1

    def test_a_runbook_comes_whole_with_its_etag(self, client: TestClient) -> None:
        response = client.get("/runbooks/pod-crash")
        body = response.json()
        assert response.headers["etag"] == body["etag"]
        assert body["title"] == "Pod is crash looping"
        assert body["content"].startswith("# Pod is crash looping")
        assert {"anchor": "diagnosis", "title": "Diagnosis", "level": 2}.items() <= next(
            section for section in body["sections"] if section["anchor"] == "diagnosis"
        ).items()

    def test_the_file_itself_comes_when_markdown_is_asked_for(self, client: TestClient) -> None:
        response = client.get("/runbooks/pod-crash", headers={"Accept": "text/markdown"})
        assert response.headers["content-type"] == "text/markdown; charset=utf-8"
        assert response.text.startswith("---\nid: pod-crash\n")

    def test_an_unchanged_runbook_is_not_sent_again(self, client: TestClient) -> None:
        etag = client.get("/runbooks/pod-crash").headers["etag"]
        response = client.get("/runbooks/pod-crash", headers={"If-None-Match": etag})
        assert (response.status_code, response.content) == (304, b"")

    def test_an_entry_of_a_larger_file_names_the_file_that_can_be_changed(self, client: TestClient) -> None:
        entry = next(r for r in client.get("/runbooks?text=QueueIsStuck").json()["runbooks"] if r["anchor"])
        body = client.get(f"/runbooks/{entry['id']}").json()
        assert body["document_id"] == "agent"
        response = client.put(f"/runbooks/{entry['id']}", json=NEW, headers={"If-Match": "*"})
        _problem(response, 409, "runbook-read-only")

    def test_an_unknown_id_gets_close_matches(self, client: TestClient) -> None:
        document = _problem(client.get("/runbooks/pod-crahs"), 404, "runbook-not-found")
        assert str(document["advice"]).startswith("Did you mean pod-crash")

    def test_creating_answers_201_with_location_and_etag_and_keeps_metadata_unbelieved(
        self, client: TestClient
    ) -> None:
        response = client.post("/runbooks/create", json=NEW)
        assert response.status_code == 201
        assert response.headers["location"] == "/runbooks/queue-is-stuck"
        body = client.get("/runbooks/queue-is-stuck").json()
        assert response.headers["etag"] == body["etag"]
        assert (body["title"], body["severity"], body["tags"]) == ("Queue is stuck", "high", ["mail"])
        raw = client.get("/runbooks/queue-is-stuck", headers={"Accept": "text/markdown"}).text
        assert "incident_id: INC-7" in raw
        _problem(client.post("/runbooks/create", json=NEW), 409, "runbook-exists")

    def test_what_the_learner_drafts_stays_a_draft(self, client: TestClient) -> None:
        response = client.post("/runbooks/create", json={**NEW, "type": "dynamic", "id": "learned"})
        assert response.json()["state"] == "draft"

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"title": ""}, "body.title"),
            ({"content": None}, "body.content"),
            ({"state": "published"}, "body.state"),
            ({"approved_by": "me"}, "body.approved_by"),
            ({"type": "pattern"}, "body.type"),
            ({"severity": "terrible"}, "body.severity"),
            ({"id": "../../etc/passwd"}, "body.id"),
            ({"id": "search"}, "body.id"),
            ({"tags": "mail"}, "body.tags"),
            ({"metadata": [1]}, "body.metadata"),
        ],
    )
    def test_a_wrong_field_of_a_new_runbook_is_named(
        self, client: TestClient, change: dict[str, object], field: str
    ) -> None:
        document = _problem(client.post("/runbooks/create", json={**NEW, **change}), 422, "invalid-request")
        assert [error["field"] for error in document["errors"]] == [field]  # type: ignore[index]

    def test_a_change_needs_the_etag_that_was_read(self, client: TestClient) -> None:
        _problem(client.put("/runbooks/pod-crash", json=NEW), 428, "precondition-required")
        etag = client.get("/runbooks/pod-crash").headers["etag"]
        first = client.put("/runbooks/pod-crash", json={**NEW, "title": "First"}, headers={"If-Match": etag})
        second = client.put("/runbooks/pod-crash", json={**NEW, "title": "Second"}, headers={"If-Match": etag})
        assert first.status_code == 200
        _problem(second, 412, "edit-conflict")
        assert client.get("/runbooks/pod-crash").json()["title"] == "First"
        assert first.headers["etag"] == client.get("/runbooks/pod-crash").headers["etag"]

    def test_a_json_change_keeps_the_header_it_does_not_mention(self, client: TestClient) -> None:
        body = {"title": "Pod crashes", "content": "# Pod crashes\n\nNew words.\n"}
        response = client.put("/runbooks/pod-crash", json=body, headers={"If-Match": "*"})
        assert response.json()["alerts"] == ["KubePodCrashLooping"]
        assert response.json()["owner"] == "platform-oncall"
        assert "New words." in response.json()["content"]

    def test_a_markdown_change_replaces_the_file_to_the_byte(self, client: TestClient) -> None:
        raw = b"---\nid: pod-crash\n---\n# Pod\n\nAll new. \xc3\xa9\n"
        headers = {"If-Match": "*", "Content-Type": "text/markdown"}
        assert client.put("/runbooks/pod-crash", content=raw, headers=headers).status_code == 200
        assert client.get("/runbooks/pod-crash", headers={"Accept": "text/markdown"}).content == raw

    def test_deleting_and_bringing_back(self, client: TestClient) -> None:
        etag = client.get("/runbooks/disk-full").headers["etag"]
        _problem(client.delete("/runbooks/disk-full"), 428, "precondition-required")
        _problem(client.delete("/runbooks/disk-full", headers={"If-Match": '"0"'}), 412, "edit-conflict")
        assert client.delete("/runbooks/disk-full", headers={"If-Match": etag}).status_code == 204
        _problem(client.get("/runbooks/disk-full"), 404, "runbook-not-found")
        response = client.post("/runbooks/disk-full/restore", json={"version": 1}, headers={"If-Match": "*"})
        assert response.status_code == 200
        assert client.get("/runbooks/disk-full").status_code == 200

    def test_history_difference_and_publishing(self, client: TestClient) -> None:
        before = client.get("/runbooks/pod-crash").json()
        client.put("/runbooks/pod-crash", json={"title": "T", "content": "# T\n"}, headers={"If-Match": "*"})
        versions = client.get("/runbooks/pod-crash/versions").json()["versions"]
        assert [version["number"] for version in versions] == [2, 1]
        assert (versions[0]["author"], versions[0]["face"], versions[1]["author"]) == ("local", "http", "disk")
        old = client.get("/runbooks/pod-crash/versions/1")
        assert (old.headers["content-type"], old.text[:4]) == ("text/markdown; charset=utf-8", "---\n")
        diff = client.get("/runbooks/pod-crash/diff?from=1&to=2")
        assert diff.headers["content-type"].startswith("text/x-diff")
        assert "-# Pod is crash looping" in diff.text
        _problem(client.get("/runbooks/pod-crash/versions/9"), 404, "version-not-found")
        stale = client.post("/runbooks/pod-crash/publish", json={"sha256": before["etag"].strip('"')})
        _problem(stale, 412, "edit-conflict")
        now = client.get("/runbooks/pod-crash").json()["etag"].strip('"')
        assert client.post("/runbooks/pod-crash/publish", json={"sha256": now}).json()["state"] == "published"

    @pytest.mark.parametrize("word", ["search", "create", "health", "learn", "execute", "patterns", "executions"])
    def test_words_of_ours_are_never_taken_for_ids(self, client: TestClient, word: str) -> None:
        assert client.put(f"/runbooks/{word}", json=NEW, headers={"If-Match": "*"}).status_code == 404
        assert client.get(f"/runbooks/{word}/versions").status_code == 404
        answer = client.get(f"/runbooks/{word}")
        assert "There is no runbook" not in answer.text


class TestPins:
    def test_a_pin_is_set_listed_replaced_and_removed(self, client: TestClient) -> None:
        pinned = client.put("/pins/HighLatency", json={"runbook_id": "pod-crash", "note": "Ann says so"})
        assert (pinned.status_code, pinned.json()["pinned_by"]) == (200, "local")
        client.put("/pins/HighLatency", json={"runbook_id": "disk-full"})
        assert [pin["runbook_id"] for pin in client.get("/pins").json()["pins"]] == ["disk-full"]
        assert client.get("/pins/HighLatency").json()["alertname"] == "HighLatency"
        assert client.delete("/pins/HighLatency").status_code == 204
        _problem(client.get("/pins/HighLatency"), 404, "pin-not-found")
        _problem(client.delete("/pins/HighLatency"), 404, "pin-not-found")

    def test_only_a_runbook_that_exists_can_be_pinned(self, client: TestClient) -> None:
        _problem(client.put("/pins/A", json={"runbook_id": "nothing"}), 404, "runbook-not-found")


class TestState:
    def test_probes_health_usage_and_refresh_answer(self, client: TestClient) -> None:
        assert client.get("/healthz").json() == {"status": "ok", "degraded": ""}
        assert client.get("/readyz").json() == {"status": "ok", "degraded": ""}
        assert client.get("/runbooks/health").json()["status"] == "ok"
        assert client.get("/storage/usage").json()["documents"] == 4
        refreshed = client.post("/index/refresh").json()
        assert (refreshed["unchanged"], refreshed["generation"]) == (4, "0123456789abcdef")

    def test_the_requests_of_the_seeds_troubleshooting_page_work_to_the_letter(self, client: TestClient) -> None:
        assert client.get("/runbooks/health").status_code == 200
        assert client.get("/storage/usage").status_code == 200


class TestBehindAProxy:
    @pytest.mark.parametrize("prefix", ["", "/tools/kb"])
    def test_a_prefix_is_understood_whether_the_proxy_passes_it_on_or_cuts_it_off(self, prefix: str) -> None:
        client = TestClient(build_stage(base_path="/tools/kb").app, base_url="http://127.0.0.1:8080")
        hit = client.get(f"{prefix}/runbooks/search?q=pod+crash").json()["results"][0]
        assert hit["url"].startswith("/tools/kb/r/pod-crash?")
        created = client.post(f"{prefix}/runbooks/create", json=NEW)
        assert created.headers["location"] == "/tools/kb/runbooks/queue-is-stuck"
        assert client.get(f"{prefix}/nothing").json()["type"] == "urn:sre-kb:problem:no-such-address"


class TestErrors:
    def test_an_unknown_address_and_a_wrong_method_are_problem_documents(self, client: TestClient) -> None:
        _problem(client.get("/nothing/here"), 404, "no-such-address")
        response = client.post("/runbooks")
        _problem(response, 405, "wrong-method")
        assert response.headers["allow"] == "GET"

    def test_a_full_disk_and_a_busy_database_say_so_without_naming_places(
        self, client: TestClient, stage: Stage, caplog: pytest.LogCaptureFixture
    ) -> None:
        stage.search.error = StorageFull("The disk is full.", advice="Free some space.")
        _problem(client.get("/runbooks/search?q=x"), 507, "storage-full")
        stage.search.error = StorageUnavailable("The database /var/lib/kb.db is busy.", advice="Try again.")
        response = client.get("/runbooks/search?q=x")
        document = _problem(response, 503, "storage-unavailable")
        assert response.headers["retry-after"] == "5"
        assert "/var/lib" not in str(document)
        assert "/var/lib/kb.db" in caplog.text

    def test_an_unforeseen_error_tells_nothing_of_its_inside(
        self, client: TestClient, stage: Stage, caplog: pytest.LogCaptureFixture
    ) -> None:
        stage.search.error = ZeroDivisionError("secret /etc/path")  # type: ignore[assignment]  # what nobody foresaw
        document = _problem(client.get("/runbooks/search?q=x"), 500, "internal-error")
        assert "secret" not in str(document)
        assert "ZeroDivisionError" not in str(document)
        record = next(record for record in caplog.records if record.name == "sre_kb.app")
        assert record.exc_info is not None
        assert record.request_id == document["request_id"]  # type: ignore[attr-defined]

    def test_the_request_id_of_the_caller_is_in_header_and_problem(self, client: TestClient) -> None:
        response = client.get("/nothing", headers={"X-Request-ID": "trace-1"})
        assert (response.headers["x-request-id"], response.json()["request_id"]) == ("trace-1", "trace-1")

    def test_kinds_of_problems_have_names_of_their_own(self) -> None:
        slugs = [kind.slug for kind in all_kinds()]
        assert len(slugs) == len(set(slugs))


class TestDescription:
    def test_every_route_has_a_row_in_the_access_table(self, stage: Stage) -> None:
        doors = _doors(stage)
        assert sorted(door for door in doors if door not in LEAST_ROLE) == []

    def test_every_row_for_http_is_a_route(self, stage: Stage) -> None:
        rows = {door for door in LEAST_ROLE if not door.startswith("cli ")}
        assert sorted(rows - _doors(stage)) == []

    def test_the_description_names_every_api_route_with_a_summary_and_problems(self, client: TestClient) -> None:
        schema = client.get("/openapi.json").json()
        assert "/runbooks/search" in schema["paths"]
        for path, operations in schema["paths"].items():
            for method, operation in operations.items():
                assert operation["summary"], (method, path)
                assert "application/problem+json" in operation["responses"]["4XX"]["content"]
        refs = set(re.findall(r'"#/components/schemas/([A-Za-z_]+)"', client.get("/openapi.json").text))
        assert refs <= set(schema["components"]["schemas"])

    def test_the_docs_page_loads_nothing_from_elsewhere(self, client: TestClient) -> None:
        page = client.get("/docs?configUrl=https://evil.example/x.json&url=https://evil.example/y.json")
        assert "evil" not in page.text
        sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert len(sources) == 3
        assert all(source.startswith("/assets/") and client.get(source).status_code == 200 for source in sources)
        assert "script-src 'self'" in page.headers["content-security-policy"]
        assert "unsafe" not in page.headers["content-security-policy"]

    def test_the_docs_are_not_served_where_they_are_switched_off(self) -> None:
        client = TestClient(build_stage(docs=False).app, base_url="http://127.0.0.1:8080")
        assert client.get("/docs").status_code == 404
        assert client.get("/openapi.json").status_code == 404


def _doors(stage: Stage) -> set[str]:
    found = set()
    pending = list(stage.app.routes)
    while pending:
        route = pending.pop()
        inner = getattr(route, "routes", None) or getattr(getattr(route, "original_router", None), "routes", None)
        if inner:
            pending.extend(inner)
        elif getattr(route, "path", None):
            found |= {f"{method} {route.path}" for method in getattr(route, "methods", None) or ()}
    return found
