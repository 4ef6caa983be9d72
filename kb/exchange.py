"""Names of files exchanged or moved in one step, as Python's standard library does not offer it: nothing that others
write in between is ever lost."""

import ctypes
import errno
import os

_RENAME_NOREPLACE = 1  # linux/fs.h
_RENAME_EXCHANGE = 2
_UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM})


def exchange_names(folder: int, one: str | bytes, other: str | bytes) -> bool:
    """Exchange the files of two names: whatever was under one at that moment is under the other afterwards. False, with
    nothing done, where the system or the file system cannot.

    Raises `OSError` for everything else, `FileNotFoundError` when one of them is not there.
    """
    return _rename(folder, one, folder, other, _RENAME_EXCHANGE)


def move_name(folder: int, name: str | bytes, to: int, new_name: str | bytes) -> None:
    """Move a file to a name that nothing has. Raises `FileExistsError`, `FileNotFoundError` and other `OSError`.

    Where the system cannot do so in one step, a file that appears there in the very last microseconds is replaced.
    """
    if _rename(folder, name, to, new_name, _RENAME_NOREPLACE):
        return
    try:
        os.stat(new_name, dir_fd=to, follow_symlinks=False)
    except FileNotFoundError:
        os.rename(name, new_name, src_dir_fd=folder, dst_dir_fd=to)
        return
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new_name)


def _rename(folder: int, one: str | bytes, to: int, other: str | bytes, flag: int) -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    renameat2 = getattr(libc, "renameat2", None)
    if renameat2 is None:
        return False
    ctypes.set_errno(0)
    if renameat2(folder, os.fsencode(one), to, os.fsencode(other), ctypes.c_uint(flag)) == 0:
        return True
    code = ctypes.get_errno()
    if code in _UNSUPPORTED:
        return False
    raise OSError(code, os.strerror(code), other)
