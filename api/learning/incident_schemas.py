"""Pydantic bodies of the HTTP face about incidents. What tells or changes one is read by `api.imports`; the bodies for
it here only describe."""

from typing import Annotated

from pydantic import Field, JsonValue, StringConstraints

from api.learning.pattern_schemas import PatternSummary, RecommendationOut, SimilarOut
from api.schemas import Incoming, Outgoing
from kb.incident import ActionOutcome, IncidentStatus
from kb.severity import Severity

MAX_BATCH = 500


class LearnBody(Incoming):
    """An incident: under `incident_data` with its surroundings in `context`, or its fields directly. The reference
    lists all fields; this describes the first form."""

    incident_data: dict[str, JsonValue] = Field(
        examples=[
            {
                "type": "pod_crash",
                "diagnosis": ["memory_limit_exceeded"],
                "resolution": ["increase_memory_limit"],
                "success": True,
                "duration": "5m",
            }
        ]
    )
    context: dict[str, JsonValue] = Field(
        default_factory=dict, examples=[{"namespace": "production", "pod_type": "web-app"}]
    )
    metadata: dict[str, JsonValue] | None = Field(None, description="What the sender claims; nothing is decided by it.")


class LearnOut(Outgoing):
    """What came of an incident that was sent in."""

    pattern_detected: bool = Field(description="Whether it belongs to incidents that recur.")
    pattern_id: str | None = Field(description="Of the group it stands in; null while it is not resolved.")
    confidence: float = Field(description="Probability that it belongs to that pattern; 0 without one.")
    new_runbook_created: bool = Field(description="Whether a draft for this pattern waits for review by now.")
    runbook_id: str | None = Field(description="The draft or runbook for this pattern, when there is one.")
    recommendations: list[str] = Field(description="What the pattern knows already, in sentences.")
    incident_id: str
    is_new: bool = Field(description="False for a duplicate of a kept one.")
    has_changed: bool = Field(description="Whether it told something new.")
    pattern_name: str
    pattern_size: int = Field(description="Incidents in that group now; three make a pattern.")
    founded: bool = Field(description="Whether it is the first of its group.")
    why: list[str] = Field(description="What spoke for the pattern, and what else came close.")


class BatchBody(Incoming):
    """Several incidents, each as POST /runbooks/learn takes one."""

    incidents: list[JsonValue] = Field(min_length=1, max_length=MAX_BATCH)


class RefusedOut(Outgoing):
    """An entry that was not learnt; `number` counts from 1."""

    number: int
    reason: str


class TakenOut(Outgoing):
    """An entry that was learnt."""

    number: int
    incident_id: str
    is_new: bool
    has_changed: bool
    pattern_id: str | None


class BatchOut(Outgoing):
    """What came of several incidents."""

    learnt: int = Field(description="How many are new.")
    duplicates: int = Field(description="How many were known already.")
    refused: list[RefusedOut]
    incidents: list[TakenOut]


class IncidentPatchBody(Incoming):
    """A change, in the fields of POST /runbooks/learn: those that are left out stay, null empties what can be empty.
    This describes the usual ones; the reference lists all."""

    status: IncidentStatus | None = None
    title: str | None = None
    severity: str | None = Field(None, examples=["P1"])
    service: str | None = None
    assignee: str | None = Field(None, description="Who has it.")
    diagnosis: list[JsonValue] | None = Field(None, examples=[["the disk of db-1 is full"]])
    resolution: list[JsonValue] | None = Field(None, examples=[[{"text": "rotated the logs", "outcome": "helped"}]])
    success: bool | None = Field(None, description="Whether the resolution ended it.")
    duration: str | float | None = Field(None, examples=["25m"])
    acknowledged_at: str | None = None
    resolved_at: str | None = None
    lessons: list[str] | None = None
    prevention: list[str] | None = None


class NoteBody(Incoming):
    """A remark. `duty` is the id of the duty of the severity policy that it says is done."""

    text: Annotated[str, StringConstraints(max_length=8_000)] = ""
    duty: Annotated[str, StringConstraints(max_length=100)] = ""


class NoteOut(Outgoing):
    """A remark as kept."""

    author: str
    text: str
    duty: str
    at: str


class DiagnosisStepOut(Outgoing):
    """Something that was looked at."""

    text: str
    command: str
    found: str


class ActionTakenOut(Outgoing):
    """Something that was changed, and what it did."""

    text: str
    command: str
    outcome: ActionOutcome
    side_effects: list[str]
    took_s: float | None


class ResolutionOut(Outgoing):
    """What ended the incident, or failed to."""

    actions: list[ActionTakenOut]
    success: bool | None
    resolved_by: str
    confirmed: str
    side_effects: list[str]


class IncidentSummary(Outgoing):
    """An incident in a list."""

    id: str
    title: str
    status: IncidentStatus
    severity: Severity | None
    service: str
    alerts: list[str]
    started_at: str
    acknowledged_at: str | None
    resolved_at: str | None
    duration_s: float | None
    assignee: str
    reported_by: str
    source: str
    source_id: str
    pattern_id: str | None
    arrival_pattern_id: str | None
    version: int
    updated_at: str
    url: str


class IncidentList(Outgoing):
    """A page of the list of incidents."""

    incidents: list[IncidentSummary]
    total: int
    offset: int
    limit: int


class DutyOut(Outgoing):
    """Something the severity policy asks for."""

    id: str
    kind: str
    text: str
    to: str
    due_at: str
    is_overdue: bool


class LevelOut(Outgoing):
    """What a severity means and asks for; times in seconds."""

    severity: Severity
    code: str
    definition: str
    respond_within_s: float
    resolve_within_s: float
    escalation: list[str] = Field(description="Who is called, in order, with the time after which.")


class IncidentOut(IncidentSummary):
    """One incident with what is known around it."""

    type: str
    description: str
    labels: dict[str, str]
    symptoms: list[str]
    trigger: str
    impact: str
    diagnosis: list[DiagnosisStepOut]
    resolution: ResolutionOut | None
    lessons: list[str]
    prevention: list[str]
    links: list[str]
    fingerprint: str
    metadata: dict[str, JsonValue]
    recorded_at: str
    opened_by: str
    etag: str = Field(description="Send it as If-Match to change the incident.")
    notes: list[NoteOut]
    level: LevelOut | None
    duties: list[DutyOut] = Field(description="What is due, the next or longest overdue first.")
    called: list[str] = Field(description="Who should have been called by now.")
    pattern: PatternSummary | None
    similar: list[SimilarOut]
    recommendation: RecommendationOut | None = Field(description="While it is not resolved.")
    degraded: str = Field(description="What could not be told now; empty when all could.")
