"""Which runbook covers a pattern, by what a search for it found. Pure: the search itself is somebody else's."""

from kb.hits import Answer, Hit, RunbookCard
from kb.pattern import Pattern
from kb.runbook import ReviewState, RunbookType
from learner.draft import LEARNED_TAG

MIN_ALERT_SHARE = 0.5
"""An alert's name stands for a pattern when at least so many of its incidents bear it."""

_COUNTING = frozenset({ReviewState.PUBLISHED, ReviewState.UNREVIEWED})


def covering(pattern: Pattern, answer: Answer) -> str | None:
    """The id of the runbook that covers a pattern, None when none does. In this order:

    1. the best hit or near miss that is for the pattern's main alert by name: what its authors wrote decides, however
       unlike the words are;
    2. the first hit of a confident answer, unless it is for other alerts by name while the pattern has one, or was
       learned itself: what is like another pattern is not that pattern.

    Drafts and templates cover nothing.
    """
    hits = [hit for hit in (*answer.hits, *answer.near_misses) if _may_cover(hit.runbook)]
    main = main_alert(pattern)
    if main:
        by_name = next((hit for hit in hits if _is_for(hit, main)), None)
        if by_name is not None:
            return by_name.runbook.id
    best = answer.hits[0].runbook if answer.confident and answer.hits else None
    if best is None or not _may_cover(best) or best.type is RunbookType.DYNAMIC or LEARNED_TAG in best.tags:
        return None
    return None if main and best.alerts else best.id


def main_alert(pattern: Pattern) -> str:
    """The alert that most incidents of a pattern bear, empty when less than half of them bear one."""
    alert, count = pattern.alerts[0] if pattern.alerts else ("", 0)
    return alert if count >= MIN_ALERT_SHARE * pattern.frequency else ""


def _may_cover(runbook: RunbookCard) -> bool:
    return runbook.state in _COUNTING and runbook.type is not RunbookType.TEMPLATE


def _is_for(hit: Hit, alert: str) -> bool:
    return _key(alert) in {_key(name) for name in hit.runbook.alerts}


def _key(name: str) -> str:
    return "".join(char for char in name.casefold() if char.isalnum())
