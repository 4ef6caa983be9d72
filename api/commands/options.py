"""Options that several commands share, checked once."""

from kb.errors import InvalidInput
from kb.runbook import RunbookType
from kb.severity import Severity, parse_severity


def runbook_type(text: str) -> RunbookType | None:
    """The type an option names, None for an empty one. Raises `InvalidInput`."""
    if not text:
        return None
    try:
        return RunbookType(text.lower())
    except ValueError:
        raise InvalidInput("--type", "is no type", advice="Use static, dynamic or template.") from None


def severity_of(text: str) -> Severity | None:
    """The severity an option names, None for an empty one. Raises `InvalidInput`."""
    if not text:
        return None
    severity = parse_severity(text)
    if severity is None:
        raise InvalidInput("--severity", "names no severity", advice="Use critical, high, medium, low or info.")
    return severity
