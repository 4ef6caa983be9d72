"""Entries of JSON Lines, and of one JSON document that holds a list of them, read one at a time."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from api.imports.position import MAX_ENTRY_BYTES, Entry, Position
from api.strict_json import parse_json
from kb.errors import InvalidInput

LIST_KEYS = (b"incidents", b"issues", b"records", b"result", b"data", b"items", b"values")
"""Under which key of a document its list of entries may lie; PagerDuty and incident.io, Jira, ServiceNow, others."""

_CHUNK_BYTES = 64 * 1024
_STRUCTURE = re.compile(rb'["{}\[\]]')
_STRING_END = re.compile(rb'["\\]')


def read_json_lines(file: BinaryIO, start: Position) -> Iterator[Entry]:
    """The objects on the lines of a file that stands at `start`; empty lines are passed over."""
    offset, number = start.offset, start.number
    while line := file.readline(MAX_ENTRY_BYTES + 1):
        number += 1
        offset += len(line)
        is_whole = len(line) <= MAX_ENTRY_BYTES
        while not is_whole and not line.endswith(b"\n") and (line := file.readline(_CHUNK_BYTES)):
            offset += len(line)
        end = Position(offset, number)
        if not is_whole:
            yield Entry(number, end, {}, _TOO_LARGE)
        elif line.strip():
            yield _entry(line, number, end)


def read_json_document(file: BinaryIO, start: Position) -> Iterator[Entry]:
    """The objects in the list of a document, which is read from its beginning; those up to `start` are passed over.

    Raises `InvalidInput` when there is no list in it.
    """
    scanner = _Scanner()
    offset = 0
    while chunk := file.read(_CHUNK_BYTES):
        for raw, end in scanner.feed(chunk, offset):
            position = Position(end, scanner.entries)
            if position.number > start.number:
                yield (
                    Entry(position.number, position, {}, _TOO_LARGE)
                    if raw is None
                    else _entry(raw, position.number, position)
                )
        if scanner.is_done:
            return
        offset += len(chunk)
    if not scanner.is_in_list:
        raise InvalidInput(
            "file", "holds no list of incidents", advice='Give a JSON list, {"incidents": [...]}, or one object a line.'
        )
    if scanner.is_in_entry:
        number = scanner.entries + 1
        yield Entry(number, Position(offset, number), {}, "the file ends inside it")


def leads_to_list(beginning: bytes) -> bool:
    """Whether a document that begins so holds a list of entries, as far as the beginning shows."""
    scanner = _Scanner()
    for _ in scanner.feed(beginning, 0):
        break
    return scanner.is_in_list


_TOO_LARGE = f"has more than {MAX_ENTRY_BYTES} bytes"


def _entry(raw: bytes, number: int, end: Position) -> Entry:
    try:
        value = parse_json(raw)
    except InvalidInput as error:
        return Entry(number, end, {}, error.reason)
    if not isinstance(value, dict):
        return Entry(number, end, {}, "is not a JSON object")
    return Entry(number, end, value)


class _Scanner:
    """Finds the list in a document and where its objects begin and end, without reading what they say."""

    def __init__(self) -> None:
        self.entries = 0
        self.is_done = False
        self._list_depth = 0  # depth inside the list; 0 before it is found
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self._key = bytearray()
        self._entry: bytearray | None = None
        self._is_too_large = False

    @property
    def is_in_list(self) -> bool:
        return self._list_depth > 0

    @property
    def is_in_entry(self) -> bool:
        return self._entry is not None

    def feed(self, chunk: bytes, offset: int) -> Iterator[tuple[bytes | None, int]]:
        """Each object that ends in `chunk` with the offset of its end; None for one that is too large."""
        at, kept_from = 0, 0
        while at < len(chunk) and not self.is_done:
            if self._in_string:
                at = self._through_string(chunk, at)
                continue
            match = _STRUCTURE.search(chunk, at)
            if match is None:
                break
            at = match.end()
            opens_entry, closes_entry = self._step(match[0])
            if opens_entry:
                self._entry, self._is_too_large = bytearray(), False
                kept_from = match.start()
            elif closes_entry:
                self._keep(chunk[kept_from:at])
                raw = None if self._is_too_large else bytes(self._entry or b"")
                self._entry = None
                self.entries += 1
                yield raw, offset + at
        if self._entry is not None:
            self._keep(chunk[kept_from:])

    def _step(self, mark: bytes) -> tuple[bool, bool]:
        """Take one structural character; whether an entry begins or ends with it."""
        if mark == b'"':
            self._in_string = True
            self._key.clear()
            return False, False
        if mark in b"{[":
            self._depth += 1
            if mark == b"[" and not self.is_in_list and self._begins_list():
                self._list_depth = self._depth
                return False, False
            return mark == b"{" and self.is_in_list and self._depth == self._list_depth + 1, False
        ends_entry = mark == b"}" and self.is_in_list and self._depth == self._list_depth + 1
        self._depth -= 1
        self.is_done = self.is_in_list and self._depth < self._list_depth
        return False, ends_entry

    def _begins_list(self) -> bool:
        return self._depth == 1 or (self._depth == 2 and bytes(self._key) in LIST_KEYS)

    def _through_string(self, chunk: bytes, at: int) -> int:
        if self._escaped:
            self._escaped = False
            return at + 1
        match = _STRING_END.search(chunk, at)
        end = match.start() if match else len(chunk)
        if not self.is_in_list and len(self._key) < 100:
            self._key += chunk[at : min(end, at + 100)]
        if match is None:
            return end
        self._escaped = match[0] == b"\\"
        self._in_string = self._escaped
        return match.end()

    def _keep(self, part: bytes) -> None:
        if self._entry is not None and len(self._entry) + len(part) > MAX_ENTRY_BYTES:
            self._is_too_large = True
            self._entry.clear()
        elif self._entry is not None and not self._is_too_large:
            self._entry += part
