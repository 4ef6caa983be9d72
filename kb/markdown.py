"""Text -> Document: one Markdown file becomes its main runbook and, where it holds several alerts, one more for each.
What was repaired, guessed or left out is a problem on the document; content never raises. Pure."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import PurePosixPath

from kb.alert_names import explicit_names, mostly_alerts, names_in_heading, names_in_title
from kb.front_matter import split_front_matter
from kb.header import Header
from kb.markdown_blocks import MAX_SECTIONS, Block, Outline, read_outline
from kb.markdown_fields import find_summary, read_facts
from kb.promql import find_expressions
from kb.repair import repair
from kb.runbook import Document, Problem, ProblemLevel, Runbook, RunbookType, Section
from kb.slugs import Anchors, entry_id, id_from_path, is_valid_id, slugify

MAX_FILE_BYTES = 2 * 1024 * 1024
"""Longest file that is read; a runbook of that size is a log or a dump."""
_FACT_BLOCKS = 4
"""Facts about the whole file stand before its first heading or under one of its first three."""
_MAX_ENTRIES = 1_000

_RUNBOOK_URL = re.compile(
    r"\brunbook(?:_url|-url|Url|_link|URL)?[\"'*_ ]{0,4}[:=][ \t\"'*_<]{0,6}(https?://[^\s\"'<>)\]}]{1,500})"
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
_FIRST_TEXT = re.compile(r"\S")


def parse_document(raw: bytes, *, path: str, modified: date | None = None) -> Document:
    """Parse one file. Deterministic; never raises on content.

    `path` is POSIX style and relative to the runbooks folder: it decides the type and lends a name where the text has
    none. `modified` is the day of the file's last change, against which a review date is checked. `runbooks[0]`
    covers the whole file; per-alert entries, where there are any, repeat their part of it under an id and an anchor
    of their own. A file larger than 2 MiB gives a document with an ERROR and no sections.
    """
    sha256 = hashlib.sha256(raw).hexdigest()
    if len(raw) > MAX_FILE_BYTES:
        return _too_large(path, sha256, len(raw))
    repaired = repair(raw, path=path)
    front = split_front_matter(repaired.text, path=path)
    first = _FIRST_TEXT.search(repaired.text, front.body_start)
    start = repaired.text.rfind("\n", 0, first.start()) + 1 if first else len(repaired.text)
    start = max(start, front.body_start)
    body = _Body(repaired.text[start:], start, repaired.text.count("\n", 0, start) + 1, path)
    outline = read_outline(body.text, first_line=body.first_line)
    document_id, id_problems = _document_id(front.header, path)
    sections = _sections(outline.blocks, body)
    problems = (
        *repaired.problems,
        *front.problems,
        *id_problems,
        *_outline_problems(outline, body, front.header, modified),
    )
    runbooks = _runbooks(document_id, front.header, body, outline.blocks, sections)
    return Document(document_id, path, repaired.text, sha256, runbooks, problems)


@dataclass(frozen=True, slots=True)
class _Body:
    """The Markdown of a file below its front matter; `start` is its offset in the file's text, `first_line` 1-based."""

    text: str
    start: int
    first_line: int
    path: str


def _too_large(path: str, sha256: str, size: int) -> Document:
    limit = MAX_FILE_BYTES // (1024 * 1024)
    message = f"The file has {size / 1024 / 1024:.1f} MiB; files over {limit} MiB are not read."
    problem = Problem(
        "file-too-large", ProblemLevel.ERROR, message, "Split it, or move logs and dumps elsewhere.", path
    )
    document_id = id_from_path(path)
    runbook = Runbook(document_id, _title_from_path(path), path, runbook_type(path, ""), "", 0)
    return Document(document_id, path, "", sha256, (runbook,), (problem,))


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


def _document_id(header: Header, path: str) -> tuple[str, tuple[Problem, ...]]:
    fallback = id_from_path(path)
    if not header.id or is_valid_id(header.id):
        return header.id or fallback, ()
    proposal = slugify(header.id)
    chosen = proposal if is_valid_id(proposal) else fallback
    message = f"The id '{header.id[:80]}' is not allowed; '{chosen}' is used."
    advice = "Use lower-case letters, digits and hyphens, and none of the reserved words."
    return chosen, (Problem("id-invalid", ProblemLevel.WARNING, message, advice, path),)


def _outline_problems(outline: Outline, body: _Body, header: Header, modified: date | None) -> list[Problem]:
    problems = []
    if outline.skipped_headings:
        message = f"The file has {outline.skipped_headings} headings more than the {MAX_SECTIONS} that become sections."
        problems.append(Problem("too-many-sections", ProblemLevel.WARNING, message, "Split the file.", body.path))
    if not body.text.strip():
        message = "The file has no text."
        problems.append(
            Problem("empty", ProblemLevel.WARNING, message, "Write the procedure, or remove the file.", body.path)
        )
    if header.reviewed and modified and header.reviewed > modified:
        message = f"The review date {header.reviewed} is later than the file's last change."
        problems.append(Problem("review-date", ProblemLevel.NOTE, message, "Check the date.", body.path))
    return problems


def _sections(blocks: Sequence[Block], body: _Body) -> tuple[Section, ...]:
    """A section for each block that has text; together they cover the body."""
    line_starts = _line_starts(body.text)
    starts = [line_starts[block.line] for block in blocks]
    ends = [*starts[1:], len(body.text)]
    anchors = Anchors()
    outer: list[tuple[int, str]] = []
    sections = []
    for block, start, end in zip(blocks, starts, ends, strict=True):
        if start == end:
            continue
        while outer and outer[-1][0] >= block.level:
            outer.pop()
        if block.level:
            outer.append((block.level, block.title))
        sections.append(
            Section(
                anchor=(anchors.claim(block.explicit_anchor) or anchors.add(block.title)) if block.level else "",
                title=block.title,
                level=block.level,
                path=tuple(title for _, title in outer),
                start=start,
                end=end,
                line=block.line + body.first_line,
                commands=tuple(block.commands),
                links=tuple(block.links),
                tables=tuple(block.tables),
                checklist=tuple(block.checklist),
            )
        )
    return tuple(sections)


def _line_starts(text: str) -> list[int]:
    starts = [0]
    starts.extend(match.end() for match in re.finditer("\n", text))
    return starts


def _runbooks(
    document_id: str, header: Header, body: _Body, blocks: Sequence[Block], sections: Sequence[Section]
) -> tuple[Runbook, ...]:
    blocks = [
        block
        for block, following in zip(blocks, [*blocks[1:], None], strict=True)
        if following is None or following.line > block.line or block.level
    ]
    if len(blocks) != len(sections):
        blocks = blocks[len(blocks) - len(sections) :]
    entries = _entry_ranges(blocks)
    main = _main_runbook(document_id, header, body, blocks, sections, entries)
    taken = {document_id}
    runbooks = [main]
    for first, last, names in entries[:_MAX_ENTRIES]:
        runbook_id = entry_id(document_id, names[0], taken=taken)
        taken.add(runbook_id)
        runbooks.append(_entry_runbook(runbook_id, main, names, blocks[first:last], sections[first:last]))
    return tuple(runbooks)


def _entry_ranges(blocks: Sequence[Block]) -> list[tuple[int, int, tuple[str, ...]]]:
    """For each alert that has a part of the file to itself: its first block, the one after its last, and its names.
    Empty unless there are two such alerts."""
    levels: dict[int, list[str]] = {}
    for block in blocks:
        levels.setdefault(block.level, []).append(block.title)
    explicit = {
        number: names for number, block in enumerate(blocks) if block.level and (names := explicit_names(block.title))
    }
    if len(explicit) < 2:
        explicit = {}
        listing = next((level for level in sorted(levels) if level and mostly_alerts(levels[level])), None)
        if listing is not None:
            explicit = {
                number: names
                for number, block in enumerate(blocks)
                if block.level == listing and (names := names_in_heading(block.title, lenient=True))
            }
    ranges = []
    for number, names in explicit.items():
        level = blocks[number].level
        last = next((later for later in range(number + 1, len(blocks)) if blocks[later].level <= level), len(blocks))
        ranges.append((number, last, names))
    return ranges if len(ranges) >= 2 else []


def _main_runbook(
    document_id: str,
    header: Header,
    body: _Body,
    blocks: Sequence[Block],
    sections: Sequence[Section],
    entries: Sequence[tuple[int, int, tuple[str, ...]]],
) -> Runbook:
    facts = read_facts(blocks[: min(_FACT_BLOCKS, entries[0][0]) if entries else _FACT_BLOCKS])
    heading = _first_heading(blocks)
    title = header.title or heading or _title_from_path(body.path)
    stem = PurePosixPath(body.path).stem
    named = dict.fromkeys((*header.alerts, *facts.alerts))
    own = {name for _, _, names in entries for name in names}
    for candidate in (header.title, heading):
        named.update(dict.fromkeys(name for name in names_in_title(candidate, stem) if name not in own))
    if not named and not entries:
        named.update(dict.fromkeys(_mentioned_alerts(blocks)))
    return Runbook(
        id=document_id,
        title=title,
        path=body.path,
        type=runbook_type(body.path, header.type),
        text=body.text,
        start=body.start,
        severity=header.severity or facts.severity,
        service=header.service or facts.service,
        alerts=tuple(named),
        tags=tuple(dict.fromkeys((*header.tags, *facts.tags))),
        owner=header.owner or facts.owner,
        reviewed=header.reviewed or facts.reviewed,
        review_interval_days=header.review_interval_days or facts.review_interval_days,
        summary=header.summary or facts.summary or find_summary(blocks),
        sections=tuple(sections),
        promql=find_expressions(blocks),
        runbook_urls=tuple(dict.fromkeys((*header.runbook_urls, *_RUNBOOK_URL.findall(body.text)))),
        steps=header.steps,
        metadata={**facts.metadata, **header.metadata},
    )


def _first_heading(blocks: Sequence[Block]) -> str:
    """The first heading of level 1, or else the first of all; empty when it names a part that any runbook may have."""
    titles = [block for block in blocks if block.level and block.title]
    heading = next((block.title for block in titles if block.level == 1), titles[0].title if titles else "")
    return "" if _ANY_PART.fullmatch(heading) or len(heading) > _MAX_TITLE_CHARS else heading


def _mentioned_alerts(blocks: Sequence[Block]) -> list[str]:
    """Alert names that are a heading anywhere in a file, or that stand alone as a list item near its top."""
    found = [name for block in blocks if block.level for name in names_in_heading(block.title)]
    for block in blocks[:_FACT_BLOCKS]:
        for prose in block.prose:
            if prose.in_list and "\n" not in prose.text:
                found.extend(names_in_heading(prose.text.strip()))
    return found


def _entry_runbook(
    runbook_id: str, main: Runbook, names: tuple[str, ...], blocks: Sequence[Block], sections: Sequence[Section]
) -> Runbook:
    start, end = sections[0].start, sections[-1].end
    outer = len(sections[0].path) - 1
    facts = read_facts(blocks)
    text = main.text[start:end]
    return Runbook(
        id=runbook_id,
        title=" / ".join(names),
        path=main.path,
        type=main.type,
        text=text,
        start=main.start + start,
        anchor=sections[0].anchor,
        severity=facts.severity or main.severity,
        service=facts.service or main.service,
        alerts=names,
        tags=tuple(dict.fromkeys((*main.tags, *facts.tags))),
        owner=facts.owner or main.owner,
        reviewed=main.reviewed,
        review_interval_days=main.review_interval_days,
        summary=facts.summary or find_summary(blocks),
        sections=tuple(_moved(section, start, outer) for section in sections),
        promql=find_expressions(blocks),
        runbook_urls=tuple(dict.fromkeys(_RUNBOOK_URL.findall(text))),
        metadata=facts.metadata,
    )


def _moved(section: Section, start: int, outer: int) -> Section:
    """A section of the file as a section of an entry that begins at `start`, without the `outer` titles above the
    entry."""
    return replace(section, start=section.start - start, end=section.end - start, path=section.path[outer:])


def _title_from_path(path: str) -> str:
    """A readable title out of a file's name, or its folder's for `README.md`: `disk-space_low` -> `Disk space low`."""
    pure = PurePosixPath(path)
    stem = pure.stem if pure.stem.lower() not in ("readme", "index", "_index") else pure.parent.name or pure.stem
    words = " ".join(re.split(r"[-_\s]+", stem)).strip()
    return words[:1].upper() + words[1:] if words else "Untitled"
