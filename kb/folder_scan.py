"""One look over the runbook folders: which files are runbooks by name and kind, without opening any of them."""

import os
import stat
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from kb.file_change import TEMP_PREFIX
from kb.file_names import from_os, to_os
from kb.identity import twin_key
from kb.problems import file_problem
from kb.runbook import Problem

SUFFIXES = (".md", ".markdown")
RESERVED_FOLDERS = frozenset({"cache", "backups"})  # at the top: what tools write there is no runbook
MAX_PATH_CHARS = 512
MAX_DEPTH = 32

FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class FileStamp:
    """What changes when a file's bytes do, as far as the file system tells. Times are nanoseconds since 1970."""

    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, found: os.stat_result) -> "FileStamp":
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


@dataclass(frozen=True, slots=True)
class Scan:
    """What one look found. `held` are paths of files or folders that are there and could not be looked at: nothing at
    or under them is to be taken for removed. `leftovers` are temporary files of ours."""

    files: Mapping[str, FileStamp]
    problems: tuple[Problem, ...]
    held: frozenset[str]
    leftovers: tuple[str, ...]


@dataclass(slots=True)
class _Findings:
    files: dict[str, FileStamp] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    leftovers: list[str] = field(default_factory=list)

    def hold(self, code: str, path: str, **fields: str | int) -> None:
        self.problems.append(file_problem(code, path, **fields))
        self.held.add(path)


def scan_folder(root: Path, max_file_bytes: int) -> Scan:
    """Look over everything under `root`. Raises `OSError` when the root itself cannot be read."""
    findings = _Findings()
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _look(folder, "", 0, os.path.realpath(os.fsencode(root)), max_file_bytes, findings)
    finally:
        os.close(folder)
    findings.problems.extend(_twins(findings.files))
    return Scan(
        dict(sorted(findings.files.items())),
        tuple(findings.problems),
        frozenset(findings.held),
        tuple(findings.leftovers),
    )


def is_held(path: str, held: Set[str]) -> bool:
    """Whether `path` is one of `held` or lies under one of them."""
    return path in held or any(str(parent) in held for parent in PurePosixPath(path).parents)


def is_runbook_path(path: str) -> bool:
    """Whether a file at `path` would be taken for a runbook by its name and place alone."""
    parts = PurePosixPath(path).parts
    return (
        bool(parts)
        and not any(part.startswith(".") for part in parts)
        and not (len(parts) > 1 and parts[0] in RESERVED_FOLDERS)
        and path.lower().endswith(SUFFIXES)
    )


def _look(folder: int, prefix: str, depth: int, real_root: bytes, max_file_bytes: int, findings: _Findings) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            name = from_os(entry.name)
            path = prefix + name
            if name.startswith("."):
                if name.startswith(TEMP_PREFIX):
                    findings.leftovers.append(path)
            elif entry.is_dir(follow_symlinks=False):
                if depth or name not in RESERVED_FOLDERS:
                    _enter(folder, name, path, depth + 1, real_root, max_file_bytes, findings)
            elif entry.is_symlink() and os.path.isdir(os.path.join(real_root, to_os(path))):
                findings.hold("link-folder", path)
            elif name.lower().endswith(SUFFIXES):
                _note_file(entry, path, real_root, max_file_bytes, findings)


def _enter(
    parent: int, name: str, path: str, depth: int, real_root: bytes, max_file_bytes: int, findings: _Findings
) -> None:
    code = _name_fault(path)
    if code or depth > MAX_DEPTH:
        findings.hold(code or "too-deep", path, limit=MAX_DEPTH if not code else MAX_PATH_CHARS, chars=len(path))
        return
    try:
        folder = os.open(to_os(name), FOLDER_FLAGS, dir_fd=parent)
    except OSError as error:
        findings.hold("unreadable", path, reason=error.strerror or str(error))
        return
    try:
        _look(folder, f"{path}/", depth, real_root, max_file_bytes, findings)
    except OSError as error:
        findings.hold("unreadable", path, reason=error.strerror or str(error))
    finally:
        os.close(folder)


def _note_file(
    entry: "os.DirEntry[str]", path: str, real_root: bytes, max_file_bytes: int, findings: _Findings
) -> None:
    code = _name_fault(path)
    if code:
        findings.hold(code, path, limit=MAX_PATH_CHARS, chars=len(path))
        return
    try:
        if entry.is_symlink() and (fault := _link_fault(real_root, path)):
            findings.hold(fault, path)
            return
        found = entry.stat()
    except OSError as error:
        findings.hold("unreadable", path, reason=error.strerror or str(error))
        return
    if not stat.S_ISREG(found.st_mode):
        findings.hold("not-a-file", path)
    elif found.st_size > max_file_bytes:
        findings.hold("too-large", path, size_bytes=found.st_size, limit_bytes=max_file_bytes)
    else:
        findings.files[path] = FileStamp.of(found)


def _link_fault(real_root: bytes, path: str) -> str:
    target = os.path.realpath(os.path.join(real_root, to_os(path)))
    if not target.startswith(real_root.rstrip(b"/") + b"/"):
        return "link-outside"
    return "" if os.path.isfile(target) else "link-broken"


def _name_fault(path: str) -> str:
    if path.isprintable():
        return "path-too-long" if len(path) > MAX_PATH_CHARS else ""
    is_text = not any("\ud800" <= letter <= "\udfff" for letter in path)
    return "name-unprintable" if is_text else "name-not-utf8"


def _twins(files: Mapping[str, FileStamp]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for path in sorted(files):
        other = first.setdefault(twin_key(path), path)
        if other != path:
            yield file_problem("twin-names", path, other=other)
