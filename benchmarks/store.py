"""What the store costs on real files: the first sync of a folder, later ones, writes, questions about changes.

    python -m benchmarks.store [--corpus FOLDER] [--runs 5]

Prints the median wall and processor time of each act in milliseconds; on a busy machine believe the second one.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from kb.audit import AuditLog
from kb.database import Database, open_database, sqlite_url
from kb.markdown import parse_document
from kb.principal import DISK, Face, local
from kb.redact import redact
from kb.sql_runbook_store import SqlRunbookStore


def opened(folder: Path) -> tuple[Database, SqlRunbookStore]:
    database = open_database(sqlite_url(folder / "data" / "kb.sqlite"))
    store = SqlRunbookStore(
        database,
        folder / "runbooks",
        parse=parse_document,
        now=lambda: datetime.now(UTC),
        new_id=lambda: uuid.uuid4().hex,
        redact=redact,
        scan_cache=folder / "data" / "scan.json",
    )
    return database, store


def measured(name: str, act: Callable[[], object], runs: int) -> None:
    """Print the medians of `runs` runs of `act`."""
    wall, cpu = [], []
    for _ in range(runs):
        started, used = time.perf_counter(), time.process_time()
        act()
        wall.append(time.perf_counter() - started)
        cpu.append(time.process_time() - used)
    print(f"| {name:52} | {statistics.median(wall) * 1000:9.1f} | {statistics.median(cpu) * 1000:9.1f} |")


def main() -> None:
    default = Path(os.environ.get("SRE_KB_BENCH_DIR", "../shared/bench")) / "retrieval" / "corpus"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, default=default)
    parser.add_argument("--runs", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(chosen.corpus, folder / "runbooks", copy_function=shutil.copyfile)
        measure(folder, chosen.runs)


def measure(folder: Path, runs: int) -> None:
    files = sum(1 for _ in (folder / "runbooks").rglob("*.md"))
    print(f"| {f'{files} files':52} | wall ms   | cpu ms    |")
    print(f"|{'-' * 54}|-----------|-----------|")
    measured("create and migrate a database", lambda: opened(folder)[0].close(), 1)
    database, store = opened(folder)
    measured("first sync, parsing included", lambda: store.sync(DISK), 1)
    time.sleep(2.1)  # files read within two seconds of their change are read once more
    measured("second sync", lambda: store.sync(DISK), 1)
    measured("sync with nothing changed", lambda: store.sync(DISK), runs)
    revision = store.revision()
    measured("changed_since, in a warm process", lambda: store.changed_since(revision), runs)
    measured("all documents, nothing changed", store.documents, runs)
    measured("revision", store.revision, runs)
    stored = store.documents()[0]
    path, raw = stored.document.path, (folder / "runbooks" / stored.document.path).read_bytes()
    texts = iter(raw + b"\n%d\n" % number for number in range(10 * runs))
    me = local(Face.CLI)
    measured("update through a face", lambda: store.update(stored.document.id, next(texts), me, if_match=None), runs)

    def save_and_refresh() -> None:
        (folder / "runbooks" / path).write_bytes(next(texts))
        store.refresh_paths([path], DISK)

    measured("one file saved on disk (0.1 s of it waiting)", save_and_refresh, runs)
    measured("all documents after one change", store.documents, 1)
    measured("audit verified", lambda: AuditLog(database, now=lambda: datetime.now(UTC), redact=redact).verify(), runs)
    database.close()

    def ask_cold() -> None:
        cold, again = opened(folder)
        again.changed_since(again.revision())
        cold.close()

    measured("open, check and ask what changed, with a new store", ask_cold, runs)


if __name__ == "__main__":
    main()
