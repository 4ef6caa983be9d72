"""What the patterns ask people to do: look at rising ones, write the runbook that is missing, stop what makes things
worse, prevent what recurs, and be warned earlier. Each insight names its evidence. Pure."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kb.pattern import Direction, Pattern

MIN_HARM = 2
MIN_PREVENTION = 2
SLOW_S = 3600.0
_NOT_METRIC = re.compile(r"[^a-zA-Z0-9_]")


class InsightKind(StrEnum):
    """What sort of act an insight asks for."""

    RISING = "rising"
    NO_RUNBOOK = "no runbook"
    HARMFUL_ACTION = "harmful action"
    PREVENTION = "prevention"
    SLOW_RECOVERY = "slow recovery"


@dataclass(frozen=True, slots=True)
class Insight:
    """One thing to act on; `incident_ids` is the evidence, `weight` orders insights, larger first."""

    kind: InsightKind
    pattern_id: str
    text: str
    incident_ids: tuple[str, ...]
    weight: float


def find_insights(patterns: Sequence[Pattern], *, covered: frozenset[str]) -> tuple[Insight, ...]:
    """All insights, weightiest first. `covered` are the ids of patterns that a published runbook covers."""
    found = [insight for pattern in patterns for insight in _of(pattern, covered)]
    return tuple(sorted(found, key=lambda insight: (-insight.weight, insight.kind, insight.pattern_id, insight.text)))


def prometheus_rules(patterns: Iterable[Pattern]) -> str:
    """A Prometheus rule file that warns when a known alert comes back more often than it used to.

    One rule for each alert name of a rising pattern; the text is valid YAML (strings are written as JSON strings).
    Empty when there is nothing to warn of.
    """
    rules: dict[str, list[str]] = {}
    for pattern in sorted(patterns, key=lambda pattern: pattern.id):
        if pattern.trend.direction is Direction.RISING:
            for alert, count in pattern.alerts:
                rules.setdefault(alert, _rule(pattern, alert, count))
    if not rules:
        return ""
    return "\n".join(
        ["groups:", "  - name: sre-kb-recurrence", "    rules:", *(x for rule in rules.values() for x in rule), ""]
    )


def _of(pattern: Pattern, covered: frozenset[str]) -> Iterator[Insight]:
    ids, trend = pattern.evidence.incident_ids, pattern.trend
    if trend.direction is Direction.RISING:
        text = f"{pattern.name}: {trend.recent} in the last {trend.window_days:.0f} days, {trend.before} before that"
        yield Insight(InsightKind.RISING, pattern.id, text, ids[-trend.recent :], trend.recent - trend.before)
    if pattern.id not in covered:
        text = f"{pattern.name}: {pattern.frequency} incidents, no runbook"
        yield Insight(InsightKind.NO_RUNBOOK, pattern.id, text, ids, pattern.frequency)
    for stats in pattern.actions:
        if stats.worse >= MIN_HARM:
            text = f"{stats.name} made it worse in {stats.worse} of {stats.tried} incidents"
            yield Insight(InsightKind.HARMFUL_ACTION, pattern.id, text, stats.worse_ids, 2.0 * stats.worse)
    for item in pattern.prevention:
        if len(item.incident_ids) >= MIN_PREVENTION:
            yield Insight(
                InsightKind.PREVENTION, pattern.id, item.text, item.incident_ids, float(len(item.incident_ids))
            )
    if pattern.durations.p50_s is not None and pattern.durations.p50_s > SLOW_S:
        text = f"{pattern.name}: half of them last longer than {pattern.durations.p50_s / 60:.0f} minutes"
        yield Insight(InsightKind.SLOW_RECOVERY, pattern.id, text, ids, pattern.durations.p50_s / SLOW_S)


def _rule(pattern: Pattern, alert: str, count: int) -> list[str]:
    name = "Recurring" + _NOT_METRIC.sub("_", alert)
    selector = json.dumps(alert, ensure_ascii=True)
    often = max(2, pattern.trend.recent)
    days = max(1, round(pattern.trend.window_days))
    expr = f"sum(changes(ALERTS_FOR_STATE{{alertname={selector}}}[{days}d])) > {often}"
    summary = f"{pattern.name}: seen {pattern.frequency} times, {count} as {alert}".replace("{{", "{ {")
    return [
        f"      - alert: {json.dumps(name)}",
        f"        expr: {json.dumps(expr)}",
        "        labels:",
        '          severity: "warning"',
        "        annotations:",
        f"          summary: {json.dumps(summary)}",
        f"          pattern: {json.dumps(pattern.id)}",
    ]
