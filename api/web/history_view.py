"""A runbook's versions and what changed between two of them, as the history pages show them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from api.web.diff_view import Diff
from api.web.marks import ago, size_in_words
from api.web.urls import Urls
from kb.principal import Face
from kb.runbook import ReviewState
from kb.runbook_store import StoredDocument, Version

_FACES = {
    Face.HTTP: "over HTTP",
    Face.WEB: "on these pages",
    Face.CLI: "at the command line",
    Face.MCP: "over MCP",
    Face.WEBHOOK: "by webhook",
    Face.DISK: "in the file",
    Face.SYSTEM: "by sre-kb",
}


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version. `changes_href` compares it with the one before; empty for the first."""

    number: int
    author: str
    how: str
    when: str
    ago: str
    state: str
    note: str
    size: str
    is_current: bool
    changes_href: str
    since_href: str


@dataclass(frozen=True, slots=True)
class HistoryScreen:
    """The history page. `etag` guards a restore; a retired runbook has none and can be brought back."""

    id: str
    title: str
    versions: tuple[VersionRow, ...]
    etag: str
    digest: str
    state: str
    is_retired: bool


@dataclass(frozen=True, slots=True)
class DiffScreen:
    """The page of a difference between two versions."""

    id: str
    title: str
    old: int
    new: int
    latest: int
    diff: Diff
    is_split: bool
    other_layout_href: str
    older_href: str
    newer_href: str


def history_screen(
    runbook_id: str, versions: Sequence[Version], stored: StoredDocument | None, *, urls: Urls, now: datetime
) -> HistoryScreen:
    """`versions` newest first; `stored` is None for a retired runbook."""
    latest = versions[0].number
    return HistoryScreen(
        id=runbook_id,
        title=stored.document.runbooks[0].title if stored else runbook_id,
        versions=tuple(_row(runbook_id, version, latest, urls, now) for version in versions),
        etag=stored.etag if stored else "",
        digest=stored.document.sha256 if stored else "",
        state=stored.state.value if stored else ReviewState.RETIRED.value,
        is_retired=stored is None,
    )


def _row(runbook_id: str, version: Version, latest: int, urls: Urls, now: datetime) -> VersionRow:
    number = version.number

    def compare(old: int, new: int) -> str:
        return urls.act(runbook_id, "diff", **{"from": str(old), "to": str(new)})

    return VersionRow(
        number=number,
        author=version.author,
        how=_FACES[version.face],
        when=version.created_at.strftime("%Y-%m-%d %H:%M UTC"),
        ago=ago(version.created_at, now),
        state=version.state.value,
        note=version.note,
        size=size_in_words(version.size_bytes),
        is_current=number == latest,
        changes_href=compare(number - 1, number) if number > 1 else "",
        since_href=compare(number, latest) if number not in (latest, latest - 1) else "",
    )


def diff_screen(
    runbook_id: str, title: str, old: int, new: int, latest: int, diff: Diff, *, is_split: bool, urls: Urls
) -> DiffScreen:
    """The page of `diff` from version `old` to `new` of `latest`."""

    def at(first: int, second: int, split: bool) -> str:
        return urls.act(runbook_id, "diff", **{"from": str(first), "to": str(second), "view": "split" if split else ""})

    return DiffScreen(
        id=runbook_id,
        title=title,
        old=old,
        new=new,
        latest=latest,
        diff=diff,
        is_split=is_split,
        other_layout_href=at(old, new, not is_split),
        older_href=at(old - 1, old, is_split) if old > 1 else "",
        newer_href=at(new, new + 1, is_split) if new < latest else "",
    )
