"""A signature as numbers: two embeddings, idf-weighted terms, the mass of its naming words, and the alert it bears or
speaks of. Pure; vectors arrive ready-made."""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learner.lexicon import Lexicon, alert_words
from learner.signature import Signature
from learner.words import terms_in

Vector = NDArray[np.float32]  # (dim,)
Vectors = NDArray[np.float32]  # (n, dim)
EmbedTexts = Callable[[Sequence[str]], Vectors]
"""Texts -> unit rows, in their order; the same text always gives the same row."""

FAR_FROM_TITLE, NEAR_TITLE = 0.1, 0.4
"""A segment counts fully from the upper cosine with the title on and not at all below the lower one: log lines that
happen to stand in a description say nothing of the incident, and this holds at first sight already."""

SEGMENTS_SPARE = 2
"""So many segments more are embedded, for those that later turn out to be incidental."""

SEGMENTS_EMBEDDED = 4
"""The mean of this many segments stands beside the title; later ones say little of the cause."""


TEXTS_REMEMBERED = 200_000
"""Texts whose mended form and terms a reader remembers; it may be asked about new ones for ever."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """One signature, seen through one lexicon. Vectors have unit length.

    `terms` is a unit vector of tf-idf weights over title and telling segments; `naming` spreads a mass of 1 over the
    terms that name the incident (the alert's, else the title's); `words` are all its terms. `alert` is the label,
    `speaks_of` the same or the alert that its text implies, each empty when there is none.
    """

    full: Vector
    title: Vector
    terms: Mapping[str, float]
    naming: Mapping[str, float]
    words: frozenset[str]
    alert: str
    speaks_of: str


class Reader:
    """Reads signatures through one lexicon and remembers what it has read; the same signature reads the same way."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self._mended: dict[str, str] = {}
        self._terms: dict[str, tuple[str, ...]] = {}
        self._alerts: dict[str, str] = {}
        self._alert_terms: dict[str, frozenset[str]] = {}

    def texts_to_embed(self, signature: Signature) -> tuple[str, ...]:
        """The texts of a signature whose vectors `read` asks for, with their misspellings mended."""
        texts = (signature.title, *signature.segments[: SEGMENTS_EMBEDDED + SEGMENTS_SPARE])
        return tuple(dict.fromkeys(self.mend(text) for text in texts))

    def mend(self, text: str) -> str:
        """`text` with its misspellings mended."""
        known = self._mended.get(text)
        if known is None:
            if len(self._mended) >= TEXTS_REMEMBERED:
                self._mended.clear()
                self._terms.clear()
                self._alerts.clear()
            known = self._mended[text] = self.lexicon.correct(text)
        return known

    def read(self, signature: Signature, vectors: Mapping[str, Vector]) -> Features:
        """The features of a signature. `vectors` holds a unit vector for each of `texts_to_embed`."""
        title = vectors[self.mend(signature.title)]
        telling = self._telling(signature, title, vectors)
        beside = [(vectors[text], share) for text, share in telling.items() if text in vectors][:SEGMENTS_EMBEDDED]
        total = sum(share for _, share in beside)
        full = _unit(sum((vector * np.float32(share / max(1.0, total)) for vector, share in beside), title))
        counts: defaultdict[str, float] = defaultdict(float)
        for text, share in ((signature.title, 1.0), *telling.items()):
            for term in self._terms_of(text):
                counts[term] += share
        naming = self._terms_of_alert(signature.alert) or frozenset(self._terms_of(signature.title))
        return Features(
            full=full,
            title=title,
            terms=_unit_weights(counts, self.lexicon),
            naming=_mass(naming, self.lexicon),
            words=frozenset(counts) | naming,
            alert=signature.alert,
            speaks_of=signature.alert or self._alert_told(signature),
        )

    def _telling(self, signature: Signature, title: Vector, vectors: Mapping[str, Vector]) -> dict[str, float]:
        """The segments that say something of this incident, mended, and how much each counts, in (0, 1]."""
        shares = {}
        for segment in dict.fromkeys(self.mend(segment) for segment in signature.segments):
            if segment not in self.lexicon.incidental:
                vector = vectors.get(segment)
                near = float(vector @ title) if vector is not None else NEAR_TITLE
                shares[segment] = min(1.0, max(0.0, (near - FAR_FROM_TITLE) / (NEAR_TITLE - FAR_FROM_TITLE)))
        return {segment: share for segment, share in shares.items() if share > 0}

    def _alert_told(self, signature: Signature) -> str:
        title, *segments = (self.mend(text) for text in (signature.title, *signature.segments))
        by_title = self._alerts.get(title)
        if by_title is None:
            by_title = self._alerts[title] = self.lexicon.alert_by_title(title)
        return self.lexicon.alert_of(title, segments, by_title)

    def _terms_of(self, text: str) -> tuple[str, ...]:
        terms = self._terms.get(text)
        if terms is None:
            terms = self._terms[text] = tuple(terms_in(self.mend(text)))
        return terms

    def _terms_of_alert(self, alert: str) -> frozenset[str]:
        terms = self._alert_terms.get(alert)
        if terms is None and not alert:
            return frozenset()
        if terms is None:
            terms = self._alert_terms[alert] = frozenset(terms_in(self.lexicon.correct(alert_words(alert))))
        return terms


def embed_missing(
    signatures: Sequence[Signature], reader: Reader, vectors: MutableMapping[str, Vector], embed: EmbedTexts
) -> None:
    """Add the vectors that `reader` needs for these signatures; one call to the model for all that are missing."""
    texts = (text for signature in signatures for text in reader.texts_to_embed(signature))
    missing = [text for text in dict.fromkeys(texts) if text not in vectors]
    if missing:
        rows = np.asarray(embed(missing), dtype=np.float32)
        vectors.update(zip(missing, rows, strict=True))


def _unit(vector: Vector) -> Vector:
    length = float(np.linalg.norm(vector))
    return (vector / length).astype(np.float32) if length > 0 else vector


def _unit_weights(counts: Mapping[str, float], lexicon: Lexicon) -> dict[str, float]:
    weights = {term: math.log1p(count) * lexicon.full_idf(term) for term, count in counts.items()}
    length = math.sqrt(sum(weight * weight for weight in weights.values()))
    return {term: weight / length for term, weight in weights.items()} if length > 0 else {}


def _mass(terms: frozenset[str], lexicon: Lexicon) -> dict[str, float]:
    weights = {term: lexicon.name_idf(term) for term in sorted(terms)}
    total = sum(weights.values())
    return {term: weight / total for term, weight in weights.items()} if total > 0 else {}
