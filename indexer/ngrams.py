"""Hashed character n-grams over names, titles and headings: likeness of spelling, where words differ by an ending, a
typo or a missing space. No vocabulary; the weights are TF-IDF with cosine."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.postings import Entries, Keys, Postings, Rows
from indexer.tokens import spaced

GRAM_SIZES = (3, 4, 5)
_LETTERS = re.compile(r"\w+")
_PRIMES = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5, 0x85EBCA77C2B2AE63],
    dtype=np.uint64,
)  # odd 64-bit constants of xxHash, spread the bits of neighbouring letters


def gram_counts(text: str) -> dict[int, int]:
    """Hashed 3- to 5-grams of the words of `text`, each word between spaces; identifiers are split first."""
    words = _LETTERS.findall(spaced(text).lower())
    if not words:
        return {}
    letters = np.frombuffer((" " + "  ".join(words) + " ").encode("utf-32-le", "replace"), dtype=np.uint32).astype(
        np.uint64
    )
    hashes = [_windows(letters, size) for size in GRAM_SIZES]
    keys, counts = np.unique(np.concatenate(hashes), return_counts=True)
    return dict(zip(keys.tolist(), counts.tolist(), strict=True))


def _windows(letters: NDArray[np.uint64], size: int) -> Keys:
    """Hash of each run of `size` letters that stays inside one word."""
    if len(letters) < size:
        return np.empty(0, dtype=np.uint64)
    views = np.lib.stride_tricks.sliding_window_view(letters, size)
    inside = ~((views[:, :-1] == ord(" ")) & (views[:, 1:] == ord(" "))).any(axis=1)
    mixed = (views[inside] * _PRIMES[:size]).sum(axis=1, dtype=np.uint64) + np.uint64(size)
    mixed ^= mixed >> np.uint64(29)
    mixed *= _PRIMES[0]
    return np.asarray(mixed ^ (mixed >> np.uint64(32)), dtype=np.uint64)


@dataclass(frozen=True, slots=True, eq=False)
class NgramIndex:
    """Rows are runbooks in the order of their ids, as everywhere in a generation."""

    postings: Postings
    impacts: NDArray[np.float32]  # (n_postings,): unit-length TF-IDF weights

    @classmethod
    def build(cls, grams: Sequence[Entries]) -> "NgramIndex":
        """One entry a runbook, in order."""
        return cls.over(Postings.of(Entries.joined(grams, range(len(grams)), 1), len(grams)))

    @classmethod
    def over(cls, postings: Postings) -> "NgramIndex":
        sizes = np.diff(postings.offsets)
        idf = (np.log((1 + postings.n_rows) / (1 + sizes)) + 1).astype(np.float32)
        raw = (1 + np.log(postings.counts[:, 0], dtype=np.float32)) * np.repeat(idf, sizes)
        length = np.sqrt(np.bincount(postings.rows, weights=raw * raw, minlength=postings.n_rows))
        return cls(postings, (raw / np.maximum(length, 1e-9)[postings.rows]).astype(np.float32))

    def updated(self, new_rows: Rows, added: Entries, n_rows: int) -> "NgramIndex":
        """As `Postings.moved`."""
        return NgramIndex.over(self.postings.moved(new_rows, added, n_rows))

    def scores(self, text: str) -> NDArray[np.float32]:
        """(n_rows,): cosine in [0, 1] between the n-grams of `text` and each runbook's."""
        counts = gram_counts(text)
        if not counts or not self.postings.n_rows:
            return np.zeros(self.postings.n_rows, dtype=np.float32)
        keys = np.fromiter(counts, dtype=np.uint64, count=len(counts))
        found = self.postings.gathered(keys)
        idf = (np.log((1 + self.postings.n_rows) / (1 + found.sizes)) + 1).astype(np.float32)
        weights = (1 + np.log(np.fromiter(counts.values(), dtype=np.float32, count=len(counts)))) * idf
        return found.sums((weights / np.linalg.norm(weights)).astype(np.float32), self.impacts)

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        return self.postings.to_arrays("ngrams")

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> "NgramIndex":
        return cls.over(Postings.from_arrays(arrays, "ngrams"))
