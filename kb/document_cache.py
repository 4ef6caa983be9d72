"""Parsed files kept in memory, so that a text is parsed once however often its document is asked for."""

import hashlib
import threading
from collections.abc import Iterable
from datetime import date

from kb.runbook import Document
from kb.runbook_store import ParseDocument

# Parsing depends on nothing else: the bytes, where they are, and the day they changed.
Key = tuple[str, str, date]


class DocumentCache:
    """Documents by digest, path and day, under the ids their texts give them. Safe to share between threads."""

    def __init__(self, parse: ParseDocument) -> None:
        self._parse = parse
        self._lock = threading.Lock()
        self._known: dict[Key, Document] = {}

    def find(self, sha256: str, path: str, day: date) -> Document | None:
        """The document when it was parsed before."""
        with self._lock:
            return self._known.get((sha256, path, day))

    def parse(self, raw: bytes, path: str, day: date) -> Document:
        """The document of these bytes, parsed now unless the same was parsed before."""
        known = self.find(hashlib.sha256(raw).hexdigest(), path, day)
        if known is not None:
            return known
        document = self._parse(raw, path=path, modified=day)
        with self._lock:
            return self._known.setdefault((document.sha256, path, day), document)

    def keep_only(self, keys: Iterable[Key]) -> None:
        """Forget every document but these."""
        with self._lock:
            self._known = {key: self._known[key] for key in keys if key in self._known}
