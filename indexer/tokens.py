"""Text -> terms for the lexical indexes. Identifiers are split at camelCase, snake_case and kebab-case, and kept whole
too; words are stemmed. Nothing here counts or weighs."""

import re
from collections.abc import Iterator
from itertools import pairwise

import Stemmer

from kb.words import word_set

# A word is a run of letters and digits, joined by single connectors that identifiers use.
_WORD = re.compile(r"[^\W_]+(?:[_-][^\W_]+)*")
# PVCs | API (not the A of Api) | Crash, crash, etcd3 | 5xx, 99
_PIECE = re.compile(r"[A-Z]{2,}s(?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+(?:\d+(?![a-z]))?|\d+[a-z]*|[^\W\d_a-zA-Z]+")
# Stems of words that hold questions and sentences together and say nothing about what is wrong. Words that could (no,
# not, down, up, out, off, over) are not among them.
FUNCTION_TERMS = word_set(
    "a about again all also am an and ani are as at be becaus been befor between both but by can could did do "
    "doe for from get got had has have he her here him his how i if in into is it just keep let make may me "
    "might more most must my need of on onc one onli or other our own pleas said see she should so some "
    "somebodi someon someth such than that the their them then there these they thing this those through to too "
    "until us veri want was way we were what when where whi which while who whom whose will with would you your"
)
MAX_TERM_CHARS = 48  # longer ones are digests and encoded blobs; nobody types them


def words_in(text: str) -> list[str]:
    """The words of `text` in order, connectors kept inside (`kube-proxy`, `node_load1`)."""
    return _WORD.findall(text)


def split_identifier(word: str) -> list[str]:
    """`KubePodCrashLooping` -> Kube Pod Crash Looping; a plain word comes back alone."""
    return _PIECE.findall(word)


def spaced(name: str) -> str:
    """An identifier as a phrase a language model can read: `etcd_fsyncSlow` -> `etcd fsync Slow`."""
    return " ".join(piece for word in words_in(name) for piece in split_identifier(word))


def normal_name(name: str) -> str:
    """A name without case, spaces and connectors, so that every spelling of an alert's name is the same string."""
    return "".join(words_in(name)).replace("_", "").replace("-", "").lower()


class Analyzer:
    """Turns text into stemmed terms. One analyzer is used by one thread: the stemmer underneath is not thread-safe.

    It remembers the words it has met, so one analyzer for one runbook costs each distinct word once.
    """

    def __init__(self) -> None:
        self._stemmer = Stemmer.Stemmer("english", 0)
        self._memo: dict[str, tuple[str, ...]] = {}
        self._pieces: dict[str, tuple[str, ...]] = {}

    def terms(self, text: str) -> list[str]:
        """Terms of `text` in order; a compound word gives its stemmed pieces, then the whole without connectors."""
        memo = self._memo
        out: list[str] = []
        for word in _WORD.findall(text):
            known = memo.get(word)
            if known is None:
                known = memo[word] = tuple(self._analyze(word))
            out.extend(known)
        return out

    def pieces(self, text: str) -> list[str]:
        """Like `terms`, without the whole forms of compound words: what a reader would call the words."""
        memo, stem = self._pieces, self._stemmer.stemWord
        out: list[str] = []
        for word in _WORD.findall(text):
            known = memo.get(word)
            if known is None:
                known = memo[word] = tuple(stem(piece.lower()) for piece in _PIECE.findall(word))
            out.extend(known)
        return out

    def pairs(self, text: str) -> list[str]:
        """Neighbouring words of `text`, two by two: what tells `not running` from `running out`."""
        words = self.pieces(text)
        return [f"{first} {second}" for first, second in pairwise(words)]

    def _analyze(self, word: str) -> Iterator[str]:
        pieces = _PIECE.findall(word)
        stem = self._stemmer.stemWord
        for piece in pieces:
            if len(piece) <= MAX_TERM_CHARS:
                yield stem(piece.lower())
        if len(pieces) > 1:
            whole = "".join(pieces).lower()
            if len(whole) <= MAX_TERM_CHARS:
                yield stem(whole)
