"""Damaged files made readable."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.mojibake import repair_double_encoding
from kb.repair import repair


def codes(raw: bytes) -> list[str]:
    return [problem.code for problem in repair(raw, path="x.md").problems]


def misread(text: str, codec: str) -> bytes:
    """What a file holds after its UTF-8 was taken for `codec`, with bytes that the codec lacks dropped, and saved."""
    return text.encode("utf-8").decode(codec, errors="ignore").encode("utf-8")


def test_a_sound_file_comes_back_as_it_is() -> None:
    text = "# Título\n\n— “déjà vu” → naïve 日本 🚀 👩\u200d💻 l’été\n"

    repaired = repair(text.encode(), path="x.md")

    assert (repaired.text, repaired.problems) == (text, ())


@pytest.mark.parametrize("codec", ["cp1252", "mac_roman"])
@pytest.mark.parametrize(
    "text",
    [
        "## 🤖 Agent\n",
        "Diagnosis → Recovery → Check\n",
        "✅ done, ⏳ waiting\n",
        "café – naïve “so”, déjà vu\n",
        "├── static/\n",
    ],
)
def test_double_encoded_text_is_put_right(text: str, codec: str) -> None:
    repaired = repair(misread(text, codec), path="x.md")

    assert repaired.text == text
    assert [problem.code for problem in repaired.problems] == ["double-encoded"]


def test_the_corner_of_a_box_whose_last_byte_was_lost_is_known() -> None:
    box = "┌──┐\n│ x│\n└──┘\n"

    assert repair(misread(box, "cp1252"), path="x.md").text == box


def test_double_encoding_names_its_first_line() -> None:
    (problem,) = repair(b"fine\nfine\n" + misread("naïve →\n", "cp1252"), path="p.md").problems

    assert (problem.code, problem.line, problem.path) == ("double-encoded", 3, "p.md")
    assert problem.advice


@pytest.mark.parametrize(
    "text", ["l’été à Liège", "√© is how it looks in one place", "x ≥ ½ · y", "« Été »", "Öl–Ölpreis", "Ωμέγα"]
)
def test_lone_foreign_letters_are_left_alone(text: str) -> None:
    assert repair_double_encoding(text).text == text


def test_ftfy_mends_what_was_read_as_windows_1251() -> None:
    damaged = "Привет, как дела сегодня".encode().decode("cp1251", errors="ignore")

    assert "double-encoded" in codes((damaged + "\n").encode())


@pytest.mark.parametrize("line_end", ["\r\n", "\r", "\n"])
def test_line_ends_of_every_system_become_one(line_end: str) -> None:
    assert repair(line_end.join(["a", "b", ""]).encode(), path="x").text == "a\nb\n"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (codecs.BOM_UTF8 + b"# a", "byte-order-mark"),
        ("# a\n".encode("utf-16"), "not-utf8"),
        (codecs.BOM_UTF16_BE + "# a\n".encode("utf-16-be"), "not-utf8"),
        ("# a heading\n".encode("utf-16-le"), "not-utf8"),
        ("# a heading\n".encode("utf-16-be"), "not-utf8"),
        ("# a\n".encode("utf-32"), "not-utf8"),
        (b"# caf\xe9", "invalid-utf8"),
        (b"a\xed\xa0\x80b", "invalid-utf8"),
        (b"a\xf0\x9f", "invalid-utf8"),
        (b"a\0b", "control-characters"),
        (b"a\x1b[31mb", "control-characters"),
        ("a\u202eb\u2066".encode(), "direction-marks"),
        ("a\u200bb\u2060".encode(), "hidden-characters"),
        ("run \U000e0072\U000e006d".encode(), "hidden-characters"),
        ("a\u2028b".encode(), "line-separators"),
    ],
)
def test_damage_is_reported(raw: bytes, code: str) -> None:
    assert codes(raw) == [code]


def test_invalid_bytes_show_as_replacement_characters_on_their_line() -> None:
    repaired = repair(b"one\ntwo \xff\xfe three\n", path="x")

    assert repaired.text == "one\ntwo \ufffd\ufffd three\n"
    assert repaired.problems[0].line == 2


def test_what_cannot_be_seen_is_not_indexed() -> None:
    raw = "rm\u200b -rf\u202e \U000e0001/ a\0b\u00adc\x85d".encode()

    assert repair(raw, path="x").text == "rm -rf / abc d"


def test_utf16_text_is_read() -> None:
    assert repair("# Höhe\r\n\r\nText\r\n".encode("utf-16"), path="x").text == "# Höhe\n\nText\n"


@given(st.binary(max_size=3000))
def test_any_bytes_give_text_of_as_many_lines(raw: bytes) -> None:
    repaired = repair(raw, path="x")

    assert "\0" not in repaired.text
    assert "\r" not in repaired.text
    repaired.text.encode("utf-8")


@given(st.text(alphabet="ab \n\t\r\0\x1b\u200b\u202e\u2028\u00ad\ufeff日🚀→`~#-é", max_size=300))
def test_repairing_twice_is_repairing_once(text: str) -> None:
    once = repair(text.encode(), path="x").text

    assert repair(once.encode(), path="x").text == once
