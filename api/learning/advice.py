"""What the faces add to what the learner says: what an alert or a text asks about, advice for whoever sends an incident
in, and one confidence for a whole recommendation (pure)."""

from collections.abc import Iterator

from api.acts import SearchRequest
from api.learning.parts import Learned
from indexer.query import parse_query
from kb.durations import format_duration
from kb.hits import Answer
from kb.incident import Alert, IncidentStatus
from kb.pattern import ActionStats, Pattern
from kb.review_records import Review, ReviewStatus
from learner.assign import MIN_PATTERN_INCIDENTS
from learner.recommend import Recommendation

MAX_ADVISED_ACTIONS = 3
MAX_ADVISED_PREVENTION = 2


def subject_of(request: SearchRequest) -> Alert:
    """The alert that a request is about; a text becomes one, with the fields that it names."""
    if request.alert is not None:
        return request.alert
    query = parse_query(request.text)
    lines = [line for line in request.text.strip().splitlines() if line.strip()]
    named = {"alertname": query.alert_name} if query.alert_name else {}
    return Alert(
        name=query.alert_name,
        labels={**query.parameters, **named},
        annotations={"summary": query.headline or (lines[0] if lines else ""), "description": query.detail},
        severity=query.severity,
        service=query.service,
        source="text",
    )


def advice_on(learned: Learned, pattern: Pattern | None, runbook: Review | None) -> tuple[str, ...]:
    """Sentences for whoever sent an incident in: what its pattern knows already, and what would help it to learn."""
    return tuple(_advice(learned, pattern, runbook))


def overall_confidence(answer: Answer, found: Recommendation | None) -> float:
    """The probability that what a recommendation names first is right."""
    if found is not None and found.confident:
        return found.likelihood
    return answer.hits[0].confidence if answer.confident and answer.hits else 0.0


def _advice(learned: Learned, pattern: Pattern | None, runbook: Review | None) -> Iterator[str]:
    incident = learned.stored.incident
    if incident.status is not IncidentStatus.RESOLVED:
        yield "It is kept, and learnt when it is resolved."
    elif incident.resolution is None or not incident.resolution.actions:
        yield "Say what was done: without actions nothing is learnt about what helps."
    if pattern is None:
        if learned.pattern_size and learned.pattern_size < MIN_PATTERN_INCIDENTS:
            yield f"{learned.pattern_size} of the {MIN_PATTERN_INCIDENTS} incidents that make a pattern."
        return
    worked = [stats for stats in pattern.actions if stats.worked][:MAX_ADVISED_ACTIONS]
    yield from (_worked(stats) for stats in worked)
    harmful = [stats for stats in pattern.actions if stats.worse]
    yield from (f"Caution: '{stats.name}' made it worse in {stats.worse} of {stats.tried}." for stats in harmful)
    yield from (f"To prevent it: {item.text}" for item in pattern.prevention[:MAX_ADVISED_PREVENTION])
    if runbook is not None and runbook.status is ReviewStatus.OPEN:
        yield f"A draft waits for review: {runbook.id}."


def _worked(stats: ActionStats) -> str:
    took = f", half of the time within {format_duration(stats.median_s)}" if stats.median_s is not None else ""
    return f"'{stats.name}' worked in {stats.success.successes} of {stats.success.trials}{took}."
