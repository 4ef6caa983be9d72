"""The read path: a query over one generation becomes an answer with hits, reasons and a confidence. Decides nothing by
itself: signals, weights, sections and confidence each have a module of their own."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from indexer.confidence import THRESHOLD, Evidence, probability
from indexer.embed import Embedder
from indexer.fuse import Mask, scaled
from indexer.generation import Generation
from indexer.lexical import idf_of
from indexer.pointers import pointed_anchor
from indexer.postings import Floats
from indexer.query import Query
from indexer.query_terms import QueryTerms, Synonyms, corrected, weigh_terms
from indexer.ranking import ranked, ranks, rivals
from indexer.roles import Role
from indexer.search_view import Filters, SearchView
from indexer.sections import Wish, choose, wish_of
from indexer.signals import Signals, collect
from indexer.snippet import Highlighter
from indexer.tokens import normal_name
from kb.hits import Answer, Hit, Part, Reasons
from kb.runbook import ReviewState

# Every signal weighs the same: weights tuned on part of the benchmark do no better on the rest of it
# (benchmarks/retrieval.py).
WEIGHTS: Mapping[str, float] = MappingProxyType(
    dict.fromkeys(("meaning", "overview", "words", "phrases", "spelling", "name", "coverage", "exact"), 0.25)
)
# Those that are scaled, each with the score from which its best counts in full: spelling that is not half alike is
# weak.
SCALED: Mapping[str, float] = MappingProxyType(
    {"meaning": 0.0, "overview": 0.0, "words": 0.0, "phrases": 0.0, "spelling": 0.5}
)
MAX_PRIOR = 0.2  # what feedback may add or take: it settles a close call, it does not overrule the text
TEMPLATE_PRIOR = -0.3  # a form to be filled answers nothing, whatever words it holds
MAX_LIMIT = 50
MAX_MATCHED_TERMS = 8
DRAFT_LIMIT = 3
POINTED_HITS = 3  # hits whose diagnosis is followed to where it leads; the others are seldom opened
_FORCED = 10.0  # puts a pin before any score
_PINNED = 1.0
_LINKED = 0.97  # an author's link to a file that is there is seldom wrong, and sometimes old


@dataclass(frozen=True, slots=True)
class Visibility:
    """Runbooks of which states are hits, and of which stand apart as drafts; the others are not found at all."""

    hits: frozenset[ReviewState] = frozenset({ReviewState.PUBLISHED, ReviewState.UNREVIEWED})
    drafts: frozenset[ReviewState] = frozenset({ReviewState.DRAFT})


@dataclass(frozen=True, slots=True)
class Priors:
    """What is known beside the text. `boosts` by runbook id, cut to +-MAX_PRIOR on the scale of scores, and `notes`,
    the plain words on them; `pins` by the alert's name, to a runbook id.

    Boosts move a runbook among those that match. Whether anything matches is for the text alone to say.
    """

    boosts: Mapping[str, float] = field(default_factory=dict)
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class _Scores:
    """One query over one generation."""

    query: Query
    terms: QueryTerms
    signals: Signals
    parts: Mapping[str, Floats]  # signal -> what it adds to each runbook's score
    text: Floats  # the sum of the parts
    boosts: Mapping[int, float]  # row -> what feedback adds
    total: Floats
    order: Floats  # the total, with what comes first whatever it scores
    forced: Mapping[int, tuple[float, str]]  # row -> confidence and note
    notes: Mapping[int, tuple[str, ...]]  # row -> what people said


class Searcher:
    """Safe to call from many threads: it keeps nothing but the last generation's view."""

    def __init__(
        self,
        embedder: Embedder | None,
        *,
        synonyms: Synonyms | None = None,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._embedder = embedder
        self._synonyms = synonyms or Synonyms()
        self._timer = timer
        self._view: SearchView | None = None

    def search(
        self,
        query: Query,
        generation: Generation,
        *,
        limit: int = 10,
        filters: Filters | None = None,
        priors: Priors | None = None,
        visibility: Visibility | None = None,
        search_id: str = "",
    ) -> Answer:
        """The best `limit` runbooks (at most 50), each with its best section. `filters` hold before they are chosen."""
        began = self._timer()
        limit = max(1, min(limit, MAX_LIMIT))
        visibility = visibility or Visibility()
        view = self._view_of(generation)
        understood = corrected(query, generation.lexical)
        passing = view.passing(filters or Filters())
        found: list[Hit] = []
        drafts: list[Hit] = []
        confident = False
        if not understood.is_empty or understood.runbook_url:
            scores = self._score(understood, view, passing, priors or Priors())
            shown = passing & view.in_states(visibility.hits)
            found = _hits(scores, view, shown, limit)
            drafts = _hits(scores, view, passing & view.in_states(visibility.drafts), DRAFT_LIMIT)
            confident = bool(found) and _is_confident(scores, view, shown, found[0])
        return Answer(
            search_id=search_id,
            query=query.raw,
            hits=tuple(found) if confident else (),
            near_misses=() if confident else tuple(found),
            drafts=tuple(hit for hit in drafts if hit.confidence >= THRESHOLD),
            confident=confident,
            generation=generation.id,
            degraded=generation.degraded or ("" if self._embedder else "vectors: no model"),
            took_s=self._timer() - began,
        )

    def _view_of(self, generation: Generation) -> SearchView:
        view = self._view
        if view is None or view.generation is not generation:
            view = self._view = SearchView.of(generation)
        return view

    def _score(self, query: Query, view: SearchView, passing: Mask, priors: Priors) -> _Scores:
        generation = view.generation
        terms = weigh_terms(query, self._synonyms)
        vector = self._embedder.embed_query(query.text) if self._embedder and generation.has_vectors else None
        signals = collect(
            query,
            terms,
            vector,
            lexical=generation.lexical,
            ngrams=generation.ngrams,
            chunk_vectors=generation.chunk_vectors,
            card_vectors=generation.card_vectors,
        )
        parts = weighted_parts(signals, passing)
        text: Floats = np.stack(list(parts.values())).sum(axis=0, dtype=np.float32)
        text[view.is_template] += np.float32(TEMPLATE_PRIOR)
        total = text.copy()
        boosts, notes = _known_rows(priors, generation.lexical.ids)
        for row, boost in boosts.items():
            total[row] += boost
        forced = _forced(query, view, priors)
        order = total.copy()
        for place, row in enumerate(forced):
            order[row] += _FORCED * (len(forced) - place)
        return _Scores(query, terms, signals, parts, text, boosts, total, order, forced, notes)


def _known_rows(priors: Priors, ids: Sequence[str]) -> tuple[dict[int, float], dict[int, tuple[str, ...]]]:
    """Boosts and notes by row, for the runbooks that are here."""
    if not priors.boosts:
        return {}, {}
    rows = {runbook_id: row for row, runbook_id in enumerate(ids)}
    known = [(rows[name], name) for name in priors.boosts if name in rows]
    return (
        {row: min(max(priors.boosts[name], -MAX_PRIOR), MAX_PRIOR) for row, name in known},
        {row: priors.notes.get(name, ()) for row, name in known},
    )


def weighted_parts(signals: Signals, among: Mask) -> dict[str, Floats]:
    """Signal -> what it adds to each runbook's score; scaled by the runbooks that may be found."""
    return {
        name: np.float32(WEIGHTS[name]) * (scaled(values, among, full=SCALED[name]) if name in SCALED else values)
        for name, values in signals.runbooks.items()
    }


def _forced(query: Query, view: SearchView, priors: Priors) -> dict[int, tuple[float, str]]:
    """Rows that come before all scores, in order: the pin, then the file that the alert's own link names."""
    forced: dict[int, tuple[float, str]] = {}
    if query.alert_name and priors.pins:
        names = {normal_name(name): runbook_id for name, runbook_id in priors.pins.items()}
        pinned = names.get(normal_name(query.alert_name))
        ids = view.generation.lexical.ids
        if pinned in ids:
            forced[ids.index(pinned)] = (_PINNED, f"pinned to {query.alert_name}")
    if query.runbook_url:
        row = view.resolve(query.runbook_url)
        if row is not None:
            forced.setdefault(row, (_LINKED, "the alert's runbook link names this file"))
    return forced


def _hits(scores: _Scores, view: SearchView, eligible: Mask, limit: int) -> list[Hit]:
    if not eligible.any():
        return []
    rows = ranked(scores.order, view, eligible, limit)
    rival_of = rivals(scores.text, view, eligible)
    ranked_by = {
        name: ranks(scores.signals.runbooks[name], eligible) for name in ("words", "meaning") if name in scores.parts
    }
    highlighter = Highlighter(scores.terms.terms)
    matched = _matched(scores.terms, view, rows)
    wish = wish_of(scores.query)
    hits = []
    for place, row in enumerate(rows):
        chunk_row = _section(scores, view.generation, wish, row)
        if place < POINTED_HITS:
            chunk_row = _pointed(scores, view.generation, wish, row, chunk_row)
        chunk = view.generation.chunks[chunk_row]
        sure, note = scores.forced.get(row, (None, ""))
        hits.append(
            Hit(
                runbook=view.generation.cards[row],
                chunk=chunk,
                score=float(scores.total[row]),
                confidence=_confidence(scores, row, rival_of(row)) if sure is None else sure,
                dense_rank=int(ranked_by["meaning"][row]) if "meaning" in ranked_by else None,
                lexical_rank=int(ranked_by["words"][row]) if scores.signals.runbooks["words"][row] > 0 else None,
                snippet=highlighter.snippet(chunk.text),
                reasons=Reasons(matched[place], _parts(scores, row), _notes(scores, row, note)),
            )
        )
    return hits


def _is_confident(scores: _Scores, view: SearchView, eligible: Mask, first: Hit) -> bool:
    """Whether the best hit is sure enough. Where feedback may have put another one first, the best by text decides."""
    if first.confidence >= THRESHOLD or not scores.boosts:
        return first.confidence >= THRESHOLD
    (best,) = ranked(scores.text, view, eligible, 1)
    return _confidence(scores, best, rivals(scores.text, view, eligible)(best)) >= THRESHOLD


def _section(scores: _Scores, generation: Generation, wish: Wish, row: int) -> int:
    lexical = generation.lexical
    first, last = int(lexical.chunk_starts[row]), int(lexical.chunk_starts[row + 1])
    meaning = scores.signals.chunk_meaning
    place = choose(
        wish,
        lexical.roles[first:last],
        scores.signals.chunk_words[first:last],
        None if meaning is None else meaning[first:last],
        scores.signals.chunk_headings[first:last],
    )
    return first + place


def _pointed(scores: _Scores, generation: Generation, wish: Wish, row: int, chunk_row: int) -> int:
    """The chunk to show instead of a diagnosis that leads on to another section by the query's own words."""
    lexical = generation.lexical
    if lexical.roles[chunk_row] != Role.DIAGNOSIS or wish.asked is Role.DIAGNOSIS or wish.names_trouble:
        return chunk_row
    chunks = [generation.chunks[i] for i in range(int(lexical.chunk_starts[row]), int(lexical.chunk_starts[row + 1]))]
    here = generation.chunks[chunk_row].anchor
    text = "\n\n".join(chunk.text for chunk in chunks if chunk.anchor == here)
    rarity = idf_of(lexical.fields.row_counts(scores.terms.keys), len(lexical.ids)) * scores.terms.weights
    anchor = pointed_anchor(text, dict(zip(scores.terms.terms, rarity.tolist(), strict=True)))
    places = (place for place, chunk in enumerate(chunks) if anchor and chunk.anchor == anchor)
    return int(lexical.chunk_starts[row]) + place if (place := next(places, None)) is not None else chunk_row


def _confidence(scores: _Scores, row: int, rival: float) -> float:
    return probability(_evidence(scores, row, rival), has_vectors=scores.signals.chunk_meaning is not None)


def _evidence(scores: _Scores, row: int, rival: float) -> Evidence:
    own = {name: float(values[row]) for name, values in scores.signals.runbooks.items()}
    is_exact = own["exact"] >= 1
    return Evidence(
        margin=float(scores.text[row]) - rival,
        meaning=own.get("meaning", 0.0),
        name=own["name"],
        coverage=own["coverage"],
        exact=is_exact,
        mention=0.0 if is_exact else own["exact"],
    )


def _matched(terms: QueryTerms, view: SearchView, rows: Sequence[int]) -> list[tuple[str, ...]]:
    """For each row the query's words that the runbook says, rarest first."""
    fields = view.generation.lexical.fields
    occurs = fields.occurs(terms.keys, np.array(rows, dtype=np.int32))
    rarest = np.argsort(fields.row_counts(terms.keys), kind="stable")
    out = []
    for place in range(len(rows)):
        found = rarest[occurs[rarest, place]]
        words = dict.fromkeys(terms.words[i] for i in found[: 2 * MAX_MATCHED_TERMS])
        out.append(tuple(words)[:MAX_MATCHED_TERMS])
    return out


def _parts(scores: _Scores, row: int) -> tuple[Part, ...]:
    said = scores.boosts.get(row)
    return (
        *(
            Part(name, float(scores.signals.runbooks[name][row]), float(part[row]))
            for name, part in scores.parts.items()
        ),
        *(() if said is None else (Part("feedback", said / MAX_PRIOR, said),)),
    )


def _notes(scores: _Scores, row: int, note: str) -> tuple[str, ...]:
    notes = [note] if note else []
    if scores.signals.runbooks["exact"][row] >= 1:
        notes.append(f"this runbook is for {scores.query.alert_name}")
    return (*notes, *scores.notes.get(row, ()), *scores.query.notes)
