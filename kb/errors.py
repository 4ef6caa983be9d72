"""Domain errors any layer may raise. Each says what happened, where, and what to do next; the edge turns them into
HTTP problem documents or exit codes. Nothing here knows about either."""

from collections.abc import Sequence


class KBError(Exception):
    """Root of every error that sre-kb raises on purpose; `advice` is one sentence on what to do next."""

    advice: str = ""

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        if advice:
            self.advice = advice


class InvalidInput(KBError):
    """A value from outside breaks a rule; `field` names the value as the sender knows it."""

    def __init__(self, field: str, reason: str, *, advice: str = "") -> None:
        super().__init__(f"{field}: {reason}", advice=advice)
        self.field = field
        self.reason = reason


class RunbookNotFound(KBError):
    """Nobody has written this runbook, or its file was removed."""

    def __init__(self, runbook_id: str, *, close_matches: Sequence[str] = ()) -> None:
        hint = f"Did you mean {', '.join(close_matches)}?" if close_matches else "List what exists with GET /runbooks."
        super().__init__(f"There is no runbook '{runbook_id}'.", advice=hint)
        self.runbook_id = runbook_id
        self.close_matches = tuple(close_matches)


class VersionNotFound(KBError):
    """The runbook exists, this version of it does not."""

    def __init__(self, runbook_id: str, version: int, *, latest: int) -> None:
        super().__init__(f"Runbook '{runbook_id}' has no version {version}.", advice=f"Versions 1 to {latest} exist.")
        self.runbook_id = runbook_id
        self.version = version
        self.latest = latest


class RunbookExists(KBError):
    """Something of that id or at that path is there already."""

    def __init__(self, runbook_id: str) -> None:
        super().__init__(
            f"A runbook '{runbook_id}' exists already.", advice="Choose another id, or update that one with PUT."
        )
        self.runbook_id = runbook_id


class EditConflict(KBError):
    """Somebody else changed the runbook since the caller read it; nothing was written."""

    def __init__(self, runbook_id: str, *, expected: str, current: str) -> None:
        super().__init__(
            f"Runbook '{runbook_id}' has changed since you read it (you had {expected}, it is now {current}).",
            advice="Read it again, merge your change and send the new ETag in If-Match.",
        )
        self.runbook_id = runbook_id
        self.expected = expected
        self.current = current


class RunbookReadOnly(KBError):
    """This runbook cannot be changed where the caller tried to change it."""


class StorageUnavailable(KBError):
    """The disk or the database refused a read or a write; nothing half-written is left."""


class StorageFull(StorageUnavailable):
    """There is no room left on the disk; nothing half-written is left."""


class DatabaseCorrupt(StorageUnavailable):
    """The database of records fails its own integrity check; it is never served."""


class DatabaseTooNew(StorageUnavailable):
    """A newer release of sre-kb has written this database."""
