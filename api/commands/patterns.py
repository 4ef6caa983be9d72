"""sre-kb patterns, pattern: what recurs, and one pattern with its numbers."""

from collections.abc import Sequence

from api.commands.console import out, print_json, progress_bar, remark, shown
from api.commands.printing import ago, percent, print_actions, span
from api.learning.acts import PatternView
from api.learning.pattern_shapes import pattern_out, patterns_out
from api.learning.service import Learning
from api.settings import Settings, load_settings
from api.web.urls import Urls
from api.wiring import open_knowledge_base, utc_now
from kb.pattern import Pattern
from kb.principal import Face, local

_SHOWN = 10


def run(
    *, as_json: bool, limit: int = 30, pattern_id: str = "", name: str | None = None, merge: Sequence[str] = ()
) -> int:
    """Print one pattern, after naming or joining it where that is asked, or a line for each."""
    settings = load_settings()
    with open_knowledge_base(settings) as base:
        with progress_bar("Opening") as progress:
            base.learning_base.open(progress)
        learning = base.services.learning
        if not pattern_id:
            return _list(learning, settings, limit, as_json)
        me = local(Face.CLI)
        if merge:
            pattern_id = learning.merge([pattern_id, *merge], me).pattern.id
        if name is not None:
            learning.rename(pattern_id, name, me)
        view = learning.pattern(pattern_id)
    if as_json:
        print_json(pattern_out(view, Urls(settings.base_path)))
    else:
        _print(view)
    return 0


def _list(learning: Learning, settings: Settings, limit: int, as_json: bool) -> int:
    patterns = learning.patterns()
    if as_json:
        print_json(patterns_out(patterns[:limit], learning.effectiveness(), Urls(settings.base_path)))
        return 0
    for pattern in patterns[:limit]:
        out(_line(pattern))
    remark(f"{len(patterns)} patterns.")
    return 0


def _line(pattern: Pattern) -> str:
    direction = "" if pattern.trend.direction.value == "steady" else f", {pattern.trend.direction.value}"
    last = ago(pattern.evidence.last_seen, utc_now())
    return f"{pattern.id}  {pattern.frequency:4} x  {shown(pattern.name)}  (last {last}{direction})"


def _print(view: PatternView) -> None:
    pattern = view.pattern
    out(f"{shown(pattern.name)}  ({pattern.id})")
    facts = [
        f"seen {pattern.frequency} times, last {ago(pattern.evidence.last_seen, utc_now())}",
        f"half last {span(pattern.durations.p50_s)}, 9 of 10 at most {span(pattern.durations.p90_s)}",
        pattern.trend.direction.value,
        percent(pattern.success),
    ]
    out(f"   {'  |  '.join(facts)}")
    parts = ", ".join(f"{part.name} {part.value:.2f} ({part.because})" for part in pattern.confidence.parts)
    out(f"   confidence {pattern.confidence.value:.2f}: {shown(parts)}")
    for alert, count in pattern.alerts[:_SHOWN]:
        out(f"   alert: {shown(alert)} ({count})")
    for service, count in pattern.services[:_SHOWN]:
        out(f"   service: {shown(service)} ({count})")
    for step in pattern.diagnosis[:_SHOWN]:
        out(f"   look at: {shown(step.text)} ({len(step.incident_ids)})")
    print_actions(
        [stats for stats in pattern.actions if stats.worked][:_SHOWN],
        [stats for stats in pattern.actions if stats.worse],
    )
    for runbook_id in view.runbook_ids:
        out(f"   runbook: {runbook_id}")
    out(f"   incidents: {', '.join(pattern.evidence.incident_ids[-_SHOWN:])}")
