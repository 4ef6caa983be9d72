"""The incidents that a learned text names: as links to their pages, or left out of a list. And the marks by which the
learner finds its own part of a runbook again, which no reader needs. Works on HTML that is sanitised already. Pure."""

import re
from collections.abc import Iterator

from markupsafe import Markup

from api.web.urls import Urls

_SHOWN_CHARS = 8
# Quoted values of attributes may hold a ">"; everywhere else it ends the tag.
_TAG = re.compile(r"""(<(?:[^>"']|"[^"]*"|'[^']*')*>)""")
_INCIDENT = re.compile(r"\binc-[0-9a-f]{16}\b")
_MARK = re.compile(r"<p>\s*&lt;!-- /?learned [A-Za-z0-9-]{1,100} --&gt;\s*</p>")
# The list of incidents behind a statement, whole or cut off where a snippet ends.
_LIST = re.compile(
    r"\s?\(inc-[0-9a-f]{1,16}(?:,\s?inc-[0-9a-f]{1,16})*(?:\sand\s[0-9]+\smore)?(?:\)|[,\s]{0,2}(?:inc-?)?…?$)"
)
_OPAQUE = frozenset({"a", "code", "pre"})


def with_citations(html: Markup, urls: Urls) -> Markup:
    """`html` with every incident's id outside code and links as a short link, and without the learner's marks."""
    return Markup("".join(_linked(_MARK.sub("", html), urls)))  # noqa: S704  # was HTML before; ids hold no markup


def without_citations(text: str) -> str:
    """A line of plain text without the incidents that it names: in a list of hits they only stand in the way."""
    return _LIST.sub("", text)


def _linked(html: str, urls: Urls) -> Iterator[str]:
    opaque: list[str] = []
    for piece in _TAG.split(html):
        if piece.startswith("<"):
            name = re.sub(r"^</?([a-z0-9]*).*", r"\1", piece, flags=re.DOTALL)
            if name in _OPAQUE:
                if not piece.startswith("</"):
                    opaque.append(name)
                elif opaque and opaque[-1] == name:
                    opaque.pop()
            yield piece
        elif opaque:
            yield piece
        else:
            yield _INCIDENT.sub(lambda match: _link(match[0], urls), piece)


def _link(incident_id: str, urls: Urls) -> str:
    return f'<a class="cite" href="{urls.incident(incident_id)}">{incident_id[:_SHOWN_CHARS]}</a>'
