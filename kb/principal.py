"""Who does something, in which role, through which face. Every write and every audit line carries one."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a principal may be, weakest first. Which act needs which role is decided in one table, in `api.access`."""

    VIEWER = "viewer"
    RESPONDER = "responder"
    APPROVER = "approver"
    ADMIN = "admin"
    AGENT = "agent"
    LOCAL = "local"
    SYSTEM = "system"


class Face(StrEnum):
    """The door through which a principal came in."""

    HTTP = "http"
    WEB = "web"
    CLI = "cli"
    MCP = "mcp"
    WEBHOOK = "webhook"
    DISK = "disk"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Principal:
    """A named actor. `name` is shown to people and written to the audit; it is never empty."""

    name: str
    role: Role
    face: Face


def local(face: Face) -> Principal:
    """The person at the keyboard of this machine, when no keys are configured."""
    return Principal(name="local", role=Role.LOCAL, face=face)


DISK = Principal(name="disk", role=Role.SYSTEM, face=Face.DISK)
SYSTEM = Principal(name="sre-kb", role=Role.SYSTEM, face=Face.SYSTEM)
