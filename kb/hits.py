"""What a search answers: chunks of runbook sections with scores, confidence and reasons. Search makes these values;
faces and recommendations show them."""

from dataclasses import dataclass
from datetime import datetime

from kb.runbook import ReviewState, RunbookType
from kb.severity import Severity


@dataclass(frozen=True, slots=True)
class RunbookCard:
    """What an answer shows of a runbook without opening it. `path` is relative to the runbooks folder."""

    id: str
    title: str
    path: str
    anchor: str
    type: RunbookType
    state: ReviewState
    severity: Severity | None
    service: str
    alerts: tuple[str, ...]
    tags: tuple[str, ...]
    summary: str
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A slice of one section that is indexed. `start` and `end` are character offsets into `Runbook.text`."""

    runbook_id: str
    anchor: str
    section_path: tuple[str, ...]
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """One component of a score: its name, its value on that component's own scale, and what it added to the score."""

    name: str
    value: float
    contribution: float


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why a hit is where it is: query terms found in it, the parts of its score, and notes in plain words (such as a
    pin)."""

    matched_terms: tuple[str, ...]
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """One runbook with its best section for a query."""

    runbook: RunbookCard
    chunk: Chunk
    score: float  # fused; orders one answer, means nothing across queries
    confidence: float  # calibrated probability in [0, 1] that this hit is a right one
    dense_rank: int | None  # 1-based; None when vector search did not return this runbook
    lexical_rank: int | None  # 1-based; None when no query term occurs in it
    snippet: str  # plain text; matched words between U+0002 and U+0003, so that a face can escape first and mark later
    reasons: Reasons


@dataclass(frozen=True, slots=True)
class Answer:
    """All that one search says. `hits` is empty when nothing matches well enough; then `near_misses` holds the best of
    the rest. `drafts` is a block of its own and never mixes with `hits`. `degraded` names what is missing (such as
    'vectors: rebuilding'), empty when all parts answered. `took_s` is wall time in seconds."""

    search_id: str
    query: str
    hits: tuple[Hit, ...]
    near_misses: tuple[Hit, ...]
    drafts: tuple[Hit, ...]
    confident: bool
    generation: str
    degraded: str
    took_s: float
