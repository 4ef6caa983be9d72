"""A file of incidents, whatever tool wrote it: entries come out as incidents, or with the reason why they are none.
One entry is in memory at a time, and reading can go on where it stopped."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import BinaryIO

from api.imports.csv_entries import CsvReader
from api.imports.export_format import ExportFormat, normal
from api.imports.incident_fields import ALIASES, Fields, Telling, canonical, incident_of
from api.imports.incident_io import INCIDENT_IO
from api.imports.jira import JIRA
from api.imports.json_entries import LIST_KEYS, leads_to_list, read_json_document, read_json_lines
from api.imports.pagerduty import PAGERDUTY
from api.imports.position import MAX_ENTRY_BYTES, Entry, Position
from api.imports.servicenow import SERVICENOW
from api.strict_json import parse_json
from kb.errors import InvalidInput
from kb.incident import Incident

EXPORT_FORMATS: Mapping[str, ExportFormat] = MappingProxyType(
    {export.name: export for export in (PAGERDUTY, INCIDENT_IO, JIRA, SERVICENOW)}
)
OWN_FORMAT = "own"

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BOM = b"\xef\xbb\xbf"


class Container(StrEnum):
    """How a file holds its entries."""

    JSON_LINES = "json lines"
    JSON_DOCUMENT = "json document"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class ReadIncident:
    """An incident, its line (or place in a JSON document), and where reading goes on after it."""

    number: int
    end: Position
    incident: Incident


@dataclass(frozen=True, slots=True)
class RefusedEntry:
    """An entry that tells of no incident, and why, in words for whoever keeps the file."""

    number: int
    end: Position
    reason: str


class IncidentFile:
    """The incidents of one file, which must be open for reading bytes and able to seek.

    `export` names one of `EXPORT_FORMATS` or `OWN_FORMAT`; without it the columns tell. `encoding` is that of CSV
    files; JSON is UTF-8. Raises `InvalidInput` for a file that is neither, and for names of formats and encodings that
    nobody knows.
    """

    def __init__(self, file: BinaryIO, telling: Telling, *, export: str = "", encoding: str = "utf-8") -> None:
        self._file = file
        self._telling = telling
        self._encoding = encoding
        self.container = _container(file)
        columns = self._first_columns()
        self.format = _format(export, columns)
        self.unused_columns = _unused(columns, EXPORT_FORMATS.get(self.format))

    def read(self, start: Position | None = None) -> Iterator[ReadIncident | RefusedEntry]:
        """What the entries after `start` tell, in the order of the file. Never raises for what an entry says."""
        for entry in self._entries(start or Position()):
            if entry.problem:
                yield RefusedEntry(entry.number, entry.end, entry.problem)
                continue
            try:
                incident = incident_of(self._fields(entry.fields), self._telling_of_format())
            except InvalidInput as error:
                yield RefusedEntry(entry.number, entry.end, error.message)
            else:
                yield ReadIncident(entry.number, entry.end, incident)

    def _entries(self, start: Position) -> Iterator[Entry]:
        if self.container is Container.JSON_LINES:
            self._file.seek(start.offset)
            return read_json_lines(self._file, start)
        self._file.seek(0)
        if self.container is Container.JSON_DOCUMENT:
            return read_json_document(self._file, start)
        return self._csv().entries(start)

    def _csv(self) -> CsvReader:
        try:
            return CsvReader(self._file, encoding=self._encoding)
        except LookupError:
            raise InvalidInput(
                "encoding", f"'{self._encoding[:40]}' is not known", advice="Use utf-8, cp1252 or latin-1."
            ) from None

    def _first_columns(self) -> Sequence[str]:
        """The columns of a CSV file, or the names in the first object that can be read."""
        if self.container is Container.CSV:
            self._file.seek(0)
            return self._csv().columns
        first = next((entry for entry in self._entries(Position()) if not entry.problem), None)
        return [] if first is None else [str(name) for name in first.fields]

    def _fields(self, entry: Fields) -> Fields:
        export = EXPORT_FORMATS.get(self.format)
        if export is not None:
            return export.fields_of(entry)
        if self.container is Container.CSV:
            entry = {name: _unpacked(value) for name, value in entry.items()}
        return canonical(entry, strict=False)

    def _telling_of_format(self) -> Telling:
        export = EXPORT_FORMATS.get(self.format)
        return self._telling if export is None else self._telling.of_source(export.name)


def _container(file: BinaryIO) -> Container:
    file.seek(0)
    head = file.read(MAX_ENTRY_BYTES)
    if head.startswith(_UTF16):
        raise InvalidInput("file", "is UTF-16", advice="Save it as UTF-8.")
    text = head.removeprefix(_BOM).lstrip()
    if not text:
        raise InvalidInput("file", "is empty", advice="Give a file with incidents.")
    if text.startswith(b"["):
        return Container.JSON_DOCUMENT
    if not text.startswith(b"{"):
        return Container.CSV
    first, _, rest = text.partition(b"\n")
    try:
        value = parse_json(first)
    except InvalidInput:
        # Half an object goes on below. A broken line before whole ones is met when it is read.
        return Container.JSON_DOCUMENT if leads_to_list(text) else Container.JSON_LINES
    lists = [value.get(key.decode()) for key in LIST_KEYS] if isinstance(value, dict) else []
    holds_objects = any(isinstance(items, list) and items and isinstance(items[0], dict) for items in lists)
    is_only = not rest.lstrip().startswith(b"{")
    return Container.JSON_DOCUMENT if holds_objects and is_only else Container.JSON_LINES


def _format(export: str, columns: Sequence[str]) -> str:
    if export in (OWN_FORMAT, *EXPORT_FORMATS):
        return export
    if export:
        known = ", ".join((*EXPORT_FORMATS, OWN_FORMAT))
        raise InvalidInput("format", f"'{export[:40]}' is not known", advice=f"Known are {known}.")
    names = frozenset(map(normal, columns))
    return next((found.name for found in EXPORT_FORMATS.values() if found.is_told_by(names)), OWN_FORMAT)


def _unused(columns: Sequence[str], export: ExportFormat | None) -> tuple[str, ...]:
    """Columns that tell nothing, so that whoever keeps the file can see what is left behind."""
    if export is None:
        known = {normal(alias) for aliases in ALIASES.values() for alias in aliases}
    else:
        paths = (*export.also_read, *(path for paths in export.columns.values() for path in paths))
        known = {normal(path) for path in paths} | {normal(path.split(".")[0]) for path in paths}
    return tuple(dict.fromkeys(name for name in columns if name and normal(name) not in known))


def _unpacked(value: object) -> object:
    """A cell that holds a JSON list or object, as data tools write them, is that list or object."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return parse_json(value.encode("utf-8", "surrogatepass"))
        except InvalidInput:
            return value
    return value
