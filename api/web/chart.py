"""What a chart shows, as a table: pages carry the numbers, and the vendored library draws from them in the browser.
Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum


class ChartKind(StrEnum):
    """How the numbers are drawn."""

    BAR = "bar"
    STACKED = "stacked"
    LINE = "line"


@dataclass(frozen=True, slots=True)
class Series:
    """One row of values beside the labels; None where there is none. `tone` names a colour of the stylesheet."""

    name: str
    values: tuple[float | None, ...]
    tone: str = "accent"


@dataclass(frozen=True, slots=True)
class Chart:
    """Numbers to be drawn. `unit` stands behind a value when one points at it; `label_title` heads the labels.

    `summary` says in a sentence what one would see. Dates among the labels are ISO dates.
    """

    title: str
    summary: str
    kind: ChartKind
    label_title: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    unit: str = ""

    def rows(self) -> Iterable[tuple[str, tuple[str, ...]]]:
        """The table's rows: a label with one text a series."""
        for place, label in enumerate(self.labels):
            yield label, tuple(_number(series.values[place]) for series in self.series)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(value for series in self.series for value in series.values)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return str(int(value)) if value == int(value) else f"{value:.1f}"


def week_starts(first: date, last: date) -> tuple[date, ...]:
    """The Mondays of all weeks from that of `first` to that of `last`."""
    monday = first - timedelta(days=first.weekday())
    return tuple(monday + timedelta(days=7 * number) for number in range((last - monday).days // 7 + 1))


def by_week(moments: Iterable[datetime], weeks: Sequence[date]) -> tuple[int, ...]:
    """How many of some moments lie in each of the weeks that begin on those Mondays."""
    return count_spans(moments, weeks, lambda day: day - timedelta(days=day.weekday()))


def count_spans(
    moments: Iterable[datetime], starts: Sequence[date], start_of: Callable[[date], date]
) -> tuple[int, ...]:
    """How many of some moments lie in each span; `start_of` gives the first day of the span that a day lies in."""
    found = Counter(start_of(then.date()) for then in moments)
    return tuple(found[start] for start in starts)
