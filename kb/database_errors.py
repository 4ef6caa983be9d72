"""What database drivers raise, told in our own errors: once, for SQLite and PostgreSQL alike."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from kb.errors import DatabaseCorrupt, StorageFull, StorageUnavailable

_FREE_SPACE = "Free some space on the disk that holds the data folder and try again; no restart is needed."
_PUT_BACKUP = "Stop every sre-kb that uses it and put a backup in its place; runbook files are not affected."

# Primary result codes of SQLite (https://sqlite.org/rescode.html): the low byte of an extended code.
_BUSY, _LOCKED, _READONLY, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _NOTADB = 5, 6, 8, 10, 11, 13, 14, 26
# SQLSTATE codes of PostgreSQL.
_PG_DISK_FULL, _PG_READ_ONLY, _PG_LOCK_TIMEOUT, _PG_DATA_CORRUPTED = "53100", "25006", "55P03", "XX001"


@contextmanager
def translated(database: str) -> Iterator[None]:
    """Raise `StorageUnavailable` or one of its kinds for what goes wrong inside with the database itself.

    A broken constraint or statement is our own mistake and passes as it is.
    """
    try:
        yield
    except exc.TimeoutError as error:
        raise StorageUnavailable(f"{database}: no free connection.", advice="Try again in a moment.") from error
    except (exc.IntegrityError, exc.ProgrammingError, exc.DataError):
        raise
    except exc.DBAPIError as error:
        raise _our_error(error, database) from error


def _our_error(error: exc.DBAPIError, database: str) -> StorageUnavailable:
    what = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
    code = getattr(error.orig, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    state = getattr(error.orig, "sqlstate", None)
    if primary == _FULL or state == _PG_DISK_FULL:
        return StorageFull(f"No room left for {database}: {what}.", advice=_FREE_SPACE)
    if primary in (_CORRUPT, _NOTADB) or state == _PG_DATA_CORRUPTED:
        return DatabaseCorrupt(f"The database {database} is damaged: {what}.", advice=_PUT_BACKUP)
    if primary in (_BUSY, _LOCKED) or state == _PG_LOCK_TIMEOUT:
        return StorageUnavailable(f"The database {database} is busy: {what}.", advice="Try again in a moment.")
    if primary in (_READONLY, _CANTOPEN) or state == _PG_READ_ONLY:
        return StorageUnavailable(
            f"The database {database} takes no writes: {what}.", advice="Make the data folder writable and try again."
        )
    if primary == _IOERR:
        return StorageUnavailable(
            f"The disk under {database} failed: {what}.",
            advice="Look at the disk's health and free space, then try again.",
        )
    return StorageUnavailable(
        f"The database {database} does not answer: {what}.", advice="Check that it runs and that its URL is right."
    )
