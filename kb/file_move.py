"""One file moved to another folder in one step: a crash leaves it at its old path or at its new one, never at both or
at none. Nothing that is at the new path is ever lost."""

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass, field

from kb.exchange import move_name
from kb.file_change import READ_FLAGS, FileMoved, FileName, read_all


@dataclass(slots=True)
class FileMove:
    """A move that is on disk. Call `keep` once it is recorded, or `undo` to move the file back."""

    folder: int  # descriptors of the two folders; owned by this value and closed at the end
    name: FileName
    new_folder: int
    new_name: FileName
    inode: int
    _closed: bool = field(default=False, repr=False)

    def keep(self) -> None:
        """Let go of the folders."""
        if not self._closed:
            self._closed = True
            os.close(self.folder)
            os.close(self.new_folder)

    def undo(self) -> None:
        """Move the file back, unless somebody has put another one in either place since."""
        try:
            with suppress(FileNotFoundError, FileExistsError):
                if os.stat(self.new_name, dir_fd=self.new_folder, follow_symlinks=False).st_ino == self.inode:
                    move_name(self.new_folder, self.new_name, self.folder, self.name)
                    _sync(self.folder, self.new_folder)
        finally:
            self.keep()


def move_file(folder: int, name: FileName, to: int, new_name: FileName, *, expected_sha256: str) -> FileMove:
    """Move a file whose bytes have the expected digest. Raises `FileMoved`, `FileExistsError`, or `OSError`.

    Returns after both folders are on stable storage. The descriptors are duplicated, not taken.
    """
    try:
        handle = os.open(name, READ_FLAGS, dir_fd=folder)
    except FileNotFoundError:
        raise FileMoved(None) from None
    try:
        found = hashlib.sha256(read_all(handle)).hexdigest()
        inode = os.fstat(handle).st_ino
    finally:
        os.close(handle)
    if found != expected_sha256:
        raise FileMoved(found)
    try:
        move_name(folder, name, to, new_name)
    except FileNotFoundError:
        raise FileMoved(None) from None
    change = FileMove(os.dup(folder), name, os.dup(to), new_name, inode)
    try:
        if os.stat(new_name, dir_fd=to, follow_symlinks=False).st_ino != inode:
            raise FileMoved(None)  # an editor replaced the file in the last moment: it goes back where it was
        _sync(to, folder)
    except BaseException:
        change.inode = os.stat(new_name, dir_fd=to, follow_symlinks=False).st_ino
        change.undo()
        raise
    return change


def _sync(*folders: int) -> None:
    for folder in folders:
        os.fsync(folder)
