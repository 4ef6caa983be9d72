"""What is refused before a parser, a framework or a database trips over it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.strict_json import parse_json
from kb.errors import InvalidInput


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"a": NaN}', "holds NaN, which is not JSON"),
        (b"[-Infinity]", "holds -Infinity, which is not JSON"),
        (b"[1e999]", "holds a number too large for a double"),
        (b"[" + b"9" * 5000 + b"]", "holds a number of more than 40 digits"),
        (b'{"a": "\\ud800"}', "holds half a character (a lone surrogate)"),
        (b'{"\\udfff": 1}', "holds half a character (a lone surrogate)"),
        (b'"\xff"', "is not UTF-8 (byte 1)"),
        (b"", "is not JSON (Expecting value, line 1, column 1)"),
        (b'{"a": 1', "is not JSON (Expecting ',' delimiter, line 1, column 8)"),
        (b"[" * 100_000, "is nested more than 40 levels deep"),
        (b"[" * 41 + b"]" * 41, "is nested more than 40 levels deep"),
        (b'{"a":' * 50 + b"1" + b"}" * 50, "is nested more than 40 levels deep"),
    ],
)
def test_what_would_break_later_is_refused_with_the_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_json(raw)
    assert caught.value.reason == reason
    assert caught.value.advice


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert parse_json(b'"\\ud83d\\ude00"') == "\U0001f600"


def test_a_byte_order_mark_is_passed_over() -> None:
    assert parse_json(b'\xef\xbb\xbf{"a": [1, 2.5, null, true]}') == {"a": [1, 2.5, None, True]}


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(_json)
def test_every_plain_value_comes_back_as_it_was(value: object) -> None:
    assert parse_json(json.dumps(value).encode()) == value
