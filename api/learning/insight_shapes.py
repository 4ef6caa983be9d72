"""Insights, trends and accuracy -> bodies of `api.learning.insight_schemas` (pure)."""

from collections.abc import Mapping, Sequence

from api.learning import insight_schemas as schemas
from api.learning.acts import AccuracyView, TrendDay
from api.learning.pattern_shapes import durations_out, rate_out, rounded
from api.shapes import plain
from api.web.urls import Urls
from kb.severity import Severity
from learner.accuracy import AccuracyWeek, Judged, ResponseTimes
from learner.insight import ActionKind, Insight, InsightAction


def insights_out(insights: Sequence[Insight], urls: Urls) -> schemas.InsightsOut:
    """All insights."""
    return schemas.InsightsOut(insights=[insight_out(one, urls) for one in insights], total=len(insights))


def insight_out(insight: Insight, urls: Urls) -> schemas.InsightOut:
    """One insight."""
    return schemas.InsightOut(
        kind=insight.kind.value,
        text=plain(insight.text),
        weight=round(insight.weight, 4),
        action=schemas.InsightActionOut(
            kind=insight.action.kind.value,
            subject=plain(insight.action.subject),
            url=page_of(insight.action, urls),
        ),
        pattern_id=insight.pattern_id,
        incident_ids=list(insight.incident_ids),
        runbook_ids=list(insight.runbook_ids),
        search_ids=list(insight.search_ids),
    )


def page_of(action: InsightAction, urls: Urls) -> str:
    """The page where an action is done; empty where there is none."""
    kind, subject = action.kind, action.subject
    if kind in (ActionKind.OPEN_PATTERN, ActionKind.DRAFT_RUNBOOK):
        return urls.pattern(subject)
    if kind is ActionKind.OPEN_REVIEW:
        return urls.review(subject)
    if kind in (ActionKind.OPEN_RUNBOOK, ActionKind.MARK_REVIEWED):
        return urls.runbook(subject)
    return urls.act(subject, "edit") if kind is ActionKind.EDIT_RUNBOOK else ""


def trends_out(days: Sequence[TrendDay]) -> schemas.TrendsOut:
    """Incidents by day."""
    return schemas.TrendsOut(
        days=[
            schemas.TrendDayOut(
                day=one.day.isoformat(),
                total=one.total,
                by_severity=_by_severity(one.by_severity),
                resolved=one.resolved,
                median_s=rounded(one.median_s),
            )
            for one in days
        ],
        total=sum(one.total for one in days),
    )


def accuracy_out(view: AccuracyView) -> schemas.AccuracyOut:
    """How often the learner was right."""
    accuracy = view.accuracy
    return schemas.AccuracyOut(
        weeks=[_week(week) for week in accuracy.weeks],
        assignments=_judged(accuracy.assignments),
        drafts=_judged(accuracy.drafts),
        recommendations=_judged(accuracy.recommendations),
        response_times=[_times(times) for times in view.times],
    )


def _week(week: AccuracyWeek) -> schemas.AccuracyWeekOut:
    return schemas.AccuracyWeekOut(
        monday=week.monday.isoformat(),
        assignments=_judged(week.assignments),
        drafts=_judged(week.drafts),
        recommendations=_judged(week.recommendations),
    )


def _judged(judged: Judged) -> schemas.JudgedOut:
    return schemas.JudgedOut(
        made=judged.made,
        confirmed=judged.confirmed,
        refused=judged.refused,
        undone=judged.undone,
        agreed=rate_out(judged.agreed),
        stood=rate_out(judged.stood),
    )


def _times(times: ResponseTimes) -> schemas.ResponseTimesOut:
    return schemas.ResponseTimesOut(
        severity=times.severity,
        with_runbook=times.with_runbook,
        acknowledged=durations_out(times.acknowledged),
        resolved=durations_out(times.resolved),
    )


def _by_severity(counts: Mapping[Severity | None, int]) -> dict[str, int]:
    return {severity.value if severity else "unknown": count for severity, count in counts.items() if count}
