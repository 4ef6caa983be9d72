"""The runbooks that come with sre-kb: where they are, how they get into a folder of one's own, and their digests."""

import hashlib
import os
import shutil
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from kb.errors import StorageUnavailable
from kb.folder_scan import RESERVED_FOLDERS

_SUFFIX = ".md"


def bundled_runbooks_dir() -> Path | None:
    """The tree inside the installed package, or the one of a source checkout; None when neither is there."""
    package = Path(str(files("kb")))
    for place in (package / "bundled", package.parent / "runbooks"):
        if (place / "static").is_dir():
            return place
    return None


def bundled_digests(folder: Path | None) -> frozenset[str]:
    """SHA-256 of every bundled runbook: a file with such a digest was reviewed with this release."""
    if folder is None:
        return frozenset()
    return frozenset(hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob(f"*{_SUFFIX}"))


def provide_runbooks(target: Path, source: Path | None) -> bool:
    """Copy the bundled tree to `target` when nothing is there yet; whether it was. An existing folder, even an empty
    one, is never written to. The copy appears at once or not at all."""
    if target.exists() or target.is_symlink():
        return False
    arriving = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if source is None:
            target.mkdir()
            return True
        shutil.copytree(source, arriving, ignore=_left_out(source))
        arriving.rename(target)
    except OSError as exc:
        shutil.rmtree(arriving, ignore_errors=True)
        if target.is_dir():  # another process was faster
            return False
        raise StorageUnavailable(
            f"The runbooks folder {target} cannot be created: {exc.strerror}.",
            advice="Create it yourself, or point SRE_KB_RUNBOOKS_DIR at a folder that is there.",
        ) from exc
    return True


def _left_out(source: Path) -> Callable[[str, list[str]], set[str]]:
    """Names that are no part of the runbooks: hidden ones, and at the top what servers write beside them."""

    def left_out(folder: str, names: list[str]) -> set[str]:
        at_top = RESERVED_FOLDERS if Path(folder) == source else frozenset()
        return {name for name in names if name.startswith(".") or name == "__pycache__" or name in at_top}

    return left_out
