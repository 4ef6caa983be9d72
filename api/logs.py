"""How log lines look: one line of text for people, or one JSON object for machines, with the event's name and fields.
Messages and fields pass the redactor; line breaks and control characters never reach the log as such."""

import json
import logging
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TextIO

# What every LogRecord has by itself; all else came in through `extra`.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def configure_logging(*, level: str, as_json: bool, redact: Callable[[str], str], stream: TextIO | None = None) -> None:
    """Send all log lines of this process to `stream` (standard error) in one form."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(redact) if as_json else TextLines(redact))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    logging.getLogger("alembic").setLevel(max(logging.WARNING, root.level))
    # Our own line a request says more than uvicorn's, and says no query.
    logging.getLogger("uvicorn.access").disabled = True
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True


class JsonLines(logging.Formatter):
    """One JSON object a record: time, level, logger, event, message, the fields, the traceback."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._redact(record.getMessage()),
            **{name: self._field(value) for name, value in fields_of(record).items()},
        }
        if record.exc_info:
            line["traceback"] = self._redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=True)

    def _field(self, value: object) -> object:
        return value if isinstance(value, bool | int | float | None) else self._redact(str(value))


class TextLines(logging.Formatter):
    """Time, level, message and the fields as name=value; a traceback on lines of its own."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        fields = " ".join(f"{name}={_one_line(str(value))}" for name, value in fields_of(record).items())
        message = _one_line(self._redact(record.getMessage()))
        line = f"{time} {record.levelname.lower():7} {message}" + (f"  {self._redact(fields)}" if fields else "")
        if record.exc_info:
            line += "\n" + self._redact(self.formatException(record.exc_info))
        return line


def fields_of(record: logging.LogRecord) -> Mapping[str, object]:
    """What the caller gave in `extra`."""
    return {name: value for name, value in vars(record).items() if name not in _OWN}


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
