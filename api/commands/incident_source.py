"""Options that say how a file of incidents is read, checked once for the commands that read one."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from api.imports.incident_fields import Telling
from api.imports.incident_file import IncidentFile
from api.wiring import utc_now
from kb.errors import InvalidInput
from kb.principal import Face, local


@contextmanager
def open_incidents(
    path: Path, *, source: str, format: str, zone: str, day_first: bool | None, encoding: str
) -> Iterator[IncidentFile]:
    """The incidents of a file. Raises `InvalidInput` that names the option or says what the file lacks."""
    telling = Telling(
        reported_by=local(Face.CLI).name, now=utc_now(), source=source, zone=zone_of(zone), day_first=day_first
    )
    try:
        file = path.open("rb")
    except OSError as exc:
        raise InvalidInput("FILE", f"{path} cannot be read ({exc.strerror})", advice="Check the path.") from None
    with file:
        yield IncidentFile(file, telling, export=format, encoding=encoding)


def zone_of(name: str) -> tzinfo:
    """A time zone by its name. Raises `InvalidInput`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        advice = "Use a name such as UTC or Europe/Berlin."
        raise InvalidInput("--zone", "names no time zone", advice=advice) from None
