"""The outermost layer of the HTTP face, as plain ASGI: request ids, host and cross-site checks, bodies read whole under
a limit and a deadline, admission, response headers and one log line a request. Routes never see a request that this
layer refuses."""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.gates import Gate, RouteClass, TurnedAway, route_class
from api.problems import Problem
from api.settings import is_address
from api.strict_json import parse_json
from kb.errors import InvalidInput

log = logging.getLogger("sre_kb.http")

# A sender of one byte a second must not keep a connection forever (reliability figure: reaped within 15 s).
BODY_DEADLINE_S = 15.0
MAX_QUERY_STRING_BYTES = 48 << 10  # a pasted alert of 16 KiB, percent-encoded
MAX_HEADER_BYTES = 32 << 10
_LARGE_BODY_BYTES = 64 << 10  # parsing more than this on the event loop would delay everyone else's answer
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_UNSAFE_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})

SECURITY_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Pages bring their own; for everything else nothing may load, whatever a browser takes the bytes for.
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


class Refused(Exception):  # not a KBError: it never leaves the edge
    """The edge turns this request away; `problem` is what the client is told."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class EdgeRules:
    """What the edge lets through. Sizes in bytes. `allowed_hosts` are lower-case names; "*" allows every one."""

    allowed_hosts: frozenset[str]
    max_body_bytes: int
    max_webhook_body_bytes: int
    body_deadline_s: float = BODY_DEADLINE_S


def check_host(host_header: str, allowed: frozenset[str]) -> None:
    """Refuse names that are not ours, so that no foreign page can point its own name at this address and read answers.

    A plain IP address or "localhost" is always fine: nobody can make those resolve to anything else.
    """
    host = _host_name(host_header)
    if "*" in allowed or host in allowed or host == "localhost" or is_address(host):
        return
    raise Refused(
        Problem(
            problems.UNKNOWN_HOST,
            "The Host header does not name this server.",
            "Use its address, or list the name in SRE_KB_ALLOWED_HOSTS.",
        )
    )


def check_same_site(method: str, headers: Mapping[str, str]) -> None:
    """Refuse changes that another site's page makes a browser send. Programs send neither header and pass."""
    if method not in _UNSAFE_METHODS:
        return
    fetch_site = headers.get("sec-fetch-site")
    if fetch_site is not None:
        foreign = fetch_site not in ("same-origin", "none")
    else:
        origin = headers.get("origin")
        foreign = origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
    if foreign:
        raise Refused(
            Problem(
                problems.CROSS_SITE,
                "A page of another site made your browser send this.",
                "Do it from a page of this server, or with a program.",
            )
        )


def _host_name(host_header: str) -> str:
    host = host_header.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def body_limit(rules: EdgeRules, method: str, path: str) -> int:
    """How many bytes this request may carry. Alertmanager puts all alerts of a group in one body: those get more."""
    if method == "POST" and path in ("/runbooks/search", "/recommend"):
        return rules.max_webhook_body_bytes
    return rules.max_body_bytes


class Edge:
    """ASGI middleware: everything that holds for every request, whatever its route."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        rules: EdgeRules,
        gates: Mapping[RouteClass, Gate],
        new_id: Callable[[], str],
        base_path: str = "",
    ) -> None:
        self._app = app
        self._rules = rules
        self._gates = gates
        self._new_id = new_id
        self._base_path = base_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = Headers(scope=scope)
        request_id = self._request_id(headers)
        scope["root_path"] = self._base_path  # routes match with and without the prefix, whatever the proxy strips
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _complete(MutableHeaders(scope=message), request_id)
            await send(message)

        try:
            await self._admit(scope, headers, receive, send_with_headers)
        except (Refused, TurnedAway) as exc:
            answer = problems.response(exc.problem, request_id=request_id)
            await answer(scope, receive, send_with_headers)
        finally:
            _log_request(scope, status=status, took_s=time.perf_counter() - started, request_id=request_id)

    def _request_id(self, headers: Headers) -> str:
        given = headers.get("x-request-id", "")
        return given if _REQUEST_ID.fullmatch(given) else self._new_id()

    async def _admit(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        method, path = scope["method"], self._inner_path(scope["path"])
        check_host(headers.get("host", ""), self._rules.allowed_hosts)
        check_same_site(method, headers)
        if len(scope.get("query_string", b"")) > MAX_QUERY_STRING_BYTES:
            raise Refused(
                Problem(
                    problems.QUERY_TOO_LONG,
                    f"The part after '?' is longer than {MAX_QUERY_STRING_BYTES:,} bytes.",
                    "Send long texts with POST /runbooks/search.",
                )
            )
        if sum(len(name) + len(value) for name, value in headers.raw) > MAX_HEADER_BYTES:
            raise Refused(
                Problem(problems.HEADERS_TOO_LARGE, f"They have more than {MAX_HEADER_BYTES:,} bytes.", "Send fewer.")
            )
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise Refused(Problem(problems.WRONG_CONTENT_TYPE, "The body is compressed.", "Send it as it is."))
        body = await self._read_body(headers, receive, body_limit(self._rules, method, path))
        await _check_json(headers, body)
        gate = self._gates.get(route_class(method, path))
        if gate is None:
            await self._app(scope, _replay(body, receive), send)
            return
        client = scope["client"][0] if scope.get("client") else ""
        async with gate.slot(client):
            await self._app(scope, _replay(body, receive), send)

    def _inner_path(self, path: str) -> str:
        return path.removeprefix(self._base_path) if self._base_path else path

    async def _read_body(self, headers: Headers, receive: Receive, limit: int) -> bytes:
        """The whole body, before any slot is taken: whoever sends slowly waits alone."""
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length[:20]) > limit:
            raise _too_large(limit)
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._rules.body_deadline_s):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        break
                    part = message.get("body", b"")
                    size += len(part)
                    if size > limit:
                        raise _too_large(limit)
                    parts.append(part)
                    if not message.get("more_body", False):
                        break
        except TimeoutError:
            problem = Problem(
                problems.TOO_SLOW,
                f"The body did not arrive within {self._rules.body_deadline_s:g} seconds.",
                "Send it at once.",
                headers={"Connection": "close"},
            )
            raise Refused(problem) from None
        return b"".join(parts)


def _too_large(limit: int) -> Refused:
    return Refused(
        Problem(
            problems.TOO_LARGE,
            f"The body is larger than {limit:,} bytes.",
            "Send less, or raise SRE_KB_MAX_BODY_BYTES or SRE_KB_MAX_WEBHOOK_BODY_BYTES.",
            headers={"Connection": "close"},
        )
    )


async def _check_json(headers: Headers, body: bytes) -> None:
    """Refuse unreadable JSON before a framework or a handler trips over it."""
    if not body or not is_json(headers.get("content-type", "")):
        return
    try:
        if len(body) > _LARGE_BODY_BYTES:
            await run_in_threadpool(parse_json, body)
        else:
            parse_json(body)
    except InvalidInput as exc:
        raise Refused(Problem(problems.UNREADABLE_BODY, f"The body {exc.reason}.", exc.advice)) from None


def is_json(content_type: str) -> bool:
    """Whether a Content-Type header promises JSON."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that hands out the body once and then reports the client's going away as before."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return pending.pop() if pending else await receive()

    return next_message


def _complete(headers: MutableHeaders, request_id: str) -> None:
    headers["X-Request-ID"] = request_id
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)


def _log_request(scope: Scope, *, status: int, took_s: float, request_id: str) -> None:
    # The query string stays out: people paste secrets into search boxes.
    level = _log_level(scope["path"], status)
    log.log(
        level,
        "%s %s %d",
        scope["method"],
        _printable(scope["path"]),
        status,
        extra={
            "event": "http_request",
            "method": scope["method"],
            "path": _printable(scope["path"]),
            "status": status,
            "took_ms": round(took_s * 1000, 1),
            "request_id": request_id,
        },
    )


def _log_level(path: str, status: int) -> int:
    if path.endswith(("/healthz", "/readyz")):  # asked every few seconds, by machines that remember the answer
        return logging.DEBUG
    return logging.WARNING if status >= 500 or status == 0 else logging.INFO


def _printable(path: str) -> str:
    return "".join(char if char.isprintable() else "\ufffd" for char in path[:200])
