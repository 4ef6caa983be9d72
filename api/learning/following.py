"""Learning beside the requests of a server: one thread that opens the learner, groups anew when that is due, and writes
drafts and what else follows from changes. What goes wrong is logged and tried again."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kb.errors import KBError

log = logging.getLogger("sre_kb.learning")


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When passes are made, in seconds.

    Between two of them lies `pause_s`, so that what comes in a burst is looked at together, and `rest` times as long as
    the last one took, so that answers keep the processor. `look_s` after the last one there is one unasked: another
    process over the same records may learn too. What failed is tried again after `retry_s`.
    """

    pause_s: float = 2.0
    rest: float = 4.0
    look_s: float = 30.0
    retry_s: float = 5.0


Pass = Callable[[], None]


class LearningFollower:
    """A thread over some acts, done in their order after `open_learner` has ended. `wake` asks for a pass soon."""

    def __init__(
        self, open_learner: Callable[[], None], passes: Sequence[Pass], *, rhythm: Rhythm | None = None
    ) -> None:
        self._open_learner = open_learner
        self._passes = passes
        self._rhythm = rhythm or Rhythm()
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None
        self._troubles: dict[Pass, str] = {}

    @property
    def trouble(self) -> str:
        """What failed in the last pass; empty when nothing did."""
        thread = self._thread
        if thread is not None and not thread.is_alive() and not self._stopping.is_set():
            return "learning in the background ended unexpectedly; restart the server"
        return "; ".join(self._troubles.values())

    def start(self) -> None:
        """Begin with opening the learner."""
        self._thread = threading.Thread(target=self._follow, name="learning-follow", daemon=True)
        self._thread.start()

    def stop(self, *, wait_s: float = 5.0) -> None:
        """End; a pass that takes longer than `wait_s` is left behind, for the next start to make up."""
        self._stopping.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(wait_s)

    def wake(self) -> None:
        """Something was learnt, said or decided."""
        self._woken.set()

    def _follow(self) -> None:
        rhythm = self._rhythm
        while not self._stopping.is_set() and not self._is_done(self._open_learner):
            self._stopping.wait(rhythm.retry_s)
        while not self._stopping.is_set():
            self._woken.clear()
            began = time.monotonic()
            failed = [act for act in self._passes if not self._is_done(act)]
            self._stopping.wait(max(rhythm.pause_s, rhythm.rest * (time.monotonic() - began)))
            self._woken.wait(rhythm.retry_s if failed else rhythm.look_s)

    def _is_done(self, act: Pass) -> bool:
        if self._stopping.is_set():
            return True
        try:
            act()
        except KBError as exc:
            self._troubles[act] = exc.message
            log.warning("%s %s", exc.message, exc.advice, extra={"event": "learning_failed"})
            return False
        self._troubles.pop(act, None)
        return True
