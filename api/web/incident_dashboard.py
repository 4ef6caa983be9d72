"""The dashboard of incidents: how many, how bad, how long, and which patterns rise. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from api.learning.acts import TrendDay
from api.web.amounts import counted, length
from api.web.chart import Chart, ChartKind, Series
from api.web.dashboard_view import SPANS, Cell, DashboardScreen, Figure, Table
from api.web.pattern_view import trend_words
from api.web.urls import Urls
from kb.pattern import Direction, Pattern
from kb.severity import WORST_FIRST, Severity
from learner.accuracy import ResponseTimes

_BY_WEEK_FROM = 90
_MAX_ROWS = 10


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
    is_weekly = len(days) >= _BY_WEEK_FROM
    spans = _by_week(days) if is_weekly else tuple(days)
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
        charts=(_severity_chart(spans, is_weekly=is_weekly), _length_chart(spans, is_weekly=is_weekly)),
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


def _length_chart(spans: Sequence[TrendDay], *, is_weekly: bool) -> Chart:
    return Chart(
        title="How long they last",
        summary="The middle one of the days' medians." if is_weekly else "The median of those that began on a day.",
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
