"""The pages of patterns: the list, one pattern, and the forms by which people correct what was learnt."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api.learning.service import Learning
from api.web.learning_pages import LearningPages
from api.web.pattern_view import PatternLine, pattern_line, pattern_screen, spark_weeks
from api.web.render import Renderer
from api.web.requests import FormDep, LargeFormDep, WebPrincipalDep
from kb.errors import InvalidInput
from kb.pattern import Direction, Pattern
from kb.principal import Principal
from kb.severity import WORST_FIRST

PAGE_SIZE = 50
_MAX_COUNTED = 2000
_AT = "patterns"
_WORST = {severity: rank for rank, severity in enumerate(WORST_FIRST)}
_ORDERS: Mapping[str, Callable[[Pattern], tuple[float, ...]]] = {
    "": lambda pattern: (-pattern.frequency,),
    "recent": lambda pattern: (-pattern.evidence.last_seen.timestamp(),),
    "rising": lambda pattern: (pattern.trend.direction is not Direction.RISING, pattern.trend.p_value),
    "severity": lambda pattern: (_WORST.get(pattern.severity, 9) if pattern.severity else 9, -pattern.frequency),
    "slow": lambda pattern: (-(pattern.durations.p50_s or 0.0),),
    "failing": lambda pattern: (pattern.success.value if pattern.success.value is not None else 2.0,),
}


@dataclass(frozen=True, slots=True)
class PatternListScreen:
    """The list."""

    lines: tuple[PatternLine, ...]
    total: int
    every: int
    first: int
    text: str
    trend: str
    sort: str
    weeks: int
    until: str
    is_filtered: bool
    before: str
    after: str


def add(router: APIRouter, learning: Callable[[], Learning], render: Renderer, now: Callable[[], datetime]) -> None:
    """Add the routes."""
    pages = PatternPages(learning, render, now)

    @router.get("/browse/patterns")
    def browse(request: Request) -> Response:
        return pages.browse(request.query_params)

    @router.get("/p/{pattern_id}")
    def read(pattern_id: str) -> Response:
        return pages.read(pattern_id)

    @router.post("/p/{pattern_id}/rename")
    def rename(pattern_id: str, form: FormDep, principal: WebPrincipalDep) -> Response:
        return pages.rename(pattern_id, form, principal)

    @router.post("/p/{pattern_id}/merge")
    def merge(pattern_id: str, form: FormDep, principal: WebPrincipalDep) -> Response:
        return pages.merge(pattern_id, form, principal)

    @router.post("/p/{pattern_id}/split")
    def split(pattern_id: str, form: LargeFormDep, principal: WebPrincipalDep) -> Response:
        return pages.split(pattern_id, form.get("incident", ()), principal)

    @router.post("/p/{pattern_id}/unlearn")
    def unlearn(pattern_id: str, form: LargeFormDep, principal: WebPrincipalDep) -> Response:
        return pages.unlearn(pattern_id, form.get("incident", ()), principal)


class PatternPages(LearningPages):
    """What each page does: one act of `Learning`, then a template."""

    def browse(self, query: Mapping[str, str]) -> Response:
        """The list, a page of it."""
        given = {name: value.strip()[:200] for name, value in query.items()}
        offset = int(given["from"]) if given.get("from", "").isdecimal() and len(given["from"]) < 8 else 0
        every = self._learning.patterns()
        passing = sorted(
            (pattern for pattern in every if _passes(pattern, given)),
            key=_ORDERS.get(given.get("sort", ""), _ORDERS[""]),
        )
        shown = passing[offset : offset + PAGE_SIZE]

        def at(position: int) -> str:
            return self._urls.patterns(**{**given, "from": str(position) if position else ""})

        weeks = spark_weeks(every, self._now())
        screen = PatternListScreen(
            lines=self._lines(shown, weeks),
            total=len(passing),
            every=len(every),
            first=offset,
            text=given.get("q", ""),
            trend=given.get("trend", ""),
            sort=given.get("sort", ""),
            weeks=len(weeks),
            until=(weeks[-1] + timedelta(days=6)).isoformat(),
            is_filtered=bool(given.get("q") or given.get("trend")),
            before=at(max(0, offset - PAGE_SIZE)) if offset else "",
            after=at(offset + PAGE_SIZE) if offset + PAGE_SIZE < len(passing) else "",
        )
        return self._render.page("patterns.html", at=_AT, screen=screen)

    def _lines(self, shown: Sequence[Pattern], weeks: Sequence[date]) -> tuple[PatternLine, ...]:
        overviews = self._learning.overviews
        began = overviews.began(key for pattern in shown for key in pattern.evidence.incident_ids)
        covered = overviews.covering(shown)
        return tuple(
            pattern_line(
                pattern,
                [began[key] for key in pattern.evidence.incident_ids if key in began],
                weeks,
                runbook_id=covered.get(pattern.id, ""),
                urls=self._urls,
                now=self._now(),
            )
            for pattern in shown
        )

    def read(self, pattern_id: str) -> Response:
        """One pattern; an id that was joined with another leads there."""
        view = self._learning.pattern(pattern_id)
        if view.pattern.id != pattern_id:
            return RedirectResponse(self._urls.pattern(view.pattern.id), 302)
        ids = view.pattern.evidence.incident_ids[-_MAX_COUNTED:]
        screen = pattern_screen(view, self._learning.overviews.incidents_by_id(ids), urls=self._urls, now=self._now())
        runbook_id = self._learning.overviews.covering([view.pattern]).get(view.pattern.id, "")
        others = sorted(
            (pattern for pattern in self._learning.patterns() if pattern.id != pattern_id), key=lambda one: one.name
        )
        return self._render.page(
            "pattern.html", at=_AT, screen=screen, others=[(one.id, one.name) for one in others], runbook_id=runbook_id
        )

    def rename(self, pattern_id: str, form: Mapping[str, str], principal: Principal) -> Response:
        """Give it a name that stays; an empty one gives it back to the learner."""
        view = self._learning.rename(pattern_id, form.get("name", "").strip(), principal)
        return RedirectResponse(self._urls.pattern(view.pattern.id), 303)

    def merge(self, pattern_id: str, form: Mapping[str, str], principal: Principal) -> Response:
        """Make it one with another."""
        other = form.get("other", "").strip()
        if not other or other == pattern_id:
            raise InvalidInput("other", "is no other pattern", advice="Choose the pattern that it is one with.")
        view = self._learning.merge([pattern_id, other], principal)
        return RedirectResponse(self._urls.pattern(view.pattern.id), 303)

    def split(self, pattern_id: str, incident_ids: Iterable[str], principal: Principal) -> Response:
        """Part the ticked incidents from the rest."""
        chosen = frozenset(incident_ids)
        if not chosen:
            raise InvalidInput("incident", "is ticked nowhere", advice="Tick the incidents that do not belong here.")
        _, taken = self._learning.split(pattern_id, chosen, principal)
        return RedirectResponse(self._urls.pattern(taken.pattern.id), 303)

    def unlearn(self, pattern_id: str, incident_ids: Iterable[str], principal: Principal) -> Response:
        """Take the ticked incidents out of what was learnt."""
        chosen = sorted(set(incident_ids))
        if not chosen:
            raise InvalidInput("incident", "is ticked nowhere", advice="Tick the incidents to take out.")
        for incident_id in chosen:
            self._learning.unlearn(incident_id, principal)
        return RedirectResponse(self._urls.pattern(pattern_id), 303)


def _passes(pattern: Pattern, given: Mapping[str, str]) -> bool:
    trend, text = given.get("trend", ""), given.get("q", "").casefold()
    if trend and pattern.trend.direction.value != trend:
        return False
    told = " ".join((pattern.id, pattern.name, *(name for name, _ in (*pattern.services, *pattern.alerts))))
    return text in told.casefold()
