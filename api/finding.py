"""A search request -> an answer: what was asked becomes a query, the pins and filters go along, one generation of the
index answers."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from api.acts import SearchRequest
from api.feedback_priors import Known
from indexer.generation import Generation
from indexer.query import Query, parse_query, query_from_alert
from indexer.query_terms import Synonyms
from indexer.search import Priors, Searcher
from indexer.search_view import Filters
from kb.errors import InvalidInput
from kb.hits import Answer
from kb.pins import Pins

_PINS_FRESH_S = 1.0  # another process may pin; this one forgets at once what it has changed itself
_MAX_SYNONYMS_BYTES = 1 << 20


class Finder:
    """Answers searches over the current generation. `feedback` tells what people said of runbooks. Safe to call from
    many threads."""

    def __init__(
        self,
        searcher: Searcher,
        current: Callable[[], Generation],
        pins: Pins,
        *,
        new_id: Callable[[], str],
        feedback: Callable[[], Known] = Known,
    ) -> None:
        self._searcher = searcher
        self._current = current
        self._pins = pins
        self._new_id = new_id
        self._feedback = feedback
        self._known_pins: tuple[float, Mapping[str, str]] = (0.0, {})

    def __call__(self, request: SearchRequest) -> Answer:
        query = query_from_alert(request.alert) if request.alert is not None else parse_query(request.text)
        return self._searcher.search(
            query,
            self._current(),
            limit=request.limit,
            filters=Filters(request.type, request.severity, request.service, request.tag),
            priors=self._priors(query),
            search_id=self._new_id(),
        )

    def find_text(self, text: str, *, limit: int, hidden_ids: frozenset[str] = frozenset()) -> Answer:
        """The answer to a text alone, as if the runbooks `hidden_ids` were not there; no pins and no feedback. For
        measuring."""
        filters = Filters(hidden_ids=hidden_ids)
        return self._searcher.search(parse_query(text), self._current(), limit=limit, filters=filters)

    def forget_pins(self) -> None:
        """The pins have changed."""
        self._known_pins = (0.0, {})

    def _priors(self, query: Query) -> Priors:
        said = self._feedback()
        return Priors(said.boosts, said.notes, self._pins_now() if query.alert_name else {})

    def _pins_now(self) -> Mapping[str, str]:
        read_at, pins = self._known_pins
        now = time.monotonic()
        if not read_at or now - read_at > _PINS_FRESH_S:
            pins = {name: pin.runbook_id for name, pin in self._pins.all().items()}
            self._known_pins = (now, pins)
        return pins


def load_synonyms(path: Path | None) -> Synonyms:
    """The organisation's own words. Raises `InvalidInput` for a file that cannot be read."""
    if path is None:
        return Synonyms()
    try:
        if path.stat().st_size > _MAX_SYNONYMS_BYTES:
            raise InvalidInput(
                "SRE_KB_SYNONYMS_FILE", f"{path} is larger than 1 MiB", advice="Keep the words that matter."
            )
        return Synonyms.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidInput(
            "SRE_KB_SYNONYMS_FILE", f"{path} cannot be read ({exc})", advice="Correct the path, or unset it."
        ) from None
