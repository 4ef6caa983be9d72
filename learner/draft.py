"""A pattern and its incidents -> the text of a draft runbook. Every line that says something names the incidents that
say it; text of incidents is untrusted and comes out as plain text, commands included: nothing in a draft can run. Pure;
the same pattern and incidents give the same bytes, in whatever order the incidents come."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from kb.front_matter import render_front_matter
from kb.incident import Incident
from kb.pattern import ActionStats, Cited, Pattern
from kb.severity import Severity
from learner.effectiveness import cite
from learner.plain import named, one_line, plain, statement
from learner.signature import signature_of
from learner.words import terms_in

MAX_ALERTS = 10
ALERT_SHARE = 0.2
"""An alert's name stands in the front matter, where it wins searches, only when so many of the incidents bear it, and
from two incidents on at least two: nobody claims the name of another trouble by one report."""

MAX_SYMPTOMS = 4
"""Of listed symptoms, of titles, and of sentences."""

AGREED_SHARE = 0.05
"""A title or a sentence is a symptom of the pattern when so many of its incidents bear it."""

MAX_WORDINGS = 40
SAME_WORDING = 0.6
"""Two wordings that share so many of their terms say the same."""

MAX_STEPS = 12
MAX_ACTIONS = 6
MAX_SERVICES = 5
MAX_NAME_CHARS = 200
LEARNED_TAG = "learned"


def draft_runbook(pattern: Pattern, incidents: Iterable[Incident], *, document_id: str) -> str:
    """The file's whole text, with a final newline. `incidents` are those of the pattern that statements can be checked
    against; what none of them says is left out."""
    ordered = sorted(incidents, key=lambda incident: (incident.started_at, incident.id))
    body = "\n".join(_lines(pattern, ordered)).rstrip() + "\n"
    return _front_matter(pattern, ordered, document_id) + "\n" + body


def alert_names(incidents: Sequence[Incident]) -> tuple[Cited, ...]:
    """The alert names that a draft is for, the commonest first, with the incidents that bear them."""
    found = _alerts(incidents)
    enough = max(min(2, len(incidents)), ALERT_SHARE * len(incidents))
    return tuple(told for told in found if len(told.incident_ids) >= enough)[:MAX_ALERTS]


def symptoms(pattern: Pattern, incidents: Sequence[Incident]) -> tuple[Cited, ...]:
    """What was seen, as its authors put it with names and numbers masked: symptoms that they listed, titles, and the
    sentences that several of them wrote, most told first. Of wordings that hardly differ the first stands for all."""
    signatures = [(signature_of(incident), incident.id) for incident in incidents]
    titles = cite((signature.title, incident_id) for signature, incident_id in signatures)
    sentences = cite((part, incident_id) for signature, incident_id in signatures for part in signature.segments)
    enough = max(min(2, len(incidents)), AGREED_SHARE * len(incidents))
    agreed = [told for told in sentences if len(told.incident_ids) >= enough]
    common = [told for told in titles if told is titles[0] or len(told.incident_ids) >= enough]
    found: list[Cited] = []
    terms: list[frozenset[str]] = []
    for source in (pattern.symptoms, common, agreed):
        room = len(found) + MAX_SYMPTOMS
        for told in source[:MAX_WORDINGS]:
            mine = frozenset(terms_in(told.text.lower())) or frozenset({told.text})
            is_new = not any(len(mine & known) >= SAME_WORDING * len(mine | known) for known in terms)
            if is_new and len(found) < room:
                found.append(told)
                terms.append(mine)
    return tuple(found)


def _front_matter(pattern: Pattern, incidents: Sequence[Incident], document_id: str) -> str:
    """YAML whose lines name their incidents in comments. It has no `type`: the folder says that the runbook is learned,
    and promoting it must not change its bytes."""
    ids = pattern.evidence.incident_ids
    parts = [
        render_front_matter({"id": document_id}),
        _yaml("title", one_line(pattern.name, max_chars=MAX_NAME_CHARS), ids),
    ]
    if pattern.severity is not None:
        parts.append(_yaml("severity", pattern.severity.value, _of_severity(incidents, pattern.severity)))
    for key, told in (("service", _services(incidents)[:1]), ("alerts", alert_names(incidents))):
        items = [yaml_item(item) for item in told if one_line(item.text)]
        parts.extend([f"{key}:\n", *items] if items else [])  # a list, for the reader cuts single texts at commas
    parts.append(_inner({"tags": [LEARNED_TAG], "metadata": {"pattern_id": one_line(pattern.id, max_chars=100)}}))
    return parts[0].removesuffix("---\n") + "".join(parts[1:]) + "---\n"


def _inner(fields: dict[str, object]) -> str:
    return render_front_matter(fields).removeprefix("---\n").removesuffix("---\n")


def _yaml(key: str, value: str, ids: Sequence[str]) -> str:
    return f"{_inner({key: value}).rstrip()}  #{named(ids)}\n"


def yaml_item(told: Cited) -> str:
    """One item of a YAML list, its incidents in a comment, with a final newline."""
    item = _inner({"items": [one_line(told.text, max_chars=MAX_NAME_CHARS)]}).removeprefix("items:").strip()
    return f"{item}  #{named(told.incident_ids)}\n"


def _lines(pattern: Pattern, incidents: Sequence[Incident]) -> Iterator[str]:
    ids = pattern.evidence.incident_ids
    evidence = pattern.evidence
    yield f"# Incident: {plain(pattern.id)} - {plain(pattern.name)}"
    yield ""
    yield f"- **Date**: {evidence.first_seen:%Y-%m-%d} to {evidence.last_seen:%Y-%m-%d}{named([ids[0], ids[-1]])}"
    if pattern.severity is not None:
        yield f"- **Severity**: {pattern.severity.value.capitalize()}{named(_of_severity(incidents, pattern.severity))}"
    yield from _duration(pattern, incidents)
    yield from _details(pattern, incidents)
    yield from _part("## Diagnosis Process", pattern.diagnosis[:MAX_STEPS], ordered=True)
    yield from _resolution(pattern.actions)
    if pattern.lessons or pattern.prevention:
        yield from ("", "## Lessons Learned")
        yield from _part("### Key Learnings", pattern.lessons)
        yield from _part("### Prevention Measures", pattern.prevention)
    yield from ("", "## AI Insights", "")
    yield f"- **Pattern**: {plain(pattern.name)}, seen {_times(pattern.frequency)}{named(ids)}"
    yield f"- **Confidence**: {pattern.confidence.value:.0%} ({_because(pattern)}){named(ids)}"
    yield f"- **Similar Incidents**: the latest are{named(tuple(reversed(ids)))}"


def _duration(pattern: Pattern, incidents: Sequence[Incident]) -> Iterator[str]:
    durations = pattern.durations
    told = [incident.id for incident in incidents if incident.lasted_s is not None]
    if durations.p50_s is not None and durations.p90_s is not None and told:
        span = f"median {_span(durations.p50_s)}, 9 of 10 within {_span(durations.p90_s)}"
        yield f"- **Duration**: {span if durations.count > 1 else _span(durations.p50_s)}{named(told)}"


def _details(pattern: Pattern, incidents: Sequence[Incident]) -> Iterator[str]:
    yield from ("", "## Incident Details", "")
    for title, told in (
        (
            "Seen with alert",
            cite((alert, incident.id) for incident in incidents for alert in incident.alerts)[:MAX_ALERTS],
        ),
        ("Service", _services(incidents)[:MAX_SERVICES]),
        ("Trigger", pattern.triggers),
        ("Symptoms", symptoms(pattern, incidents)),
        ("Impact", pattern.impacts),
    ):
        yield from (f"- **{title}**: {plain(item.text)}{named(item.incident_ids)}" for item in told)


def _resolution(actions: Sequence[ActionStats]) -> Iterator[str]:
    worked = [stats for stats in actions if stats.worked]
    useless = [stats for stats in actions if stats.failed and not stats.worked]
    harmful = [stats for stats in actions if stats.worse]
    if worked or useless or harmful:
        yield from ("", "## Resolution Steps", "")
    for number, stats in enumerate(worked[:MAX_ACTIONS], start=1):
        yield f"{number}. {statement(stats.name)}, {_numbers(stats)}{named(stats.worked_ids)}"
        yield from _commands(stats)
    if useless:
        yield from ("", "### What did not work", "")
        for stats in useless[:MAX_ACTIONS]:
            yield f"- {statement(stats.name)}, did not help in {stats.failed}{named(stats.failed_ids)}"
    if harmful:
        yield from ("", "### What made it worse", "")
        for stats in harmful[:MAX_ACTIONS]:
            yield f"- {statement(stats.name)}, in {stats.worse} of {stats.success.trials}{named(stats.worse_ids)}"
    effects = cite((told.text, key) for stats in actions for told in stats.side_effects for key in told.incident_ids)
    yield from _part("### Side effects", effects[:MAX_STEPS])


def _commands(stats: ActionStats) -> Iterator[str]:
    for command in stats.commands[:3]:
        yield f"   - as typed then: {plain(command.text)}{named(command.incident_ids)}"


def _numbers(stats: ActionStats) -> str:
    low, high = stats.success.interval.low, stats.success.interval.high
    told = f"worked in {stats.worked} of {stats.success.trials} ({low:.0%} to {high:.0%})"
    return told if stats.median_s is None else f"{told}, median {_span(stats.median_s)}"


def _part(heading: str, told: Iterable[Cited], *, ordered: bool = False) -> Iterator[str]:
    items = list(told)
    if items:
        yield from ("", heading, "")
    for number, item in enumerate(items, start=1):
        yield f"{f'{number}.' if ordered else '-'} {statement(item.text)}{named(item.incident_ids)}"


def _alerts(incidents: Sequence[Incident]) -> tuple[Cited, ...]:
    return cite((alert, incident.id) for incident in incidents for alert in incident.alerts)


def _services(incidents: Sequence[Incident]) -> tuple[Cited, ...]:
    return _told_by(incidents, lambda incident: incident.service)


def _told_by(incidents: Sequence[Incident], what: Callable[[Incident], str]) -> tuple[Cited, ...]:
    return tuple(told for told in cite((what(incident), incident.id) for incident in incidents) if one_line(told.text))


def _of_severity(incidents: Sequence[Incident], severity: Severity) -> list[str]:
    return [incident.id for incident in incidents if incident.severity is severity]


def _because(pattern: Pattern) -> str:
    return ", ".join(f"{plain(part.name)} {part.value:.2f}" for part in pattern.confidence.parts)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _span(seconds: float) -> str:
    """`5m`, `1h30m`, `45s`: whole minutes from a minute on."""
    if seconds < 60:
        return f"{round(seconds)}s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours}h{minutes}m" if hours and minutes else f"{hours}h" if hours else f"{minutes}m"
