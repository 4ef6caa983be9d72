"""The stylesheet, scripts and images that ship inside the package, held in memory and addressed by their content."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".txt": "text/plain"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file; `media_type` includes the character set."""

    body: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Assets:
    """All of them by name ("app.css", "vendor/htmx.js"). `version` changes when any byte of any of them does."""

    by_name: Mapping[str, Asset]
    version: str


def load_assets() -> Assets:
    """Read them from the installed package, once, when the application is built."""
    found = dict(sorted(_walk(files("api.web") / "assets", "")))
    digest = hashlib.sha256(b"".join(name.encode() + b"\0" + asset.body for name, asset in found.items()))
    return Assets(MappingProxyType(found), digest.hexdigest()[:12])


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Asset]]:
    for entry in folder.iterdir():
        name = prefix + entry.name
        if entry.is_dir():
            yield from _walk(entry, name + "/")
        elif (suffix := "." + entry.name.rpartition(".")[2]) in _TYPES:
            yield name, Asset(entry.read_bytes(), _TYPES[suffix] + "; charset=utf-8")
