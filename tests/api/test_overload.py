"""More than can be served: those inside are answered, the others are told when to come back, probes always get through,
and slow senders cost nobody but themselves."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest

from tests.web.stage import Stage, build_stage, served

pytestmark = pytest.mark.integration


@pytest.fixture
def stage() -> Stage:
    stage = build_stage(max_concurrent_searches=2, max_waiting_requests=8)
    stage.search.delays["slow"] = 0.15
    return stage


@pytest.fixture
def origin(stage: Stage) -> Iterator[str]:
    with served(stage.app) as address:
        yield address


async def _flood(origin: str, count: int, *, source: str = "127.0.0.1") -> list[httpx.Response]:
    transport = httpx.AsyncHTTPTransport(local_address=source, limits=httpx.Limits(max_connections=count))
    async with httpx.AsyncClient(base_url=origin, transport=transport, timeout=30) as client:
        return await asyncio.gather(*(client.get("/runbooks/search?q=slow") for _ in range(count)))


async def _probe(origin: str, count: int) -> list[float]:
    took = []
    async with httpx.AsyncClient(base_url=origin, timeout=10, trust_env=False) as client:
        for _ in range(count):
            began = time.perf_counter()
            assert (await client.get("/healthz")).status_code == 200
            took.append(time.perf_counter() - began)
            await asyncio.sleep(0.02)
    return took


def test_one_flooding_client_is_told_429_and_what_was_let_in_is_answered(origin: str) -> None:
    async def story() -> tuple[list[httpx.Response], list[float]]:
        return await asyncio.gather(_flood(origin, 60), _probe(origin, 10))

    answers, probes = asyncio.run(story())
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) == {200, 429}
    assert statuses[200] >= 6  # two that ran and four that half of the line holds
    refused = [answer for answer in answers if answer.status_code == 429]
    assert all(answer.headers["retry-after"] == "1" for answer in refused)
    assert all(answer.headers["content-type"] == "application/problem+json" for answer in refused)
    assert sorted(probes)[len(probes) // 2] < 0.5
    assert httpx.get(f"{origin}/runbooks/search?q=pod", trust_env=False).status_code == 200


def test_many_clients_fill_the_line_and_the_next_is_told_503(origin: str) -> None:
    async def story() -> list[httpx.Response]:
        crowds = await asyncio.gather(*(_flood(origin, 6, source=f"127.0.0.{n}") for n in range(2, 7)))
        return [answer for crowd in crowds for answer in crowd]

    answers = asyncio.run(story())
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses[503] > 0
    assert statuses[200] >= 10  # two that ran and the eight of the line
    assert all(answer.headers["retry-after"] == "1" for answer in answers if answer.status_code == 503)


def test_searches_in_line_leave_reading_and_writing_alone(origin: str) -> None:
    async def story() -> None:
        flood = asyncio.create_task(_flood(origin, 12))
        await asyncio.sleep(0.05)
        async with httpx.AsyncClient(base_url=origin, timeout=5, trust_env=False) as client:
            assert (await client.get("/runbooks/pod-crash")).status_code == 200
            assert (await client.put("/pins/A", json={"runbook_id": "pod-crash"})).status_code == 200
        await flood

    asyncio.run(story())


def test_senders_of_a_byte_now_and_then_and_half_open_connections_starve_nobody(origin: str) -> None:
    parts = urlsplit(origin)
    address = (parts.hostname, parts.port)
    with ExitStack() as held:
        for number in range(150):
            connection = held.enter_context(socket.create_connection(address, timeout=5))  # type: ignore[arg-type]
            connection.sendall(b"POST /runbooks/search HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            if number % 3:
                connection.sendall(b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
        client = held.enter_context(httpx.Client(base_url=origin, timeout=5, trust_env=False))
        statuses = Counter(client.get("/runbooks/search?q=pod").status_code for _ in range(50))
    assert statuses == {200: 50}
