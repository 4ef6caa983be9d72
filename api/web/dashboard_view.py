"""The two dashboards, put together from numbers: how learning goes, and where incidents go. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from markupsafe import Markup

from api.learning_acts import TrendDay
from api.overviews import LearntWeek
from api.web.amounts import between, counted, length, of_trials, percent
from api.web.chart import Chart, ChartKind, Series
from api.web.graphics import rate_bar
from api.web.pattern_view import trend_words
from api.web.urls import Urls
from kb.pattern import ActionStats, Direction, Pattern
from kb.review_records import DayCount
from kb.severity import WORST_FIRST, Severity
from learner.accuracy import Accuracy, Judged, ResponseTimes

SPANS = ((7, "Last 7 days"), (30, "Last 30 days"), (90, "Last 90 days"), (366, "Last year"))
_BY_WEEK_FROM = 90
_MAX_ROWS = 10


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


def incident_dashboard(
    days: Sequence[TrendDay],
    patterns: Sequence[Pattern],
    times: Sequence[ResponseTimes],
    *,
    until: date | None,
    urls: Urls,
) -> DashboardScreen:
    """Where incidents go: how many, how bad, how long, and which patterns rise. `until` is given where the days end in
    the past, because nothing began since."""
    spans = _by_week(days) if len(days) >= _BY_WEEK_FROM else tuple(days)
    total = sum(day.total for day in days)
    resolved = sum(day.resolved for day in days)
    rising = [pattern for pattern in patterns if pattern.trend.direction is Direction.RISING]
    return DashboardScreen(
        title="Incident trends",
        href=urls.dashboard("incidents"),
        other_title="Learning progress",
        other_href=urls.dashboard("learning"),
        days=len(days),
        spans=SPANS,
        figures=(
            Figure("Incidents", f"{total:,}", _change_told(days), urls.incidents()),
            Figure("Not resolved", f"{total - resolved:,}", "of those that began", urls.incidents(status="unresolved")),
            Figure("Median length", length(_median_s(days)) or "?", "of the days' medians"),
            Figure("Rising patterns", str(len(rising)), f"of {len(patterns)}", urls.patterns(trend="rising")),
        ),
        charts=(_severity_chart(spans, is_weekly=len(days) >= _BY_WEEK_FROM), _length_chart(spans)),
        tables=tuple(table for table in (_rising_table(rising, urls), _times_table(times)) if table.rows),
        notice=_span_notice(len(days), total, until),
    )


def _span_notice(days: int, total: int, until: date | None) -> str:
    if not total:
        return "There are no incidents yet. Feed some in, or record one."
    return f"No incident began in the last {days} days. These are the {days} days to {until}." if until else ""


def _by_week(days: Sequence[TrendDay]) -> tuple[TrendDay, ...]:
    """The same by week, named by its Monday; the median is that of the days' medians."""
    weeks: dict[date, list[TrendDay]] = {}
    for day in days:
        weeks.setdefault(day.day - timedelta(days=day.day.weekday()), []).append(day)
    return tuple(
        TrendDay(
            day=monday,
            by_severity=_summed(members),
            resolved=sum(member.resolved for member in members),
            median_s=_median_s(members),
        )
        for monday, members in weeks.items()
    )


def _summed(days: Sequence[TrendDay]) -> Mapping[Severity | None, int]:
    severities = {severity for day in days for severity in day.by_severity}
    return {severity: sum(day.by_severity.get(severity, 0) for day in days) for severity in severities}


def _median_s(days: Sequence[TrendDay]) -> float | None:
    known = sorted(day.median_s for day in days if day.median_s is not None)
    return known[len(known) // 2] if known else None


def _change_told(days: Sequence[TrendDay]) -> str:
    half = len(days) // 2
    before, after = sum(day.total for day in days[:half]), sum(day.total for day in days[half:])
    return f"{after:,} in the later half, {before:,} in the earlier"


def _severity_chart(spans: Sequence[TrendDay], *, is_weekly: bool) -> Chart:
    named = [severity for severity in WORST_FIRST if any(day.by_severity.get(severity) for day in spans)]
    series = [
        Series(one.value.capitalize(), tuple(float(day.by_severity.get(one, 0)) for day in spans), f"{one.value}-bar")
        for one in named
    ]
    if any(day.by_severity.get(None) for day in spans):
        series.append(Series("Not told", tuple(float(day.by_severity.get(None, 0)) for day in spans), "unknown-bar"))
    worst = sum(day.by_severity.get(Severity.CRITICAL, 0) for day in spans)
    return Chart(
        title="Incidents by severity",
        summary=f"{counted(sum(day.total for day in spans), 'incident')}, {worst} of them critical.",
        kind=ChartKind.STACKED,
        label_title="Week of" if is_weekly else "Day",
        labels=tuple(day.day.isoformat() for day in spans),
        series=tuple(series),
    )


def _length_chart(spans: Sequence[TrendDay]) -> Chart:
    return Chart(
        title="How long they last",
        summary="The median length of those that began then.",
        kind=ChartKind.LINE,
        label_title="Began",
        labels=tuple(day.day.isoformat() for day in spans),
        series=(Series("Median", tuple(None if d.median_s is None else round(d.median_s / 60, 1) for d in spans)),),
        unit="min",
    )


def _rising_table(rising: Sequence[Pattern], urls: Urls) -> Table:
    ordered = sorted(rising, key=lambda pattern: pattern.trend.p_value)[:_MAX_ROWS]
    return Table(
        "Rising patterns",
        "More often than before, beyond what chance explains.",
        ("Pattern", "Incidents", "Trend"),
        tuple(
            (
                Cell(pattern.name, urls.pattern(pattern.id)),
                Cell(str(pattern.frequency)),
                Cell(trend_words(pattern.trend).told),
            )
            for pattern in ordered
        ),
    )


def _times_table(times: Sequence[ResponseTimes]) -> Table:
    compared = {row.severity for row in times if row.with_runbook}
    whose = {None: "all", True: "with a runbook", False: "without"}
    return Table(
        "Response times",
        "From the start until somebody answered, and until the end: medians, and nine of ten.",
        ("Severity", "Incidents", "Answered", "Resolved, half", "Resolved, nine of ten"),
        tuple(
            (
                Cell(f"{row.severity.value.capitalize() if row.severity else 'Not told'}, {whose[row.with_runbook]}"),
                Cell(str(row.resolved.count)),
                Cell(length(row.acknowledged.p50_s) or "?"),
                Cell(length(row.resolved.p50_s) or "?"),
                Cell(length(row.resolved.p90_s) or "?"),
            )
            for row in times
            if row.with_runbook is None or row.severity in compared
        ),
    )


def learning_dashboard(
    weeks: Sequence[LearntWeek],
    decisions: Mapping[date, DayCount],
    patterns: Sequence[Pattern],
    actions: Sequence[ActionStats],
    accuracy: Accuracy,
    *,
    covered: int,
    waiting: int,
    days: int,
    urls: Urls,
) -> DashboardScreen:
    """How learning goes: what was learnt, how sure it is, and how often people agreed."""
    charts = (
        _learnt_chart(weeks),
        _agreement_chart(accuracy),
        _confidence_chart(patterns),
        _decision_chart(decisions),
    )
    tables = (_judged_table(accuracy), _actions_table(actions))
    learnt = sum(week.incidents for week in weeks)
    in_patterns = sum(pattern.frequency for pattern in patterns)
    return DashboardScreen(
        title="AI learning progress",
        href=urls.dashboard("learning"),
        other_title="Incident trends",
        other_href=urls.dashboard("incidents"),
        days=days,
        spans=SPANS,
        figures=(
            Figure("Learnt in this span", f"{learnt:,}", counted(learnt, "incident").partition(" ")[2]),
            Figure("Patterns", f"{len(patterns):,}", f"with {counted(in_patterns, 'incident')}", urls.patterns()),
            Figure("With a runbook", f"{covered:,}", percent(covered / len(patterns)) if patterns else ""),
            Figure("Waiting for review", str(waiting), "drafts", urls.reviews()),
        ),
        charts=charts,
        tables=tuple(table for table in tables if table.rows),
        notice="" if weeks else "Nothing was learnt in this span.",
    )


def _learnt_chart(weeks: Sequence[LearntWeek]) -> Chart:
    return Chart(
        title="What was learnt",
        summary=f"{counted(sum(week.patterns for week in weeks), 'pattern')} came up.",
        kind=ChartKind.BAR,
        label_title="Week of",
        labels=tuple(week.monday.isoformat() for week in weeks),
        series=(
            Series("Incidents learnt", tuple(float(week.incidents) for week in weeks), "accent"),
            Series("New patterns", tuple(float(week.patterns) for week in weeks), "medium-bar"),
            Series("Corrected by people", tuple(float(week.corrections) for week in weeks), "critical-bar"),
        ),
    )


def _confidence_chart(patterns: Sequence[Pattern]) -> Chart:
    steps = [sum(min(9, int(10 * pattern.confidence.value)) == step for pattern in patterns) for step in range(10)]
    sure = sum(steps[5:])
    return Chart(
        title="How sure the patterns are",
        summary=f"{sure} of {counted(len(patterns), 'pattern')} at 50 % or more.",
        kind=ChartKind.BAR,
        label_title="Confidence",
        labels=tuple(f"{10 * step} to {10 * step + 10} %" for step in range(10)),
        series=(Series("Patterns", tuple(map(float, steps)), "accent"),),
    )


def _decision_chart(decisions: Mapping[date, DayCount]) -> Chart:
    weeks: dict[date, list[DayCount]] = {}
    for day, count in sorted(decisions.items()):
        weeks.setdefault(day - timedelta(days=day.weekday()), []).append(count)
    return Chart(
        title="Drafts and decisions",
        summary=(
            f"{sum(count.approved for count in decisions.values())} approved, "
            f"{sum(count.rejected for count in decisions.values())} rejected."
        ),
        kind=ChartKind.STACKED,
        label_title="Week of",
        labels=tuple(monday.isoformat() for monday in weeks),
        series=(
            Series("Approved", tuple(float(sum(c.approved for c in counts)) for counts in weeks.values()), "good"),
            Series(
                "Rejected", tuple(float(sum(c.rejected for c in counts)) for counts in weeks.values()), "critical-bar"
            ),
            Series("Taken back", tuple(float(sum(c.undone for c in counts)) for counts in weeks.values()), "ink-3"),
        ),
    )


def _agreement_chart(accuracy: Accuracy) -> Chart:
    def shares(kind: str) -> tuple[float | None, ...]:
        judged = (getattr(week, kind) for week in accuracy.weeks)
        return tuple(None if one.stood.value is None else round(100 * one.stood.value, 1) for one in judged)

    return Chart(
        title="How much of it stood",
        summary="The share of what the learner did in a week that nobody refused.",
        kind=ChartKind.LINE,
        label_title="Week of",
        labels=tuple(week.monday.isoformat() for week in accuracy.weeks),
        series=(
            Series("Assignments", shares("assignments"), "accent"),
            Series("Drafts", shares("drafts"), "medium-bar"),
            Series("Recommendations", shares("recommendations"), "low-bar"),
        ),
        unit="%",
    )


def _judged_table(accuracy: Accuracy) -> Table:
    kinds = (
        ("Assignments", accuracy.assignments),
        ("Drafts", accuracy.drafts),
        ("Recommendations", accuracy.recommendations),
    )
    return Table(
        "What people said of it",
        "Most of what the learner does nobody says a word about: agreement counts those that people judged.",
        ("What", "Made", "Confirmed", "Refused", "Agreed, of those judged", "Not refused, of all"),
        tuple(_judged_row(name, judged) for name, judged in kinds if judged.made),
    )


def _judged_row(name: str, judged: Judged) -> tuple[Cell, ...]:
    return (
        Cell(name),
        Cell(f"{judged.made:,}"),
        Cell(f"{judged.confirmed:,}"),
        Cell(f"{judged.refused:,}"),
        Cell(_rate_text(judged.agreed.value, judged.agreed.trials, between(judged.agreed.interval))),
        Cell(_rate_text(judged.stood.value, judged.stood.trials, between(judged.stood.interval))),
    )


def _rate_text(value: float | None, trials: int, interval: str) -> str:
    return f"{percent(value)} ({interval})" if trials else "nobody said"


def _actions_table(actions: Sequence[ActionStats]) -> Table:
    told = [stats for stats in actions if stats.success.trials][:_MAX_ROWS]
    return Table(
        "What works",
        "Actions over all incidents, those with the best evidence first.",
        ("Action", "Worked", "95 % interval", "Worse", "Median"),
        tuple(
            (
                Cell(stats.name),
                Cell(f"{percent(stats.success.value)} ({of_trials(stats.success)})"),
                Cell(between(stats.success.interval), picture=rate_bar(stats.success)),
                Cell(str(stats.worse)),
                Cell(length(stats.median_s)),
            )
            for stats in told
        ),
    )
