"""Incidents in memory: the twin of `kb.sql_incidents`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from kb.incident import Incident
from kb.incident_intake import Intake, KnownIncident, checked_note, edited, ready
from kb.incident_records import (
    Added,
    IncidentNote,
    IncidentNotFound,
    IncidentPage,
    IncidentPatch,
    IncidentQuery,
    IncidentSort,
    StoredIncident,
)
from kb.incident_rows import MAX_TERM_CHARS, check_page, folded_alerts, search_text, severity_rank
from kb.memory_rows import Rows, Turn, Undo
from kb.pattern_records import LearntIncident


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a learnt incident stands."""

    seq: int
    arrival_pattern_id: str
    pattern_id: str | None


class MemoryIncidents:
    """`IncidentWrites` over dictionaries."""

    def __init__(self, turn: Turn, undo: Undo) -> None:
        self._turn = turn
        self._rows: Rows[str, KnownIncident] = Rows(undo)
        self._notes: Rows[int, IncidentNote] = Rows(undo)
        self.placements: Rows[str, Placement] = Rows(undo)

    def get(self, incident_id: str) -> StoredIncident:
        known = self._rows.get(incident_id)
        if known is None:
            raise IncidentNotFound(incident_id)
        return self._placed(known.stored)

    def get_many(self, incident_ids: Iterable[str]) -> Mapping[str, StoredIncident]:
        return {incident_id: self.get(incident_id) for incident_id in incident_ids if incident_id in self._rows}

    def find(self, incident: Incident) -> StoredIncident | None:
        known = Intake(self._rows, now=self._turn.now).find(incident)
        return None if known is None else self._placed(known.stored)

    def page(self, query: IncidentQuery) -> IncidentPage:
        check_page(query)
        matching = [stored for known in self._rows if _matches(stored := self._placed(known.stored), query)]
        matching.sort(key=lambda stored: stored.incident.id)
        sort_key = _SORT_KEYS[query.sort]
        falling = query.descending != (query.sort is IncidentSort.SEVERITY)
        known_first = [stored for stored in matching if sort_key(stored) is not None]
        known_first.sort(key=lambda stored: sort_key(stored) or 0.0, reverse=falling)
        listed = known_first + [stored for stored in matching if sort_key(stored) is None]
        return IncidentPage(listed[query.offset : query.offset + query.limit], len(listed))

    def learnt(self, *, after: int = 0, limit: int = 1000) -> Sequence[LearntIncident]:
        later = (one for one in self.placements.items() if one[1].seq > after)
        return [LearntIncident(place.seq, self.get(incident_id)) for incident_id, place in islice(later, limit)]

    def notes(self, incident_id: str) -> Sequence[IncidentNote]:
        return [note for note in self._notes if note.incident_id == incident_id]

    def add(self, incident: Incident) -> Added:
        return self.add_many([incident])[0]

    def add_many(self, told: Sequence[Incident]) -> Sequence[Added]:
        turn = self._turn
        reports = [ready(incident, turn.principal, turn.now, turn.redact) for incident in told]
        intake = Intake(self._rows, now=turn.now)
        added = intake.take(reports)
        for act, kept in zip(("incident.add", "incident.merge"), intake.touched(), strict=True):
            for known in kept:
                self._rows.put(known.stored.incident.id, known)
                turn.tell(act, known.stored.incident.id)
        return [replace(one, stored=self._placed(one.stored)) for one in added]

    def patch(self, incident_id: str, patch: IncidentPatch, *, if_version: int | None = None) -> StoredIncident:
        before = self.get(incident_id)
        turn = self._turn
        after = edited(before, patch, if_version=if_version, principal=turn.principal, now=turn.now, redact=turn.redact)
        if after is not before:
            self._rows.put(incident_id, replace(self._rows[incident_id], stored=after))
            turn.tell("incident.edit", incident_id)
        return after

    def add_note(self, incident_id: str, text: str, *, duty: str = "") -> IncidentNote:
        remark, named = checked_note(text, duty, self._turn.redact)
        self.get(incident_id)
        note = IncidentNote(incident_id, self._turn.principal.name, remark, self._turn.now, named)
        self._notes.put(len(self._notes), note)
        self._turn.tell("incident.note", incident_id)
        return note

    def _placed(self, stored: StoredIncident) -> StoredIncident:
        place = self.placements.get(stored.incident.id)
        if place is None:
            return stored
        return replace(stored, arrival_pattern_id=place.arrival_pattern_id, pattern_id=place.pattern_id)


def _matches(stored: StoredIncident, query: IncidentQuery) -> bool:
    incident = stored.incident
    exact = (
        (query.service, incident.service),
        (query.source, incident.source),
        (query.assignee, stored.assignee),
        (query.reported_by, incident.reported_by),
        (query.pattern_id, stored.pattern_id),
    )
    alert, text = query.alert.casefold()[:MAX_TERM_CHARS], query.text.casefold()[:MAX_TERM_CHARS]
    return (
        (not query.statuses or incident.status in query.statuses)
        and (not query.severities or incident.severity in query.severities)
        and all(not wanted or wanted == value for wanted, value in exact)
        and (not alert or alert in folded_alerts(incident))
        and text in search_text(incident)
        and (query.started_from is None or incident.started_at >= query.started_from)
        and (query.started_before is None or incident.started_at < query.started_before)
    )


def _resolved(stored: StoredIncident) -> float | None:
    moment = stored.incident.resolved_at
    return None if moment is None else moment.timestamp()


_SORT_KEYS: Mapping[IncidentSort, Callable[[StoredIncident], float | None]] = {
    IncidentSort.STARTED: lambda stored: stored.incident.started_at.timestamp(),
    IncidentSort.RECORDED: lambda stored: stored.incident.recorded_at.timestamp(),
    IncidentSort.UPDATED: lambda stored: stored.updated_at.timestamp(),
    IncidentSort.RESOLVED: _resolved,
    IncidentSort.DURATION: lambda stored: stored.incident.lasted_s,
    IncidentSort.SEVERITY: lambda stored: severity_rank(stored.incident.severity),
}
