"""Incidents and remarks on them in the database of records, inside one transaction."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import Connection, func, insert, select, update

from kb.incident import Incident
from kb.incident_identity import moment_key, source_key
from kb.incident_intake import Intake, KnownIncident, checked_note, edited, ready
from kb.incident_records import (
    Added,
    IncidentNote,
    IncidentNotFound,
    IncidentPage,
    IncidentPatch,
    IncidentQuery,
    StoredIncident,
)
from kb.incident_rows import check_page, filtered, ordered, row_of, select_incidents, stored_of
from kb.pattern_records import LearntIncident
from kb.record_ledger import Ledger
from kb.record_store import INCIDENT_CHANGED
from kb.record_tables import assignments, incident_notes, incidents

_IN_LIST = 400  # values in one IN (...): small enough for every SQLite, large enough to be few statements

Item = TypeVar("Item")


class SqlIncidentReads:
    """`IncidentReads` on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, incident_id: str) -> StoredIncident:
        found = self.get_many([incident_id]).get(incident_id)
        if found is None:
            raise IncidentNotFound(incident_id)
        return found

    def get_many(self, incident_ids: Iterable[str]) -> Mapping[str, StoredIncident]:
        found: dict[str, StoredIncident] = {}
        for ids in chunks(list(dict.fromkeys(incident_ids))):
            rows = self._connection.execute(select_incidents().where(incidents.c.id.in_(ids))).mappings()
            found.update((row["id"], stored_of(row)) for row in rows)
        return found

    def find(self, incident: Incident) -> StoredIncident | None:
        known = Intake(self._known([incident]), now=incident.recorded_at).find(incident)
        return None if known is None else known.stored

    def page(self, query: IncidentQuery) -> IncidentPage:
        check_page(query)
        listed = filtered(select_incidents(), query)
        counted = listed.with_only_columns(func.count(), maintain_column_froms=True)
        total = int(self._connection.execute(counted).scalar_one())
        # Ids first: to put them in order the database then carries nothing of the rest along.
        narrow = ordered(listed, query).with_only_columns(incidents.c.id, maintain_column_froms=True)
        ids = self._connection.execute(narrow.limit(query.limit).offset(query.offset)).scalars().all()
        found = self.get_many(ids)
        return IncidentPage([found[incident_id] for incident_id in ids], total)

    def learnt(self, *, after: int = 0, limit: int = 1000) -> Sequence[LearntIncident]:
        statement = select_incidents().where(assignments.c.seq > after).order_by(assignments.c.seq).limit(limit)
        rows = self._connection.execute(statement).mappings()
        return [LearntIncident(row["learnt_seq"], stored_of(row)) for row in rows]

    def notes(self, incident_id: str) -> Sequence[IncidentNote]:
        mine = select(incident_notes).where(incident_notes.c.incident_id == incident_id)
        rows = self._connection.execute(mine.order_by(incident_notes.c.seq)).mappings()
        return [IncidentNote(incident_id, row["author"], row["text"], row["event_time"], row["duty"]) for row in rows]

    def _known(self, told: Sequence[Incident]) -> Iterator[KnownIncident]:
        """The kept incidents that reports, made ready, may be duplicates of."""
        seen: set[str] = set()
        for column, key_of in ((incidents.c.source_key, source_key), (incidents.c.moment_key, moment_key)):
            keys = sorted({key for incident in told if (key := key_of(incident))})
            for some in chunks(keys):
                for row in self._connection.execute(select_incidents().where(column.in_(some))).mappings():
                    if row["id"] not in seen:
                        seen.add(row["id"])
                        yield KnownIncident(stored_of(row), row["source_key"], row["moment_key"])


class SqlIncidents(SqlIncidentReads):
    """`IncidentWrites` in one write transaction."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger.connection)
        self._ledger = ledger

    def add(self, incident: Incident) -> Added:
        return self.add_many([incident])[0]

    def add_many(self, told: Sequence[Incident]) -> Sequence[Added]:
        ledger = self._ledger
        reports = [ready(incident, ledger.principal, ledger.now, ledger.redact) for incident in told]
        intake = Intake(self._known(reports), now=ledger.now)
        added = intake.take(reports)
        new, changed = intake.touched()
        if new:
            self._connection.execute(insert(incidents), [_row(known) for known in new])
        for known in changed:
            self._update(known.stored, source_key=known.source_key)
        for act, kept in (("incident.add", new), ("incident.merge", changed)):
            for known in kept:
                self._tell(act, known.stored)
        return added

    def patch(self, incident_id: str, patch: IncidentPatch, *, if_version: int | None = None) -> StoredIncident:
        ledger = self._ledger
        before = self.get(incident_id)
        after = edited(
            before,
            patch,
            if_version=if_version,
            principal=ledger.principal,
            now=ledger.now,
            redact=ledger.redact,
        )
        if after is not before:
            self._update(after)
            self._tell("incident.edit", after)
        return after

    def add_note(self, incident_id: str, text: str, *, duty: str = "") -> IncidentNote:
        ledger = self._ledger
        remark, named = checked_note(text, duty, ledger.redact)
        self.get(incident_id)
        note = IncidentNote(incident_id, ledger.principal.name, remark, ledger.now, named)
        self._connection.execute(
            insert(incident_notes).values(
                incident_id=incident_id, author=note.author, text=note.text, duty=note.duty, event_time=note.event_time
            )
        )
        ledger.tell("incident.note", incident_id, {"duty": named}, topic=INCIDENT_CHANGED)
        return note

    def _update(self, stored: StoredIncident, **more: object) -> None:
        row = {**row_of(stored), **more}
        self._connection.execute(update(incidents).where(incidents.c.id == stored.incident.id).values(**row))

    def _tell(self, act: str, stored: StoredIncident) -> None:
        incident = stored.incident
        facts = {
            "version": stored.version,
            "status": incident.status.value,
            "source": incident.source,
            "source_id": incident.source_id,
        }
        self._ledger.tell(act, incident.id, facts, topic=INCIDENT_CHANGED)


def chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """`items` in runs that one statement can name."""
    return (items[start : start + _IN_LIST] for start in range(0, len(items), _IN_LIST))


def _row(known: KnownIncident) -> dict[str, object]:
    return {**row_of(known.stored), "source_key": known.source_key, "moment_key": known.moment_key}
