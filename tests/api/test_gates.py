"""Who gets in, who waits and who is turned away."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from api.gates import Gate, GateLimits, RouteClass, TurnedAway, route_class


def _run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(_awaited(story), timeout=5))


async def _awaited(story: Callable[[], Awaitable[None]]) -> None:
    await story()


async def _stand_in_line(gate: Gate, client: str, let_go: asyncio.Event) -> None:
    async with gate.slot(client):
        await let_go.wait()


def test_as_many_run_as_there_are_slots_and_the_rest_follow() -> None:
    async def story() -> None:
        gate = Gate("search", GateLimits(slots=2, queue=10))
        running = peak = 0

        async def one() -> None:
            nonlocal running, peak
            async with gate.slot("a"):
                running += 1
                peak = max(peak, running)
                await asyncio.sleep(0)
                running -= 1

        await asyncio.gather(*(one() for _ in range(7)))
        assert peak == 2
        assert gate.waiting == 0

    _run(story)


def test_a_full_line_answers_503_with_a_time_to_come_back() -> None:
    async def story() -> None:
        gate = Gate("search", GateLimits(slots=1, queue=2))
        let_go = asyncio.Event()
        crowd = [asyncio.create_task(_stand_in_line(gate, f"client-{i}", let_go)) for i in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(TurnedAway) as caught:
            async with gate.slot("latecomer"):
                pass
        assert (caught.value.problem.kind.status, caught.value.problem.retry_after_s) == (503, 1)
        let_go.set()
        await asyncio.gather(*crowd)

    _run(story)


def test_one_client_fills_half_the_line_and_is_then_told_429_while_another_finds_room() -> None:
    async def story() -> None:
        gate = Gate("search", GateLimits(slots=1, queue=4))
        let_go = asyncio.Event()
        crowd = [asyncio.create_task(_stand_in_line(gate, "flood", let_go)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(TurnedAway) as caught:
            async with gate.slot("flood"):
                pass
        assert caught.value.problem.kind.status == 429
        other = asyncio.create_task(_stand_in_line(gate, "other", let_go))
        await asyncio.sleep(0)
        assert gate.waiting == 3
        let_go.set()
        await asyncio.gather(*crowd, other)

    _run(story)


def test_whoever_waits_too_long_is_turned_away_and_leaves_no_trace() -> None:
    async def story() -> None:
        gate = Gate("search", GateLimits(slots=1, queue=4, wait_s=0.01))
        async with AsyncExitStack() as held:
            await held.enter_async_context(gate.slot("a"))
            with pytest.raises(TurnedAway) as caught:
                async with gate.slot("b"):
                    pass
            assert caught.value.problem.kind.status == 503
            assert gate.waiting == 0
        async with gate.slot("b"):
            pass

    _run(story)


def test_a_failing_request_gives_its_slot_back() -> None:
    async def story() -> None:
        gate = Gate("search", GateLimits(slots=1, queue=1))
        with pytest.raises(RuntimeError, match="broken"):
            async with gate.slot("a"):
                raise RuntimeError("broken")
        async with gate.slot("a"):
            pass

    _run(story)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/runbooks/search", RouteClass.SEARCH),
        ("POST", "/runbooks/search", RouteClass.SEARCH),
        ("GET", "/search", RouteClass.SEARCH),
        ("GET", "/a/KubePodCrashLooping", RouteClass.SEARCH),
        ("GET", "/runbooks/some-id", RouteClass.READ),
        ("PUT", "/runbooks/some-id", RouteClass.WRITE),
        ("POST", "/runbooks/create", RouteClass.WRITE),
        ("GET", "/healthz", RouteClass.FREE),
        ("GET", "/assets/1/app.css", RouteClass.FREE),
    ],
)
def test_each_kind_of_request_has_a_line_of_its_own(method: str, path: str, expected: RouteClass) -> None:
    assert route_class(method, path) is expected
