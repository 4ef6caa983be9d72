"""What sre-kb can do, one method an act. Routes, pages, tools and commands call these and shape the answers; no face
reaches past them. Concrete classes are joined in `api.wiring`."""

from collections.abc import Sequence
from dataclasses import dataclass

from kb.hits import Answer
from kb.incident import Alert
from kb.principal import Principal
from kb.runbook import ReviewState, Runbook, RunbookType
from kb.runbook_store import StoredDocument, Version
from kb.severity import Severity


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What somebody wants to find: a text as they typed or pasted it, or an alert; `alert` wins where both are given.

    Filters hold before the best hits are chosen. `limit` is between 1 and 50.
    """

    text: str = ""
    alert: Alert | None = None
    type: RunbookType | None = None
    severity: Severity | None = None
    service: str = ""
    tag: str = ""
    limit: int = 10


@dataclass(frozen=True, slots=True)
class ListRequest:
    """Which runbooks to list. `sort` is "title", "updated" or "severity", with "-" in front for descending order;
    `offset` and `limit` cut the page out of the sorted whole."""

    type: RunbookType | None = None
    severity: Severity | None = None
    state: ReviewState | None = None
    service: str = ""
    tag: str = ""
    text: str = ""
    sort: str = "title"
    offset: int = 0
    limit: int = 50


@dataclass(frozen=True, slots=True)
class RunbookView:
    """One runbook as a face shows it: the stored file that holds it, and the file's runbook or entry itself."""

    stored: StoredDocument
    runbook: Runbook


@dataclass(frozen=True, slots=True)
class RunbookPage:
    """A page of a list; `total` counts all that passed the filters."""

    items: tuple[RunbookView, ...]
    total: int
    offset: int
    limit: int


class Services:
    """The acts of the knowledge base over one store and one index. Safe to call from many threads."""

    def search(self, request: SearchRequest, principal: Principal) -> Answer:
        """The best runbooks for a text or an alert."""
        raise NotImplementedError

    def runbooks(self, request: ListRequest) -> RunbookPage:
        """A page of the list."""
        raise NotImplementedError

    def runbook(self, runbook_id: str) -> RunbookView:
        """One runbook, by its id or by the id of a file. Raises `RunbookNotFound`."""
        raise NotImplementedError

    def create(
        self, *, runbook_id: str, type: RunbookType, raw: bytes, principal: Principal, note: str = ""
    ) -> RunbookView:
        """Write a new runbook; searchable within a second. Raises `RunbookExists`, `InvalidInput`."""
        raise NotImplementedError

    def update(
        self, runbook_id: str, raw: bytes, principal: Principal, *, if_match: str | None, note: str = ""
    ) -> RunbookView:
        """Replace a runbook's text. Raises `EditConflict`, `RunbookReadOnly`."""
        raise NotImplementedError

    def delete(self, runbook_id: str, principal: Principal, *, if_match: str | None) -> None:
        """Remove a runbook; its history stays."""
        raise NotImplementedError

    def versions(self, runbook_id: str) -> Sequence[Version]:
        """Newest first."""
        raise NotImplementedError

    def version_text(self, runbook_id: str, number: int) -> bytes:
        """The bytes of one version."""
        raise NotImplementedError

    def diff(self, runbook_id: str, old: int, new: int) -> str:
        """Unified diff of two versions."""
        raise NotImplementedError

    def restore(self, runbook_id: str, number: int, principal: Principal, *, if_match: str | None) -> RunbookView:
        """Write an earlier version again."""
        raise NotImplementedError

    def publish(self, runbook_id: str, principal: Principal, *, digest: str) -> RunbookView:
        """Publish the text of this digest."""
        raise NotImplementedError
