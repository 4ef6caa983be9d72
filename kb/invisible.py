"""Characters that a reader cannot see but a search, a shell or a model would: which they are, and text without them.
Pure."""

import re
from dataclasses import dataclass

_JOINER_IN_EMOJI = "(?<=[\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])\u200d(?=[\u2190-\u2bff\U0001f000-\U0001faff])"
_HIDDEN = (
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200d\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_KINDS: tuple[tuple[str, str, re.Pattern[str], str], ...] = (
    ("control-characters", "control characters", re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]"), ""),
    ("line-separators", "unusual line separators", re.compile("[\x0b\x0c\x85\u2028\u2029]"), " "),
    (
        "direction-marks",
        "marks that change the reading direction",
        re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"),
        "",
    ),
    ("hidden-characters", "invisible characters", re.compile(f"(?!{_JOINER_IN_EMOJI}){_HIDDEN}"), ""),
)
"""Code, plain words, pattern and replacement of each kind. A joiner between two emoji makes one picture and stays."""

_ANY = re.compile("|".join(pattern.pattern for _, _, pattern, _ in _KINDS))


@dataclass(frozen=True, slots=True)
class Finding:
    """How often one kind of invisible character occurs, and the 1-based line of the first."""

    code: str
    what: str
    count: int
    line: int


def without_invisible(text: str) -> tuple[str, tuple[Finding, ...]]:
    """The text without invisible characters, unusual line separators turned into spaces, and what was found. Tabs, line
    feeds and carriage returns stay, so the number of lines does too."""
    if not _ANY.search(text):
        return text, ()
    findings = []
    for code, what, pattern, replacement in _KINDS:
        first = pattern.search(text)
        if first:
            line = text.count("\n", 0, first.start()) + 1
            text, count = pattern.subn(replacement, text)
            findings.append(Finding(code, what, count, line))
    return text, tuple(findings)


def has_invisible(text: str) -> bool:
    """Whether a text holds any character that `without_invisible` would change."""
    return _ANY.search(text) is not None
