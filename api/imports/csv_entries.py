"""Entries of CSV files, read one at a time. An entry may go over several lines; a quote that is never closed takes one
entry with it, not the rest of the file."""

import csv
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from api.imports.position import MAX_ENTRY_BYTES, Entry, Position
from kb.errors import InvalidInput

MAX_COLUMNS = 2000
_DELIMITERS = ",;\t|"
_CHUNK_BYTES = 64 * 1024
_QUOTED = re.compile(r'"[^"]*"')
_EXCEL_HINT = re.compile(r"sep=(.)\s*")


class CsvReader:
    """Reads a CSV file with a header line. Columns of one name, as Jira writes them, become one with a list."""

    def __init__(self, file: BinaryIO, *, encoding: str = "utf-8") -> None:
        """Reads the header of a file that stands at its beginning. Raises `InvalidInput` when there is none."""
        self._rows = _Rows(file, encoding)
        header = self._rows.header()
        if header is None or header.problem or not any(header.cells) or len(header.cells) > MAX_COLUMNS:
            reason = header.problem if header and header.problem else "it is empty or too long"
            raise InvalidInput("file", f"has no usable header line: {reason}", advice="Name the columns in line 1.")
        self.columns = tuple(name.strip() for name in header.cells)

    def entries(self, start: Position) -> Iterator[Entry]:
        """The entries after `start`, all when that is the beginning. Going to a later start needs a file that seeks."""
        if start.offset > self._rows.position.offset:
            self._rows.seek(start)
        while (row := self._rows.next()) is not None:
            end = self._rows.position
            if row.problem:
                yield Entry(row.number, end, {}, row.problem)
            elif not any(row.cells):
                continue
            elif len(row.cells) != len(self.columns):
                problem = f"has {len(row.cells)} columns, the header has {len(self.columns)}"
                yield Entry(row.number, end, {}, problem)
            else:
                yield Entry(row.number, end, self._fields(row.cells))

    def _fields(self, cells: list[str]) -> Mapping[str, object]:
        fields: dict[str, object] = {}
        for name, cell in zip(self.columns, cells, strict=True):
            before = fields.get(name, "")
            if isinstance(before, list):
                before.extend([cell] if cell else [])
            else:
                fields[name] = [before, cell] if before and cell else before or cell
        return fields


@dataclass(frozen=True, slots=True)
class _Row:
    """`number` is the line where the row begins; no cells when there is a problem."""

    number: int
    cells: list[str]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the file. Of one beyond all bounds only a beginning is kept; `size` is the true one in bytes."""

    raw: bytes
    size: int


class _TooLarge(Exception):
    """A row has grown beyond what is read of one."""


class _Rows:
    """Rows of cells, from lines that can be put back."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._file = file
        self._encoding = encoding
        self._returned: deque[_Line] = deque()
        self.position = Position()
        self.delimiter = ","

    def seek(self, start: Position) -> None:
        self._returned.clear()
        self._file.seek(start.offset)
        self.position = start

    def header(self) -> _Row | None:
        """The first row; finds out what parts the columns on the way."""
        first = self._line()
        if first is None:
            return None
        text = first.raw.decode("utf-8-sig", "replace")
        if hint := _EXCEL_HINT.fullmatch(text):
            self.delimiter = hint[1]
        else:
            self.delimiter = max(_DELIMITERS, key=_QUOTED.sub("", text).count)
            self._return([first])
        return self.next()

    def next(self) -> _Row | None:
        """The next row; None at the end of the file."""
        number = self.position.number + 1
        taken: list[_Line] = []
        undecodable: list[int] = []
        try:
            cells = next(csv.reader(self._texts(taken, undecodable), delimiter=self.delimiter, strict=True), None)
        except _TooLarge:
            self._return(taken[1:])
            return _Row(number, [], f"has more than {MAX_ENTRY_BYTES} bytes, or a quote that is never closed")
        except csv.Error as error:
            self._return(taken[1:])
            hint = " (or a quote is never closed)" if len(taken) > 1 else ""
            return _Row(number, [], f"is not CSV: {error}{hint}")
        if cells is None:
            return None
        if undecodable:
            return _Row(number, [], f"is not {self._encoding.upper()} (byte {undecodable[0]} of a line)")
        return _Row(number, cells)

    def _texts(self, taken: list[_Line], undecodable: list[int]) -> Iterator[str]:
        """The lines of one row as text; notes those taken, and where one could not be decoded."""
        size = 0
        while True:
            codec = "utf-8-sig" if self.position.offset == 0 and self._encoding == "utf-8" else self._encoding
            line = self._line()
            if line is None:
                return
            taken.append(line)
            size += line.size
            if size > MAX_ENTRY_BYTES:
                raise _TooLarge
            try:
                yield line.raw.decode(codec)
            except UnicodeDecodeError as error:
                undecodable.append(error.start + 1)
                yield line.raw.decode(codec, "replace")

    def _line(self) -> _Line | None:
        if self._returned:
            line = self._returned.popleft()
        else:
            raw = self._file.readline(MAX_ENTRY_BYTES + 1)
            line = _Line(raw, len(raw) + (self._skip_rest(raw) if len(raw) > MAX_ENTRY_BYTES else 0))
        if not line.raw:
            return None
        self.position = Position(self.position.offset + line.size, self.position.number + 1)
        return line

    def _skip_rest(self, part: bytes) -> int:
        """Go to the end of a line of which `part` was read; how many bytes that were."""
        skipped = 0
        while not part.endswith(b"\n") and (part := self._file.readline(_CHUNK_BYTES)):
            skipped += len(part)
        return skipped

    def _return(self, lines: list[_Line]) -> None:
        """Put lines back to be read again."""
        self._returned.extendleft(reversed(lines))
        size = sum(line.size for line in lines)
        self.position = Position(self.position.offset - size, self.position.number - len(lines))
