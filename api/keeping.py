"""Incidents that are still going on, kept without the learner: it has no part in them until they are resolved, so
nobody has to wait for it during an outage."""

from dataclasses import dataclass

from kb.incident import Incident, IncidentStatus
from kb.incident_intake import edited
from kb.incident_records import Added, IncidentPatch, StoredIncident
from kb.principal import Principal
from kb.record_store import RecordStore

_WHY = ("It is kept, and learnt once it is resolved.",)


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of an incident that was kept and not learnt; reads as `learner.arrivals.Learned` does."""

    stored: StoredIncident
    is_new: bool
    has_changed: bool
    pattern_id: str | None = None
    pattern_size: int = 0
    is_pattern: bool = False
    founded: bool = False
    likelihood: float = 0.0
    why: tuple[str, ...] = _WHY


def keep_unresolved(records: RecordStore, incident: Incident, principal: Principal) -> Kept | None:
    """Keep an incident that goes on; None, with nothing done, for one that the learner has to hear of: one that is
    resolved, or is known to be. Raises `InvalidInput`."""
    if incident.status is IncidentStatus.RESOLVED:
        return None
    with records.change(principal) as change:
        known = change.incidents.find(incident)
        if known is not None and known.incident.status is IncidentStatus.RESOLVED:
            return None
        added: Added = change.incidents.add(incident)
    return Kept(added.stored, added.is_new, added.has_changed)


def change_unresolved(
    records: RecordStore, incident_id: str, patch: IncidentPatch, principal: Principal, *, if_version: int | None
) -> bool:
    """Change an incident that goes on and still does after it; False, with nothing done, for any other.

    Raises `IncidentNotFound`, `IncidentChanged`, `InvalidInput`.
    """
    with records.change(principal) as change:
        before = change.incidents.get(incident_id)
        after = edited(
            before, patch, if_version=if_version, principal=principal, now=before.updated_at, redact=lambda text: text
        )
        if IncidentStatus.RESOLVED in (before.incident.status, after.incident.status):
            return False
        change.incidents.patch(incident_id, patch, if_version=if_version)
    return True
