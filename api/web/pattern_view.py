"""Patterns as their pages show them: the list, and one pattern with its numbers. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from markupsafe import Markup

from api.learning.acts import PatternView
from api.web.amounts import between, between_lengths, counted, length, moment, of_trials, percent
from api.web.chart import Chart, ChartKind, Series, by_week, week_starts
from api.web.graphics import duration_strip, rate_bar, sparkline
from api.web.incident_view import IncidentLine, incident_line
from api.web.marks import ago
from api.web.recommend_view import ActionLine, action_lines
from api.web.urls import Urls
from kb.incident_records import StoredIncident
from kb.pattern import ChangeKind, Cited, Confidence, Direction, Pattern, PatternChange, Rate, Trend
from kb.pattern_records import PatternEvent
from kb.review_records import Review, ReviewStatus

SPARK_WEEKS = 26
MAX_SHOWN_INCIDENTS = 500
_MAX_CITED = 12
_MAX_NAMED = 5
_TREND_WORDS = {Direction.RISING: "Rising", Direction.FALLING: "Falling", Direction.STEADY: "Steady"}
_TREND_TONES = {Direction.RISING: "bad", Direction.FALLING: "good", Direction.STEADY: "plain"}
_STATUS_WORDS = {
    ReviewStatus.OPEN: "draft, waits for review",
    ReviewStatus.APPROVED: "approved",
    ReviewStatus.REJECTED: "rejected",
    ReviewStatus.UNDONE: "decision taken back",
}


@dataclass(frozen=True, slots=True)
class TrendWords:
    """Where the frequency goes, in a word and in its numbers."""

    word: str
    tone: str
    told: str


@dataclass(frozen=True, slots=True)
class RateWords:
    """A share with its interval, as a picture and in words."""

    bar: Markup
    share: str
    counts: str
    interval: str


@dataclass(frozen=True, slots=True)
class PatternLine:
    """One line of the list."""

    id: str
    href: str
    name: str
    severity: str
    frequency: int
    spark: Markup
    trend: TrendWords
    success: RateWords
    median: str
    last_seen: str
    confidence: int
    services: tuple[str, ...]
    runbook_href: str


@dataclass(frozen=True, slots=True)
class CitedLine:
    """A wording and the incidents that say it."""

    text: str
    count: int
    incidents: tuple[tuple[str, str], ...]
    more: int


@dataclass(frozen=True, slots=True)
class ConfidenceRow:
    """One factor of the confidence."""

    name: str
    percent: int
    because: str


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One line of a pattern's history."""

    when: str
    at: str
    text: str


@dataclass(frozen=True, slots=True)
class DraftLink:
    """A draft or runbook written for the pattern."""

    href: str
    kind: str
    status: str
    runbook_href: str


@dataclass(frozen=True, slots=True)
class PatternScreen:
    """Everything the page of one pattern says."""

    id: str
    name: str
    named_by: str
    severity: str
    frequency: int
    first_seen: str
    last_seen: str
    services: tuple[tuple[str, int], ...]
    alerts: tuple[tuple[str, int], ...]
    trend: TrendWords
    chart: Chart
    success: RateWords
    median: str
    median_interval: str
    longest: str
    mean: str
    strip: Markup
    confidence: int
    confidence_parts: tuple[ConfidenceRow, ...]
    confidence_cap: str
    principals: tuple[str, ...]
    actions: tuple[ActionLine, ...]
    cited: tuple[tuple[str, tuple[CitedLine, ...]], ...]
    incidents: tuple[IncidentLine, ...]
    hidden_incidents: int
    history: tuple[HistoryLine, ...]
    drafts: tuple[DraftLink, ...]


def trend_words(trend: Trend) -> TrendWords:
    """A trend with the numbers and the significance behind it."""
    chance = "under 0.1 %" if trend.p_value < 0.001 else f"{100 * trend.p_value:.1f} %"
    days = f"{trend.window_days:.0f}"
    told = (
        f"{trend.recent} in the latest {days} days, {trend.before} in the {days} before; "
        f"chance alone would do that with a probability of {chance}"
    )
    return TrendWords(_TREND_WORDS[trend.direction], _TREND_TONES[trend.direction], told)


def rate_words(rate: Rate) -> RateWords:
    """A share for the page; its interval is the whole range when nobody said anything."""
    return RateWords(rate_bar(rate), percent(rate.value), of_trials(rate), between(rate.interval))


def pattern_line(
    pattern: Pattern, began: Sequence[datetime], weeks: Sequence[date], *, runbook_id: str, urls: Urls, now: datetime
) -> PatternLine:
    """One line of the list; `began` are the starts of its incidents, as far as they lie in `weeks`."""
    counts = by_week(began, weeks)
    told = f"{counted(sum(counts), 'incident')} in {len(weeks)} weeks"
    return PatternLine(
        id=pattern.id,
        href=urls.pattern(pattern.id),
        name=pattern.name,
        severity=pattern.severity.value if pattern.severity else "",
        frequency=pattern.frequency,
        spark=sparkline(counts, told),
        trend=trend_words(pattern.trend),
        success=rate_words(pattern.success),
        median=length(pattern.durations.p50_s),
        last_seen=ago(pattern.evidence.last_seen, now),
        confidence=round(100 * pattern.confidence.value),
        services=tuple(name for name, _ in pattern.services[:3]),
        runbook_href=urls.runbook(runbook_id) if runbook_id else "",
    )


def spark_weeks(patterns: Iterable[Pattern], now: datetime) -> tuple[date, ...]:
    """The weeks that sparklines show: the latest half year in which anything happened."""
    latest = max((pattern.evidence.last_seen for pattern in patterns), default=now)
    last = min(latest, now).date()
    return week_starts(last - timedelta(days=7 * (SPARK_WEEKS - 1)), last)


def pattern_screen(
    view: PatternView, incidents: Mapping[str, StoredIncident], *, urls: Urls, now: datetime
) -> PatternScreen:
    """One pattern; `incidents` holds those of its incidents that are shown and counted by time."""
    pattern = view.pattern
    known = [incidents[key] for key in pattern.evidence.incident_ids if key in incidents]
    shown = list(reversed(known))[:MAX_SHOWN_INCIDENTS]
    lengths = [lasted for stored in known if (lasted := stored.incident.lasted_s) is not None]
    durations = pattern.durations
    return PatternScreen(
        id=pattern.id,
        name=pattern.name,
        named_by=view.record.named_by,
        severity=pattern.severity.value if pattern.severity else "",
        frequency=pattern.frequency,
        first_seen=moment(pattern.evidence.first_seen),
        last_seen=moment(pattern.evidence.last_seen),
        services=pattern.services,
        alerts=pattern.alerts,
        trend=trend_words(pattern.trend),
        chart=trend_chart(pattern, [stored.incident.started_at for stored in known]),
        success=rate_words(pattern.success),
        median=length(durations.p50_s),
        median_interval=between_lengths(durations.p50_interval),
        longest=length(durations.p90_s),
        mean=length(durations.mean_s),
        strip=duration_strip(lengths, durations, _durations_told(pattern, len(lengths))),
        confidence=round(100 * pattern.confidence.value),
        confidence_parts=_confidence_rows(pattern.confidence),
        confidence_cap=percent(pattern.confidence.cap),
        principals=pattern.evidence.principals,
        actions=action_lines(pattern.actions),
        cited=_all_cited(pattern, incidents, urls),
        incidents=tuple(incident_line(stored, {}, urls=urls, now=now) for stored in shown),
        hidden_incidents=len(pattern.evidence.incident_ids) - len(shown),
        history=tuple(_history_line(event, now) for event in reversed(view.history)),
        drafts=tuple(_draft(review, urls) for review in view.reviews),
    )


def trend_chart(pattern: Pattern, began: Sequence[datetime]) -> Chart:
    """Incidents by week over the life of the pattern, by month when it is longer than two years."""
    first, last = pattern.evidence.first_seen.date(), pattern.evidence.last_seen.date()
    weeks = week_starts(first, last)
    return Chart(
        title="How often",
        summary=f"{trend_words(pattern.trend).word}: {trend_words(pattern.trend).told}.",
        kind=ChartKind.BAR,
        label_title="Week of",
        labels=tuple(week.isoformat() for week in weeks),
        series=(Series("Incidents", tuple(map(float, by_week(began, weeks))), "accent"),),
    )


def _durations_told(pattern: Pattern, count: int) -> str:
    durations = pattern.durations
    interval = f", {between_lengths(durations.p50_interval)} with 95 % confidence" if durations.p50_interval else ""
    return f"{counted(count, 'length')} of time; median {length(durations.p50_s)}{interval}"


def _confidence_rows(confidence: Confidence) -> tuple[ConfidenceRow, ...]:
    return tuple(ConfidenceRow(part.name, round(100 * part.value), part.because) for part in confidence.parts)


def _all_cited(
    pattern: Pattern, incidents: Mapping[str, StoredIncident], urls: Urls
) -> tuple[tuple[str, tuple[CitedLine, ...]], ...]:
    parts = (
        ("Triggers", pattern.triggers),
        ("Symptoms", pattern.symptoms),
        ("Impact", pattern.impacts),
        ("Diagnosis", pattern.diagnosis),
        ("Lessons", pattern.lessons),
        ("Prevention", pattern.prevention),
        ("What the texts have in common", pattern.signatures),
    )
    return tuple((title, cited_lines(told, incidents, urls)) for title, told in parts if told)


def cited_lines(told: Iterable[Cited], incidents: Mapping[str, StoredIncident], urls: Urls) -> tuple[CitedLine, ...]:
    """Wordings with links to the incidents behind them."""
    return tuple(
        CitedLine(
            text=cited.text,
            count=len(cited.incident_ids),
            incidents=incident_links(cited.incident_ids, incidents, urls),
            more=max(0, len(cited.incident_ids) - _MAX_NAMED),
        )
        for cited in list(told)[:_MAX_CITED]
    )


def incident_links(
    incident_ids: Sequence[str], incidents: Mapping[str, StoredIncident], urls: Urls
) -> tuple[tuple[str, str], ...]:
    """Address and text of the links to the latest of some incidents; their id where the title is not at hand."""
    latest = tuple(reversed(incident_ids))[:_MAX_NAMED]
    return tuple((urls.incident(key), incidents[key].incident.title if key in incidents else key) for key in latest)


def _history_line(event: PatternEvent, now: datetime) -> HistoryLine:
    return HistoryLine(ago(event.event_time, now), moment(event.event_time), history_text(event.change))


def history_text(change: PatternChange) -> str:
    """A line of history in words."""
    others = ", ".join(change.others)
    incidents = counted(change.incidents, "incident")
    told = {
        ChangeKind.BORN: f"Became a pattern with {incidents}",
        ChangeKind.MERGED: f"{change.pattern_id} with {incidents} became part of {others}",
        ChangeKind.SPLIT: f"{change.pattern_id} with {incidents} was split; {others} came of it",
        ChangeKind.RENAMED: "Got another name",
        ChangeKind.UNLEARNED: f"{incidents} taken out",
    }[change.kind]
    return f"{told}, by {change.by}" if change.by else told


def _draft(review: Review, urls: Urls) -> DraftLink:
    is_live = review.status is ReviewStatus.APPROVED
    return DraftLink(
        href=urls.review(review.id),
        kind="Patch to a runbook" if review.draft.kind.value == "patch" else "Runbook",
        status=_STATUS_WORDS[review.status],
        runbook_href=urls.runbook(review.draft.document_id) if is_live else "",
    )
