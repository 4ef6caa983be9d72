"""Pydantic bodies of the HTTP face about drafts, their review, and feedback."""

from typing import Annotated

from pydantic import Field, StringConstraints

from api.learning.pattern_schemas import PatternSummary
from api.schemas import MAX_CONTENT_CHARS, Incoming, Outgoing
from kb.feedback import MAX_NOTE_CHARS, MAX_TARGET_CHARS, Verdict
from kb.incident import ActionOutcome
from kb.review_records import MAX_REASON_CHARS, DraftKind, ReviewStatus

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Reason = Annotated[str, StringConstraints(max_length=MAX_REASON_CHARS)]
Target = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TARGET_CHARS)]
Note = Annotated[str, StringConstraints(max_length=MAX_NOTE_CHARS)]


class ReviewSummary(Outgoing):
    """A draft in the queue."""

    id: str
    title: str
    kind: DraftKind
    status: ReviewStatus
    pattern_id: str
    pattern_name: str
    frequency: int
    confidence: float
    runbook_id: str = Field(description="The runbook that the draft is, or that it changes.")
    revision: int
    evidence_count: int
    opened_at: str
    updated_at: str
    decided_at: str | None
    reviewer: str
    reason: str
    url: str


class ReviewList(Outgoing):
    """Drafts, those that changed last first."""

    reviews: list[ReviewSummary]
    total: int


class ReviewOut(ReviewSummary):
    """One draft with its evidence."""

    text: str = Field(description="The text that would be published.")
    sha256: str = Field(description="Of that text; a decision names it, so that nobody decides about another.")
    diff: str = Field(description="Unified, against what is published now; all of it added for a new runbook.")
    notice: str = Field(description="What to know first, in a sentence; mostly empty.")
    edited_by: str
    offer_diff: str = Field(description="From a text that a person edited to what the learner would write by now.")
    incident_ids: list[str]
    pattern: PatternSummary | None


class DraftBody(Incoming):
    """A new text for an open draft."""

    content: Annotated[str, StringConstraints(min_length=1, max_length=MAX_CONTENT_CHARS)]


class ApproveBody(Incoming):
    """Which text is approved: the digest of the one that was read."""

    sha256: Digest


class RejectBody(Incoming):
    """Which text is turned down, and why."""

    sha256: Digest
    reason: Annotated[str, StringConstraints(min_length=1, max_length=MAX_REASON_CHARS, strip_whitespace=True)]


class UndoBody(Incoming):
    """Why a decision is taken back."""

    reason: Reason = ""


class VoteBody(Incoming):
    """What somebody thinks of a hit or a recommendation, in one case."""

    target: Target = Field(description="A runbook id, perhaps with #anchor; an action's key; a pattern id.")
    case: Target = Field(description="The incident id or search id where it was seen.")
    verdict: Verdict
    note: Note = ""


class VoteOut(Outgoing):
    """A vote as kept."""

    target: str
    case: str
    verdict: Verdict
    note: str
    principal: str
    at: str


class WithdrawBody(Incoming):
    """Which of one's own votes to take back."""

    target: Target
    case: Target


class WithdrawOut(Outgoing):
    """Whether there was such a vote."""

    withdrawn: bool


class OutcomeBody(Incoming):
    """How following a runbook or an action ended for the incident. `took` is a length of time such as 5m."""

    target: Target = Field(description="A runbook id or an action's key.")
    outcome: ActionOutcome
    took: str | float | None = None
    note: Note = ""


class OutcomeOut(Outgoing):
    """An outcome as kept."""

    incident_id: str
    target: str
    outcome: ActionOutcome
    took_s: float | None
    note: str
    principal: str
    at: str
    recurred_at: str | None


class OutcomeList(Outgoing):
    """What was told for one incident, in the order of time."""

    outcomes: list[OutcomeOut]
