"""The form that resolves an incident: the actions that such incidents saw as choices, and what people typed turned into
a change. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from api.web.amounts import length
from api.web.incident_form import Form, lines_of
from api.web.incident_view import OUTCOME_WORDS
from api.web.recommend_view import action_lines
from kb.durations import format_duration, parse_duration
from kb.incident import ActionOutcome, ActionTaken, DiagnosisStep, Incident, IncidentStatus, Resolution
from kb.incident_records import IncidentPatch, StoredIncident
from kb.pattern import ActionStats

MAX_ROWS = 30
OWN_ROWS = 3
MAX_SUGGESTED = 6
_SUCCESS = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class OutcomeChoice:
    """One answer to what an action did."""

    value: str
    label: str


OUTCOMES = tuple(
    OutcomeChoice(outcome.value, OUTCOME_WORDS[outcome])
    for outcome in (ActionOutcome.HELPED, ActionOutcome.DID_NOT_HELP, ActionOutcome.MADE_WORSE)
)


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One action in the form. A suggested one counts only when an outcome is chosen; `told` says how it went before."""

    number: int
    text: str = ""
    command: str = ""
    outcome: str = ""
    is_suggested: bool = False
    told: str = ""
    caution: str = ""


@dataclass(frozen=True, slots=True)
class ResolveScreen:
    """The form that resolves an incident. Several lines of text stand one a line."""

    id: str
    title: str
    severity: str
    version: int
    is_resolved: bool
    rows: tuple[ActionRow, ...]
    so_far: str
    lasted: str
    success: str
    trigger: str
    diagnosis: str
    lessons: str
    prevention: str
    resolved_by: str
    pattern_name: str
    runbook: str = ""
    runbook_outcome: str = ""
    outcomes: tuple[OutcomeChoice, ...] = OUTCOMES
    refused: str = ""
    is_conflict: bool = False


def resolve_screen(
    stored: StoredIncident, suggested: Sequence[ActionStats], pattern_name: str, *, by: str, now: datetime
) -> ResolveScreen:
    """The form as it opens: the actions already written down, then those that such incidents saw, then empty lines."""
    incident = stored.incident
    resolution = incident.resolution or Resolution()
    rows = [
        ActionRow(0, action.text, action.command, "" if action.outcome is ActionOutcome.UNKNOWN else action.outcome)
        for action in resolution.actions
    ]
    known = {row.text.casefold() for row in rows}
    rows += [_suggestion(stats) for stats in suggested if stats.name.casefold() not in known][:MAX_SUGGESTED]
    rows += [ActionRow(0)] * OWN_ROWS
    is_resolved = incident.status is IncidentStatus.RESOLVED
    lasted = incident.lasted_s if is_resolved else None
    return ResolveScreen(
        id=incident.id,
        title=incident.title or incident.id,
        severity=incident.severity.value if incident.severity else "",
        version=stored.version,
        is_resolved=is_resolved,
        rows=tuple(replace(row, number=number) for number, row in enumerate(rows, start=1)),
        so_far=length((now - incident.started_at).total_seconds()),
        lasted="" if lasted is None else format_duration(lasted),
        success={True: "yes", False: "no", None: "yes"}[resolution.success],
        trigger=incident.trigger,
        diagnosis="\n".join(step.text for step in incident.diagnosis),
        lessons="\n".join(incident.lessons),
        prevention="\n".join(incident.prevention),
        resolved_by=resolution.resolved_by or by,
        pattern_name=pattern_name,
    )


def _suggestion(stats: ActionStats) -> ActionRow:
    (line,) = action_lines([stats])
    told = f"worked in {line.worked}" if stats.success.trials else "nobody has said whether it worked"
    return ActionRow(
        0,
        text=stats.name,
        command=line.commands[0] if line.commands else "",
        is_suggested=True,
        told=told + (f", median {line.median}" if line.median else ""),
        caution=line.caution,
    )


def typed_again(screen: ResolveScreen, form: Form, *, refused: str, is_conflict: bool) -> ResolveScreen:
    """The form with what somebody typed, so that nothing is lost when it could not be taken."""
    rows = {row.number: row for row in screen.rows}
    shown = tuple(_typed_row(number, form, rows.get(number, ActionRow(number))) for number in _row_numbers(form))
    return replace(
        screen,
        rows=shown,
        lasted=form.get("lasted", ""),
        success=form.get("success", ""),
        trigger=form.get("trigger", ""),
        diagnosis=form.get("diagnosis", ""),
        lessons=form.get("lessons", ""),
        prevention=form.get("prevention", ""),
        resolved_by=form.get("resolved_by", ""),
        runbook=form.get("runbook", ""),
        runbook_outcome=form.get("runbook_outcome", ""),
        refused=refused,
        is_conflict=is_conflict,
    )


def _typed_row(number: int, form: Form, row: ActionRow) -> ActionRow:
    text = form.get(f"text-{number}", "")
    is_same = row.text == text
    return ActionRow(
        number,
        text=text,
        command=form.get(f"command-{number}", ""),
        outcome=form.get(f"outcome-{number}", ""),
        is_suggested=f"suggested-{number}" in form,
        told=row.told if is_same else "",
        caution=row.caution if is_same else "",
    )


def resolve_patch(form: Form, incident: Incident, *, by: str) -> IncidentPatch:
    """The change that resolves an incident. Raises `InvalidInput` for a length of time that is none, and for none said.

    What the form does not ask for (how long an action took, what was found) stays where the text is the same.
    """
    before = incident.resolution or Resolution()
    actions = tuple(_actions(form, {action.text: action for action in before.actions}))
    lasted = form.get("lasted", "").strip()
    patch = IncidentPatch(
        status=IncidentStatus.RESOLVED,
        trigger=form.get("trigger", "").strip(),
        diagnosis=_diagnosis(form.get("diagnosis", ""), incident),
        resolution=replace(
            before,
            actions=actions,
            success=_SUCCESS.get(form.get("success", "")),
            resolved_by=form.get("resolved_by", "").strip()[:200] or by,
        ),
        lessons=lines_of(form.get("lessons", "")),
        prevention=lines_of(form.get("prevention", "")),
    )
    if not lasted:
        return patch
    duration_s = parse_duration(lasted, field="lasted")
    return replace(patch, duration_s=duration_s, resolved_at=incident.started_at + timedelta(seconds=duration_s))


def followed(form: Form) -> tuple[str, ActionOutcome] | None:
    """The runbook that somebody followed and what it did; None unless both were told."""
    runbook_id, outcome = form.get("runbook", "").strip(), _outcome(form.get("runbook_outcome", ""))
    return (runbook_id, outcome) if runbook_id and outcome is not ActionOutcome.UNKNOWN else None


def _actions(form: Form, known: Mapping[str, ActionTaken]) -> Iterator[ActionTaken]:
    for number in _row_numbers(form):
        text = form.get(f"text-{number}", "").strip()
        outcome = _outcome(form.get(f"outcome-{number}", ""))
        if not text or (outcome is ActionOutcome.UNKNOWN and f"suggested-{number}" in form):
            continue
        before = known.get(text, ActionTaken(text))
        yield replace(before, command=form.get(f"command-{number}", "").strip(), outcome=outcome)


def _outcome(given: str) -> ActionOutcome:
    return ActionOutcome(given) if given in {choice.value for choice in OUTCOMES} else ActionOutcome.UNKNOWN


def _row_numbers(form: Form) -> Iterator[int]:
    return (number for number in range(1, MAX_ROWS + 1) if f"text-{number}" in form)


def _diagnosis(text: str, incident: Incident) -> tuple[DiagnosisStep, ...]:
    known = {" ".join(step.text.split()): step for step in incident.diagnosis}
    return tuple(known.get(" ".join(line.split()), DiagnosisStep(line)) for line in lines_of(text))
