"""What becomes of reported, changed and remarked-on incidents before anything is written: the rules that every store of
records follows (pure)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from kb.errors import InvalidInput
from kb.incident import Incident
from kb.incident_cleaning import Redact, clean_incident, clean_name, clean_text
from kb.incident_identity import identify, merged, moment_key, source_key
from kb.incident_records import Added, IncidentChanged, IncidentPatch, StoredIncident, check_moments, patched
from kb.principal import Principal

MAX_NOTE_CHARS = 8000
MAX_DUTY_CHARS = 100


@dataclass(frozen=True, slots=True)
class KnownIncident:
    """A kept incident with the digests it is recognised by. They stay those of its first report."""

    stored: StoredIncident
    source_key: str | None
    moment_key: str | None


def ready(incident: Incident, principal: Principal, now: datetime, redact: Redact) -> Incident:
    """The incident as it may be kept, told by `principal` at `now`. Raises `InvalidInput`."""
    check_moments(incident)
    told = replace(clean_incident(incident, redact), reported_by=clean_name(principal.name, redact), recorded_at=now)
    if not (told.title or told.type or told.alerts):
        raise InvalidInput("title", "is missing", advice="Say in a few words what was wrong, or name the alert.")
    return identify(told)


class Intake:
    """Takes reports in, one after the other, and tells new incidents from duplicates."""

    def __init__(self, known: Iterable[KnownIncident], *, now: datetime) -> None:
        self._now = now
        self._known: dict[str, KnownIncident] = {}
        self._by_source: dict[str, str] = {}
        self._by_moment: dict[str, str] = {}
        self._versions: dict[str, int] = {}
        self._touched: dict[str, None] = {}
        for one in known:
            self._versions[one.stored.incident.id] = one.stored.version
            self._keep(one)

    def find(self, incident: Incident) -> KnownIncident | None:
        """The incident that a report, made ready, is a duplicate of."""
        found = self._by_source.get(source_key(incident) or "")
        if found is None:
            found = self._by_moment.get(moment_key(incident) or "")
        return None if found is None else self._known[found]

    def take(self, told: Sequence[Incident]) -> Sequence[Added]:
        """Take several in; each answer shows its incident as it is after all of them."""
        came = [self._take(incident) for incident in told]
        return [Added(self._known[incident_id].stored, new, changed) for incident_id, new, changed in came]

    def touched(self) -> tuple[list[KnownIncident], list[KnownIncident]]:
        """The incidents that are new, and the known ones that have changed."""
        all_touched = [self._known[incident_id] for incident_id in self._touched]
        new = [one for one in all_touched if one.stored.incident.id not in self._versions]
        return new, [one for one in all_touched if one.stored.incident.id in self._versions]

    def _take(self, incident: Incident) -> tuple[str, bool, bool]:
        known = self.find(incident)
        if known is None:
            stored = StoredIncident(incident, incident.reported_by, "", 1, self._now)
            self._keep(KnownIncident(stored, source_key(incident), moment_key(incident)))
            self._touched[incident.id] = None
            return incident.id, True, True
        before = known.stored
        together = merged(before.incident, incident)
        if together is before.incident:
            return together.id, False, False
        version = self._versions.get(together.id, 0) + 1
        stored = replace(before, incident=together, version=version, updated_at=self._now)
        self._keep(replace(known, stored=stored, source_key=source_key(together)))
        self._touched[together.id] = None
        return together.id, False, True

    def _keep(self, known: KnownIncident) -> None:
        incident = known.stored.incident
        self._known[incident.id] = known
        if known.source_key:
            self._by_source[known.source_key] = incident.id
        if known.moment_key:
            self._by_moment[known.moment_key] = incident.id


def edited(
    stored: StoredIncident,
    patch: IncidentPatch,
    *,
    if_version: int | None,
    principal: Principal,
    now: datetime,
    redact: Redact,
) -> StoredIncident:
    """The incident after a change, with its next version; the same object when nothing is different.

    Raises `IncidentChanged`, `InvalidInput`.
    """
    if if_version is not None and if_version != stored.version:
        raise IncidentChanged(stored.incident.id, expected=if_version, current=stored.version)
    by = clean_name(principal.name, redact)
    after = patched(stored, patch, by=by, now=now)
    after = replace(after, incident=clean_incident(after.incident, redact), assignee=clean_name(after.assignee, redact))
    return stored if after == stored else replace(after, version=stored.version + 1, updated_at=now)


def checked_note(text: str, duty: str, redact: Redact) -> tuple[str, str]:
    """Text and duty of a remark as they may be kept. Raises `InvalidInput`."""
    cleaned, named = clean_text(text, redact, max_chars=MAX_NOTE_CHARS), clean_text(duty, redact)
    if len(named) > MAX_DUTY_CHARS:
        raise InvalidInput("duty", "is too long", advice="Name a duty of the severity policy.")
    if not cleaned and not named:
        raise InvalidInput("text", "is empty", advice="Write what others should know.")
    return cleaned, named
