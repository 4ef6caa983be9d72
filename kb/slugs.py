"""Names that are safe in addresses and files: runbook ids, and the anchors of headings. Pure."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

MAX_ID_CHARS = 100

RESERVED_IDS = frozenset({"search", "create", "learn", "execute", "patterns", "executions", "health"})
"""Words that stand where an id would stand in an address (`/runbooks/search`)."""

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")
_HUMP = re.compile(r"([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])")
_NO_DECOMPOSITION = str.maketrans(
    {"ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "Ae", "œ": "oe", "ł": "l", "Ł": "L", "đ": "d"}
)
_NOT_SLUG = re.compile(r"[^a-z0-9]+")
_ANCHOR_DROPS = re.compile(r"[^\w\- ]")
_FOLDER_PAGES = frozenset({"readme", "index", "_index"})


def is_valid_id(text: str) -> bool:
    """Whether `text` may be a runbook's id: `[a-z0-9][a-z0-9-]{0,99}` and not a reserved word."""
    return _ID.fullmatch(text) is not None and text not in RESERVED_IDS


def slugify(text: str) -> str:
    """Lower-case words joined by hyphens, split at camelCase humps too: `KubePodCrashLooping` ->
    `kube-pod-crash-looping`.

    Letters lose their accents; what has no ASCII form is dropped. Empty when nothing is left. At most 100 characters.
    """
    ascii_text = (
        unicodedata.normalize("NFKD", text.translate(_NO_DECOMPOSITION)).encode("ascii", "ignore").decode("ascii")
    )
    words = _HUMP.sub(_split_hump, _HUMP.sub(_split_hump, ascii_text))
    slug = _NOT_SLUG.sub("-", words.lower()).strip("-")
    return slug[:MAX_ID_CHARS].rstrip("-")


def _split_hump(match: re.Match[str]) -> str:
    return f"{match[1]} {match[2]}" if match[1] else f"{match[3]} {match[4]}"


def id_from_path(path: str) -> str:
    """The id a file gets when it names none: its stem, or its folder's name for `README.md` and `index.md`.

    Always valid: a reserved word gets `-runbook` appended, and a stem without any ASCII letter or digit gets a name
    made of the path's hash.
    """
    pure = PurePosixPath(path)
    stem = pure.stem
    if stem.casefold() in _FOLDER_PAGES and pure.parent.name not in ("", ".", "/"):
        stem = pure.parent.name
    slug = slugify(stem)
    if not slug:
        return "runbook-" + _digest(path)
    return f"{slug}-runbook" if slug in RESERVED_IDS else slug


def entry_id(document_id: str, name: str, *, taken: Iterable[str] = ()) -> str:
    """The id of one alert's entry in a file of many: `<document>-<alert>`, cut and hashed when it would grow too long.

    The answer is not in `taken`: a number is appended until it differs.
    """
    base = f"{document_id}-{slugify(name) or _digest(name)}"
    if len(base) > MAX_ID_CHARS:
        base = f"{base[: MAX_ID_CHARS - 9].rstrip('-')}-{_digest(base)}"
    known = set(taken)
    candidate, number = base, 1
    while candidate in known:
        number += 1
        suffix = f"-{number}"
        candidate = base[: MAX_ID_CHARS - len(suffix)].rstrip("-") + suffix
    return candidate


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def heading_anchor(title: str) -> str:
    """A heading's anchor as GitHub makes it: lower case, punctuation dropped, spaces to hyphens. May be empty."""
    return _ANCHOR_DROPS.sub("", title.strip().lower()).replace(" ", "-")


class Anchors:
    """Hands out anchors that are unique within one file: a second `diagnosis` becomes `diagnosis-1`, as on GitHub."""

    def __init__(self) -> None:
        self._next: dict[str, int] = {}

    def claim(self, anchor: str) -> str:
        """Reserve an anchor that the author wrote out; empty when there is none or it is taken already."""
        if not anchor or anchor in self._next:
            return ""
        self._next[anchor] = 1
        return anchor

    def add(self, title: str) -> str:
        """The anchor of the next heading with this title. Never empty: a title of punctuation alone is called
        `section`."""
        base = heading_anchor(title) or "section"
        number = self._next.get(base, 0)
        anchor = f"{base}-{number}" if number else base
        while number and anchor in self._next:
            number += 1
            anchor = f"{base}-{number}"
        self._next[base] = number + 1
        self._next.setdefault(anchor, 1)
        return anchor
