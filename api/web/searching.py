"""What the search pages do between a request and a template: read the form, call the search, shape the answer."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from fastapi import Request, Response
from starlette.datastructures import FormData, QueryParams
from starlette.responses import RedirectResponse

from api import failures
from api.acts import ListRequest, RunbookView, SearchRequest
from api.services import Services
from api.web.advising import advice_for
from api.web.pasted import read_alert
from api.web.recommend_view import RecommendationScreen
from api.web.render import Renderer
from api.web.search_view import (
    MAX_QUERY_CHARS,
    Choices,
    Example,
    Filters,
    ProblemScreen,
    SearchScreen,
    ServiceCount,
    alert_screen,
    answer_screen,
    telling_labels,
)
from kb.errors import InvalidInput, KBError, RunbookNotFound
from kb.hits import Answer, Hit
from kb.incident import Alert
from kb.pins import PinNotFound
from kb.principal import Principal
from kb.runbook import ReviewState, RunbookType
from kb.severity import WORST_FIRST, Severity, parse_severity

ALERT_NAME = "alertname"
_LIMIT = 10
_MAX_TEXT_CHARS = 16_384  # of a text that is no JSON; what matters in it comes long before
_EVERY = 100_000
_MAX_SERVICES = 24
_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Asked:
    """The search form as it came in."""

    query: str = ""
    filters: Filters = field(default_factory=Filters)


async def asked_by_address(request: Request) -> Asked:
    """The form in the address."""
    return _asked(request.query_params)


async def asked_by_body(request: Request) -> Asked:
    """The form in the body: a pasted alert, too long for an address."""
    async with request.form(max_files=0, max_fields=20) as form:
        return _asked(form)


def _asked(form: QueryParams | FormData) -> Asked:
    def field_of(name: str) -> str:
        value = form.get(name, "")
        return value if isinstance(value, str) else ""

    query = field_of("q")
    if len(query) > MAX_QUERY_CHARS:
        raise InvalidInput("q", f"is longer than {MAX_QUERY_CHARS:,} characters", advice="Paste one alert of it.")
    return Asked(query, Filters(*(field_of(name).strip()[:200] for name in ("type", "severity", "service", "tag"))))


class Search:
    """The search page, its hits alone, and the page of an alert's stable link."""

    def __init__(self, services: Services, render: Renderer, now: Callable[[], datetime]) -> None:
        self._services = services
        self._render = render
        self._now = now

    def page(self, asked: Asked, principal: Principal) -> Response:
        """The whole page; it needs no script to be of use."""
        alert = read_alert(asked.query)
        screen, status = self._screen(asked, alert, principal)
        if screen.answer is not None:
            screen = replace(screen, advice=self._advice(asked.query, alert))
        return self._whole(screen, status)

    def fragment(self, asked: Asked, principal: Principal) -> Response:
        """The hits alone, for a page that is there already."""
        screen, status = self._screen(asked, read_alert(asked.query), principal)
        if screen.answer is None:
            screen = self._furnished(screen)
        return self._render.page("results.html", status=status, screen=screen)

    def advice(self, asked: Asked) -> Response:
        """What ended such incidents before; empty when no pattern is likely enough."""
        said = self._advice(asked.query, read_alert(asked.query))
        return self._render.page("advice_alone.html", said=said)

    def _advice(self, query: str, alert: Alert | None) -> RecommendationScreen | None:
        return advice_for(self._services, self._render.urls, query, alert)

    def alert(self, name: str, labels: Mapping[str, str], principal: Principal) -> Response:
        """To the runbook that is pinned to this alert or bears its name, at the section that fits best; where there is
        none, what is found for the alert."""
        alert = alert_of(name, labels)
        screen = SearchScreen(query=name, alert=alert_screen(alert))
        try:
            answer = self._services.search(SearchRequest(alert=alert, limit=_LIMIT), principal)
        except KBError as error:
            return self._whole(*_failed(screen, error))
        found = self._runbook_for(name, answer)
        if found is None:
            answered = self._answered(screen, answer, alert)
            return self._whole(replace(answered, advice=self._advice(name, alert)), 200)
        runbook_id, anchor = found
        labels = {**telling_labels(alert.labels), ALERT_NAME: name}
        address = self._render.urls.runbook(runbook_id, labels=labels, search_id=answer.search_id, anchor=anchor)
        return RedirectResponse(address, 302)

    def _runbook_for(self, name: str, answer: Answer) -> tuple[str, str] | None:
        """Id and anchor of the runbook to open at once. A draft is opened only where a person pinned it."""
        hits = (*answer.hits, *answer.near_misses, *answer.drafts)
        pinned = self._pinned(name)
        if pinned is not None:
            return pinned, next((hit.chunk.anchor for hit in hits if hit.runbook.id == pinned), "")
        named = (hit for hit in hits if hit.runbook.state is not ReviewState.DRAFT and _bears_name(hit, name))
        return next(((hit.runbook.id, hit.chunk.anchor) for hit in named), None)

    def _pinned(self, name: str) -> str | None:
        """The id of the runbook pinned to an alert, unless it is gone."""
        try:
            return self._services.runbook(self._services.pin(name).runbook_id).runbook.id
        except (PinNotFound, RunbookNotFound):
            return None

    def _whole(self, screen: SearchScreen, status: int) -> Response:
        return self._render.page("home.html", status=status, at="search", screen=self._furnished(screen))

    def _screen(self, asked: Asked, alert: Alert | None, principal: Principal) -> tuple[SearchScreen, int]:
        screen = SearchScreen(query=asked.query, filters=asked.filters, alert=alert_screen(alert))
        if not asked.query.strip():
            return screen, 200
        structured = alert if alert is not None and alert.source != "text" else None
        try:
            answer = self._search(asked, structured, principal)
        except KBError as error:
            return _failed(screen, error)
        return self._answered(screen, answer, alert), 200

    def _answered(self, screen: SearchScreen, answer: Answer, alert: Alert | None) -> SearchScreen:
        labels = telling_labels(alert.labels) if alert else {}
        shown = answer_screen(answer, labels=labels, urls=self._render.urls, now=self._now())
        query = screen.query.strip()
        return replace(screen, heading="Search" if "\n" in query else query[:60], answer=shown)

    def _search(self, asked: Asked, alert: Alert | None, principal: Principal) -> Answer:
        return self._services.search(
            SearchRequest(
                text="" if alert else asked.query[:_MAX_TEXT_CHARS],
                alert=alert,
                type=chosen(RunbookType, asked.filters.type, "type"),
                severity=chosen(Severity, asked.filters.severity, "severity"),
                service=asked.filters.service,
                tag=asked.filters.tag,
                limit=_LIMIT,
            ),
            principal,
        )

    def _furnished(self, screen: SearchScreen) -> SearchScreen:
        """The screen with what only a whole page shows: the choices of the filters, examples, the count."""
        page = self._services.runbooks(ListRequest(limit=_EVERY))
        return replace(
            screen,
            choices=choices_of(page.items),
            examples=examples_of(page.items),
            services=services_of(page.items),
            count=page.total,
        )


def chosen(kind: type[_Choice], given: str, name: str) -> _Choice | None:
    """The member of an enumeration that a form names; None for an empty field. Raises `InvalidInput`."""
    if not given:
        return None
    try:
        return kind(given.lower())
    except ValueError:
        raise InvalidInput(name, "is none of the choices", advice="Choose one of the list.") from None


def alert_of(name: str, labels: Mapping[str, str]) -> Alert:
    """The alert that a link names, with its labels."""
    severity = parse_severity(labels.get("severity", ""))
    return Alert(
        name=name,
        labels={**labels, ALERT_NAME: name},
        severity=severity,
        service=labels.get("service", ""),
        source="link",
    )


def _bears_name(hit: Hit, alertname: str) -> bool:
    return alertname.casefold() in (name.casefold() for name in hit.runbook.alerts)


def _failed(screen: SearchScreen, error: KBError) -> tuple[SearchScreen, int]:
    problem = failures.told(error)
    shown = ProblemScreen(problem.kind.title + ".", problem.detail, problem.advice)
    return replace(screen, problem=shown), problem.kind.status


def choices_of(views: Iterable[RunbookView]) -> Choices:
    """What the filters offer: only what some runbook has; types and severities in their own order."""
    runbooks = [view.runbook for view in views]
    types = {runbook.type for runbook in runbooks}
    severities = {runbook.severity for runbook in runbooks}
    return Choices(
        types=tuple(kind.value for kind in RunbookType if kind in types),
        severities=tuple(severity.value for severity in WORST_FIRST if severity in severities),
        services=tuple(sorted({runbook.service for runbook in runbooks if runbook.service}, key=str.casefold)),
        tags=tuple(sorted({tag for runbook in runbooks for tag in runbook.tags}, key=str.casefold)),
    )


def services_of(views: Iterable[RunbookView]) -> tuple[ServiceCount, ...]:
    """The services with the most runbooks, largest first."""
    counts = Counter(view.runbook.service for view in views if view.runbook.service)
    return tuple(ServiceCount(name, count) for name, count in counts.most_common(_MAX_SERVICES))


def examples_of(views: Sequence[RunbookView]) -> tuple[Example, ...]:
    """Queries that are sure to find something here, one of each kind."""
    whole = [view.runbook for view in views if view.runbook.alerts and not view.runbook.anchor]
    settled = [runbook for runbook in whole if runbook.type is RunbookType.STATIC and " " in runbook.title]
    if not settled:
        return ()
    first, middle, last = settled[0], settled[len(settled) // 2], settled[-1]
    pasted = f"alertname={last.alerts[0]} cluster=prod-eu namespace=shop"
    return (
        Example(first.alerts[0], "the name of an alert"),
        Example(middle.title.lower(), "plain words"),
        Example(pasted, "labels fill commands"),
    )
