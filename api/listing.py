"""Lists of runbooks: filter, order, cut. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from api.acts import ListRequest, RunbookPage, RunbookView
from kb.runbook_store import StoredDocument
from kb.severity import WORST_FIRST


def list_runbooks(documents: Sequence[StoredDocument], request: ListRequest) -> RunbookPage:
    """The page of `documents`' runbooks that `request` asks for. Ties are settled by id, so pages never overlap."""
    found = [view for view in _views(documents) if _passes(view, request)]
    found.sort(key=lambda view: view.runbook.id)
    found.sort(key=_ORDERS[request.sort.removeprefix("-")], reverse=request.sort.startswith("-"))
    page = tuple(found[request.offset : request.offset + request.limit])
    return RunbookPage(items=page, total=len(found), offset=request.offset, limit=request.limit)


def _views(documents: Iterable[StoredDocument]) -> Iterator[RunbookView]:
    for stored in documents:
        for runbook in stored.document.runbooks:
            yield RunbookView(stored=stored, runbook=runbook)


def _passes(view: RunbookView, request: ListRequest) -> bool:
    runbook = view.runbook
    return (
        (request.type is None or runbook.type is request.type)
        and (request.severity is None or runbook.severity is request.severity)
        and (request.state is None or view.stored.state is request.state)
        and (not request.service or runbook.service.casefold() == request.service.casefold())
        and (not request.tag or request.tag.casefold() in (tag.casefold() for tag in runbook.tags))
        and (not request.text or _mentions(view, request.text.casefold()))
    )


def _mentions(view: RunbookView, text: str) -> bool:
    runbook = view.runbook
    return any(text in field.casefold() for field in (runbook.id, runbook.title, *runbook.alerts, *runbook.tags))


def _severity_rank(view: RunbookView) -> int:
    severity = view.runbook.severity
    return WORST_FIRST.index(severity) if severity else len(WORST_FIRST)


_ORDERS: dict[str, Callable[[RunbookView], Any]] = {
    "title": lambda view: view.runbook.title.casefold(),
    "updated": lambda view: view.stored.updated_at,
    "severity": _severity_rank,
}
