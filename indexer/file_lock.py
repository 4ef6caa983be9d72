"""One writer at a time, across threads and processes: an advisory lock on a file that stays. The operating system frees
it when its holder dies, so a killed process never leaves it locked."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexer.errors import IndexBusy

_RETRY_S = 0.02  # between two tries; short beside anything that is done under the lock


@contextmanager
def locked(path: Path, *, timeout_s: float) -> Iterator[None]:
    """Hold the lock at `path`, made with its folder when missing; IndexBusy when it is not free within `timeout_s`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _acquire(descriptor, path, timeout_s)
        yield
    finally:
        os.close(descriptor)  # closing frees the lock


def _acquire(descriptor: int, path: Path, timeout_s: float) -> None:
    started = time.monotonic()
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            waited_s = time.monotonic() - started
            if waited_s >= timeout_s:
                raise IndexBusy(path, waited_s=waited_s) from exc
            time.sleep(_RETRY_S)
        else:
            return
