"""Text for people: snippets with their matches marked, dates, sizes and chances in plain words. Everything that leaves
here as Markup has been escaped here."""

import re
from datetime import date, datetime, timedelta

from markupsafe import Markup, escape

MARK_START = "\x02"
MARK_END = "\x03"
_PAIR = re.compile(f"{MARK_START}([^{MARK_START}{MARK_END}]*){MARK_END}")
_STRAY = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

# Lower bound of a calibrated chance -> how it is said. The words were chosen so that none promises more than its bound.
UNLIKELY = 0.25
_CHANCES = ((0.9, "almost certain"), (0.75, "very likely"), (0.5, "likely"), (UNLIKELY, "possible"), (0.0, "unlikely"))


def marked(snippet: str) -> Markup:
    """A snippet as HTML: escaped first, then the text between U+0002 and U+0003 in `<mark>`; stray marks vanish."""
    html: list[str] = []
    position = 0
    for match in _PAIR.finditer(snippet):
        html += [_plain(snippet[position : match.start()]), "<mark>", _plain(match[1]), "</mark>"]
        position = match.end()
    html.append(_plain(snippet[position:]))
    return Markup("".join(html))  # noqa: S704  # every part went through `escape`


def _plain(text: str) -> str:
    return str(escape(_STRAY.sub("", text)))


def chance_in_words(probability: float) -> str:
    """How sure a calibrated probability in [0, 1] makes us."""
    return next(words for bound, words in _CHANCES if probability >= bound or bound == 0.0)


def ago(then: datetime | None, now: datetime) -> str:
    """How long ago, in one unit; empty for None. Both times are aware."""
    if then is None:
        return ""
    seconds = (now - then).total_seconds()
    if seconds < 60:
        return "just now"
    for unit, length in (("year", 31_557_600), ("month", 2_629_800), ("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return ""


def review_due(reviewed: date | None, interval_days: int | None, today: date) -> str:
    """What to say about the review date: empty while it holds or was never promised, else how long it is overdue."""
    if reviewed is None or interval_days is None:
        return ""
    late = (today - reviewed - timedelta(days=interval_days)).days
    return "" if late <= 0 else f"overdue by {late} day{'s' if late > 1 else ''}"


def size_in_words(size_bytes: int) -> str:
    """A file's size."""
    return f"{size_bytes} B" if size_bytes < 1000 else f"{size_bytes / 1000:.1f} kB"
