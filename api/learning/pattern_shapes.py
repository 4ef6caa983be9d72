"""Patterns, actions and recommendations -> bodies of `api.learning.pattern_schemas` (pure)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from api.learning import pattern_schemas as schemas
from api.learning.acts import PatternView, RecommendView
from api.shapes import hit_out, plain, time_text
from api.web.urls import Urls
from kb.durations import format_duration
from kb.pattern import ActionStats, Cited, Confidence, Pattern, Quantiles, Rate, Trend
from kb.pattern_records import PatternEvent
from kb.severity_policy import Level
from learner.recommend import Recommendation, SimilarIncident

MAX_SOLUTIONS = 5
MAX_TRIGGERS = 8
NOTHING_KNOWN = "Nothing is known about this: no runbook matches well and no pattern is recognised."


def rate_out(rate: Rate) -> schemas.RateOut:
    """A rate with its bounds."""
    return schemas.RateOut(
        successes=rate.successes,
        trials=rate.trials,
        value=rounded(rate.value),
        low=round(rate.interval.low, 4),
        high=round(rate.interval.high, 4),
    )


def action_out(stats: ActionStats, said: Sequence[str] = ()) -> schemas.ActionOut:
    """One action."""
    return schemas.ActionOut(
        key=plain(stats.key),
        name=plain(stats.name),
        wordings=[plain(text) for text in stats.wordings],
        commands=_cited(stats.commands),
        tried=stats.tried,
        worked=stats.worked,
        failed=stats.failed,
        worse=stats.worse,
        unknown=stats.unknown,
        success=rate_out(stats.success),
        harm=rate_out(stats.harm),
        median_s=rounded(stats.median_s),
        side_effects=_cited(stats.side_effects),
        principals=stats.principals,
        incident_ids=list(stats.incident_ids),
        feedback=[plain(note) for note in said],
    )


def pattern_summary(pattern: Pattern, urls: Urls) -> schemas.PatternSummary:
    """A pattern in a few fields."""
    return schemas.PatternSummary(**_summary_fields(pattern, urls))


def pattern_out(view: PatternView, urls: Urls) -> schemas.PatternOut:
    """A whole pattern."""
    pattern = view.pattern
    return schemas.PatternOut(
        **_summary_fields(pattern, urls),
        named_by_person=pattern.named_by_person,
        services=_counts(pattern.services),
        alerts=_counts(pattern.alerts),
        signatures=_cited(pattern.signatures),
        triggers=_cited(pattern.triggers),
        symptoms=_cited(pattern.symptoms),
        impacts=_cited(pattern.impacts),
        diagnosis=_cited(pattern.diagnosis),
        actions=[action_out(stats) for stats in pattern.actions],
        lessons=_cited(pattern.lessons),
        prevention=_cited(pattern.prevention),
        durations=durations_out(pattern.durations),
        confidence_parts=_confidence(pattern.confidence),
        incident_ids=list(pattern.evidence.incident_ids),
        principals=[plain(name) for name in pattern.evidence.principals],
        labels={plain(name): plain(value) for name, value in pattern.labels.items()},
        history=[_history(event) for event in view.history],
        runbook_ids=list(view.runbook_ids),
        review_ids=[review.id for review in view.reviews],
    )


def patterns_out(patterns: Sequence[Pattern], actions: Sequence[ActionStats], urls: Urls) -> schemas.PatternsOut:
    """All patterns and actions, in the learning format."""
    names = _distinct({pattern.id: plain(pattern.name) or pattern.id for pattern in patterns})
    return schemas.PatternsOut(
        incident_patterns={names[pattern.id]: _learnt_pattern(pattern, urls) for pattern in patterns},
        total=len(patterns),
        resolution_effectiveness=_learnt_actions(actions),
    )


def effectiveness_out(actions: Sequence[ActionStats]) -> schemas.EffectivenessOut:
    """Actions, in the learning format."""
    return schemas.EffectivenessOut(resolution_effectiveness=_learnt_actions(actions))


def similar_out(incident: SimilarIncident, urls: Urls) -> schemas.SimilarOut:
    """A past incident."""
    return schemas.SimilarOut(
        incident_id=incident.incident_id,
        title=plain(incident.title),
        similarity=round(incident.similarity, 4),
        success=incident.success,
        lasted_s=rounded(incident.lasted_s),
        worked=[plain(text) for text in incident.worked],
        url=urls.incident(incident.incident_id),
    )


def recommendation_out(found: Recommendation, urls: Urls) -> schemas.RecommendationOut:
    """What the learner recommends."""
    interval = found.expected_interval
    return schemas.RecommendationOut(
        confident=found.confident,
        pattern_id=found.pattern_id,
        pattern_name=plain(found.pattern_name),
        likelihood=round(found.likelihood, 4),
        actions=[action_out(stats, found.said.get(stats.key, ())) for stats in found.actions],
        cautions=[action_out(stats, found.said.get(stats.key, ())) for stats in found.cautions],
        similar=[similar_out(incident, urls) for incident in found.similar],
        expected_s=rounded(found.expected_s),
        expected_low_s=rounded(interval.low if interval else None),
        expected_high_s=rounded(interval.high if interval else None),
        nearest=list(found.nearest),
        said={plain(target): [plain(note) for note in notes] for target, notes in found.said.items() if notes},
    )


def recommend_out(view: RecommendView, urls: Urls) -> schemas.RecommendOut:
    """A whole recommendation."""
    found = None if view.recommendation is None else recommendation_out(view.recommendation, urls)
    answer, level = view.answer, view.level
    expected_s = found.expected_s if found else None
    return schemas.RecommendOut(
        says=says(view),
        confidence=round(view.confidence, 4),
        pattern=pattern_summary(view.pattern, urls) if view.pattern else None,
        actions=found.actions if found else [],
        cautions=found.cautions if found else [],
        similar_incidents=found.similar if found else [],
        expected_duration=None if expected_s is None else format_duration(round(expected_s)),
        expected_s=expected_s,
        expected_low_s=found.expected_low_s if found else None,
        expected_high_s=found.expected_high_s if found else None,
        severity=level.severity if level and view.has_something else None,
        escalation=escalation(level) if level and view.has_something else [],
        respond_within_s=level.respond_within_s if level and view.has_something else None,
        resolve_within_s=level.resolve_within_s if level and view.has_something else None,
        runbooks=[hit_out(hit, urls, answer.search_id) for hit in answer.hits],
        near_misses=[hit_out(hit, urls, answer.search_id) for hit in answer.near_misses],
        drafts=[hit_out(hit, urls, answer.search_id) for hit in answer.drafts],
        pattern_runbook_ids=list(view.runbook_ids),
        nearest_pattern_ids=found.nearest if found else [],
        said=found.said if found else {},
        search_id=answer.search_id,
        degraded="; ".join(part for part in (answer.degraded, view.degraded) if part),
    )


def says(view: RecommendView) -> str:
    """A recommendation in one sentence."""
    if not view.has_something:
        return NOTHING_KNOWN
    if view.pattern is None:
        return f"No pattern is recognised; the runbook '{plain(view.answer.hits[0].runbook.title)}' matches."
    pattern, found = view.pattern, view.recommendation
    seen = f"This looks like '{plain(pattern.name)}', seen {pattern.frequency} times"
    if found is None or not found.actions:
        return f"{seen}; nobody has told yet what ended it."
    best = found.actions[0]
    worked = f"'{plain(best.name)}' worked in {best.success.successes} of {best.success.trials}"
    return f"{seen}; {worked}."


def escalation(level: Level) -> list[str]:
    """Who is called, in order."""
    return [
        f"{plain(step.to)}, after {format_duration(step.after_s)}" if step.after_s else plain(step.to)
        for step in level.escalation
    ]


def trend_out(trend: Trend) -> schemas.TrendOut:
    """Where a frequency goes."""
    return schemas.TrendOut(
        recent=trend.recent,
        before=trend.before,
        window_days=round(trend.window_days, 2),
        p_value=round(trend.p_value, 4),
        direction=trend.direction.value,
    )


def _summary_fields(pattern: Pattern, urls: Urls) -> dict[str, Any]:
    return {
        "id": pattern.id,
        "name": plain(pattern.name),
        "frequency": pattern.frequency,
        "severity": pattern.severity,
        "first_seen": time_text(pattern.evidence.first_seen) or "",
        "last_seen": time_text(pattern.evidence.last_seen) or "",
        "success": rate_out(pattern.success),
        "median_s": rounded(pattern.durations.p50_s),
        "trend": trend_out(pattern.trend),
        "confidence": round(pattern.confidence.value, 4),
        "url": urls.pattern(pattern.id),
    }


def _learnt_pattern(pattern: Pattern, urls: Urls) -> schemas.LearntPattern:
    worked = [plain(stats.name) for stats in pattern.actions if stats.worked]
    triggers = [*(item.text for item in pattern.triggers), *(alert for alert, _ in pattern.alerts)]
    mean_s = pattern.durations.mean_s
    return schemas.LearntPattern(
        frequency=pattern.frequency,
        avg_resolution_time=None if mean_s is None else format_duration(round(mean_s)),
        success_rate=rounded(pattern.success.value),
        common_solutions=worked[:MAX_SOLUTIONS],
        triggers=[plain(text) for text in dict.fromkeys(triggers)][:MAX_TRIGGERS],
        pattern_id=pattern.id,
        severity=pattern.severity,
        first_seen=time_text(pattern.evidence.first_seen) or "",
        last_seen=time_text(pattern.evidence.last_seen) or "",
        trend=trend_out(pattern.trend),
        confidence=round(pattern.confidence.value, 4),
        url=urls.pattern(pattern.id),
    )


def _learnt_actions(actions: Sequence[ActionStats]) -> dict[str, schemas.LearntAction]:
    names = _distinct({stats.key: plain(stats.name) or plain(stats.key) for stats in actions})
    return {
        names[stats.key]: schemas.LearntAction(
            success_rate=rounded(stats.success.value),
            avg_time=None if stats.median_s is None else format_duration(round(stats.median_s)),
            side_effects=[plain(item.text) for item in stats.side_effects],
            tried=stats.tried,
            worked=stats.worked,
            made_worse=stats.worse,
            low=round(stats.success.interval.low, 4),
            high=round(stats.success.interval.high, 4),
        )
        for stats in actions
    }


def _distinct(names: Mapping[str, str]) -> dict[str, str]:
    """Names as keys of one object: a name that several bear is followed by what tells them apart."""
    counts = Counter(names.values())
    return {key: name if counts[name] == 1 else f"{name} ({plain(key)})" for key, name in names.items()}


def _cited(told: Iterable[Cited]) -> list[schemas.CitedOut]:
    return [schemas.CitedOut(text=plain(item.text), incident_ids=list(item.incident_ids)) for item in told]


def _counts(counted: Iterable[tuple[str, int]]) -> list[schemas.CountOut]:
    return [schemas.CountOut(name=plain(name), incidents=count) for name, count in counted]


def durations_out(durations: Quantiles) -> schemas.DurationsOut:
    """Lengths of time."""
    interval = durations.p50_interval
    return schemas.DurationsOut(
        count=durations.count,
        mean_s=rounded(durations.mean_s),
        p50_s=rounded(durations.p50_s),
        p90_s=rounded(durations.p90_s),
        p50_low_s=rounded(interval.low if interval else None),
        p50_high_s=rounded(interval.high if interval else None),
    )


def _confidence(confidence: Confidence) -> schemas.ConfidenceOut:
    return schemas.ConfidenceOut(
        value=round(confidence.value, 4),
        parts=[
            schemas.ConfidencePartOut(name=part.name, value=round(part.value, 4), because=plain(part.because))
            for part in confidence.parts
        ],
        cap=confidence.cap,
    )


def _history(event: PatternEvent) -> schemas.HistoryOut:
    change = event.change
    return schemas.HistoryOut(
        kind=change.kind.value,
        pattern_id=change.pattern_id,
        others=list(change.others),
        incidents=change.incidents,
        by=plain(change.by),
        at=time_text(event.event_time) or "",
    )


def rounded(value: float | None) -> float | None:
    """Four digits after the point are more than any number here knows."""
    return None if value is None else round(value, 4)
