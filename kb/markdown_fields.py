"""Facts that authors write as `**Severity**: High` lines or two-column tables near the top, and the sentence that
sums a runbook up. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from kb.alert_names import split_names
from kb.header import parse_interval_days
from kb.markdown_blocks import Block, Prose
from kb.severity import Severity, parse_severity, severities_in
from kb.words import word_set

MAX_SUMMARY_CHARS = 280
_MAX_VALUE_CHARS = 300
_MAX_NAME_CHARS = 80
_MAX_ALERT_WORDS = 6
_LEVELS_OF_A_LIST = 3
_MIN_SUMMARY_WORDS = 4
_MIN_LEAD_IN_WORDS = 12
"""A shorter paragraph that ends in a colon only leads up to what follows it."""

_FIELD = re.compile(r"[*_]{0,3}([A-Za-z][A-Za-z /_-]{1,30})[*_]{0,3}[ \t]{0,4}:[*_]{0,3}[ \t]*(\S.*)?")
_FIELD_BREAK = re.compile(r"[ \t]{1,8}[|•·][ \t]{1,8}(?=[*_]{2})")
_LINK = re.compile(r"\[([^\]\[]{0,200})\]\([^()\s]{0,500}\)")
_MARKUP = re.compile(r"\*\*|__|`|(?<!\w)[*_]|[*_](?!\w)")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]?\s+(?=[A-Z0-9\"'(`*])")
_NOT_PROSE = re.compile(
    r"^(?:\{\{[<%]|\[\[|!\[|\[TOC\]|:::|!!!|===|\{:|\W*table of contents|\W*contents\W*$)|generated with .{0,40}doctoc",
    re.IGNORECASE,
)
_CONTENTS = frozenset(
    {"contents", "table of contents", "toc", "references", "links", "see also", "additional resources"}
)

_ASIDES = frozenset({"note", "notes", "disclaimer", "prerequisites", "pre-requisites", "requirements", "warning"})

_KEYS: dict[str, str] = {
    **dict.fromkeys(
        ("severity", "alert severity", "priority", "criticality", "severity level", "sev", "alert level"), "severity"
    ),
    **dict.fromkeys(("service", "service name", "affected service", "component"), "service"),
    **dict.fromkeys(
        ("service owner", "owner", "owners", "owned by", "team", "owning team", "responsible team"), "owner"
    ),
    **dict.fromkeys(("alert", "alerts", "alert name", "alert names", "alertname", "prometheus alert"), "alerts"),
    **dict.fromkeys(("tags", "keywords"), "tags"),
    **dict.fromkeys(("last reviewed", "reviewed", "last review", "review date"), "reviewed"),
    **dict.fromkeys(("review interval", "review cycle", "review every"), "review_interval"),
    **dict.fromkeys(("description", "alert description", "summary"), "summary"),
}
_METADATA_KEYS = word_set(
    "date duration version authors author status incident incident_id last_updated on_call rto rpo mttr "
    "expected_mttr created impact_level confidence pattern resolved_by"
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the lines said; the first usable mention of a fact counts."""

    severity: Severity | None = None
    service: str = ""
    owner: str = ""
    alerts: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    reviewed: date | None = None
    review_interval_days: int | None = None
    summary: str = ""
    metadata: Mapping[str, object] = field(default_factory=dict)


def read_facts(blocks: Iterable[Block]) -> Facts:
    """The facts that stand in these blocks as `Key: value` lines and as rows of two-column tables."""
    said: dict[str, list[str]] = {}
    metadata: dict[str, object] = {}
    for key, value, marked in _statements(blocks):
        name = _KEYS.get(key, "")
        if not value or value[0] in "[<{" or (len(value) > _MAX_VALUE_CHARS and name != "summary"):
            continue
        if name and (marked or name != "alerts" or not any(" " in alert for alert in split_names(value))):
            said.setdefault(name, []).append(value)
        elif marked and key in _METADATA_KEYS:
            metadata.setdefault(key, value)
    return Facts(
        severity=_first(_severity, said.get("severity", ())),
        service=next((value for value in said.get("service", ()) if len(value) <= _MAX_NAME_CHARS), ""),
        owner=next(iter(said.get("owner", ())), ""),
        alerts=tuple(alert for value in said.get("alerts", ()) for alert in _alerts(value)),
        tags=tuple(tag.strip() for value in said.get("tags", ()) for tag in value.split(",") if tag.strip()),
        reviewed=_first(_iso_date, said.get("reviewed", ())),
        review_interval_days=_first(parse_interval_days, said.get("review_interval", ())),
        summary=shorten(next(iter(said.get("summary", ())), "")),
        metadata=metadata,
    )


_Value = TypeVar("_Value")


def _first(parse: Callable[[str], _Value | None], values: Iterable[str]) -> _Value | None:
    """The first value that can be parsed."""
    return next((parsed for value in values if (parsed := parse(value)) is not None), None)


def _severity(value: str) -> Severity | None:
    """A severity, unless the value lists the whole scale for the author to choose from."""
    return parse_severity(value) if len(severities_in(value)) < _LEVELS_OF_A_LIST else None


def _alerts(value: str) -> tuple[str, ...]:
    return tuple(name for name in split_names(value) if len(name.split()) <= _MAX_ALERT_WORDS)


def _iso_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _statements(blocks: Iterable[Block]) -> Iterator[tuple[str, str, bool]]:
    """Keys and values in these blocks, and whether emphasis or a table marks the key as such."""
    for block in blocks:
        for prose in block.prose:
            for line in prose.source.split("\n"):
                for key, value in _fields_of(line):
                    yield key, value, line.lstrip().startswith(("*", "_"))
        for table in block.tables:
            for row in (table.header, *table.rows) if len(table.header) == 2 else ():
                if len(row) == 2:
                    yield _key(row[0]), row[1], True


def is_field_line(line: str) -> bool:
    """Whether a line of Markdown is a known `Key: value` fact rather than prose."""
    return any(key in _KEYS or key in _METADATA_KEYS for key, _ in _fields_of(line))


def _fields_of(line: str) -> Iterator[tuple[str, str]]:
    if ":" not in line or len(line) > 1_000:
        return
    for part in _FIELD_BREAK.split(line):
        if match := _FIELD.fullmatch(part.strip()):
            yield _key(match[1]), plain(match[2] or "")


def _key(text: str) -> str:
    words = " ".join(text.strip("*_: ").lower().replace("-", " ").replace("_", " ").split())
    return words if words in _KEYS else words.replace(" ", "_")


def plain(markdown: str) -> str:
    """One line of Markdown without emphasis, code marks and link targets."""
    return " ".join(_MARKUP.sub("", _LINK.sub(r"\1", markdown)).split())


def find_summary(blocks: Sequence[Block]) -> str:
    """The first real sentences of a runbook, at most 280 characters: not a fact line, a badge, a list of links or a
    table of contents. Falls back to the first list item that is a sentence; empty when there is no prose."""
    fallback = ""
    for block in blocks:
        heading = block.title.strip(":").lower()
        if heading in _CONTENTS:
            continue
        aside = heading in _ASIDES
        for prose in block.prose:
            text = _prose_text(prose)
            if not text:
                continue
            if prose.in_list or aside or (text.endswith(":") and len(text.split()) < _MIN_LEAD_IN_WORDS):
                fallback = fallback or text
                continue
            return shorten(text)
    return shorten(fallback)


def _prose_text(prose: Prose) -> str:
    if prose.source.startswith("[") and prose.source.endswith("]"):
        return ""  # a blank that a template leaves for its author
    if _NOT_PROSE.search(prose.source[:400]) or _is_mostly_links(prose):
        return ""
    lines = [line for line in prose.text.split("\n") if line.strip()]
    sources = prose.source.split("\n")
    if len(sources) == len(lines):
        lines = [line for line, source in zip(lines, sources, strict=True) if not is_field_line(source)]
    text = " ".join(" ".join(lines).split())
    if len(text.split()) < _MIN_SUMMARY_WORDS - text.endswith((".", "!")) or not any(char.isalpha() for char in text):
        return ""
    return text


def _is_mostly_links(prose: Prose) -> bool:
    """Whether hardly a word of a text stands outside its links; `moved to [the new place](x)` is prose."""
    if 2 * prose.linked_chars <= len(prose.text):
        return False
    return len(_LINK.sub(" ", prose.source).split()) < _MIN_SUMMARY_WORDS


def shorten(text: str) -> str:
    """Whole sentences of a text up to 280 characters, or its beginning up to a word's end and an ellipsis."""
    text = " ".join(text.split())
    if len(text) <= MAX_SUMMARY_CHARS:
        return text
    end = 0
    for match in _SENTENCE_END.finditer(text, 0, MAX_SUMMARY_CHARS + 2):
        if match.start() <= MAX_SUMMARY_CHARS:
            end = match.start()
    if end >= 40:
        return text[:end].rstrip()
    return text[: MAX_SUMMARY_CHARS - 1].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"
