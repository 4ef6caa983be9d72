"""One severity scale, and every vocabulary that maps onto it. Pure."""

import re
from collections.abc import Iterable
from enum import StrEnum


class Severity(StrEnum):
    """How bad, worst first: critical, high, medium, low. `info` is for signals that ask for nothing."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


WORST_FIRST: tuple[Severity, ...] = tuple(Severity)
_RANK = {severity: rank for rank, severity in enumerate(WORST_FIRST)}

_WORDS: dict[str, Severity] = {
    **dict.fromkeys(
        ("critical", "crit", "page", "paging", "pager", "emergency", "emerg", "fatal", "disaster"), Severity.CRITICAL
    ),
    **dict.fromkeys(("blocker", "outage", "catastrophic", "urgent", "highest", "panic"), Severity.CRITICAL),
    **dict.fromkeys(("high", "error", "err", "major", "severe", "important"), Severity.HIGH),
    **dict.fromkeys(("medium", "med", "moderate", "warning", "warn", "average", "normal", "ticket"), Severity.MEDIUM),
    **dict.fromkeys(("low", "minor", "notice", "lowest", "trivial"), Severity.LOW),
    **dict.fromkeys(("info", "informational", "information", "none", "debug", "ok", "cosmetic"), Severity.INFO),
}

_FROM_ZERO = dict(zip("01234", WORST_FIRST, strict=True)) | {"5": Severity.INFO}
_FROM_ONE = dict(zip("12345", WORST_FIRST, strict=True)) | {"0": Severity.CRITICAL}
"""Most who write SEV1 have no SEV0, and ServiceNow and PagerDuty count priorities from one; P codes start at P0."""

_CODE_FROM_ZERO = re.compile(r"p(?:rio)?[\s:#-]?([0-5])")
_CODE_FROM_ONE = re.compile(r"(?:severity|priority|sev|s)[\s:#-]?([0-5])")
_TOKEN = re.compile(r"(?:severity|priority|prio|sev|p)[\s:#-]?[0-5](?![0-9a-z.])|[a-z]+[0-9]*|[0-9]+")
_NEGATION = re.compile(r"\b(?:non|not|no|un)[- ]?(?=critical|urgent|emergency|paging|important)")
_MAX_CHARS = 200


def parse_severity(text: str) -> Severity | None:
    """Read a severity in any common vocabulary; the worst one named when the text is a phrase (`warning/critical`).

    Known are words (critical, high, medium, low, info; page, warning, none; error, major, minor, emergency), codes
    counted from zero (P0 to P4) and from one (sev1, s1 as GitLab writes it, `priority 1`), and a bare digit 1 to 5 as
    PagerDuty and ServiceNow count priorities. None when nothing in the text names a severity.
    """
    phrase = _NEGATION.sub("no", text[:_MAX_CHARS].strip().lower())
    if phrase in _FROM_ONE:
        return _FROM_ONE[phrase]
    named = [severity for token in _TOKEN.findall(phrase) if (severity := _parse_token(token)) is not None]
    return worst(named)


def severities_in(text: str) -> frozenset[Severity]:
    """Every level that a phrase names; three or more mean that it lists the scale rather than choosing from it."""
    found = (_parse_token(token) for token in _TOKEN.findall(text[:_MAX_CHARS].lower()))
    return frozenset(severity for severity in found if severity is not None)


def worst(severities: Iterable[Severity]) -> Severity | None:
    """The worst of some severities; None when there are none."""
    return min(severities, key=_RANK.__getitem__, default=None)


def _parse_token(token: str) -> Severity | None:
    if token in _WORDS:
        return _WORDS[token]
    if match := _CODE_FROM_ZERO.fullmatch(token):
        return _FROM_ZERO[match[1]]
    if match := _CODE_FROM_ONE.fullmatch(token):
        return _FROM_ONE[match[1]]
    return None
