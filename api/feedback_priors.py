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


class FeedbackPriors:
    """Safe to call from many threads. Of several that find it old one asks, the others go on with what is known."""

    def __init__(
        self, database: Database, *, now: Callable[[], datetime], timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._now = now
        self._timer = timer
        self._asking = threading.Lock()
        self._known = Known()
        self._mark: str | None = None
        self._asked_at = self._computed_at = float("-inf")

    def __call__(self) -> Known:
        if self._timer() - self._asked_at > _FRESH_S and self._asking.acquire(blocking=False):
            try:
                self._refresh()
            except KBError as exc:  # a search must not fail for want of opinions
                self._asked_at = self._timer()
                log.warning("feedback is not read: %s", exc.message, extra={"event": "feedback_unreadable"})
            finally:
                self._asking.release()
        return self._known

    def _refresh(self) -> None:
        at = self._timer()
        mark = feedback_mark(self._database)
        if mark != self._mark or at - self._computed_at > _FADES_S:
            self._known = Known() if mark is None else self._read()
            self._mark, self._computed_at = mark, at
        self._asked_at = at

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
