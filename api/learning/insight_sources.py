"""Collects what insights look at beside the patterns: runbooks with their use and outcomes, drafts that wait, and what
people looked for in vain. Reads; what follows from it is decided in `learner`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from kb.feedback import Outcome
from kb.incident import ActionOutcome
from kb.record_store import RecordStore
from kb.review_records import ReviewStatus
from kb.runbook import ReviewState, Runbook, RunbookType
from kb.runbook_store import StoredDocument
from kb.search_log import LogUse, SearchLog, SearchRecord
from learner.insight import FailedSearch, RunbookUse, Surroundings

MAX_SEARCHES = 5000
"""The latest failed searches; more people than that miss the same things."""

_SHOWN = frozenset({ReviewState.PUBLISHED, ReviewState.UNREVIEWED})


@dataclass(slots=True)
class _Ends:
    """Incidents by how using one runbook ended in them."""

    resolved: dict[str, None] = field(default_factory=dict)
    failed: dict[str, None] = field(default_factory=dict)
    recurred: dict[str, None] = field(default_factory=dict)


class InsightSources:
    """Safe to call from many threads. `documents` gives all live runbook files."""

    def __init__(
        self,
        records: RecordStore,
        *,
        documents: Callable[[], Sequence[StoredDocument]],
        searches: SearchLog,
        now: Callable[[], datetime],
    ) -> None:
        self._records = records
        self._documents = documents
        self._searches = searches
        self._now = now

    def surroundings(self) -> Surroundings:
        """All of it, as it is now."""
        now = self._now()
        use = self._searches.use()
        failed = self._searches.recent(limit=MAX_SEARCHES, only_failed=True, only_finished=True)
        with self._records.read() as view:
            told = view.feedback.outcomes()
            waiting = view.reviews.all(ReviewStatus.OPEN)
        return Surroundings(
            today=now.date(),
            reviews={review.draft.pattern_id: review.id for review in reversed(waiting)},
            runbooks=runbook_uses(self._documents(), use, told),
            failed_searches=failed_searches(failed),
            watched_days=0.0 if use.since is None else (now - use.since) / timedelta(days=1),
        )


def runbook_uses(documents: Iterable[StoredDocument], use: LogUse, told: Iterable[Outcome]) -> tuple[RunbookUse, ...]:
    """What came of every runbook that searches can show; the entries of a file count for the file. Forms are none."""
    shown = [stored for stored in documents if stored.state in _SHOWN]
    of_file = {runbook.id: stored.document.id for stored in shown for runbook in stored.document.runbooks}
    ends = _ends_by_file(told, of_file)
    uses = []
    for stored in shown:
        main, ids = stored.document.runbooks[0], [runbook.id for runbook in stored.document.runbooks]
        if main.type is RunbookType.TEMPLATE:
            continue
        end = ends.get(stored.document.id, _Ends())
        uses.append(
            RunbookUse(
                runbook_id=stored.document.id,
                title=main.title,
                text=stored.document.text,
                type=main.type,
                alerts=tuple(alert for runbook in stored.document.runbooks for alert in runbook.alerts),
                review_due=review_due(main),
                shown=sum(use.shown.get(name, 0) for name in ids),
                opened=sum(use.opened.get(name, 0) for name in ids),
                resolved_ids=tuple(end.resolved),
                failed_ids=tuple(end.failed),
                recurred_ids=tuple(end.recurred),
            )
        )
    return tuple(uses)


def review_due(runbook: Runbook) -> date | None:
    """When a runbook promised to be reviewed again; None when it never did."""
    if runbook.reviewed is None or runbook.review_interval_days is None:
        return None
    return runbook.reviewed + timedelta(days=runbook.review_interval_days)


def failed_searches(records: Iterable[SearchRecord]) -> tuple[FailedSearch, ...]:
    """Those that a whole index answered; where a part of it was missing, nothing follows from finding nothing."""
    return tuple(
        FailedSearch(record.search_id, record.query, record.principal, record.event_time)
        for record in records
        if not record.confident and not record.degraded and record.query.strip()
    )


def _ends_by_file(told: Iterable[Outcome], of_file: Mapping[str, str]) -> Mapping[str, _Ends]:
    """Of several who told about one incident the latest counts."""
    latest: dict[tuple[str, str], Outcome] = {}
    for one in sorted(told, key=lambda one: one.event_time):
        file = of_file.get(one.outcome.target.partition("#")[0])
        if file is not None and one.outcome.outcome is not ActionOutcome.UNKNOWN:
            latest[file, one.outcome.incident_id] = one
    ends: dict[str, _Ends] = {}
    for (file, incident_id), one in latest.items():
        mine = ends.setdefault(file, _Ends())
        side = mine.resolved if one.outcome.outcome is ActionOutcome.HELPED else mine.failed
        side[incident_id] = None
        if one.recurred_at is not None:
            mine.recurred[incident_id] = None
    return ends
