"""People's votes and the outcomes of incidents -> what a search knows beside the text of runbooks. Kept until they
change; whether they have is asked at most once a second."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from indexer.search import MAX_PRIOR
from kb.database import Database
from kb.errors import KBError
from kb.feedback_mark import feedback_mark

log = logging.getLogger("sre_kb.feedback")

_FRESH_S = 1.0  # another process may vote
_FADES_S = 3600.0  # voices fade by the hour at most, so that what was computed may stand for so long


@dataclass(frozen=True, slots=True)
class Known:
    """By runbook id: what to add to its score, at most MAX_PRIOR either way, and why."""

    boosts: Mapping[str, float] = field(default_factory=dict)
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def in_a_thread(act: Callable[[], None]) -> None:
    """Do it beside whatever runs."""
    threading.Thread(target=act, name="feedback-read", daemon=True).start()


class FeedbackPriors:
    """Safe to call from many threads. The first search waits for what is known; later ones go on with it while `beside`
    looks whether it has changed."""

    def __init__(
        self,
        database: Database,
        *,
        now: Callable[[], datetime],
        timer: Callable[[], float] = time.monotonic,
        beside: Callable[[Callable[[], None]], None] = in_a_thread,
    ) -> None:
        self._database = database
        self._now = now
        self._timer = timer
        self._beside = beside
        self._looking = threading.Lock()
        self._known = Known()
        self._mark: str | None = None
        self._looked_at: float | None = None
        self._computed_at = float("-inf")

    def __call__(self) -> Known:
        looked_at = self._looked_at
        is_old = looked_at is None or self._timer() - looked_at > _FRESH_S
        if is_old and self._looking.acquire(blocking=False):
            if looked_at is None:
                self._look()
            else:
                self._beside(self._look)
        return self._known

    def _look(self) -> None:
        """The caller holds the lock, and this lets go of it."""
        try:
            self._refresh()
        except KBError as exc:  # a search must not fail for want of opinions
            log.warning("feedback is not read: %s", exc.message, extra={"event": "feedback_unreadable"})
        finally:
            self._looked_at = self._timer()
            self._looking.release()

    def _refresh(self) -> None:
        at = self._timer()
        mark = feedback_mark(self._database)
        if mark != self._mark or at - self._computed_at > _FADES_S:
            self._known = Known() if mark is None else self._read()
            self._mark, self._computed_at = mark, at

    def _read(self) -> Known:
        # Loaded when somebody has said something; most searches from the command line need not wait for it.
        from kb.feedback_weight import feedback_by_target
        from kb.sql_feedback import SqlFeedbackReads

        with self._database.read() as connection:
            reads = SqlFeedbackReads(connection)
            votes, outcomes = reads.votes(), reads.outcomes()
        found = feedback_by_target(votes, outcomes, now=self._now())
        return Known(
            {runbook: MAX_PRIOR * feedback.value for runbook, feedback in found.items()},
            {runbook: feedback.notes for runbook, feedback in found.items()},
        )
