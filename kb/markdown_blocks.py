"""Markdown tokens -> the headings of a text and what stands under each: prose, commands, tables, checklists, links.
Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from kb.console import strip_prompts
from kb.markdown_tokens import Token, inline_code, parse_tokens, plain_text
from kb.placeholders import find_parameters
from kb.runbook import CheckItem, Command, Link, Table

MAX_SECTIONS = 5_000
_MAX_LEAD_CHARS = 300
_MAX_CELL_CHARS = 2_000
_MAX_TITLE_CHARS = 300

_EXPLICIT_ANCHOR = re.compile(r"\s{0,4}\{:?\s{0,4}#([A-Za-z][\w.:-]{0,100})[^{}]{0,100}\}\s{0,4}$")
_CHECKBOX = re.compile(r"\[([ xX])\][ \t]+")
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph or a list item's text. `source` is its Markdown; `in_list` and `depth` (0 at the margin) say where
    it stands; `linked_chars` counts the characters of `text` that are link text."""

    text: str
    source: str
    line: int
    in_list: bool
    depth: int
    linked_chars: int


@dataclass(slots=True)
class Block:
    """A heading (level 0 and no title before the first one) and what stands under it. `line` is 0-based in the text."""

    level: int
    title: str
    line: int
    explicit_anchor: str = ""
    prose: list[Prose] = field(default_factory=list)
    code_spans: list[str] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    checklist: list[CheckItem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outline:
    """The blocks of a text in order, the first one holding what precedes all headings; `skipped_headings` were too
    many."""

    blocks: tuple[Block, ...]
    skipped_headings: int


def read_outline(text: str, *, first_line: int) -> Outline:
    """Sort a Markdown text by its headings. `first_line` is the 1-based line in the file at which `text` begins."""
    reader = _Reader(first_line)
    reader.read(parse_tokens(text))
    return Outline(tuple(reader.blocks), reader.skipped_headings)


class _Reader:
    """Walks the tokens once, filling the current block."""

    def __init__(self, first_line: int) -> None:
        self.blocks = [Block(0, "", 0)]
        self.skipped_headings = 0
        self._first_line = first_line
        self._lead = ""
        self._lists = 0
        self._table: list[list[str]] | None = None
        self._table_line = 0

    def read(self, tokens: Sequence[Token]) -> None:
        for number, token in enumerate(tokens):
            kind = token.type
            if kind == "inline":
                self._read_inline(token, tokens[number - 1])
            elif kind in ("fence", "code_block"):
                self._read_code(token)
            elif kind in ("bullet_list_open", "ordered_list_open"):
                self._lists += 1
            elif kind in ("bullet_list_close", "ordered_list_close"):
                self._lists -= 1
            elif kind == "table_open":
                self._table, self._table_line = [], self._file_line(token)
            elif kind == "tr_open" and self._table is not None:
                self._table.append([])
            elif kind == "table_close":
                self._close_table()

    def _file_line(self, token: Token) -> int:
        return (token.map[0] if token.map else 0) + self._first_line

    def _read_inline(self, token: Token, parent: Token) -> None:
        if parent.type == "heading_open" and parent.level == 0:
            self._open_block(token, parent)
            return
        text = plain_text(token)
        block = self.blocks[-1]
        block.code_spans.extend(inline_code(token))
        linked = self._read_links(token)
        if parent.type in ("th_open", "td_open"):
            if self._table:
                self._table[-1].append(_SPACES.sub(" ", text).strip()[:_MAX_CELL_CHARS])
            return
        self._read_prose(token, text, linked)

    def _open_block(self, token: Token, parent: Token) -> None:
        if len(self.blocks) > MAX_SECTIONS:
            self.skipped_headings += 1
            return
        title = _SPACES.sub(" ", plain_text(token)).strip()
        explicit = _EXPLICIT_ANCHOR.search(title)
        if explicit:
            title = title[: explicit.start()]
        line = parent.map[0] if parent.map else 0
        block = Block(int(parent.tag[1]), title[:_MAX_TITLE_CHARS], line, explicit[1] if explicit else "")
        self.blocks.append(block)
        self._lead = ""
        self._read_links(token)

    def _read_prose(self, token: Token, text: str, linked: int) -> None:
        block = self.blocks[-1]
        line = self._file_line(token)
        checkbox = _CHECKBOX.match(text) if self._lists else None
        if checkbox:
            text = text[checkbox.end() :]
            block.checklist.append(CheckItem(_SPACES.sub(" ", text).strip(), checkbox[1] != " ", line))
        block.prose.append(Prose(text, token.content, line, self._lists > 0, token.level - 1, linked))
        self._lead = text

    def _read_links(self, token: Token) -> int:
        """Note the links of an inline token; returns how many visible characters they cover."""
        target: str | None = None
        label: list[str] = []
        covered = 0
        for child in token.children or ():
            if child.type == "link_open":
                target, label = str(child.attrs.get("href", "")), []
            elif child.type == "link_close" and target is not None:
                text = _SPACES.sub(" ", "".join(label)).strip()
                covered += len(text)
                self.blocks[-1].links.append(Link(text, target, self._file_line(token)))
                target = None
            elif target is not None:
                label.append(child.content or " ")
        return covered

    def _read_code(self, token: Token) -> None:
        code = read_code(token)
        lead = _SPACES.sub(" ", self._lead).strip()
        if len(lead) > _MAX_LEAD_CHARS:
            lead = "…" + lead[-_MAX_LEAD_CHARS:].split(" ", 1)[-1]
        self._lead = ""
        if code.text.strip():
            parameters = find_parameters(code.text, language=code.language)
            command = Command(code.text, code.language, lead, self._file_line(token), parameters)
            self.blocks[-1].commands.append(command)

    def _close_table(self) -> None:
        rows = [tuple(row) for row in self._table or () if row]
        if rows:
            self.blocks[-1].tables.append(Table(rows[0], tuple(rows[1:]), self._table_line))
        self._table = None


@dataclass(frozen=True, slots=True)
class Code:
    """What a code block says: dedented, prompts stripped; blank text makes no command."""

    text: str
    language: str


def read_code(token: Token) -> Code:
    """The text and the language of a fence or an indented code block."""
    language = _language(token.info)
    return Code(strip_prompts(_dedent(token.content), language), language)


def strip_explicit_anchor(inline: Token) -> None:
    """Take a trailing `{#anchor}` out of a heading's inline token."""
    children = inline.children or []
    if children and children[-1].type == "text":
        children[-1].content = _EXPLICIT_ANCHOR.sub("", children[-1].content)


def _language(info: str) -> str:
    """The language word of a fence's info string, lower case: `{.bash}` and `bash title=x` are both `bash`."""
    words = info.strip().strip("{}").lstrip(".").split()
    return words[0].split(",")[0].lower()[:40] if words else ""


def _dedent(code: str) -> str:
    """Code without the indentation that all its lines share, and without blank lines at either end."""
    lines = [line.rstrip() for line in code.split("\n")]
    indents = [len(line) - len(line.lstrip(" \t")) for line in lines if line]
    shared = min(indents, default=0)
    return "\n".join(line[shared:] for line in lines).strip("\n")
