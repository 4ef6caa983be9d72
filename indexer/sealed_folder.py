"""Folders of derived files that are whole or not there: written beside their place, sealed by a manifest with the
SHA-256 of every file, synced to disk and renamed. What the files mean is their owner's affair."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

MANIFEST = "manifest.json"
TEMPORARY_PREFIX = ".tmp-"
_FORMAT = 1

Step = Callable[[str], None]  # told after each sub-step of a save, by name


class SealBroken(Exception):
    """A sealed folder is not what its manifest says. Its owner turns this into an error of its own."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Manifest:
    """`facts` are the owner's; `sizes` in bytes and `digests` (SHA-256, hex) by file name."""

    facts: Mapping[str, object]
    sizes: Mapping[str, int]
    digests: Mapping[str, str]


def no_step(_name: str) -> None:
    """For saves that nobody watches."""


def seal(folder: Path, facts: Mapping[str, object], *, step: Step = no_step) -> None:
    """Sync every file of `folder`, write the manifest over them, sync that and the folder."""
    files: dict[str, dict[str, object]] = {}
    for path in sorted(folder.iterdir()):
        if path.name == MANIFEST:
            continue
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        files[path.name] = {"size_bytes": path.stat().st_size, "sha256": digest}
        step(f"synced {path.name}")
    body = {"format": _FORMAT, "facts": dict(facts), "files": files}
    # The manifest is checked too: its own digest stands in front of it.
    text = json.dumps(body, sort_keys=True, ensure_ascii=True)
    write_synced(folder / MANIFEST, f"{_digest(text.encode())}\n{text}\n".encode())
    step("manifest")
    sync_folder(folder)
    step("folder synced")


def publish(temporary: Path, final: Path, *, step: Step = no_step) -> None:
    """Give a sealed folder its name. One that is there already under that name is moved aside and removed."""
    if final.exists():
        aside = final.with_name(f"{TEMPORARY_PREFIX}old-{os.getpid()}-{final.name}")
        shutil.rmtree(aside, ignore_errors=True)
        final.rename(aside)
        step("moved aside")
        temporary.rename(final)
        shutil.rmtree(aside, ignore_errors=True)
    else:
        temporary.rename(final)
    step("renamed")
    sync_folder(final.parent)
    step("parent synced")


def read_manifest(folder: Path) -> Manifest:
    """The manifest alone; SealBroken when it is missing, damaged or of another format. No other file is opened."""
    path = folder / MANIFEST
    try:
        digest, _, text = path.read_bytes().partition(b"\n")
    except OSError as exc:
        raise SealBroken(path, f"the manifest cannot be read ({exc.strerror})") from exc
    if digest.decode("ascii", "replace") != _digest(text.rstrip(b"\n")) or not text.endswith(b"\n"):
        raise SealBroken(path, "the manifest is damaged")
    body = json.loads(text)
    if body["format"] != _FORMAT:
        raise SealBroken(path, f"the manifest has format {body['format']}, this release reads {_FORMAT}")
    files: Mapping[str, Mapping[str, int | str]] = body["files"]
    return Manifest(
        facts=body["facts"],
        sizes={name: int(entry["size_bytes"]) for name, entry in files.items()},
        digests={name: str(entry["sha256"]) for name, entry in files.items()},
    )


def read_sealed(folder: Path) -> tuple[Manifest, dict[str, bytes]]:
    """The manifest and every file's bytes, each checked: what is returned is exactly what was sealed."""
    manifest = read_manifest(folder)
    return manifest, {name: _checked_bytes(folder / name, manifest) for name in manifest.digests}


def check_sealed(folder: Path) -> Manifest:
    """Check every file without keeping its bytes, for files that another library opens by name."""
    manifest = read_manifest(folder)
    for name, digest in manifest.digests.items():
        path = folder / name
        try:
            with path.open("rb") as file:
                actual = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as exc:
            raise SealBroken(path, f"it cannot be read ({exc.strerror})") from exc
        if actual != digest:
            raise SealBroken(path, "its content is not what was saved")
    return manifest


def _checked_bytes(path: Path, manifest: Manifest) -> bytes:
    try:
        size = path.stat().st_size
        if size != manifest.sizes[path.name]:
            raise SealBroken(path, f"it has {size} bytes instead of {manifest.sizes[path.name]}")
        content = path.read_bytes()
    except OSError as exc:
        raise SealBroken(path, f"it cannot be read ({exc.strerror})") from exc
    if _digest(content) != manifest.digests[path.name]:
        raise SealBroken(path, "its content is not what was saved")
    return content


def write_synced(path: Path, content: bytes) -> None:
    """Write and fsync; the caller syncs the folder."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace_synced(path: Path, content: bytes, *, step: Step = no_step) -> None:
    """Put `content` at `path` in one step: readers see the old bytes or the new ones, after a crash too."""
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{os.getpid()}-{path.name}")
    write_synced(temporary, content)
    step(f"{path.name} written")
    temporary.replace(path)
    step(f"{path.name} renamed")
    sync_folder(path.parent)
    step(f"{path.name} synced")


def sync_folder(folder: Path) -> None:
    """Make renames inside `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def has_leftovers(parent: Path) -> bool:
    """Whether a killed save, or one under way, has files under `parent`."""
    return any(parent.glob(f"{TEMPORARY_PREFIX}*"))


def remove_leftovers(parent: Path) -> list[str]:
    """Remove what killed saves left under `parent`; only the holder of the writer lock may call this."""
    removed = []
    for path in sorted(parent.glob(f"{TEMPORARY_PREFIX}*")):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
        removed.append(path.name)
    return removed


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
