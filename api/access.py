"""Who may do what. One table names the least role for every route, command and tool; every face asks it, nobody keeps
rules of its own. A door without a row stays shut."""

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from kb.errors import KBError
from kb.principal import Principal, Role

# The ladder that people climb. LOCAL and SYSTEM stand outside it: they may do everything, and exist only where nobody
# else can come in (the loopback interface, this process itself).
_RANK: Mapping[Role, int] = MappingProxyType({Role.VIEWER: 1, Role.RESPONDER: 2, Role.APPROVER: 3, Role.ADMIN: 4})
_UNBOUND = frozenset({Role.LOCAL, Role.SYSTEM})
# An agent works for somebody: it may read and propose as a responder does, and never climbs to what needs consent.
_AGENT_RANK = 2

LEAST_ROLE: Mapping[str, Role] = MappingProxyType(
    {
        "GET /runbooks/search": Role.VIEWER,
        "POST /runbooks/search": Role.VIEWER,
        "GET /runbooks": Role.VIEWER,
        "GET /runbooks/health": Role.VIEWER,
        "POST /runbooks/create": Role.RESPONDER,
        "GET /runbooks/{runbook_id}": Role.VIEWER,
        "PUT /runbooks/{runbook_id}": Role.RESPONDER,
        "DELETE /runbooks/{runbook_id}": Role.APPROVER,
        "GET /runbooks/{runbook_id}/versions": Role.VIEWER,
        "GET /runbooks/{runbook_id}/versions/{number}": Role.VIEWER,
        "GET /runbooks/{runbook_id}/diff": Role.VIEWER,
        "POST /runbooks/{runbook_id}/restore": Role.RESPONDER,
        "POST /runbooks/{runbook_id}/publish": Role.APPROVER,
        "POST /runbooks/{runbook_id}/reviewed": Role.APPROVER,
        "POST /runbooks/learn": Role.RESPONDER,
        "POST /learn": Role.RESPONDER,
        "GET /runbooks/patterns": Role.VIEWER,
        "POST /runbooks/{runbook_id}/promote": Role.APPROVER,
        "POST /incidents/batch": Role.RESPONDER,
        "GET /incidents": Role.VIEWER,
        "GET /incidents/{incident_id}": Role.VIEWER,
        "PATCH /incidents/{incident_id}": Role.RESPONDER,
        "POST /incidents/{incident_id}/notes": Role.RESPONDER,
        "POST /incidents/{incident_id}/unlearn": Role.RESPONDER,
        "POST /incidents/{incident_id}/learn-again": Role.RESPONDER,
        "GET /incidents/{incident_id}/outcomes": Role.VIEWER,
        "POST /incidents/{incident_id}/outcomes": Role.RESPONDER,
        "GET /patterns/{pattern_id}": Role.VIEWER,
        "PATCH /patterns/{pattern_id}": Role.RESPONDER,
        "POST /patterns/merge": Role.RESPONDER,
        "POST /patterns/{pattern_id}/split": Role.RESPONDER,
        "GET /resolutions/effectiveness": Role.VIEWER,
        "POST /recommend": Role.VIEWER,
        "GET /insights": Role.VIEWER,
        "GET /insights/rules": Role.VIEWER,
        "GET /learning/accuracy": Role.VIEWER,
        "GET /trends": Role.VIEWER,
        "GET /reviews": Role.VIEWER,
        "GET /reviews/{review_id}": Role.VIEWER,
        "PUT /reviews/{review_id}/draft": Role.RESPONDER,
        "POST /reviews/{review_id}/approve": Role.APPROVER,
        "POST /reviews/{review_id}/reject": Role.APPROVER,
        "POST /reviews/{review_id}/undo": Role.APPROVER,
        "PUT /feedback": Role.RESPONDER,
        "DELETE /feedback": Role.RESPONDER,
        "GET /pins": Role.VIEWER,
        "GET /pins/{alertname}": Role.VIEWER,
        "PUT /pins/{alertname}": Role.RESPONDER,
        "DELETE /pins/{alertname}": Role.RESPONDER,
        "POST /searches/{search_id}/events": Role.VIEWER,
        "GET /storage/usage": Role.VIEWER,
        "POST /index/refresh": Role.RESPONDER,
        "GET /healthz": Role.VIEWER,
        "GET /readyz": Role.VIEWER,
        "GET /openapi.json": Role.VIEWER,
        "GET /docs": Role.VIEWER,
        "GET /": Role.VIEWER,
        "POST /": Role.VIEWER,
        "GET /search": Role.VIEWER,
        "POST /search": Role.VIEWER,
        "POST /search/advice": Role.VIEWER,
        "GET /browse": Role.VIEWER,
        "GET /a/{alertname}": Role.VIEWER,
        "GET /r/{runbook_id}": Role.VIEWER,
        "GET /r/{runbook_id}/history": Role.VIEWER,
        "GET /r/{runbook_id}/diff": Role.VIEWER,
        "GET /r/{runbook_id}/edit": Role.RESPONDER,
        "POST /r/{runbook_id}/edit": Role.RESPONDER,
        "POST /r/{runbook_id}/preview": Role.RESPONDER,
        "POST /r/{runbook_id}/restore": Role.RESPONDER,
        "POST /r/{runbook_id}/publish": Role.APPROVER,
        "POST /r/{runbook_id}/reviewed": Role.APPROVER,
        "GET /browse/incidents": Role.VIEWER,
        "GET /i/new": Role.RESPONDER,
        "POST /i/new": Role.RESPONDER,
        "GET /i/{incident_id}": Role.VIEWER,
        "GET /i/{incident_id}/edit": Role.RESPONDER,
        "POST /i/{incident_id}/edit": Role.RESPONDER,
        "GET /i/{incident_id}/resolve": Role.RESPONDER,
        "POST /i/{incident_id}/resolve": Role.RESPONDER,
        "POST /i/{incident_id}/assign": Role.RESPONDER,
        "POST /i/{incident_id}/note": Role.RESPONDER,
        "POST /i/{incident_id}/vote": Role.RESPONDER,
        "POST /i/{incident_id}/reopen": Role.RESPONDER,
        "POST /i/{incident_id}/unlearn": Role.RESPONDER,
        "POST /i/{incident_id}/learn-again": Role.RESPONDER,
        "GET /browse/patterns": Role.VIEWER,
        "GET /p/{pattern_id}": Role.VIEWER,
        "POST /p/{pattern_id}/rename": Role.RESPONDER,
        "POST /p/{pattern_id}/merge": Role.RESPONDER,
        "POST /p/{pattern_id}/split": Role.RESPONDER,
        "POST /p/{pattern_id}/unlearn": Role.RESPONDER,
        "GET /browse/reviews": Role.VIEWER,
        "GET /d/{review_id}": Role.VIEWER,
        "GET /d/{review_id}/edit": Role.RESPONDER,
        "POST /d/{review_id}/edit": Role.RESPONDER,
        "POST /d/{review_id}/preview": Role.RESPONDER,
        "POST /d/{review_id}/approve": Role.APPROVER,
        "POST /d/{review_id}/reject": Role.APPROVER,
        "POST /d/{review_id}/undo": Role.APPROVER,
        "POST /d/{review_id}/promote": Role.APPROVER,
        "GET /write": Role.RESPONDER,
        "POST /write": Role.RESPONDER,
        "POST /write/preview": Role.RESPONDER,
        "GET /browse/insights": Role.VIEWER,
        "GET /dashboards/incidents": Role.VIEWER,
        "GET /dashboards/learning": Role.VIEWER,
        "GET /assets/{version}/{name:path}": Role.VIEWER,
        "cli serve": Role.ADMIN,
        "cli index": Role.RESPONDER,
        "cli search": Role.VIEWER,
        "cli show": Role.VIEWER,
        "cli eval": Role.VIEWER,
        "cli doctor": Role.VIEWER,
        "cli versions": Role.VIEWER,
        "cli diff": Role.VIEWER,
        "cli restore": Role.RESPONDER,
        "cli publish": Role.APPROVER,
        "cli reviewed": Role.APPROVER,
        "cli pin": Role.RESPONDER,
        "cli unpin": Role.RESPONDER,
        "cli list": Role.VIEWER,
        "cli version": Role.VIEWER,
        "cli pins": Role.VIEWER,
        "cli learn": Role.RESPONDER,
        "cli replay": Role.VIEWER,
        "cli incidents": Role.VIEWER,
        "cli incident": Role.VIEWER,
        "cli patterns": Role.VIEWER,
        "cli pattern": Role.RESPONDER,
        "cli recommend": Role.VIEWER,
        "cli review": Role.APPROVER,
        "cli insights": Role.VIEWER,
        "cli trends": Role.VIEWER,
    }
)


class AccessDenied(KBError):
    """The principal's role does not reach what this door asks."""

    def __init__(self, door: str, principal: Principal, least: Role | None) -> None:
        asks = f"it asks for the role {least.value}" if least else "nobody has been given access to it"
        super().__init__(
            f"{principal.name} ({principal.role.value}) may not use {door}: {asks}.",
            advice="Ask an administrator for a role that may." if least else "Add a row for it to the access table.",
        )
        self.door = door


def may(principal: Principal, door: str, table: Mapping[str, Role] = LEAST_ROLE) -> bool:
    """Whether `principal` may pass `door`; a door that the table does not list is shut for everyone."""
    least = table.get(door)
    if least is None:
        return False
    if principal.role in _UNBOUND:
        return True
    rank = _AGENT_RANK if principal.role is Role.AGENT else _RANK[principal.role]
    return rank >= _RANK[least]


def require(principal: Principal, door: str, table: Mapping[str, Role] = LEAST_ROLE) -> None:
    """Raise `AccessDenied` unless `principal` may pass `door` (such as "GET /runbooks/search" or "cli index")."""
    if not may(principal, door, table):
        raise AccessDenied(door, principal, table.get(door))


def methods_at(path: str, table: Mapping[str, Role] = LEAST_ROLE) -> tuple[str, ...]:
    """The HTTP methods that some door at this path takes, in order; none for a path without a door."""
    doors = (door.partition(" ") for door in table if not door.startswith("cli "))
    return tuple(sorted({method for method, _, template in doors if _pattern(template).fullmatch(path)}))


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """A route's template as a pattern: `{name}` stands for one part of a path, `{name:path}` for the rest of it."""
    parts = re.split(r"(\{[a-z_]+(?::path)?\})", template)
    return re.compile(
        "".join((".+" if ":path" in part else "[^/]+") if part.startswith("{") else re.escape(part) for part in parts)
    )
