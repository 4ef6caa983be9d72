"""A diagnosis that says where to go on (pure): 'a refused connection leads to [A dependency is not reachable](#...)'.
Whoever searches for that very finding wants the section it leads to."""

import re
from collections.abc import Iterator, Mapping

from indexer.tokens import Analyzer

_LINK = re.compile(r"\]\(#([^)\s]{1,120})\)")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_PARAGRAPH = re.compile(r"\n[ \t]*\n")
MIN_SHARE = 0.4  # of the matched words' weight that must stand in the one sentence; from a third to a half do as well


def pointed_anchor(text: str, weights: Mapping[str, float]) -> str | None:
    """The anchor that the sentence or table row with most of the query leads to; None unless most of what `text` says
    of the query stands there. `weights` has the query's terms."""
    if "](#" not in text:
        return None
    analyzer = Analyzer()
    whole = sum(weights.get(term, 0.0) for term in set(analyzer.terms(text)))
    best, anchor = 0.0, None
    for statement in _statements(text):
        link = _LINK.search(statement)
        if link is None:
            continue
        weight = sum(weights.get(term, 0.0) for term in set(analyzer.terms(statement)))
        if weight > best:
            best, anchor = weight, link[1]
    return anchor if best >= MIN_SHARE * whole and best > 0 else None


def _statements(text: str) -> Iterator[str]:
    """Table rows one by one, sentences of everything else."""
    for paragraph in _PARAGRAPH.split(text):
        lines = paragraph.split("\n")
        if any(line.lstrip().startswith("|") for line in lines):
            yield from lines
        else:
            yield from _SENTENCE_END.split(" ".join(line.strip() for line in lines))
