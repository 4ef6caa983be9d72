"""Drafts that wait for a person, and what people decided about them: values and the rules of a decision (pure)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from kb.errors import InvalidInput, KBError
from kb.incident_cleaning import plain_text

MAX_REASON_CHARS = 2000


class ReviewNotFound(KBError):
    """There is no draft of this id to review."""

    def __init__(self, review_id: str) -> None:
        super().__init__(f"There is no review '{review_id[:100]}'.", advice="List what waits with GET /reviews.")
        self.review_id = review_id


class ReviewDecided(KBError):
    """The review cannot go from the state it is in to the one that was asked for."""

    def __init__(self, review_id: str, status: "ReviewStatus") -> None:
        super().__init__(
            f"Review '{review_id}' is {status.value}.", advice="Read it again; a decision can be undone, not repeated."
        )
        self.review_id = review_id
        self.status = status


class DraftChanged(KBError):
    """The draft is not the text that the reviewer has seen; nothing was decided."""

    def __init__(self, review_id: str) -> None:
        super().__init__(
            f"The draft of review '{review_id}' has changed since you read it.", advice="Read it again, then decide."
        )
        self.review_id = review_id


class PersonNeeded(KBError):
    """Only a person may decide this, through a face of their own and in a role that may publish."""

    def __init__(self) -> None:
        super().__init__("Only a named person decides on drafts.", advice="Let somebody who may publish do it.")


class ReviewStatus(StrEnum):
    """Where a draft stands. UNDONE: somebody took the decision back, and the draft waits again as a new review."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    UNDONE = "undone"


class DraftKind(StrEnum):
    """What a draft is: a runbook for a pattern, for one incident, of a resolution, or a patch to a runbook."""

    PATTERN = "pattern"
    INCIDENT = "incident"
    RESOLUTION = "resolution"
    PATCH = "patch"


@dataclass(frozen=True, slots=True)
class NewDraft:
    """A draft to be reviewed. `document_id` names the dynamic runbook, or the one that a patch is for.

    `text_sha256` is the digest of exactly the text that would be published; `text` holds it where it is not yet in the
    document: for a patch, and for a change of a published runbook, which stays as it is meanwhile. `base_sha256` is
    the digest of the document's text that such a draft was made for, empty where the document itself is the draft.
    `edited_by` names the person who changed the learner's text; from then on the learner leaves it alone, and `offer`
    holds what it would write by now. `evidence_digest` changes with the evidence, `evidence_count` is its number of
    incidents.
    """

    pattern_id: str
    kind: DraftKind
    document_id: str
    text_sha256: str
    evidence_digest: str
    evidence_count: int
    text: str = ""
    base_sha256: str = ""
    edited_by: str = ""
    offer: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """A draft and what came of it. `revision` grows by one whenever the open draft changes. `is_pending` is true from a
    decision until the runbooks are as it says; a crash in between leaves it so, for the next pass to make good."""

    id: str
    draft: NewDraft
    status: ReviewStatus
    revision: int
    opened_at: datetime
    updated_at: datetime
    decided_at: datetime | None = None
    reviewer: str = ""
    reason: str = ""
    is_pending: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decides. `text_sha256` is the digest of the text that they have seen."""

    status: ReviewStatus
    text_sha256: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DayCount:
    """Reviews of one day, UTC: opened, and decided by what was decided."""

    opened: int = 0
    approved: int = 0
    rejected: int = 0
    undone: int = 0


def plain_draft(draft: NewDraft) -> NewDraft:
    """The draft as it may be kept: its texts are not redacted, for they are what its digest is of, but free of what no
    database takes."""
    return replace(
        draft, text=plain_text(draft.text), edited_by=plain_text(draft.edited_by), offer=plain_text(draft.offer)
    )


def check_decision(review: Review, decision: Decision) -> None:
    """Raise unless the review can take this decision.

    `ReviewDecided` when it is not open, `DraftChanged` when the reviewer has seen another text, `InvalidInput` for a
    rejection with no reason and for what is no decision.
    """
    if decision.status not in (ReviewStatus.APPROVED, ReviewStatus.REJECTED):
        raise InvalidInput("decision", f"'{decision.status.value}' is none", advice="Approve or reject.")
    if review.status is not ReviewStatus.OPEN:
        raise ReviewDecided(review.id, review.status)
    if decision.status is ReviewStatus.REJECTED and not decision.reason.strip():
        raise InvalidInput("reason", "is missing", advice="Say why, so that the learner does not ask again.")
    if decision.text_sha256 != review.draft.text_sha256:
        raise DraftChanged(review.id)


def check_undo(review: Review) -> None:
    """Raise `ReviewDecided` unless there is a decision that can be taken back."""
    if review.status not in (ReviewStatus.APPROVED, ReviewStatus.REJECTED):
        raise ReviewDecided(review.id, review.status)


def count_by_day(reviews: Iterable[Review]) -> Mapping[date, DayCount]:
    """How many were opened and decided on each day, by day."""
    days: dict[date, dict[str, int]] = {}

    def add(moment: datetime, what: str) -> None:
        day = days.setdefault(moment.date(), {})
        day[what] = day.get(what, 0) + 1

    for review in reviews:
        add(review.opened_at, "opened")
        if review.decided_at is not None:
            add(review.decided_at, review.status.value)
    return {day: DayCount(**counts) for day, counts in sorted(days.items())}
