"""Requests that mean harm, as bytes on a real socket: each gets a clear refusal, none an answer of 500 and more, and the
server answers the next one as if nothing had happened."""

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from tests.web.stage import build_stage, served

pytestmark = pytest.mark.integration

NUL_TITLE = b'{"title":"a\\u0000b","content":"x"}'
RUNBOOK = b'{"title":"T","content":"# T\\n"}'


@dataclass(frozen=True)
class Hostile:
    """One request and the statuses that answer it well. A request that is no HTTP at all gets `is_protocol_error`: the
    protocol layer answers that one, in plain text."""

    name: str
    line: bytes
    headers: tuple[bytes, ...] = ()
    body: bytes = b""
    statuses: tuple[int, ...] = (400, 404, 405, 409, 413, 414, 415, 422, 428)
    is_protocol_error: bool = False
    host: bytes = b"127.0.0.1"


def _json_to(target: bytes, body: bytes, method: bytes = b"POST", *headers: bytes) -> dict[str, object]:
    return {
        "line": method + b" " + target + b" HTTP/1.1",
        "headers": (b"Content-Type: application/json", *headers),
        "body": body,
    }


def _get(target: bytes) -> dict[str, object]:
    return {"line": b"GET " + target + b" HTTP/1.1"}


_ANY = b"If-Match: *"
CASES = [
    # What JSON should not hold.
    Hostile("nan", **_json_to(b"/runbooks/search", b'{"text": NaN}'), statuses=(400,)),
    Hostile("infinity", **_json_to(b"/runbooks/search", b'{"text": Infinity}'), statuses=(400,)),
    Hostile("lone surrogate", **_json_to(b"/runbooks/search", b'{"text": "\\ud800"}'), statuses=(400,)),
    Hostile("lone surrogate as a key", **_json_to(b"/runbooks/create", b'{"\\ud800": 1}'), statuses=(400,)),
    Hostile("nan in metadata", **_json_to(b"/runbooks/create", RUNBOOK[:-1] + b',"metadata":{"a":NaN}}'), statuses=(400,)),
    Hostile("deep list", **_json_to(b"/runbooks/search", b"[" * 100_000), statuses=(400,)),
    Hostile("deep object", **_json_to(b"/runbooks/search", b'{"a":' * 5_000 + b"1" + b"}" * 5_000), statuses=(400,)),
    Hostile("bad utf-8", **_json_to(b"/runbooks/search", b'{"text": "\xff\xfe"}'), statuses=(400,)),
    Hostile("utf-16", **_json_to(b"/runbooks/search", '{"text": "x"}'.encode("utf-16")), statuses=(400,)),
    Hostile("truncated", **_json_to(b"/runbooks/search", b'{"text": "x'), statuses=(400,)),
    Hostile("empty body", **_json_to(b"/runbooks/search", b""), statuses=(400, 422)),
    Hostile("two values", **_json_to(b"/runbooks/search", b'{"text":"x"}{"text":"y"}'), statuses=(400,)),
    Hostile("huge integer", **_json_to(b"/runbooks/search", b'{"text": ' + b"9" * 5_000 + b"}"), statuses=(400,)),
    Hostile("huge float", **_json_to(b"/runbooks/search", b'{"text": 1e999}'), statuses=(400,)),
    Hostile("a number as body", **_json_to(b"/runbooks/search", b"7"), statuses=(422,)),
    Hostile("null as body", **_json_to(b"/runbooks/create", b"null"), statuses=(422,)),
    Hostile("a list as body", **_json_to(b"/runbooks/create", b"[]"), statuses=(422,)),
    Hostile("alerts without end", **_json_to(b"/runbooks/search", b'{"alerts":[' + b"null," * 9_000 + b"null]}"), statuses=(422,)),
    Hostile("nul in a title", **_json_to(b"/runbooks/create", NUL_TITLE), statuses=(422,)),
    Hostile("fields of ours", **_json_to(b"/runbooks/create", RUNBOOK[:-1] + b',"state":"published","executable":true}'), statuses=(422,)),
    Hostile("prototype pollution", **_json_to(b"/runbooks/create", RUNBOOK[:-1] + b',"__proto__":{"a":1}}'), statuses=(422,)),
    Hostile("yaml in a title", **_json_to(b"/runbooks/create", b'{"title":"","content":"x"}'), statuses=(422,)),
    Hostile("front matter in content", **_json_to(b"/runbooks/create", b'{"title":"T","content":"---\\nid: x\\n---\\n"}'), statuses=(422,)),
    Hostile("deep metadata", **_json_to(b"/runbooks/create", RUNBOOK[:-1] + b',"metadata":{"a":' + b"[" * 30 + b"]" * 30 + b"}}"), statuses=(422,)),
    Hostile("an object as version", **_json_to(b"/runbooks/pod-crash/restore", b'{"version": {}}', b"POST", _ANY), statuses=(422,)),
    Hostile("version zero", **_json_to(b"/runbooks/pod-crash/restore", b'{"version": 0}', b"POST", _ANY), statuses=(422,)),
    Hostile("version minus one", **_json_to(b"/runbooks/pod-crash/restore", b'{"version": -1}', b"POST", _ANY), statuses=(422,)),
    Hostile("version beyond all", **_json_to(b"/runbooks/pod-crash/restore", b'{"version": 99999999999999}', b"POST", _ANY), statuses=(422,)),
    Hostile("a digest that is none", **_json_to(b"/runbooks/pod-crash/publish", b'{"sha256": "zz"}'), statuses=(422,)),
    Hostile("an event of no kind", **_json_to(b"/searches/s0/events", b'{"kind":"rm -rf","runbook_id":"x"}'), statuses=(422,)),
    # Too much.
    Hostile("two megabytes", **_json_to(b"/runbooks/create", b'{"title":"' + b"x" * 2_000_000 + b'"}'), statuses=(413,)),
    Hostile("three megabytes of alert", **_json_to(b"/runbooks/search", b"[" + b" " * 3_000_000 + b"]"), statuses=(413,)),
    Hostile("a promise of petabytes", b"POST /runbooks/create HTTP/1.1", (b"Content-Length: 999999999999999",), statuses=(413,)),
    Hostile("huge query", **_get(b"/runbooks/search?q=" + b"x" * 20_000), statuses=(422,)),
    Hostile("huger query", **_get(b"/runbooks/search?q=" + b"x" * 60_000), statuses=(414,)),
    Hostile("a thousand parameters", **_get(b"/runbooks/search?" + b"&".join(b"a%d=1" % i for i in range(1_000))), statuses=(422,)),
    Hostile("one parameter a thousand times", **_get(b"/runbooks/search?" + b"&".join([b"q=x"] * 1_000)), statuses=(422,)),
    # Numbers that are none.
    Hostile("negative limit", **_get(b"/runbooks/search?q=x&limit=-1"), statuses=(422,)),
    Hostile("huge limit", **_get(b"/runbooks/search?q=x&limit=99999999999999999999"), statuses=(422,)),
    Hostile("nan limit", **_get(b"/runbooks/search?q=x&limit=NaN"), statuses=(422,)),
    Hostile("injection as limit", **_get(b"/runbooks?limit=1;drop%20table%20documents"), statuses=(422,)),
    Hostile("negative offset", **_get(b"/runbooks?offset=-5"), statuses=(422,)),
    Hostile("injection as sort", **_get(b"/runbooks?sort=title;--"), statuses=(422,)),
    Hostile("versions of nothing", **_get(b"/runbooks/pod-crash/versions/abc"), statuses=(422,)),
    Hostile("diff without numbers", **_get(b"/runbooks/pod-crash/diff"), statuses=(422,)),
    Hostile("diff of unknown versions", **_get(b"/runbooks/pod-crash/diff?from=1&to=77"), statuses=(404,)),
    # Ids that would like to be paths.
    Hostile("dot dot", **_get(b"/runbooks/../../etc/passwd"), statuses=(404,)),
    Hostile("encoded dot dot", **_get(b"/runbooks/..%2f..%2fetc%2fpasswd"), statuses=(404,)),
    Hostile("doubly encoded dot dot", **_get(b"/runbooks/%252e%252e%252fetc"), statuses=(404,)),
    Hostile("backslashes", **_get(b"/runbooks/..%5c..%5cwindows"), statuses=(404,)),
    Hostile("nul in an id", **_get(b"/runbooks/pod-crash%00.md"), statuses=(404,)),
    Hostile("absolute path as id", **_get(b"/runbooks/%2fetc%2fpasswd"), statuses=(404,)),
    Hostile("long id", **_get(b"/runbooks/" + b"a" * 5_000), statuses=(404,)),
    Hostile("overlong utf-8 in an id", **_get(b"/runbooks/%c0%ae%c0%ae"), statuses=(404,)),
    Hostile("surrogate in an id", **_get(b"/runbooks/%ed%a0%80"), statuses=(404,)),
    Hostile("device name", **_get(b"/runbooks/CON"), statuses=(404,)),
    Hostile("path as new id", **_json_to(b"/runbooks/create", b'{"id":"../x","title":"T","content":"x"}'), statuses=(422,)),
    Hostile("word of ours as new id", **_json_to(b"/runbooks/create", b'{"id":"search","title":"T","content":"x"}'), statuses=(422,)),
    Hostile("path as pinned runbook", **_json_to(b"/pins/A", b'{"runbook_id":"../../etc"}', b"PUT"), statuses=(404,)),
    Hostile("control characters as alert", **_json_to(b"/pins/%0a%1b%5b31m", b'{"runbook_id":"pod-crash"}', b"PUT"), statuses=(422,)),
    Hostile("traversal in assets", **_get(b"/assets/1/..%2f..%2f..%2fapp.py"), statuses=(404,)),
    # Wrong doors, wrong keys.
    Hostile("get with effects", **_get(b"/index/refresh"), statuses=(404, 405)),
    Hostile("trace", b"TRACE /runbooks HTTP/1.1", statuses=(405,)),
    Hostile("invented method", b"BREW /runbooks HTTP/1.1", statuses=(405,)),
    Hostile("method override", **_json_to(b"/runbooks/pod-crash", b"{}", b"POST", b"X-HTTP-Method-Override: DELETE"), statuses=(405,)),
    Hostile("delete without a precondition", b"DELETE /runbooks/pod-crash HTTP/1.1", statuses=(428,)),
    Hostile("double slash", **_get(b"//runbooks/search?q=x"), statuses=(404,)),
    Hostile("upper case", **_get(b"/RUNBOOKS"), statuses=(404,)),
    Hostile("xml", b"POST /runbooks/search HTTP/1.1", (b"Content-Type: application/xml",), b"<!DOCTYPE a>", (415,)),
    Hostile("json in plain clothes", b"POST /runbooks/create HTTP/1.1", (b"Content-Type: text/plain",), RUNBOOK, (415,)),
    Hostile("a form", b"POST /runbooks/create HTTP/1.1", (b"Content-Type: application/x-www-form-urlencoded",), b"title=x", (415,)),
    Hostile("multipart without end", b"POST /runbooks/create HTTP/1.1", (b"Content-Type: multipart/form-data; boundary=x",), b"--x", (415,)),
    Hostile("no content type", b"POST /runbooks/create HTTP/1.1", (), RUNBOOK, (415,)),
    Hostile("a bomb", b"POST /runbooks/create HTTP/1.1", (b"Content-Type: application/json", b"Content-Encoding: gzip"), b"\x1f\x8b\x08", (415,)),
    # Hosts, origins, headers.
    Hostile("foreign host", **_get(b"/runbooks"), host=b"evil.example", statuses=(400,)),
    Hostile("host with a path", **_get(b"/runbooks"), host=b"evil.example/?x=127.0.0.1", statuses=(400,)),
    Hostile("cross-site change", **_json_to(b"/runbooks/create", RUNBOOK, b"POST", b"Sec-Fetch-Site: cross-site"), statuses=(403,)),
    Hostile("origin null", **_json_to(b"/runbooks/create", RUNBOOK, b"POST", b"Origin: null"), statuses=(403,)),
    Hostile("neighbour's origin", **_json_to(b"/runbooks/create", RUNBOOK, b"POST", b"Origin: http://127.0.0.1:1"), statuses=(403,)),
    Hostile("if-match of garbage", **_json_to(b"/runbooks/pod-crash", RUNBOOK, b"PUT", b'If-Match: \xff\xfe"'), statuses=(412,)),
    Hostile("a weak etag", **_json_to(b"/runbooks/pod-crash", RUNBOOK, b"PUT", b'If-Match: W/"x"'), statuses=(412,)),
    Hostile("negative length", b"POST /runbooks/create HTTP/1.1", (b"Content-Length: -1",), is_protocol_error=True, statuses=(400,)),
    Hostile("two lengths", b"POST /runbooks/create HTTP/1.1", (b"Content-Length: 1", b"Content-Length: 2"), b"x", is_protocol_error=True, statuses=(400,)),
    Hostile("length and chunks", b"POST /runbooks/create HTTP/1.1", (b"Content-Length: 4", b"Transfer-Encoding: chunked", b"Content-Type: application/json"), b"0\r\n\r\n", statuses=(400, 422)),
    Hostile("a header without end", b"GET /runbooks HTTP/1.1", (b"X-A: " + b"a" * 50_000,), statuses=(431,)),
    Hostile("headers without end", b"GET /runbooks HTTP/1.1", tuple(b"X-%d: x" % i for i in range(5_000)), statuses=(431,)),
    Hostile("a header line that folds", b"GET /runbooks HTTP/1.1", (b"X-A: 1\r\n\x00: 2",), is_protocol_error=True, statuses=(400,)),
    Hostile("not http", b"\x16\x03\x01\x02\x00", is_protocol_error=True, statuses=(400,)),
    Hostile("http of another world", b"GET /runbooks HTTPS/1.1", is_protocol_error=True, statuses=(400,)),
]  # fmt: skip


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with served(build_stage().app) as address:
        yield address


def _exchange(origin: str, raw: bytes) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(origin)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:  # type: ignore[arg-type]
        try:
            connection.sendall(raw)
        except (ConnectionResetError, BrokenPipeError):
            pass  # the server refused before it had read all: its answer is there
        answer = b""
        try:
            while part := connection.recv(65_536):
                answer += part
        except ConnectionResetError:
            pass
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
