"""Lengths of time, shares, counts and moments as people read them. Pure."""

from datetime import datetime

from kb.pattern import Interval, Rate

_UNITS = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"))


def length(seconds: float | None) -> str:
    """A length of time in its two largest units (`1 h 40 min`, `3 d 2 h`, `45 s`); empty when it is unknown."""
    if seconds is None:
        return ""
    left = max(0.0, seconds)
    for place, (size, unit) in enumerate(_UNITS):
        if left >= size or unit == "s":
            count = round(left) if unit == "s" else int(left // size)
            rest = _rest(left - count * size, place) if unit in ("d", "h") else ""
            return f"{count} {unit}{rest}"
    return ""


def _rest(left: float, place: int) -> str:
    size, unit = _UNITS[place + 1]
    count = int(left // size)
    return f" {count} {unit}" if count else ""


def percent(share: float | None) -> str:
    """A share in [0, 1] as a whole percentage; what is neither none nor all is never rounded to it."""
    if share is None:
        return ""
    if 0 < share < 0.01:
        return "under 1 %"
    if 0.995 <= share < 1:
        return "over 99 %"
    return f"{100 * share:.0f} %"


def of_trials(rate: Rate) -> str:
    """A rate by its counts: `5 of 6`."""
    return f"{rate.successes} of {rate.trials}"


def between(interval: Interval) -> str:
    """An interval of a share: `44 to 97 %`."""
    return f"{100 * interval.low:.0f} to {100 * interval.high:.0f} %"


def between_lengths(interval: Interval | None) -> str:
    """An interval of a length of time: `12 min to 1 h 5 min`; empty when there is none."""
    return f"{length(interval.low)} to {length(interval.high)}" if interval else ""


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: `1 incident`, `2,031 incidents`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def moment(then: datetime | None) -> str:
    """A moment to the minute, in UTC; empty for None."""
    return f"{then:%Y-%m-%d %H:%M} UTC" if then else ""


def in_or_since(then: datetime, now: datetime) -> str:
    """Where a moment lies from now: `in 12 min`, `overdue by 3 min`, `due now`."""
    seconds = (then - now).total_seconds()
    if abs(seconds) < 60:
        return "due now"
    return f"due in {length(seconds)}" if seconds > 0 else f"overdue by {length(-seconds)}"
