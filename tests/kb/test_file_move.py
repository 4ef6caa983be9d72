"""A file moved in one step, and moved back."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.file_change import FileMoved
from kb.file_move import FileMove, move_file

RAW = b"# Learned\n"


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[tuple[Path, Path, int, int]]:
    """Two folders, the first with a file, and their descriptors."""
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    (one / "a.md").write_bytes(RAW)
    handles = [os.open(folder, os.O_RDONLY | os.O_DIRECTORY) for folder in (one, other)]
    yield one, other, handles[0], handles[1]
    for handle in handles:
        os.close(handle)


def moved(folders: tuple[Path, Path, int, int], raw: bytes = RAW) -> FileMove:
    _, _, folder, to = folders
    return move_file(folder, "a.md", to, "b.md", expected_sha256=hashlib.sha256(raw).hexdigest())


def test_a_moved_file_is_at_its_new_place_only(folders: tuple[Path, Path, int, int]) -> None:
    moved(folders).keep()
    assert not (folders[0] / "a.md").exists()
    assert (folders[1] / "b.md").read_bytes() == RAW


def test_a_move_taken_back_leaves_no_trace(folders: tuple[Path, Path, int, int]) -> None:
    moved(folders).undo()
    assert (folders[0] / "a.md").read_bytes() == RAW
    assert not (folders[1] / "b.md").exists()


def test_nothing_is_moved_over_another_file(folders: tuple[Path, Path, int, int]) -> None:
    (folders[1] / "b.md").write_bytes(b"other")
    with pytest.raises(FileExistsError):
        moved(folders)
    assert ((folders[0] / "a.md").read_bytes(), (folders[1] / "b.md").read_bytes()) == (RAW, b"other")


def test_other_bytes_than_expected_stay_where_they_are(folders: tuple[Path, Path, int, int]) -> None:
    with pytest.raises(FileMoved):
        moved(folders, b"# Another\n")
    (folders[0] / "a.md").unlink()
    with pytest.raises(FileMoved):
        moved(folders)
    assert list(folders[1].iterdir()) == []


def test_taking_back_touches_nothing_that_came_since(folders: tuple[Path, Path, int, int]) -> None:
    change = moved(folders)
    (folders[0] / "a.md").write_bytes(b"new")
    change.undo()
    assert ((folders[0] / "a.md").read_bytes(), (folders[1] / "b.md").read_bytes()) == (b"new", RAW)
