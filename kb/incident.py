"""Alert and incident values. An alert is one firing signal, whoever sent it; adapters turn payloads into it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kb.severity import Severity


@dataclass(frozen=True, slots=True)
class Alert:
    """One firing or resolved signal. `name` is empty when the sender gave none; times are aware, UTC."""

    name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    status: str = "firing"
    severity: Severity | None = None
    service: str = ""
    runbook_url: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    fingerprint: str = ""
    source: str = ""
