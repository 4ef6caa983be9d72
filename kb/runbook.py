"""Values of the runbook domain: what a Markdown file says once it is parsed. Nothing here reads, writes or decides."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from kb.severity import Severity


class RunbookType(StrEnum):
    """Where a runbook comes from: written by people, drafted by the learner, or a form to be filled."""

    STATIC = "static"
    DYNAMIC = "dynamic"
    TEMPLATE = "template"


class ReviewState(StrEnum):
    """How far a runbook's current text has come. It holds for one digest of the text and for no other."""

    DRAFT = "draft"
    UNREVIEWED = "unreviewed"
    PUBLISHED = "published"
    RETIRED = "retired"


class ProblemLevel(StrEnum):
    """ERROR: part of the file is not understood. WARNING: understood after a guess. NOTE: worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing an author should know about a file. `line` is 1-based in the file as it is on disk."""

    code: str
    level: ProblemLevel
    message: str
    advice: str
    path: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """A blank in a command that the reader fills; `spellings` are the forms it takes in the text (`<pod>`, `$POD`)."""

    name: str
    spellings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Command:
    """One fenced or indented code block, dedented. `lead` is the prose right before it; `line` is 1-based in the
    file."""

    text: str
    language: str
    lead: str
    line: int
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A Markdown link; `line` is 1-based in the file."""

    text: str
    target: str
    line: int


@dataclass(frozen=True, slots=True)
class CheckItem:
    """One `- [ ]` line of a checklist."""

    text: str
    done: bool
    line: int


@dataclass(frozen=True, slots=True)
class Table:
    """A table's cells as plain text, the header apart."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    line: int


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it, down to the next heading of any level.

    `start` and `end` are character offsets into `Runbook.text`; sections follow one another without gap or overlap and
    cover the text. The part before the first heading is a section of level 0 with an empty title and anchor.
    `path` holds the titles from the outermost heading to this one. `line` is 1-based in the file.
    """

    anchor: str
    title: str
    level: int
    path: tuple[str, ...]
    start: int
    end: int
    line: int
    commands: tuple[Command, ...] = ()
    links: tuple[Link, ...] = ()
    tables: tuple[Table, ...] = ()
    checklist: tuple[CheckItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Runbook:
    """One procedure for one problem. Most files hold one; a file such as `agent.md` holds one for each alert.

    `text` is the runbook's own part of the repaired file, without front matter, and `start` its character offset in
    `Document.text`. `anchor` is the heading in the file where it begins, empty when it is the file's main runbook.
    `path` is the file's, POSIX style, relative to the runbooks folder.
    """

    id: str
    title: str
    path: str
    type: RunbookType
    text: str
    start: int
    anchor: str = ""
    severity: Severity | None = None
    service: str = ""
    alerts: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    owner: str = ""
    reviewed: date | None = None
    review_interval_days: int | None = None
    summary: str = ""
    sections: tuple[Section, ...] = ()
    promql: tuple[str, ...] = ()
    runbook_urls: tuple[str, ...] = ()
    steps: tuple[Mapping[str, object], ...] = ()
    metadata: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """One Markdown file, parsed. `text` is the repaired text; `sha256` is of the bytes on disk.

    `runbooks[0]` is the file's main runbook and lends the document its id; the others are its per-alert entries.
    """

    id: str
    path: str
    text: str
    sha256: str
    runbooks: tuple[Runbook, ...]
    problems: tuple[Problem, ...] = ()
