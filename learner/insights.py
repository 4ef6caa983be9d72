"""What the patterns and the use of runbooks ask people to do: each insight names its evidence and what acts on it. Here
are those that patterns alone tell; rules, resources, upkeep of runbooks and gaps have modules of their own. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from kb.pattern import Cited, Direction, Pattern
from learner.alert_rules import AlertRule, alert_rules
from learner.gaps import find_gaps
from learner.insight import ActionKind, Insight, InsightAction, InsightKind, Surroundings
from learner.resources import find_resource_hints
from learner.upkeep import find_upkeep

MIN_HARM = 2
MIN_PREVENTION = 2
SLOW_S = 3600.0


def find_insights(
    patterns: Sequence[Pattern], *, covered: Mapping[str, str], around: Surroundings | None = None
) -> tuple[Insight, ...]:
    """All insights, weightiest first. `covered` maps a pattern to the published runbook that covers it."""
    around = around or Surroundings()
    found = [insight for pattern in patterns for insight in _of(pattern, covered, around.reviews)]
    found += [_rule_insight(rules) for rules in _by_pattern(alert_rules(patterns)).values()]
    found += find_resource_hints(patterns)
    found += find_upkeep(patterns, covered, around)
    found += find_gaps(around.failed_searches)
    return tuple(sorted(found, key=lambda one: (-one.weight, one.kind, one.pattern_id, one.text)))


def _of(pattern: Pattern, covered: Mapping[str, str], reviews: Mapping[str, str]) -> Iterator[Insight]:
    ids, trend = pattern.evidence.incident_ids, pattern.trend
    look = InsightAction(ActionKind.OPEN_PATTERN, pattern.id)
    if trend.direction is Direction.RISING:
        text = f"{pattern.name}: {trend.recent} in the last {trend.window_days:.0f} days, {trend.before} before that"
        weight = float(trend.recent - trend.before)
        yield Insight(InsightKind.RISING, text, weight, look, pattern.id, ids[-trend.recent :])
    if pattern.id not in covered:
        text = f"{pattern.name}: {pattern.frequency} incidents, no runbook"
        waiting = reviews.get(pattern.id)
        act = (
            InsightAction(ActionKind.OPEN_REVIEW, waiting)
            if waiting
            else InsightAction(ActionKind.DRAFT_RUNBOOK, pattern.id)
        )
        yield Insight(InsightKind.NO_RUNBOOK, text, float(pattern.frequency), act, pattern.id, ids)
    for stats in pattern.actions:
        if stats.worse >= MIN_HARM:
            text = f"{pattern.name}: {stats.name} made it worse in {stats.worse} of {stats.tried} incidents"
            yield Insight(InsightKind.HARMFUL_ACTION, text, 2.0 * stats.worse, look, pattern.id, stats.worse_ids)
    for asked in pattern.prevention:
        if len(asked.incident_ids) >= MIN_PREVENTION:
            yield Insight(
                InsightKind.PREVENTION,
                _prevention_text(pattern, asked),
                float(len(asked.incident_ids)),
                look,
                pattern.id,
                asked.incident_ids,
            )
    if pattern.durations.p50_s is not None and pattern.durations.p50_s > SLOW_S:
        text = f"{pattern.name}: half of them last longer than {pattern.durations.p50_s / 60:.0f} minutes"
        yield Insight(InsightKind.SLOW_RECOVERY, text, pattern.durations.p50_s / SLOW_S, look, pattern.id, ids)


def _prevention_text(pattern: Pattern, asked: Cited) -> str:
    """What people asked for, how often, and how often it happened again after they had first asked."""
    order = pattern.evidence.incident_ids
    since = len(order) - 1 - min(order.index(one) for one in asked.incident_ids)
    text = f"{pattern.name}: {len(asked.incident_ids)} incidents ask for “{asked.text}”"
    return f"{text}; it happened {since} times after the first of them" if since > 1 else text


def _by_pattern(rules: Sequence[AlertRule]) -> Mapping[str, list[AlertRule]]:
    found: dict[str, list[AlertRule]] = {}
    for rule in rules:
        if rule.is_news:
            found.setdefault(rule.pattern_id, []).append(rule)
    return found


def _rule_insight(rules: Sequence[AlertRule]) -> Insight:
    ids = tuple(dict.fromkeys(incident_id for rule in rules for incident_id in rule.incident_ids))
    text = "; ".join(dict.fromkeys(rule.says for rule in rules))
    pattern_id = rules[0].pattern_id
    act = InsightAction(ActionKind.COPY_RULES, pattern_id)
    return Insight(InsightKind.ALERT_RULE, text, 0.5 * len(ids), act, pattern_id, ids)
