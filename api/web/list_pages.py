"""The page that lists all runbooks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response

from api.acts import ListRequest, RunbookView
from api.services import Services
from api.web.marks import ago, review_due
from api.web.render import Renderer
from api.web.search_view import Choices, Filters
from api.web.searching import choices_of, chosen
from api.web.urls import Urls
from kb.runbook import ReviewState, RunbookType
from kb.severity import Severity

PAGE_SIZE = 100
_EVERY = 100_000
_SORTS = ("title", "severity", "-updated")


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the list."""

    href: str
    title: str
    severity: str
    state: str
    type_label: str
    service: str
    alerts: tuple[str, ...]
    path: str
    updated: str
    overdue: str


@dataclass(frozen=True, slots=True)
class ListScreen:
    """The page. `newer` and `older` lead to the pages before and after; empty where there is none."""

    items: tuple[Listed, ...]
    total: int
    first: int
    text: str
    sort: str
    state: str
    filters: Filters
    choices: Choices
    states: tuple[str, ...]
    before: str
    after: str


def add(router: APIRouter, services: Services, render: Renderer, now: Callable[[], datetime]) -> None:
    """Add the list's route."""

    @router.get("/browse")
    def browse(request: Request) -> Response:
        return render.page("browse.html", at="browse", screen=_screen(request, services, render.urls, now()))


def _screen(request: Request, services: Services, urls: Urls, now: datetime) -> ListScreen:
    given = {name: value.strip()[:200] for name, value in request.query_params.items()}
    filters = Filters(*(given.get(name, "") for name in ("type", "severity", "service", "tag")))
    sort = given.get("sort", "")
    sort = sort if sort in _SORTS else "title"
    offset = int(given["from"]) if given.get("from", "").isdecimal() and len(given["from"]) < 8 else 0
    page = services.runbooks(
        ListRequest(
            type=chosen(RunbookType, filters.type, "type"),
            severity=chosen(Severity, filters.severity, "severity"),
            state=chosen(ReviewState, given.get("state", ""), "state"),
            service=filters.service,
            tag=filters.tag,
            text=given.get("q", ""),
            sort=sort,
            offset=offset,
            limit=PAGE_SIZE,
        )
    )
    every = services.runbooks(ListRequest(limit=_EVERY)).items

    def at(position: int) -> str:
        return urls.browse(**{**given, "from": str(position) if position else ""})

    return ListScreen(
        items=tuple(_listed(view, urls, now) for view in page.items),
        total=page.total,
        first=offset,
        text=given.get("q", ""),
        sort=sort,
        state=given.get("state", ""),
        filters=filters,
        choices=choices_of(every),
        states=tuple(state.value for state in ReviewState if any(view.stored.state is state for view in every)),
        before=at(max(0, offset - PAGE_SIZE)) if offset else "",
        after=at(offset + PAGE_SIZE) if offset + PAGE_SIZE < page.total else "",
    )


def _listed(view: RunbookView, urls: Urls, now: datetime) -> Listed:
    runbook, stored = view.runbook, view.stored
    return Listed(
        href=urls.runbook(runbook.id),
        title=runbook.title or runbook.id,
        severity=runbook.severity.value if runbook.severity else "",
        state="" if stored.state is ReviewState.PUBLISHED else stored.state.value,
        type_label="" if runbook.type is RunbookType.STATIC else runbook.type.value,
        service=runbook.service,
        alerts=runbook.alerts[:3],
        path=runbook.path,
        updated=ago(stored.updated_at, now),
        overdue=review_due(runbook.reviewed, runbook.review_interval_days, now.date()),
    )
