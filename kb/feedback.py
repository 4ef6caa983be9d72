"""What people thought of hits and recommendations, and how using a runbook or an action ended. One vote a person and
case; what they come to is told by `kb.feedback_weight` (pure values and rules)."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from kb.errors import InvalidInput, KBError
from kb.incident import ActionOutcome
from kb.incident_cleaning import Redact, clean_text

HALF_LIFE = timedelta(days=90)
FORGOTTEN_AFTER = timedelta(days=2 * 365)
MAX_VOTES_PER_DAY = 200
"""Of one person: more than that is a script."""

MAX_TARGET_CHARS = 300
MAX_NOTE_CHARS = 2000
PRIOR_VOTES = 3.0
"""So many imagined neutral votes stand beside the real ones, so that one voice alone decides little."""


class TooManyVotes(KBError):
    """One person has voted more often today than anybody reads runbooks."""

    def __init__(self, principal: str) -> None:
        super().__init__(f"{principal} has cast {MAX_VOTES_PER_DAY} votes in 24 hours.", advice="Vote again tomorrow.")


class Verdict(StrEnum):
    """What a person says of a hit or a recommendation."""

    HELPED = "helped"
    WRONG = "wrong"
    OUTDATED = "outdated"


@dataclass(frozen=True, slots=True)
class NewVote:
    """`target` is what is judged: a runbook id with an anchor (`disk-full#fix`), an action's key, a pattern id.
    `case` is where: an incident id or a search id. The same person's later vote on both replaces the earlier."""

    target: str
    case: str
    verdict: Verdict
    note: str = ""


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote as recorded."""

    vote: NewVote
    principal: str
    event_time: datetime


@dataclass(frozen=True, slots=True)
class NewOutcome:
    """How following `target` (a runbook id, or an action's key) ended for an incident; `took_s` in seconds."""

    incident_id: str
    target: str
    outcome: ActionOutcome
    took_s: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """An outcome as recorded. `recurred_at` tells that the trouble came back although it had helped."""

    outcome: NewOutcome
    principal: str
    event_time: datetime
    recurred_at: datetime | None = None


def feedback_key(principal: str, case: str, target: str) -> str:
    """What a person's vote or outcome on one target in one case is kept under."""
    return hashlib.sha256("\x00".join((principal, case, target)).encode("utf-8", "surrogatepass")).hexdigest()


def ready_vote(vote: NewVote, redact: Redact) -> NewVote:
    """A vote as it may be kept. Raises `InvalidInput` for a target or a case that is none."""
    check_name("target", vote.target)
    check_name("case", vote.case)
    return replace(vote, note=clean_text(vote.note, redact, max_chars=MAX_NOTE_CHARS))


def ready_outcome(outcome: NewOutcome, redact: Redact) -> NewOutcome:
    """An outcome as it may be kept. Raises `InvalidInput` for a target that is none."""
    check_name("target", outcome.target)
    took_s = outcome.took_s
    if took_s is not None and not 0 <= took_s < float("inf"):
        raise InvalidInput("took", "is not a length of time", advice="Give seconds, or a text such as 5m.")
    return replace(outcome, note=clean_text(outcome.note, redact, max_chars=MAX_NOTE_CHARS))


def check_name(field: str, name: str) -> None:
    """Raise `InvalidInput` unless `name` is one printable line of at most `MAX_TARGET_CHARS`."""
    if not name.strip() or len(name) > MAX_TARGET_CHARS or not name.isprintable():
        raise InvalidInput(
            field, "is not the name of anything", advice=f"Use 1 to {MAX_TARGET_CHARS} printable characters."
        )
