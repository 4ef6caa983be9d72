"""The database of records: how it is opened, checked and spoken to, on SQLite and on PostgreSQL.

Stores ask for `read()` or `write()` and get a SQLAlchemy connection inside one transaction; what the drivers raise
leaves here as one of our errors. What the tables hold is told in `kb.tables`.
"""

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, exc, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from kb.database_errors import translated
from kb.errors import DatabaseCorrupt, DatabaseTooNew, InvalidInput, StorageUnavailable
from kb.tables import SCHEMA_REVISIONS

BUSY_TIMEOUT_S = 5.0  # how long a writer waits for the one before it
_WRITE_LOCK_KEY = 7305811  # any constant: PostgreSQL keeps advisory locks apart by database
_POOL_SIZE, _POOL_OVERFLOW = 8, 40  # a web server's worker threads, each with at most one transaction

_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # NORMAL may lose acknowledged writes when the power goes
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA temp_store=MEMORY",
)


class Database:
    """One database of records, ready for use: its schema is the one in `kb.tables`.

    Safe to share between threads. `read_only` tells that the medium takes no writes; then `write()` always raises.
    """

    def __init__(self, engine: Engine, *, read_only: bool = False, scratch: Path | None = None) -> None:
        self._engine = engine
        self._reader = engine.execution_options(kb_mode="read")
        self._writer = engine.execution_options(kb_mode="write")
        # Writers of this process queue here: SQLite's own queue is a poll with growing pauses, and unfair.
        self._write_turn = threading.Lock()
        self._scratch = scratch
        self.read_only = read_only
        self.name = engine.url.render_as_string(hide_password=True)
        self.is_sqlite = engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the whole database from its first statement to its last."""
        with translated(self.name), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The only write transaction at this moment, in all processes. Commits at the end, rolls back on any error.

        Waits up to `BUSY_TIMEOUT_S` for its turn, then raises `StorageUnavailable`. Not to be nested.
        """
        if self.read_only:
            raise StorageUnavailable(
                f"The database {self.name} is on a read-only medium.",
                advice="Mount the data folder writable, or point SRE_KB_DATA_DIR at a folder that is.",
            )
        if not self._write_turn.acquire(timeout=BUSY_TIMEOUT_S):
            raise StorageUnavailable(
                f"The database {self.name} was busy for {BUSY_TIMEOUT_S:g} s.", advice="Try again in a moment."
            )
        try:
            with translated(self.name), self._writer.begin() as connection:
                yield connection
        finally:
            self._write_turn.release()

    def close(self) -> None:
        """Close every connection; the last one folds SQLite's log into the database file."""
        self._engine.dispose()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)


def open_database(url: str, *, check: bool = True) -> Database:
    """Open the database at `url` (`sqlite:////absolute/path`, `postgresql://...`), creating or migrating it as needed.

    With `check`, an existing SQLite file must pass `PRAGMA quick_check` first. Raises `DatabaseCorrupt`,
    `DatabaseTooNew`, `StorageUnavailable`, or `InvalidInput` for a URL of another kind.
    """
    parsed = _parsed(url)
    database = _open_sqlite(parsed, check=check) if parsed.drivername == "sqlite" else Database(_postgresql(parsed))
    try:
        _ensure_schema(database)
    except BaseException:
        database.close()
        raise
    return database


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file."""
    return URL.create("sqlite", database=str(path.absolute())).render_as_string()


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except exc.ArgumentError as error:
        raise InvalidInput(
            "database_url", "is not a database URL", advice="Write sqlite:////folder/kb.sqlite."
        ) from error
    if parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "sqlite" and parsed.database and parsed.database != ":memory:":
        return parsed
    raise InvalidInput(
        "database_url", f"'{parsed.drivername}' is not supported", advice="Use a SQLite file or PostgreSQL."
    )


def _postgresql(url: URL) -> Engine:
    engine = create_engine(url, pool_size=_POOL_SIZE, max_overflow=_POOL_OVERFLOW, pool_pre_ping=True)

    @event.listens_for(engine, "begin")
    def take_turn(connection: Connection) -> None:
        if connection.get_execution_options().get("kb_mode") == "write":
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_TIMEOUT_S:g}s'")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITE_LOCK_KEY})")
        else:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    return engine


def _open_sqlite(url: URL, *, check: bool) -> Database:
    path = Path(url.database or "")
    if not path.exists():
        _create_private(path)
    elif not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        return _open_read_only(url, path, check=check)
    database = Database(_sqlite(url, _SQLITE_PRAGMAS))
    if check and path.stat().st_size:
        _quick_check(database, path)
    return database


def _create_private(path: Path) -> None:
    """An empty file only its owner may read, in a folder only its owner may enter when it has to be made."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StorageUnavailable(
            f"The database {path} cannot be created: {error.strerror}.",
            advice="Make the data folder writable, or point SRE_KB_DATA_DIR at one that is.",
        ) from error


def _open_read_only(url: URL, path: Path, *, check: bool) -> Database:
    """A database on a medium that takes no writes.

    SQLite needs to write beside a WAL database even to read it, unless told that the file is immutable. That would
    leave out what a crash left in the log, so a private copy is read then.
    """
    scratch: Path | None = None
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        scratch = Path(tempfile.mkdtemp(prefix="sre-kb-"))
        shutil.copy(path, scratch / path.name)
        shutil.copy(log, scratch / log.name)
        engine = _sqlite(url.set(database=str(scratch / path.name)), _SQLITE_PRAGMAS)
    else:
        uri = f"file:{path.absolute().as_posix().replace('?', '%3f').replace('#', '%23')}"
        engine = _sqlite(
            url.set(database=uri).update_query_dict({"mode": "ro", "immutable": "1", "uri": "true"}),
            ("PRAGMA query_only=ON",),
        )
    database = Database(engine, read_only=True, scratch=scratch)
    if check:
        _quick_check(database, path)
    return database


def _sqlite(url: URL, pragmas: tuple[str, ...]) -> Engine:
    engine = create_engine(
        url, pool_size=_POOL_SIZE, max_overflow=_POOL_OVERFLOW, connect_args={"timeout": BUSY_TIMEOUT_S}
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver would begin by itself, deferred, and only before some statements
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine, "begin")
    def take_turn(connection: Connection) -> None:
        # A deferred transaction that turns writer fails at once when another wrote meanwhile, whatever the timeout.
        writes = connection.get_execution_options().get("kb_mode") == "write"
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _quick_check(database: Database, path: Path) -> None:
    with database.read() as connection:
        verdict = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if verdict != "ok":
        database.close()
        raise DatabaseCorrupt(
            f"The database {path} is damaged: {str(verdict)[:200]}.",
            advice="Stop every sre-kb that uses it and put a backup in its place; runbook files are not affected.",
        )


def _ensure_schema(database: Database) -> None:
    with database.read() as connection:
        stored = stored_revision(connection)
    if stored == SCHEMA_REVISIONS[-1]:
        return
    if stored is not None and stored not in SCHEMA_REVISIONS:
        raise DatabaseTooNew(
            f"The database {database.name} has schema {stored}; this release knows up to {SCHEMA_REVISIONS[-1]}.",
            advice="Run the newer release of sre-kb again, or restore a backup from before the upgrade.",
        )
    from kb import migrate  # Alembic costs a third of a second to import and is needed once a release

    with database.write() as connection:
        migrate.upgrade(connection)


def stored_revision(connection: Connection) -> str | None:
    """The schema revision a database says it has; None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
