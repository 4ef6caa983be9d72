"""What the files in the runbook folders were when they were last read, so that unchanged ones need not be opened again.
Derived: a cache that is lost, damaged or of another folder costs one reading of every file and nothing else."""

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path

from kb.folder_scan import FileStamp

# A file changed within its clock's last tick before it was read may have changed again in that same tick. Two seconds
# is the coarsest clock of a file system in use (FAT); Git guards its index against the same race.
_RACY_NS = 2_000_000_000
_FORMAT = 1


class ScanCache:
    """Digests by path and stamp. Not safe to share between threads; `file` None keeps it in memory only."""

    def __init__(self, root: Path, file: Path | None) -> None:
        self._root = os.path.realpath(root)
        self._file = file
        self._known: dict[str, tuple[FileStamp, str, int]] = {}
        self._dirty = False
        if file is not None:
            self._load(file)

    def find_digest(self, path: str, stamp: FileStamp) -> str | None:
        """The SHA-256 a file of that stamp surely still has; None when it has to be read to know."""
        known = self._known.get(path)
        if known is None or known[0] != stamp or max(stamp.mtime_ns, stamp.ctime_ns) > known[2] - _RACY_NS:
            return None
        return known[1]

    def remember(self, path: str, stamp: FileStamp, sha256: str, *, read_at_ns: int) -> None:
        """A file of that stamp had that digest; `read_at_ns` is the time just before it was opened."""
        self._known[path] = (stamp, sha256, read_at_ns)
        self._dirty = True

    def forget_others(self, paths: frozenset[str]) -> None:
        """Keep only what is known of `paths`."""
        gone = self._known.keys() - paths
        for path in gone:
            del self._known[path]
        self._dirty = self._dirty or bool(gone)

    def save(self) -> None:
        """Write the cache if it changed. Not synced, and a refusal is no harm: it is only a cache."""
        if self._file is None or not self._dirty:
            return
        known = {path: [*astuple(stamp), sha, at] for path, (stamp, sha, at) in self._known.items()}
        body = json.dumps({"format": _FORMAT, "root": self._root, "files": known}, separators=(",", ":")).encode()
        temp = self._file.with_name(f"{self._file.name}.{os.getpid()}.new")
        with suppress(OSError):
            temp.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
            os.replace(temp, self._file)
            self._dirty = False

    def _load(self, file: Path) -> None:
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError, IndexError):
            digest, _, body = file.read_bytes().partition(b"\n")
            if hashlib.sha256(body).hexdigest().encode() != digest:
                return
            stored = json.loads(body)
            if stored["format"] == _FORMAT and stored["root"] == self._root:
                self._known = {
                    path: (FileStamp(*entry[:4]), entry[4], entry[5]) for path, entry in stored["files"].items()
                }
