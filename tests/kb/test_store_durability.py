"""What a write costs in syncs, in which order they come, and what a disk that fails one of them does: seen from
outside, by strace."""

import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kb.audit import AuditLog
from kb.database import open_database, sqlite_url
from kb.principal import DISK
from kb.sql_runbook_store import SqlRunbookStore
from tests.kb.light_parse import parse_lightly

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed"),
]


def run(repository: Path, folder: Path, times: int, *strace: str) -> int:
    return subprocess.run(
        [
            "strace",
            "-f",
            "--seccomp-bpf",
            "-qq",
            *strace,
            sys.executable,
            repository / "tests/kb/durable_child.py",
            folder,
            str(times),
        ],
        env={"PYTHONPATH": str(repository), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        timeout=120,
        check=False,
    ).returncode


@pytest.fixture
def ground(tmp_path: Path) -> Path:
    (tmp_path / "runbooks").mkdir()
    return tmp_path


def test_every_acknowledged_write_is_on_stable_storage_before_its_answer(repository: Path, ground: Path) -> None:
    trace = ground / "trace"
    assert run(repository, ground, 20, "-y", "-o", str(trace), "-e", "trace=fsync,fdatasync,renameat2,write") == 0
    calls = re.findall(r"(fsync|fdatasync|renameat2|write)\(([^\n]*)", trace.read_text())
    steps: list[str] = []
    for call, arguments in calls:
        if call == "write" and "acks>" in arguments:
            steps.append("answer")
        elif call == "renameat2":
            steps.append("exchange")
        elif call in ("fsync", "fdatasync"):
            place = "records" if "kb.sqlite-wal>" in arguments else "folder" if "static>" in arguments else "file"
            steps.append(f"sync {place}")
    told = " ".join(steps).split("answer")[1:-1]
    assert len(told) == 20
    wanted = "sync records sync file exchange sync folder sync records"
    plain = [part for part in told if part.split() == wanted.split()]
    assert len(plain) >= 18, told[:3]  # SQLite folds its log into the database now and then, with syncs of its own
    for part in told:
        assert part.split()[-1] == "sync records" or part.strip().endswith("sync records")
        assert "sync file exchange sync folder" in part


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "error", "moments"),
    [
        ("fdatasync", "EIO", range(1, 7)),
        ("fsync", "EIO", range(1, 7)),
        ("pwrite64", "ENOSPC", range(8, 38, 5)),  # the first few are made while the database is opened
        ("renameat2", "EIO", range(1, 4)),
    ],
)
def test_a_call_that_fails_is_never_answered_as_done_and_loses_nothing(
    repository: Path, ground: Path, call: str, error: str, moments: range
) -> None:
    run(repository, ground, 1, "-o", "/dev/null")
    refused = acknowledged = 0
    for nth in moments:
        inject = f"inject={call}:error={error}:when={nth}"
        run(repository, ground, 3, "-o", "/dev/null", "-e", f"trace={call}", "-e", inject)
        answers = (ground / "acks").read_text().split("\n")
        refused = sum(line.startswith("refused") for line in answers)
        acknowledged = max((int(line.split()[1]) for line in answers if line.startswith("acknowledged")), default=1)
        database = open_database(sqlite_url(ground / "data" / "kb.sqlite"))
        store = SqlRunbookStore(
            database,
            ground / "runbooks",
            parse=parse_lightly,
            now=lambda: datetime.now(UTC),
            new_id=lambda: "x",
            redact=str,
            settle_s=0,
        )
        store.sync(DISK)
        history = list(reversed(store.versions("a")))
        assert [version.number for version in history] == list(range(1, len(history) + 1))
        assert history[-1].number >= acknowledged
        assert {version.author for version in history} == {"local"}
        assert store.version_text("a", history[-1].number) == (ground / "runbooks/static/a.md").read_bytes()
        assert list((ground / "runbooks").rglob(".sre-kb-*")) == []
        assert AuditLog(database, now=lambda: datetime.now(UTC), redact=str).verify().first_bad_seq is None
        database.close()
    assert refused >= 3, "the failures were meant to meet the writes"
    assert acknowledged >= 3
