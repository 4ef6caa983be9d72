"""Learning beside the requests: opened once, passes after every waking, trouble told and tried again, a clean end."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from api.learning.following import LearningFollower, Rhythm
from kb.errors import StorageUnavailable

WAIT_S = 10.0
QUICK = Rhythm(pause_s=0.02, look_s=60.0, retry_s=0.05)


class Acts:
    """Counts what is done; fails as often as it is told to."""

    def __init__(self, *, opening_fails: int = 0, pass_fails: int = 0) -> None:
        self.opened = self.first = self.second = 0
        self._opening_fails, self._pass_fails = opening_fails, pass_fails

    def open(self) -> None:
        if self._opening_fails:
            self._opening_fails -= 1
            raise StorageUnavailable("The disk sleeps.")
        self.opened += 1

    def one(self) -> None:
        self.first += 1
        if self.first <= self._pass_fails:
            raise StorageUnavailable("The disk is away.")

    def two(self) -> None:
        self.second += 1


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture
def started() -> Iterator[Callable[[Acts], LearningFollower]]:
    running: list[LearningFollower] = []

    def start(acts: Acts) -> LearningFollower:
        follower = LearningFollower(acts.open, (acts.one, acts.two), rhythm=QUICK)
        running.append(follower)
        follower.start()
        return follower

    yield start
    for follower in running:
        follower.stop()


def test_it_opens_once_and_looks_once_and_again_when_woken(started: Callable[[Acts], LearningFollower]) -> None:
    acts = Acts()
    follower = started(acts)
    until(lambda: acts.second == 1)
    time.sleep(0.1)
    assert (acts.opened, acts.first, acts.second) == (1, 1, 1)
    for _ in range(5):  # a burst is looked at together
        follower.wake()
    until(lambda: acts.second >= 2)
    time.sleep(0.1)
    assert acts.second <= 3
    assert follower.trouble == ""


def test_opening_is_tried_until_it_works(started: Callable[[Acts], LearningFollower]) -> None:
    acts = Acts(opening_fails=2)
    follower = started(acts)
    until(lambda: follower.trouble == "The disk sleeps.")
    until(lambda: acts.second == 1)
    assert acts.opened == 1
    assert follower.trouble == ""


def test_one_pass_that_fails_holds_up_no_other_and_is_tried_again(started: Callable[[Acts], LearningFollower]) -> None:
    acts = Acts(pass_fails=2)
    follower = started(acts)
    until(lambda: acts.second >= 1)
    assert follower.trouble == "The disk is away."
    until(lambda: acts.first >= 3)
    until(lambda: follower.trouble == "")


def test_it_ends_when_told_to(started: Callable[[Acts], LearningFollower]) -> None:
    acts = Acts()
    follower = started(acts)
    until(lambda: acts.second == 1)
    follower.stop()
    assert not any(thread.name == "learning-follow" for thread in threading.enumerate())
    follower.wake()
    time.sleep(0.1)
    assert acts.first == 1


def test_stopping_what_never_began_does_no_harm() -> None:
    LearningFollower(lambda: None, ()).stop()
