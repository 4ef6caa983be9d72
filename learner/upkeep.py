"""What existing runbooks need: the fix or the alert that incidents have and they lack, a word on advice that does not
work, a review that is due, and whether anybody ever needs them. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from kb.pattern import ActionStats, Pattern
from learner.effectiveness import SAME_ACTION, action_terms
from learner.insight import ActionKind, Insight, InsightAction, InsightKind, RunbookUse, Surroundings
from learner.intervals import rate

MIN_WORKED = 2
"""Incidents in which an action helped, from which on a runbook should say it."""

MIN_TOLD = 3
"""Outcomes, from which on more failures than successes speak against a runbook or an action."""

MIN_WORSE = 2
WATCHED_DAYS = 28.0
"""For so long searches must have been recorded before a runbook is called unused."""

MAX_NAMED = 5

Lines = tuple[frozenset[str], ...]
"""The terms of each line of a runbook."""


def find_upkeep(patterns: Sequence[Pattern], covered: Mapping[str, str], around: Surroundings) -> list[Insight]:
    """What the runbooks in `around` need; those of patterns that they cover, by `covered`, are looked at closer."""
    by_id = {use.runbook_id: use for use in around.runbooks}
    said: dict[str, Lines] = {}
    found: list[Insight] = []
    for pattern in patterns:
        use = by_id.get(covered.get(pattern.id, ""))
        if use is not None:
            lines = said[use.runbook_id] = said.get(use.runbook_id) or lines_of(use.text)
            found += _lacking(pattern, use, lines, around.reviews)
            found += _disproved(pattern, use, lines)
    for use in around.runbooks:
        found += _failing(use)
        found += _stale(use, around)
    return [*found, *_unused(around)]


def lines_of(text: str) -> Lines:
    """What each line of a text is about, to be looked through for actions."""
    return tuple(action_terms(line) for line in text.splitlines() if line.strip())


def mentions(lines: Lines, stats: ActionStats) -> bool:
    """Whether some line says an action, in any of its wordings and with most of its words."""
    for wording in stats.wordings:
        wanted = action_terms(wording)
        if any(len(wanted & line) >= SAME_ACTION * len(wanted) for line in lines):
            return True
    return False


def _lacking(pattern: Pattern, use: RunbookUse, lines: Lines, reviews: Mapping[str, str]) -> Iterator[Insight]:
    waiting = reviews.get(pattern.id)
    act = (
        InsightAction(ActionKind.OPEN_REVIEW, waiting)
        if waiting
        else InsightAction(ActionKind.EDIT_RUNBOOK, use.runbook_id)
    )
    best = next((stats for stats in pattern.actions if stats.worked >= MIN_WORKED), None)
    if best is not None and not mentions(lines, best):
        text = (
            f"{use.title} does not say what ended {pattern.name}: “{best.name}” worked in {best.worked} of "
            f"{best.success.trials}"
        )
        yield _about(InsightKind.RUNBOOK_LACKS, text, float(best.worked), act, use, pattern, best.worked_ids)
    known = f"{use.text}\n{' '.join(use.alerts)}".casefold()
    for alert, count in pattern.alerts:
        if count >= MIN_WORKED and alert.casefold() not in known:
            text = f"{use.title} does not name {alert}, which {count} incidents of {pattern.name} began with"
            ids = pattern.evidence.incident_ids
            yield _about(InsightKind.RUNBOOK_LACKS, text, 0.5 * count, act, use, pattern, ids)


def _disproved(pattern: Pattern, use: RunbookUse, lines: Lines) -> Iterator[Insight]:
    """Actions that a runbook tells and that failed or did harm in the incidents that it covers."""
    act = InsightAction(ActionKind.EDIT_RUNBOOK, use.runbook_id)
    for stats in pattern.actions:
        failing = stats.success.trials >= MIN_TOLD and stats.success.interval.high < 0.5
        if (stats.worse >= MIN_WORSE or failing) and mentions(lines, stats):
            how = (
                f"made it worse in {stats.worse} of {stats.tried}"
                if stats.worse >= MIN_WORSE
                else f"worked in {stats.worked} of {stats.success.trials}"
            )
            text = f"{use.title} says “{stats.name}”, which {how} incidents of {pattern.name}"
            weight = 2.0 * stats.worse + stats.failed
            ids = (*stats.worse_ids, *stats.failed_ids)
            yield _about(InsightKind.RUNBOOK_CONTRADICTED, text, weight, act, use, pattern, ids)


def _failing(use: RunbookUse) -> Iterator[Insight]:
    held = [one for one in use.resolved_ids if one not in use.recurred_ids]
    against = tuple(dict.fromkeys((*use.failed_ids, *use.recurred_ids)))
    told = rate(len(held), len(held) + len(against))
    if told.trials < MIN_TOLD or len(against) <= len(held):
        return
    text = f"{use.title} ended {len(held)} of the {told.trials} incidents that it was used for"
    if use.recurred_ids:
        text += f"; {len(use.recurred_ids)} came back"
    act = InsightAction(ActionKind.EDIT_RUNBOOK, use.runbook_id)
    yield Insight(
        InsightKind.RUNBOOK_CONTRADICTED, text, 2.0 * len(against), act, "", against, runbook_ids=(use.runbook_id,)
    )


def _stale(use: RunbookUse, around: Surroundings) -> Iterator[Insight]:
    if use.review_due is None or use.review_due >= around.today:
        return
    late = (around.today - use.review_due).days
    used = f", and it was opened {use.opened} times since" if use.opened else ""
    text = f"{use.title} was to be reviewed {late} days ago{used}"
    act = InsightAction(ActionKind.MARK_REVIEWED, use.runbook_id)
    weight = 1.0 + min(use.opened, 100) / 10
    yield Insight(InsightKind.RUNBOOK_STALE, text, weight, act, runbook_ids=(use.runbook_id,))


def _unused(around: Surroundings) -> Iterator[Insight]:
    """One insight for all, because a large collection has many that nobody needed this month."""
    idle = sorted((use for use in around.runbooks if _is_idle(use)), key=lambda use: (use.title, use.runbook_id))
    if around.watched_days < WATCHED_DAYS or not idle:
        return
    named = _listed(use.title for use in idle)
    count = "1 runbook was" if len(idle) == 1 else f"{len(idle)} runbooks were"
    text = f"{count} in no answer for {around.watched_days:.0f} days: {named}"
    act = InsightAction(ActionKind.OPEN_RUNBOOK, idle[0].runbook_id)
    ids = tuple(use.runbook_id for use in idle)
    yield Insight(InsightKind.RUNBOOKS_UNUSED, text, 0.5, act, runbook_ids=ids)


def _is_idle(use: RunbookUse) -> bool:
    return not (use.shown or use.opened or use.resolved_ids or use.failed_ids or use.recurred_ids)


def _listed(titles: Iterable[str]) -> str:
    named = list(titles)
    more = f" and {len(named) - MAX_NAMED} more" if len(named) > MAX_NAMED else ""
    return ", ".join(named[:MAX_NAMED]) + more


def _about(
    kind: InsightKind,
    text: str,
    weight: float,
    action: InsightAction,
    use: RunbookUse,
    pattern: Pattern,
    incident_ids: tuple[str, ...],
) -> Insight:
    return Insight(kind, text, weight, action, pattern.id, incident_ids, (use.runbook_id,))
