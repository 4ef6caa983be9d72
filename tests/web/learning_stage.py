"""Learning over records in memory, for applications that tests build."""

from collections.abc import Callable
from datetime import datetime

from api.errors import NotReady
from api.learning import Learning, LearningParts, Search
from api.learning_parts import LearnerPart, ReviewsPart
from kb.record_store import RecordStore
from kb.severity_policy import DEFAULT_POLICY


def build_learning(
    records: RecordStore,
    *,
    search: Search,
    now: Callable[[], datetime],
    learner: Callable[[], LearnerPart] | None = None,
    reviews: Callable[[], ReviewsPart] | None = None,
) -> Learning:
    """Learning over `records`; without a learner or reviews, what needs them is not ready."""
    parts = LearningParts(
        records=records,
        learner=learner or _no_learner,
        reviews=reviews or _no_reviews,
        search=search,
        covers=lambda pattern: None,
        changed=lambda: None,
        runbooks_changed=lambda: None,
    )
    return Learning(parts, policy=DEFAULT_POLICY, now=now)


def _no_learner() -> LearnerPart:
    raise NotReady("What was learnt so far")


def _no_reviews() -> ReviewsPart:
    raise NotReady("The review of drafts")
