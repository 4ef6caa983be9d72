"""What one more incident costs a learner that has many: `python -m benchmarks.learner_latency INCIDENTS.jsonl`.

Learns all but the last of the file into a new SQLite database in a temporary folder, then the last ones one by one
under idempotency keys, each answered with its pattern, in turns with one embedding of the incident's title and
description alone. Prints both times, the one as a multiple of the other, what learning the first ones took, and what
opening the database again takes.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np

from api.imports.incident_fields import Telling
from api.imports.incident_file import IncidentFile, ReadIncident
from benchmarks.learner import Embed, TimedEmbed, load_embedder
from indexer.neighbours import MovingVectors, nearest_rows
from kb.audit import AuditLog
from kb.database import Database, open_database, sqlite_url
from kb.idempotency import keyed_request
from kb.incident import Incident
from kb.outbox import Outbox
from kb.principal import Face, local
from kb.redact import redact
from kb.runbook_records import Journal
from kb.sql_records import SqlRecords
from learner.arrivals import Learned
from learner.learner import Learner

ME = local(Face.CLI)
AT_ONCE = 200


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("incidents", type=Path)
    parser.add_argument("--latest", type=int, default=300, help="how many are learnt one by one")
    parser.add_argument("--models", type=Path, default=Path("build/models"), help="keeps the exported model")
    args = parser.parse_args()
    with args.incidents.open("rb") as file:
        read = IncidentFile(file, Telling("bench", now())).read()
        told = [one.incident for one in read if isinstance(one, ReadIncident)]
    print(measured(told, args.latest, load_embedder(args.models)))
    return 0


def now() -> datetime:
    return datetime.now(UTC)


def measured(told: Sequence[Incident], latest: int, model: Embed, known: TimedEmbed | None = None) -> str:
    """The report. `known` may hold vectors of the texts already."""
    embed = known or TimedEmbed(model)
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(sqlite_url(Path(folder) / "kb.sqlite"))
        learner = opened(database, embed)
        started, embedded = time.process_time(), embed.spent_s
        learn_all(learner, told[:-latest])
        learnt_s = time.process_time() - started - (embed.spent_s - embedded)
        alone, answered = one_by_one(learner, told[-latest:], model)
        started, embedded = time.process_time(), embed.spent_s
        opened(database, embed)
        opening_s = time.process_time() - started - (embed.spent_s - embedded)
        database.close()
    lines = [
        f"incidents kept     {len(told) - latest}",
        f"learning them      {learnt_s:.1f} CPU s besides embedding",
        f"opening again      {opening_s:.1f} CPU s",
        f"slowest            {1e3 * max(answered):.1f} ms",
    ]
    for share in (50, 95):
        one, other = (1e3 * float(np.percentile(times, share)) for times in (alone, answered))
        lines.append(f"p{share}                embedding {one:.1f} ms, learning {other:.1f} ms, {other / one:.2f} x")
    return "\n".join(lines)


def opened(database: Database, embed: Callable[..., object]) -> Learner:
    """A learner as the service joins it."""
    numbers = count(1)

    def new_id() -> str:
        return f"{time.monotonic_ns()}-{next(numbers)}"

    journal = Journal(AuditLog(database, now=now, redact=redact), Outbox(database, now=now, new_id=new_id), now, new_id)
    learner = Learner(
        SqlRecords(database, journal, redact=redact),
        embed,  # type: ignore[arg-type]  # TimedEmbed is called as a function
        dimension=384,
        now=now,
        make_neighbours=partial(MovingVectors, 384),
        near=nearest_rows,
    )
    learner.open()
    return learner


def learn_all(learner: Learner, told: Sequence[Incident]) -> None:
    """As an import does: in batches that end where re-clustering comes due."""
    at = 0
    while at < len(told):
        size = min(AT_ONCE, learner.room(), len(told) - at)
        learner.learn(told[at : at + size], ME)
        learner.recluster_if_due()
        at += size
    learner.settle()
    learner.patterns()


def one_by_one(learner: Learner, told: Sequence[Incident], model: Embed) -> tuple[list[float], list[float]]:
    """Seconds of one embedding alone, and of learning an incident, in turns. Every text is a new one."""

    def shape(learned: Learned) -> object:
        pattern = learner.glance(learned.pattern_id) if learned.is_pattern and learned.pattern_id else None
        return {"pattern": pattern.name if pattern else "", "why": list(learned.why)}

    alone, answered = [], []
    for number, incident in enumerate(told):
        new = replace(incident, description=f"{incident.description} Seen again by shift {number} of this year.")
        started = time.perf_counter()
        model([f"{new.title}\n{new.description}"])
        alone.append(time.perf_counter() - started)
        request = keyed_request(ME, f"key-{number}", operation="POST /runbooks/learn", body=number)
        started = time.perf_counter()
        learner.learn_once(new, ME, request, shape)
        answered.append(time.perf_counter() - started)
    return alone, answered


if __name__ == "__main__":
    sys.exit(main())
