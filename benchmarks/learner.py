"""Measure the learner on recorded incidents: `python -m benchmarks.learner INCIDENTS.jsonl [--scorer FOLDER]`.

The file has one incident a line, in time order, with the fields id, title, description, service, labels and gold (the
true cause). Prints how well patterns match the causes, how stable ids are and the CPU seconds besides embedding; with
--growth also how the time grows (`benchmarks.learner_growth` goes on to 100,000 made ones); with --scorer, what
`score.py` and `score_recommend.py` in that folder say of the same assignments.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.embedders import open_embedder
from indexer.neighbours import MovingVectors, nearest_rows
from learner.assign import MIN_PATTERN_INCIDENTS, Grouping
from learner.recluster import is_due, recluster
from learner.recommend import choose
from learner.signature import LASTING_LABELS, Signature, sign

Record = dict[str, object]
Embed = Callable[[Sequence[str]], NDArray[np.float32]]
LEARNT_SHARE = 0.7


@dataclass
class TimedEmbed:
    """An embedder that remembers what it has embedded and how long it took, in CPU seconds."""

    embed: Embed
    spent_s: float = 0.0
    texts: int = 0
    known: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        new = [text for text in dict.fromkeys(texts) if text not in self.known]
        if new:
            started = time.process_time()
            rows = self.embed(new)
            self.spent_s += time.process_time() - started
            self.texts += len(new)
            self.known.update(zip(new, rows, strict=True))
        return np.stack([self.known[text] for text in texts])


def main() -> int:
    """Run the measurement that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("incidents", type=Path)
    parser.add_argument("--scorer", type=Path, help="folder with score.py and score_recommend.py")
    parser.add_argument("--models", type=Path, default=Path("build/models"), help="keeps the exported model")
    parser.add_argument("--growth", action="store_true", help="also time the first 1/16, 1/8, 1/4 and 1/2 of the file")
    args = parser.parse_args()
    records = [json.loads(line) for line in args.incidents.read_text().splitlines() if line]
    embed = TimedEmbed(load_embedder(args.models))
    learnt = learn(records, embed)
    report_groups(records, learnt)
    if args.growth:
        report_growth(records, embed)
    replayed = replay(records, embed)
    report_replay(records, *replayed)
    if args.scorer:
        run_scorers(args.scorer, args.incidents, records, learnt.grouping, *replayed)
    return 0


@dataclass
class Learnt:
    """A grouping that has learnt some records, the ids given on arrival and the CPU seconds besides embedding."""

    grouping: Grouping
    arrivals: dict[str, str]
    cpu_s: float
    slowest_s: float


def learn(records: Sequence[Record], embed: TimedEmbed) -> Learnt:
    """Learn records in order, re-clustering whenever it is due and once at the end."""
    dimension = embed(["dimension"]).shape[1]
    started, embedded = time.process_time(), embed.spent_s
    grouping = Grouping(embed, dimension=dimension, neighbours=MovingVectors(dimension))
    arrivals = {}
    slowest = 0.0
    for record in records:
        at, spent = time.process_time(), embed.spent_s
        incident_id = str(record["id"])
        signature, service = signature_of_record(record), str(record.get("service") or "")
        arrivals[incident_id] = grouping.learn(incident_id, signature, principal="bench", service=service).pattern_id
        slowest = max(slowest, time.process_time() - at - (embed.spent_s - spent))
        if is_due(grouping):
            recluster(grouping, neighbours=MovingVectors(dimension), near=nearest_rows)
    recluster(grouping, neighbours=MovingVectors(dimension), near=nearest_rows)
    return Learnt(grouping, arrivals, time.process_time() - started - (embed.spent_s - embedded), slowest)


def replay(records: Sequence[Record], embed: TimedEmbed) -> tuple[Grouping, dict[str, str | None]]:
    """Learn the first part in time, then ask what the later incidents belong to without learning them."""
    cut = int(len(records) * LEARNT_SHARE)
    grouping = learn(records[:cut], embed).grouping
    said: dict[str, str | None] = {}
    for record in records[cut:]:
        chosen = choose(grouping.recognise(grouping.read(signature_of_record(record))))
        said[str(record["id"])] = chosen.pattern_id if chosen else None
    return grouping, said


def signature_of_record(record: Record) -> Signature:
    """The signature of one line of the file."""
    labels = record.get("labels")
    named = {str(key): str(value) for key, value in labels.items()} if isinstance(labels, dict) else {}
    values = [value for key, value in named.items() if key not in LASTING_LABELS]
    alert = named.get("alertname", "")
    return sign(str(record["title"]), str(record.get("description") or ""), alert=alert, values=values)


def report_groups(records: Sequence[Record], learnt: Learnt) -> None:
    """Print B-cubed, pattern recall, one-offs inside patterns, id stability and CPU."""
    gold = {str(record["id"]): str(record["gold"]) for record in records}
    found = {key: learnt.grouping.pattern_of(key) or key for key in gold}
    cells, causes, groups = Counter((gold[k], found[k]) for k in gold), Counter(gold.values()), Counter(found.values())
    precision = sum(n * n / groups[group] for (_, group), n in cells.items()) / len(gold)
    recall = sum(n * n / causes[cause] for (cause, _), n in cells.items()) / len(gold)
    one_off = {cause for cause, n in causes.items() if n == 1 or cause.startswith("ONE:")}
    patterns = {group for group, n in groups.items() if n >= MIN_PATTERN_INCIDENTS}
    recurring = [cause for cause, n in causes.items() if n >= MIN_PATTERN_INCIDENTS and cause not in one_off]
    covered = sum(
        any(n >= 0.7 * causes[cause] and n >= 0.8 * groups[g] for (c, g), n in cells.items() if c == cause)
        for cause in recurring
    )
    inside = sum(n for (cause, group), n in cells.items() if cause in one_off and group in patterns)
    kept = sum(learnt.arrivals[key] == found[key] for key in gold) / len(gold)
    forwarded = sum(learnt.arrivals[key] in learnt.grouping.forwards for key in gold) / len(gold)
    print(f"incidents          {len(gold)}")
    print(f"b3                 {2 * precision * recall / (precision + recall):.4f}")
    print(f"pattern_recall     {covered / max(1, len(recurring)):.4f}")
    print(f"one_offs_in        {inside / max(1, sum(causes[cause] for cause in one_off)):.4f}")
    print(f"kept arrival id    {kept:.4f}")
    print(f"forwarded          {forwarded:.4f}")
    print(f"cpu_s              {learnt.cpu_s:.1f}   besides embedding")
    print(f"slowest arrival_s  {learnt.slowest_s:.4f}   besides embedding")


def report_growth(records: Sequence[Record], embed: TimedEmbed) -> None:
    """Print CPU seconds besides embedding for growing parts of the file."""
    for part in (16, 8, 4, 2):
        some = records[: len(records) // part]
        print(f"growth             {len(some):7d} incidents {learn(some, embed).cpu_s:8.1f} s")


def report_replay(records: Sequence[Record], grouping: Grouping, said: dict[str, str | None]) -> None:
    """Print how often a knowable recurrence is recognised first and how often something unknown is claimed."""
    gold = {str(record["id"]): str(record["gold"]) for record in records}
    seen = Counter(gold[item.id] for item in grouping.items)
    means = {g: Counter(gold[key] for key in grouping.members_of(g)).most_common(1)[0][0] for g in grouping.groups}
    knowable = [key for key in said if seen[gold[key]] >= MIN_PATTERN_INCIDENTS and not gold[key].startswith("ONE:")]
    unknown = [key for key in said if seen[gold[key]] == 0]
    right = sum(means.get(said[key] or "") == gold[key] for key in knowable)
    claimed = sum(said[key] is not None for key in unknown)
    print(f"right_first        {right / max(1, len(knowable)):.4f}   of {len(knowable)}")
    print(f"false_claims       {claimed / max(1, len(unknown)):.4f}   of {len(unknown)}")


def run_scorers(
    folder: Path,
    incidents: Path,
    records: Sequence[Record],
    grouping: Grouping,
    early: Grouping,
    said: dict[str, str | None],
) -> None:
    """Write the assignments to a temporary folder and let the scorers speak for themselves."""
    with tempfile.TemporaryDirectory() as place:
        final, assigned, replayed = (Path(place) / name for name in ("final", "assigned", "replayed"))
        write_lines(final, [{"id": r["id"], "pattern_id": grouping.pattern_of(str(r["id"]))} for r in records])
        write_lines(assigned, [{"id": item.id, "pattern_id": early.pattern_of(item.id)} for item in early.items])
        write_lines(replayed, [{"id": k, "pattern_id": v, "confident": v is not None} for k, v in said.items()])
        for command in (["score.py", incidents, final], ["score_recommend.py", incidents, assigned, replayed]):
            script, *paths = command
            done = subprocess.run(
                [sys.executable, str(folder / str(script)), *map(str, paths)],
                check=True,
                capture_output=True,
                text=True,
            )
            print(f"--- {script}\n{done.stdout}", end="")


def write_lines(path: Path, rows: Sequence[Record]) -> None:
    """Write JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def load_embedder(models: Path) -> Embed:
    """The bundled model as the service uses it, on one thread."""
    return open_embedder("", models, threads=1).embed_passages


if __name__ == "__main__":
    sys.exit(main())
