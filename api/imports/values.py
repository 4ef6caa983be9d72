"""Single values of exports and bodies: texts, lists, words for states and outcomes (pure)."""

import re
from collections.abc import Iterable, Mapping

from kb.errors import InvalidInput
from kb.incident import ActionOutcome, IncidentStatus
from kb.printable import one_line
from kb.severity import Severity, parse_severity

MAX_ITEMS = 200

# What tools put into an object that stands for one value, in the order in which it says most.
_SPEAKING_KEYS = (
    "display_value",
    "displayName",
    "display_name",
    "summary",
    "name",
    "value",
    "content",
    "text",
    "email",
)

_BULLET = re.compile(r"\s*(?:[-*•·‣]|\d{1,3}[.)]|\(\d{1,3}\)|#)\s+")
_LINE_END = re.compile(r"[\r\n\u2028\u2029]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip() for word in text.split(","))


_RESOLVED = _words(
    "resolved, closed, done, fixed, complete, completed, finished, mitigated, learning, documenting, documented, "
    "debriefing, post incident, in review, 6, 7"
)
_ACKNOWLEDGED = _words(
    "acknowledged, acked, ack, investigating, under investigation, identified, fixing, monitoring, active, live, "
    "assigned, paused, on hold, in progress, work in progress, waiting for support, waiting for customer, 2, 3"
)
_OPEN = _words("open, triggered, new, firing, triage, created, reported, pending, declared, reopened, to do, 1")
_NO_INCIDENT = _words("declined, merged, canceled, cancelled, rejected, duplicate, test, tutorial, 8")
"""Words and codes for states: ours, PagerDuty's, incident.io's, Jira's and ServiceNow's."""

_OUTCOMES: Mapping[ActionOutcome, frozenset[str]] = {
    ActionOutcome.UNKNOWN: _words(", unknown"),
    ActionOutcome.HELPED: _words(
        "helped, help, worked, it worked, works, did help, success, successful, succeeded, fixed, resolved, effective, "
        "yes, true, ok"
    ),
    ActionOutcome.DID_NOT_HELP: _words(
        "did not help, didn't help, did not work, didn't work, not helped, no effect, failed, failure, unsuccessful, "
        "ineffective, useless, no, false"
    ),
    ActionOutcome.MADE_WORSE: _words("made worse, made it worse, made things worse, worse, worsened, harmful, harmed"),
}
_TRUE = _words("true, yes, y, 1, success, successful, succeeded")
_FALSE = _words("false, no, n, 0, failure, failed, unsuccessful")


def text_of(value: object) -> str:
    """A value as text: of an object what it stands for, of a list its parts on lines of their own."""
    if value is None or value != value:  # only NaN differs from itself
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping):
        return next((found for key in _SPEAKING_KEYS if (found := text_of(value.get(key)))), "")
    if isinstance(value, Iterable):
        return "\n".join(found for item in _bounded(value) if (found := text_of(item)))
    return ""


def texts_of(value: object) -> tuple[str, ...]:
    """A list of texts; a text gives its lines, without the bullets or numbers before them."""
    if isinstance(value, str):
        lines = (_BULLET.sub("", line, count=1).strip() for line in _LINE_END.split(value))
        return tuple(line for line in lines if line)[:MAX_ITEMS]
    if isinstance(value, Iterable) and not isinstance(value, Mapping | bytes):
        return tuple(found for item in _bounded(value) if (found := text_of(item)))
    found = text_of(value)
    return (found,) if found else ()


def names_of(value: object) -> tuple[str, ...]:
    """A list of names; in one text they are parted by commas, semicolons or line ends."""
    return tuple(name for part in texts_of(value) for name in map(str.strip, re.split(r"[,;]", part)) if name)


def labels_of(value: object) -> dict[str, str]:
    """Labels: an object, or names that become labels of the value `true`, or `key=value` pairs."""
    if isinstance(value, Mapping):
        return {str(key): text_of(item) for key, item in list(value.items())[:MAX_ITEMS]}
    labels = {}
    for name in names_of(value):
        key, sign, rest = name.partition("=")
        labels[key.strip()] = rest.strip() if sign else "true"
    return labels


def severity_of(value: object, *, field: str) -> Severity | None:
    """A severity in any vocabulary; None when nothing is said. Raises `InvalidInput` for what names none."""
    text = text_of(value)
    if not text:
        return None
    severity = parse_severity(text) or parse_severity(text[:1] if text[:1].isdigit() else "")
    if severity is None:
        raise InvalidInput(
            field, f"'{one_line(text[:40])}' names no severity", advice="Use critical, high, medium or low."
        )
    return severity


def status_of(value: object) -> IncidentStatus | None:
    """Where an incident stands; None when the word is not known or nothing is said.

    Raises `InvalidInput` for one that its source declined, merged into another or called off.
    """
    word = _word(value)
    if word in _NO_INCIDENT:
        raise InvalidInput("status", f"is '{one_line(word)}' at its source", advice="Nothing to do: it is left out.")
    if word in _RESOLVED:
        return IncidentStatus.RESOLVED
    if word in _ACKNOWLEDGED:
        return IncidentStatus.ACKNOWLEDGED
    return IncidentStatus.OPEN if word in _OPEN else None


def outcome_of(value: object, *, field: str) -> ActionOutcome:
    """What an action did. Raises `InvalidInput` for a word that says none of the three."""
    word = _word(value)
    for outcome, words in _OUTCOMES.items():
        if word in words:
            return outcome
    raise InvalidInput(field, f"'{one_line(word[:40])}' is none", advice="Use helped, did not help or made worse.")


def truth_of(value: object, *, field: str) -> bool | None:
    """Yes, no, or None when nothing is said. Raises `InvalidInput` for what is neither."""
    word = text_of(value).casefold()
    if not word:
        return None
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise InvalidInput(field, f"'{one_line(word[:40])}' is neither yes nor no", advice="Use true or false.")


def _word(value: object) -> str:
    return " ".join(text_of(value).casefold().replace("_", " ").replace("-", " ").split())


def _bounded(items: Iterable[object]) -> list[object]:
    return [item for item, _ in zip(items, range(MAX_ITEMS), strict=False)]
