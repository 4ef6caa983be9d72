"""Incidents learnt under keys by several processes over one database, killed and sent again: run as a process of its
own by `test_learner_crash.py`.

    learner_crash_child.py FOLDER KILLS SEED

Every writer is a process with a learner of its own. It sends requests 1, 2, 3 … and notes each answer before the next;
after a kill it begins with the first that has no answer. Now and then it groups everything anew. What a request tells
differs each time it is sent, so what is done twice shows. Exits with 1 and a reason when a promise broke.
"""

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path

from sqlalchemy import func, select

from kb.incident import ActionTaken, Incident, Resolution
from kb.incident_records import StoredIncident
from kb.pattern_records import resolve
from kb.principal import Principal
from kb.record_tables import answers, assignments, incidents
from learner.assign import MIN_PATTERN_INCIDENTS
from learner.learner import Learned, Learner
from tests.kb.crash_child import forked
from tests.kb.record_crash_child import ANNA, answered, deep_faults, now, opened, request_of
from tests.learner.learner_contract import DIMENSION, embed_terms

WRITERS = 2
KILLS_A_DATABASE = 40
"""Then a new one is begun: each writer takes in all of it when it starts."""

FULL_CHECK_EVERY = 8
TITLES = (
    "Orders broker queue backlog keeps growing",
    "Ingress certificate for login expires soon",
    "Windows volume nearly full on archive",
    "Orders broker queue is growing",
    "Login certificate expires",
)


def learner_over(folder: Path) -> Learner:
    _, store = opened(folder)
    learner = Learner(store, embed_terms, dimension=DIMENSION, now=now)
    learner.open()
    return learner


def told(writer: int, number: int) -> Incident:
    """What a request tells; never twice the same."""
    at = now()
    return Incident(
        id="",
        title=TITLES[(number * 7 + writer) % len(TITLES)],
        description=f"request w{writer}n{number} sent by {os.getpid()} at {time.monotonic_ns()}",
        started_at=at - timedelta(minutes=10),
        recorded_at=at,
        reported_by="",
        duration_s=60.0,
        metadata={"request": f"w{writer} n{number}"},
        resolution=Resolution(actions=(ActionTaken("Restart it"),), success=number % 3 > 0),
    )


def answer(learned: Learned) -> object:
    return {"id": learned.stored.incident.id, "pattern": learned.pattern_id}


def send(folder: Path, writer: int, last: int | None) -> None:
    """Send from the first unanswered request on, up to `last` or for ever."""
    learner = learner_over(folder)
    (folder / f"ready-{writer}").touch()
    acks = os.open(folder / f"acks-{writer}", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    who: Principal = ANNA
    for number in count(len(answered(folder, writer)) + 1):
        if last is not None and number > last:
            return
        reply = learner.learn_once(told(writer, number), who, request_of(writer, number), answer)
        os.write(acks, (json.dumps(reply.answer) + "\n").encode())
        learner.recluster_if_due()


def faults(folder: Path, *, full: bool, all_answered: bool) -> list[str]:
    """What is wrong now; nothing, when the promises hold."""
    database, store = opened(folder)
    wrong = []
    with database.read() as connection:
        tables = (incidents, assignments, answers)
        counts = {t.name: connection.execute(select(func.count()).select_from(t)).scalar_one() for t in tables}
    if len(set(counts.values())) != 1:
        wrong.append(f"half a change: {counts}")
    with store.read() as view:
        kept = [one.stored for one in view.incidents.learnt(limit=10**9)]
        sizes = view.patterns.sizes()
        forwards = {one.id: one.forwards_to for one in view.patterns.all() if one.forwards_to is not None}
    if sizes != Counter(stored.pattern_id for stored in kept):
        wrong.append("sizes differ from a recount")
    wrong += [f"{one} leads nowhere" for one in forwards if resolve(one, forwards) not in sizes]
    wrong += broken_promises(folder, kept, all_answered)
    if full:
        wrong += [*deep_faults(database), *wrong_statistics(folder, kept)]
    database.close()
    return wrong


def broken_promises(folder: Path, kept: Sequence[StoredIncident], all_answered: bool) -> list[str]:
    """Every answer that was given still holds, and nothing was done twice."""
    done = Counter(str(stored.incident.metadata["request"]) for stored in kept)
    ids = {str(stored.incident.metadata["request"]): stored.incident.id for stored in kept}
    arrivals = {stored.incident.id: stored.arrival_pattern_id for stored in kept}
    wrong = [f"{request} was done {times} times" for request, times in done.items() if times > 1]
    acks = {f"w{writer} n{at}": ack for writer in range(WRITERS) for at, ack in enumerate(answered(folder, writer), 1)}
    for request, ack in acks.items():
        if ids.get(request) != ack["id"] or arrivals[ack["id"]] != ack["pattern"]:
            wrong.append(f"lost: {request}")
    if not 0 <= len(kept) - len(acks) <= (0 if all_answered else WRITERS):
        wrong.append(f"{len(kept)} done, {len(acks)} answered")
    return wrong


def wrong_statistics(folder: Path, kept: Sequence[StoredIncident]) -> list[str]:
    """A learner that is opened now counts what the records hold."""
    learner = learner_over(folder)
    frequent = {key: n for key, n in Counter(s.pattern_id for s in kept).items() if n >= MIN_PATTERN_INCIDENTS}
    found = learner.patterns()
    wrong = [] if {one.id: one.frequency for one in found} == frequent else ["patterns differ from a recount"]
    for pattern in found:
        mine = [stored.incident for stored in kept if stored.pattern_id == pattern.id]
        worked = sum(1 for one in mine if one.resolution is not None and one.resolution.success)
        if (pattern.success.successes, pattern.success.trials) != (worked, len(mine)):
            wrong.append(f"{pattern.id} counts {pattern.success}, but {worked} of {len(mine)}")
    tried = sum(stats.tried for stats in learner.effectiveness())
    return wrong if tried == len(kept) else [*wrong, f"{tried} actions in {len(kept)} incidents"]


def checked(folder: Path, kills: int, *, full: bool, all_answered: bool = False) -> None:
    """Check in a child, so that this process never has the database open when it forks."""

    def check() -> None:
        wrong = faults(folder, full=full, all_answered=all_answered)
        if wrong:
            raise AssertionError(wrong[:5])

    if os.waitpid(forked(check), 0)[1] != 0:
        sys.exit(f"after {kills} kills")


def wait_until_ready(folder: Path) -> None:
    deadline = time.monotonic() + 60
    while not all((folder / f"ready-{writer}").exists() for writer in range(WRITERS)):
        if time.monotonic() > deadline:
            sys.exit("the writers do not get ready")
        time.sleep(0.005)


def torment(folder: Path, kills: int, rng: random.Random) -> int:
    """Kill so many times, then let every request be answered; how many there were."""
    opened(folder)[0].close()
    for kill in range(1, kills + 1):
        for writer in range(WRITERS):
            (folder / f"ready-{writer}").unlink(missing_ok=True)
        children = [forked(partial(send, folder, writer, None)) for writer in range(WRITERS)]
        if rng.random() < 0.9:
            wait_until_ready(folder)
        time.sleep(rng.uniform(0.01, 0.25))
        for child in children:
            os.kill(child, signal.SIGKILL)
        for child in children:
            if not os.WIFSIGNALED(os.waitpid(child, 0)[1]):
                sys.exit(f"a writer ended by itself before kill {kill}")
        checked(folder, kill, full=kill % FULL_CHECK_EVERY == 0)
    last = max(len(answered(folder, writer)) for writer in range(WRITERS)) + 1
    for writer in range(WRITERS):
        if os.waitpid(forked(partial(send, folder, writer, last)), 0)[1] != 0:
            sys.exit("a writer failed at the end")
    checked(folder, kills, full=True, all_answered=True)
    return WRITERS * last


def main(arguments: Sequence[str]) -> None:
    place, kills, seed = Path(arguments[0]), int(arguments[1]), int(arguments[2])
    rng = random.Random(seed)
    requests = 0
    for start in range(0, kills, KILLS_A_DATABASE):
        folder = place / f"after-{start}"
        folder.mkdir()
        requests += torment(folder, min(KILLS_A_DATABASE, kills - start), rng)
    print(f"{requests} requests", flush=True)  # noqa: T201 - read by the test


if __name__ == "__main__":
    main(sys.argv[1:])
