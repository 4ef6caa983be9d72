"""What follows from what was learnt: things to act on, alert rules, trends, and how often the learner was right."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.asking import LearningDep, UrlsDep, json_answer
from api.learning.insight_schemas import AccuracyOut, InsightsOut, TrendsOut
from api.learning.insight_shapes import accuracy_out, insights_out, trends_out
from api.learning.trends import MAX_DAYS
from api.schemas import Incoming

router = APIRouter(tags=["insights"])


class TrendsQuery(Incoming):
    """The parameters of GET /trends."""

    days: int = Field(30, ge=1, le=MAX_DAYS, description="How many days, today included.")


@router.get("/insights", summary="What to act on", responses={200: {"model": InsightsOut}})
def list_insights(learning: LearningDep, urls: UrlsDep) -> Response:
    """Rising patterns, patterns with no runbook, harmful actions, what would prevent incidents, runbooks that are
    unused, stale or contradicted, searches that found nothing: each with its evidence and what can be done about it."""
    return json_answer(insights_out(learning.insights().insights, urls))


@router.get(
    "/insights/rules",
    summary="Alert rules that follow from patterns",
    responses={200: {"content": {"application/yaml": {"schema": {"type": "string"}}}}},
    response_class=Response,
)
def alert_rules(learning: LearningDep) -> Response:
    """A Prometheus rule file that `promtool check rules` takes; with nothing learnt yet its list of groups is empty."""
    return Response(learning.insights().rules or "groups: []\n", media_type="application/yaml")


@router.get("/learning/accuracy", summary="How often the learner was right", responses={200: {"model": AccuracyOut}})
def accuracy(learning: LearningDep) -> Response:
    """How often people confirmed or refused its assignments, drafts and recommendations, week by week."""
    return json_answer(accuracy_out(learning.accuracy()))


@router.get("/trends", summary="Incidents by day", responses={200: {"model": TrendsOut}})
def trends(query: Annotated[TrendsQuery, Query()], learning: LearningDep) -> Response:
    """How many began on each day, by severity, how many of them are resolved, and how long half of them took."""
    return json_answer(trends_out(learning.trends(query.days)))
