"""What a dashboard is made of: figures, charts and tables. Pure values."""

from dataclasses import dataclass, field

from markupsafe import Markup

from api.web.chart import Chart

SPANS = ((7, "Last 7 days"), (30, "Last 30 days"), (90, "Last 90 days"), (366, "Last year"))


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that stands for itself."""

    name: str
    value: str
    told: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table; the first of a row may lead somewhere, others may show a picture before their text."""

    text: str
    href: str = ""
    picture: Markup = field(default_factory=Markup)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells."""

    title: str
    says: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class DashboardScreen:
    """One dashboard."""

    title: str
    href: str
    other_title: str
    other_href: str
    days: int
    spans: tuple[tuple[int, str], ...]
    figures: tuple[Figure, ...]
    charts: tuple[Chart, ...]
    tables: tuple[Table, ...]
    notice: str = ""
