"""What the contracts of the records share: people, incidents to tell of, and a clock that is turned by hand."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from kb.incident import ActionOutcome, ActionTaken, DiagnosisStep, Incident, Resolution
from kb.incident_records import Added
from kb.principal import Face, Principal, Role
from kb.record_store import RecordStore
from kb.severity import Severity

ANNA = Principal("anna", Role.RESPONDER, Face.HTTP)
BEN = Principal("ben", Role.APPROVER, Face.WEB)
ALERTMANAGER = Principal("alertmanager", Role.RESPONDER, Face.WEBHOOK)

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@dataclass
class HandClock:
    """A clock that stands until somebody turns it."""

    at: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def turn(self, by: timedelta) -> None:
        self.at += by


@dataclass
class RecordsBench:
    """An empty store, and the clock it goes by."""

    store: RecordStore
    clock: HandClock = field(default_factory=HandClock)

    def add(self, incident: Incident, by: Principal = ANNA) -> Added:
        with self.store.change(by) as change:
            return change.incidents.add(incident)

    def get(self, incident_id: str) -> Incident:
        with self.store.read() as view:
            return view.incidents.get(incident_id).incident


def redact_hunter(text: str) -> str:
    """A stand-in for the real masking, so that a contract needs only one secret."""
    return text.replace("hunter2", "***")


def told(title: str = "Disk full", **more: Any) -> Incident:
    """A report; ids, principal and time of record are the store's to give."""
    fields: dict[str, Any] = {"id": "", "started_at": NOON, "recorded_at": NOON, "reported_by": "", **more}
    return Incident(title=title, **fields)


def told_apart(number: int, **more: Any) -> Incident:
    """A report with an id of its source."""
    return told(f"Incident {number}", source="test", source_id=f"T-{number}", **more)


FULL = told(
    "PostgreSQL is out of connections",
    description="FATAL: sorry, too many clients already",
    type="database",
    severity=Severity.HIGH,
    service="orders",
    alerts=("PostgresTooManyConnections", "OrdersSlow"),
    labels={"namespace": "shop", "pod": "orders-5d"},
    symptoms=("orders fail", "pool exhausted"),
    trigger="a deploy doubled the pool",
    impact="one order in five fails",
    diagnosis=(DiagnosisStep("counted sessions", "select count(*) from pg_stat_activity", "497 of 500"),),
    resolution=Resolution(
        actions=(
            ActionTaken("restarted orders", "kubectl rollout restart deploy/orders", ActionOutcome.DID_NOT_HELP),
            ActionTaken("halved the pool", "", ActionOutcome.HELPED, side_effects=("slower start",), took_s=90.5),
        ),
        success=True,
        resolved_by="ben",
        confirmed="error rate back to zero",
        side_effects=("slower start",),
    ),
    lessons=("pools add up",),
    prevention=("alert at 80 %",),
    links=("https://wiki.example.com/pm/7",),
    acknowledged_at=NOON + 5 * MINUTE,
    resolved_at=NOON + 40 * MINUTE,
    source="wiki",
    source_id="PM-7",
    fingerprint="f00d",
    metadata={"pages": 3, "reviewed": True, "score": 0.5, "by": None, "tags": ["db", {"deep": "er"}]},
)


def numbered(prefix: str = "id") -> Any:
    """A source of ids."""
    numbers = count(1)
    return lambda: f"{prefix}{next(numbers):06}"
