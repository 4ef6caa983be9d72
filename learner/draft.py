"""Pattern -> draft runbook in Markdown. Every line that says something names the incidents it rests on; text of
incidents is untrusted and comes out as plain text, commands included: nothing in a draft can run. Pure; the same
pattern gives the same bytes."""

import re
from collections.abc import Iterable, Iterator, Sequence

from kb.pattern import ActionStats, Cited, Pattern

MAX_NAMED = 5
MAX_LINE_CHARS = 400
_UNSAFE = re.compile(r"([\\`*_{}\[\]<>#|~!&])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")
_LEADING = re.compile(r"^(\s*)([-+=]|\d+[.)])")


def draft_runbook(pattern: Pattern) -> str:
    """The draft's whole text, with a final newline."""
    return "\n".join(_lines(pattern)).rstrip() + "\n"


def _lines(pattern: Pattern) -> Iterator[str]:
    ids = pattern.evidence.incident_ids
    durations, evidence = pattern.durations, pattern.evidence
    yield f"# Incident: {pattern.id} - {plain(pattern.name)}"
    yield ""
    yield f"**Date**: {evidence.first_seen:%Y-%m-%d} to {evidence.last_seen:%Y-%m-%d}{_named([ids[0], ids[-1]])}"
    if pattern.severity is not None:
        yield f"**Severity**: {pattern.severity.value.capitalize()}{_named(ids)}"
    if durations.p50_s is not None and durations.p90_s is not None:
        yield f"**Duration**: median {_span(durations.p50_s)}, 9 of 10 within {_span(durations.p90_s)}{_named(ids)}"
    yield from _part("## Incident Details", ())
    for title, told in (("Trigger", pattern.triggers), ("Symptoms", pattern.symptoms), ("Impact", pattern.impacts)):
        if told:
            yield from (f"- **{title}**: {plain(item.text)}{_named(item.incident_ids)}" for item in told)
        elif title == "Symptoms":
            yield from (f"- **{title}**: {plain(item.text)}{_named(item.incident_ids)}" for item in pattern.signatures)
    yield from _part("## Diagnosis Process", pattern.diagnosis, ordered=True)
    yield from _resolution(pattern.actions)
    if pattern.lessons or pattern.prevention:
        yield from ("", "## Lessons Learned")
        yield from _part("### Key Learnings", pattern.lessons)
        yield from _part("### Prevention Measures", pattern.prevention)
    yield from ("", "## AI Insights", "")
    yield f"- **Pattern**: {plain(pattern.name)}, seen {pattern.frequency} times{_named(ids)}"
    yield f"- **Confidence**: {pattern.confidence.value:.0%} ({_because(pattern)}){_named(ids)}"
    yield f"- **Similar Incidents**:{_named(ids)}"


def _resolution(actions: Sequence[ActionStats]) -> Iterator[str]:
    worked = [stats for stats in actions if stats.worked]
    useless = [stats for stats in actions if stats.failed and not stats.worked]
    harmful = [stats for stats in actions if stats.worse]
    if worked or useless or harmful:
        yield from ("", "## Resolution Steps", "")
    for number, stats in enumerate(worked, start=1):
        yield f"{number}. {plain(stats.name)}: {_numbers(stats)}{_named(stats.worked_ids)}"
        yield from _commands(stats)
    if useless:
        yield from ("", "### What did not work", "")
        yield from (f"- {plain(stats.name)}: tried in {stats.tried}{_named(stats.failed_ids)}" for stats in useless)
    if harmful:
        yield from ("", "### What made it worse", "")
        yield from (
            f"- {plain(stats.name)}: in {stats.worse} of {stats.tried}{_named(stats.worse_ids)}" for stats in harmful
        )
    effects = [effect for stats in actions for effect in stats.side_effects]
    if effects:
        yield from ("", "### Side effects", "")
        yield from (f"- {plain(effect.text)}{_named(effect.incident_ids)}" for effect in effects)


def _commands(stats: ActionStats) -> Iterator[str]:
    for command in stats.commands:
        yield f"   - as typed then: {plain(command.text)}{_named(command.incident_ids)}"


def _numbers(stats: ActionStats) -> str:
    low, high = stats.success.interval.low, stats.success.interval.high
    told = f"worked in {stats.worked} of {stats.success.trials} ({low:.0%} to {high:.0%})"
    return told if stats.median_s is None else f"{told}, median {_span(stats.median_s)}"


def _part(heading: str, told: Iterable[Cited], *, ordered: bool = False) -> Iterator[str]:
    items = list(told)
    if items or heading == "## Incident Details":
        yield from ("", heading, "")
    for number, item in enumerate(items, start=1):
        yield f"{f'{number}.' if ordered else '-'} {plain(item.text)}{_named(item.incident_ids)}"


def plain(text: str) -> str:
    """Untrusted text as one line that Markdown shows letter for letter: no code, link, HTML, heading or hidden sign."""
    line = " ".join(_CONTROL.sub(" ", text).split())[:MAX_LINE_CHARS]
    return _LEADING.sub(r"\1\\\2", _UNSAFE.sub(r"\\\1", line)).replace("://", ":\u200a//")


def _named(ids: Sequence[str]) -> str:
    """The incidents that say it, at most `MAX_NAMED` by name."""
    distinct = list(dict.fromkeys(ids))
    names = ", ".join(plain(incident_id) for incident_id in distinct[:MAX_NAMED])
    more = f" and {len(distinct) - MAX_NAMED} more" if len(distinct) > MAX_NAMED else ""
    return f" ({names}{more})"


def _because(pattern: Pattern) -> str:
    return ", ".join(f"{part.name} {part.value:.2f}" for part in pattern.confidence.parts)


def _span(seconds: float) -> str:
    """`5m`, `1h30m`, `45s`: whole minutes from a minute on."""
    if seconds < 60:
        return f"{round(seconds)}s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours}h{minutes}m" if hours and minutes else f"{hours}h" if hours else f"{minutes}m"
