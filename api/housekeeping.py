"""What a server tidies up by itself: events that nobody waits for any more, searches and votes that are forgotten, and
incidents whose trouble came back, which takes back that something helped."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kb.feedback import FORGOTTEN_AFTER, Outcome
from kb.incident import ActionOutcome
from kb.incident_records import IncidentQuery, IncidentSort, StoredIncident
from kb.outbox import Outbox
from kb.principal import SYSTEM
from kb.record_store import IncidentReads, RecordStore
from kb.search_log import SearchLog
from learner.recurrence import RECURS_WITHIN, came_back, ended_at

EVENTS_KEPT = timedelta(days=7)
"""Events that every consumer has seen."""

UNSEEN_EVENTS_KEPT = timedelta(days=90)
"""Events that some consumer has not seen, or that none reads; by then it must start from the records anyway."""

RECURRENCES_LOOKED_FOR = timedelta(days=30)
"""So long after an outcome was told, an incident that is fed in late may still show that the trouble came back."""


@dataclass(frozen=True, slots=True)
class Tidied:
    """How many events, searches and votes were forgotten, and how many incidents turned out to have come back."""

    events: int
    searches: int
    votes: int
    recurred: int


class Housekeeping:
    """Safe to be called often: it does something once in `every_s`. Raises `StorageUnavailable`, to be tried again."""

    def __init__(
        self,
        records: RecordStore,
        outbox: Outbox,
        searches: SearchLog,
        *,
        now: Callable[[], datetime],
        recurrences_every_s: float = 600.0,
        every_s: float = 86_400.0,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._records = records
        self._outbox = outbox
        self._searches = searches
        self._now = now
        self._recurrences_every_s = recurrences_every_s
        self._every_s = every_s
        self._timer = timer
        self._tidied_at = self._looked_at = float("-inf")

    def __call__(self) -> None:
        at, now = self._timer(), self._now()
        if at - self._looked_at >= self._recurrences_every_s:
            mark_recurrences(self._records, now)
            self._looked_at = at
        if at - self._tidied_at >= self._every_s:
            housekeeping(self._records, self._outbox, self._searches, now)
            self._tidied_at = at


def housekeeping(records: RecordStore, outbox: Outbox, searches: SearchLog, now: datetime) -> Tidied:
    """All of it once."""
    with records.change(SYSTEM) as change:
        votes = change.feedback.forget(before=now - FORGOTTEN_AFTER)
    return Tidied(
        events=outbox.purge(before=now - EVENTS_KEPT, unseen_before=now - UNSEEN_EVENTS_KEPT),
        searches=searches.purge(now),
        votes=votes,
        recurred=mark_recurrences(records, now),
    )


def mark_recurrences(records: RecordStore, now: datetime) -> int:
    """Mark what helped in incidents whose trouble came back; how many incidents that are."""
    with records.read() as view:
        helped = _lately_helped(view.feedback.outcomes(), now)
        found = {
            stored.incident.id: at
            for stored in view.incidents.get_many(helped).values()
            if (at := _back_at(view.incidents, stored)) is not None
        }
    if found:
        with records.change(SYSTEM) as change:
            for incident_id, at in sorted(found.items()):
                change.feedback.recurred(incident_id, at)
    return len(found)


def _lately_helped(told: Iterable[Outcome], now: datetime) -> list[str]:
    """Incidents in which something helped, told lately and not known to have come back."""
    since = now - RECURRENCES_LOOKED_FOR
    return sorted(
        {
            one.outcome.incident_id
            for one in told
            if one.outcome.outcome is ActionOutcome.HELPED and one.recurred_at is None and one.event_time >= since
        }
    )


def _back_at(incidents: IncidentReads, stored: StoredIncident) -> datetime | None:
    """When the first incident began that shows that the trouble came back; None when none did."""
    end = ended_at(stored.incident)
    if end is None or stored.pattern_id is None:
        return None
    query = IncidentQuery(
        pattern_id=stored.pattern_id,
        started_from=end,
        started_before=end + RECURS_WITHIN + timedelta(seconds=1),
        sort=IncidentSort.STARTED,
        descending=False,
    )
    if stored.incident.service:
        own = incidents.page(replace(query, service=stored.incident.service)).incidents
        unknown = [other for other in incidents.page(query).incidents if not other.incident.service]
        candidates = [*own, *unknown]
    else:
        candidates = [*incidents.page(query).incidents]
    later = [other.incident.started_at for other in candidates if came_back(stored.incident, other.incident)]
    return min(later, default=None)
