"""All reviews as the records have them, sorted under the patterns that theirs stand for today."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from kb.record_store import RecordChange, RecordView
from kb.review_records import Review, ReviewStatus

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class KnownReviews:
    """The records as they were. `by_pattern` has reviews in the order of opening, under the pattern that theirs stands
    for now; `sizes` counts the incidents of those."""

    by_pattern: Mapping[str, Sequence[Review]]
    sizes: Mapping[str, int]
    is_recorded: Callable[[str], bool]

    @property
    def waiting(self) -> set[str]:
        """Patterns with an open review."""
        return {
            key for key, reviews in self.by_pattern.items() if any(one.status is ReviewStatus.OPEN for one in reviews)
        }

    @property
    def document_ids(self) -> set[str]:
        """Ids of all documents that a review is or was about."""
        return {review.draft.document_id for reviews in self.by_pattern.values() for review in reviews}


def known_reviews(view: RecordView | RecordChange) -> KnownReviews:
    """Every review there is, at this moment."""
    forwards = {record.id: record.forwards_to for record in view.patterns.all()}
    by_pattern: dict[str, list[Review]] = {}
    for review in view.reviews.since(_EPOCH):
        by_pattern.setdefault(_present(review.draft.pattern_id, forwards), []).append(review)
    return KnownReviews(by_pattern, view.patterns.sizes(), forwards.__contains__)


def _present(pattern_id: str, forwards: Mapping[str, str | None]) -> str:
    """The id that a pattern goes by today."""
    seen = {pattern_id}
    while (further := forwards.get(pattern_id)) is not None and further not in seen:
        pattern_id = further
        seen.add(pattern_id)
    return pattern_id
