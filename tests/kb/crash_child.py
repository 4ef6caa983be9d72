"""Writes through a store until it is killed, again and again: run as a process of its own by `test_store_crash.py`.

    crash_child.py FOLDER KILLS SEED          kills writers at random moments
    crash_child.py FOLDER failpoints ACT      kills one writer before each step of an act

Modules are imported once; every writer is a fork. Whatever a writer got an answer for is in `FOLDER/acks` before its
next act. After each kill everything that all writers were told is checked; exits with 1 and a reason when it is wrong.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import count, pairwise
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Engine

from kb.audit import AuditLog
from kb.database import Database, open_database, sqlite_url
from kb.principal import DISK, Face, Principal, Role
from kb.runbook import RunbookType
from kb.runbook_store import NewRunbook
from kb.sql_runbook_store import SqlRunbookStore
from tests.kb.light_parse import parse_lightly

ANNA = Principal("anna", Role.ADMIN, Face.WEB)
RUNBOOKS = 6
WRITERS = 2


def opened(folder: Path, name: str) -> tuple[Database, SqlRunbookStore]:
    numbers = count(1)
    database = open_database(sqlite_url(folder / "data" / "kb.sqlite"))
    store = SqlRunbookStore(
        database,
        folder / "runbooks",
        parse=parse_lightly,
        now=lambda: datetime.now(UTC),
        new_id=lambda: f"{name}x{os.getpid()}x{next(numbers)}",
        redact=str,
        scan_cache=folder / "data" / "scan.json",
        settle_s=0,
    )
    return database, store


def write_until_killed(folder: Path, number: int, seed: int) -> None:
    """Acts on the runbooks that are this writer's own, so that it knows what comes next."""
    _, store = opened(folder, f"w{seed}")
    store.sync(DISK)
    rng = random.Random(seed)
    acks = os.open(folder / "acks", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    mine = [f"runbook-{n}" for n in range(RUNBOOKS) if n % WRITERS == number]
    for step in count(1):
        name = rng.choice(mine)
        raw = f"# {name}\n\nstep {seed}.{number}.{step} {'x' * rng.randrange(3000)}\n".encode()
        live = {stored.document.id: stored for stored in store.documents()}
        if name not in live:
            stored = store.create(NewRunbook(name, RunbookType.STATIC, raw), ANNA)
            line = ["put", name, stored.version, stored.document.sha256]
        elif rng.random() < 0.15:
            store.delete(name, ANNA, if_match=live[name].etag)
            line = ["gone", name, live[name].version + 1, live[name].document.sha256]
        else:
            stored = store.update(name, raw, ANNA, if_match=live[name].etag)
            line = ["put", name, stored.version, stored.document.sha256]
        os.write(acks, (json.dumps(line) + "\n").encode())


def faults(folder: Path, kills: int) -> list[str]:
    """What is wrong after a sync; nothing, when the promises hold."""
    database, store = opened(folder, f"c{kills}")
    report = store.sync(DISK)
    wrong = [f"problem: {problem.code} {problem.path}" for problem in report.problems]
    acks_file = folder / "acks"
    acks = [json.loads(line) for line in acks_file.read_text().splitlines()] if acks_file.exists() else []
    wrong += [str(path) for path in (folder / "runbooks").rglob(".sre-kb-*")]
    live = {stored.document.id: stored for stored in store.documents()}
    on_disk = {path.stem: path.read_bytes() for path in (folder / "runbooks").rglob("*.md")}
    if on_disk.keys() != live.keys():
        wrong.append(f"files {sorted(on_disk)} but live {sorted(live)}")
    histories = {name: list(reversed(store.versions(name))) for name in {*live, *(ack[1] for ack in acks)}}
    versions = sum(len(history) for history in histories.values())
    for name, history in histories.items():
        numbers = [version.number for version in history]
        if numbers != list(range(1, len(history) + 1)):
            wrong.append(f"{name}: versions {numbers}")
        steps = [(version.state.value == "retired", version.sha256) for version in history]
        if any(one == other for one, other in pairwise(steps)):
            wrong.append(f"{name}: a version is doubled")
        wrong += [f"{name}: version {v.number} by {v.author}" for v in history if v.author != "anna"]
        if name in live and store.version_text(name, history[-1].number) != on_disk.get(name):
            wrong.append(f"{name}: the file is not the last version")
    for act, name, number, sha256 in acks:
        told = histories[name][number - 1] if number <= len(histories[name]) else None
        if told is None or told.sha256 != sha256 or (told.state.value == "retired") != (act == "gone"):
            wrong.append(f"lost: {act} {name} version {number} is {told}")
    if versions > len(acks) + kills * WRITERS:
        wrong.append(f"{versions} versions after {len(acks)} answers and {kills} kills")
    verdict = AuditLog(database, now=lambda: datetime.now(UTC), redact=str).verify()
    if verdict.first_bad_seq is not None:
        wrong.append(f"audit: {verdict}")
    database.close()
    return wrong


def forked(act: Callable[[], object]) -> int:
    """A child that does `act` and ends without any cleaning up; its process id."""
    child = os.fork()
    if child == 0:
        try:
            act()
            os._exit(0)
        except BaseException as error:  # noqa: BLE001 - the child must never go on as the parent
            print(f"{type(error).__name__}: {error}", flush=True)  # noqa: T201 - read by the test
            os._exit(1)
    return child


def checked(folder: Path, kills: int) -> None:
    """Check in a child, so that this process never has the database open when it forks."""

    def check() -> None:
        wrong = faults(folder, kills)
        if wrong:
            raise AssertionError(wrong[:5])

    if os.waitpid(forked(check), 0)[1] != 0:
        sys.exit(f"after {kills} kills")


def kill_at_random(folder: Path, kills: int, seed: int) -> None:
    rng = random.Random(seed)
    for kill in range(1, kills + 1):
        child_seed = seed * 10_000 + kill
        children = [forked(partial(write_until_killed, folder, number, child_seed)) for number in range(WRITERS)]
        wait_for_answers(folder, rng.randrange(7))
        time.sleep(rng.uniform(0, 0.1))
        for child in children:
            os.kill(child, signal.SIGKILL)
        for child in children:
            ended = os.waitpid(child, 0)[1]
            if not os.WIFSIGNALED(ended):
                sys.exit(f"a writer ended by itself before kill {kill}")
        checked(folder, kill)


def wait_for_answers(folder: Path, more: int) -> None:
    """Until the writers got that many more answers: a busy machine must not make the test an empty one."""
    acks = folder / "acks"
    start, deadline = acks.read_bytes().count(b"\n") if acks.exists() else 0, time.monotonic() + 20
    while more and time.monotonic() < deadline:
        if acks.exists() and acks.read_bytes().count(b"\n") >= start + more:
            return
        time.sleep(0.002)


def act_once(folder: Path, act: str, die: Callable[[], None]) -> None:
    """One act on a store that holds one runbook, with `die` called before every step that a crash may part."""
    _, store = opened(folder, "f")
    stored = store.get("runbook-0")
    for name in ("open", "write", "fsync", "link", "replace", "rename", "unlink", "fchmod", "close"):
        setattr(os, name, _after(die, getattr(os, name)))
    event.listen(Engine, "commit", lambda connection: die())
    event.listen(Engine, "begin", lambda connection: die())
    raw = b"# runbook-0\n\nnew text\n"
    if act == "create":
        store.create(NewRunbook("runbook-1", RunbookType.STATIC, raw), ANNA)
    elif act == "promote":
        store.promote("runbook-0", "static/learned", ANNA, digest=stored.document.sha256)
    elif act == "update":
        store.update("runbook-0", raw, ANNA, if_match=stored.etag)
    else:
        store.delete("runbook-0", ANNA, if_match=stored.etag)
    os.write(os.open(folder / "done", os.O_WRONLY | os.O_CREAT), b"done")


def _after(die: Callable[[], None], call: Callable[..., object]) -> Callable[..., object]:
    def stepped(*args: object, **kwargs: object) -> object:
        die()
        return call(*args, **kwargs)

    return stepped


def kill_at_every_step(folder: Path, act: str) -> None:
    """Kill at step 1 of the act, then at step 2 of the same act on new ground, and so on until the act gets through."""
    start = folder / "start"
    (start / "runbooks").mkdir(parents=True)
    database, store = opened(start, "b")
    kind = RunbookType.DYNAMIC if act == "promote" else RunbookType.STATIC
    first = store.create(NewRunbook("runbook-0", kind, b"# runbook-0\n\nold text\n"), ANNA)
    (start / "acks").write_text(json.dumps(["put", "runbook-0", 1, first.document.sha256]) + "\n")
    database.close()
    for step in count(1):
        ground = folder / f"{act}{step}"
        shutil.copytree(start, ground)
        seen = count(1)

        def die(seen: "count[int]" = seen, step: int = step) -> None:
            if next(seen) == step:
                os.kill(os.getpid(), signal.SIGKILL)

        os.waitpid(forked(lambda ground=ground, die=die: act_once(ground, act, die)), 0)
        checked(ground, 1)
        if (ground / "done").exists():
            print(f"{step - 1} steps", flush=True)  # noqa: T201 - read by the test
            return


def warm_up(folder: Path) -> None:
    """Import everything that the first use imports, so that no fork has to."""
    (folder / "warm" / "runbooks").mkdir(parents=True)
    database, store = opened(folder / "warm", "warm")
    store.sync(DISK)
    database.close()


def main(arguments: Sequence[str]) -> None:
    folder = Path(arguments[0])
    warm_up(folder)
    if arguments[1] == "failpoints":
        kill_at_every_step(folder, arguments[2])
    else:
        (folder / "runbooks").mkdir()
        kill_at_random(folder, int(arguments[1]), int(arguments[2]))


if __name__ == "__main__":
    main(sys.argv[1:])
