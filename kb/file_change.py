"""One file replaced, created or removed so that a crash at any moment leaves the old bytes or the new ones, and so that
the change can be taken back until the database has recorded it.

All names are relative to an open folder: nobody can swap the folder for a link half-way.
"""

import errno
import hashlib
import os
import stat
from contextlib import suppress
from dataclasses import dataclass, field

from kb.exchange import exchange_names

TEMP_PREFIX = ".sre-kb-"  # hidden, so that editors, watchers and Git leave it alone
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS})
READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


FileName = str | bytes  # bytes where it may have letters beyond ASCII: a locale must not decide what they are


class FileMoved(Exception):
    """The file does not hold the expected bytes; nothing was changed. `sha256` is None when it is gone."""

    def __init__(self, sha256: str | None) -> None:
        super().__init__(sha256)
        self.sha256 = sha256


@dataclass(slots=True)
class FileChange:
    """A change that is on disk. Call `keep` once it is recorded, or `undo` to put back what was there.

    `displaced` holds bytes that somebody wrote into the old file while it was being replaced: they are on disk no more,
    and whoever asked for the change should record them.
    """

    folder: int  # descriptor of the folder; owned by this value and closed at the end
    name: FileName
    inode: int | None  # of the new file; None after a removal
    saved_name: str | None = None  # a second name of the old file
    saved_raw: bytes | None = None  # the old bytes, where the file system has no second names
    displaced: bytes | None = None
    _closed: bool = field(default=False, repr=False)

    def keep(self) -> None:
        """Let go of the old file."""
        if self.saved_name is not None:
            with suppress(FileNotFoundError):
                os.unlink(self.saved_name, dir_fd=self.folder)
        self._close()

    def undo(self) -> None:
        """Put back what was there, unless somebody else has written a file of that name since."""
        try:
            if self._is_ours():
                self._put_back()
        finally:
            self.keep()

    def _put_back(self) -> None:
        if self.saved_raw is not None:
            self.saved_name = write_temp(self.folder, self.saved_raw, mode=None, temp_id=f"undo-{self.inode}")
        if self.saved_name is not None:
            with suppress(FileNotFoundError):  # somebody has tidied up: what is there stays, and the next sync tells
                os.replace(self.saved_name, self.name, src_dir_fd=self.folder, dst_dir_fd=self.folder)
        else:
            os.unlink(self.name, dir_fd=self.folder)
        with suppress(OSError):  # the old name is back; a disk that cannot even sync is for the next write to report
            os.fsync(self.folder)

    def _is_ours(self) -> bool:
        try:
            there = os.stat(self.name, dir_fd=self.folder, follow_symlinks=False)
        except FileNotFoundError:
            return self.inode is None
        return there.st_ino == self.inode

    def _close(self) -> None:
        if not self._closed:
            self._closed = True
            os.close(self.folder)


def replace_file(folder: int, name: FileName, raw: bytes, *, expected_sha256: str, temp_id: str) -> FileChange:
    """Put `raw` in the place of a file whose bytes have the expected digest. Raises `FileMoved`, or `OSError`.

    Returns after the new file and the folder are on stable storage. `folder` is duplicated, not taken.
    """
    old = _open_old(folder, name)
    try:
        before = os.fstat(old)
        was = _check_digest(old, expected_sha256)
        temp = write_temp(folder, raw, mode=stat.S_IMODE(before.st_mode), temp_id=temp_id)
        try:
            inode = os.stat(temp, dir_fd=folder, follow_symlinks=False).st_ino
            saved: str | None = temp
            if not exchange_names(folder, temp, name):
                saved = _replace_by_rename(folder, temp, name, before.st_ino, saved=f"{TEMP_PREFIX}{temp_id}.old")
        except FileNotFoundError:
            _remove_quietly(folder, temp)
            raise FileMoved(None) from None
        except BaseException:
            _remove_quietly(folder, temp)
            raise
        change = FileChange(os.dup(folder), name, inode, saved_name=saved, saved_raw=None if saved else was)
        change.displaced = _displaced(change, old, before)
        return _settled(change)
    finally:
        os.close(old)


def _replace_by_rename(folder: int, temp: str, name: FileName, inode: int, *, saved: str) -> str | None:
    """The way without exchange, which cannot see a file that others put there in the very last microseconds.

    Returns the old file's second name, None where there are no such names.
    """
    try:
        has_second = _second_name(folder, name, saved)
        if os.stat(saved if has_second else name, dir_fd=folder, follow_symlinks=False).st_ino != inode:
            raise FileMoved(None)
        os.replace(temp, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        _remove_quietly(folder, saved)
        raise
    return saved if has_second else None


def create_file(folder: int, name: FileName, raw: bytes, *, temp_id: str) -> FileChange:
    """Write a new file. Raises `FileExistsError` when the name is taken, whoever took it first; or `OSError`."""
    temp = write_temp(folder, raw, mode=None, temp_id=temp_id)
    try:
        inode = os.stat(temp, dir_fd=folder, follow_symlinks=False).st_ino
        if not _second_name(folder, temp, name):
            if _is_taken(folder, name):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name)
            os.rename(temp, name, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        _remove_quietly(folder, temp)
    return _settled(FileChange(os.dup(folder), name, inode))


def remove_file(folder: int, name: FileName, *, expected_sha256: str, temp_id: str) -> FileChange:
    """Take away a file whose bytes have the expected digest. Raises `FileMoved`, or `OSError`."""
    saved = f"{TEMP_PREFIX}{temp_id}.old"
    old = _open_old(folder, name)
    try:
        _check_digest(old, expected_sha256)
        os.rename(name, saved, src_dir_fd=folder, dst_dir_fd=folder)
        change = FileChange(os.dup(folder), name, None, saved_name=saved)
        try:
            if os.stat(saved, dir_fd=folder, follow_symlinks=False).st_ino != os.fstat(old).st_ino:
                raise FileMoved(None)
            _check_digest(old, expected_sha256)
        except BaseException:
            change.undo()
            raise
        return _settled(change)
    finally:
        os.close(old)


def write_temp(folder: int, raw: bytes, *, mode: int | None, temp_id: str) -> str:
    """A new hidden file that holds `raw`, on stable storage; its name. `mode` None means what the umask leaves."""
    temp = f"{TEMP_PREFIX}{temp_id}.new"
    handle = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666, dir_fd=folder)
    try:
        try:
            rest = memoryview(raw)
            while rest:
                rest = rest[os.write(handle, rest) :]
            if mode is not None:
                os.fchmod(handle, mode)
            os.fsync(handle)
        finally:
            os.close(handle)
    except BaseException:
        _remove_quietly(folder, temp)
        raise
    return temp


def read_all(handle: int, *, limit: int | None = None) -> bytes:
    """What an open file holds from its start, at most `limit` bytes."""
    os.lseek(handle, 0, os.SEEK_SET)
    parts: list[bytes] = []
    room = limit
    while room is None or room > 0:
        part = os.read(handle, 1 << 20 if room is None else min(room, 1 << 20))
        if not part:
            break
        parts.append(part)
        room = None if room is None else room - len(part)
    return b"".join(parts)


def _open_old(folder: int, name: FileName) -> int:
    try:
        handle = os.open(name, READ_FLAGS, dir_fd=folder)
    except FileNotFoundError:
        raise FileMoved(None) from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise FileMoved(None)
    return handle


def _check_digest(handle: int, expected_sha256: str) -> bytes:
    raw = read_all(handle)
    found = hashlib.sha256(raw).hexdigest()
    if found != expected_sha256:
        raise FileMoved(found)
    return raw


def _settled(change: FileChange) -> FileChange:
    """`change` once the folder is on stable storage; taken back when it cannot be."""
    try:
        os.fsync(change.folder)
    except OSError:
        change.undo()
        raise
    return change


def _second_name(folder: int, name: FileName, second: FileName) -> bool:
    """Give a file a second name; False where the file system has no such thing."""
    try:
        os.link(name, second, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno in _NO_LINKS:
            return False
        raise
    return True


def _is_taken(folder: int, name: FileName) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _displaced(change: FileChange, old: int, before: os.stat_result) -> bytes | None:
    """Bytes that took the place of the expected ones in the last moment: in the same file, or in another one."""
    if change.saved_name is not None:
        saved = os.stat(change.saved_name, dir_fd=change.folder, follow_symlinks=False)
        if saved.st_ino != before.st_ino:
            return _read_regular(change.folder, change.saved_name)
    after = os.fstat(old)
    if (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns):
        return None
    return read_all(old)


def _read_regular(folder: int, name: str) -> bytes | None:
    try:
        handle = os.open(name, READ_FLAGS, dir_fd=folder)
    except OSError:  # a link: there is nothing in it to keep
        return None
    try:
        return read_all(handle) if stat.S_ISREG(os.fstat(handle).st_mode) else None
    finally:
        os.close(handle)


def _remove_quietly(folder: int, *names: str | None) -> None:
    for name in names:
        if name is not None:
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)
