"""Which runbook covers a pattern: the one that names its alert, else the one that search is sure of. Asks search, and
remembers what it said for as long as the index is the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from api.acts import SearchRequest
from kb.hits import Answer, RunbookCard
from kb.incident import Alert
from kb.pattern import Pattern
from kb.runbook import ReviewState, RunbookType

SURE = 0.8
"""From this confidence on the first hit is taken for the pattern's runbook; below it a patch might go to a stranger."""

MAIN_SHARE = 0.5
"""An alert that so many of a pattern's incidents bear is the pattern's."""

_LIMIT = 3
_STATES = frozenset({ReviewState.PUBLISHED, ReviewState.UNREVIEWED})


@dataclass(frozen=True, slots=True)
class _Known:
    generation: str
    asked: Alert
    answer: str | None


class Covering:
    """Safe to call from many threads. `find` searches, `generation` names the state of the index, `document_of` tells
    the file of a runbook id."""

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
        generation, asked = self._generation(), alert_of(pattern)
        known = self._known.get(pattern.id)
        if known is not None and (known.generation, known.asked) == (generation, asked):
            return known.answer
        answer = self._find(SearchRequest(alert=asked, limit=_LIMIT))
        card = covering_card(answer, main_alerts(pattern))
        found = None if card is None else self._document_of(card.id)
        self._known[pattern.id] = _Known(generation, asked, found)
        return found


def main_alerts(pattern: Pattern) -> tuple[str, ...]:
    """The alerts that most incidents of a pattern bear."""
    return tuple(alert for alert, count in pattern.alerts if count >= MAIN_SHARE * pattern.frequency)


def alert_of(pattern: Pattern) -> Alert:
    """A pattern as the alert that would open its next incident."""
    names = main_alerts(pattern)
    told = pattern.signatures[0].text if pattern.signatures else pattern.name
    return Alert(name=names[0] if names else "", annotations={"summary": told}, source="pattern")


def covering_card(answer: Answer, alerts: Sequence[str]) -> RunbookCard | None:
    """The hit that deals with these alerts, or the first one when search is sure of it."""
    cards = [
        hit for hit in answer.hits if hit.runbook.state in _STATES and hit.runbook.type is not RunbookType.TEMPLATE
    ]
    wanted = {alert.casefold() for alert in alerts}
    for hit in cards:
        if wanted & {alert.casefold() for alert in hit.runbook.alerts}:
            return hit.runbook
    first = cards[0] if cards else None
    return first.runbook if first is not None and answer.confident and first.confidence >= SURE else None
