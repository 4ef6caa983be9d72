"""Requests that carry a key, so that sending one again is answered again and not done again: values, their rules, and
the register of those being answered right now."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from kb.errors import InvalidInput, KBError
from kb.principal import Principal

KEPT_FOR = timedelta(hours=48)
"""As long as PagerDuty, the most patient of the usual senders, goes on sending an event again."""

KEPT_ROWS = 100_000
MAX_KEY_CHARS = 255


class KeyReused(KBError):
    """The same key came with another request; neither was done again."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"The idempotency key '{key}' was used for a different request.",
            advice="Use a new key for a new request; send the very same body with a key that you repeat.",
        )
        self.key = key


class RequestInFlight(KBError):
    """A request with this key is being answered at this moment."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"A request with the idempotency key '{key}' is still being answered.", advice="Send it again in a moment."
        )
        self.key = key


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A request under a key. Keys of different principals have nothing to do with each other."""

    principal: str
    key: str
    fingerprint: str

    @property
    def digest(self) -> str:
        """Principal and key in one, of bounded length."""
        return hashlib.sha256(f"{self.principal}\x00{self.key}".encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """What a keyed request was answered: a JSON value."""

    answer: object


def keyed_request(principal: Principal, key: str, *, operation: str, body: object) -> KeyedRequest:
    """The request of `principal` to do `operation` (such as "POST /runbooks/learn") with a JSON `body`.

    Raises `InvalidInput` unless the key has 1 to `MAX_KEY_CHARS` visible ASCII characters.
    """
    if not 1 <= len(key) <= MAX_KEY_CHARS or not all("!" <= char <= "~" for char in key):
        raise InvalidInput(
            "Idempotency-Key", "is not a key", advice=f"Use 1 to {MAX_KEY_CHARS} visible ASCII characters, as a UUID."
        )
    canonical = json.dumps([operation, body], sort_keys=True, separators=(",", ":"))
    return KeyedRequest(principal.name, key, hashlib.sha256(canonical.encode()).hexdigest())


class InFlight:
    """The keyed requests that this process is answering. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._claimed: set[tuple[str, str]] = set()

    @contextmanager
    def claim(self, request: KeyedRequest) -> Iterator[None]:
        """Answer this request and nobody else does meanwhile. Raises `RequestInFlight` when somebody does already."""
        name = (request.principal, request.key)
        with self._lock:
            if name in self._claimed:
                raise RequestInFlight(request.key)
            self._claimed.add(name)
        try:
            yield
        finally:
            with self._lock:
                self._claimed.discard(name)
