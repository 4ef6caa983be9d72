"""A runbook as its page shows it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from api.acts import RunbookView
from api.web.citations import with_citations, without_citations
from api.web.fill import refusal, values_for
from api.web.marks import ago, review_due
from api.web.runbook_html import adds_context, blanks_of, commands_of, link_resolver, prose, title_anchor
from api.web.urls import Urls
from kb.runbook import Problem, ProblemLevel, ReviewState, RunbookType

_OUTLINE_DEPTH = 3  # heading levels below the highest one that the outline lists
_MAX_ALSO = 5


@dataclass(frozen=True, slots=True)
class OutlineItem:
    """A heading in the outline; `level` is 2 for the outermost, so that it can name a style."""

    anchor: str
    title: str
    level: int


@dataclass(frozen=True, slots=True)
class BlankField:
    """A field of the parameter bar; `refused` says why its value may not be pasted."""

    name: str
    value: str
    refused: str


@dataclass(frozen=True, slots=True)
class Other:
    """Another runbook for one of the same alerts."""

    title: str
    href: str


@dataclass(frozen=True, slots=True)
class RunbookScreen:
    """Everything the page says. `document_id` is the file's, which is what can be edited and has a history."""

    id: str
    document_id: str
    title: str
    title_anchor: str
    body: Markup
    outline: tuple[OutlineItem, ...]
    blanks: tuple[BlankField, ...]
    adds_context: bool
    severity: str
    state: str
    type_label: str
    service: str
    owner: str
    alerts: tuple[str, ...]
    tags: tuple[str, ...]
    path: str
    part_of: str
    version: int
    author: str
    updated: str
    updated_at: str
    reviewed: str
    overdue: str
    digest: str
    errors: tuple[Problem, ...]
    notes: tuple[Problem, ...]
    also: tuple[Other, ...]
    search_id: str

    @property
    def blanks_told(self) -> str:
        """How far the commands are filled in."""
        still_open = sum(1 for blank in self.blanks if blank.refused or not blank.value)
        return f"{still_open} of {len(self.blanks)} still open." if still_open else "All filled in."


def runbook_screen(
    view: RunbookView,
    every: Sequence[RunbookView],
    *,
    labels: Mapping[str, str],
    search_id: str,
    urls: Urls,
    now: datetime,
) -> RunbookScreen:
    """The page of `view`; `every` holds all runbooks, so that links between files lead to pages."""
    runbook, stored = view.runbook, view.stored
    document = stored.document
    commands = commands_of(runbook)
    names = blanks_of(commands)
    values = values_for(names, labels)
    resolve = link_resolver(runbook.path, {v.stored.document.path: v.stored.document.id for v in every}, urls, labels)
    return RunbookScreen(
        id=runbook.id,
        document_id=document.id,
        title=runbook.title or runbook.id,
        title_anchor=title_anchor(runbook),
        body=with_citations(prose(runbook, values, resolve), urls),
        outline=outline_of(view),
        blanks=tuple(_field(name, values.get(name) or labels.get(name, "")) for name in names),
        adds_context=adds_context(commands),
        severity=runbook.severity.value if runbook.severity else "",
        state="" if stored.state is ReviewState.PUBLISHED else stored.state.value,
        type_label="" if runbook.type is RunbookType.STATIC else runbook.type.value,
        service=runbook.service,
        owner=runbook.owner,
        alerts=runbook.alerts,
        tags=runbook.tags,
        path=runbook.path,
        part_of=document.runbooks[0].title if runbook.id != document.runbooks[0].id else "",
        version=stored.version,
        author=stored.author,
        updated=ago(stored.updated_at, now),
        updated_at=stored.updated_at.strftime("%Y-%m-%d %H:%M UTC"),
        reviewed=runbook.reviewed.isoformat() if runbook.reviewed else "",
        overdue=review_due(runbook.reviewed, runbook.review_interval_days, now.date()),
        digest=document.sha256,
        errors=tuple(problem for problem in document.problems if problem.level is ProblemLevel.ERROR),
        notes=tuple(problem for problem in document.problems if problem.level is not ProblemLevel.ERROR),
        also=_also(view, every, labels, urls),
        search_id=search_id,
    )


def outline_of(view: RunbookView) -> tuple[OutlineItem, ...]:
    """The headings worth listing: without the title, and not deeper than three levels."""
    headed = [section for section in view.runbook.sections if section.level and section.anchor]
    if headed and headed[0].title == view.runbook.title:
        headed = headed[1:]
    if not headed:
        return ()
    top = min(section.level for section in headed)
    return tuple(
        OutlineItem(section.anchor, without_citations(section.title) or section.anchor, section.level - top + 2)
        for section in headed
        if section.level - top < _OUTLINE_DEPTH
    )


def _field(name: str, value: str) -> BlankField:
    return BlankField(name, value, refusal(value))


def _also(view: RunbookView, every: Sequence[RunbookView], labels: Mapping[str, str], urls: Urls) -> tuple[Other, ...]:
    alerts = {name.casefold() for name in view.runbook.alerts}
    others = [
        other
        for other in every
        if other.stored.document.id != view.stored.document.id
        and alerts.intersection(name.casefold() for name in other.runbook.alerts)
    ]
    return tuple(Other(o.runbook.title, urls.runbook(o.runbook.id, labels=labels)) for o in others[:_MAX_ALSO])
