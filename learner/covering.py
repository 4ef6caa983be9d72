"""Which runbook covers a pattern, by what a search for it found. Pure: the search itself is somebody else's."""

from kb.hits import Answer, Hit, RunbookCard
from kb.pattern import Pattern
from kb.runbook import Document, ReviewState, RunbookType
from learner.draft import LEARNED_TAG

MIN_ALERT_SHARE = 0.5
"""An alert's name stands for a pattern when at least so many of its incidents bear it."""

MIN_CONFIDENCE = 0.85
"""A confident hit is enough to read, not to write in: with the bundled runbooks and 75 patterns of public alerts, the
four hits above this were right by reading and most of those below were not."""

_COUNTING = frozenset({ReviewState.PUBLISHED, ReviewState.UNREVIEWED})


def covering(pattern: Pattern, answer: Answer) -> str | None:
    """The id of the runbook that covers a pattern, None when none does. In this order:

    1. the best hit or near miss that is for the pattern's main alert by name: what its authors wrote decides, however
       unlike the words are;
    2. the first hit of a confident answer from `MIN_CONFIDENCE` on, unless it was learned itself: what is like another
       pattern is not that pattern.

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
    return best.id if answer.hits[0].confidence >= MIN_CONFIDENCE else None


def is_named_by(document: Document, pattern: Pattern) -> bool:
    """Whether a file is for the pattern's main alert by name."""
    main = _key(main_alert(pattern))
    return bool(main) and any(main == _key(name) for runbook in document.runbooks for name in runbook.alerts)


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
