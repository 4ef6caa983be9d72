"""What lists and dashboards show of many records at once: when things began, what waits, how much was learnt when."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from kb.feedback import Verdict
from kb.incident_records import StoredIncident
from kb.pattern import ChangeKind, Pattern
from kb.record_store import IncidentReads, RecordStore
from kb.review_records import DayCount, ReviewStatus, count_by_day

_BATCH = 5000


@dataclass(frozen=True, slots=True)
class LearntWeek:
    """One week, from its Monday on, UTC: incidents learnt, patterns that came up, and what people said about them."""

    monday: date
    incidents: int
    patterns: int
    corrections: int


class Overviews:
    """Questions about many records. Safe to call from many threads.

    `covers` tells the published runbook that covers a pattern, None for none.
    """

    def __init__(self, records: RecordStore, *, covers: Callable[[Pattern], str | None]) -> None:
        self._records = records
        self._covers = covers
        # The time that an incident began never changes, so what was read once need not be read again.
        self._began: dict[str, datetime] = {}
        # Nor does the week in which it was learnt: only those learnt since the last look are read.
        self._learnt: Counter[date] = Counter()
        self._learnt_to = 0
        self._counting = threading.Lock()

    def waiting(self) -> int:
        """How many drafts wait for a person."""
        with self._records.read() as view:
            return len(view.reviews.all(ReviewStatus.OPEN))

    def waiting_review(self, document_id: str | None = None) -> str | None:
        """The id of the review of a document that waits, of the first that waits without one; None for none."""
        with self._records.read() as view:
            waiting = view.reviews.all(ReviewStatus.OPEN)
        found = (review.id for review in waiting if document_id in (None, review.draft.document_id))
        return next(found, None)

    def verdict(self, target: str, case: str, principal: str) -> Verdict | None:
        """What a person has said of a target in a case; None for nothing."""
        with self._records.read() as view:
            votes = view.feedback.votes(target=target)
        mine = (vote.vote.verdict for vote in votes if (vote.vote.case, vote.principal) == (case, principal))
        return next(mine, None)

    def incidents_by_id(self, incident_ids: Iterable[str]) -> Mapping[str, StoredIncident]:
        """Those of the incidents that exist, by id."""
        with self._records.read() as view:
            return view.incidents.get_many(incident_ids)

    def began(self, incident_ids: Iterable[str]) -> Mapping[str, datetime]:
        """When each of the incidents began, by id; those that do not exist are left out."""
        asked = tuple(incident_ids)
        unknown = [key for key in asked if key not in self._began]
        for start in range(0, len(unknown), _BATCH):
            found = self.incidents_by_id(unknown[start : start + _BATCH])
            self._began.update((key, stored.incident.started_at) for key, stored in found.items())
        return {key: self._began[key] for key in asked if key in self._began}

    def covering(self, patterns: Iterable[Pattern]) -> Mapping[str, str]:
        """The published runbook of each pattern that has one, by the pattern's id."""
        found = ((pattern.id, self._covers(pattern)) for pattern in patterns)
        return {pattern_id: runbook_id for pattern_id, runbook_id in found if runbook_id is not None}

    def decisions(self) -> Mapping[date, DayCount]:
        """Drafts opened and decided, by day."""
        with self._records.read() as view:
            return count_by_day(view.reviews.all())

    def learnt_by_week(self, since: date) -> Sequence[LearntWeek]:
        """What was learnt in each week, by the time it was recorded, from the week of `since` to the last one that has
        something; none when nothing was learnt since then."""
        first = _monday(since)
        with self._records.read() as view:
            events, words = view.patterns.history(), view.patterns.words()
            incidents = self._learnt_weeks(view.incidents)
        born = Counter(
            _monday(event.event_time.date())
            for event in events
            if event.change.kind in (ChangeKind.BORN, ChangeKind.SPLIT)
        )
        said = Counter(_monday(word.event_time.date()) for word in words)
        last = max((monday for monday in (*incidents, *born, *said)), default=None)
        if last is None or last < first:
            return ()
        mondays = (first + timedelta(days=7 * number) for number in range((last - first).days // 7 + 1))
        return tuple(LearntWeek(monday, incidents[monday], born[monday], said[monday]) for monday in mondays)

    def _learnt_weeks(self, incidents: IncidentReads) -> Counter[date]:
        with self._counting:
            while batch := incidents.learnt(after=self._learnt_to):
                self._learnt.update(_monday(one.stored.incident.recorded_at.date()) for one in batch)
                self._learnt_to = batch[-1].seq
            return self._learnt.copy()


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
