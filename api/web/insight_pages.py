"""The pages that show where things go: the insights and the two dashboards."""

from collections.abc import Callable
from datetime import datetime, timedelta

from fastapi import APIRouter, Request, Response

from api.learning.service import Learning
from api.web.dashboard_view import SPANS
from api.web.incident_dashboard import incident_dashboard
from api.web.insight_view import MAX_SHOWN, evidence_of, insights_screen, shown_insights
from api.web.learning_dashboard import learning_dashboard
from api.web.learning_pages import LearningPages
from api.web.render import Renderer
from kb.errors import InvalidInput
from kb.incident_records import IncidentQuery

_AT = "insights"
_DEFAULT_DAYS = 30
_DEFAULT_LEARNING_DAYS = 90


def add(router: APIRouter, learning: Callable[[], Learning], render: Renderer, now: Callable[[], datetime]) -> None:
    """Add the routes."""
    pages = InsightPages(learning, render, now)

    @router.get("/browse/insights")
    def insights() -> Response:
        return pages.insights()

    @router.get("/dashboards/incidents")
    def incidents(request: Request) -> Response:
        return pages.incident_trends(request.query_params.get("days", ""))

    @router.get("/dashboards/learning")
    def progress(request: Request) -> Response:
        return pages.learning_progress(request.query_params.get("days", ""))


class InsightPages(LearningPages):
    """What each page does: ask `Learning`, then a template."""

    def insights(self) -> Response:
        """Everything that asks for something to be done."""
        learning = self._learning
        view = learning.insights()
        shown = (insight for found in shown_insights(view).values() for insight in found[:MAX_SHOWN])
        incidents = learning.overviews.incidents_by_id(evidence_of(shown))
        return self._render.page("insights.html", at=_AT, screen=insights_screen(view, incidents, self._urls))

    def incident_trends(self, given: str) -> Response:
        """Where incidents go; where none began lately, as of imported history, the span ends with the latest one."""
        learning, span = self._learning, _days(given, _DEFAULT_DAYS)
        days, until = learning.trends(span), None
        if not any(day.total for day in days):
            until = next(
                (one.incident.started_at for one in learning.incidents(IncidentQuery(limit=1)).incidents), None
            )
            days = learning.trends(span, until=until)
        screen = incident_dashboard(
            days, learning.patterns(), learning.accuracy().times, until=until.date() if until else None, urls=self._urls
        )
        return self._render.page("dashboard.html", at=_AT, screen=screen)

    def learning_progress(self, days: str) -> Response:
        """How learning goes."""
        learning, span = self._learning, _days(days, _DEFAULT_LEARNING_DAYS)
        since = (self._now() - timedelta(days=span)).date()
        patterns = learning.patterns()
        overviews = learning.overviews
        screen = learning_dashboard(
            overviews.learnt_by_week(since),
            {day: count for day, count in overviews.decisions().items() if day >= since},
            patterns,
            learning.effectiveness(),
            learning.accuracy().accuracy,
            covered=len(overviews.covering(patterns)),
            waiting=overviews.waiting(),
            days=span,
            urls=self._urls,
        )
        return self._render.page("dashboard.html", at=_AT, screen=screen)


def _days(given: str, otherwise: int) -> int:
    known = {str(days): days for days, _ in SPANS}
    if not given:
        return otherwise
    if given not in known:
        raise InvalidInput("days", "is none of the spans", advice="Choose one of the list.")
    return known[given]
