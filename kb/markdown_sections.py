"""The headings of a text -> sections that cover it without gaps, each beside the block it was made from. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kb.markdown_blocks import Block
from kb.runbook import Section
from kb.slugs import Anchors


@dataclass(frozen=True, slots=True)
class Part:
    """A section, and the block with the prose that a section does not carry."""

    section: Section
    block: Block


def cut_sections(text: str, blocks: Sequence[Block], *, first_line: int) -> tuple[Part, ...]:
    """A part for each block that has text; together they cover `text`, whose first line is `first_line` in the file.

    Anchors are unique within the text and are GitHub's, except where the author wrote one out.
    """
    line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
    starts = [line_starts[block.line] for block in blocks]
    anchors = Anchors()
    outer: list[tuple[int, str]] = []
    parts = []
    for block, start, end in zip(blocks, starts, [*starts[1:], len(text)], strict=True):
        if start == end:
            continue
        while outer and outer[-1][0] >= block.level:
            outer.pop()
        anchor = ""
        if block.level:
            outer.append((block.level, block.title))
            anchor = anchors.claim(block.explicit_anchor) or anchors.add(block.title)
        section = Section(
            anchor=anchor,
            title=block.title,
            level=block.level,
            path=tuple(title for _, title in outer),
            start=start,
            end=end,
            line=block.line + first_line,
            commands=tuple(block.commands),
            links=tuple(block.links),
            tables=tuple(block.tables),
            checklist=tuple(block.checklist),
        )
        parts.append(Part(section, block))
    return tuple(parts)
