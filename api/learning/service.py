"""What sre-kb learns from incidents and says because of it, one method an act: incidents, patterns, recommendations,
reviews, feedback, insights. Faces call these and shape the answers; `api.learning.wiring` joins the parts."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from api.acts import SearchRequest
from api.errors import NotReady
from api.keeping import change_unresolved, keep_unresolved
from api.learning.acts import (
    AccuracyView,
    IncidentView,
    InsightsView,
    LearnAnswer,
    PatternView,
    RecommendView,
    TrendDay,
)
from api.learning.advice import advice_on, overall_confidence, subject_of
from api.learning.judging import Judging, feedback_on
from api.learning.overviews import Overviews
from api.learning.parts import Learned, LearningParts, ReviewItem, ReviewPage
from api.learning.trends import MAX_DAYS, first_moment, trend_days
from kb.errors import InvalidInput
from kb.feedback import NewOutcome, NewVote, Outcome, Vote
from kb.idempotency import KeyedRequest
from kb.incident import Incident, IncidentStatus
from kb.incident_records import (
    MAX_PAGE,
    IncidentNote,
    IncidentPage,
    IncidentPatch,
    IncidentQuery,
    IncidentSort,
    StoredIncident,
)
from kb.once import Reply
from kb.pattern import ActionStats, Pattern
from kb.pattern_records import resolve
from kb.principal import Principal
from kb.record_store import RecordView
from kb.review_records import DraftKind, Review, ReviewStatus
from kb.runbook_store import StoredDocument
from kb.severity_policy import SeverityPolicy, called_by_now, duties_due, phase_now
from learner.alert_rules import prometheus_rules
from learner.assign import MIN_PATTERN_INCIDENTS
from learner.heeding import heed, targets_of
from learner.insights import find_insights
from learner.recommend import Recommendation, SimilarIncident

Shape = Callable[[LearnAnswer], object]


class Learning:
    """The acts of learning. Safe to call from many threads."""

    def __init__(self, parts: LearningParts, *, policy: SeverityPolicy, now: Callable[[], datetime]) -> None:
        self._parts = parts
        self._records = parts.records
        self.now = now
        self.policy = policy
        self._judging = Judging(parts.records)
        self.overviews = Overviews(parts.records, covers=parts.covers)

    def learn(self, incident: Incident, principal: Principal) -> LearnAnswer:
        """Take an incident in; a resolved one is learnt. Raises `InvalidInput`, and `NotReady` for a resolved one."""
        try:
            (learned,) = self._parts.learner().learn([incident], principal)
        except NotReady:
            kept = keep_unresolved(self._records, incident, principal)
            if kept is None:
                raise
            return LearnAnswer(kept, None, None, advice_on(kept, None, None))
        self._parts.changed()
        return self._learn_answer(learned)

    def learn_once(self, incident: Incident, principal: Principal, request: KeyedRequest, shape: Shape) -> Reply:
        """The same under an idempotency key: however often it is sent, it is done once and answered alike.

        `shape` turns the answer into the JSON value that is kept. Raises `KeyReused`, `RequestInFlight` too.
        """
        learner = self._parts.learner()
        reply = learner.learn_once(incident, principal, request, lambda learned: shape(self._learn_answer(learned)))
        self._parts.changed()
        return reply

    def learn_many(self, incidents: Sequence[Incident], principal: Principal) -> Sequence[Learned]:
        """Take several in, in their order, in one transaction: all or none."""
        learned = self._parts.learner().learn(incidents, principal)
        self._parts.changed()
        return learned

    def incidents(self, query: IncidentQuery) -> IncidentPage:
        """A page of the incidents that `query` asks for. Raises `InvalidInput`."""
        with self._records.read() as view:
            return view.incidents.page(query)

    def incident(self, incident_id: str) -> IncidentView:
        """One incident with what is due, its pattern and what helped with others of its kind.

        Raises `IncidentNotFound`.
        """
        with self._records.read() as view:
            stored, notes = view.incidents.get(incident_id), view.incidents.notes(incident_id)
        seen = self._without_learner(stored, notes)
        try:
            return self._with_learner(seen)
        except NotReady as exc:
            return replace(seen, degraded=exc.message)

    def change_incident(
        self, incident_id: str, patch: IncidentPatch, principal: Principal, *, if_version: int | None
    ) -> IncidentView:
        """Change fields of an incident; resolving it makes it learnt. Raises `IncidentNotFound`, `IncidentChanged`,
        `InvalidInput`, and `NotReady` for one that is resolved before or after."""
        try:
            self._parts.learner().patch(incident_id, patch, principal, if_version=if_version)
        except NotReady:
            if not change_unresolved(self._records, incident_id, patch, principal, if_version=if_version):
                raise
        self._parts.changed()
        return self.incident(incident_id)

    def add_note(self, incident_id: str, text: str, principal: Principal, *, duty: str = "") -> IncidentNote:
        """Keep a remark; with `duty` it says that this duty is done. Raises `IncidentNotFound`, `InvalidInput`."""
        with self._records.change(principal) as change:
            return change.incidents.add_note(incident_id, text, duty=duty)

    def trends(self, days: int = 30, *, until: datetime | None = None) -> tuple[TrendDay, ...]:
        """Incidents by the day they began, the last `days` days to `until`, today without one, oldest first.

        Raises `InvalidInput`.
        """
        if not 1 <= days <= MAX_DAYS:
            raise InvalidInput("days", f"is not between 1 and {MAX_DAYS}", advice="Ask for fewer days.")
        now = until or self.now()
        return trend_days(self._began_since(first_moment(now, days)), now=now, days=days)

    def patterns(self) -> Sequence[Pattern]:
        """Patterns with enough incidents, most frequent first."""
        return self._parts.learner().patterns()

    def pattern(self, pattern_id: str) -> PatternView:
        """One pattern; an id that was merged away leads to what it became. Raises `PatternNotFound`."""
        pattern = self._parts.learner().pattern(pattern_id)
        return self._pattern_view(pattern)

    def rename(self, pattern_id: str, name: str, principal: Principal) -> PatternView:
        """Give a pattern a name that stays; an empty one gives it back to the learner."""
        return self._said(self._parts.learner().rename(pattern_id, name, principal))

    def merge(self, pattern_ids: Sequence[str], principal: Principal) -> PatternView:
        """Make patterns one, for good."""
        return self._said(self._parts.learner().merge(pattern_ids, principal))

    def split(
        self, pattern_id: str, incident_ids: Collection[str], principal: Principal
    ) -> tuple[PatternView, PatternView]:
        """Part some incidents from a pattern, for good; the pattern of the rest, and theirs."""
        learner = self._parts.learner()
        rest, taken = learner.split(pattern_id, incident_ids, principal)
        self._parts.changed()
        return self._pattern_view(learner.pattern(rest)), self._pattern_view(learner.pattern(taken))

    def unlearn(self, incident_id: str, principal: Principal) -> IncidentView:
        """Take an incident out of what was learnt; it stays in the records. Raises `IncidentNotFound`, `NotLearnt`."""
        self._require(incident_id)
        self._parts.learner().unlearn(incident_id, principal)
        self._parts.changed()
        return self.incident(incident_id)

    def learn_again(self, incident_id: str, principal: Principal) -> IncidentView:
        """Take `unlearn` back. Raises as it does."""
        self._require(incident_id)
        self._parts.learner().learn_again(incident_id, principal)
        self._parts.changed()
        return self.incident(incident_id)

    def effectiveness(self) -> Sequence[ActionStats]:
        """Every action over all learnt incidents, those with most evidence first."""
        return self._parts.learner().effectiveness()

    def recommend(self, request: SearchRequest, principal: Principal) -> RecommendView:
        """What to do about an alert or a text. Raises `InvalidInput` for nothing to go by."""
        answer = self._parts.search(request, principal)
        subject = subject_of(request)
        try:
            learner = self._parts.learner()
            found = self._heeded(learner.recommend(subject))
            pattern = learner.pattern(found.pattern_id) if found.confident and found.pattern_id else None
        except NotReady as exc:
            return RecommendView(answer, None, None, None, (), overall_confidence(answer, None), exc.message)
        severity = subject.severity or (pattern.severity if pattern else None)
        with self._records.read() as view:
            reviews = () if pattern is None else _reviews_of(view, pattern.id)
        return RecommendView(
            answer=answer,
            recommendation=found,
            pattern=pattern,
            level=self.policy.levels.get(severity or self.policy.when_unknown),
            runbook_ids=tuple(
                dict.fromkeys(one.draft.document_id for one in reviews if one.status is ReviewStatus.APPROVED)
            ),
            confidence=overall_confidence(answer, found),
        )

    def recognise(self, request: SearchRequest) -> Recommendation:
        """What ended incidents like an alert or a text before, with no search beside it. Raises `NotReady`."""
        return self._heeded(self._parts.learner().recommend(subject_of(request)))

    def reviews(self, status: ReviewStatus | None = ReviewStatus.OPEN) -> Sequence[ReviewItem]:
        """Drafts in one state of review, or all."""
        return self._parts.reviews().queue(status)

    def review(self, review_id: str) -> ReviewPage:
        """One draft with its evidence. Raises `ReviewNotFound`."""
        return self._parts.reviews().page(review_id)

    def edit_draft(self, review_id: str, text: str, principal: Principal) -> ReviewPage:
        """Change an open draft's text. Raises `ReviewNotFound`, `ReviewDecided`."""
        return self._reviewed(self._parts.reviews().edit(review_id, text, principal))

    def approve(self, review_id: str, principal: Principal, *, digest: str) -> ReviewPage:
        """Publish the draft whose text has this digest. Raises `ReviewNotFound`, `ReviewDecided`, `DraftChanged`."""
        return self._reviewed(self._parts.reviews().approve(review_id, principal, digest=digest))

    def reject(self, review_id: str, principal: Principal, *, digest: str, reason: str) -> ReviewPage:
        """Turn a draft down, with a reason. Raises as `approve` does, and `InvalidInput` with no reason."""
        return self._reviewed(self._parts.reviews().reject(review_id, principal, digest=digest, reason=reason))

    def undo(self, review_id: str, principal: Principal, *, reason: str = "") -> ReviewPage:
        """Take a decision back; the review that waits instead. Raises `ReviewNotFound`, `ReviewDecided`."""
        return self._reviewed(self._parts.reviews().undo(review_id, principal, reason=reason))

    def promote(self, runbook_id: str, principal: Principal) -> StoredDocument:
        """Make a published dynamic runbook a static one. Raises `RunbookNotFound`, `RunbookReadOnly`."""
        promoted = self._parts.reviews().promote(runbook_id, principal)
        self._parts.runbooks_changed()
        return promoted

    def vote(self, vote: NewVote, principal: Principal) -> Vote:
        """Cast or change a vote. Raises `TooManyVotes`, `InvalidInput`."""
        with self._records.change(principal) as change:
            cast = change.feedback.vote(vote)
        self._parts.changed()
        return cast

    def withdraw_vote(self, target: str, case: str, principal: Principal) -> bool:
        """Take one's own vote back; whether there was one."""
        with self._records.change(principal) as change:
            had = change.feedback.withdraw(target, case)
        self._parts.changed()
        return had

    def tell_outcome(self, outcome: NewOutcome, principal: Principal) -> Outcome:
        """Tell how using a runbook or an action ended for an incident. Raises `IncidentNotFound`, `InvalidInput`."""
        with self._records.change(principal) as change:
            told = change.feedback.tell(outcome)
        self._parts.changed()
        return told

    def outcomes(self, incident_id: str) -> Sequence[Outcome]:
        """What was told for one incident, in the order of time. Raises `IncidentNotFound`."""
        with self._records.read() as view:
            view.incidents.get(incident_id)
            return view.feedback.outcomes(incident_id=incident_id)

    def insights(self) -> InsightsView:
        """What the patterns ask people to do, and alert rules that follow from them."""
        patterns = self.patterns()
        covered = {pattern.id: found for pattern in patterns if (found := self._parts.covers(pattern)) is not None}
        return InsightsView(
            find_insights(patterns, covered=covered, around=self._parts.surroundings()), prometheus_rules(patterns)
        )

    def accuracy(self) -> AccuracyView:
        """How often people confirmed or refused what the learner did."""
        return self._judging.accuracy({stats.key for stats in self.effectiveness()})

    def _learn_answer(self, learned: Learned) -> LearnAnswer:
        pattern, runbook = None, None
        if learned.is_pattern and learned.pattern_id is not None:
            pattern = self._parts.learner().glance(learned.pattern_id)
            with self._records.read() as view:
                reviews = _reviews_of(view, pattern.id)
            runbook = reviews[0] if reviews else None
        return LearnAnswer(learned, pattern, runbook, advice_on(learned, pattern, runbook))

    def _require(self, incident_id: str) -> None:
        with self._records.read() as view:
            view.incidents.get(incident_id)

    def _heeded(self, found: Recommendation) -> Recommendation:
        """What is recommended, with what people said of it."""
        return heed(found, feedback_on(self._records, targets_of(found), now=self.now()))

    def _without_learner(self, stored: StoredIncident, notes: Sequence[IncidentNote]) -> IncidentView:
        incident, now = stored.incident, self.now()
        done = {note.duty: note.event_time for note in notes if note.duty}
        return IncidentView(
            stored=stored,
            notes=notes,
            level=self.policy.level_of(incident),
            duties=duties_due(self.policy, incident, now, done),
            called=called_by_now(self.policy, incident, now),
            phase=phase_now(self.policy, incident, now),
        )

    def _with_learner(self, seen: IncidentView) -> IncidentView:
        learner, incident = self._parts.learner(), seen.stored.incident
        found = None if incident.status is IncidentStatus.RESOLVED else self._heeded(learner.recommend(incident))
        pattern_id = seen.stored.pattern_id or (found.pattern_id if found and found.confident else None)
        pattern = learner.pattern(pattern_id) if pattern_id else None
        if found is not None:
            similar: Sequence[SimilarIncident] = found.similar
        else:
            similar = learner.similar(incident.id) if pattern_id else ()
        has_enough = pattern is not None and pattern.frequency >= MIN_PATTERN_INCIDENTS
        return replace(seen, pattern=pattern if has_enough else None, similar=similar, recommendation=found)

    def _pattern_view(self, pattern: Pattern) -> PatternView:
        with self._records.read() as view:
            record = view.patterns.get(pattern.id)
            forwards = {one.id: one.forwards_to for one in view.patterns.all() if one.forwards_to is not None}
            reviews = [one for one in view.reviews.all() if resolve(one.draft.pattern_id, forwards) == pattern.id]
            return PatternView(pattern, record, view.patterns.history(pattern.id), tuple(reviews))

    def _said(self, pattern: Pattern) -> PatternView:
        self._parts.changed()
        return self._pattern_view(pattern)

    def _reviewed(self, page: ReviewPage) -> ReviewPage:
        self._parts.runbooks_changed()
        self._parts.changed()
        return page

    def _began_since(self, moment: datetime) -> Sequence[StoredIncident]:
        found: list[StoredIncident] = []
        query = IncidentQuery(started_from=moment, sort=IncidentSort.STARTED, descending=False, limit=MAX_PAGE)
        with self._records.read() as view:
            while page := view.incidents.page(replace(query, offset=len(found))).incidents:
                found.extend(page)
        return found


def _reviews_of(view: RecordView, pattern_id: str) -> tuple[Review, ...]:
    """The latest draft of each kind that was written for a pattern, the one that changed last first."""
    found = [review for kind in DraftKind if (review := view.reviews.latest(pattern_id, kind)) is not None]
    return tuple(sorted(found, key=lambda review: review.updated_at, reverse=True))
