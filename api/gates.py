"""Admission: how many requests of one kind run at once, how many may wait in line and for how long. What does not fit
is turned away with a time to come back, so that those inside stay fast. Decides nothing about who may do what."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

from api import problems


class RouteClass(StrEnum):
    """Kinds of requests that must not starve one another."""

    SEARCH = "search"
    READ = "read"
    WRITE = "write"
    FREE = "free"  # probes and static files: always answered


@dataclass(frozen=True, slots=True)
class GateLimits:
    """`slots` run at once, `queue` wait, none longer than `wait_s`."""

    slots: int
    queue: int
    wait_s: float = 5.0


class TurnedAway(Exception):  # not a KBError: it never leaves the edge
    """No room for this request now; `problem` says so to the client."""

    def __init__(self, problem: problems.Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


_SEARCH_PATHS = ("/runbooks/search", "/search", "/a/", "/recommend")
_FREE_PATHS = ("/healthz", "/readyz", "/assets/")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def route_class(method: str, path: str) -> RouteClass:
    """Which gate a request goes through. A wrong guess costs only fairness, never safety."""
    if path.startswith(_FREE_PATHS):
        return RouteClass.FREE
    if path.startswith(_SEARCH_PATHS):
        return RouteClass.SEARCH
    return RouteClass.READ if method in _SAFE_METHODS else RouteClass.WRITE


class Gate:
    """One line of requests. Belongs to one event loop."""

    def __init__(self, name: str, limits: GateLimits) -> None:
        self._name = name
        self._limits = limits
        self._slots = asyncio.Semaphore(limits.slots)
        self._waiting: Counter[str] = Counter()

    @property
    def waiting(self) -> int:
        """How many requests stand in line now."""
        return self._waiting.total()

    @asynccontextmanager
    async def slot(self, client: str) -> AsyncIterator[None]:
        """Hold a slot for the body of the `with`. Raises `TurnedAway` when the line is full or moves too slowly.

        One client may fill at most half of the line, so that a single sender of floods is told 429 while others still
        find room; a line that is full altogether answers 503.
        """
        if self._slots.locked():
            self._refuse_when_full(client)
            await self._wait(client)
        else:
            await self._slots.acquire()
        try:
            yield
        finally:
            self._slots.release()

    async def _wait(self, client: str) -> None:
        self._waiting[client] += 1
        try:
            await asyncio.wait_for(self._slots.acquire(), self._limits.wait_s)
        except TimeoutError:
            raise self._overloaded() from None
        finally:
            self._waiting[client] -= 1
            if not self._waiting[client]:
                del self._waiting[client]

    def _refuse_when_full(self, client: str) -> None:
        if self.waiting >= self._limits.queue:
            raise self._overloaded()
        if self._waiting[client] >= max(1, self._limits.queue // 2):
            raise TurnedAway(
                problems.Problem(
                    problems.TOO_MANY_REQUESTS,
                    f"You already have {self._waiting[client]} {self._name} requests waiting.",
                    "Wait for some of them to be answered.",
                    retry_after_s=1,
                )
            )

    def _overloaded(self) -> TurnedAway:
        return TurnedAway(
            problems.Problem(
                problems.OVERLOADED,
                f"Too many {self._name} requests are waiting already.",
                "Try again in a moment.",
                retry_after_s=1,
            )
        )


def build_gates(*, searches: int, queue: int) -> Mapping[RouteClass, Gate]:
    """The gates of one server. Writes go one at a time to SQLite anyway; four keep PostgreSQL and parsing busy."""
    return {
        RouteClass.SEARCH: Gate("search", GateLimits(slots=searches, queue=queue)),
        RouteClass.READ: Gate("read", GateLimits(slots=8, queue=queue)),
        RouteClass.WRITE: Gate("write", GateLimits(slots=4, queue=queue, wait_s=10.0)),
    }
