"""The lines of a chunk to show with a hit: around the words that matched, as plain text with marks (pure)."""

import re
from collections.abc import Collection

from indexer.tokens import Analyzer

MARK_START, MARK_END = "\x02", "\x03"
MAX_SNIPPET_CHARS = 240
_STEM_KEEPS = 6  # stemming changes the end of a word; so many of its first letters are enough to pass most over
_MAX_MATCHES = 40  # looked at for the best window

_PLAIN = (
    (re.compile(r"\[([^\]\n]{0,200})\]\([^)\n]{0,500}\)"), r"\1"),
    (re.compile(r"^[ \t]*(?:`{3,}|~{3,}).*$", re.MULTILINE), " "),
    (re.compile(r"^[ \t]{0,8}(?:#{1,6}[ \t]|[-*+][ \t]|\d{1,3}[.)][ \t]|>+|\|)", re.MULTILINE), " "),
    (re.compile(r"[`|]|\*{2,}|[\x00-\x08\x0e-\x1f]|<[^<>\n]{1,200}>(?=\s|$)"), " "),
)


def plain_text(text: str) -> str:
    """Markdown without its marks, on one line."""
    for pattern, by in _PLAIN:
        text = pattern.sub(by, text)
    return " ".join(text.split())


class Highlighter:
    """Marks the words that carry one of `terms`. One search uses one, so each distinct word is analysed once."""

    def __init__(self, terms: Collection[str]) -> None:
        self._terms = frozenset(terms)
        beginnings = sorted({re.escape(term[: max(3, min(len(term) - 1, _STEM_KEEPS))]) for term in terms})
        self._candidate = re.compile(
            rf"(?<![^\W_])(?:{'|'.join(beginnings)})[^\W_]*(?:[_-][^\W_]+)*" if beginnings else r"(?!)", re.IGNORECASE
        )
        self._analyzer = Analyzer()
        self._memo: dict[str, bool] = {}

    def snippet(self, text: str, *, max_chars: int = MAX_SNIPPET_CHARS) -> str:
        """The window of `text` with the most different matched words, its start where none matched."""
        plain = plain_text(text)
        matches = [match for match in self._candidate.finditer(plain) if self._carries(match[0])]
        if not matches:
            return _clipped(plain, 0, max_chars)
        start = _best_start(matches, max_chars)
        begin = max(plain.rfind(". ", 0, start + 1) + 2, start - max_chars // 4) if start else 0
        begin = 0 if begin < 30 else plain.find(" ", begin - 1) + 1 if plain[begin - 1 : begin] != " " else begin
        end = begin + max_chars
        shown = _clipped(plain, begin, max_chars)
        shift = (1 if begin else 0) - begin
        out, at = [], 0
        for match in matches:
            if match.start() < begin or match.end() > end or match.end() + shift > len(shown):
                continue
            out += [shown[at : match.start() + shift], MARK_START, match[0], MARK_END]
            at = match.end() + shift
        return "".join(out) + shown[at:]

    def _carries(self, word: str) -> bool:
        known = self._memo.get(word)
        if known is None:
            known = self._memo[word] = not self._terms.isdisjoint(self._analyzer.terms(word))
        return known


def _best_start(matches: list[re.Match[str]], max_chars: int) -> int:
    best, best_count = matches[0].start(), 0
    for i, first in enumerate(matches[:_MAX_MATCHES]):
        last = first.start() + max_chars
        words = {match[0].lower() for match in matches[i : i + _MAX_MATCHES] if match.end() <= last}
        if len(words) > best_count:
            best, best_count = first.start(), len(words)
    return best


def _clipped(plain: str, begin: int, max_chars: int) -> str:
    end = begin + max_chars
    if end < len(plain):
        end = max(plain.rfind(" ", begin, end), begin + 1)
    return f"{'…' if begin else ''}{plain[begin:end]}{'…' if end < len(plain) else ''}"
