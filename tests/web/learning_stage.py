"""Learning over records in memory, for applications that tests build: the real learner, with an embedder that can be
computed by hand."""

from collections.abc import Callable
from datetime import datetime

from api.errors import NotReady
from api.learning.parts import LearnerPart, LearningParts, ReviewsPart, Search
from api.learning.service import Learning
from indexer.embed import HashingEmbedder
from kb.pattern import Pattern
from kb.record_store import RecordStore
from kb.runbook_store import RunbookStore
from kb.severity_policy import DEFAULT_POLICY
from learner.learner import Learner
from learner.reviewing import Reviews


def build_learning(
    records: RecordStore,
    *,
    search: Search,
    now: Callable[[], datetime],
    learner: Callable[[], LearnerPart] | None = None,
    reviews: Callable[[], ReviewsPart] | None = None,
    runbooks: RunbookStore | None = None,
    covers: Callable[[Pattern], str | None] = lambda pattern: None,
) -> Learning:
    """Learning over `records`; without `reviews` and `runbooks`, what needs reviews is not ready."""
    own = None if learner else toy_learner(records, now=now)
    if own is not None and runbooks is not None and reviews is None:
        decided = Reviews(records, runbooks, pattern=own.pattern, now=now)
        reviews = lambda: decided  # noqa: E731  # the name has its type from the signature
    parts = LearningParts(
        records=records,
        learner=learner or (lambda: own),
        reviews=reviews or _no_reviews,
        search=search,
        covers=covers,
        changed=lambda: None,
        runbooks_changed=lambda: None,
    )
    return Learning(parts, policy=DEFAULT_POLICY, now=now)


def toy_learner(records: RecordStore, *, now: Callable[[], datetime]) -> Learner:
    """A learner that knows what `records` hold."""
    embedder = HashingEmbedder()
    learner = Learner(records, embedder.embed_passages, dimension=embedder.dimension, now=now)
    learner.open()
    return learner


def no_learner() -> LearnerPart:
    """A learner that is still taking in what was learnt before."""
    raise NotReady("What was learnt so far")


def _no_reviews() -> ReviewsPart:
    raise NotReady("The review of drafts")
