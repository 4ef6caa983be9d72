"""What an export format is: a table that says which of its columns tell which field of an incident (pure)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from api.imports.incident_fields import Fields
from api.imports.values import severity_of, text_of
from kb.errors import InvalidInput

Paths = Mapping[str, tuple[str, ...]]


def normal(name: str) -> str:
    """A column's name as names are compared: `Short_Description` and `short description` are one."""
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())


class Row:
    """One entry of an export. Paths lead into objects by points: `service.summary`."""

    def __init__(self, fields: Fields) -> None:
        self._fields = {normal(str(name)): value for name, value in fields.items()}

    def value(self, path: str) -> object:
        """What lies at `path`; None when nothing does."""
        whole = normal(path)
        if whole in self._fields:
            return self._fields[whole]
        found: object = self._fields
        for part in path.split("."):
            if not isinstance(found, Mapping):
                return None
            inner = found if found is self._fields else {normal(str(name)): value for name, value in found.items()}
            found = inner.get(normal(part))
        return found

    def first(self, *paths: str) -> object:
        """The first of these that says something; None when none does."""
        return next((value for path in paths if text_of(value := self.value(path))), None)

    def text(self, *paths: str) -> str:
        """The same as text."""
        return text_of(self.first(*paths))

    def with_columns(self, columns: Fields) -> "Row":
        """This row with more columns; those it has already stay."""
        return Row({**columns, **self._fields})


def _as_it_is(row: Row) -> Row:
    return row


def _nothing_more(row: Row, fields: dict[str, object]) -> None:
    return None


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """One tool's export. A file is of this format when its columns include all of one of `tells`.

    `columns` names for each field of `api.imports.incident_fields.ALIASES` the paths it is taken from, best first.
    `unfold` makes columns of what the tool nests; `refine` corrects fields that one column alone does not tell; the
    columns that only these two read are `also_read`.
    """

    name: str
    title: str
    tells: tuple[frozenset[str], ...]
    columns: Paths
    unfold: Callable[[Row], Row] = _as_it_is
    refine: Callable[[Row, dict[str, object]], None] = _nothing_more
    also_read: tuple[str, ...] = ()

    def is_told_by(self, columns: frozenset[str]) -> bool:
        """Whether a file with these normal column names is of this format."""
        return any(names <= columns for names in self.tells)

    def fields_of(self, entry: Fields) -> Fields:
        """The fields of an incident that an entry tells. Raises `InvalidInput` for one that is no incident."""
        row = self.unfold(Row(entry))
        fields: dict[str, object] = {}
        for name, paths in self.columns.items():
            value = row.first(*paths)
            if value is not None:
                fields[name] = value
        self.refine(row, fields)
        _set_aside_unknown_severity(fields)
        return fields


def _set_aside_unknown_severity(fields: dict[str, object]) -> None:
    """A priority that an organisation made up is kept as it is told, and costs nobody the incident."""
    told = text_of(fields.get("severity"))
    if not told:
        return
    try:
        severity_of(told, field="severity")
    except InvalidInput:
        del fields["severity"]
        fields["metadata"] = {"priority": told}
