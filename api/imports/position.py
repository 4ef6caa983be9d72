"""Where in a file a reader stands, and what it read there: an entry, or the reason why it is none."""

from collections.abc import Mapping
from dataclasses import dataclass

MAX_ENTRY_BYTES = 1024 * 1024
"""As much as one request may have. What is larger is left out and reported, so that memory stays bounded."""


@dataclass(frozen=True, slots=True)
class Position:
    """The end of the entries read so far: `offset` in bytes, `number` of lines (of entries in a JSON document)."""

    offset: int = 0
    number: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `number` is its line in the file, or its place in a JSON document, from 1; reading goes on at `end`.

    `fields` is empty when `problem` says why it could not be read.
    """

    number: int
    end: Position
    fields: Mapping[str, object]
    problem: str = ""
