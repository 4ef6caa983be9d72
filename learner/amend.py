"""Pattern + the runbook that covers it -> the same runbook with a part about what was learnt, and the diff. Pure; a
second amendment of the same pattern replaces the first."""

import difflib
import re
from dataclasses import dataclass

from kb.pattern import Pattern
from learner.draft import plain

MAX_ACTIONS = 3


@dataclass(frozen=True, slots=True)
class Amendment:
    """`text` is the amended file, `diff` unified; both equal to no change when nothing was learnt that is not there."""

    text: str
    diff: str


def amend(text: str, pattern: Pattern, *, path: str) -> Amendment:
    """Add the alert names that are missing, the fixes with their success rates and the cautions. Nothing of the
    author's text is changed; `path` only labels the diff."""
    begin, end = f"<!-- learned {pattern.id} -->", f"<!-- /learned {pattern.id} -->"
    old = re.compile(rf"\n*{re.escape(begin)}.*?{re.escape(end)}\n*", re.S)
    bare = old.sub("\n", text)
    lines = _lines(bare, pattern)
    amended = text
    if lines:
        amended = "\n".join([bare.rstrip("\n"), "", begin, *lines, end, ""])
    diff = difflib.unified_diff(text.splitlines(True), amended.splitlines(True), f"a/{path}", f"b/{path}")
    return Amendment(amended, "".join(diff))


def _lines(text: str, pattern: Pattern) -> list[str]:
    known = text.lower()
    missing = [alert for alert, _ in pattern.alerts if alert.lower() not in known]
    worked = [stats for stats in pattern.actions if stats.worked and stats.name.lower() not in known]
    harmful = [stats for stats in pattern.actions if stats.worse]
    told = [f"- Alert seen with it: {plain(alert)}{_from(pattern.evidence.incident_ids)}" for alert in missing]
    for stats in worked[:MAX_ACTIONS]:
        rate = f"worked in {stats.worked} of {stats.success.trials}"
        told.append(f"- Fix: {plain(stats.name)}, {rate}{_from(stats.worked_ids)}")
    told.extend(f"- Caution: {plain(stats.name)} made it worse{_from(stats.worse_ids)}" for stats in harmful)
    return [f"### Learned from incidents: {plain(pattern.name)}", "", *told] if told else []


def _from(ids: tuple[str, ...]) -> str:
    return f" ({', '.join(plain(incident_id) for incident_id in ids[:5])})"
