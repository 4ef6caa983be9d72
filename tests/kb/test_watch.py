"""Watching the folders: a save shows at once, our own temporary files never, and a swapped root is noticed."""

import queue
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.watch import EVERYTHING, watch_folder

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SOON_S = 15  # far above what a busy machine needs; a batch comes within a quarter of a second on an idle one


class Watched:
    """A folder with a watcher in a thread."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.batches: queue.Queue[frozenset[str]] = queue.Queue()
        self.stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        self._wait_until_it_watches()

    def _watch(self) -> None:
        for batch in watch_folder(self.root, self.stop, debounce_ms=50):
            self.batches.put(batch)

    def _wait_until_it_watches(self) -> None:
        self.next_with(EVERYTHING)

    def next_with(self, path: str) -> frozenset[str]:
        """The first batch that names `path`."""
        deadline = time.monotonic() + SOON_S
        while True:
            batch = self.batches.get(timeout=max(deadline - time.monotonic(), 0.01))
            if path in batch:
                return batch

    def end(self) -> float:
        """Seconds it took to end."""
        started = time.monotonic()
        self.stop.set()
        self._thread.join(SOON_S)
        assert not self._thread.is_alive()
        return time.monotonic() - started


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    (tmp_path / "runbooks" / "static").mkdir(parents=True)
    watcher = Watched(tmp_path / "runbooks")
    yield watcher
    watcher.end()


def test_a_saved_file_is_told_by_its_path_in_the_folder(watched: Watched) -> None:
    (watched.root / "static" / "a.md").write_text("# A\n")
    assert "static/a.md" in watched.next_with("static/a.md")


def test_a_rename_tells_both_names(watched: Watched) -> None:
    (watched.root / "static" / "a.md").write_text("# A\n")
    watched.next_with("static/a.md")
    (watched.root / "static" / "a.md").rename(watched.root / "static" / "b.md")
    watched.next_with("static/b.md")


def test_a_folder_moved_in_is_told(watched: Watched, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x.md").write_text("# X\n")
    (tmp_path / "other").rename(watched.root / "other")
    watched.next_with("other")


def test_hidden_files_and_those_of_tools_are_never_told(watched: Watched) -> None:
    (watched.root / "static" / ".sre-kb-1.new").write_text("half")
    (watched.root / ".git").mkdir()
    (watched.root / ".git" / "index.md").write_text("x")
    (watched.root / "cache").mkdir()
    (watched.root / "cache" / "patterns.json").write_text("{}")
    (watched.root / "static" / "last.md").write_text("x")
    seen = watched.next_with("static/last.md")
    while not watched.batches.empty():
        seen |= watched.batches.get()
    assert [path for path in seen if "/." in f"/{path}" or path.startswith("cache")] == []


def test_a_root_that_goes_away_and_comes_back_is_told(watched: Watched, tmp_path: Path) -> None:
    watched.root.rename(tmp_path / "aside")
    watched.next_with(EVERYTHING)
    (tmp_path / "aside").rename(watched.root)
    watched.next_with(EVERYTHING)


def test_a_root_link_that_is_swapped_is_told_and_the_new_folder_watched(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "current").symlink_to("one")
    watched = Watched(tmp_path / "current")
    (tmp_path / "next").symlink_to("two")
    (tmp_path / "next").rename(tmp_path / "current")
    watched.next_with(EVERYTHING)
    watched.next_with(EVERYTHING)
    (tmp_path / "two" / "a.md").write_text("# A\n")
    watched.next_with("a.md")
    watched.end()


def test_it_ends_soon_after_it_is_told_to_even_without_a_folder(tmp_path: Path) -> None:
    (tmp_path / "runbooks").mkdir()
    watched = Watched(tmp_path / "runbooks")
    shutil.rmtree(tmp_path / "runbooks")
    watched.next_with(EVERYTHING)
    assert watched.end() < 10
