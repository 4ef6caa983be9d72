"""The lines of a chunk to show with a hit: around the words that matched, as plain text with marks (pure)."""

import re
from collections.abc import Collection

from indexer.tokens import FUNCTION_TERMS, Analyzer

MARK_START, MARK_END = "\x02", "\x03"
MAX_SNIPPET_CHARS = 240
_RAW_CHARS = 480  # of Markdown, for one snippet: marks and links take their share
_LEAD_CHARS = 60  # shown before the first word that matched, at most
_STEM_KEEPS = 3  # first letters of a word that stemming leaves
_MAX_PLACES = 3  # where one word is looked for in a chunk

_WORD = re.compile(r"[^\W_]+(?:[_-][^\W_]+)*")
_PLAIN = (
    (re.compile(r"\[([^\]\n]{0,200})\]\([^)\n]{0,500}\)?"), r"\1"),
    (re.compile(r"^[ \t]*(?:`{3,}|~{3,}).*$", re.MULTILINE), " "),
    (re.compile(r"^[ \t]{0,8}(?:#{1,6}[ \t]|[-*+][ \t]|\d{1,3}[.)][ \t]|>+|\|)", re.MULTILINE), " "),
    (re.compile(r"[`|]|\*{2,}|[\x00-\x08\x0e-\x1f]"), " "),
)


def plain_text(text: str) -> str:
    """Markdown without its marks, on one line. Not safe as HTML: whoever shows it escapes it."""
    for pattern, by in _PLAIN:
        text = pattern.sub(by, text)
    return " ".join(text.split())


class Highlighter:
    """Marks the words that carry one of `terms`. One search uses one, so each distinct word is analysed once."""

    def __init__(self, terms: Collection[str]) -> None:
        self._terms = frozenset(terms) - FUNCTION_TERMS
        # Stemming changes the last letter at most and cuts off what follows, so words begin with the rest of the stem.
        self._needles = tuple({term[:-1] if len(term) > 4 else term for term in self._terms if len(term) > 2})
        self._beginnings = frozenset(term[:_STEM_KEEPS] for term in self._terms)
        self._analyzer = Analyzer()
        self._memo: dict[str, bool] = {}

    def snippet(self, text: str, *, max_chars: int = MAX_SNIPPET_CHARS) -> str:
        """The part of `text` with the most different matched words, its beginning where none matched."""
        begin = self._window(text.lower(), _RAW_CHARS // 2)
        shown = plain_text(text[begin : begin + _RAW_CHARS])
        cut = len(shown) > max_chars
        if cut:
            shown = shown[:max_chars].rpartition(" ")[0] or shown[:max_chars]
        more = cut or begin + _RAW_CHARS < len(text)
        return f"{'…' if begin else ''}{self._marked(shown)}{'…' if more else ''}"

    def _window(self, lowered: str, width: int) -> int:
        """Where to begin: at a word or a line, shortly before the densest run of matches."""
        places: list[tuple[int, int]] = []
        for number, needle in enumerate(self._needles):
            at = -1
            for _ in range(_MAX_PLACES):
                at = lowered.find(needle, at + 1)
                if at < 0:
                    break
                places.append((at, number))
        places.sort()
        best, best_count, last = 0, 0, 0
        for first, (at, _) in enumerate(places):
            while last < len(places) and places[last][0] < at + width:
                last += 1
            count = len({number for _, number in places[first:last]})
            if count > best_count:
                best, best_count = at, count
        if best <= _LEAD_CHARS:
            return 0
        line = lowered.rfind("\n", best - _LEAD_CHARS, best)
        space = lowered.find(" ", best - _LEAD_CHARS, best)
        return max(line, space if line < 0 else line, best - _LEAD_CHARS) + 1

    def _marked(self, plain: str) -> str:
        out: list[str] = []
        at = 0
        for match in _WORD.finditer(plain):
            if self._carries(match[0]):
                out += [plain[at : match.start()], MARK_START, match[0], MARK_END]
                at = match.end()
        return "".join(out) + plain[at:]

    def _carries(self, word: str) -> bool:
        known = self._memo.get(word)
        if known is None:
            known = self._memo[word] = self._may_carry(word) and not self._terms.isdisjoint(self._analyzer.terms(word))
        return known

    def _may_carry(self, word: str) -> bool:
        """Cheap, and true of all that do: most words are passed over here."""
        if word[:_STEM_KEEPS].lower() in self._beginnings:
            return True
        if word.isalpha():
            return not (word.islower() or word.isupper() or word[1:].islower())
        return not word.isdigit()
