"""All that can be derived from one runbook alone, ready to be indexed. Pure: what depends on the other runbooks
(rarity, average lengths) is computed where they meet."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.chunk import MAX_CHUNK_CHARS, chunk_runbook, display_name, embed_text
from indexer.ngrams import gram_counts
from indexer.postings import Entries, term_key
from indexer.roles import role_of
from indexer.tokens import Analyzer, normal_name
from kb.hits import Chunk
from kb.runbook import Runbook

FIELDS = ("name", "anywhere")
CHUNK_FIELDS = ("name", "headings", "text")
MAX_OVERVIEW_CHARS = 900  # of its first prose, in the text that stands for a whole runbook; the model reads no more

_MARKUP = (
    (re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1|\Z)", re.DOTALL | re.MULTILINE), " "),
    (re.compile(r"\[([^\]\n]{0,300})\]\([^)\n]{0,600}\)"), r"\1"),
    (re.compile(r"<[^>\n]{1,300}>"), " "),
    (re.compile(r"[#*`>|]+"), " "),
)


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """One runbook, ready for every index.

    `embed_texts` holds one text a chunk, then one for the runbook as a whole. `fields` has one row and a column for
    each of FIELDS; `chunk_terms` a row for each chunk and a column for each of CHUNK_FIELDS; `pairs` counts pairs of
    neighbouring words. `names` are keys of the names by which an alert calls this runbook; `grams` counts hashed
    character n-grams of name, title and headings; `roles` says of each chunk what its section is for.
    """

    runbook_id: str
    chunks: tuple[Chunk, ...]
    embed_texts: tuple[str, ...]
    fields: Entries
    chunk_terms: Entries
    pairs: Entries
    names: Entries
    grams: Entries
    roles: NDArray[np.int8]


def extract_features(runbook: Runbook, *, max_chars: int = MAX_CHUNK_CHARS) -> Features:
    analyzer = Analyzer()
    chunks = chunk_runbook(runbook, max_chars=max_chars)
    headings = "\n".join(section.title for section in runbook.sections if section.title)
    calls = names_of(runbook)
    name_terms = analyzer.terms(f"{display_name(runbook)}\n{runbook.title}")
    name = "\n".join((display_name(runbook), *runbook.alerts))
    anywhere = "\n".join((name, runbook.title, runbook.path, runbook.service, *runbook.tags, runbook.text))
    return Features(
        runbook_id=runbook.id,
        chunks=chunks,
        embed_texts=(*(embed_text(runbook, chunk) for chunk in chunks), _overview_text(runbook)),
        fields=_entries([[analyzer.terms(name), analyzer.terms(anywhere)]]),
        chunk_terms=_entries(
            [
                [name_terms, analyzer.terms("\n".join(_own_path(runbook, chunk))), analyzer.terms(chunk.text)]
                for chunk in chunks
            ],
            width=len(CHUNK_FIELDS),
        ),
        pairs=_entries([[analyzer.pairs(f"{display_name(runbook)} . {runbook.title} . {runbook.text}")]], width=1),
        names=Entries.from_counts([{term_key(normal_name(name)): (1,) for name in calls if normal_name(name)}], 1),
        roles=np.array([role_of(chunk.section_path, runbook.title) for chunk in chunks], dtype=np.int8),
        grams=Entries.from_counts(
            [{key: (count,) for key, count in gram_counts("\n".join((*calls, headings))).items()}], 1
        ),
    )


def names_of(runbook: Runbook) -> tuple[str, ...]:
    """What an alert may call this runbook: its alerts, its title, its file's name, its id."""
    found = (*runbook.alerts, runbook.title, *_stem_if_main(runbook), runbook.id)
    return tuple(dict.fromkeys(name for name in found if name))


def _stem_if_main(runbook: Runbook) -> tuple[str, ...]:
    return () if runbook.anchor else (runbook.path.rsplit("/", 1)[-1].rsplit(".", 1)[0],)


def _own_path(runbook: Runbook, chunk: Chunk) -> tuple[str, ...]:
    """The headings above a chunk, without the one that is the runbook's title."""
    return tuple(title for title in chunk.section_path if title != runbook.title)


def _overview_text(runbook: Runbook) -> str:
    """Name, title and first prose: authors begin with what the alert means."""
    return f"{display_name(runbook)}. {runbook.title}. {plain_prose(runbook.text, MAX_OVERVIEW_CHARS)}"


def plain_prose(text: str, max_chars: int) -> str:
    """The first words of a text, without code blocks, links' targets, tags and marks."""
    head = text[: 8 * max_chars]
    for pattern, by in _MARKUP:
        head = pattern.sub(by, head)
    return " ".join(head.split())[:max_chars]


def _entries(rows: Sequence[Sequence[Sequence[str]]], width: int = len(FIELDS)) -> Entries:
    """Rows of `width` columns of terms -> counts by (term, row)."""
    keys: dict[str, int] = {}
    counted: list[Mapping[int, list[int]]] = []
    for row in rows:
        counts: dict[int, list[int]] = {}
        for column, terms in enumerate(row):
            for term, count in Counter(terms).items():
                key = keys.get(term)
                if key is None:
                    key = keys[term] = term_key(term)
                counts.setdefault(key, [0] * width)[column] = count
        counted.append(counts)
    return Entries.from_counts(counted, width)
