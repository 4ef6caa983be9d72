"""Lists: what passes, in which order, which page."""

from datetime import UTC, datetime, timedelta

import pytest

from api.acts import ListRequest
from api.listing import list_runbooks
from kb.runbook import Document, ReviewState, Runbook, RunbookType
from kb.runbook_store import StoredDocument
from kb.severity import Severity

DAY = datetime(2026, 11, 2, tzinfo=UTC)


def _stored(index: int, *runbooks: Runbook, state: ReviewState = ReviewState.PUBLISHED) -> StoredDocument:
    document = Document(id=runbooks[0].id, path=runbooks[0].path, text="", sha256="0" * 64, runbooks=runbooks)
    return StoredDocument(document, version=1, state=state, author="sam", updated_at=DAY + timedelta(days=index))


def _runbook(runbook_id: str, title: str, **fields: object) -> Runbook:
    values = {"type": RunbookType.STATIC, "path": f"{runbook_id}.md", "text": "", "start": 0, **fields}
    return Runbook(id=runbook_id, title=title, **values)  # type: ignore[arg-type]  # fields by name


DOCUMENTS = [
    _stored(
        0,
        _runbook("db-full", "disk is full", severity=Severity.HIGH, service="db", tags=("disk",), alerts=("DiskFull",)),
        _runbook("db-full-slow", "Slow disk", severity=Severity.LOW, service="db"),
    ),
    _stored(
        1, _runbook("queue", "Queue grows", severity=Severity.CRITICAL, service="Mail"), state=ReviewState.UNREVIEWED
    ),
    _stored(2, _runbook("form", "An empty form", type=RunbookType.TEMPLATE), state=ReviewState.DRAFT),
]


def _ids(**request: object) -> list[str]:
    return [view.runbook.id for view in list_runbooks(DOCUMENTS, ListRequest(**request)).items]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("request_fields", "ids"),
    [
        ({}, ["form", "db-full", "queue", "db-full-slow"]),
        ({"type": RunbookType.TEMPLATE}, ["form"]),
        ({"severity": Severity.LOW}, ["db-full-slow"]),
        ({"state": ReviewState.UNREVIEWED}, ["queue"]),
        ({"service": "mail"}, ["queue"]),
        ({"tag": "DISK"}, ["db-full"]),
        ({"text": "diskfull"}, ["db-full"]),
        ({"text": "DISK"}, ["db-full", "db-full-slow"]),
        ({"text": "nothing like it"}, []),
        ({"sort": "-title"}, ["db-full-slow", "queue", "db-full", "form"]),
        ({"sort": "updated"}, ["db-full", "db-full-slow", "queue", "form"]),
        ({"sort": "-updated"}, ["form", "queue", "db-full", "db-full-slow"]),
        ({"sort": "severity"}, ["queue", "db-full", "db-full-slow", "form"]),
        ({"offset": 1, "limit": 2}, ["db-full", "queue"]),
        ({"offset": 9}, []),
    ],
)
def test_a_list_holds_what_passes_in_the_order_asked_for(request_fields: dict[str, object], ids: list[str]) -> None:
    assert _ids(**request_fields) == ids


def test_the_total_counts_what_passes_and_not_what_is_shown() -> None:
    page = list_runbooks(DOCUMENTS, ListRequest(service="db", limit=1))
    assert (page.total, len(page.items)) == (2, 1)
