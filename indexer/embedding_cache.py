"""Vectors of texts that were embedded before, in an SQLite file of their own, so that unchanged text is never embedded
twice and an interrupted first index goes on where it stopped. Losing the file costs time and nothing else."""

import hashlib
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from indexer.embed import Embedder, Progress, Vector, Vectors

Warn = Callable[[str], None]

_SCHEMA_VERSION = 1
_SCHEMA = """
create table if not exists embedding (
    key blob primary key,       -- SHA-256 of model id and text
    vector blob not null,       -- float32
    seal blob not null,         -- digest of key and vector: SQLite does not notice a changed byte inside a row
    used integer not null       -- the run that last asked for it; orders pruning without a clock
);
create index if not exists embedding_used on embedding (used);
"""
_SLICE = 128  # texts between two commits: what a kill can cost, about 4 s of embedding
_LOOKUP = 400  # keys in one query; SQLite takes 32,766 at most
_BUSY_S = 5.0
_NOT_DAMAGE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
    }
)
MIN_ROWS_KEPT = 50_000  # 80 MB


class EmbeddingCache:
    """Safe for many threads, and for many processes on one file. Damage and a full disk never reach the caller: the
    file is made anew or left alone, `warn` is told, and texts are embedded."""

    def __init__(self, path: Path, *, warn: Warn) -> None:
        self._path = path
        self._warn = warn
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._run = 0
        self._is_unusable = False

    def embed(self, embedder: Embedder, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """As `embedder.embed_passages`, for the price of the texts that were never embedded with this model."""
        keys = [_key(embedder.model_id, text) for text in texts]
        vectors = np.empty((len(texts), embedder.dimension), dtype=np.float32)
        known = self._find(keys, embedder.dimension)
        rows_of: dict[bytes, list[int]] = {}
        for row, key in enumerate(keys):
            if key in known:
                vectors[row] = known[key]
            else:
                rows_of.setdefault(key, []).append(row)
        missing = list(rows_of.items())
        done = len(texts) - sum(len(rows) for _, rows in missing)
        _report(progress, done, len(texts))
        for start in range(0, len(missing), _SLICE):
            part = missing[start : start + _SLICE]
            fresh = embedder.embed_passages([texts[rows[0]] for _, rows in part])
            self._store([key for key, _ in part], fresh)
            for (_, rows), vector in zip(part, fresh, strict=True):
                vectors[rows] = vector
                done += len(rows)
            _report(progress, done, len(texts))
        return vectors

    def count_missing(self, embedder: Embedder, texts: Sequence[str]) -> int:
        """How many different texts `embed` would have to embed."""
        keys = {_key(embedder.model_id, text) for text in texts}
        return len(keys) - len(self._find(list(keys), embedder.dimension))

    def prune(self, *, live: int) -> int:
        """Forget what was not asked for longest, so that at most four times the `live` rows stay (and never fewer than
        MIN_ROWS_KEPT); returns how many went. Texts that come back after a revert are still known."""
        removed = 0
        with self._transaction() as connection:
            if connection is not None:
                [(count,)] = connection.execute("select count(*) from embedding")
                surplus = count - max(4 * live, MIN_ROWS_KEPT)
                if surplus > 0:
                    removed = connection.execute(
                        "delete from embedding where key in (select key from embedding order by used, key limit ?)",
                        (surplus,),
                    ).rowcount
        return removed

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            self._close()

    def _find(self, keys: Sequence[bytes], dimension: int) -> dict[bytes, Vector]:
        found: dict[bytes, Vector] = {}
        wanted = list(dict.fromkeys(keys))
        with self._transaction() as connection:
            if connection is None:
                return found
            stale: list[bytes] = []
            for start in range(0, len(wanted), _LOOKUP):
                part = wanted[start : start + _LOOKUP]
                marks = ",".join("?" * len(part))
                rows = connection.execute(
                    f"select key, vector, seal, used from embedding where key in ({marks})",  # noqa: S608 -- only marks
                    part,
                )
                for key, vector, seal, used in rows:
                    if len(vector) == 4 * dimension and seal == _seal(key, vector):
                        found[key] = np.frombuffer(vector, dtype="<f4")
                        if used != self._run:
                            stale.append(key)
            connection.executemany("update embedding set used = ? where key = ?", ((self._run, key) for key in stale))
        return found

    def _store(self, keys: Sequence[bytes], vectors: Vectors) -> None:
        blobs = [np.ascontiguousarray(vector, dtype="<f4").tobytes() for vector in vectors]
        with self._transaction() as connection:
            if connection is not None:
                connection.executemany(
                    "insert or replace into embedding (key, vector, seal, used) values (?, ?, ?, ?)",
                    [(key, blob, _seal(key, blob), self._run) for key, blob in zip(keys, blobs, strict=True)],
                )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection | None]:
        """A connection inside a transaction, or None when the cache cannot be used; what fails inside is undone."""
        with self._lock:
            connection = self._begin()
            if connection is None:
                yield None
                return
            try:
                yield connection
                connection.execute("commit")
            except sqlite3.Error as exc:
                self._give_up(exc)
            finally:
                if self._connection is not None and self._connection.in_transaction:
                    self._connection.rollback()

    def _begin(self) -> sqlite3.Connection | None:
        if self._is_unusable:
            return None
        try:
            connection = self._open()
            connection.execute("begin immediate")
        except sqlite3.Error as exc:
            self._give_up(exc)
            return None
        return connection

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None:
            return self._connection
        connection = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(connection)
        except sqlite3.Error:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = normal")  # a lost commit is embedded again
        [(version,)] = connection.execute("pragma user_version")
        if version not in (0, _SCHEMA_VERSION):
            raise sqlite3.DatabaseError(f"it was written by another release (schema {version})")
        connection.executescript(_SCHEMA)
        connection.execute(f"pragma user_version = {_SCHEMA_VERSION}")
        [(last,)] = connection.execute("select coalesce(max(used), 0) from embedding")
        self._run = last + 1

    def _give_up(self, exc: sqlite3.Error) -> None:
        """After an error: a damaged file is removed, so that the next use starts a new one; a file that is locked, full
        or read-only is left as it is and not used again in this process."""
        self._close()
        if not _is_damage(exc):
            self._warn(f"The embedding cache {self._path} is not used: {exc}. Texts are embedded every time.")
            self._is_unusable = True
            return
        self._warn(f"The embedding cache {self._path} was damaged ({exc}) and is made anew.")
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _is_damage(exc: sqlite3.Error) -> bool:
    code = getattr(exc, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    return code == sqlite3.SQLITE_IOERR_SHORT_READ or code & 0xFF not in _NOT_DAMAGE


def _key(model_id: str, text: str) -> bytes:
    return hashlib.sha256(f"{model_id}\0{text}".encode("utf-8", "surrogatepass")).digest()


def _seal(key: bytes, vector: bytes) -> bytes:
    return hashlib.blake2b(key + vector, digest_size=8).digest()


def _report(progress: Progress | None, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total)
