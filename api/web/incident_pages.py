"""The pages of incidents: the list, one incident, and the forms that open, change, resolve and assign it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api import failures
from api.acts import ListRequest
from api.errors import NotReady
from api.learning.acts import IncidentView
from api.services import Services
from api.web.incident_form import (
    OpenScreen,
    open_screen,
    typed_change,
    typed_incident,
    typed_open_screen,
)
from api.web.incident_screen import IncidentListScreen, incident_screen, list_screen
from api.web.learning_pages import LearningPages
from api.web.pasted import read_alert
from api.web.render import Renderer
from api.web.requests import FormDep, LargeFormDep, WebPrincipalDep, first_values
from api.web.resolve_form import ResolveScreen, followed, resolve_patch, resolve_screen, typed_again
from api.web.searching import chosen
from kb.errors import InvalidInput, KBError, RunbookNotFound
from kb.feedback import NewOutcome, NewVote, Verdict
from kb.incident import IncidentStatus
from kb.incident_records import IncidentChanged, IncidentPatch, IncidentQuery, IncidentSort
from kb.pattern import ActionStats
from kb.principal import Principal
from kb.runbook import ReviewState
from kb.severity import WORST_FIRST, Severity

PAGE_SIZE = 50
_EVERY = 100_000
SINCE_DAYS = {"1d": 1, "7d": 7, "30d": 30, "90d": 90}
_SORTS: Mapping[str, tuple[IncidentSort, bool]] = {
    "": (IncidentSort.STARTED, True),
    "severity": (IncidentSort.SEVERITY, True),
    "duration": (IncidentSort.DURATION, True),
    "updated": (IncidentSort.UPDATED, True),
}
_AT = "incidents"


def add(router: APIRouter, services: Services, render: Renderer, now: Callable[[], datetime]) -> None:
    """Add the routes."""
    pages = IncidentPages(services, render, now)
    _add_pages(router, pages)
    _add_acts(router, pages)


def _add_pages(router: APIRouter, pages: "IncidentPages") -> None:
    @router.get("/browse/incidents")
    def browse(request: Request, principal: WebPrincipalDep) -> Response:
        return pages.browse(request.query_params, principal)

    @router.get("/i/new")
    def new(request: Request) -> Response:
        return pages.new(request.query_params)

    @router.post("/i/new")
    def open_incident(form: FormDep, principal: WebPrincipalDep) -> Response:
        return pages.open_incident(form, principal)

    @router.get("/i/{incident_id}")
    def read(incident_id: str, principal: WebPrincipalDep) -> Response:
        return pages.read(incident_id, principal)

    @router.get("/i/{incident_id}/edit")
    def edit(incident_id: str) -> Response:
        return pages.edit(incident_id)

    @router.post("/i/{incident_id}/edit")
    def save(incident_id: str, form: FormDep, principal: WebPrincipalDep) -> Response:
        return pages.save(incident_id, form, principal)

    @router.get("/i/{incident_id}/resolve")
    def resolve(incident_id: str, principal: WebPrincipalDep) -> Response:
        return pages.resolve(incident_id, principal)

    @router.post("/i/{incident_id}/resolve")
    def resolved(incident_id: str, form: LargeFormDep, principal: WebPrincipalDep) -> Response:
        return pages.resolved(incident_id, first_values(form), principal)


def _add_acts(router: APIRouter, pages: "IncidentPages") -> None:
    @router.post("/i/{incident_id}/assign")
    def assign(incident_id: str, form: FormDep, principal: WebPrincipalDep) -> Response:
        return pages.assign(incident_id, form, principal)

    @router.post("/i/{incident_id}/note")
    def note(incident_id: str, form: FormDep, principal: WebPrincipalDep) -> Response:
        return pages.note(incident_id, form, principal)

    @router.post("/i/{incident_id}/vote")
    def vote(incident_id: str, form: FormDep, principal: WebPrincipalDep) -> Response:
        return pages.vote(incident_id, form, principal)

    @router.post("/i/{incident_id}/reopen")
    def reopen(incident_id: str, principal: WebPrincipalDep) -> Response:
        return pages.reopen(incident_id, principal)

    @router.post("/i/{incident_id}/unlearn")
    def unlearn(incident_id: str, principal: WebPrincipalDep) -> Response:
        return pages.unlearn(incident_id, principal)

    @router.post("/i/{incident_id}/learn-again")
    def learn_again(incident_id: str, principal: WebPrincipalDep) -> Response:
        return pages.learn_again(incident_id, principal)


class IncidentPages(LearningPages):
    """What each page does: one act of `Learning`, then a template."""

    def __init__(self, services: Services, render: Renderer, now: Callable[[], datetime]) -> None:
        super().__init__(lambda: services.learning, render, now)
        self._services = services

    def browse(self, query: Mapping[str, str], principal: Principal) -> Response:
        """The list."""
        given = {name: value.strip()[:200] for name, value in query.items()}
        offset = int(given["from"]) if given.get("from", "").isdecimal() and len(given["from"]) < 8 else 0
        asked = self._query(given, offset, principal)
        screen: IncidentListScreen = list_screen(
            self._learning.incidents(asked), self._names(), given, asked, urls=self._urls, now=self._now()
        )
        return self._render.page("incidents.html", at=_AT, screen=screen)

    def _query(self, given: Mapping[str, str], offset: int, principal: Principal) -> IncidentQuery:
        sort, descending = _SORTS.get(given.get("sort", ""), _SORTS[""])
        days = SINCE_DAYS.get(given.get("since", ""))
        status = chosen(IncidentStatus, given.get("status", "").replace("unresolved", ""), "status")
        unresolved = frozenset({IncidentStatus.OPEN, IncidentStatus.ACKNOWLEDGED})
        severity = chosen(Severity, given.get("severity", ""), "severity")
        return IncidentQuery(
            statuses=unresolved if given.get("status") == "unresolved" else frozenset({status} if status else ()),
            severities=frozenset({severity} if severity else ()),
            service=given.get("service", ""),
            pattern_id=given.get("pattern", ""),
            assignee=principal.name if given.get("mine") else "",
            text=given.get("q", ""),
            started_from=self._now() - timedelta(days=days) if days else None,
            sort=sort,
            descending=descending,
            limit=PAGE_SIZE,
            offset=offset,
        )

    def read(self, incident_id: str, principal: Principal) -> Response:
        """One incident."""
        view = self._learning.incident(incident_id)
        screen = incident_screen(
            view, by=principal.name, policy=self._learning.policy, urls=self._urls, now=self._now()
        )
        pattern_id = view.recommendation.pattern_id if view.recommendation else None
        verdict = self._learning.overviews.verdict(pattern_id, incident_id, principal.name) if pattern_id else None
        return self._render.page("incident.html", at=_AT, screen=screen, verdict=verdict.value if verdict else "")

    def new(self, query: Mapping[str, str]) -> Response:
        """The form that opens an incident, filled from the alert in the address or from a pasted one."""
        given = {name: value.strip()[:2000] for name, value in query.items()}
        alert = read_alert(given.get("q", "")) if given.get("q") else None
        screen = OpenScreen(
            title=given.get("title", ""), alerts=given.get("alert", ""), service=given.get("service", "")
        )
        if alert is not None:
            severity = alert.severity.value if alert.severity else ""
            labels = "\n".join(f"{name}={value}" for name, value in alert.labels.items())
            screen = replace(screen, alerts=alert.name, service=alert.service, severity=severity, labels=labels)
        elif given.get("q"):
            screen = replace(screen, title=" ".join(given["q"].split())[:200])
        return self._form(screen)

    def _form(self, screen: OpenScreen, *, status: int = 200) -> Response:
        severities = [severity.value for severity in WORST_FIRST]
        return self._render.page("incident_form.html", status=status, at=_AT, screen=screen, severities=severities)

    def open_incident(self, form: Mapping[str, str], principal: Principal) -> Response:
        """Open it, then show it, or go on to resolve it when it is over already."""
        try:
            incident = typed_incident(form, by=principal.name, now=self._now())
            answer = self._learning.learn(incident, principal)
        except InvalidInput as error:
            return self._form(typed_open_screen(form, refused=_told(error)), status=422)
        opened = answer.learned.stored.incident.id
        act = "resolve" if form.get("next") == "resolve" else ""
        return RedirectResponse(self._urls.incident(opened, act), 303)

    def edit(self, incident_id: str) -> Response:
        """The form that changes what an incident says."""
        return self._form(open_screen(self._learning.incident(incident_id).stored))

    def save(self, incident_id: str, form: Mapping[str, str], principal: Principal) -> Response:
        """Take the change, or show the form again with what was typed."""
        version = _version(form)
        try:
            self._learning.change_incident(incident_id, typed_change(form), principal, if_version=version)
        except IncidentChanged as error:
            screen = typed_open_screen(form, incident_id=incident_id, version=error.current)
            return self._form(replace(screen, is_conflict=True), status=412)
        except InvalidInput as error:
            screen = typed_open_screen(form, incident_id=incident_id, version=version, refused=_told(error))
            return self._form(screen, status=422)
        return RedirectResponse(self._urls.incident(incident_id), 303)

    def resolve(self, incident_id: str, principal: Principal) -> Response:
        """The form that resolves and learns an incident."""
        return self._resolve_form(self._resolve_screen(self._learning.incident(incident_id), principal))

    def _resolve_screen(self, view: IncidentView, principal: Principal) -> ResolveScreen:
        actions, name = _suggested(view)
        return resolve_screen(view.stored, actions, name, by=principal.name, now=self._now())

    def _resolve_form(self, screen: ResolveScreen, *, status: int = 200) -> Response:
        listed = self._services.runbooks(ListRequest(limit=_EVERY)).items
        runbooks = [(one.runbook.id, one.runbook.title) for one in listed if one.stored.state is not ReviewState.DRAFT]
        return self._render.page("resolve.html", status=status, at=_AT, screen=screen, runbooks=runbooks)

    def resolved(self, incident_id: str, form: Mapping[str, str], principal: Principal) -> Response:
        """Resolve it, which learns it. Nothing that was typed is lost when it cannot be taken."""
        view = self._learning.incident(incident_id)
        used = followed(form)
        try:
            if used is not None:
                self._services.runbook(used[0])
            patch = resolve_patch(form, view.stored.incident, by=principal.name)
            self._learning.change_incident(incident_id, patch, principal, if_version=_version(form))
        except (InvalidInput, IncidentChanged, RunbookNotFound) as error:
            is_conflict = isinstance(error, IncidentChanged)
            screen = self._resolve_screen(view, principal)
            again = typed_again(screen, form, refused="" if is_conflict else _told(error), is_conflict=is_conflict)
            return self._resolve_form(again, status=412 if is_conflict else 422)
        if used is not None:
            self._learning.tell_outcome(NewOutcome(incident_id, *used), principal)
        return RedirectResponse(self._urls.incident(incident_id, anchor=":learnt"), 303)

    def assign(self, incident_id: str, form: Mapping[str, str], principal: Principal) -> Response:
        """Say who has it; whoever takes an incident that nobody has answered answers it."""
        name = principal.name if form.get("to") == "me" else form.get("name", "").strip()[:200]
        status = self._learning.incident(incident_id).stored.incident.status
        patch = IncidentPatch(assignee=name)
        if name and status is IncidentStatus.OPEN:
            patch = IncidentPatch(assignee=name, status=IncidentStatus.ACKNOWLEDGED)
        return self._changed(incident_id, patch, principal)

    def note(self, incident_id: str, form: Mapping[str, str], principal: Principal) -> Response:
        """Keep a remark, or that a duty is done."""
        self._learning.add_note(incident_id, form.get("text", ""), principal, duty=form.get("duty", "")[:100])
        return RedirectResponse(self._urls.incident(incident_id, anchor=":timeline"), 303)

    def vote(self, incident_id: str, form: Mapping[str, str], principal: Principal) -> Response:
        """Say what one thinks of the pattern that was recognised."""
        verdict = chosen(Verdict, form.get("verdict", ""), "verdict")
        if verdict is None:
            raise InvalidInput("verdict", "is missing", advice="Say whether it helped, was wrong or is outdated.")
        self._learning.vote(NewVote(form.get("target", ""), incident_id, verdict), principal)
        return RedirectResponse(self._urls.incident(incident_id, anchor=":advice"), 303)

    def reopen(self, incident_id: str, principal: Principal) -> Response:
        """It is not over after all."""
        return self._changed(incident_id, IncidentPatch(status=IncidentStatus.ACKNOWLEDGED), principal)

    def unlearn(self, incident_id: str, principal: Principal) -> Response:
        """Take it out of its pattern."""
        self._learning.unlearn(incident_id, principal)
        return RedirectResponse(self._urls.incident(incident_id), 303)

    def learn_again(self, incident_id: str, principal: Principal) -> Response:
        """Put it back."""
        self._learning.learn_again(incident_id, principal)
        return RedirectResponse(self._urls.incident(incident_id), 303)

    def _changed(self, incident_id: str, patch: IncidentPatch, principal: Principal) -> Response:
        self._learning.change_incident(incident_id, patch, principal, if_version=None)
        return RedirectResponse(self._urls.incident(incident_id), 303)

    def _names(self) -> Mapping[str, str]:
        """Names of patterns by id; none while the learner is not ready, which no list should wait for."""
        try:
            return {pattern.id: pattern.name for pattern in self._learning.patterns()}
        except NotReady:
            return {}


def _suggested(view: IncidentView) -> tuple[Sequence[ActionStats], str]:
    """The actions worth offering as choices, those that worked first, and the name of the pattern they are from."""
    if view.pattern is None:
        return (), ""
    return view.pattern.actions, view.pattern.name


def _version(form: Mapping[str, str]) -> int:
    given = form.get("version", "")
    if not given.isascii() or not given.isdecimal() or len(given) > 9:
        raise InvalidInput("version", "is missing", advice="Open the form again.")
    return int(given)


def _told(error: KBError) -> str:
    problem = failures.told(error)
    return f"{problem.detail} {problem.advice}".strip()
