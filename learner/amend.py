"""Pattern + the runbook that covers it -> the same runbook with a part about what was learnt. Pure; a second amendment
of the same pattern replaces the first, and nothing of the author's text is changed."""

import re
from collections.abc import Iterable, Iterator, Sequence

from kb.incident import Incident
from kb.markdown import parse_document
from kb.pattern import ActionStats, Cited, Pattern
from kb.runbook import Document, Runbook
from learner.amend_header import add_alerts
from learner.draft import alert_names
from learner.effectiveness import action_terms
from learner.plain import named, plain

MAX_ACTIONS = 3
MAX_TOLD = 3
_SEEN = "Alert seen with it"


def amend(raw: bytes, pattern: Pattern, incidents: Iterable[Incident], *, path: str, entry_id: str = "") -> str | None:
    """The amended text: the alert names that are missing (in the front matter too, where there is one), causes, fixes
    with their success rates, cautions. `entry_id` names the part of a file of many that covers the pattern.

    None when the runbook says it all already, when its bytes are no UTF-8, and when a part cannot be added without
    changing what its commands are, as behind a code block that nobody closed.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    before = parse_document(raw, path=path)
    bare, at, said_before = _without_block(text, pattern, before, entry_id)
    ordered = sorted(incidents, key=lambda incident: (incident.started_at, incident.id))
    missing = _missing(bare, said_before, ordered)
    lines = list(_lines(bare, pattern, missing))
    if not lines:
        return None
    end = "\r\n" if "\r\n" in text else "\n"
    begin, close = _marks(pattern)
    heading = f"{'#' * _level(before, entry_id)} Learned from incidents: {plain(pattern.name)}{named(_ids(pattern))}"
    block = end.join([begin, heading, "", *lines, close, ""])
    head, tail = bare[:at].rstrip("\r\n"), bare[at:].lstrip("\r\n")
    amended = head + end * 2 + block + (end + tail if tail else "")
    if len(before.runbooks) == 1:
        new = [told for told in missing if told.text not in before.runbooks[0].alerts]
        amended = add_alerts(amended, new)
    after = parse_document(amended.encode("utf-8"), path=path)
    return amended if _shape(before) == _shape(after) and amended != text else None


def _marks(pattern: Pattern) -> tuple[str, str]:
    mark = re.sub(r"[^A-Za-z0-9-]", "", pattern.id)
    return f"<!-- learned {mark} -->", f"<!-- /learned {mark} -->"


def _without_block(text: str, pattern: Pattern, document: Document, entry_id: str) -> tuple[str, int, str]:
    """The text without what was added for this pattern before, where such a part goes (where it was, else at the end of
    the runbook that covers the pattern), and what that part said."""
    begin, close = (re.escape(mark) for mark in _marks(pattern))
    found = re.search(rf"(?:\r?\n)*{begin}.*?{close}(?:\r?\n)*", text, re.S)
    if found:
        bare = text[: found.start()] + "\n" + text[found.end() :]
        return bare, found.start() + 1, found[0]
    entry = _entry(document, entry_id)
    if entry is None or document.text != text:
        return text, len(text), ""
    return text, entry.start + len(entry.text), ""


def _entry(document: Document, entry_id: str) -> Runbook | None:
    return next((entry for entry in document.runbooks[1:] if entry.id == entry_id), None)


def _level(document: Document, entry_id: str) -> int:
    entry = _entry(document, entry_id)
    outer = entry.sections[0].level if entry is not None and entry.sections else 1
    return min(max(outer, 1) + 1, 6)


def _shape(document: Document) -> list[object]:
    """Everything in a file that somebody or something could run, and the runbooks that it holds."""
    commands = [command.text for part in document.runbooks[0].sections for command in part.commands]
    return [commands, *((runbook.id, runbook.steps, runbook.owner) for runbook in document.runbooks)]


def _missing(text: str, said_before: str, incidents: Sequence[Incident]) -> list[Cited]:
    """Alert names that the text does not have, and those that an earlier amendment has brought."""
    known, brought = text.lower(), f"- {_SEEN}: "
    return [
        told
        for told in alert_names(incidents)
        if told.text.lower() not in known or f"{brought}{plain(told.text)} (" in said_before
    ]


def _lines(text: str, pattern: Pattern, missing: Sequence[Cited]) -> Iterator[str]:
    """Nothing when the text says it all: what it does not, then what has worked so far with its numbers."""
    known, terms = text.lower(), action_terms(text)
    causes = [told for told in pattern.triggers if told.text.lower() not in known][:MAX_TOLD]
    worked = [stats for stats in pattern.actions if stats.worked][:MAX_ACTIONS]
    harmful = [stats for stats in pattern.actions if stats.worse][:MAX_ACTIONS]
    new_fix = any(not action_terms(stats.name) <= terms for stats in worked)
    if not (missing or causes or harmful or new_fix):
        return
    yield from _told(_SEEN, missing)
    yield from _told("Cause seen", causes)
    yield from (_fix(stats) for stats in worked)
    for stats in harmful:
        yield f"- Caution: {plain(stats.name)} made it worse in {stats.worse}{named(stats.worse_ids)}"


def _told(what: str, told: Iterable[Cited]) -> Iterator[str]:
    yield from (f"- {what}: {plain(item.text)}{named(item.incident_ids)}" for item in told)


def _fix(stats: ActionStats) -> str:
    low, high = stats.success.interval.low, stats.success.interval.high
    rate = f"worked in {stats.worked} of {stats.success.trials} ({low:.0%} to {high:.0%})"
    return f"- Fix: {plain(stats.name)}, {rate}{named(stats.worked_ids)}"


def _ids(pattern: Pattern) -> tuple[str, ...]:
    return pattern.evidence.incident_ids
