"""The outermost layer: what never reaches a route, and what every answer carries."""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from api.edge import Edge, EdgeRules
from api.gates import build_gates

RULES = EdgeRules(
    allowed_hosts=frozenset({"kb.example.com"}), max_body_bytes=100, max_webhook_body_bytes=200, body_deadline_s=0.05
)


class Exchange:
    """One request through the edge to an application that answers with the body it got."""

    def __init__(self, *, rules: EdgeRules = RULES, base_path: str = "") -> None:
        self.reached: list[bytes] = []
        self._edge_rules, self._base_path = rules, base_path

    def send(
        self,
        method: str = "GET",
        path: str = "/runbooks",
        *,
        headers: Mapping[str, str] | None = None,
        body: Sequence[bytes] = (b"",),
        query: bytes = b"",
        stall: bool = False,
    ) -> tuple[int, dict[str, str], Any]:
        given = {"host": "127.0.0.1:8080", **(headers or {})}
        scope: Scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query,
            "client": ("127.0.0.1", 5),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items()],
        }
        parts = [{"type": "http.request", "body": part, "more_body": True} for part in body]
        if not stall:
            parts[-1]["more_body"] = False
        sent: list[Message] = []

        async def receive() -> Message:
            if parts:
                return parts.pop(0)
            await asyncio.sleep(10)
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        async def story() -> None:
            gates = build_gates(searches=1, queue=4)
            edge = Edge(
                self._app, rules=self._edge_rules, gates=gates, new_id=lambda: "id-1", base_path=self._base_path
            )
            await edge(scope, receive, send)

        asyncio.run(story())
        start = sent[0]
        answer = b"".join(message.get("body", b"") for message in sent[1:])
        answered = {name.decode(): value.decode() for name, value in start["headers"]}
        is_problem = answered.get("content-type", "").startswith("application/problem+json")
        return start["status"], answered, json.loads(answer) if is_problem else answer

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        self.reached.append(message["body"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": message["body"]})


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:8080", "10.0.0.7", "KB.example.com:443"])
def test_names_of_this_server_and_plain_addresses_are_let_in(host: str) -> None:
    status, _, _ = Exchange().send(headers={"host": host})
    assert status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "", "a/?x=127.0.0.1"]
)
def test_a_name_that_is_not_ours_is_refused_so_that_no_foreign_page_reads_answers(host: str) -> None:
    exchange = Exchange()
    status, _, problem = exchange.send(headers={"host": host})
    assert (status, problem["type"]) == (400, "urn:sre-kb:problem:unknown-host")
    assert exchange.reached == []


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "null"},
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1:8080"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_change_that_another_site_makes_a_browser_send_is_refused(method: str, headers: dict[str, str]) -> None:
    exchange = Exchange()
    status, _, problem = exchange.send(method, headers=headers)
    assert (status, problem["type"]) == (403, "urn:sre-kb:problem:cross-site-request")
    assert exchange.reached == []


@pytest.mark.parametrize(
    "headers", [{}, {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}, {"origin": "http://127.0.0.1:8080"}]
)
def test_changes_from_our_own_pages_and_from_programs_pass(headers: dict[str, str]) -> None:
    status, _, _ = Exchange().send("POST", headers=headers)
    assert status == 200


def test_reading_from_another_site_is_left_to_the_browser() -> None:
    status, _, _ = Exchange().send(headers={"sec-fetch-site": "cross-site"})
    assert status == 200


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-length": "101"}, [b""]),
        ({}, [b"x" * 60, b"x" * 60]),
        ({"content-length": "9" * 400}, [b""]),
        ({"content-length": "-5"}, [b""]),
        ({"content-length": "5", "transfer-encoding": "chunked"}, [b"x" * 101]),
    ],
)
def test_a_body_over_the_limit_is_refused_announced_or_not(headers: dict[str, str], body: list[bytes]) -> None:
    exchange = Exchange()
    status, _, problem = exchange.send("POST", headers=headers, body=body)
    assert (status, problem["type"]) == (413, "urn:sre-kb:problem:body-too-large")
    assert exchange.reached == []


def test_an_alert_may_be_larger_than_other_bodies() -> None:
    assert Exchange().send("POST", "/runbooks/search", body=[b"x" * 150])[0] == 200
    assert Exchange(base_path="/kb").send("POST", "/kb/runbooks/search", body=[b"x" * 150])[0] == 200
    assert Exchange().send("POST", "/runbooks/create", body=[b"x" * 150])[0] == 413


def test_whoever_sends_a_body_too_slowly_is_told_so_and_holds_no_slot() -> None:
    exchange = Exchange()
    status, headers, problem = exchange.send("POST", body=[b"x"], stall=True)
    assert (status, problem["type"]) == (408, "urn:sre-kb:problem:request-too-slow")
    assert headers["connection"] == "close"
    assert exchange.reached == []


@pytest.mark.parametrize("body", [b'{"a": NaN}', b'{"a": "\\ud800"}', b"[" * 60, b"\xff", b"{"])
def test_unreadable_json_reaches_no_route(body: bytes) -> None:
    exchange = Exchange()
    status, _, problem = exchange.send("POST", headers={"content-type": "application/json"}, body=[body])
    assert (status, problem["type"]) == (400, "urn:sre-kb:problem:unreadable-body")
    assert exchange.reached == []


def test_a_compressed_body_is_refused_before_anything_unpacks_it() -> None:
    status, _, problem = Exchange().send("POST", headers={"content-encoding": "gzip"}, body=[b"\x1f\x8b"])
    assert (status, problem["type"]) == (415, "urn:sre-kb:problem:wrong-content-type")


def test_a_body_in_many_parts_arrives_whole() -> None:
    exchange = Exchange()
    assert exchange.send("POST", body=[b"ab", b"", b"cd"])[2] == b"abcd"
    assert exchange.reached == [b"abcd"]


def test_an_endless_query_is_refused_with_the_way_round() -> None:
    status, _, problem = Exchange().send(query=b"q=" + b"x" * 50_000)
    assert (status, problem["advice"]) == (414, "Send long texts with POST /runbooks/search.")


def test_every_answer_carries_the_request_id_and_the_headers_that_tame_browsers() -> None:
    for headers in ({}, {"host": "evil.example"}):
        _, answered, _ = Exchange().send(headers=headers)
        assert answered["x-request-id"] == "id-1"
        assert answered["x-content-type-options"] == "nosniff"
        assert answered["content-security-policy"].startswith("default-src 'none'")
        assert answered["x-frame-options"] == "DENY"
        assert answered["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("given", "used"),
    [("trace-7.a_B", "trace-7.a_B"), ("x" * 65, "id-1"), ("a b", "id-1"), ("", "id-1"), ("\xe9", "id-1")],
)
def test_a_callers_request_id_is_kept_when_it_is_harmless(given: str, used: str) -> None:
    assert Exchange().send(headers={"x-request-id": given})[1]["x-request-id"] == used


def test_the_log_line_holds_no_query(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="sre_kb.http"):
        Exchange().send(path="/runbooks/search", query=b"q=password%3Dhunter2")
    assert [record.getMessage() for record in caplog.records] == ["GET /runbooks/search 200"]
    assert "hunter2" not in str([vars(record) for record in caplog.records])
