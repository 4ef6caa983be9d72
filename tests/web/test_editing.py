"""Files in text boxes: what was not edited comes back byte for byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.web.editing import editable, file_bytes


def as_a_browser_sends(text: str) -> str:
    return text.replace("\n", "\r\n")


@pytest.mark.parametrize(
    "raw", [b"", b"a\nb\n", b"a\r\nb\r\n", b"no newline at the end", "größe 🙂\n".encode(), b"\xef\xbb\xbfbom\n"]
)
def test_an_unedited_file_is_unchanged(raw: bytes) -> None:
    assert file_bytes(as_a_browser_sends(editable(raw).text), like=raw) == raw


@given(st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]), max_size=60))
def test_any_text_with_plain_line_ends_is_unchanged(text: str) -> None:
    raw = text.encode()
    assert file_bytes(as_a_browser_sends(editable(raw).text), like=raw) == raw


def test_mixed_line_ends_become_those_of_most_lines() -> None:
    assert file_bytes("a\r\nb\r\nc\r\n", like=b"a\nb\nc\r\n") == b"a\nb\nc\n"


def test_a_file_that_is_no_utf8_says_so() -> None:
    shown = editable(b"caf\xe9\n")
    assert shown.text == "caf�\n"
    assert not shown.is_exact
