"""The runbook folders: which files are runbooks, what is in them, and how one is changed without losing anything.

Paths are POSIX style and relative to the folder's root; a path becomes a file only step by step from the open root,
never through a link that leads out. What a file says is none of this module's business, nor are versions.
"""

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kb.errors import StorageFull, StorageUnavailable
from kb.file_change import READ_FLAGS, TEMP_PREFIX, FileChange, create_file, read_all, remove_file, replace_file
from kb.file_move import FileMove, move_file
from kb.file_names import to_os
from kb.folder_scan import FOLDER_FLAGS, FileStamp, Scan, scan_folder
from kb.problems import file_problem
from kb.runbook import Problem
from kb.runbook_store import MAX_FILE_BYTES


@dataclass(frozen=True, slots=True)
class FileText:
    """The bytes of one file, all read from the same state of it."""

    raw: bytes
    sha256: str
    stamp: FileStamp


class Directory:
    """The folder tree under `root`. `new_id` names temporary files: unique, letters and digits only."""

    def __init__(self, root: Path, *, new_id: Callable[[], str], max_file_bytes: int = MAX_FILE_BYTES) -> None:
        self.root = root
        self._new_id = new_id
        self._max_file_bytes = max_file_bytes

    def scan(self) -> Scan:
        """All runbook files with their stamps. Opens folders, no files. Raises `StorageUnavailable` without a root."""
        with self._translated(""):
            return scan_folder(self.root, self._max_file_bytes)

    def stamp(self, path: str) -> FileStamp | None:
        """Size, times and inode of a runbook file, None when there is none."""
        try:
            with self._parent(path) as (folder, name):
                found = os.stat(name, dir_fd=folder, follow_symlinks=False)
                if stat.S_ISLNK(found.st_mode):
                    found = os.stat(name, dir_fd=folder)
        except OSError:
            return None
        return FileStamp.of(found) if stat.S_ISREG(found.st_mode) else None

    def find(self, path: str) -> FileText | Problem | None:
        """What a file holds; None when it is not there, a problem when it is there and cannot be used."""
        try:
            with self._parent(path) as (folder, name):
                return self._find_in(folder, name, path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno == errno.ELOOP:
                return self._find_behind_link(path)
            return _unreadable(path, error)

    def replace(self, path: str, raw: bytes, *, expected_sha256: str) -> FileChange:
        """Put `raw` where bytes of the expected digest are. Raises `FileMoved`, or `StorageUnavailable`."""
        with self._translated(path), self._parent(path) as (folder, name):
            return replace_file(folder, name, raw, expected_sha256=expected_sha256, temp_id=self._new_id())

    def create(self, path: str, raw: bytes) -> FileChange:
        """Write a new file and the folders to it. Raises `FileExistsError`, or `StorageUnavailable`."""
        with self._translated(path), self._parent(path, make=True) as (folder, name):
            return create_file(folder, name, raw, temp_id=self._new_id())

    def remove(self, path: str, *, expected_sha256: str) -> FileChange:
        """Take away a file whose bytes have that digest. Raises `FileMoved`, or `StorageUnavailable`."""
        with self._translated(path), self._parent(path) as (folder, name):
            return remove_file(folder, name, expected_sha256=expected_sha256, temp_id=self._new_id())

    def move(self, path: str, new_path: str, *, expected_sha256: str) -> FileMove:
        """Give a file whose bytes have that digest another path, where nothing is.

        Raises `FileMoved`, `FileExistsError`, or `StorageUnavailable`.
        """
        with (
            self._translated(path),
            self._parent(path) as (folder, name),
            self._parent(new_path, make=True) as (to, new_name),
        ):
            return move_file(folder, name, to, new_name, expected_sha256=expected_sha256)

    def remove_leftovers(self, paths: tuple[str, ...]) -> None:
        """Delete temporary files that a crash left. Only to be called while no writer can be at work."""
        for path in paths:
            with self._translated(path), suppress(FileNotFoundError), self._parent(path) as (folder, name):
                if name.startswith(to_os(TEMP_PREFIX)):
                    os.unlink(name, dir_fd=folder)

    def is_link(self, path: str) -> bool:
        """Whether the file is a symbolic link: maintained elsewhere, so it is read and not written."""
        try:
            with self._parent(path) as (folder, name):
                return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
        except OSError:
            return False

    def _find_in(self, folder: int, name: bytes, path: str) -> FileText | Problem:
        handle = os.open(name, READ_FLAGS, dir_fd=folder)
        try:
            before = os.fstat(handle)
            if not stat.S_ISREG(before.st_mode):
                return file_problem("not-a-file", path)
            if before.st_size > self._max_file_bytes:
                return file_problem("too-large", path, size_bytes=before.st_size, limit_bytes=self._max_file_bytes)
            raw = read_all(handle, limit=before.st_size + 1)  # a byte more shows that it grew
            after = os.fstat(handle)
        finally:
            os.close(handle)
        if FileStamp.of(before) != FileStamp.of(after) or len(raw) != after.st_size:
            return file_problem("still-written", path)
        return FileText(raw, hashlib.sha256(raw).hexdigest(), FileStamp.of(after))

    def _find_behind_link(self, path: str) -> FileText | Problem | None:
        try:
            root = os.path.realpath(os.fsencode(self.root))
            target = os.path.realpath(os.path.join(root, to_os(path)))
            if os.path.commonpath([root, target]) != root:
                return file_problem("link-outside", path)
            inside = os.path.relpath(target, root).decode("utf-8", "surrogateescape")
            with self._parent(inside) as (folder, name):
                return self._find_in(folder, name, path)
        except (FileNotFoundError, NotADirectoryError):
            return file_problem("link-broken", path)
        except OSError as error:
            return _unreadable(path, error)

    @contextmanager
    def _parent(self, path: str, *, make: bool = False) -> Iterator[tuple[int, bytes]]:
        """The open folder that holds `path`, and the name in it. No component may be a link."""
        parts = PurePosixPath(path).parts
        if not parts or path.startswith("/") or ".." in parts or "\x00" in path:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        folder = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in parts[:-1]:
                inner = _open_folder(folder, to_os(part), make=make)
                os.close(folder)
                folder = inner
            yield folder, to_os(parts[-1])
        finally:
            os.close(folder)

    @contextmanager
    def _translated(self, path: str) -> Iterator[None]:
        try:
            yield
        except FileExistsError:
            raise
        except OSError as error:
            raise storage_error(error, str(self.root / path)) from error


def storage_error(error: OSError, where: str) -> StorageUnavailable:
    """What an operating system's refusal means to somebody who wanted to read or write `where`."""
    what = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull(f"No room left to write {where}: {what}.", advice="Free some space and try again.")
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return StorageUnavailable(
            f"{where} cannot be written: {what}.",
            advice="Give sre-kb write access to the runbooks folder, or edit where the files are maintained.",
        )
    if error.errno == errno.ENOENT:
        return StorageUnavailable(
            f"{where} is not there.", advice="Create the folder, mount it, or set SRE_KB_RUNBOOKS_DIR to the right one."
        )
    return StorageUnavailable(
        f"{where} cannot be used: {what}.", advice="Look at the disk and the folder's permissions."
    )


def _unreadable(path: str, error: OSError) -> Problem:
    return file_problem("unreadable", path, reason=error.strerror or str(error))


def _open_folder(parent: int, name: bytes, *, make: bool) -> int:
    try:
        return os.open(name, FOLDER_FLAGS, dir_fd=parent)
    except FileNotFoundError:
        if not make:
            raise
    try:
        os.mkdir(name, 0o777, dir_fd=parent)
        os.fsync(parent)
    except FileExistsError:
        pass  # somebody else made it in this moment
    return os.open(name, FOLDER_FLAGS, dir_fd=parent)
