"""Query -> the terms to look up and what each is worth: words weighed, misspelt ones read as the nearest known one, the
organisation's synonyms added at less weight. Pure over one lexical index."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from indexer.lexical import LexicalIndex
from indexer.paste import PasteKind
from indexer.postings import Floats, Keys, term_key
from indexer.query import Query
from indexer.tokens import FUNCTION_TERMS, Analyzer, split_identifier, words_in

MAX_TERMS = 64
MAX_TYPED_WORDS = 16  # longer texts are pasted, and pasted texts are spelt as the machine spells them
FUNCTION_WEIGHT = 0.2  # of words such as `how` and `the`: in few runbooks they are as rare as any
NAME_BONUS = 1.0  # a word of the alert's name counts twice
SYNONYM_WEIGHT = 0.5
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_TYPED_WORD = re.compile(r"[a-z]{5,24}")


@dataclass(frozen=True, slots=True, eq=False)
class QueryTerms:
    """`keys` and `weights` run along `terms`; `words` has how the query wrote each, for people to read;
    `pair_keys` and `pair_weights` stand for its pairs of neighbouring words."""

    terms: tuple[str, ...]
    words: tuple[str, ...]
    keys: Keys
    weights: Floats
    pair_keys: Keys
    pair_weights: Floats


@dataclass(frozen=True, slots=True)
class Synonyms:
    """Groups of phrases that mean the same, each phrase as its stemmed words."""

    groups: tuple[tuple[tuple[str, ...], ...], ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Synonyms":
        """One group a line, phrases between commas; `#` begins a comment. A line of one phrase says nothing."""
        analyzer = Analyzer()
        groups = []
        for line in text.splitlines():
            phrases = (tuple(analyzer.pieces(phrase)) for phrase in line.partition("#")[0].split(","))
            group = tuple(dict.fromkeys(phrase for phrase in phrases if phrase))
            if len(group) > 1:
                groups.append(group)
        return cls(tuple(groups))

    def of(self, words: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """The other phrases of every group of which `words`, stemmed and in order, contain one."""
        for group in self.groups:
            present = [phrase for phrase in group if _contains(words, phrase)]
            if present:
                yield from (phrase for phrase in group if phrase not in present)


def weigh_terms(query: Query, synonyms: Synonyms) -> QueryTerms:
    """At most MAX_TERMS different terms, those of the alert's name first. Repetition counts by its logarithm."""
    analyzer = Analyzer()
    counts: Counter[str] = Counter()
    words: dict[str, str] = {}
    for word in words_in(" ".join((query.alert_name, query.headline, query.detail))):
        found = analyzer.terms(word)
        counts.update(found)
        pieces = split_identifier(word)
        shown = [*pieces, word] if len(found) == len(pieces) + 1 else [word] * len(found)
        for term, surface in zip(found, shown, strict=True):
            words.setdefault(term, surface)
    in_name = set(analyzer.terms(query.alert_name))
    weights = {
        term: (1 + math.log(n) + NAME_BONUS * (term in in_name)) * (FUNCTION_WEIGHT if term in FUNCTION_TERMS else 1)
        for term, n in counts.items()
    }
    for phrase in synonyms.of(analyzer.pieces(query.text)):
        for term in phrase:
            if term not in weights:
                weights[term] = SYNONYM_WEIGHT
                words[term] = term
    chosen = list(weights)[:MAX_TERMS]
    parts = (query.alert_name, query.headline, query.detail)
    pairs = Counter(
        pair for part in parts for pair in analyzer.pairs(part) if not FUNCTION_TERMS.issuperset(pair.split(" "))
    ).most_common(MAX_TERMS)
    return QueryTerms(
        tuple(chosen),
        tuple(words[term] for term in chosen),
        np.array([term_key(term) for term in chosen], dtype=np.uint64),
        np.array([weights[term] for term in chosen], dtype=np.float32),
        np.array([term_key(pair) for pair, _ in pairs], dtype=np.uint64),
        np.array([1 + math.log(n) for _, n in pairs], dtype=np.float32),
    )


def corrected(query: Query, lexical: LexicalIndex) -> Query:
    """The query with unknown words read as the commonest known word one slip away, and a note that says so. Only what
    people type is corrected."""
    if query.kind is not PasteKind.TEXT or query.alert_name or len(query.detail.split()) > MAX_TYPED_WORDS:
        return query
    stem = Analyzer()
    meant: dict[str, str] = {}
    for word in dict.fromkeys(query.detail.lower().split()):
        bare = word.strip("?!.,;:'\"()")
        if _TYPED_WORD.fullmatch(bare) and not _is_known(stem.terms(bare), lexical):
            nearest = _nearest(bare, stem, lexical)
            if nearest:
                meant[bare] = nearest
    if not meant:
        return query
    pattern = re.compile("|".join(rf"\b{re.escape(word)}\b" for word in meant), re.IGNORECASE)
    notes = tuple(f"read '{word}' as '{other}'" for word, other in meant.items())
    detail = pattern.sub(lambda match: meant[match[0].lower()], query.detail)
    return replace(query, detail=detail, notes=(*query.notes, *notes))


def _is_known(terms: Sequence[str], lexical: LexicalIndex) -> bool:
    return bool(lexical.fields.row_counts(np.array([term_key(term) for term in terms], dtype=np.uint64)).all())


def _nearest(word: str, analyzer: Analyzer, lexical: LexicalIndex) -> str:
    """Empty when none is near. A word that only one runbook has is as likely a slip itself."""
    candidates = list(dict.fromkeys(_slips(word)))
    keys = np.array([term_key(analyzer.terms(candidate)[0]) for candidate in candidates], dtype=np.uint64)
    counts = lexical.fields.row_counts(keys)
    best = int(np.argmax(counts))
    return candidates[best] if counts[best] > 1 else ""


def _slips(word: str) -> Iterator[str]:
    """What one may have meant: two letters swapped, one letter doubled, missing or wrong. The first letter is right."""
    for i in range(1, len(word)):
        if i + 1 < len(word):
            yield word[:i] + word[i + 1] + word[i] + word[i + 2 :]
        yield word[:i] + word[i + 1 :]
    for i in range(1, len(word) + 1):
        for letter in _LETTERS:
            yield word[:i] + letter + word[i:]
            if i < len(word):
                yield word[:i] + letter + word[i + 1 :]


def _contains(words: Sequence[str], phrase: Sequence[str]) -> bool:
    size = len(phrase)
    return any(tuple(words[i : i + size]) == tuple(phrase) for i in range(len(words) - size + 1))
