"""Which runbook covers a pattern: search is asked with the alert that its next incident would bear, `learner.covering`
decides. The answer is remembered for as long as the index is the same."""

from collections.abc import Callable
from dataclasses import dataclass

from api.acts import SearchRequest
from kb.hits import Answer
from kb.incident import Alert
from kb.pattern import Pattern
from learner.covering import covering, main_alert

_LIMIT = 5


@dataclass(frozen=True, slots=True)
class _Known:
    generation: str
    asked: Alert
    runbook_id: str | None
    document_id: str | None


class Covering:
    """Safe to call from many threads. `find` searches, `generation` names the state of the index, `document_of` gives
    the id of the file that holds a runbook."""

    def __init__(
        self,
        find: Callable[[SearchRequest], Answer],
        *,
        generation: Callable[[], str],
        document_of: Callable[[str], str],
    ) -> None:
        self._find = find
        self._generation = generation
        self._document_of = document_of
        self._known: dict[str, _Known] = {}

    def __call__(self, pattern: Pattern) -> str | None:
        """The document id of a published runbook that covers `pattern`; None when there is none."""
        return self._find_known(pattern).document_id

    def runbook(self, pattern: Pattern) -> str | None:
        """The id of that runbook itself, which may be one of many in its file."""
        return self._find_known(pattern).runbook_id

    def _find_known(self, pattern: Pattern) -> _Known:
        generation, asked = self._generation(), alert_of(pattern)
        known = self._known.get(pattern.id)
        if known is None or (known.generation, known.asked) != (generation, asked):
            found = covering(pattern, self._find(SearchRequest(alert=asked, limit=_LIMIT)))
            known = _Known(generation, asked, found, None if found is None else self._document_of(found))
            self._known[pattern.id] = known
        return known


def alert_of(pattern: Pattern) -> Alert:
    """A pattern as the alert that would open its next incident."""
    told = pattern.signatures[0].text if pattern.signatures else pattern.name
    return Alert(name=main_alert(pattern), annotations={"summary": told}, source="pattern")
