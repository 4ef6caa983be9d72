"""Requests that mean harm, as bytes on a real socket: each gets a clear refusal, none an answer of 500 and more, and
the server answers the next one as if nothing had happened."""

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from tests.web.stage import build_stage, served

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Hostile:
    """One request and the statuses that answer it well. A request that is no HTTP at all gets `is_protocol_error`: the
    protocol layer answers that one, in plain text."""

    name: str
    line: bytes
    statuses: tuple[int, ...]
    headers: tuple[bytes, ...] = ()
    body: bytes = b""
    is_protocol_error: bool = False
    host: bytes = b"127.0.0.1"


def _get(name: str, target: bytes, *statuses: int, host: bytes = b"127.0.0.1") -> Hostile:
    return Hostile(name, b"GET " + target + b" HTTP/1.1", statuses, host=host)


def _json(name: str, act: bytes, body: bytes, *statuses: int, also: bytes = b"X-Also: none") -> Hostile:
    return Hostile(name, act + b" HTTP/1.1", statuses, (b"Content-Type: application/json", also), body)


def _search(name: str, body: bytes, *statuses: int) -> Hostile:
    return _json(name, b"POST /runbooks/search", body, *statuses)


def _create(name: str, fields: bytes, *statuses: int, also: bytes = b"X-Also: none") -> Hostile:
    return _json(name, b"POST /runbooks/create", b'{"content":"# T",' + fields + b"}", *statuses, also=also)


def _body(name: str, headers: tuple[bytes, ...], body: bytes, *statuses: int) -> Hostile:
    return Hostile(name, b"POST /runbooks/create HTTP/1.1", statuses, headers, body)


def _broken(name: str, line: bytes, *headers: bytes) -> Hostile:
    return Hostile(name, line, (400,), headers, is_protocol_error=True)


RESTORE = b"POST /runbooks/pod-crash/restore"
CHANGE = b"PUT /runbooks/pod-crash"
FIELDS = b'{"title":"T","content":"x"}'
ANY = b"If-Match: *"
CASES = [
    # What JSON should not hold.
    _search("nan", b'{"text": NaN}', 400),
    _search("infinity", b'{"text": Infinity}', 400),
    _search("lone surrogate", b'{"text": "\\ud800"}', 400),
    _search("lone surrogate as a key", b'{"\\ud800": 1}', 400),
    _create("nan in metadata", b'"title":"T","metadata":{"a":NaN}', 400),
    _search("deep list", b"[" * 100_000, 400),
    _search("deep object", b'{"a":' * 5_000 + b"1" + b"}" * 5_000, 400),
    _search("bad utf-8", b'{"text": "\xff\xfe"}', 400),
    _search("utf-16", '{"text": "x"}'.encode("utf-16"), 400),
    _search("truncated", b'{"text": "x', 400),
    _search("empty body", b"", 400, 422),
    _search("two values", b'{"text":"x"}{"text":"y"}', 400),
    _search("huge integer", b'{"text": ' + b"9" * 5_000 + b"}", 400),
    _search("huge float", b'{"text": 1e999}', 400),
    _search("a number as body", b"7", 422),
    _json("null as body", b"POST /runbooks/create", b"null", 422),
    _json("a list as body", b"POST /runbooks/create", b"[]", 422),
    _search("nulls for alerts", b'{"alerts":[' + b"null," * 9_000 + b"null]}", 422),
    _create("nul in a title", b'"title":"a\\u0000b"', 422),
    _create("fields of ours", b'"title":"T","state":"published","executable":true', 422),
    _create("prototype pollution", b'"title":"T","__proto__":{"a":1}', 422),
    _create("an empty title", b'"title":""', 422),
    _create("front matter in content", b'"title":"T","content":"---\\nid: x\\n---\\n"', 422),
    _create("deep metadata", b'"title":"T","metadata":{"a":' + b"[" * 30 + b"]" * 30 + b"}", 422),
    _json("an object as version", RESTORE, b'{"version": {}}', 422, also=ANY),
    _json("version zero", RESTORE, b'{"version": 0}', 422, also=ANY),
    _json("version minus one", RESTORE, b'{"version": -1}', 422, also=ANY),
    _json("version beyond all", RESTORE, b'{"version": 99999999999999}', 422, also=ANY),
    _json("a digest that is none", b"POST /runbooks/pod-crash/publish", b'{"sha256": "zz"}', 422),
    _json("an event of no kind", b"POST /searches/s0/events", b'{"kind":"rm -rf","runbook_id":"x"}', 422),
    # Too much.
    _create("two megabytes", b'"title":"' + b"x" * 2_000_000 + b'"', 413),
    _search("three megabytes of alert", b"[" + b" " * 3_000_000 + b"]", 413),
    _body("a promise of terabytes", (b"Content-Length: 999999999999999",), b"", 413),
    _get("huge query", b"/runbooks/search?q=" + b"x" * 20_000, 422),
    _get("huger query", b"/runbooks/search?q=" + b"x" * 60_000, 414),
    _get("a thousand parameters", b"/runbooks/search?" + b"&".join(b"a%d=1" % i for i in range(1_000)), 422),
    _get("one parameter a thousand times", b"/runbooks/search?" + b"&".join([b"q=x"] * 1_000), 422),
    Hostile("a header without end", b"GET /runbooks HTTP/1.1", (431,), (b"X-A: " + b"a" * 50_000,)),
    Hostile("headers without end", b"GET /runbooks HTTP/1.1", (431,), tuple(b"X-%d: x" % i for i in range(5_000))),
    # Numbers that are none.
    _get("negative limit", b"/runbooks/search?q=x&limit=-1", 422),
    _get("huge limit", b"/runbooks/search?q=x&limit=99999999999999999999", 422),
    _get("nan limit", b"/runbooks/search?q=x&limit=NaN", 422),
    _get("injection as limit", b"/runbooks?limit=1;drop%20table%20documents", 422),
    _get("negative offset", b"/runbooks?offset=-5", 422),
    _get("injection as sort", b"/runbooks?sort=title;--", 422),
    _get("versions of nothing", b"/runbooks/pod-crash/versions/abc", 422),
    _get("diff without numbers", b"/runbooks/pod-crash/diff", 422),
    _get("diff of unknown versions", b"/runbooks/pod-crash/diff?from=1&to=77", 404),
    # Ids that would like to be paths.
    _get("dot dot", b"/runbooks/../../etc/passwd", 404),
    _get("encoded dot dot", b"/runbooks/..%2f..%2fetc%2fpasswd", 404),
    _get("doubly encoded dot dot", b"/runbooks/%252e%252e%252fetc", 404),
    _get("backslashes", b"/runbooks/..%5c..%5cwindows", 404),
    _get("nul in an id", b"/runbooks/pod-crash%00.md", 404),
    _get("absolute path as id", b"/runbooks/%2fetc%2fpasswd", 404),
    _get("long id", b"/runbooks/" + b"a" * 5_000, 404),
    _get("overlong utf-8 in an id", b"/runbooks/%c0%ae%c0%ae", 404),
    _get("surrogate in an id", b"/runbooks/%ed%a0%80", 404),
    _get("device name", b"/runbooks/CON", 404),
    _create("path as new id", b'"title":"T","id":"../x"', 422),
    _create("word of ours as new id", b'"title":"T","id":"search"', 422),
    _json("path as pinned runbook", b"PUT /pins/A", b'{"runbook_id":"../../etc"}', 404),
    _json("control characters as alert", b"PUT /pins/%0a%1b%5b31m", b'{"runbook_id":"pod-crash"}', 422),
    _get("traversal in assets", b"/assets/1/..%2f..%2f..%2fapp.py", 404),
    # Wrong doors, wrong keys.
    _get("get with effects", b"/index/refresh", 404, 405),
    Hostile("trace", b"TRACE /runbooks HTTP/1.1", (405,)),
    Hostile("invented method", b"BREW /runbooks HTTP/1.1", (405,)),
    _json("method override", b"POST /runbooks/pod-crash", b"{}", 405, also=b"X-HTTP-Method-Override: DELETE"),
    Hostile("delete without a precondition", b"DELETE /runbooks/pod-crash HTTP/1.1", (428,)),
    _get("double slash", b"//runbooks/search?q=x", 404),
    _get("upper case", b"/RUNBOOKS", 404),
    _body("xml", (b"Content-Type: application/xml",), b"<!DOCTYPE a>", 415),
    _body("json in plain clothes", (b"Content-Type: text/plain",), FIELDS, 415),
    _body("a form", (b"Content-Type: application/x-www-form-urlencoded",), b"title=x", 415),
    _body("multipart without end", (b"Content-Type: multipart/form-data; boundary=x",), b"--x", 415),
    _body("no content type", (), FIELDS, 415),
    _body("a bomb", (b"Content-Type: application/json", b"Content-Encoding: gzip"), b"\x1f\x8b\x08", 415),
    # Hosts, origins, headers.
    _get("foreign host", b"/runbooks", 400, host=b"evil.example"),
    _get("host with a path", b"/runbooks", 400, host=b"evil.example/?x=127.0.0.1"),
    _create("cross-site change", b'"title":"T"', 403, also=b"Sec-Fetch-Site: cross-site"),
    _create("origin null", b'"title":"T"', 403, also=b"Origin: null"),
    _create("neighbour's origin", b'"title":"T"', 403, also=b"Origin: http://127.0.0.1:1"),
    _json("if-match of garbage", CHANGE, FIELDS, 412, also=b'If-Match: \xff\xfe"'),
    _json("a weak etag", CHANGE, FIELDS, 412, also=b'If-Match: W/"x"'),
    _body("length and chunks", (b"Content-Length: 4", b"Transfer-Encoding: chunked"), b"0\r\n\r\n", 400, 415),
    _broken("negative length", b"POST /runbooks/create HTTP/1.1", b"Content-Length: -1"),
    _broken("two lengths", b"POST /runbooks/create HTTP/1.1", b"Content-Length: 1", b"Content-Length: 2"),
    _broken("a header line that folds", b"GET /runbooks HTTP/1.1", b"X-A: 1\r\n\x00: 2"),
    _broken("not http", b"\x16\x03\x01\x02\x00"),
    _broken("http of another world", b"GET /runbooks HTTPS/1.1"),
]


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with served(build_stage().app) as address:
        yield address


def _exchange(origin: str, raw: bytes) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(origin)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:  # type: ignore[arg-type]
        with suppress(ConnectionResetError, BrokenPipeError):  # refused before all was read: the answer is there
            connection.sendall(raw)
        answer = b""
        with suppress(ConnectionResetError):
            while part := connection.recv(65_536):
                answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(status_line.split()[1]), headers, body


def _raw(case: Hostile, port: int) -> bytes:
    host = case.host if case.host != b"127.0.0.1" else b"127.0.0.1:%d" % port
    has_length = any(header.lower().startswith((b"content-length", b"transfer-encoding")) for header in case.headers)
    length = () if has_length or not case.body else (b"Content-Length: %d" % len(case.body),)
    lines = (case.line, b"Host: " + host, b"Connection: close", *case.headers, *length)
    return b"\r\n".join(lines) + b"\r\n\r\n" + case.body


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hostile_request_gets_a_clear_refusal(origin: str, case: Hostile) -> None:
    status, headers, body = _exchange(origin, _raw(case, urlsplit(origin).port or 0))
    assert status in case.statuses, (status, body[:300])
    if not case.is_protocol_error:
        assert headers["content-type"] == "application/problem+json"
        document = json.loads(body)
        assert document["status"] == status
        assert document["detail"]
        assert document["request_id"] == headers["x-request-id"]
        assert b"Traceback" not in body
        assert b"/work" not in body
    alive, _, _ = _exchange(origin, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    assert alive == 200


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(CASES) >= 60
    assert len({case.name for case in CASES}) == len(CASES)
