"""What the patterns ask people to do, as the insights page shows it: grouped by kind, each with its evidence and with
what a click does. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from api.learning.acts import InsightsView
from api.web.amounts import counted
from api.web.pattern_view import incident_links
from api.web.urls import Urls
from kb.incident_records import StoredIncident
from learner.insight import ActionKind, Insight, InsightKind

MAX_SHOWN = 30

# Kind -> its title and what it means, in the order in which the page shows them.
_KINDS: Mapping[InsightKind, tuple[str, str]] = {
    InsightKind.RISING: ("Rising", "They come back more often than they used to, more than chance would explain."),
    InsightKind.HARMFUL_ACTION: ("Made it worse", "Actions that did harm more than once."),
    InsightKind.RUNBOOK_CONTRADICTED: ("Runbooks that outcomes contradict", "Following them did not end the trouble."),
    InsightKind.NO_RUNBOOK: ("No runbook", "Patterns that nobody has written a runbook for."),
    InsightKind.RUNBOOK_LACKS: ("Missing from a runbook", "Incidents tell something that the runbook does not."),
    InsightKind.FAILED_SEARCHES: ("Searches that found nothing", "People looked for these and left with nothing."),
    InsightKind.PREVENTION: ("Prevention", "What the people who resolved them ask for, again and again."),
    InsightKind.RESOURCE: ("Resources", "Incidents that point at a size, a limit or a quota."),
    InsightKind.ALERT_RULE: (
        "Earlier warning",
        "Rules that would warn when a known trouble returns; they stand below.",
    ),
    InsightKind.SLOW_RECOVERY: ("Slow recovery", "Half of them last longer than an hour."),
    InsightKind.RUNBOOK_STALE: ("Runbooks to look at again", "Their date of review has passed."),
    InsightKind.RUNBOOKS_UNUSED: ("Unused runbooks", "Nobody has opened them since searches are remembered."),
}
_ACTS: Mapping[ActionKind, str] = {
    ActionKind.OPEN_PATTERN: "Look at the pattern",
    ActionKind.OPEN_REVIEW: "Review the draft",
    ActionKind.OPEN_RUNBOOK: "Read the runbook",
    ActionKind.DRAFT_RUNBOOK: "Draft a runbook",
    ActionKind.WRITE_RUNBOOK: "Write a runbook",
    ActionKind.EDIT_RUNBOOK: "Edit the runbook",
    ActionKind.MARK_REVIEWED: "Read it, then say that it holds",
    ActionKind.COPY_RULES: "See the rules",
}


@dataclass(frozen=True, slots=True)
class InsightLine:
    """One insight. `act` is what the button says."""

    text: str
    evidence: str
    incidents: tuple[tuple[str, str], ...]
    runbooks: tuple[tuple[str, str], ...]
    searches: int
    more: int
    act: str
    act_href: str
    command: str
    pattern_href: str


@dataclass(frozen=True, slots=True)
class InsightGroup:
    """All insights of one kind, weightiest first; `total` counts also those that are not shown."""

    anchor: str
    title: str
    says: str
    lines: tuple[InsightLine, ...]
    total: int


@dataclass(frozen=True, slots=True)
class InsightsScreen:
    """The page."""

    groups: tuple[InsightGroup, ...]
    rules: str


def shown_insights(view: InsightsView) -> dict[InsightKind, list[Insight]]:
    """The insights by kind, in the page's order, weightiest first."""
    by_kind: dict[InsightKind, list[Insight]] = {kind: [] for kind in _KINDS}
    for insight in view.insights:
        by_kind.setdefault(insight.kind, []).append(insight)
    return {kind: found for kind, found in by_kind.items() if found}


def evidence_of(insights: Iterable[Insight]) -> frozenset[str]:
    """The incidents whose titles the page needs."""
    return frozenset(key for insight in insights for key in insight.incident_ids[-5:])


def insights_screen(view: InsightsView, incidents: Mapping[str, StoredIncident], urls: Urls) -> InsightsScreen:
    """The page; `incidents` holds those that are named on it."""
    groups = tuple(
        InsightGroup(
            anchor=kind.value.replace(" ", "-"),
            title=_KINDS[kind][0],
            says=_KINDS[kind][1],
            lines=tuple(_line(insight, incidents, urls) for insight in found[:MAX_SHOWN]),
            total=len(found),
        )
        for kind, found in shown_insights(view).items()
    )
    return InsightsScreen(groups, view.rules)


def _line(insight: Insight, incidents: Mapping[str, StoredIncident], urls: Urls) -> InsightLine:
    links = incident_links(insight.incident_ids, incidents, urls)
    action = insight.action
    return InsightLine(
        text=insight.text,
        evidence=_evidence(insight),
        incidents=links,
        runbooks=tuple((urls.runbook(key), key) for key in insight.runbook_ids[:MAX_SHOWN]),
        searches=len(insight.search_ids),
        more=max(0, len(insight.incident_ids) - len(links)),
        act=_ACTS[action.kind],
        act_href=_act_href(action.kind, action.subject, urls),
        command=_command(action.kind, action.subject),
        pattern_href=urls.pattern(insight.pattern_id) if insight.pattern_id else "",
    )


def _evidence(insight: Insight) -> str:
    parts = (
        counted(len(insight.incident_ids), "incident") if insight.incident_ids else "",
        counted(len(insight.runbook_ids), "runbook") if insight.runbook_ids else "",
        counted(len(insight.search_ids), "search", "searches") if insight.search_ids else "",
    )
    return ", ".join(part for part in parts if part)


def _act_href(kind: ActionKind, subject: str, urls: Urls) -> str:
    if kind is ActionKind.OPEN_PATTERN:
        return urls.pattern(subject)
    if kind is ActionKind.OPEN_REVIEW:
        return urls.review(subject)
    if kind in (ActionKind.OPEN_RUNBOOK, ActionKind.MARK_REVIEWED):
        return urls.runbook(subject)
    if kind is ActionKind.EDIT_RUNBOOK:
        return urls.act(subject, "edit")
    if kind is ActionKind.WRITE_RUNBOOK:
        return urls.write(title=subject)
    if kind is ActionKind.DRAFT_RUNBOOK:
        return urls.write(pattern=subject)
    return urls.insights() + "#:rules"


def _command(kind: ActionKind, subject: str) -> str:
    """What does the same at the command line; empty where a page is the better place."""
    if kind is ActionKind.OPEN_REVIEW:
        return f"sre-kb review show {subject}"
    if kind is ActionKind.MARK_REVIEWED:
        return f"sre-kb reviewed {subject}"
    return ""
