"""The store of records: incidents, patterns, reviews, feedback and answered requests. One transaction sees one state
or changes all that belongs together, with its audit lines and events. Adapters: `sql_records`, `memory_records`."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from kb.feedback import NewOutcome, NewVote, Outcome, Vote
from kb.idempotency import GivenAnswer, KeyedRequest
from kb.incident import Incident
from kb.incident_records import Added, IncidentNote, IncidentPage, IncidentPatch, IncidentQuery, StoredIncident
from kb.pattern import PatternChange
from kb.pattern_records import Assignment, LearntIncident, PatternEvent, PatternRecord, SpokenWord, Word
from kb.principal import Principal
from kb.review_records import Decision, DraftKind, NewDraft, Review, ReviewStatus

INCIDENT_CHANGED = "incident.changed"
PATTERN_CHANGED = "pattern.changed"
REVIEW_CHANGED = "review.changed"
FEEDBACK_CHANGED = "feedback.changed"


class IncidentReads(Protocol):
    """Incidents as they are."""

    def get(self, incident_id: str) -> StoredIncident:
        """Raises `IncidentNotFound`."""
        ...

    def get_many(self, incident_ids: Iterable[str]) -> Mapping[str, StoredIncident]:
        """Those of the ids that exist, by id."""
        ...

    def find(self, incident: Incident) -> StoredIncident | None:
        """The kept incident that a report, cleaned by `kb.incident_cleaning`, would be a duplicate of."""
        ...

    def page(self, query: IncidentQuery) -> IncidentPage:
        """A page of the incidents that `query` asks for. Raises `InvalidInput` for a limit or offset out of range."""
        ...

    def learnt(self, *, after: int = 0, limit: int = 1000) -> Sequence[LearntIncident]:
        """Learnt incidents in the order of learning, from the first whose seq is above `after`."""
        ...

    def notes(self, incident_id: str) -> Sequence[IncidentNote]:
        """Remarks on one incident, oldest first."""
        ...


class IncidentWrites(IncidentReads, Protocol):
    """Incidents, and their changes by the principal of the transaction."""

    def add(self, incident: Incident) -> Added:
        """Keep an incident, or what it adds to one that is kept already.

        It is cleaned (`kb.incident_cleaning`) and gets its id from its identity, its time of record from the clock and
        the principal as the one whose word it is, whatever it says of these itself. Raises `InvalidInput` for times
        with no zone or out of range and for an incident with neither title nor type nor alert.
        """
        ...

    def add_many(self, incidents: Sequence[Incident]) -> Sequence[Added]:
        """The same for several, in their order; all or none."""
        ...

    def patch(self, incident_id: str, patch: IncidentPatch, *, if_version: int | None = None) -> StoredIncident:
        """Change fields. Raises `IncidentNotFound`, `IncidentChanged` when the version is another, `InvalidInput`."""
        ...

    def add_note(self, incident_id: str, text: str, *, duty: str = "") -> IncidentNote:
        """Keep a remark. Raises `IncidentNotFound`, and `InvalidInput` for an empty one that names no duty."""
        ...


class PatternReads(Protocol):
    """Patterns as they are."""

    def get(self, pattern_id: str) -> PatternRecord:
        """The record of exactly this id. Raises `PatternNotFound`."""
        ...

    def all(self) -> Sequence[PatternRecord]:
        """Every id that ever was, ordered by id."""
        ...

    def sizes(self) -> Mapping[str, int]:
        """Number of incidents that stand in each pattern now, counted anew."""
        ...

    def standing(self) -> Mapping[str, str | None]:
        """Every learnt incident with the pattern that it stands in now, in the order of learning."""
        ...

    def history(self, pattern_id: str | None = None) -> Sequence[PatternEvent]:
        """Lines that name the pattern, of all patterns without one, oldest first."""
        ...

    def words(self) -> Sequence[SpokenWord]:
        """What people have said, oldest first."""
        ...


class PatternWrites(PatternReads, Protocol):
    """Patterns, and their changes by the principal of the transaction."""

    def assign(self, assignments: Sequence[Assignment]) -> int:
        """Remember the patterns of new incidents, in the order of learning; how many were new.

        An incident that has its pattern keeps it. Ids of patterns that were never heard of become patterns. Raises
        `IncidentNotFound`.
        """
        ...

    def move(self, moves: Mapping[str, str | None]) -> int:
        """Put learnt incidents into other patterns, or into none; how many that changes. The pattern of arrival stays.

        Raises `IncidentNotFound` for an incident that was not learnt.
        """
        ...

    def record(self, changes: Sequence[PatternChange]) -> None:
        """Add lines of history, with what they mean: new patterns, forwarding ids."""
        ...

    def call(self, names: Mapping[str, str]) -> None:
        """Names that the learner made; a person's name for a pattern stays. Raises `PatternNotFound`."""
        ...

    def say(self, word: Word) -> SpokenWord:
        """Remember what a person says. A name takes effect at once; the rest is for the learner to follow.

        Raises `PatternNotFound`, and `InvalidInput` for a word that says nothing.
        """
        ...


class ReviewReads(Protocol):
    """Drafts and decisions as they are."""

    def get(self, review_id: str) -> Review:
        """Raises `ReviewNotFound`."""
        ...

    def all(self, status: ReviewStatus | None = None) -> Sequence[Review]:
        """Reviews of one status or of all, those that changed last first."""
        ...

    def latest(self, pattern_id: str, kind: DraftKind) -> Review | None:
        """The review of a pattern's draft that was opened last."""
        ...

    def since(self, moment: datetime) -> Sequence[Review]:
        """Reviews that were opened or decided at or after that moment, in the order of opening."""
        ...

    def pending(self) -> Sequence[Review]:
        """Reviews whose decision has not reached the runbooks yet, in the order of opening."""
        ...


class ReviewWrites(ReviewReads, Protocol):
    """Drafts, and decisions by the principal of the transaction."""

    def put(self, draft: NewDraft) -> Review:
        """Open a review, or bring the draft of the open one up to date: a pattern has one open review of a kind."""
        ...

    def decide(self, review_id: str, decision: Decision) -> Review:
        """Raises `ReviewNotFound` and what `kb.review_records.check_decision` raises."""
        ...

    def undo(self, review_id: str, *, reason: str = "") -> Review:
        """Take a decision back; the review that waits now instead. Raises `ReviewNotFound`, `ReviewDecided`."""
        ...

    def finish(self, review_id: str) -> Review:
        """The runbooks are as the decision says. Raises `ReviewNotFound`."""
        ...


class FeedbackReads(Protocol):
    """Votes and outcomes as they are."""

    def votes(self, *, target: str | None = None, since: datetime | None = None) -> Sequence[Vote]:
        """Votes on one target or on all, in the order of time."""
        ...

    def outcomes(self, *, target: str | None = None, incident_id: str | None = None) -> Sequence[Outcome]:
        """Outcomes of one target, of one incident, or all, in the order of time."""
        ...


class FeedbackWrites(FeedbackReads, Protocol):
    """Votes and outcomes, and new ones of the principal of the transaction."""

    def vote(self, vote: NewVote) -> Vote:
        """Cast or change a vote. Raises `TooManyVotes`, and `InvalidInput` for a target or a case that is none."""
        ...

    def withdraw(self, target: str, case: str) -> bool:
        """Take one's own vote back; whether there was one."""
        ...

    def tell(self, outcome: NewOutcome) -> Outcome:
        """Tell or correct how using something ended for an incident. Raises `IncidentNotFound`, `InvalidInput`."""
        ...

    def recurred(self, incident_id: str, at: datetime) -> int:
        """The trouble of an incident came back: all that had helped there is marked; how many outcomes that are."""
        ...

    def forget(self, *, before: datetime) -> int:
        """Drop votes cast before that moment; how many."""
        ...


class KeyReads(Protocol):
    """Answers to keyed requests."""

    def find(self, request: KeyedRequest) -> GivenAnswer | None:
        """What this request was answered before. Raises `KeyReused` when its key was used for another one."""
        ...


class KeyWrites(KeyReads, Protocol):
    """Answers to keyed requests, and new ones."""

    def remember(self, request: KeyedRequest, answer: object) -> None:
        """Keep an answer, a JSON value, and forget those past `KEPT_FOR` or `KEPT_ROWS`. Raises `KeyReused`."""
        ...


@dataclass(frozen=True, slots=True)
class RecordEvent:
    """Something that was done to incidents or patterns: `act` is such as `incident.add`, `subject` the id it names."""

    seq: int
    act: str
    subject: str


@dataclass(frozen=True, slots=True)
class RecordNews:
    """Events on incidents and patterns, oldest first, and the number of the last event of any kind."""

    events: tuple[RecordEvent, ...]
    last: int


class EventReads(Protocol):
    """What was done to the records, for those who hold a copy of a part of them."""

    def last(self) -> int:
        """The number of the latest event, that of a running change included. It grows with every change."""
        ...

    def since(self, seq: int) -> RecordNews | None:
        """What came after that number; None when some of it is forgotten."""
        ...


@dataclass(frozen=True, slots=True)
class RecordView:
    """All records in one state."""

    incidents: IncidentReads
    patterns: PatternReads
    reviews: ReviewReads
    feedback: FeedbackReads
    keys: KeyReads
    events: EventReads


@dataclass(frozen=True, slots=True)
class RecordChange:
    """All records, open for changes by one principal."""

    incidents: IncidentWrites
    patterns: PatternWrites
    reviews: ReviewWrites
    feedback: FeedbackWrites
    keys: KeyWrites
    events: EventReads


class RecordStore(Protocol):
    """The records. Safe to call from several threads; a transaction belongs to one."""

    def read(self) -> AbstractContextManager[RecordView]:
        """One state of all records, for the body of the `with`."""
        ...

    def change(self, principal: Principal) -> AbstractContextManager[RecordChange]:
        """The only change at this moment. All of it is kept at the end of the `with`, nothing when it raises.

        Raises `StorageUnavailable` when its turn does not come. Not to be nested.
        """
        ...
