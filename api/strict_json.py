"""Bytes to JSON values without the three things that break everything after them: NaN and Infinity, lone surrogates,
and nesting without end."""

import json
from typing import NoReturn

from kb.errors import InvalidInput

MAX_DEPTH = 40


def parse_json(raw: bytes) -> object:
    """The JSON value in `raw`, which must be UTF-8 (a byte order mark is allowed).

    Raises `InvalidInput` for bytes that are not UTF-8, text that is not JSON, NaN or Infinity, numbers beyond what a
    double holds, lone surrogates, and nesting deeper than `MAX_DEPTH`.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise InvalidInput("body", f"is not UTF-8 (byte {exc.start})", advice="Send JSON in UTF-8.") from None
    try:
        value: object = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite, parse_int=_small)
    except json.JSONDecodeError as exc:
        where = f"line {exc.lineno}, column {exc.colno}"
        raise InvalidInput("body", f"is not JSON ({exc.msg}, {where})", advice="Correct the JSON.") from None
    except RecursionError:
        raise _too_deep() from None
    _check_inside(value)
    return value


def _check_inside(value: object) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        below: list[object] = []
        for item in level:
            if isinstance(item, str):
                _check_text(item)
            elif isinstance(item, dict):
                for key in item:
                    _check_text(key)
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        if not below:
            return
        level = below
    raise _too_deep()


def _check_text(text: str) -> None:
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise InvalidInput("body", "holds half a character (a lone surrogate)", advice="Send valid Unicode.")


def _too_deep() -> InvalidInput:
    return InvalidInput("body", f"is nested more than {MAX_DEPTH} levels deep", advice="Send flatter JSON.")


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidInput("body", f"holds {name}, which is not JSON", advice="Send a number or null.")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise InvalidInput("body", "holds a number too large for a double", advice="Send it as a string.")
    return value


def _small(text: str) -> int:
    if len(text) > 40:  # int() takes quadratic time, and raises a ValueError of its own past 4,300 digits
        raise InvalidInput("body", "holds a number of more than 40 digits", advice="Send it as a string.")
    return int(text)
