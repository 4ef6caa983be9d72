"""The records -> what people said about the learner, as `learner.accuracy` counts it, and about what it recommends."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime

from api.learning.acts import AccuracyView
from kb.feedback import Outcome, Vote
from kb.feedback_weight import Feedback, feedback_by_target
from kb.pattern_records import LearntIncident
from kb.record_store import RecordStore, RecordView
from learner.accuracy import Judgements, accuracy_of, response_times

_BATCH = 5000


class Judging:
    """Counts over all records, kept until something is done to them. Safe to call from many threads."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records
        self._known: tuple[int, AccuracyView] | None = None

    def accuracy(self, action_keys: Collection[str]) -> AccuracyView:
        """How often people confirmed or refused what the learner did, and how long incidents took.

        Votes and outcomes count as recommendations when they are about a pattern or one of `action_keys`; the others
        are about hits of a search.
        """
        with self._records.read() as view:
            at = view.events.last()
            known = self._known
            if known is None or known[0] != at:
                known = self._known = (at, _accuracy(view, action_keys))
        return known[1]


def _accuracy(view: RecordView, action_keys: Collection[str]) -> AccuracyView:
    learnt = tuple(_learnt(view))
    outcomes = view.feedback.outcomes()
    said = Judgements(
        learnt=learnt,
        words=view.patterns.words(),
        reviews=view.reviews.all(),
        votes=view.feedback.votes(),
        outcomes=outcomes,
        recommended={*action_keys, *(record.id for record in view.patterns.all())},
    )
    used = {told.outcome.incident_id for told in outcomes if told.outcome.target not in said.recommended}
    return AccuracyView(accuracy_of(said), response_times((one.stored.incident for one in learnt), used))


def feedback_on(records: RecordStore, targets: Iterable[str], *, now: datetime) -> Mapping[str, Feedback]:
    """What people's votes on some targets and the outcomes of using them come to."""
    votes: list[Vote] = []
    outcomes: list[Outcome] = []
    with records.read() as view:
        for target in targets:
            votes += view.feedback.votes(target=target)
            outcomes += view.feedback.outcomes(target=target)
    return feedback_by_target(votes, outcomes, now=now)


def _learnt(view: RecordView) -> Iterator[LearntIncident]:
    after = 0
    while batch := view.incidents.learnt(after=after, limit=_BATCH):
        yield from batch
        after = batch[-1].seq
