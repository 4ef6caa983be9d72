"""A stage for drafts and reviews: records and runbooks in memory, a clock turned by hand, and patterns that are
whatever incidents the test puts together."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count

from kb.incident import ActionOutcome, ActionTaken, DiagnosisStep, Incident, Resolution
from kb.markdown import parse_document
from kb.memory_records import MemoryRecords
from kb.memory_stores import MemoryRunbookStore
from kb.pattern import Pattern
from kb.pattern_records import Assignment, PatternNotFound
from kb.principal import DISK, Face, Principal, Role
from kb.record_store import RecordStore
from kb.review_records import Review, ReviewStatus
from kb.runbook_store import RunbookStore
from kb.severity import Severity
from learner.distill import distill
from learner.draft_rules import DraftRules
from learner.drafting import Drafter
from learner.reviewing import ReviewPage, Reviews

ANNA = Principal("anna", Role.APPROVER, Face.WEB)
BEN = Principal("ben", Role.RESPONDER, Face.HTTP)
EVE = Principal("eve", Role.RESPONDER, Face.HTTP)
START = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
HELPED, USELESS, WORSE = ActionOutcome.HELPED, ActionOutcome.DID_NOT_HELP, ActionOutcome.MADE_WORSE
RESTART = (("Restart the consumer", HELPED),)


@dataclass
class Stage:
    """`covers` maps pattern ids to the runbooks that cover them."""

    records: RecordStore
    runbooks: RunbookStore
    files: dict[str, bytes]
    at: datetime = START
    rules: DraftRules = field(default_factory=DraftRules)
    covers: dict[str, str] = field(default_factory=dict)
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.drafter = self.new_drafter()
        self.reviews = Reviews(self.records, self.runbooks, pattern=self.pattern, now=self.now)

    def new_drafter(self) -> Drafter:
        return Drafter(
            self.records,
            self.runbooks,
            patterns=lambda: [one for one in self.patterns() if one.frequency >= 3],
            pattern=lambda pattern_id: self.pattern(pattern_id),
            young=lambda: [one for one in self.patterns() if one.frequency < 3],
            covers=lambda pattern: self.covers.get(pattern.id),
            now=self.now,
            rules=self.rules,
        )

    def now(self) -> datetime:
        return self.at

    def turn(self, **span: float) -> None:
        self.at += timedelta(**span)

    def learn(self, pattern_id: str, incidents: int = 1, by: Principal | None = None, **more: object) -> list[str]:
        """Report incidents that stand in a pattern, by two people in turn unless one is named."""
        ids = []
        for number in (next(self.numbers) for _ in range(incidents)):
            principal = by or (BEN, EVE)[number % 2]
            with self.records.change(principal) as change:
                added = change.incidents.add(queue_incident(number, **more))
                change.patterns.assign([Assignment(added.stored.incident.id, pattern_id)])
            ids.append(added.stored.incident.id)
        return ids

    def patterns(self) -> Sequence[Pattern]:
        members: dict[str, list[Incident]] = {}
        with self.records.read() as view:
            for learnt in view.incidents.learnt(limit=100_000):
                if learnt.stored.pattern_id is not None:
                    members.setdefault(learnt.stored.pattern_id, []).append(learnt.stored.incident)
        return [distill(key, found, now=START + timedelta(days=30)) for key, found in sorted(members.items())]

    def pattern(self, pattern_id: str) -> Pattern:
        with self.records.read() as view:
            while (further := view.patterns.get(pattern_id).forwards_to) is not None:
                pattern_id = further
        found = next((one for one in self.patterns() if one.id == pattern_id), None)
        if found is None:
            raise PatternNotFound(pattern_id)
        return found

    def all_reviews(self) -> Sequence[Review]:
        with self.records.read() as view:
            return view.reviews.since(datetime(1970, 1, 1, tzinfo=UTC))

    def only_review(self, status: ReviewStatus = ReviewStatus.OPEN) -> Review:
        with self.records.read() as view:
            (review,) = view.reviews.all(status)
        return review

    def approve(self, review: Review) -> ReviewPage:
        return self.reviews.approve(review.id, ANNA, digest=self.reviews.page(review.id).digest)

    def reject(self, review: Review, reason: str = "not ours") -> ReviewPage:
        return self.reviews.reject(review.id, ANNA, digest=self.reviews.page(review.id).digest, reason=reason)

    def text(self, document_id: str) -> str:
        stored = self.runbooks.get(document_id)
        return self.runbooks.version_text(document_id, stored.version).decode()

    def edit_on_disk(self, path: str, text: str) -> None:
        self.files[path] = text.encode()
        self.runbooks.sync(DISK)


def new_stage(rules: DraftRules | None = None) -> Stage:
    files: dict[str, bytes] = {}
    clock: list[Stage] = []

    def now() -> datetime:
        return clock[0].at if clock else START

    numbers = count(1)
    records = MemoryRecords(now=now, new_id=lambda: f"rev-{next(numbers):04}", redact=str)
    runbooks = MemoryRunbookStore(files, parse=parse_document, now=now)
    stage = Stage(records, runbooks, files, rules=rules or DraftRules())
    clock.append(stage)
    return stage


def queue_incident(
    number: int,
    *,
    title: str = "Checkout queue is growing",
    actions: Sequence[tuple[str, ActionOutcome]] = RESTART,
    alerts: tuple[str, ...] = ("QueueGrowing",),
    success: bool | None = True,
    severity: Severity | None = Severity.HIGH,
    diagnosis: tuple[str, ...] = ("Look at the consumer lag",),
    day: int | None = None,
    **more: object,
) -> Incident:
    at = START - timedelta(days=60) + timedelta(hours=number if day is None else 24 * day)
    incident = Incident(
        id="",
        title=title,
        started_at=at,
        recorded_at=at,
        reported_by="",
        severity=severity,
        service="checkout",
        alerts=alerts,
        duration_s=600.0,
        diagnosis=tuple(DiagnosisStep(text) for text in diagnosis),
        resolution=Resolution(tuple(ActionTaken(text, outcome=outcome) for text, outcome in actions), success=success),
        source="test",
        source_id=f"T-{number}",
    )
    return replace(incident, **more)  # type: ignore[arg-type]  # fields of an incident, by name


class Killed(BaseException):
    """The process dies here."""
