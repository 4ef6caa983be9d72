"""Incidents -> how many there were on each day, and how long they took (pure)."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from statistics import median

from api.learning.acts import TrendDay
from kb.incident import Incident, IncidentStatus
from kb.incident_records import StoredIncident

MAX_DAYS = 366


def first_moment(now: datetime, days: int) -> datetime:
    """Midnight, UTC, of the first of the last `days` days, today included."""
    return datetime.combine(now.astimezone(UTC).date() - timedelta(days=days - 1), time(), UTC)


def trend_days(began: Sequence[StoredIncident], *, now: datetime, days: int) -> tuple[TrendDay, ...]:
    """One entry for each of the last `days` days, oldest first; days without incidents are there too."""
    first = first_moment(now, days).date()
    by_day: dict[date, list[Incident]] = {first + timedelta(days=number): [] for number in range(days)}
    for stored in began:
        day = stored.incident.started_at.astimezone(UTC).date()
        if day in by_day:
            by_day[day].append(stored.incident)
    return tuple(_day(day, incidents) for day, incidents in by_day.items())


def _day(day: date, incidents: Sequence[Incident]) -> TrendDay:
    lengths = [incident.lasted_s for incident in incidents if incident.lasted_s is not None]
    return TrendDay(
        day=day,
        by_severity=Counter(incident.severity for incident in incidents),
        resolved=sum(incident.status is IncidentStatus.RESOLVED for incident in incidents),
        median_s=median(lengths) if lengths else None,
    )
