"""The day on which a person last reviewed a runbook, written into its front matter: one line changes, and nothing else
of the file. Pure."""

import re
from datetime import date

from kb.errors import InvalidInput
from kb.markdown import parse_document

_FRONT = re.compile(r"\A(\ufeff?---[ \t]*\r?\n)(.*?)(^---[ \t]*\r?$)", re.DOTALL | re.MULTILINE)
_LINE = re.compile(
    r"^(reviewed|last_reviewed|last_review|reviewed_at|reviewed_on)([ \t]*:).*?(\r?)$", re.I | re.MULTILINE
)


def with_review_date(raw: bytes, day: date, *, path: str) -> bytes:
    """The file with `day` as the day of its review. Raises `InvalidInput` where the front matter is not written so that
    one line can be changed in it."""
    text = raw.decode("utf-8", "surrogateescape")
    changed = _dated(text, day).encode("utf-8", "surrogateescape")
    if parse_document(changed, path=path).runbooks[0].reviewed != day:
        raise InvalidInput(
            "reviewed", f"cannot be written into {path}", advice=f"Edit the file and write 'reviewed: {day}' yourself."
        )
    return changed


def _dated(text: str, day: date) -> str:
    front = _FRONT.match(text)
    if front is None:
        return f"---\nreviewed: {day}\n---\n\n{text}"
    opening, body, closing = front.groups()
    body, count = _LINE.subn(rf"\g<1>\g<2> {day}\g<3>", body, count=1)
    if not count:
        body += f"reviewed: {day}\n"
    return f"{opening}{body}{closing}{text[front.end() :]}"
