"""Log lines: for people and for machines, never with secrets or line breaks from outside."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from api.logs import JsonLines, TextLines


def _hide(text: str) -> str:
    return text.replace("hunter2", "***")


@pytest.fixture(params=[JsonLines, TextLines])
def lines(request: pytest.FixtureRequest) -> Iterator[tuple[logging.Logger, io.StringIO]]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(request.param(_hide))
    logger = logging.Logger("sre_kb.test")
    logger.addHandler(handler)
    yield logger, stream
    handler.close()


def test_secrets_are_masked_in_messages_fields_and_tracebacks(lines: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = lines
    try:
        raise ValueError("password hunter2")
    except ValueError:
        logger.exception("failed with %s", "hunter2", extra={"event": "step_failed", "detail": "hunter2"})
    assert "hunter2" not in stream.getvalue()
    assert stream.getvalue().count("***") == 4  # message, field, source line, error


def test_text_from_outside_cannot_begin_a_line_of_its_own(lines: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = lines
    logger.warning("path %s", "/x\n2026-01-01 forged\x1b[31m\u2028", extra={"path": "a\r\nb"})
    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()


def test_a_lone_surrogate_does_not_break_logging(lines: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = lines
    logger.warning("path %s", "\ud800")
    stream.getvalue().encode("utf-8")


def test_a_machine_reads_event_and_fields() -> None:
    record = logging.makeLogRecord(
        {"name": "x", "msg": "done", "levelname": "INFO", "created": 0, "event": "indexed", "n": 3}
    )
    line = json.loads(JsonLines(_hide).format(record))
    assert line == {
        "time": "1970-01-01T00:00:00.000+00:00",
        "level": "info",
        "logger": "x",
        "message": "done",
        "event": "indexed",
        "n": 3,
    }
