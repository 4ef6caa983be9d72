"""The steps of one sync that are recorded in one transaction: what a file's addition, edit, move or removal means, by
whom it was, and what to do when another process was faster."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime

from kb.document_rows import DocumentRow, Intent
from kb.folder_scan import FileStamp
from kb.principal import DISK, Principal
from kb.review import Judge, seen_on_disk, written_by
from kb.runbook_records import Authorship, Records, Text
from kb.sync_plan import Move


@dataclass(frozen=True, slots=True)
class FoundText:
    """What a file says, and when it was written by its own time stamp (aware, UTC)."""

    text: Text
    written_at: datetime


class SyncBatch:
    """The steps of one transaction. Each gives the id of the document it touched, or nothing when another process has
    done it, or something else, meanwhile."""

    def __init__(
        self,
        records: Records,
        principal: Principal,
        trusted: Set[str],
        known: Mapping[str, str],
        found: Mapping[str, FoundText],
    ) -> None:
        self._records = records
        self._principal = principal
        self._trusted = trusted
        self._known = known
        self._found = found
        self._intents = {(item.action, item.path, item.sha256): item for item in reversed(records.intents())}
        self._used: list[str] = []
        records.names.expect(entry.id for item in found.values() for entry in item.text.parsed.runbooks)

    def release_ids(self, paths: Sequence[str]) -> None:
        """Documents whose texts name new ids let go of the old ones first, so that two may exchange theirs."""
        for path in paths:
            row, found = self._edited(path)
            if row and found and found.text.parsed.id != row.natural_id:
                self._records.release_id(row)

    def remove(self, path: str) -> list[str]:
        row = self._records.live_at(path)
        if row is None or row.sha256 != self._known[path]:
            return []
        intent = self._intent("delete", path, row.sha256)
        self._records.retire(row, self._by(intent, None), forget_publishing=intent is not None)
        return [row.id]

    def move(self, move: Move) -> list[str]:
        row, found = self._records.live_at(move.old_path), self._found.get(move.new_path)
        if row is None or found is None or row.sha256 != found.text.parsed.sha256:
            return []
        if self._records.live_at(move.new_path):
            return []
        return [self._records.move(row, found.text.parsed, self._by(None, found.written_at)).id]

    def edit(self, path: str) -> list[str]:
        row, found = self._edited(path)
        if row is None or found is None:
            return []
        intent = self._intent("write", path, found.text.parsed.sha256)
        by, judge = self._by(intent, found.written_at), self._judge(intent)
        wanted = found.text.parsed.id
        owner = self._records.names.owner(wanted) if wanted != row.natural_id else None
        if owner and owner.kind == "document" and not owner.live:
            # The author has put a runbook that went away in the place of this one.
            self._records.retire(row, by, forget_publishing=False)
            return [self._records.add(found.text, by, judge).id]
        return [self._records.edit(row, found.text, by, judge).id]

    def add(self, path: str) -> list[str]:
        found = self._found.get(path)
        if found is None or self._records.live_at(path):
            return []
        intent = self._intent("write", path, found.text.parsed.sha256)
        return [self._records.add(found.text, self._by(intent, found.written_at), self._judge(intent)).id]

    def finish(self) -> None:
        self._records.drop_intents(self._used)
        self._records.flush()

    def _edited(self, path: str) -> tuple[DocumentRow | None, FoundText | None]:
        row, found = self._records.live_at(path), self._found.get(path)
        if row is None or found is None or row.sha256 != self._known[path] or row.sha256 == found.text.parsed.sha256:
            return None, None
        return row, found

    def _intent(self, action: str, path: str, sha256: str) -> Intent | None:
        intent = self._intents.get((action, path, sha256))
        if intent is not None:
            self._used.append(intent.id)
        return intent

    def _by(self, intent: Intent | None, written_at: datetime | None) -> Authorship:
        if intent is not None:
            return Authorship(intent.principal, self._principal, intent.recorded_at, intent.note)
        return Authorship(DISK, self._principal, written_at or self._records.recorded_at)

    def _judge(self, intent: Intent | None) -> Judge:
        if intent is None:
            return lambda path, sha256, before: seen_on_disk(path, sha256, before, self._trusted)
        principal = intent.principal
        return lambda path, sha256, before: written_by(principal, path, sha256, before)


def event_time_of(stamp: FileStamp, now: datetime) -> datetime:
    """When a file was written, by its own time stamp; never later than `now`, nor before 1970."""
    seconds = min(max(stamp.mtime_ns / 1e9, 0.0), now.timestamp())
    return datetime.fromtimestamp(seconds, UTC)
