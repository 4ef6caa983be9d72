"""Two names of one folder exchanged in one step, which Python's standard library does not offer: whatever was under a
name at that moment is under the other one afterwards, so nothing that others write in between is ever lost."""

import ctypes
import errno
import os

_RENAME_EXCHANGE = 2  # linux/fs.h
_UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM})


def exchange_names(folder: int, one: str | bytes, other: str | bytes) -> bool:
    """Exchange the files of two names. False, with nothing done, where the system or the file system cannot.

    Raises `OSError` for everything else, `FileNotFoundError` when one of them is not there.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    renameat2 = getattr(libc, "renameat2", None)
    if renameat2 is None:
        return False
    ctypes.set_errno(0)
    if renameat2(folder, os.fsencode(one), folder, os.fsencode(other), ctypes.c_uint(_RENAME_EXCHANGE)) == 0:
        return True
    code = ctypes.get_errno()
    if code in _UNSUPPORTED:
        return False
    raise OSError(code, os.strerror(code), other)
