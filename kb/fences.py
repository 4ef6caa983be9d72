"""Code fences that contradict each other: a Markdown example that ends at the first fence inside it, a document wrapped
whole in a fence, a fence that never closes. Works on lines, and never changes their number. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_FENCE = re.compile(r"[ \t>]{0,40}(`{3,}|~{3,})[ \t]*([^`\n]{0,200})")
_MARKDOWN_INFO = frozenset({"markdown", "md", "mdx", "gfm", "commonmark"})
_HEADING = re.compile(r"#{2,6} +\S")
_MAX_TRIES = 200
"""Closing fences that are tried for one Markdown example; a document with more is left as it is."""
_MAX_LINE_CHARS = 300


@dataclass(frozen=True, slots=True)
class Mend:
    """One thing that was wrong with a fence; `line` is 1-based."""

    code: str
    message: str
    advice: str
    line: int


@dataclass(frozen=True, slots=True)
class Renested:
    """The text with its fences put right, and what was wrong with them."""

    text: str
    mends: tuple[Mend, ...]


@dataclass(frozen=True, slots=True)
class _Fence:
    """A line that opens or closes code; `index` is its 0-based line."""

    index: int
    marker: str
    length: int
    info: str

    def closes(self, opener: "_Fence") -> bool:
        return not self.info and self.marker == opener.marker and self.length >= opener.length

    def is_markdown(self) -> bool:
        return self.info.split(" ")[0].strip("{}.").lower() in _MARKDOWN_INFO


def renest_fences(text: str) -> Renested:
    """Lengthen the fences around Markdown examples so that the fences inside them no longer end them, unwrap a document
    that stands whole inside one, and report what stays open. Text whose fences agree comes back as it is."""
    if "```" not in text and "~~~" not in text:
        return Renested(text, ())
    lines = text.split("\n")
    fences = _find_fences(lines)
    mends: list[Mend] = []
    fences = _unwrap(lines, fences, mends)
    _renest(lines, fences, mends)
    return Renested("\n".join(lines), tuple(mends))


def _find_fences(lines: Sequence[str]) -> list[_Fence]:
    fences = []
    for index, line in enumerate(lines):
        if "```" not in line and "~~~" not in line:
            continue
        match = _FENCE.fullmatch(line) if len(line) <= _MAX_LINE_CHARS else None
        if match:
            fences.append(_Fence(index, match[1][0], len(match[1]), match[2].strip()))
    return fences


def _unwrap(lines: list[str], fences: list[_Fence], mends: list[Mend]) -> list[_Fence]:
    """Blank the two fence lines of a document that is wrapped whole in a Markdown fence, as chat assistants hand it
    out."""
    if len(fences) < 2 or not fences[0].is_markdown() or not fences[-1].closes(fences[0]):
        return fences
    before = lines[: fences[0].index]
    after = lines[fences[-1].index + 1 :]
    if any(line.strip() for line in before) or any(line.strip() for line in after) or not _agree(fences[1:-1]):
        return fences
    lines[fences[0].index] = lines[fences[-1].index] = ""
    line = fences[0].index + 1
    mends.append(
        Mend(
            "fence-around-document",
            "The whole document stands inside one code fence; it is read without.",
            "Remove the first and the last fence.",
            line,
        )
    )
    return fences[1:-1]


def _renest(lines: list[str], fences: list[_Fence], mends: list[Mend]) -> None:
    agree_after = _agreement_of_tails(fences)
    position = 0
    while position < len(fences):
        opener = fences[position]
        close = _closing(fences, position)
        right = close
        if opener.is_markdown() and (close is None or not agree_after[close + 1]):
            right = _matching_close(fences, position, agree_after) or close
        if right is None:
            mends.append(_close_open_end(lines, fences, position))
            return
        if right != close:
            _lengthen(lines, fences, position, right)
            message = (
                "The fences inside this Markdown example end it too early; it is read as reaching to its last fence."
            )
            mends.append(Mend("fence-renested", message, "Open and close it with four backticks.", opener.index + 1))
        elif any(fence.info for fence in fences[position + 1 : right]) and not opener.is_markdown():
            message = "A code fence opens inside this one; its closing fence seems to be missing."
            mends.append(
                Mend("fence-overlap", message, "Close the first fence before the next opens.", opener.index + 1)
            )
        position = right + 1


def _closing(fences: Sequence[_Fence], opener: int) -> int | None:
    """The fence that closes number `opener` by the rules of CommonMark."""
    for number in range(opener + 1, len(fences)):
        if fences[number].closes(fences[opener]):
            return number
    return None


def _agree(fences: Sequence[_Fence]) -> bool:
    """Whether all fences pair up, none opening inside another of its kind and none left open."""
    opener: _Fence | None = None
    for fence in fences:
        if opener is None:
            opener = fence
        elif fence.closes(opener):
            opener = None
        elif fence.marker == opener.marker and fence.length >= opener.length:
            return False
    return opener is None


def _agreement_of_tails(fences: Sequence[_Fence]) -> list[bool]:
    """For each position, and the one past the end, whether the fences from there on agree, read from outside code."""
    agrees = [False] * len(fences) + [True]
    for position in range(len(fences) - 2, -1, -1):
        close = position + 1
        while close < len(fences) and fences[close].length < fences[position].length and close - position < _MAX_TRIES:
            close += 1
        if close < len(fences) and fences[close].closes(fences[position]):
            agrees[position] = agrees[close + 1]
    return agrees


def _matching_close(fences: Sequence[_Fence], opener: int, agree_after: Sequence[bool]) -> int | None:
    """The first fence that can close a Markdown example so that the fences within it, and all after it, agree."""
    inner: _Fence | None = None
    for number in range(opener + 1, min(len(fences), opener + 1 + _MAX_TRIES)):
        fence = fences[number]
        if inner is not None:
            if fence.closes(inner):
                inner = None
            elif fence.info:
                return None
        elif fence.closes(fences[opener]) and agree_after[number + 1]:
            return number
        else:
            inner = fence
    return None


def _close_open_end(lines: list[str], fences: Sequence[_Fence], position: int) -> Mend:
    """End a fence that nothing closes: at a later fence that is only too short, or at the blank line before the next
    heading."""
    opener = fences[position]
    for fence in fences[position + 1 :]:
        if not fence.info and fence.marker == opener.marker:
            lines[fence.index] = opener.marker * opener.length
            message = "The fence that should close this one is shorter; it is read as closing it."
            return Mend("fence-unclosed", message, "Make both fences equally long.", opener.index + 1)
    for number in range(opener.index + 2, len(lines)):
        if _HEADING.match(lines[number]) and not lines[number - 1].strip():
            lines[number - 1] = opener.marker * opener.length
            message = f"This code fence is never closed; it is read as ending before the heading on line {number + 1}."
            return Mend("fence-unclosed", message, "Close it with a line of its own.", opener.index + 1)
    message = "This code fence is never closed; the rest of the file is read as code."
    return Mend("fence-unclosed", message, "Close it with a line of its own.", opener.index + 1)


def _lengthen(lines: list[str], fences: Sequence[_Fence], opener: int, close: int) -> None:
    """Make the fences `opener` and `close` longer than every fence between them."""
    needed = 1 + max(fence.length for fence in fences[opener + 1 : close])
    for fence in (fences[opener], fences[close]):
        old = fence.marker * fence.length
        lines[fence.index] = lines[fence.index].replace(old, fence.marker * max(needed, fence.length), 1)
