"""One file replaced, created or removed: the order of steps, taking a change back, and others who write meanwhile."""

import errno
import os
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from kb import file_change
from kb.exchange import exchange_names
from kb.file_change import FileMoved, create_file, remove_file, replace_file

OLD, NEW = b"old text\n", b"new text, and longer\n"


def digest(raw: bytes) -> str:
    return sha256(raw).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    handle = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield handle
    os.close(handle)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.md"
    path.write_bytes(OLD)
    return path


def names(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in tmp_path.iterdir())


def replaced(folder: int) -> object:
    return replace_file(folder, "a.md", NEW, expected_sha256=digest(OLD), temp_id="t")


class TestReplace:
    def test_the_new_bytes_are_there_and_nothing_else(self, folder: int, file: Path, tmp_path: Path) -> None:
        replace_file(folder, "a.md", NEW, expected_sha256=digest(OLD), temp_id="t").keep()
        assert file.read_bytes() == NEW
        assert names(tmp_path) == ["a.md"]

    def test_permissions_stay(self, folder: int, file: Path) -> None:
        file.chmod(0o640)
        replace_file(folder, "a.md", NEW, expected_sha256=digest(OLD), temp_id="t").keep()
        assert file.stat().st_mode & 0o777 == 0o640

    def test_undoing_puts_the_old_file_back_itself(self, folder: int, file: Path, tmp_path: Path) -> None:
        inode = file.stat().st_ino
        replace_file(folder, "a.md", NEW, expected_sha256=digest(OLD), temp_id="t").undo()
        assert (file.read_bytes(), file.stat().st_ino) == (OLD, inode)
        assert names(tmp_path) == ["a.md"]

    def test_undoing_leaves_what_somebody_else_wrote_since(self, folder: int, file: Path, tmp_path: Path) -> None:
        change = replace_file(folder, "a.md", NEW, expected_sha256=digest(OLD), temp_id="t")
        (tmp_path / "other").write_bytes(b"from an editor")
        (tmp_path / "other").rename(file)
        change.undo()
        assert file.read_bytes() == b"from an editor"
        assert names(tmp_path) == ["a.md"]

    def test_other_bytes_than_expected_are_never_replaced(self, folder: int, file: Path, tmp_path: Path) -> None:
        with pytest.raises(FileMoved) as caught:
            replace_file(folder, "a.md", NEW, expected_sha256=digest(b"something else"), temp_id="t")
        assert caught.value.sha256 == digest(OLD)
        assert file.read_bytes() == OLD
        assert names(tmp_path) == ["a.md"]

    def test_a_file_that_is_gone_is_not_brought_back(self, folder: int, tmp_path: Path) -> None:
        with pytest.raises(FileMoved):
            replace_file(folder, "a.md", NEW, expected_sha256=digest(OLD), temp_id="t")
        assert names(tmp_path) == []

    def test_a_link_is_not_written_through(self, folder: int, file: Path, tmp_path: Path) -> None:
        (tmp_path / "link.md").symlink_to("a.md")
        with pytest.raises(OSError, match="symbolic links"):
            replace_file(folder, "link.md", NEW, expected_sha256=digest(OLD), temp_id="t")
        assert file.read_bytes() == OLD

    def test_a_pipe_is_not_waited_for(self, folder: int, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.md")
        with pytest.raises(FileMoved):
            replace_file(folder, "pipe.md", NEW, expected_sha256=digest(b""), temp_id="t")

    def test_bytes_written_into_the_old_file_meanwhile_are_handed_over(
        self, folder: int, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with file.open("r+b", buffering=0) as editor:
            before_last_step(monkeypatch, lambda: editor.write(b"typed at the same moment\n"))
            change = replace_file(folder, "a.md", NEW, expected_sha256=digest(OLD), temp_id="t")
        assert change.displaced == b"typed at the same moment\n"
        assert file.read_bytes() == NEW

    def test_a_file_saved_by_renaming_in_the_last_moment_is_handed_over(
        self, folder: int, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "other").write_bytes(b"from an editor")
        before_last_step(monkeypatch, lambda: (tmp_path / "other").rename(file))
        change = replace_file(folder, "a.md", NEW, expected_sha256=digest(OLD), temp_id="t")
        assert change.displaced == b"from an editor"
        assert file.read_bytes() == NEW
        change.undo()
        assert file.read_bytes() == b"from an editor"
        assert names(tmp_path) == ["a.md"]

    def test_a_file_removed_in_the_last_moment_is_not_brought_back(
        self, folder: int, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before_last_step(monkeypatch, file.unlink)
        with pytest.raises(FileMoved):
            replaced(folder)
        assert names(tmp_path) == []


@pytest.fixture
def no_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that knows no exchange of names, such as NFS."""
    monkeypatch.setattr(file_change, "exchange_names", lambda folder, one, other: False)


@pytest.mark.usefixtures("no_exchange")
class TestReplaceWithoutExchange:
    def test_it_works_and_can_be_undone(self, folder: int, file: Path, tmp_path: Path) -> None:
        inode = file.stat().st_ino
        change = replace_file(folder, "a.md", NEW, expected_sha256=digest(OLD), temp_id="t")
        assert file.read_bytes() == NEW
        change.undo()
        assert (file.read_bytes(), file.stat().st_ino) == (OLD, inode)
        replace_file(folder, "a.md", NEW, expected_sha256=digest(OLD), temp_id="u").keep()
        assert names(tmp_path) == ["a.md"]

    def test_it_works_without_second_names_too(
        self, folder: int, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "link", _refused(errno.EPERM))
        change = replace_file(folder, "a.md", NEW, expected_sha256=digest(OLD), temp_id="t")
        assert file.read_bytes() == NEW
        change.undo()
        assert file.read_bytes() == OLD
        assert names(tmp_path) == ["a.md"]

    def test_a_file_swapped_before_it_got_its_second_name_is_not_lost(
        self, folder: int, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        really_link = os.link

        def while_linking(*args: object, **kwargs: object) -> None:
            (tmp_path / "other").write_bytes(b"from an editor")
            (tmp_path / "other").rename(file)
            really_link(*args, **kwargs)  # type: ignore[arg-type]  # passes on what it was given

        monkeypatch.setattr(os, "link", while_linking)
        with pytest.raises(FileMoved):
            replaced(folder)
        assert file.read_bytes() == b"from an editor"
        assert names(tmp_path) == ["a.md"]

    @pytest.mark.parametrize("call", ["link", "replace"])
    def test_a_step_that_the_disk_refuses_leaves_the_old_file_and_no_other(
        self, call: str, folder: int, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, call, _refused(errno.EIO))
        with pytest.raises(OSError, match="Input/output"):
            replaced(folder)
        monkeypatch.undo()
        assert names(tmp_path) == ["a.md"]
        assert file.read_bytes() == OLD

    def test_the_new_bytes_are_on_stable_storage_before_the_name_leads_to_them(
        self, folder: int, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        steps: list[str] = []
        for name in ("write", "fsync", "link", "replace"):
            monkeypatch.setattr(os, name, _noted(steps, name, getattr(os, name)))
        replace_file(folder, "a.md", NEW, expected_sha256=digest(OLD), temp_id="t").keep()
        assert steps == ["write", "fsync", "link", "replace", "fsync"]


def before_last_step(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Have somebody do something right before the new file takes the name."""

    def exchange(folder: int, one: str, other: str) -> bool:
        act()
        return exchange_names(folder, one, other)

    monkeypatch.setattr(file_change, "exchange_names", exchange)


class TestCreate:
    def test_a_new_file_is_there_whole(self, folder: int, tmp_path: Path) -> None:
        create_file(folder, "b.md", NEW, temp_id="t").keep()
        assert (tmp_path / "b.md").read_bytes() == NEW
        assert names(tmp_path) == ["b.md"]

    def test_a_name_that_is_taken_stays_with_who_took_it(self, folder: int, file: Path, tmp_path: Path) -> None:
        with pytest.raises(FileExistsError):
            create_file(folder, "a.md", NEW, temp_id="t")
        assert file.read_bytes() == OLD
        assert names(tmp_path) == ["a.md"]

    def test_a_name_taken_by_a_link_that_leads_nowhere_is_taken(self, folder: int, tmp_path: Path) -> None:
        (tmp_path / "b.md").symlink_to("/nowhere/at/all")
        with pytest.raises(FileExistsError):
            create_file(folder, "b.md", NEW, temp_id="t")

    def test_undoing_takes_the_file_away(self, folder: int, tmp_path: Path) -> None:
        create_file(folder, "b.md", NEW, temp_id="t").undo()
        assert names(tmp_path) == []

    def test_without_second_names_it_works_and_takes_no_name_twice(
        self, folder: int, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "link", _refused(errno.EPERM))
        create_file(folder, "b.md", NEW, temp_id="t").keep()
        with pytest.raises(FileExistsError):
            create_file(folder, "a.md", NEW, temp_id="t")
        assert names(tmp_path) == ["a.md", "b.md"]
        assert file.read_bytes() == OLD


class TestRemove:
    def test_the_file_is_gone(self, folder: int, file: Path, tmp_path: Path) -> None:
        remove_file(folder, "a.md", expected_sha256=digest(OLD), temp_id="t").keep()
        assert names(tmp_path) == []

    def test_undoing_brings_it_back(self, folder: int, file: Path, tmp_path: Path) -> None:
        remove_file(folder, "a.md", expected_sha256=digest(OLD), temp_id="t").undo()
        assert file.read_bytes() == OLD
        assert names(tmp_path) == ["a.md"]

    def test_undoing_leaves_what_somebody_else_wrote_since(self, folder: int, file: Path, tmp_path: Path) -> None:
        change = remove_file(folder, "a.md", expected_sha256=digest(OLD), temp_id="t")
        file.write_bytes(b"from an editor")
        change.undo()
        assert file.read_bytes() == b"from an editor"
        assert names(tmp_path) == ["a.md"]

    def test_other_bytes_than_expected_are_never_removed(self, folder: int, file: Path, tmp_path: Path) -> None:
        with pytest.raises(FileMoved):
            remove_file(folder, "a.md", expected_sha256=digest(NEW), temp_id="t")
        assert file.read_bytes() == OLD
        assert names(tmp_path) == ["a.md"]


def _refused(code: int) -> Callable[..., None]:
    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(code, os.strerror(code))

    return refuse


ACTS: dict[str, Callable[[int], object]] = {
    "replace": replaced,
    "create": lambda folder: create_file(folder, "b.md", NEW, temp_id="t"),
    "remove": lambda folder: remove_file(folder, "a.md", expected_sha256=digest(OLD), temp_id="t"),
}


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS])
@pytest.mark.parametrize(
    ("act", "call"),
    [
        ("replace", "open"),
        ("replace", "write"),
        ("replace", "fsync"),
        ("create", "open"),
        ("create", "write"),
        ("create", "fsync"),
        ("create", "link"),
        ("remove", "open"),
        ("remove", "rename"),
        ("remove", "fsync"),
    ],
)
def test_a_step_that_the_disk_refuses_leaves_the_old_file_and_no_other(
    act: str, call: str, code: int, folder: int, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, call, _refused(code))
    with pytest.raises(OSError, match=os.strerror(code)):
        ACTS[act](folder)
    monkeypatch.undo()
    assert names(tmp_path) == ["a.md"]
    assert file.read_bytes() == OLD


@pytest.mark.parametrize("act", ["replace", "create"])
def test_a_folder_that_cannot_be_synced_takes_the_change_back(
    act: str, folder: int, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_fsync, calls = os.fsync, []

    def second_fails(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 2:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        really_fsync(handle)

    monkeypatch.setattr(os, "fsync", second_fails)
    with pytest.raises(OSError, match="Input/output"):
        ACTS[act](folder)
    assert names(tmp_path) == ["a.md"]
    assert file.read_bytes() == OLD


def test_the_new_bytes_are_on_stable_storage_before_the_name_leads_to_them(
    folder: int, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    for name in ("write", "fsync"):
        monkeypatch.setattr(os, name, _noted(steps, name, getattr(os, name)))
    monkeypatch.setattr(file_change, "exchange_names", _noted(steps, "exchange", exchange_names))
    replace_file(folder, "a.md", NEW, expected_sha256=digest(OLD), temp_id="t").keep()
    assert steps == ["write", "fsync", "exchange", "fsync"]


def _noted(steps: list[str], name: str, call: Callable[..., object]) -> Callable[..., object]:
    def noted(*args: object, **kwargs: object) -> object:
        steps.append(name)
        return call(*args, **kwargs)

    return noted
