"""What several benchmarks share: a folder of Markdown as an open store and index, timing, this process's memory."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

from indexer.embed import Embedder
from indexer.embedding_cache import EmbeddingCache
from indexer.sync import Index
from kb.database import open_database, sqlite_url
from kb.markdown import parse_document
from kb.redact import redact
from kb.runbook import Document
from kb.sql_runbook_store import SqlRunbookStore

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Opened:
    """A store and an index over one folder, joined as the product joins them."""

    store: SqlRunbookStore
    index: Index


@contextmanager
def opened(runbooks: Path, data: Path, embedder: Embedder) -> Iterator[Opened]:
    """Store and index over `runbooks`, with everything derived in `data`; closed at the end."""
    data.mkdir(parents=True, exist_ok=True)
    database = open_database(sqlite_url(data / "sre-kb.db"))
    store = SqlRunbookStore(
        database,
        runbooks,
        parse=_parse,
        now=lambda: datetime.now(UTC),
        new_id=lambda: secrets.token_hex(16),
        redact=redact,
        scan_cache=data / "scan-cache.json",
    )
    index = Index(data / "index", embedder, EmbeddingCache(data / "embeddings.db", warn=print), warn=print)
    try:
        yield Opened(store, index)
    finally:
        index.close()
        database.close()


def timed(act: Callable[[], T]) -> tuple[T, float]:
    """What `act` returns, and its wall time in seconds."""
    started = time.perf_counter()
    found = act()
    return found, time.perf_counter() - started


def cpu_timed(act: Callable[[], T]) -> tuple[T, float]:
    """What `act` returns, and the CPU time of this process in seconds: what a busy machine does not change much."""
    started = time.process_time()
    found = act()
    return found, time.process_time() - started


def memory_mb() -> tuple[float, float]:
    """Resident memory of this process now and at its peak, in MB (Linux)."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return tuple(round(int(fields[name].split()[0]) / 1024, 1) for name in ("VmRSS", "VmHWM"))  # type: ignore[return-value] # two names


def _parse(raw: bytes, *, path: str, modified: date | None = None) -> Document:
    return parse_document(raw, path=path, modified=modified)
