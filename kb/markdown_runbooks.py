"""The parts of one file -> its main runbook and, where it holds several alerts, one more for each. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from kb.alert_names import explicit_names, is_alert_name, mostly_alerts, names_in_heading, names_in_title
from kb.header import Header
from kb.markdown_blocks import Block
from kb.markdown_fields import find_summary, read_facts
from kb.markdown_sections import Part
from kb.promql import find_expressions
from kb.runbook import Runbook, RunbookType, Section
from kb.slugs import entry_id

_FACT_HEADINGS = 3
"""Facts about a whole file stand before its first heading or under one of its first three."""
_MAX_ENTRIES = 1_000
_MAX_LISTED = 100

_RUNBOOK_URL = re.compile(
    r"\brunbook(?:_url|-url|Url|_link|URL)?[\"'*_ ]{0,4}[:=][ \t\"'*_<]{0,6}(https?://[^\s\"'<>)\]}]{1,500})"
)
_RULE = re.compile(
    r"^[ \t]{0,40}(?:-[ \t]{1,20})?alert:[ \t]{0,8}[\"']?([A-Za-z_][\w:]{1,119})[\"']?[ \t]{0,40}$"
    r"((?:\n(?![ \t]{0,40}(?:-[ \t]{1,20})?alert:).*)*)",
    re.MULTILINE,
)
_MAX_TITLE_CHARS = 150
_ANY_PART = re.compile(
    r"(?:table of )?contents|toc|introduction|intro|background|overview|(?:executive )?summary|purpose|description|"
    r"about|reason|goals?|symptoms?|meaning|impact|diagnosis|mitigation|resolution|troubleshooting(?: pointers)?|"
    r"steps|steps to check|what to check|"
    r"likely suspects|pre-?requisites|requirements|notes?|links|references|first and foremost|procedure|\d{1,2}[.)] .*",
    re.IGNORECASE,
)
"""Headings that say nothing about which runbook they stand in; the file's name makes a better title."""


@dataclass(frozen=True, slots=True)
class Body:
    """The Markdown of a file below its front matter; `start` is its offset in the file's text, `first_line` 1-based."""

    text: str
    start: int
    first_line: int
    path: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """The parts of a file, first to last exclusive, that belong to one alert alone, and the names it goes by."""

    first: int
    last: int
    names: tuple[str, ...]


def runbook_type(path: str, declared: str) -> RunbookType:
    """The type of a runbook at `path` whose front matter declares `declared`.

    Folders decide: `templates` makes a template, `dynamic` a dynamic runbook, `static` a static one. Front matter may
    turn any of them into a template, and a static one into a dynamic one, never a dynamic one into a static one.
    """
    folders = {part.casefold() for part in PurePosixPath(path).parts[:-1]}
    if "templates" in folders or declared == RunbookType.TEMPLATE:
        return RunbookType.TEMPLATE
    if "dynamic" in folders or declared == RunbookType.DYNAMIC:
        return RunbookType.DYNAMIC
    return RunbookType.STATIC


def make_runbooks(document_id: str, header: Header, body: Body, parts: Sequence[Part]) -> tuple[Runbook, ...]:
    """The main runbook, which covers the whole body, then an entry for each alert that has a part to itself."""
    entries = _find_entries(parts, body.path)[:_MAX_ENTRIES]
    main = _main_runbook(document_id, header, body, parts, entries)
    taken = {document_id}
    runbooks = [main]
    for entry in entries:
        runbook_id = entry_id(document_id, entry.names[0], taken=taken)
        taken.add(runbook_id)
        runbooks.append(_entry_runbook(runbook_id, main, entry.names, parts[entry.first : entry.last]))
    return tuple(runbooks)


def _find_entries(parts: Sequence[Part], path: str) -> list[_Entry]:
    """The alerts of a file that holds two or more of them; empty for any other file."""
    blocks = [part.block for part in parts]
    named = {
        number: names for number, block in enumerate(blocks) if block.level and (names := explicit_names(block.title))
    }
    named.update(_anchored_alerts(parts, path))
    if len(named) < 2:
        named = _listing_level(blocks)
    if len(named) < 2:
        return []
    entries = []
    for number, names in sorted(named.items()):
        level = blocks[number].level
        last = next((later for later in range(number + 1, len(blocks)) if blocks[later].level <= level), len(blocks))
        entries.append(_Entry(number, last, names))
    return entries


def _anchored_alerts(parts: Sequence[Part], path: str) -> dict[int, tuple[str, ...]]:
    """The headings that alerts point at: by an anchor that is an alert's name, or by a rule in the file whose
    `runbook_url` leads to this file and that anchor."""
    targets: dict[str, list[str]] = {}
    for alert, url in _rules_of(parts):
        page, _, anchor = url.partition("#")
        if PurePosixPath(page).stem.lower() == PurePosixPath(path).stem.lower():
            targets.setdefault(anchor.lower(), []).append(alert)
    found: dict[int, tuple[str, ...]] = {}
    for number, part in enumerate(parts):
        if part.section.level:
            own = [part.block.explicit_anchor] if is_alert_name(part.block.explicit_anchor) else []
            names = tuple(dict.fromkeys((*own, *targets.get(part.section.anchor.lower(), ()))))
            if names:
                found[number] = names
    return found


def _rules_of(parts: Sequence[Part]) -> list[tuple[str, str]]:
    """The alerts and runbook addresses of the alerting rules that a file shows."""
    return [
        (rule[1], url[1])
        for part in parts
        for command in part.section.commands
        if "alert:" in command.text and "runbook" in command.text
        for rule in _RULE.finditer(command.text)
        if (url := _RUNBOOK_URL.search(rule[2]))
    ]


def _listing_level(blocks: Sequence[Block]) -> dict[int, tuple[str, ...]]:
    """The headings of the outermost level whose headings are mostly alerts, by their number."""
    titles: dict[int, list[str]] = {}
    for block in blocks:
        titles.setdefault(block.level, []).append(block.title)
    level = next((level for level in sorted(titles) if level and mostly_alerts(titles[level])), None)
    return {
        number: names
        for number, block in enumerate(blocks)
        if block.level == level and (names := names_in_heading(block.title, lenient=True))
    }


def _main_runbook(
    document_id: str, header: Header, body: Body, parts: Sequence[Part], entries: Sequence[_Entry]
) -> Runbook:
    blocks = [part.block for part in parts]
    facts = read_facts(_top(blocks[: entries[0].first] if entries else blocks))
    heading = _first_heading(blocks)
    alerts = dict.fromkeys((*header.alerts, *facts.alerts, *_alerts_of_file(header.title, heading, body.path, entries)))
    if not entries:
        alerts.update(dict.fromkeys(name for names in _anchored_alerts(parts, body.path).values() for name in names))
    if not alerts and not entries:
        alerts = dict.fromkeys(_mentioned_alerts(blocks))
    return Runbook(
        id=document_id,
        title=header.title or heading or title_from_path(body.path),
        path=body.path,
        type=runbook_type(body.path, header.type),
        text=body.text,
        start=body.start,
        severity=header.severity or facts.severity,
        service=header.service or facts.service,
        alerts=tuple(alerts),
        tags=tuple(dict.fromkeys((*header.tags, *facts.tags))),
        owner=header.owner or facts.owner,
        reviewed=header.reviewed or facts.reviewed,
        review_interval_days=header.review_interval_days or facts.review_interval_days,
        summary=header.summary or facts.summary or find_summary(blocks),
        sections=tuple(part.section for part in parts),
        promql=find_expressions(blocks),
        runbook_urls=tuple(dict.fromkeys((*header.runbook_urls, *_RUNBOOK_URL.findall(body.text)))),
        steps=header.steps,
        metadata={**facts.metadata, **header.metadata},
    )


def _top(blocks: Sequence[Block]) -> Sequence[Block]:
    """The blocks that may state facts about the whole."""
    return blocks[: _FACT_HEADINGS + (1 if blocks and not blocks[0].level else 0)]


def _alerts_of_file(title: str, heading: str, path: str, entries: Sequence[_Entry]) -> list[str]:
    """The alerts that title, heading and file name stand for, without those that have an entry of their own."""
    own = {name for entry in entries for name in entry.names}
    stem = PurePosixPath(path).stem
    return [name for text in (title, heading) for name in names_in_title(text, stem) if name not in own]


def _first_heading(blocks: Sequence[Block]) -> str:
    """The first heading of level 1, or else the first of all; empty when it names a part that any runbook may have."""
    titles = [block for block in blocks if block.level and block.title]
    heading = next((block.title for block in titles if block.level == 1), titles[0].title if titles else "")
    return "" if _ANY_PART.fullmatch(heading) or len(heading) > _MAX_TITLE_CHARS else heading


def _mentioned_alerts(blocks: Sequence[Block]) -> list[str]:
    """Alert names that are a heading anywhere in a file, or that stand alone as a list item near its top."""
    found = [name for block in blocks if block.level for name in names_in_heading(block.title)]
    for block in _top(blocks):
        for prose in block.prose[:_MAX_LISTED]:
            if prose.in_list and "\n" not in prose.text:
                found.extend(names_in_heading(prose.text.strip()))
    return found


def _entry_runbook(runbook_id: str, main: Runbook, names: tuple[str, ...], parts: Sequence[Part]) -> Runbook:
    first, last = parts[0].section, parts[-1].section
    blocks = [part.block for part in parts]
    facts = read_facts(_top(blocks))
    text = main.text[first.start : last.end]
    outer = len(first.path) - 1
    return Runbook(
        id=runbook_id,
        title=" / ".join(names),
        path=main.path,
        type=main.type,
        text=text,
        start=main.start + first.start,
        anchor=first.anchor,
        severity=facts.severity or main.severity,
        service=facts.service or main.service,
        alerts=names,
        tags=tuple(dict.fromkeys((*main.tags, *facts.tags))),
        owner=facts.owner or main.owner,
        reviewed=facts.reviewed or main.reviewed,
        review_interval_days=facts.review_interval_days or main.review_interval_days,
        summary=facts.summary or find_summary(blocks),
        sections=tuple(_moved(part.section, first.start, outer) for part in parts),
        promql=find_expressions(blocks),
        runbook_urls=tuple(dict.fromkeys(_RUNBOOK_URL.findall(text))),
        metadata=facts.metadata,
    )


def _moved(section: Section, start: int, outer: int) -> Section:
    """A section of the file as a section of an entry that begins at `start`, without the `outer` titles above it."""
    return replace(section, start=section.start - start, end=section.end - start, path=section.path[outer:])


def title_from_path(path: str) -> str:
    """A readable title out of a file's name, or its folder's for `README.md`: `disk-space_low` -> `Disk space low`."""
    pure = PurePosixPath(path)
    stem = pure.stem if pure.stem.lower() not in ("readme", "index", "_index") else pure.parent.name or pure.stem
    words = " ".join(re.split(r"[-_\s]+", stem)).strip()
    return words[:1].upper() + words[1:] if words else "Untitled"
