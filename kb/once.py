"""Doing a keyed request once, however often it is sent. The answer is kept in the transaction of the change that it
tells of, so a crash leaves both or neither, and no claim that outlives it.

Two processes that get one key at the same time both prepare; the second finds the first one's answer when its turn to
write comes, drops its own work and gives that answer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from kb.idempotency import InFlight, KeyedRequest
from kb.principal import Principal
from kb.record_store import RecordChange, RecordStore

Prepared = TypeVar("Prepared")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, a JSON value. `is_replay` tells that it was given before and nothing was done now."""

    answer: object
    is_replay: bool


class Once:
    """Answers keyed requests on one store. Safe to share between threads."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store
        self._in_flight = InFlight()

    def answer(
        self,
        request: KeyedRequest,
        principal: Principal,
        *,
        prepare: Callable[[], Prepared],
        act: Callable[[RecordChange, Prepared], object],
    ) -> Reply:
        """Do what `request` asks, or give the answer that it got before.

        `prepare` does what needs no transaction; `act` makes the change and returns the answer. Raises `KeyReused`,
        `RequestInFlight`, and whatever the two raise: then nothing is kept and the key stays free.
        """
        with self._in_flight.claim(request):
            with self._store.read() as view:
                known = view.keys.find(request)
            if known is not None:
                return Reply(known.answer, is_replay=True)
            prepared = prepare()
            with self._store.change(principal) as change:
                known = change.keys.find(request)
                if known is not None:
                    return Reply(known.answer, is_replay=True)
                answer = act(change, prepared)
                change.keys.remember(request, answer)
            return Reply(answer, is_replay=False)
