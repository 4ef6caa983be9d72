"""Numbers of patterns and actions as people read them in a terminal (pure, but for the printing of lists)."""

from collections.abc import Iterable
from datetime import datetime

from api.commands.console import out, shown
from kb.durations import format_duration
from kb.pattern import ActionStats, Rate


def percent(rate: Rate) -> str:
    """A rate with its bounds: `worked in 5 of 6 (44 to 97 %)`."""
    if rate.value is None:
        return "nobody told how it ended"
    low, high = round(100 * rate.interval.low), round(100 * rate.interval.high)
    return f"worked in {rate.successes} of {rate.trials} ({low} to {high} %)"


def span(seconds: float | None) -> str:
    """A length of time in whole seconds below a minute and in whole minutes above; `?` when it is not known."""
    if seconds is None:
        return "?"
    return format_duration(round(seconds) if seconds < 60 else round(seconds / 60) * 60)


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, in the largest unit that fits."""
    seconds = max(0.0, (now - moment).total_seconds())
    for unit, name in ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * unit:
            return f"{int(seconds / unit)} {name} ago"
    return "just now"


def print_actions(actions: Iterable[ActionStats], cautions: Iterable[ActionStats]) -> None:
    """What helped, best first, and what did harm."""
    for number, stats in enumerate(actions, start=1):
        took = f", half of the time within {span(stats.median_s)}" if stats.median_s is not None else ""
        out(f"   {number}. {shown(stats.name)}: {percent(stats.success)}{took}")
    for stats in cautions:
        out(f"   CAUTION: {shown(stats.name)} made it worse in {stats.worse} of {stats.tried}")
