"""Tells when files in the runbook folders change, while a server runs. The only home of watchfiles."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

from watchfiles import BaseFilter, Change, watch

from kb.folder_scan import RESERVED_FOLDERS

EVERYTHING = ""  # yielded as a path when only a look over the whole folder can tell what changed
_ROOT_CHECK_MS = 2_000  # how often the root itself is looked at: a link that is swapped gives no event


class _OnlyVisible(BaseFilter):
    """Leaves out hidden files and folders (our own temporary files, editors' swap files, Git) and those at the top that
    hold no runbooks."""

    def __init__(self, root: str) -> None:
        self._root = root

    def __call__(self, change: Change, path: str) -> bool:
        parts = [part for part in os.path.relpath(path, self._root).split(os.sep) if part != os.curdir]
        return not any(part.startswith(".") for part in parts) and not RESERVED_FOLDERS.intersection(parts[:1])


def watch_folder(root: Path, stop: threading.Event, *, debounce_ms: int = 200) -> Iterator[frozenset[str]]:
    """Yield paths that changed, relative to `root`, in batches: a save, or a checkout of many files, is one batch.

    Ends soon after `stop` is set. `EVERYTHING` among the paths means that the root itself was swapped, went away or
    came back; it also comes once when watching has begun, for what changed just before. What watching cannot see (a
    network share, an overflow of the kernel's queue) needs a full sync now and then.
    """
    real = os.path.realpath(root)
    while not stop.is_set():
        if not os.path.isdir(real):
            stop.wait(_ROOT_CHECK_MS / 1000)
            real = os.path.realpath(root)
            if os.path.isdir(real):
                yield frozenset({EVERYTHING})
            continue
        yield from _watch_until_swapped(root, real, stop, debounce_ms)
        if not stop.is_set():
            real = os.path.realpath(root)
            yield frozenset({EVERYTHING})


def _watch_until_swapped(root: Path, real: str, stop: threading.Event, debounce_ms: int) -> Iterator[frozenset[str]]:
    batches = watch(
        real,
        watch_filter=_OnlyVisible(real),
        stop_event=stop,
        debounce=debounce_ms,
        step=min(50, debounce_ms),
        rust_timeout=_ROOT_CHECK_MS,
        yield_on_timeout=True,
        raise_interrupt=False,
        ignore_permission_denied=True,
    )
    identity, has_begun = _identity(real), False
    for batch in batches:
        if batch:
            yield frozenset(Path(os.path.relpath(path, real)).as_posix() for _, path in batch)
        elif os.path.realpath(root) != real or _identity(real) != identity:
            return
        elif not has_begun:
            has_begun = True
            yield frozenset({EVERYTHING})


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
