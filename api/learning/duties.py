"""What the severity policy asks for next on one incident at a given moment, and the policy that is in force."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from api.settings import Settings
from kb.incident import Incident
from kb.incident_records import IncidentNote
from kb.severity_policy import (
    DueDuty,
    Escalation,
    Level,
    Phase,
    SeverityPolicy,
    called_by_now,
    duties_due,
    phase_now,
)
from kb.severity_policy_config import policy_from


@dataclass(frozen=True, slots=True)
class Duties:
    """What an incident asks of people. `due` is ordered, the next or longest overdue first; `done` are the notes that
    say that a duty was done, oldest first; `called` have been called or should have been."""

    level: Level | None
    phase: Phase | None
    due: tuple[DueDuty, ...]
    done: tuple[IncidentNote, ...]
    called: tuple[Escalation, ...]

    @property
    def next_due(self) -> DueDuty | None:
        """What to do first; None when nothing is due."""
        return self.due[0] if self.due else None


def severity_policy(settings: Settings) -> SeverityPolicy:
    """The policy in force: the default one with what the settings name in its place. Raises `InvalidInput`."""
    return policy_from(settings.severity_policy)


def duties_of(policy: SeverityPolicy, incident: Incident, notes: Sequence[IncidentNote], now: datetime) -> Duties:
    """What the policy asks for at `now`. `notes` are the incident's, oldest first; of one duty the latest counts."""
    done = tuple(note for note in notes if note.duty)
    return Duties(
        level=policy.level_of(incident),
        phase=phase_now(policy, incident, now),
        due=duties_due(policy, incident, now, {note.duty: note.event_time for note in done}),
        done=done,
        called=called_by_now(policy, incident, now),
    )
