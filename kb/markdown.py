"""Text -> Document: one Markdown file becomes its main runbook and, where it holds several alerts, one more for each.
What was repaired, guessed or left out is a problem on the document; content never raises. Pure."""

import hashlib
import re
from datetime import date

from kb.front_matter import split_front_matter
from kb.header import Header
from kb.markdown_blocks import MAX_SECTIONS, Outline, read_outline
from kb.markdown_runbooks import Body, make_runbooks, runbook_type, title_from_path
from kb.markdown_sections import cut_sections
from kb.repair import repair
from kb.runbook import Document, Problem, ProblemLevel, Runbook
from kb.slugs import id_from_path, is_valid_id, slugify

MAX_FILE_BYTES = 2 * 1024 * 1024
MAX_LINES = 20_000
"""Longest file that is read; beyond either limit it is a log or a dump. The longest of 836 real runbooks has 971
lines."""

_FIRST_TEXT = re.compile(r"\S")


def parse_document(raw: bytes, *, path: str, modified: date | None = None) -> Document:
    """Parse one file. Deterministic; never raises on content.

    `path` is POSIX style and relative to the runbooks folder: it decides the type and lends a name where the text has
    none. `modified` is the day of the file's last change, against which a review date is checked. `runbooks[0]`
    covers the whole file; per-alert entries, where there are any, repeat their part of it under an id and an anchor
    of their own. A file over the limits gives a document with an ERROR and no sections.
    """
    sha256 = hashlib.sha256(raw).hexdigest()
    if len(raw) > MAX_FILE_BYTES or raw.count(b"\n") > MAX_LINES:
        return _too_large(path, sha256, raw)
    repaired = repair(raw, path=path)
    if repaired.text.count("\n") > MAX_LINES:
        return _too_large(path, sha256, raw)
    front = split_front_matter(repaired.text, path=path)
    first = _FIRST_TEXT.search(repaired.text, front.body_start)
    start = repaired.text.rfind("\n", 0, first.start()) + 1 if first else len(repaired.text)
    start = max(start, front.body_start)
    body = Body(repaired.text[start:], start, repaired.text.count("\n", 0, start) + 1, path)
    outline = read_outline(body.text, first_line=body.first_line)
    document_id, id_problems = _document_id(front.header, path)
    parts = cut_sections(body.text, outline.blocks, first_line=body.first_line)
    problems = (
        *repaired.problems,
        *front.problems,
        *id_problems,
        *_outline_problems(outline, body, front.header, modified),
    )
    runbooks = make_runbooks(document_id, front.header, body, parts)
    return Document(document_id, path, repaired.text, sha256, runbooks, problems)


def _too_large(path: str, sha256: str, raw: bytes) -> Document:
    size = f"{len(raw) / 1024 / 1024:.1f} MiB and {raw.count(10):,} lines"
    message = f"The file has {size}; over {MAX_FILE_BYTES // 1024 // 1024} MiB or {MAX_LINES:,} lines none is read."
    problem = Problem(
        "file-too-large", ProblemLevel.ERROR, message, "Split it, or move logs and dumps elsewhere.", path
    )
    document_id = id_from_path(path)
    runbook = Runbook(document_id, title_from_path(path), path, runbook_type(path, ""), "", 0)
    return Document(document_id, path, "", sha256, (runbook,), (problem,))


def _document_id(header: Header, path: str) -> tuple[str, tuple[Problem, ...]]:
    fallback = id_from_path(path)
    if not header.id or is_valid_id(header.id):
        return header.id or fallback, ()
    proposal = slugify(header.id)
    chosen = proposal if is_valid_id(proposal) else fallback
    message = f"The id '{header.id[:80]}' is not allowed; '{chosen}' is used."
    advice = "Use lower-case letters, digits and hyphens, and none of the reserved words."
    return chosen, (Problem("id-invalid", ProblemLevel.WARNING, message, advice, path),)


def _outline_problems(outline: Outline, body: Body, header: Header, modified: date | None) -> list[Problem]:
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
