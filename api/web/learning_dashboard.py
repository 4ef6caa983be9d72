"""The dashboard of learning: what was learnt, how sure it is, and how often people agreed. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from api.learning.overviews import LearntWeek
from api.web.amounts import between, counted, length, of_trials, percent
from api.web.chart import Chart, ChartKind, Series
from api.web.dashboard_view import SPANS, Cell, DashboardScreen, Figure, Table
from api.web.graphics import rate_bar
from api.web.urls import Urls
from kb.pattern import ActionStats, Pattern
from kb.review_records import DayCount
from learner.accuracy import Accuracy, Judged

_MAX_ROWS = 10


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
