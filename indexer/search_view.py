"""What searching needs of a generation, in the form it needs it: columns to filter by, files to group by, links to
resolve. Made once for a generation."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import numpy as np
from numpy.typing import NDArray

from indexer.fuse import Mask
from indexer.generation import Generation
from kb.hits import RunbookCard
from kb.runbook import ReviewState, RunbookType
from kb.severity import Severity


@dataclass(frozen=True, slots=True)
class Filters:
    """What a runbook must be to be found; None and empty ask for nothing. Names are compared without case."""

    type: RunbookType | None = None
    severity: Severity | None = None
    service: str = ""
    tag: str = ""
    hidden_ids: frozenset[str] = frozenset()

    @property
    def is_empty(self) -> bool:
        return self == Filters()


@dataclass(frozen=True, slots=True, eq=False)
class SearchView:
    """Arrays run along `generation.cards`. `files` numbers the files; `is_main` marks those that are a whole file,
    `is_template` the forms."""

    generation: Generation
    files: NDArray[np.int64]
    is_main: Mask
    is_template: Mask
    states: Mapping[ReviewState, Mask]
    by_name: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, generation: Generation) -> "SearchView":
        cards = generation.cards
        number: dict[str, int] = {}
        by_name: defaultdict[str, list[int]] = defaultdict(list)
        for row, card in enumerate(cards):
            number.setdefault(card.path, len(number))
            by_name[_file_name(card.path)].append(row)
        return cls(
            generation,
            np.array([number[card.path] for card in cards], dtype=np.int64),
            np.array([not card.anchor for card in cards], dtype=bool),
            np.array([card.type is RunbookType.TEMPLATE for card in cards], dtype=bool),
            {state: np.array([card.state is state for card in cards], dtype=bool) for state in ReviewState},
            {name: tuple(rows) for name, rows in by_name.items()},
        )

    def in_states(self, states: frozenset[ReviewState]) -> Mask:
        mask = np.zeros(len(self.files), dtype=bool)
        for state in states:
            mask |= self.states[state]
        return mask

    def passing(self, filters: Filters) -> Mask:
        """Which runbooks the filters let through."""
        if filters.is_empty:
            return np.ones(len(self.files), dtype=bool)
        return np.array([_passes(card, filters) for card in self.generation.cards], dtype=bool)

    def resolve(self, url: str) -> int | None:
        """The row that a link to a runbook means: the file whose path has most in common with the link's, from its end;
        in it the entry whose anchor the link names. None when no file has that name, or several fit as well."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return None
        wanted = [part for part in unquote(parts.path).lower().split("/") if part]
        if not wanted:
            return None
        wanted[-1] = _file_name(wanted[-1])
        cards = self.generation.cards
        rows = self.by_name.get(wanted[-1], ())
        common = {row: _common_tail(wanted, cards[row].path) for row in rows}
        longest = max(common.values(), default=0)
        best = [row for row in rows if common[row] == longest]
        if len({cards[row].path for row in best}) != 1:
            return None
        anchor = unquote(parts.fragment)
        at_anchor = [row for row in best if anchor and cards[row].anchor == anchor]
        main = [row for row in best if self.is_main[row]]
        return (at_anchor or main or best)[0]


def _passes(card: RunbookCard, filters: Filters) -> bool:
    return (
        (filters.type is None or card.type is filters.type)
        and (filters.severity is None or card.severity is filters.severity)
        and (not filters.service or card.service.casefold() == filters.service.casefold())
        and (not filters.tag or filters.tag.casefold() in {tag.casefold() for tag in card.tags})
        and card.id not in filters.hidden_ids
    )


def _file_name(path: str) -> str:
    name = path.rsplit("/", 1)[-1].lower()
    for ending in (".md", ".markdown", ".html"):
        name = name.removesuffix(ending)
    return name


def _common_tail(wanted: list[str], path: str) -> int:
    """How many parts two paths share, counted from the end; the names are known to be the same."""
    own = path.lower().split("/")
    own[-1] = _file_name(own[-1])
    count = 0
    for a, b in zip(reversed(wanted), reversed(own), strict=False):
        if a != b:
            break
        count += 1
    return count
