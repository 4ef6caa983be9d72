"""When trouble that was ended came back: another incident of the same pattern in the same place, soon after. Pure."""

from datetime import datetime, timedelta

from kb.incident import Incident

RECURS_WITHIN = timedelta(hours=24)
"""What comes back so soon was not ended, only pushed off; later it is another incident of the pattern."""


def ended_at(incident: Incident) -> datetime | None:
    """When an incident was over; None while it lasts, or when nobody said."""
    if incident.resolved_at is not None:
        return incident.resolved_at
    return None if incident.duration_s is None else incident.started_at + timedelta(seconds=incident.duration_s)


def came_back(earlier: Incident, later: Incident) -> bool:
    """Whether `later`, of the same pattern, is the trouble of `earlier` come back. Where both name a service it must be
    the same one."""
    end = ended_at(earlier)
    if end is None or later.id == earlier.id:
        return False
    same_place = not (earlier.service and later.service) or earlier.service == later.service
    return same_place and end < later.started_at <= end + RECURS_WITHIN
