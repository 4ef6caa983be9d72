"""The values that faces and services trade in: what somebody asks for, and what they get to show."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from kb.incident import Alert
from kb.runbook import Problem, ReviewState, Runbook, RunbookType
from kb.runbook_store import StoredDocument, SyncReport
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
    """Which runbooks to list. `sort` is "title", "updated" or "severity", with "-" in front for the other way round;
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


@dataclass(frozen=True, slots=True)
class WrittenRunbook:
    """A runbook in fields. `content` is Markdown without front matter; `metadata` is what the sender claims about it,
    kept and never believed. None means that a change leaves that field as it is."""

    title: str
    content: str
    type: RunbookType | None = None
    severity: Severity | None = None
    tags: tuple[str, ...] | None = None
    metadata: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, and what to do when it is not well."""

    name: str
    ok: bool
    detail: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """How the knowledge base is. `degraded` names what search misses, empty when nothing; `failing` means that it
    cannot do its work at all."""

    checks: tuple[Check, ...]
    runbooks: int
    documents: int
    generation: str
    degraded: str
    read_only: bool
    version: str
    uptime_s: float

    @property
    def status(self) -> Literal["ok", "degraded", "failing"]:
        """ "ok", "degraded" or "failing"."""
        if not self.generation:
            return "failing"
        return (
            "ok" if not self.degraded and not self.read_only and all(check.ok for check in self.checks) else "degraded"
        )


@dataclass(frozen=True, slots=True)
class RefreshRequest:
    """A look at the folders. `reread` opens every file again; `accept_empty` believes an empty folder; `progress` is
    told how many texts are embedded of how many."""

    reread: bool = False
    accept_empty: bool = False
    progress: Callable[[int, int], None] | None = None


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a look at the folders found, and the index that came of it."""

    report: SyncReport
    generation: str
    degraded: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What is stored where, in bytes. `runbooks` maps the folders directly under the runbooks folder to their size;
    `problems` names every file that was left out or needs a look."""

    runbooks: Mapping[str, int]
    database_bytes: int
    index_bytes: int
    cache_bytes: int
    free_bytes: int
    documents: int
    problems: tuple[Problem, ...]
