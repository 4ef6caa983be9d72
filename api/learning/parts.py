"""What `Learning` asks of the learner and of the review of its drafts. The parts themselves live in `learner`;
`api.learning.wiring` joins them."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from api.acts import SearchRequest
from kb.hits import Answer
from kb.idempotency import KeyedRequest
from kb.incident import Alert, Incident
from kb.incident_records import IncidentPatch, StoredIncident
from kb.once import Reply
from kb.pattern import ActionStats, Pattern
from kb.principal import Principal
from kb.record_store import RecordStore
from kb.review_records import Review, ReviewStatus
from kb.runbook_store import StoredDocument
from learner.insight import Surroundings
from learner.recommend import Recommendation, SimilarIncident


class Learned(Protocol):
    """What came of one incident that was sent in, as `learner.learner.Learned` tells it."""

    @property
    def stored(self) -> StoredIncident: ...
    @property
    def is_new(self) -> bool: ...
    @property
    def has_changed(self) -> bool: ...
    @property
    def pattern_id(self) -> str | None: ...
    @property
    def pattern_size(self) -> int: ...
    @property
    def is_pattern(self) -> bool: ...
    @property
    def founded(self) -> bool: ...
    @property
    def likelihood(self) -> float: ...
    @property
    def why(self) -> tuple[str, ...]: ...


class LearnerPart(Protocol):
    """The learner: incidents in, patterns out. Safe to call from many threads."""

    def learn(self, incidents: Sequence[Incident], principal: Principal) -> Sequence[Learned]: ...

    def learn_once(
        self, incident: Incident, principal: Principal, request: KeyedRequest, shape: Callable[[Learned], object]
    ) -> Reply: ...

    def patch(
        self, incident_id: str, patch: IncidentPatch, principal: Principal, *, if_version: int | None = None
    ) -> Learned: ...

    def patterns(self) -> Sequence[Pattern]: ...

    def pattern(self, pattern_id: str) -> Pattern: ...

    def glance(self, pattern_id: str) -> Pattern: ...

    def effectiveness(self) -> Sequence[ActionStats]: ...

    def recommend(self, subject: Incident | Alert) -> Recommendation: ...

    def similar(self, incident_id: str) -> Sequence[SimilarIncident]: ...

    def rename(self, pattern_id: str, name: str, principal: Principal) -> Pattern: ...

    def merge(self, pattern_ids: Sequence[str], principal: Principal) -> Pattern: ...

    def split(self, pattern_id: str, incident_ids: Collection[str], principal: Principal) -> tuple[str, str]: ...

    def unlearn(self, incident_id: str, principal: Principal) -> None: ...

    def learn_again(self, incident_id: str, principal: Principal) -> None: ...


class ReviewItem(Protocol):
    """One line of the review queue; `title` is the draft's, `confidence` and `frequency` are the pattern's."""

    @property
    def review(self) -> Review: ...
    @property
    def title(self) -> str: ...
    @property
    def pattern_name(self) -> str: ...
    @property
    def frequency(self) -> int: ...
    @property
    def confidence(self) -> float: ...


class ReviewPage(Protocol):
    """One draft with what a reviewer needs: its text, the unified diff to what is there, and the evidence."""

    @property
    def review(self) -> Review: ...
    @property
    def title(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def diff(self) -> str: ...
    @property
    def offer_diff(self) -> str: ...
    @property
    def notice(self) -> str: ...
    @property
    def pattern(self) -> Pattern | None: ...
    @property
    def incident_ids(self) -> tuple[str, ...]: ...


class ReviewsPart(Protocol):
    """The drafts that wait for a person, and what people decide about them."""

    def queue(self, status: ReviewStatus | None = ReviewStatus.OPEN) -> Sequence[ReviewItem]: ...

    def page(self, review_id: str) -> ReviewPage: ...

    def edit(self, review_id: str, text: str, principal: Principal) -> ReviewPage: ...

    def approve(self, review_id: str, principal: Principal, *, digest: str) -> ReviewPage: ...

    def reject(self, review_id: str, principal: Principal, *, digest: str, reason: str) -> ReviewPage: ...

    def undo(self, review_id: str, principal: Principal, *, reason: str = "") -> ReviewPage: ...

    def promote(self, runbook_id: str, principal: Principal) -> StoredDocument: ...


Search = Callable[[SearchRequest, Principal], Answer]


@dataclass(frozen=True, slots=True)
class LearningParts:
    """What `Learning` is joined of. `learner` and `reviews` open what they give when first asked and may raise
    `NotReady`.

    `covers` tells the published runbook that covers a pattern, None for none; `changed` is called after every change
    that background work waits for, `runbooks_changed` after one that search must see. `surroundings` collects what
    insights look at beside the patterns.
    """

    records: RecordStore
    learner: Callable[[], LearnerPart]
    reviews: Callable[[], ReviewsPart]
    search: Search
    covers: Callable[[Pattern], str | None]
    changed: Callable[[], None]
    runbooks_changed: Callable[[], None]
    surroundings: Callable[[], Surroundings] = Surroundings
