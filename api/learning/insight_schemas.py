"""Pydantic bodies of the HTTP face about insights, trends, and how often the learner was right."""

from pydantic import Field

from api.learning.pattern_schemas import DurationsOut, RateOut
from api.schemas import Outgoing
from kb.severity import Severity


class InsightActionOut(Outgoing):
    """What can be done about an insight at once; `subject` is what it is done to."""

    kind: str
    subject: str
    url: str = Field(description="The page where it is done; empty where there is none.")


class InsightOut(Outgoing):
    """One thing to act on, with its evidence."""

    kind: str
    text: str
    weight: float
    action: InsightActionOut
    pattern_id: str
    incident_ids: list[str]
    runbook_ids: list[str]
    search_ids: list[str]


class InsightsOut(Outgoing):
    """What patterns and the use of runbooks ask people to do, weightiest first."""

    insights: list[InsightOut]
    total: int


class TrendDayOut(Outgoing):
    """One day, UTC."""

    day: str
    total: int
    by_severity: dict[str, int] = Field(description="`unknown` where nobody said.")
    resolved: int
    median_s: float | None


class TrendsOut(Outgoing):
    """Incidents by the day on which they began, oldest first."""

    days: list[TrendDayOut]
    total: int


class JudgedOut(Outgoing):
    """What the learner did and what people said of it. `agreed`: confirmed among what was judged; `stood`: what nobody
    refused among all."""

    made: int
    confirmed: int
    refused: int
    undone: int
    agreed: RateOut
    stood: RateOut


class AccuracyWeekOut(Outgoing):
    """One week from a Monday, UTC."""

    monday: str
    assignments: JudgedOut
    drafts: JudgedOut
    recommendations: JudgedOut


class ResponseTimesOut(Outgoing):
    """How long incidents took; `with_runbook` null: both."""

    severity: Severity | None
    with_runbook: bool | None
    acknowledged: DurationsOut
    resolved: DurationsOut


class AccuracyOut(Outgoing):
    """How often people confirmed or refused what the learner did, by week and in all."""

    weeks: list[AccuracyWeekOut]
    assignments: JudgedOut
    drafts: JudgedOut
    recommendations: JudgedOut
    response_times: list[ResponseTimesOut]
