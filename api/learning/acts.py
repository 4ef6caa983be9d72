"""The values that faces and `Learning` trade in: what somebody gets to see of incidents, patterns, recommendations
and insights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from api.learning.parts import Learned
from kb.hits import Answer
from kb.incident_records import IncidentNote, StoredIncident
from kb.pattern import Pattern
from kb.pattern_records import PatternEvent, PatternRecord
from kb.review_records import Review, ReviewStatus
from kb.severity import Severity
from kb.severity_policy import DueDuty, Escalation, Level, Phase
from learner.accuracy import Accuracy, ResponseTimes
from learner.insight import Insight
from learner.recommend import Recommendation, SimilarIncident


@dataclass(frozen=True, slots=True)
class LearnAnswer:
    """What came of an incident that was sent in.

    `pattern` is None while its group is too small to be one. `runbook` is the latest draft or runbook that was written
    for the pattern, None when there is none yet; `advice` are sentences for whoever sent the incident.
    """

    learned: Learned
    pattern: Pattern | None
    runbook: Review | None
    advice: tuple[str, ...]

    @property
    def confidence(self) -> float:
        """How likely the incident belongs to its pattern; 0 while it has none."""
        return self.learned.likelihood if self.learned.is_pattern else 0.0


@dataclass(frozen=True, slots=True)
class IncidentView:
    """One incident with all that is known around it.

    `pattern` is None for a group too small to be one, for an incident that was not learnt or was taken out.
    `recommendation` is there while the incident is not resolved; `similar` are past incidents of its kind. `degraded`
    says what could not be told at the moment, empty when all could.
    """

    stored: StoredIncident
    notes: Sequence[IncidentNote]
    level: Level | None
    duties: tuple[DueDuty, ...]
    called: tuple[Escalation, ...]
    phase: Phase | None
    pattern: Pattern | None = None
    similar: Sequence[SimilarIncident] = ()
    recommendation: Recommendation | None = None
    degraded: str = ""


@dataclass(frozen=True, slots=True)
class PatternView:
    """One pattern, its record, its history, oldest first, and the drafts that were written for it or for what it was
    made of, those that changed last first."""

    pattern: Pattern
    record: PatternRecord
    history: Sequence[PatternEvent]
    reviews: tuple[Review, ...]

    @property
    def runbook_ids(self) -> tuple[str, ...]:
        """The runbooks that these drafts are, or change; not of those that were turned down or taken back."""
        standing = (ReviewStatus.OPEN, ReviewStatus.APPROVED)
        return tuple(dict.fromkeys(one.draft.document_id for one in self.reviews if one.status in standing))


@dataclass(frozen=True, slots=True)
class RecommendView:
    """What to do about an alert or a text: runbook sections, and what ended such incidents before.

    `recommendation` is None when nothing was learnt or the learner cannot answer; `degraded` says so then. `level` is
    that of the severity the alert names, else of the pattern's. `confidence` is the probability that what stands first
    is right: the pattern, or the first runbook where no pattern is recognised; 0 with nothing to say.
    """

    answer: Answer
    recommendation: Recommendation | None
    pattern: Pattern | None
    level: Level | None
    runbook_ids: tuple[str, ...]
    confidence: float
    degraded: str = ""

    @property
    def has_something(self) -> bool:
        """Whether there is a runbook or a pattern to go by."""
        return self.answer.confident or (self.recommendation is not None and self.recommendation.confident)


@dataclass(frozen=True, slots=True)
class InsightsView:
    """What the patterns ask people to do, weightiest first; `rules` is a Prometheus rule file, empty for none."""

    insights: tuple[Insight, ...]
    rules: str


@dataclass(frozen=True, slots=True)
class AccuracyView:
    """How often people confirmed or refused what the learner did, and how long incidents took."""

    accuracy: Accuracy
    times: Sequence[ResponseTimes]


@dataclass(frozen=True, slots=True)
class TrendDay:
    """One day, UTC: incidents that began on it, by severity (None where nobody said), and how many of them are
    resolved. `median_s` is the median length of those that ended, None when none did."""

    day: date
    by_severity: Mapping[Severity | None, int]
    resolved: int
    median_s: float | None

    @property
    def total(self) -> int:
        """All that began on this day."""
        return sum(self.by_severity.values())
