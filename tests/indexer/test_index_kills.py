"""kill -9 while documents change, are embedded and saved: after every kill the index on disk is whole, not older than
what was acknowledged, and after a refresh equal to one built from scratch."""

import multiprocessing
import os
import random
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from indexer.errors import IndexCorrupt, IndexOutdated
from indexer.generation_files import load_generation
from tests.indexer.toy_store import built_from_scratch, edited, open_index

pytestmark = pytest.mark.integration

EDITS_BEFORE = 10  # so that there is an index to damage from the first kill on


def keep_indexing(folder: Path, seed: int, first: int, acks: Connection) -> None:
    """Index one edit after another; tell the number of each once it is saved. Ends by being killed."""
    index = open_index(folder)
    index.load()
    for number in range(first, first + 1_000):
        index.refresh(edited(seed, number))
        index.save()
        acks.send(number)


def run_until_killed(folder: Path, seed: int, first: int, after_s: float) -> int:
    """The last edit that was acknowledged as saved; `first - 1` when none was."""
    context = multiprocessing.get_context("forkserver")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=keep_indexing, args=(folder, seed, first, sender))
    child.start()
    sender.close()
    time.sleep(after_s)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    last = first - 1
    try:
        while receiver.poll():
            last = receiver.recv()
    except EOFError:
        pass
    receiver.close()
    assert child.exitcode == -signal.SIGKILL
    return last


def kill_and_check(kills: int, tmp_path: Path, *, seed: int) -> dict[str, int]:
    """Kill `kills` times on one folder, checking after each; counts what was met on the way."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(["tests.indexer.toy_store"])
    chance = random.Random(seed)
    folder = tmp_path / "killed"
    folder.mkdir()
    met = {"kills": 0, "acknowledged": 0, "leftovers": 0, "saved but not acknowledged": 0}
    done = EDITS_BEFORE
    for number in range(kills):
        acknowledged = run_until_killed(folder, seed, done + 1, chance.uniform(0.02, 0.5))
        met["kills"] += 1
        met["acknowledged"] += acknowledged - done
        met["leftovers"] += bool(list(folder.glob("index/.tmp-*")))

        problems: list[IndexCorrupt | IndexOutdated] = []
        found = load_generation(folder / "index", problems)
        assert problems == []
        if found is None:
            assert acknowledged == done == EDITS_BEFORE
            continue
        # CURRENT holds the store's revision, which is the number of edits: never older than what was acknowledged.
        candidates = [n for n in range(acknowledged, acknowledged + 2) if edited(seed, n).revision() == found.revision]
        assert candidates, (found.revision, acknowledged)
        met["saved but not acknowledged"] += candidates[0] - acknowledged
        done = candidates[0]

        index = open_index(folder)
        index.load()
        index.refresh(edited(seed, done))
        index.close()
        scratch = built_from_scratch(edited(seed, done), tmp_path / f"scratch-{number}")
        assert index.current.content_digest() == scratch.content_digest()
        assert index.current.id == scratch.id == found.id
    assert not list(folder.glob("index/.tmp-*"))
    return met


@pytest.mark.slow
def test_after_each_of_40_kills_the_index_equals_one_built_from_scratch(tmp_path: Path) -> None:
    met = kill_and_check(40, tmp_path, seed=4)
    assert met["kills"] == 40
    assert met["acknowledged"] > 0  # how many a round manages depends on the machine


@pytest.mark.soak
def test_after_each_of_500_kills_the_index_equals_one_built_from_scratch(tmp_path: Path) -> None:
    met = kill_and_check(500, tmp_path, seed=5)
    print("\nkill -9 while indexing:", met)  # noqa: T201 -- soak tests print their figures
    assert met["leftovers"] > 0
