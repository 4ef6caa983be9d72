"""What a section of a runbook is for, as its heading says (pure)."""

import re
from collections.abc import Sequence
from enum import IntEnum


class Role(IntEnum):
    """What a section is for, as its heading says. OTHER has a heading of its own making."""

    OTHER = 0
    ABOUT = 1
    IMPACT = 2
    DIAGNOSIS = 3
    RECOVERY = 4
    VERIFICATION = 5
    ROLLBACK = 6
    ESCALATION = 7
    PREVENTION = 8
    DURATION = 9
    REFERENCE = 10


_HEADINGS: tuple[tuple[Role, str], ...] = (
    (Role.REFERENCE,
        r"references?|links|see also|related|further reading|contents|table of contents|toc|history|"
        r"changelog|metadata|appendix|additional resources|resources"),
    (Role.DURATION,
        r"time to recover|expected (?:mttr|duration|time).*|mttr|recovery time.*|duration|how long.*|"
        r"timeline"),
    (Role.ROLLBACK, r"roll ?back.*|rolling back.*|back ?out.*|revert.*|undo.*"),
    (Role.VERIFICATION,
        r"verif.*|validation|confirm.*|post[- ]?(?:checks?|validation).*|how to know.*|check that.*|"
        r"success criteria"),
    (Role.ESCALATION, r"escalat.*|contacts?|who to (?:call|contact|page).*|on[- ]?call.*|support|ownership|owners?"),
    (Role.PREVENTION,
        r"prevent.*|follow[- ]?ups?.*|lessons.*|long[- ]term.*|hardening|corrective actions|"
        r"action items|improvements?"),
    (Role.IMPACT, r"impact.*|consequences?|blast radius|business impact|severity|effects?"),
    (Role.ABOUT,
        r"symptoms?.*|meaning|description|summary|overview|about.*|introduction|intro|background|"
        r"alerts?|context|purpose|what is.*|trigger.*|conditions?|signals?"),
    (Role.DIAGNOSIS,
        r"diagnos.*|investigat.*|troubleshoot.*|triage.*|debug.*|what to check.*|checks?|steps to check|"
        r"root cause.*|(?:possible |common |likely )?causes?.*|analysis|first steps?.*|steps?|procedure|"
        r"initial (?:response|checks?|steps?).*|assess.*|likely suspects"),
    (Role.RECOVERY,
        r"recover.*|mitigat.*|resol.*|fix.*|remediat.*|solutions?.*|workarounds?.*|actions?|"
        r"how to (?:fix|resolve|recover).*|what to do.*|repair.*|quick fix.*|response"),
)  # fmt: skip
_ROLE_OF = tuple(
    (role, re.compile(rf"(?:\d{{1,2}}[.)]\s*)?(?:{pattern})\W*", re.IGNORECASE)) for role, pattern in _HEADINGS
)


def role_of(section_path: Sequence[str], runbook_title: str) -> Role:
    """What a section is for, by its own heading; what stands under the runbook's title, or before any heading,
    introduces it. A heading that says nothing inherits from those above only what is asked for by name (verification
    and the like)."""
    if not section_path or (len(section_path) == 1 and section_path[0] == runbook_title):
        return Role.ABOUT
    own = _named_role(section_path[-1])
    if own is not Role.OTHER:
        return own
    for title in reversed(section_path[:-1]):
        above = _named_role(title)
        if above in _INHERITED:
            return above
    return Role.OTHER


_INHERITED = frozenset(
    {Role.VERIFICATION, Role.ROLLBACK, Role.ESCALATION, Role.PREVENTION, Role.REFERENCE, Role.DURATION, Role.IMPACT}
)


def _named_role(title: str) -> Role:
    for role, pattern in _ROLE_OF:
        if pattern.fullmatch(title.strip()[:120]):
            return role
    return Role.OTHER
