"""Pydantic bodies of the HTTP face. They check what comes in and describe what goes out; they never travel inward."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from kb.runbook import ReviewState, RunbookType
from kb.search_log import EventKind
from kb.severity import Severity

MAX_CONTENT_CHARS = 1_000_000
Word = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]


class Incoming(BaseModel):
    """A body somebody sends: unknown fields are refused, so that nobody believes an ignored one took effect."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Outgoing(BaseModel):
    """A body this server sends."""

    # Built when first used: a command that prints text should not pay for twenty bodies.
    model_config = ConfigDict(frozen=True, defer_build=True)


class ScorePart(Outgoing):
    """One component of a score."""

    name: str
    value: float = Field(description="On this component's own scale.")
    contribution: float = Field(description="What it added to the score.")


class ReasonsOut(Outgoing):
    """Why a hit is where it is."""

    matched_terms: list[str]
    parts: list[ScorePart]
    notes: list[str] = Field(description="In plain words: a pin, a name that matched.")


class HitOut(Outgoing):
    """One runbook with its best section for the query."""

    id: str
    title: str
    type: RunbookType
    severity: Severity | None
    relevance_score: float = Field(description="Orders this answer; means nothing across queries.")
    summary: str
    last_updated: str | None = Field(description="ISO 8601, UTC.")
    section: str = Field(description="Headings down to the section that matched, joined by ' > '.")
    anchor: str = Field(description="Of that section, within the runbook's page.")
    snippet: str = Field(description="Plain text of that section around the matches.")
    confidence: float = Field(description="Calibrated probability that this is a right runbook, 0 to 1.")
    reasons: ReasonsOut
    state: ReviewState
    service: str
    alerts: list[str]
    tags: list[str]
    url: str = Field(description="The page that shows the section.")


class SearchAnswer(Outgoing):
    """What one search says. When nothing matches well, `results` is empty and `near_misses` the best of the rest."""

    results: list[HitOut]
    total: int = Field(description="How many `results` there are.")
    search_time: str = Field(description="Seconds this took, such as 0.023s.", examples=["0.023s"])
    query: str = Field(description="What was searched for, cleaned, with secrets masked.")
    confident: bool = Field(description="Whether the first result is probably right.")
    near_misses: list[HitOut]
    drafts: list[HitOut] = Field(description="Unreviewed drafts of the learner; never among `results`.")
    degraded: str = Field(description="What could not take part, such as 'vectors: rebuilding'; empty when all did.")
    generation: str = Field(description="Names the state of the index that answered.")
    search_id: str = Field(description="Refers to this answer in POST /searches/{search_id}/events.")


class ProblemOut(Outgoing):
    """One thing an author should know about a file."""

    code: str
    level: str
    message: str
    advice: str
    path: str
    line: int | None


class RunbookSummary(Outgoing):
    """A runbook in a list."""

    id: str
    title: str
    type: RunbookType
    severity: Severity | None
    service: str
    state: ReviewState
    alerts: list[str]
    tags: list[str]
    owner: str
    summary: str
    path: str
    anchor: str = Field(description="Where it begins in its file; empty for the file's main runbook.")
    version: int
    last_updated: str
    url: str


class RunbookList(Outgoing):
    """A page of the list of runbooks."""

    runbooks: list[RunbookSummary]
    total: int
    offset: int
    limit: int


class SectionOut(Outgoing):
    """A heading of a runbook."""

    anchor: str
    title: str
    level: int
    path: list[str]


class RunbookOut(RunbookSummary):
    """A whole runbook."""

    content: str = Field(description="Its Markdown, repaired where the file was damaged.")
    sections: list[SectionOut]
    document_id: str = Field(description="The file's runbook; differs from `id` for an alert's entry in a larger file.")
    etag: str = Field(description="Of the file; send it as If-Match to change or delete it.")
    reviewed: str | None
    problems: list[ProblemOut]


class RunbookBody(Incoming):
    """A runbook to be written. `metadata` is kept as what the sender claimed; nothing is decided by it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "Payment queue is stuck",
                    "type": "static",
                    "severity": "high",
                    "content": "## Symptoms\n\nThe queue grows and nothing is taken from it.\n",
                    "tags": ["payments", "queue"],
                    "metadata": {"incident_id": "INC-2041", "resolved_by": "dana", "confidence": 0.8},
                }
            ]
        }
    )

    title: Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
    content: Annotated[str, StringConstraints(min_length=1, max_length=MAX_CONTENT_CHARS)]
    type: RunbookType | None = Field(None, description="static when left out of a new one.")
    severity: str = Field("", max_length=40, description="critical, high, medium, low, info, or an alias such as P1.")
    tags: list[Word] | None = Field(None, max_length=50)
    metadata: dict[str, JsonValue] | None = Field(None, max_length=50)


class NewRunbookBody(RunbookBody):
    """A new runbook; without an id it gets one from its title."""

    id: str | None = Field(None, max_length=100, description="Lower-case letters, digits and hyphens.")


class RestoreBody(Incoming):
    """Which version to write again."""

    version: int = Field(ge=1, le=1_000_000_000)


class PublishBody(Incoming):
    """Which text to publish: the SHA-256 of the bytes you have read (the ETag without its quotes)."""

    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class VersionOut(Outgoing):
    """One recorded text of a runbook."""

    number: int
    sha256: str
    author: str
    role: str
    face: str
    created_at: str
    event_time: str
    state: ReviewState
    note: str
    size_bytes: int
    path: str


class VersionList(Outgoing):
    """Newest first."""

    id: str
    versions: list[VersionOut]


class PinBody(Incoming):
    """The runbook that is always first for this alert."""

    runbook_id: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    note: str = Field("", max_length=500, description="Why.")


class PinOut(Outgoing):
    """An alert's pinned runbook."""

    alertname: str
    runbook_id: str
    note: str
    pinned_by: str
    pinned_at: str


class PinList(Outgoing):
    """All pins, by alert name."""

    pins: list[PinOut]


class SearchEventBody(Incoming):
    """What somebody did with an answer: looked at a runbook, copied a command, voted."""

    kind: EventKind
    runbook_id: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    anchor: str = Field("", max_length=300)


class CheckOut(Outgoing):
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str
    advice: str = ""


class ProbeOut(Outgoing):
    """A probe's answer. `degraded` names what is missing for full answers, empty when nothing is."""

    status: Literal["ok"]
    degraded: str = ""


class HealthOut(Outgoing):
    """How the knowledge base is."""

    status: Literal["ok", "degraded", "failing"]
    checks: list[CheckOut]
    runbooks: int
    documents: int
    generation: str
    degraded: str
    read_only: bool
    version: str
    uptime_s: float


class UsageOut(Outgoing):
    """What is stored where, in bytes, and which files were left out."""

    runbooks: dict[str, int]
    database_bytes: int
    index_bytes: int
    cache_bytes: int
    free_bytes: int
    documents: int
    problems: list[ProblemOut]


class RefreshOut(Outgoing):
    """What looking at the folders again found, by document id."""

    added: list[str]
    changed: list[str]
    renamed: list[str]
    removed: list[str]
    unchanged: int
    problems: list[ProblemOut]
    generation: str
    degraded: str
