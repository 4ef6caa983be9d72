"""A stage on which things have happened: two kinds of incidents that keep coming back, an open one of the first kind,
and the drafts that the learner has written because of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from api.learning.service import Learning
from kb.incident import (
    ActionOutcome,
    ActionTaken,
    DiagnosisStep,
    Incident,
    IncidentStatus,
    Resolution,
)
from kb.pattern import Pattern
from kb.principal import Face, Principal, Role, local
from kb.severity import Severity
from learner.drafting import Drafter
from tests.web.stage import NOW, Stage, build_stage

PEOPLE = ("ann", "bela", "chen")


@dataclass
class LivedStage:
    """A stage, and the ids of what is on it."""

    stage: Stage
    learning: Learning
    open_id: str
    memory_id: str
    certificate_id: str
    patch_id: str
    draft_id: str

    def drafter(self) -> Drafter:
        """What writes drafts here. The runbook about crashing pods covers the incidents about memory."""
        return Drafter(
            self.stage.records,
            self.stage.store,
            patterns=self.learning.patterns,
            pattern=lambda pattern_id: self.learning.pattern(pattern_id).pattern,
            covers=_covers,
            now=lambda: NOW,
        )


def _covers(pattern: Pattern) -> str | None:
    return "pod-crash" if dict(pattern.services).get("checkout") else None


def build_lived_stage(**settings: object) -> LivedStage:
    """All of it, from nothing."""
    stage = build_stage(**settings)  # type: ignore[arg-type]  # settings of the application
    learning = stage.app.state.services.learning
    for number, incident in enumerate([*memory_incidents(), *certificate_incidents()]):
        learning.learn(incident, Principal(PEOPLE[number % 3], Role.RESPONDER, Face.HTTP))
    opened = learning.learn(open_incident(), local(Face.HTTP)).learned.stored.incident.id
    patterns = {pattern.frequency: pattern.id for pattern in learning.patterns()}
    lived = LivedStage(stage, learning, opened, patterns[6], patterns[4], "", "")
    lived.drafter().run()
    by_pattern = {item.review.draft.pattern_id: item.review.id for item in learning.reviews()}
    lived.patch_id, lived.draft_id = by_pattern[patterns[6]], by_pattern[patterns[4]]
    return lived


def memory_incidents() -> Iterator[Incident]:
    """Six incidents: raising the limit helped in all, restarting never did, and twice it made things worse."""
    for number in range(6):
        began = NOW - timedelta(days=12 * number + 1)
        restarted = ActionOutcome.MADE_WORSE if number in (1, 3) else ActionOutcome.DID_NOT_HELP
        yield _resolved(
            "Checkout pods are killed for memory",
            "Containers of checkout end with OOMKilled",
            began,
            minutes=20 + 7 * number,
            source_id=f"memory-{number}",
            severity=Severity.HIGH,
            service="checkout",
            alert="KubeContainerOOMKilled",
            actions=(
                ActionTaken(
                    "Raised the memory limit", "kubectl set resources deploy/checkout", ActionOutcome.HELPED, took_s=300
                ),
                ActionTaken("Restarted the pod", "", restarted, side_effects=("lost the sessions",)),
            ),
        )


def certificate_incidents() -> Iterator[Incident]:
    """Four incidents that one renewal ended."""
    for number in range(4):
        began = NOW - timedelta(days=20 * number + 3)
        yield _resolved(
            "TLS certificate of the gateway has expired",
            "Clients refuse the certificate of the gateway",
            began,
            minutes=15 + number,
            source_id=f"certificate-{number}",
            severity=Severity.CRITICAL,
            service="gateway",
            alert="CertificateExpired",
            actions=(ActionTaken("Renewed the certificate", "certbot renew", ActionOutcome.HELPED),),
        )


def open_incident() -> Incident:
    """One that is going on, of the first kind."""
    began = NOW - timedelta(minutes=40)
    return Incident(
        id="",
        title="Checkout pods are killed for memory",
        description="Containers of checkout end with OOMKilled",
        started_at=began,
        recorded_at=began,
        reported_by="alertmanager",
        status=IncidentStatus.OPEN,
        severity=Severity.CRITICAL,
        service="checkout",
        alerts=("KubeContainerOOMKilled",),
        labels={"alertname": "KubeContainerOOMKilled", "namespace": "shop"},
        links=("https://graphs.example.com/d/1", "javascript:alert(1)"),
        impact="Customers cannot pay",
        source="alertmanager",
        source_id="open-1",
    )


def _resolved(
    title: str,
    description: str,
    began: datetime,
    *,
    minutes: int,
    source_id: str,
    severity: Severity,
    service: str,
    alert: str,
    actions: tuple[ActionTaken, ...],
) -> Incident:
    return Incident(
        id="",
        title=title,
        description=description,
        started_at=began,
        recorded_at=began,
        reported_by="",
        severity=severity,
        service=service,
        alerts=(alert,),
        labels={"alertname": alert},
        symptoms=("requests fail",),
        trigger="a deploy",
        diagnosis=(DiagnosisStep("Looked at the events", "kubectl get events", "the kernel killed it"),),
        resolution=Resolution(actions, success=True, resolved_by="ann"),
        lessons=("Set limits before the traffic comes",),
        prevention=("Warn at 80 % of the limit",),
        acknowledged_at=began + timedelta(minutes=4),
        resolved_at=began + timedelta(minutes=minutes),
        source="test",
        source_id=source_id,
    )
