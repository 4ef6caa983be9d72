"""One severity scale, and every vocabulary that maps onto it."""

from enum import StrEnum


class Severity(StrEnum):
    """How bad, worst first: critical, high, medium, low. `info` is for signals that ask for nothing."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"
