"""All that can be derived from one runbook alone, ready to be indexed. Pure: what depends on the other runbooks
(rarity, average lengths) is computed where they meet."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from indexer.chunk import MAX_CHUNK_CHARS, chunk_runbook, display_name, embed_text
from indexer.ngrams import gram_counts
from indexer.postings import Entries, term_key
from indexer.tokens import Analyzer, normal_name
from kb.hits import Chunk
from kb.runbook import Runbook

FIELDS = ("name", "title", "headings", "path", "about", "body")
CHUNK_FIELDS = ("headings", "text")
MAX_HEADINGS_CHARS = 1_000  # of the text that stands for a whole runbook; the model reads no more


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """One runbook, ready for every index.

    `embed_texts` holds one text a chunk, then one for the runbook as a whole. `fields` has one row and a column for
    each of FIELDS; `chunk_terms` a row for each chunk and a column for each of CHUNK_FIELDS. `names` are keys of the
    names by which an alert calls this runbook; `grams` counts hashed character n-grams of name, title and headings.
    """

    runbook_id: str
    chunks: tuple[Chunk, ...]
    embed_texts: tuple[str, ...]
    fields: Entries
    chunk_terms: Entries
    names: Entries
    grams: Entries


def extract_features(runbook: Runbook, *, max_chars: int = MAX_CHUNK_CHARS) -> Features:
    analyzer = Analyzer()
    chunks = chunk_runbook(runbook, max_chars=max_chars)
    headings = "\n".join(section.title for section in runbook.sections if section.title)
    calls = names_of(runbook)
    texts = (
        "\n".join((display_name(runbook), *runbook.alerts, *_stem_if_main(runbook))),
        runbook.title,
        headings,
        runbook.path.rpartition("/")[0],
        "\n".join((runbook.service, *runbook.tags, runbook.summary)),
        runbook.text,
    )
    overview = "\n".join((*calls, runbook.title, headings))
    return Features(
        runbook_id=runbook.id,
        chunks=chunks,
        embed_texts=(*(embed_text(runbook, chunk) for chunk in chunks), _overview_text(runbook)),
        fields=_entries([[analyzer.terms(text) for text in texts]]),
        chunk_terms=_entries(
            [[analyzer.terms("\n".join(chunk.section_path)), analyzer.terms(chunk.text)] for chunk in chunks],
            width=len(CHUNK_FIELDS),
        ),
        names=Entries.from_counts([{term_key(normal_name(name)): (1,) for name in calls if normal_name(name)}], 1),
        grams=Entries.from_counts([{key: (count,) for key, count in gram_counts(overview).items()}], 1),
    )


def names_of(runbook: Runbook) -> tuple[str, ...]:
    """What an alert may call this runbook: its alerts, its title, its file's name, its id."""
    found = (*runbook.alerts, runbook.title, *_stem_if_main(runbook), runbook.id)
    return tuple(dict.fromkeys(name for name in found if name))


def _stem_if_main(runbook: Runbook) -> tuple[str, ...]:
    return () if runbook.anchor else (runbook.path.rsplit("/", 1)[-1].rsplit(".", 1)[0],)


def _overview_text(runbook: Runbook) -> str:
    headings = ". ".join(section.title for section in runbook.sections if section.title)
    return f"{display_name(runbook)}. {runbook.title}. {headings[:MAX_HEADINGS_CHARS]}"


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
