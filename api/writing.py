"""Fields that a client sends -> the text of a runbook's file. Pure."""

from api.acts import WrittenRunbook
from kb.errors import InvalidInput
from kb.front_matter import render_front_matter, split_front_matter
from kb.header import Header
from kb.render import render_new
from kb.runbook import Document
from kb.slugs import is_valid_id, slugify


def new_id(wanted: str | None, title: str) -> str:
    """The id of a new runbook: the one asked for, or one made of its title. Raises `InvalidInput`."""
    if wanted is not None and not is_valid_id(wanted):
        raise InvalidInput(
            "body.id",
            "may hold lower-case letters, digits and hyphens, begins with a letter or digit, has at most 100 "
            "characters and is no reserved word",
            advice="Leave it out to get one made of the title.",
        )
    chosen = wanted or slugify(title)
    if not is_valid_id(chosen):
        raise InvalidInput("body.title", "makes no usable id", advice="Send an id of your own in body.id.")
    return chosen


def new_text(written: WrittenRunbook, runbook_id: str) -> bytes:
    """The file of a new runbook. Raises `InvalidInput` for what cannot be written."""
    _check(written)
    text = render_new(
        title=written.title,
        content=written.content,
        type=written.type,
        severity=written.severity,
        tags=written.tags or (),
        metadata=written.metadata,
        runbook_id=runbook_id,
    )
    return text.encode("utf-8")


def changed_text(written: WrittenRunbook, current: Document) -> bytes:
    """The file of a runbook that there is, with new content. What the fields leave out stays as the header has it."""
    _check(written)
    front = split_front_matter(current.text, path=current.path)
    kept = _fields_of(front.header)
    for name, value in (("tags", written.tags), ("metadata", written.metadata)):
        if value is not None:
            kept.pop(name, None)
    text = render_new(
        title=written.title,
        content=render_front_matter(kept) + written.content,
        type=written.type,
        severity=written.severity,
        tags=written.tags or (),
        metadata=written.metadata,
        runbook_id=current.id,
    )
    return text.encode("utf-8")


def _check(written: WrittenRunbook) -> None:
    if "\x00" in written.content or "\x00" in written.title:
        raise InvalidInput("body.content", "holds a NUL character", advice="Remove it.")
    if split_front_matter(written.content, path="content").body_start:
        raise InvalidInput(
            "body.content",
            "begins with front matter",
            advice="Send those fields in the body, or the whole file as text/markdown.",
        )


def _fields_of(header: Header) -> dict[str, object]:
    """A header's own fields, as they would stand in the file; empty ones left out."""
    fields: dict[str, object] = {
        "severity": header.severity.value if header.severity else "",
        "type": header.type,
        "service": header.service,
        "alerts": list(header.alerts),
        "tags": list(header.tags),
        "owner": header.owner,
        "reviewed": header.reviewed,
        "review_interval": f"{header.review_interval_days}d" if header.review_interval_days else "",
        "summary": header.summary,
        "runbook_url": list(header.runbook_urls),
        "steps": list(header.steps),
        "metadata": dict(header.metadata),
    }
    return {name: value for name, value in fields.items() if value}
