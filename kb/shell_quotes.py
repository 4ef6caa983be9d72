"""Where in a shell text quotes, comments and here-documents begin and end; no more of the grammar than that. Pure."""

import re
from bisect import bisect_right
from dataclasses import dataclass
from enum import Enum, auto


class Context(Enum):
    """What surrounds a character: `LITERAL` here-documents and single quotes expand no variables."""

    PLAIN = auto()
    DOUBLE = auto()
    SINGLE = auto()
    COMMENT = auto()
    HEREDOC = auto()
    LITERAL_HEREDOC = auto()


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of text in one context, without its quote characters."""

    start: int
    end: int
    context: Context


_MARK = re.compile(
    r"\\.|['\"()\n]|\$\(|(?:(?<=[\s;&|(])|^)\#[^\n]*"
    r"|<<-?[ \t]{0,8}(?P<quote>['\"]?)(?P<word>[A-Za-z_]\w{0,60})(?P=quote)",
    re.DOTALL | re.MULTILINE,
)


class QuoteMap:
    """The contexts of one shell text. An apostrophe inside a word, and a quote that nothing closes, are ordinary
    characters."""

    def __init__(self, text: str) -> None:
        self._regions = _Scanner(text).scan()
        self._starts = [region.start for region in self._regions]

    def region_at(self, offset: int) -> Region:
        """The region that the character at `offset` belongs to."""
        return self._regions[bisect_right(self._starts, offset) - 1]


class _Scanner:
    """One pass over the marks of a text. `_open` holds the enclosing contexts: a double quote, or the parenthesis depth
    inside a command substitution."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._regions = [Region(0, len(text), Context.PLAIN)]
        self._open: list[Context] = []
        self._depths: list[int] = []
        self._heredocs: list[tuple[str, Context]] = []
        self._last_double = text.rfind('"')
        self._last_single = text.rfind("'")

    def scan(self) -> list[Region]:
        position = 0
        while match := _MARK.search(self._text, position):
            position = self._step(match)
        self._begin(len(self._text), self._regions[-1].context)
        return [region for region in self._regions if region.start < region.end] or [Region(0, 0, Context.PLAIN)]

    def _in_double(self) -> bool:
        return bool(self._open) and self._open[-1] is Context.DOUBLE

    def _begin(self, start: int, context: Context) -> None:
        """End the current region at `start` and open the next one there."""
        last = self._regions[-1]
        self._regions[-1] = Region(last.start, min(last.end, start), last.context)
        self._regions.append(Region(start, len(self._text), context))

    def _current(self) -> Context:
        return Context.DOUBLE if self._in_double() else Context.PLAIN

    def _step(self, match: re.Match[str]) -> int:
        mark, start, end = match[0], match.start(), match.end()
        if mark == '"':
            return self._double(start)
        if mark == "$(":
            self._open.append(Context.PLAIN)
            self._depths.append(0)
            self._begin(start, Context.PLAIN)
            return end
        if self._in_double() or mark.startswith("\\"):
            return end
        if mark == "'":
            return self._single(start)
        if mark == "\n":
            return self._bodies(end)
        if mark in "()":
            self._parenthesis(mark, start)
        elif match["word"]:
            self._heredocs.append((match["word"], Context.LITERAL_HEREDOC if match["quote"] else Context.HEREDOC))
        else:
            self._begin(start, Context.COMMENT)
            self._begin(end, self._current())
        return end

    def _double(self, start: int) -> int:
        if self._in_double():
            self._open.pop()
            self._begin(start, Context.PLAIN)
            self._begin(start + 1, self._current())
        elif start < self._last_double:
            self._open.append(Context.DOUBLE)
            self._begin(start + 1, Context.DOUBLE)
        return start + 1

    def _single(self, start: int) -> int:
        if start >= self._last_single:
            return start + 1
        before, after = self._text[start - 1 : start], self._text[start + 1 : start + 2]
        if before.isalnum() and after.isalpha():
            return start + 1
        end = self._text.find("'", start + 1)
        self._begin(start + 1, Context.SINGLE)
        self._begin(end, self._current())
        return end + 1

    def _parenthesis(self, mark: str, start: int) -> None:
        if not self._depths:
            return
        if mark == "(" or self._depths[-1]:
            self._depths[-1] += 1 if mark == "(" else -1
            return
        self._depths.pop()
        self._open.pop()
        self._begin(start + 1, self._current())

    def _bodies(self, start: int) -> int:
        """Skip the bodies of the here-documents that the line before `start` announced."""
        for word, context in self._heredocs:
            end = re.compile(rf"^[ \t]*{word}[ \t]*$", re.MULTILINE).search(self._text, start)
            if end is None:
                break
            self._begin(start, context)
            self._begin(end.start(), Context.PLAIN)
            start = end.end()
        self._heredocs.clear()
        return start
