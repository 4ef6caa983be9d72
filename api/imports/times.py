"""Points in time as tools export them, to aware datetimes (pure)."""

import math
import re
from datetime import UTC, datetime, tzinfo

from kb.errors import InvalidInput
from kb.incident_records import EARLIEST, LATEST
from kb.printable import one_line

_MAX_CHARS = 60
_EPOCH_MS_FROM = 10_000_000_000  # more seconds than that lie past the year 2286, so such a number counts milliseconds

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = (
    r"(?:[T ,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?(?:[.,]\d+)?(?:\s*(?P<half>[ap])\.?m\.?)?)?"
)
_NAMED = re.compile(
    rf"(?:[a-z]{{3,9}},?\s+)?(?P<day>\d{{1,2}})[/ .-](?P<month>[a-z]{{3,9}})\.?[/ .,-]+(?P<year>\d{{4}}|\d\d){_CLOCK}",
    re.IGNORECASE,
)
"""`15/Jan/24 3:26 PM` as Jira exports, `15 Jan 2024 15:26:00`, `15-Jan-2024`."""

_AMERICAN = re.compile(
    rf"(?:[a-z]{{3,9}},?\s+)?(?P<month>[a-z]{{3,9}})\.?\s+(?P<day>\d{{1,2}}),?\s+(?P<year>\d{{4}}){_CLOCK}",
    re.IGNORECASE,
)
"""`Jan 15, 2024, 3:26 PM`, as Jira Cloud shows."""

_NUMBERED = re.compile(
    rf"(?P<first>\d{{1,2}})[/.-](?P<second_number>\d{{1,2}})[/.-](?P<year>\d{{4}}|\d{{2}}){_CLOCK}", re.IGNORECASE
)
"""`01/15/2024 15:26` and `15.01.2024 15:26`."""

_ZONE = re.compile(r"\s*(?:UTC|GMT|Z)$", re.IGNORECASE)
_OFFSET_BARE = re.compile(r"([+-]\d{2})(\d{2})$")
_NUMBER = re.compile(r"[0-9]{1,17}(?:\.[0-9]{1,9})?")


def parse_time(value: object, *, field: str, zone: tzinfo = UTC, day_first: bool | None = None) -> datetime:
    """An aware time between 1970 and 2200, in UTC. Times that name no zone are taken to be in `zone`.

    Read are ISO 8601, seconds or milliseconds since 1970, and dates with the name of the month. Of a date in numbers
    alone, `day_first` tells which comes first; without it only dates that can be read in one way are. Raises
    `InvalidInput` with `field`.
    """
    if isinstance(value, datetime):
        return _checked(value if value.tzinfo else value.replace(tzinfo=zone), field)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _of_epoch(value, field)
    if not isinstance(value, str) or len(value) > _MAX_CHARS:
        raise InvalidInput(field, "is not a time", advice=_ADVICE)
    text = value.strip()
    if _NUMBER.fullmatch(text):
        return _of_epoch(float(text), field)
    try:
        moment = _of_iso(text) or _of_words(text, day_first)
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise InvalidInput(field, f"'{one_line(text)}' is not a time that can be read in one way", advice=_ADVICE)
    return _checked(moment if moment.tzinfo else moment.replace(tzinfo=zone), field)


_ADVICE = "Write it as 2024-01-15T10:22:03Z; for dates such as 1/2/2024 say which number is the day."


def _of_epoch(seconds: float, field: str) -> datetime:
    if not math.isfinite(seconds) or not 0 <= seconds < _EPOCH_MS_FROM * 1000:
        raise InvalidInput(field, "is not a time", advice="Give seconds since 1970, or write the time out.")
    return _checked(datetime.fromtimestamp(seconds / (1000 if seconds >= _EPOCH_MS_FROM else 1), UTC), field)


def _of_iso(text: str) -> datetime | None:
    plain = _OFFSET_BARE.sub(r"\1:\2", _ZONE.sub("+00:00", text)) if ":" in text else text
    try:
        return datetime.fromisoformat(plain)
    except ValueError:
        return None


def _of_words(text: str, day_first: bool | None) -> datetime | None:
    zone = UTC if _ZONE.search(text) else None
    bare = _ZONE.sub("", text)
    if match := _NAMED.fullmatch(bare) or _AMERICAN.fullmatch(bare):
        month = match["month"][:3].lower()
        return _built(match, _MONTHS.index(month) + 1, int(match["day"]), zone) if month in _MONTHS else None
    if match := _NUMBERED.fullmatch(bare):
        first, second = int(match["first"]), int(match["second_number"])
        if day_first is None and first <= 12 and second <= 12 and first != second:
            return None
        starts_with_day = first > 12 if day_first is None else day_first
        day, month = (first, second) if starts_with_day else (second, first)
        return _built(match, month, day, zone)
    return None


def _built(match: re.Match[str], month: int, day: int, zone: tzinfo | None) -> datetime:
    year = int(match["year"])
    year += 2000 if year < 100 else 0
    hour, minute, second = int(match["hour"] or 0), int(match["minute"] or 0), int(match["second"] or 0)
    if match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError("no such hour")
        hour = hour % 12 + (12 if match["half"].lower() == "p" else 0)
    return datetime(year, month, day, hour, minute, second, tzinfo=zone)


def _checked(moment: datetime, field: str) -> datetime:
    if not EARLIEST <= moment < LATEST:
        raise InvalidInput(field, "lies outside 1970 to 2200", advice="Correct the time.")
    return moment.astimezone(UTC)
