"""Lengths of time as people and tools write them, to seconds and back (pure)."""

import re
from decimal import Decimal

from kb.errors import InvalidInput
from kb.printable import one_line

MAX_DURATION_S = 10 * 366 * 86400.0
"""Ten years: whatever is longer is a mistake in the unit."""

_MAX_CHARS = 80
_ADVICE = "Write 300, '5m', '1h30m', '2 hours' or 'PT5M'."

# In falling order, which is also the order in which a length of time names its units.
_UNITS: tuple[tuple[tuple[str, ...], Decimal], ...] = (
    (("w", "wk", "wks", "week", "weeks"), Decimal(604800)),
    (("d", "day", "days"), Decimal(86400)),
    (("h", "hr", "hrs", "hour", "hours"), Decimal(3600)),
    (("m", "min", "mins", "minute", "minutes"), Decimal(60)),
    (("s", "sec", "secs", "second", "seconds"), Decimal(1)),
    (("ms", "msec", "msecs", "millisecond", "milliseconds"), Decimal("0.001")),
)
_RANK = {word: rank for rank, (words, _) in enumerate(_UNITS) for word in words}
_NUMBER = re.compile(r"\+?[0-9]{1,15}(?:\.[0-9]{1,9})?")
_PART = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([a-z]{1,12})\.?")
_GAP = re.compile(r"\s*,?\s*(?:and\s+)?(?=[0-9])")
_CLOCK = re.compile(r"(?:([0-9]{1,4})\s*(?:days?,?|d)\s+)?([0-9]{1,5}):([0-5][0-9]):([0-5][0-9](?:\.[0-9]{1,9})?)")
_ISO_NUMBER = r"([0-9]{1,15}(?:[.,][0-9]{1,9})?)"
_ISO = re.compile(
    rf"P(?:{_ISO_NUMBER}W)?(?:{_ISO_NUMBER}D)?(?:T(?:{_ISO_NUMBER}H)?(?:{_ISO_NUMBER}M)?(?:{_ISO_NUMBER}S)?)?",
    re.IGNORECASE,
)
_ISO_SECONDS = (604800, 86400, 3600, 60, 1)


def parse_duration(value: object, *, field: str = "duration") -> float:
    """Seconds, at least 0 and at most `MAX_DURATION_S`.

    Read are numbers (of seconds, as text too), units (`5m`, `1h30m`, `1 hour, 30 minutes`, `250ms`), the clock form
    `1:30:00` with `2 days` before it, and ISO 8601 (`PT5M`, `P1DT2H`) without years and months, whose length differs.
    Case does not matter: `5M` is five minutes. Raises `InvalidInput` with `field` for everything else.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise InvalidInput(field, "is neither a number nor a text", advice=_ADVICE)
    seconds = _of_text(value, field) if isinstance(value, str) else value
    if not seconds >= 0:  # NaN too
        raise InvalidInput(field, "is not a length of time", advice=_ADVICE)
    if seconds > MAX_DURATION_S:
        raise InvalidInput(field, "is longer than ten years", advice="Check the unit: a bare number counts seconds.")
    return float(seconds)


def format_duration(seconds: float) -> str:
    """The shortest text that `parse_duration` reads back as the same number of milliseconds: `1h30m`, `45s`, `1.5s`.

    `seconds` is finite and not negative; what is below a millisecond is rounded.
    """
    left = round(seconds * 1000)
    parts = []
    for unit, length in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000)):
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count}{unit}")
    if left or not parts:
        whole, fraction = divmod(left, 1000)
        digits = f".{fraction:03}".rstrip("0") if fraction else ""
        parts.append(f"{whole}{digits}s")
    return "".join(parts)


def _of_text(value: str, field: str) -> Decimal:
    text = value.strip().lower()
    if len(text) > _MAX_CHARS:
        raise InvalidInput(field, "is too long to be a length of time", advice=_ADVICE)
    if _NUMBER.fullmatch(text):
        return Decimal(text)
    for read in (_of_iso, _of_clock, _of_units):
        seconds = read(text)
        if seconds is not None:
            return seconds
    raise InvalidInput(field, f"'{one_line(text[:40])}' is not a length of time", advice=_ADVICE)


def _of_iso(text: str) -> Decimal | None:
    match = _ISO.fullmatch(text)
    if match is None or text.endswith("t") or not any(match.groups()):
        return None
    numbers = [group or "0" for group in match.groups()]
    return sum((_decimal(number) * unit for number, unit in zip(numbers, _ISO_SECONDS, strict=True)), Decimal(0))


def _of_clock(text: str) -> Decimal | None:
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    days, hours, minutes, seconds = match.groups()
    return Decimal(days or 0) * 86400 + Decimal(hours) * 3600 + Decimal(minutes) * 60 + Decimal(seconds)


def _of_units(text: str) -> Decimal | None:
    at, rank, total = 0, -1, Decimal(0)
    while (match := _PART.match(text, at)) and _RANK.get(match[2], -1) > rank:
        rank = _RANK[match[2]]
        total += Decimal(match[1]) * _UNITS[rank][1]
        if match.end() == len(text):
            return total
        gap = _GAP.match(text, match.end())
        if gap is None:
            return None
        at = gap.end()
    return None


def _decimal(number: str) -> Decimal:
    return Decimal(number.replace(",", "."))
