"""Measure whether the loop closes: `python -m benchmarks.loop INCIDENTS.jsonl [--show]`.

The file has one incident a line, in time order, with its true cause in `gold`. The first 70 % are learnt, the drafts
that come of it are written, day by day, and all approved; then every later incident is searched for as the alert that
it began with, over an index of these runbooks alone. A later incident is knowable when three or more of its cause were
learnt. Prints for how many of these the first hit is the runbook of their own cause, and the same before learning.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from api.imports.incident_fields import Telling
from api.imports.incident_file import IncidentFile, ReadIncident
from api.learning.covering import Covering
from indexer.embed import Embedder
from indexer.embedders import open_embedder
from indexer.embedding_cache import EmbeddingCache
from indexer.query import query_from_alert
from indexer.search import Searcher
from indexer.sync import Index
from kb.hits import Answer
from kb.incident import Alert, Incident
from kb.markdown import parse_document
from kb.memory_records import MemoryRecords
from kb.memory_stores import MemoryRunbookStore
from kb.principal import Face, local
from kb.redact import redact
from kb.review_records import DraftChanged, ReviewStatus
from learner.assign import MIN_PATTERN_INCIDENTS
from learner.drafting import Drafter, DraftReport
from learner.learner import Learner
from learner.reviewing import Reviews

LEARNT_SHARE = 0.7
BATCH = 50
OPERATOR = local(Face.CLI)
TELLING = Telling(reported_by=OPERATOR.name, now=datetime(2026, 1, 1, tzinfo=UTC))


@dataclass
class Bench:
    """Records and runbooks in memory, with the model, the index and the learner that the service uses."""

    folder: Path
    models: Path
    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __post_init__(self) -> None:
        ids = count(1)
        self.records = MemoryRecords(now=self.now, new_id=lambda: f"r{next(ids):08}", redact=redact)
        self.runbooks = MemoryRunbookStore({}, parse=parse_document, now=self.now)
        self.model: Embedder = open_embedder("", self.models, threads=1)
        cache = EmbeddingCache(self.folder / "embeddings.db", warn=print)
        self.index = Index(self.folder / "index", self.model, cache, warn=print)
        self.index.load()
        self.searcher = Searcher(self.model)
        self.learner = Learner(
            self.records,
            lambda texts: cache.embed(self.model, texts),
            dimension=self.model.dimension,
            now=self.now,
        )
        self.learner.open()
        covers = Covering(
            lambda request: self.find(request.alert or Alert()),
            generation=lambda: self.index.current.id,
            document_of=lambda runbook_id: self.runbooks.get(runbook_id).document.id,
        )
        self.drafter = Drafter(
            self.records,
            self.runbooks,
            patterns=self.learner.patterns,
            pattern=self.learner.pattern,
            covers=covers.runbook,
            now=self.now,
        )
        self.reviews = Reviews(self.records, self.runbooks, pattern=self.learner.pattern, now=self.now)

    def now(self) -> datetime:
        return self.at

    def learn(self, incidents: Sequence[Incident]) -> dict[str, str]:
        """Learn in order; the pattern of each at the end, by the id of its source."""
        for start in range(0, len(incidents), BATCH):
            self.at = incidents[min(start + BATCH, len(incidents)) - 1].started_at
            self.learner.learn(incidents[start : start + BATCH], OPERATOR)
            self.learner.recluster_if_due()
        self.learner.settle()
        with self.records.read() as view:
            learnt = [one.stored for one in view.incidents.learnt(limit=len(incidents))]
        return {one.incident.source_id: one.pattern_id or "" for one in learnt}

    def review_everything(self) -> list[DraftReport]:
        """Draft and approve, a day at a time, until there is nothing left to ask."""
        reports = []
        while True:
            report = self.drafter.run()
            reports.append(report)
            if not report.has_changes and not report.waiting:
                return reports
            for item in self.reviews.queue(ReviewStatus.OPEN):
                page = self.reviews.page(item.review.id)
                with suppress(DraftChanged):  # another approval has changed the runbook: tomorrow's patch fits again
                    self.reviews.approve(page.review.id, OPERATOR, digest=page.digest)
            self.index.refresh(self.runbooks)
            self.at += timedelta(days=1)

    def find(self, alert: Alert) -> Answer:
        return self.searcher.search(query_from_alert(alert), self.index.current, limit=5)

    def close(self) -> None:
        self.index.close()


@dataclass
class Outcome:
    """What searching the later alerts gave."""

    knowable: int = 0
    right: int = 0
    right_unsure: int = 0
    wrong: int = 0
    unknown: int = 0
    claimed: int = 0
    missed: tuple[str, ...] = ()


def main() -> int:
    """Run the measurement that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("incidents", type=Path)
    parser.add_argument("--models", type=Path, default=Path("build/models"), help="keeps the exported model")
    parser.add_argument("--show", action="store_true", help="also print what was missed, and one draft")
    args = parser.parse_args()
    incidents, gold = read_incidents(args.incidents)
    cut = int(len(incidents) * LEARNT_SHARE)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), args.models)
        began = time.perf_counter()
        before = search_later(
            bench.find, incidents[cut:], {}, Counter(gold[i.source_id] for i in incidents[:cut]), gold
        )
        pattern_of = bench.learn(incidents[:cut])
        reports = bench.review_everything()
        seen = Counter(gold[incident.source_id] for incident in incidents[:cut])
        after = search_later(bench.find, incidents[cut:], causes_of(bench, pattern_of, gold), seen, gold)
        report(before, after, bench, reports, time.perf_counter() - began)
        if args.show:
            print("\n".join(after.missed))
            print(next(iter(bench.runbooks.files.values())).decode())
        bench.close()
    return 0


def read_incidents(path: Path) -> tuple[list[Incident], dict[str, str]]:
    """The incidents as `sre-kb learn` reads them, and their causes by the id of their source."""
    gold = {str(row["id"]): str(row["gold"]) for row in map(json.loads, path.read_text().splitlines())}
    with path.open("rb") as file:
        entries = IncidentFile(file, TELLING).read()
        found = [entry.incident for entry in entries if isinstance(entry, ReadIncident)]
    return found, gold


def causes_of(bench: Bench, pattern_of: Mapping[str, str], gold: Mapping[str, str]) -> dict[str, str]:
    """The cause that each runbook stands for: that of most incidents of its pattern."""
    counts: dict[str, Counter[str]] = {}
    for source_id, pattern_id in pattern_of.items():
        counts.setdefault(pattern_id, Counter())[gold[source_id]] += 1
    with bench.records.read() as view:
        reviews = view.reviews.all(ReviewStatus.APPROVED)
    return {one.draft.document_id: counts[one.draft.pattern_id].most_common(1)[0][0] for one in reviews}


def search_later(
    find: Callable[[Alert], Answer],
    later: Iterable[Incident],
    causes: Mapping[str, str],
    seen: Mapping[str, int],
    gold: Mapping[str, str],
) -> Outcome:
    """Search for each incident as the alert it began with."""
    outcome, missed = Outcome(), []
    for incident in later:
        answer, cause = find(alert_of(incident)), gold[incident.source_id]
        sure = causes.get(answer.hits[0].runbook.id) if answer.hits else None
        best = sure or (causes.get(answer.near_misses[0].runbook.id) if answer.near_misses else None)
        if seen.get(cause, 0) >= MIN_PATTERN_INCIDENTS and not cause.startswith("ONE:"):
            outcome.knowable += 1
            outcome.right += sure == cause
            outcome.right_unsure += best == cause
            outcome.wrong += sure not in (None, cause)
            if sure != cause:
                missed.append(f"{cause:60} {'unsure, ' if not sure else ''}found {best}: {incident.title[:70]}")
        elif not seen.get(cause):
            outcome.unknown += 1
            outcome.claimed += sure is not None
    outcome.missed = tuple(missed)
    return outcome


def alert_of(incident: Incident) -> Alert:
    """The alert that an incident began with: its title and description, none of what came of it."""
    texts = {"summary": incident.title, "description": incident.description}
    return Alert(
        name=incident.alerts[0] if incident.alerts else "",
        labels=dict(incident.labels),
        annotations={key: text for key, text in texts.items() if text},
        severity=incident.severity,
        service=incident.service,
    )


def report(before: Outcome, after: Outcome, bench: Bench, reports: Sequence[DraftReport], took_s: float) -> None:
    """Print the measurement."""
    opened = sum(len(one.opened) for one in reports)
    known = max(1, after.knowable)
    print(f"patterns           {len(bench.learner.patterns())}")
    days = sum(bool(one.opened) for one in reports)
    print(f"drafts approved    {opened}   in {days} days, {len(bench.runbooks.files)} runbooks")
    print(f"right before       {before.right / max(1, before.knowable):.4f}   of {before.knowable}")
    print(f"right first        {after.right / known:.4f}   of {after.knowable}")
    print(f"right, even unsure {after.right_unsure / known:.4f}")
    print(f"wrong first        {after.wrong / known:.4f}")
    print(f"claims of unknown  {after.claimed / max(1, after.unknown):.4f}   of {after.unknown}")
    print(f"took_s             {took_s:.0f}")


if __name__ == "__main__":
    sys.exit(main())
