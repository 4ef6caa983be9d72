"""Names of files between this program, where they are UTF-8 text, and the operating system, whatever locale it runs in.
A name that is not UTF-8 keeps its odd bytes as lone surrogates, so that it can be told and opened all the same."""

import os
import sys

_IS_UTF8 = sys.getfilesystemencoding() == "utf-8"  # what Python itself uses for names; fixed when it starts


def to_os(path: str) -> bytes:
    """The bytes the operating system has for a name or path."""
    return path.encode("utf-8", "surrogateescape")


def from_os(name: str) -> str:
    """A name as Python gave it, as text of ours: under a locale without UTF-8 the two differ."""
    return name if _IS_UTF8 else os.fsencode(name).decode("utf-8", "surrogateescape")
