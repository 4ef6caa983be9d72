"""Scores of runbooks -> their order, and how far each is ahead: files and their own entries are weighed against each
other here, and nowhere else. Pure."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from indexer.fuse import Mask
from indexer.postings import Floats
from indexer.search_view import SearchView

_ENTRY_FIRST = 0.2  # a file that only beats its own entry by so little is shown as that entry


def rivals(total: Floats, view: SearchView, eligible: Mask) -> Callable[[int], float]:
    """Row -> the best score among the other files; 0 where there is no other."""
    open_totals = np.where(eligible, total, -np.inf)
    best = int(np.argmax(open_totals))
    others = open_totals[view.files != view.files[best]]
    second = float(others.max()) if len(others) and np.isfinite(others.max()) else 0.0
    return lambda row: second if view.files[row] == view.files[best] else float(total[best])


def ranked(total: Floats, view: SearchView, eligible: Mask, limit: int) -> list[int]:
    """Rows, best first. Of a file and its own entries, the file stands aside for an entry that is about as good."""
    adjusted = total.copy()
    if not view.is_main.all():
        entries = eligible & ~view.is_main
        best_entry = np.full(int(view.files.max()) + 1, -np.inf, dtype=np.float32)
        np.maximum.at(best_entry, view.files[entries], total[entries])
        own = best_entry[view.files]
        beaten = view.is_main & (adjusted < own + _ENTRY_FIRST)
        eligible = eligible & ~beaten
    rows = np.flatnonzero(eligible)
    if len(rows) > limit:
        top = np.argpartition(-adjusted[rows], limit - 1)[:limit]
        edge = adjusted[rows[top]].min()
        rows = rows[adjusted[rows] >= edge]
    order = np.argsort(-adjusted[rows], kind="stable")
    return [int(row) for row in rows[order][:limit]]


def ranks(values: Floats, eligible: Mask) -> NDArray[np.int64]:
    """1-based places among the eligible."""
    ordered = np.sort(values[eligible])[::-1]
    return np.searchsorted(-ordered, -values, side="left") + 1
