"""Text of incidents as plain Markdown: whatever somebody wrote comes out as one line that shows it letter for letter.
No code, link, HTML, heading, list or hidden character survives. Pure."""

import re
from collections.abc import Sequence

from kb.alert_names import names_in_heading
from kb.invisible import without_invisible

MAX_NAMED = 3
"""So many incidents are named beside a statement; the others are counted."""

MAX_LINE_CHARS = 400
CUT_MARK = " […]"

_SEPARATORS = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]+")
_UNSAFE = re.compile(r"[\\`*\[\]<>~]|&(?=[#A-Za-z])|(?<![^\W_])_+|_+(?![^\W_])")
_LEADING = re.compile(r"^([-+=#|:]|\d+(?=[.)]))")
_KEY = re.compile(r"^([A-Za-z][A-Za-z /_-]{0,30}[ \t]{0,4}):")
_SCHEME = re.compile(r":(?=//)")


def one_line(text: str, *, max_chars: int = MAX_LINE_CHARS) -> str:
    """`text` without line breaks and characters that nobody sees, at most `max_chars` long."""
    line = " ".join(without_invisible(_SEPARATORS.sub(" ", text))[0].split())
    return line if len(line) <= max_chars else line[: max_chars - len(CUT_MARK)] + CUT_MARK


def plain(text: str, *, max_chars: int = MAX_LINE_CHARS) -> str:
    """`one_line`, with everything escaped that Markdown would make something of. Stands after a list mark or a word of
    ours, never alone at the start of a paragraph. An address is no link any more."""
    line = _UNSAFE.sub(_escaped, one_line(text, max_chars=max_chars))
    return _SCHEME.sub(":\u200a", _LEADING.sub(_behind_leading, line))


def statement(text: str) -> str:
    """`plain` for a line of its own. Whatever it begins with, a reader of runbooks takes it for prose: not for a fact
    such as `Owner: eve` nor for the name of the alert that the runbook is for."""
    line = _KEY.sub(r"\1\\:", plain(text))
    return f"written as “{line}”" if names_in_heading(one_line(text)) else line


def named(incident_ids: Sequence[str]) -> str:
    """` (inc-1, inc-2 and 3 more)`: the incidents that say it."""
    distinct = list(dict.fromkeys(incident_ids))
    names = ", ".join(plain(incident_id, max_chars=100) for incident_id in distinct[:MAX_NAMED])
    more = f" and {len(distinct) - MAX_NAMED} more" if len(distinct) > MAX_NAMED else ""
    return f" ({names}{more})"


def _escaped(match: re.Match[str]) -> str:
    return "".join(f"\\{sign}" for sign in match[0])


def _behind_leading(match: re.Match[str]) -> str:
    return f"{match[0]}\\" if match[0][0].isdigit() else f"\\{match[0]}"
