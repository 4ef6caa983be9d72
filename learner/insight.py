"""The values of insights: what people should act on, what that rests on, and what a button or a command does about it.
Nothing here computes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from kb.runbook import RunbookType


class InsightKind(StrEnum):
    """What sort of thing an insight tells."""

    RISING = "rising"
    NO_RUNBOOK = "no runbook"
    HARMFUL_ACTION = "harmful action"
    PREVENTION = "prevention"
    SLOW_RECOVERY = "slow recovery"
    ALERT_RULE = "alert rule"
    RESOURCE = "resource"
    RUNBOOK_LACKS = "runbook lacks"
    RUNBOOK_CONTRADICTED = "runbook contradicted"
    RUNBOOK_STALE = "runbook stale"
    RUNBOOKS_UNUSED = "runbooks unused"
    FAILED_SEARCHES = "failed searches"


class ActionKind(StrEnum):
    """What can be done about an insight at once."""

    OPEN_PATTERN = "open pattern"
    OPEN_REVIEW = "open review"
    OPEN_RUNBOOK = "open runbook"
    DRAFT_RUNBOOK = "draft runbook"
    WRITE_RUNBOOK = "write runbook"
    EDIT_RUNBOOK = "edit runbook"
    MARK_REVIEWED = "mark reviewed"
    COPY_RULES = "copy rules"


@dataclass(frozen=True, slots=True)
class InsightAction:
    """What a button or a command does. `subject` is the id of the pattern, review or runbook that it does it to; for
    WRITE_RUNBOOK a title to begin with; for COPY_RULES the pattern, or empty for the rules of all."""

    kind: ActionKind
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Insight:
    """One thing to act on. The ids are its evidence; `weight` orders insights, larger first, and counts roughly the
    incidents or people behind it."""

    kind: InsightKind
    text: str
    weight: float
    action: InsightAction
    pattern_id: str = ""
    incident_ids: tuple[str, ...] = ()
    runbook_ids: tuple[str, ...] = ()
    search_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunbookUse:
    """A runbook that people can find, and what came of it.

    `review_due` is None when nobody asked for reviews. `shown` counts the answers it was in and `opened` how often it
    was opened from one, as far back as searches are remembered. The three lists of incidents are those for which
    somebody told how using it ended: for good, not, or only until the trouble came back.
    """

    runbook_id: str
    title: str
    text: str
    type: RunbookType = RunbookType.STATIC
    alerts: tuple[str, ...] = ()
    review_due: date | None = None
    shown: int = 0
    opened: int = 0
    resolved_ids: tuple[str, ...] = ()
    failed_ids: tuple[str, ...] = ()
    recurred_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FailedSearch:
    """A finished search whose answer was that nothing matches; `query` is redacted."""

    search_id: str
    query: str
    principal: str
    event_time: datetime


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What insights look at beside the patterns.

    `reviews` maps a pattern to its open review. `watched_days` tells for how long searches were recorded; 0: never.
    """

    today: date = date.min
    reviews: Mapping[str, str] = field(default_factory=dict)
    runbooks: tuple[RunbookUse, ...] = ()
    failed_searches: tuple[FailedSearch, ...] = ()
    watched_days: float = 0.0
