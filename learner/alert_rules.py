"""Prometheus alerting rules out of patterns: warn of an alert that comes back more often than it used to, of one that
lasts longer than it used to, and of a trigger that incidents name and no alert watches. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from scipy.special import pdtr

from kb.durations import format_duration
from kb.pattern import Cited, Direction, Pattern
from learner.intervals import LEVEL

WEEK_DAYS = 7
MIN_OFTEN = 5
"""Incidents from which on it is known how often a pattern comes."""
MIN_TIMES = 6
"""Durations from which on it is known how long it lasts; with fewer the median has no interval either."""
MIN_CITED = 2
MAX_NAME_CHARS = 80
MAX_TEXT_CHARS = 300

_NOT_NAME = re.compile(r"[^a-zA-Z0-9]+")
_METRIC = r"[a-zA-Z_][a-zA-Z0-9_]{0,100}[_:][a-zA-Z0-9_:]{0,100}"
_VALUE = r"\"[^\"\\{}\n]{0,100}\""
_EXPRESSION = r"\"(?:[\w-]|\.[*+]?|\|){1,100}\""
_MATCHER = rf"(?!__name__)[a-zA-Z_]\w{{0,60}}\s{{0,3}}(?:!?=\s{{0,3}}{_VALUE}|[=!]~\s{{0,3}}{_EXPRESSION})"
_VECTOR = rf"{_METRIC}(?:\s{{0,3}}\{{\s{{0,3}}(?:{_MATCHER}(?:\s{{0,3}},\s{{0,3}}{_MATCHER}){{0,9}})?\s{{0,3}}\}})?"
_RANGED = (
    r"(?:rate|irate|increase|delta|deriv|changes|resets|(?:avg|min|max|sum|count)_over_time)"
    rf"\s{{0,3}}\(\s{{0,3}}{_VECTOR}\[[1-9]\d{{0,3}}[smhdw]\]\s{{0,3}}\)"
)
_INNER = rf"(?:{_RANGED}|absent\s{{0,3}}\(\s{{0,3}}{_VECTOR}\s{{0,3}}\)|{_VECTOR})"
_LABELS = r"\(\s{0,3}[a-zA-Z_]\w{0,60}(?:\s{0,3},\s{0,3}[a-zA-Z_]\w{0,60}){0,9}\s{0,3}\)"
_BY = rf"(?:(?:by|without)\s{{0,3}}{_LABELS}\s{{0,3}})?"
_GROUPED = rf"(?:sum|avg|min|max|count)\s{{0,3}}{_BY}\(\s{{0,3}}{_INNER}\s{{0,3}}\)"
_CONDITION = re.compile(
    rf"(?:{_GROUPED}|{_INNER})\s{{0,3}}(?:==|!=|>=|<=|>|<)\s{{0,3}}-?\d{{1,15}}(?:\.\d{{1,9}})?", re.ASCII
)
_KEYWORDS = re.compile(r"\b(?:count_values|group_left|group_right)\b")


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One rule and why it is proposed. `hold_s` is how long the expression must hold; `is_news` tells that it is worth
    a word by itself: what it watches is rising, or watched by nothing."""

    name: str
    expr: str
    hold_s: int
    says: str
    pattern_id: str
    incident_ids: tuple[str, ...]
    is_news: bool = False


def alert_rules(patterns: Iterable[Pattern]) -> tuple[AlertRule, ...]:
    """All rules, at most one of each kind for an alert or a trigger: that of the pattern it occurs in most."""
    rules: dict[tuple[str, str], AlertRule] = {}
    for pattern in sorted(patterns, key=lambda pattern: (-pattern.frequency, pattern.id)):
        for rule in _of(pattern):
            rules.setdefault((rule.name, rule.expr), rule)
    return tuple(sorted(rules.values(), key=lambda rule: (rule.name, rule.expr)))


def prometheus_rules(patterns: Iterable[Pattern]) -> str:
    """The text of a Prometheus rule file; empty when there is nothing to warn of. Every string in it is quoted and
    holds no template, whatever incidents are called."""
    rules = alert_rules(patterns)
    if not rules:
        return ""
    lines = ["groups:", "  - name: sre-kb", "    rules:"]
    for rule in rules:
        lines += _written(rule)
    return "\n".join([*lines, ""])


def is_condition(text: str) -> bool:
    """Whether a text is a PromQL comparison of a kind that is sure to be one: a metric, perhaps with labels, a range
    function and an aggregation, against a number."""
    return len(text) <= MAX_TEXT_CHARS and bool(_CONDITION.fullmatch(text)) and not _KEYWORDS.search(text)


def usual_in_a_week(pattern: Pattern) -> int:
    """How many incidents a week may bring without being unusual: the 97.5 % quantile of a Poisson count at the rate
    from before the latest change."""
    trend, evidence = pattern.trend, pattern.evidence
    if trend.direction is Direction.RISING:
        mean = WEEK_DAYS * trend.before / trend.window_days
    else:
        days = (evidence.last_seen - evidence.first_seen).total_seconds() / 86400
        mean = WEEK_DAYS * pattern.frequency / max(days, WEEK_DAYS)
    count = 1
    while pdtr(count, mean) < 1 - (1 - LEVEL) / 2:
        count += 1
    return count


def _of(pattern: Pattern) -> Iterator[AlertRule]:
    if not pattern.alerts:
        for trigger in pattern.triggers:
            if len(trigger.incident_ids) >= MIN_CITED and is_condition(expression := trigger.text.strip(" `")):
                yield _of_trigger(pattern, trigger, expression)
        return
    for alert, _ in pattern.alerts[:3]:
        if pattern.trend.direction is Direction.RISING or pattern.frequency >= MIN_OFTEN:
            yield _of_recurrence(pattern, alert)
        if pattern.durations.count >= MIN_TIMES and pattern.durations.p90_s:
            yield _of_duration(pattern, alert, pattern.durations.p90_s)


def _of_trigger(pattern: Pattern, trigger: Cited, expression: str) -> AlertRule:
    times = len(trigger.incident_ids)
    return AlertRule(
        name="Trigger" + _named(expression),
        expr=expression,
        hold_s=60,
        says=f"{pattern.name}: {times} incidents began with {expression}, and no alert of theirs is known",
        pattern_id=pattern.id,
        incident_ids=trigger.incident_ids,
        is_news=True,
    )


def _of_recurrence(pattern: Pattern, alert: str) -> AlertRule:
    usual = usual_in_a_week(pattern)
    # A series that appears is one occurrence, a series that comes back after a pause is another.
    series = f"ALERTS_FOR_STATE{{alertname={quoted(alert)}}}[{WEEK_DAYS}d]"
    is_rising = pattern.trend.direction is Direction.RISING
    return AlertRule(
        name="Recurring" + _named(alert),
        expr=f"count(count_over_time({series})) + sum(changes({series})) > {usual}",
        hold_s=0,
        says=f"{pattern.name}: {alert} came more than {usual} times in a week, more often than it used to",
        pattern_id=pattern.id,
        incident_ids=pattern.evidence.incident_ids[-pattern.trend.recent :] if is_rising else (),
        is_news=is_rising,
    )


def _of_duration(pattern: Pattern, alert: str, p90_s: float) -> AlertRule:
    after_s = max(60, round(p90_s))
    return AlertRule(
        name="Lasting" + _named(alert),
        expr=f"time() - min(ALERTS_FOR_STATE{{alertname={quoted(alert)}}}) > {after_s}",
        hold_s=0,
        says=f"{pattern.name}: {alert} has lasted {format_duration(after_s)}, longer than 9 of 10 did",
        pattern_id=pattern.id,
        incident_ids=(),
    )


def _written(rule: AlertRule) -> list[str]:
    hold = [f"        for: {rule.hold_s}s"] if rule.hold_s else []
    return [
        f"      - alert: {quoted(rule.name)}",
        f"        expr: {quoted(rule.expr)}",
        *hold,
        "        labels:",
        '          severity: "warning"',
        f"          pattern: {quoted(rule.pattern_id)}",
        "        annotations:",
        f"          summary: {quoted(_inert(rule.says))}",
    ]


def quoted(text: str) -> str:
    """A double-quoted string that YAML and PromQL read alike: printable ASCII, all else escaped, no lone surrogates."""
    return '"' + "".join(_escaped(ch) for ch in text) + '"'


def _escaped(ch: str) -> str:
    code = ord(ch)
    if ch in '"\\':
        return "\\" + ch
    if 0x20 <= code < 0x7F:
        return ch
    if 0xD800 <= code <= 0xDFFF:
        return "\\ufffd"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _inert(text: str) -> str:
    """A text in which Prometheus sees no template, on one line."""
    return re.sub(r"\{(?=\{)", "{ ", " ".join(text.split()))[:MAX_TEXT_CHARS]


def _named(text: str) -> str:
    """The letters and digits of a text as one name; what is in no alphabet of ASCII is left to the expression."""
    words: Sequence[str] = [word for word in _NOT_NAME.split(text) if word]
    return "".join(word[0].upper() + word[1:] for word in words)[:MAX_NAME_CHARS] or "Alert"
