"""Ids for documents and entries when the names they would like are taken (pure). Ids come from authors or from file
names, so two files may want the same one: the first to come keeps it, the other gets a longer one from its path."""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace

from kb.runbook import Document
from kb.slugs import MAX_ID_CHARS, is_valid_id, slugify

_SUFFIX = re.compile(r"\.[^./]*$")


def free_id(natural: str, path: str, is_taken: Callable[[str], bool]) -> str:
    """`natural` when it is free and valid; else the shortest tail of `path` as a slug that is; else one with a digest.

    Deterministic for the same `path` and the same taken ids.
    """
    if is_valid_id(natural) and not is_taken(natural):
        return natural
    parts = _SUFFIX.sub("", path).split("/")
    for start in range(len(parts) - 1, -1, -1):
        longer = slugify("-".join(parts[start:]))
        if longer != natural and is_valid_id(longer) and not is_taken(longer):
            return longer
    return _with_digest(natural, path, is_taken)


def free_entry_id(natural: str, document_id: str, natural_document_id: str, is_taken: Callable[[str], bool]) -> str:
    """The id of an entry of a document: follows the document's own id, and stays clear of those taken."""
    follows = natural
    if document_id != natural_document_id and natural.startswith(f"{natural_document_id}-"):
        follows = f"{document_id}-{natural.removeprefix(natural_document_id + '-')}"
    if is_valid_id(follows) and not is_taken(follows):
        return follows
    return _with_digest(follows, f"{document_id}/{natural}", is_taken)


def relabel(document: Document, document_id: str, entry_ids: Mapping[str, str]) -> Document:
    """`document` under the ids the store gave it. `entry_ids` maps parsed entry ids to given ones."""
    if document.id == document_id and all(entry_ids.get(entry.id, entry.id) == entry.id for entry in document.runbooks):
        return document
    main, *entries = document.runbooks
    renamed = [replace(entry, id=entry_ids.get(entry.id, entry.id)) for entry in entries]
    return replace(document, id=document_id, runbooks=(replace(main, id=document_id), *renamed))


def twin_key(path: str) -> str:
    """Equal for paths that some file systems hold for the same: other case, or composed and decomposed letters."""
    return path.lower() if path.isascii() else unicodedata.normalize("NFC", path).casefold()


def _with_digest(wanted: str, seed: str, is_taken: Callable[[str], bool]) -> str:
    stem = slugify(wanted)
    stem = stem if is_valid_id(stem) else "runbook"
    digest = hashlib.sha256(seed.encode("utf-8", "surrogatepass")).hexdigest()
    for length in range(6, 40):
        candidate = f"{stem[: MAX_ID_CHARS - 1 - length].rstrip('-')}-{digest[:length]}"
        if not is_taken(candidate):
            return candidate
    raise ValueError(f"no free id for {wanted!r}")  # 34 digests of one seed taken: cannot happen by chance
