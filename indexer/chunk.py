"""Runbook -> chunks along its headings. Chunks slice back to the text and cover it; embedding is someone else's."""

import re
from collections.abc import Iterator

from indexer.tokens import spaced
from kb.hits import Chunk
from kb.runbook import Runbook, Section

MAX_CHUNK_CHARS = 1_000  # about 250 word pieces, what the default model reads at most; from the benchmark's recipe
_FENCE = re.compile(r"^[ \t]*(?:[-*+>]|\d+[.)])?[ \t]*(`{3,}|~{3,})")


def chunk_runbook(runbook: Runbook, *, max_chars: int = MAX_CHUNK_CHARS) -> tuple[Chunk, ...]:
    """Chunks in text order, without gap or overlap. A chunk belongs to one section; a section that is only a heading
    opens the chunk of the section after it. A runbook without sections is cut as one."""
    sections = runbook.sections or (Section("", "", 0, (), 0, len(runbook.text), 1),)
    chunks: list[Chunk] = []
    pending: int | None = None  # where heading-only sections began that still wait for text to stand with
    for section in sections:
        start = section.start if pending is None else pending
        is_last = section is sections[-1]
        if not is_last and not _has_body(runbook.text, section):
            pending = start
            continue
        pending = None
        for lo, hi in _cuts(runbook.text, start, section.end, max_chars):
            chunks.append(Chunk(runbook.id, section.anchor, section.path, lo, hi, runbook.text[lo:hi]))
    return tuple(chunks)


def embed_text(runbook: Runbook, chunk: Chunk) -> str:
    """What the model reads of a chunk: the runbook's name, title and heading path, then the text. Without the prefix
    a chunk such as 'Restart the pod' says nothing about which runbook it is from."""
    return f"{context_of(runbook, chunk)}\n{chunk.text}"


def context_of(runbook: Runbook, chunk: Chunk) -> str:
    parts = [display_name(runbook), runbook.title, *chunk.section_path]
    return ". ".join(dict.fromkeys(part for part in parts if part))


def display_name(runbook: Runbook) -> str:
    """The file's name or the alert's as words."""
    stem = runbook.path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    name = runbook.alerts[0] if runbook.anchor and runbook.alerts else stem
    return spaced(name)


def _has_body(text: str, section: Section) -> bool:
    body = text[section.start : section.end]
    if section.level:
        body = body.partition("\n")[2]
    return bool(body.strip())


def _cuts(text: str, start: int, end: int, max_chars: int) -> Iterator[tuple[int, int]]:
    """Offsets of consecutive slices of at most `max_chars`, cut between blocks where possible."""
    if start == end:
        return
    lo = start
    at = start
    for block_end in _block_ends(text, start, end):
        if block_end - lo > max_chars and at > lo:
            yield lo, at
            lo = at
        while block_end - lo > max_chars:
            cut = _line_cut(text, lo, lo + max_chars)
            yield lo, cut
            lo = cut
        at = block_end
    if lo < end:
        yield lo, end


def _line_cut(text: str, lo: int, limit: int) -> int:
    """The last line end, else the last space, before `limit`; `limit` itself where a line has neither."""
    for mark in ("\n", " "):
        cut = text.rfind(mark, lo + (limit - lo) // 2, limit)
        if cut > lo:
            return cut + 1
    return limit


def _block_ends(text: str, start: int, end: int) -> Iterator[int]:
    """Ends of blocks: paragraphs, each with the code that follows it. A fence never ends a block at its own blank
    lines, and the prose that leads to a fence stays with it."""
    fence = ""
    at = start
    blank_before = False
    for line in text[start:end].splitlines(keepends=True):
        mark = _FENCE.match(line)
        opens = mark is not None and not fence
        if blank_before and not fence and line.strip() and not opens:
            yield at
        if mark is not None:
            fence = "" if fence and mark[1].startswith(fence) else (fence or mark[1])
        blank_before = not line.strip() and not fence
        at += len(line)
    yield end
