"""Runbook -> text: front matter and Markdown such that parsing gives the same runbook again. Pure."""

import math
from collections.abc import Mapping, Sequence
from datetime import date

from kb.errors import InvalidInput
from kb.front_matter import (
    MAX_DEPTH,
    MAX_FRONT_MATTER_BYTES,
    MAX_INT_DIGITS,
    render_front_matter,
    split_front_matter,
)
from kb.runbook import Runbook, RunbookType
from kb.severity import Severity


def render_runbook(runbook: Runbook) -> str:
    """A file's text for this runbook: its fields as front matter, then its Markdown. Parsing the result under the
    same path gives back every field that front matter carries. Raises InvalidInput as `render_new` does."""
    fields: dict[str, object] = {"id": runbook.id, "title": runbook.title, "type": runbook.type.value}
    optional: dict[str, object] = {
        "severity": runbook.severity.value if runbook.severity else "",
        "service": runbook.service,
        "alerts": list(runbook.alerts),
        "tags": list(runbook.tags),
        "owner": runbook.owner,
        "reviewed": runbook.reviewed,
        "review_interval": f"{runbook.review_interval_days}d" if runbook.review_interval_days else "",
        "summary": runbook.summary,
        "runbook_url": list(runbook.runbook_urls),
        "steps": list(runbook.steps),
        "metadata": dict(runbook.metadata),
    }
    fields.update((name, value) for name, value in optional.items() if value)
    return _assemble(fields, runbook.text)


def render_new(
    *,
    title: str,
    content: str,
    type: RunbookType | None = None,
    severity: Severity | None = None,
    tags: Sequence[str] = (),
    metadata: Mapping[str, object] | None = None,
    runbook_id: str = "",
) -> str:
    """A file's text for a new runbook out of what a client sent: Markdown and a few fields.

    Front matter that the content brings along is kept where the fields say nothing, and a first heading is added
    where the content has none. Raises InvalidInput when a value is not plain (text, number, true, false, none, lists
    and mappings of those), when the fields nest too deep or exceed 16 KiB, or when a text cannot be stored as UTF-8.
    """
    front = split_front_matter(content, path="content")
    header = front.header
    body = content[front.body_start :].lstrip("\n")
    chosen_type = type.value if type else header.type
    chosen_severity = severity or header.severity
    fields: dict[str, object] = {
        "id": runbook_id or header.id,
        "title": title or header.title,
        "type": chosen_type,
        "severity": chosen_severity.value if chosen_severity else "",
        "service": header.service,
        "alerts": list(header.alerts),
        "tags": list(dict.fromkeys((*tags, *header.tags))),
        "owner": header.owner,
        "reviewed": header.reviewed,
        "review_interval": f"{header.review_interval_days}d" if header.review_interval_days else "",
        "summary": header.summary,
        "runbook_url": list(header.runbook_urls),
        "steps": list(header.steps),
        "metadata": {**header.metadata, **(metadata or {})},
    }
    if not any(line.startswith("#") for line in body.split("\n", 1)[:1]):
        body = f"# {' '.join(title.split())}\n\n{body}"
    return _assemble(
        {name: value for name, value in fields.items() if value}, body if body.endswith("\n") else body + "\n"
    )


def _assemble(fields: Mapping[str, object], body: str) -> str:
    for name, value in fields.items():
        _check_plain(name, value, depth=1)
    front = render_front_matter(fields)
    text = f"{front}\n{body}"
    try:
        size = len(front.encode("utf-8"))
        body.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidInput("content", "it holds half of a surrogate pair", advice="Send valid Unicode.") from error
    if size > MAX_FRONT_MATTER_BYTES:
        reason = f"title, tags, steps and metadata together exceed {MAX_FRONT_MATTER_BYTES // 1024} KiB"
        raise InvalidInput("metadata", reason, advice="Move long texts into the content.")
    return text


def _check_plain(name: str, value: object, *, depth: int) -> None:
    """Refuse what front matter cannot hold and give back unchanged."""
    if depth > MAX_DEPTH:
        raise InvalidInput(name, f"it is nested more than {MAX_DEPTH} levels deep", advice="Flatten it.")
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise InvalidInput(name, "its keys must be texts", advice="Put quotes around them.")
        for item in value.values():
            _check_plain(name, item, depth=depth + 1)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _check_plain(name, item, depth=depth + 1)
    else:
        _check_scalar(name, value)


def _check_scalar(name: str, value: object) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidInput(name, "a number in it is not finite", advice="Send it as text.")
    if isinstance(value, int) and abs(value) >= 10**MAX_INT_DIGITS:
        reason = f"a whole number in it has more than {MAX_INT_DIGITS} digits"
        raise InvalidInput(name, reason, advice="Send it as text.")
    if value is not None and not isinstance(value, (str, bool, int, float, date)):
        reason = f"values of type {value.__class__.__name__} cannot be stored"
        raise InvalidInput(name, reason, advice="Send texts, numbers, lists and mappings.")
