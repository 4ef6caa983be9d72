"""Reading entries from files of every shape: what is bad is told, what is good goes on, and reading can be resumed."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.imports.csv_entries import CsvReader
from api.imports.json_entries import read_json_document, read_json_lines
from api.imports.position import MAX_ENTRY_BYTES, Entry, Position
from kb.errors import InvalidInput

START = Position()


def lines_of(raw: bytes, start: Position = START) -> list[Entry]:
    file = io.BytesIO(raw)
    file.seek(start.offset)
    return list(read_json_lines(file, start))


def document_of(raw: bytes, start: Position = START) -> list[Entry]:
    return list(read_json_document(io.BytesIO(raw), start))


def csv_of(raw: bytes, start: Position = START, **more: Any) -> list[Entry]:
    return list(CsvReader(io.BytesIO(raw), **more).entries(start))


def told(entries: list[Entry]) -> list[tuple[int, object]]:
    return [(entry.number, entry.problem or dict(entry.fields)) for entry in entries]


class TestJsonLines:
    def test_each_line_is_an_entry_with_its_number(self) -> None:
        assert told(lines_of(b'{"a": 1}\n\n  \n{"b": [2]}\r\n{"c": "\xc3\xbc"}')) == [
            (1, {"a": 1}),
            (4, {"b": [2]}),
            (5, {"c": "ü"}),
        ]

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            (b"{nope", "is not JSON"),
            (b"[1]", "is not a JSON object"),
            (b'"text"', "is not a JSON object"),
            (b'{"a": NaN}', "holds NaN"),
            (b'{"a": "\\ud800"}', "lone surrogate"),
            (b'{"a": "\xff"}', "is not UTF-8"),
            (b'{"a": 1e999}', "too large"),
            (b'{"a":' * 60 + b"1" + b"}" * 60, "nested"),
            (b"[" * 100_000, "nested"),
        ],
    )
    def test_a_bad_line_is_told_with_its_reason_and_the_others_pass(self, line: bytes, reason: str) -> None:
        entries = lines_of(b'{"a": 1}\n' + line + b'\n{"b": 2}\n')
        assert [entry.number for entry in entries] == [1, 2, 3]
        assert [bool(entry.problem) for entry in entries] == [False, True, False]
        assert reason in entries[1].problem

    def test_an_endless_line_is_passed_over(self) -> None:
        raw = b'{"a": 1}\n{"x": "' + b"y" * (3 * MAX_ENTRY_BYTES) + b'"}\n{"b": 2}\n'
        entries = lines_of(raw)
        assert [(entry.number, "more than" in entry.problem) for entry in entries] == [
            (1, False),
            (2, True),
            (3, False),
        ]
        assert entries[-1].end == Position(len(raw), 3)

    def test_a_line_that_is_just_small_enough_is_read(self) -> None:
        line = b'{"x": "' + b"y" * (MAX_ENTRY_BYTES - 10) + b'"}\n'
        assert len(line) == MAX_ENTRY_BYTES
        assert lines_of(line)[0].problem == ""


class TestJsonDocument:
    @pytest.mark.parametrize(
        "text",
        [
            '[{"a": 1}, {"b": {"c": [{"d": "}]{\\"["}]}}]',
            '{"incidents": [{"a": 1}, {"b": {"c": [{"d": "}]{\\"["}]}}], "more": true, "x": [{"no": 1}]}',
            '{"nested": {"incidents": [{"no": 1}]}, "issues": [{"a": 1},\n\n{"b": {"c": [{"d": "}]{\\"["}]}}]}',
            '\ufeff {"result" :\n[ {"a":1} ,\t{"b": {"c": [{"d": "}]{\\"["}]}} ] }',
        ],
    )
    def test_the_objects_of_its_list_are_entries(self, text: str) -> None:
        expected = [(1, {"a": 1}), (2, {"b": {"c": [{"d": '}]{"['}]}})]
        assert told(document_of(text.encode())) == expected

    def test_where_the_file_is_cut_into_pieces_makes_no_difference(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rows = [{"n": n, "t": 'a"b\\"}{[]' * (n % 3), "m": {"incidents": [{"n": 1}]}} for n in range(40)]
        raw = json.dumps({"meta": {"x": ["y"]}, "incidents": rows}).encode()
        whole = document_of(raw)
        assert [entry.fields for entry in whole] == rows
        for size in (1, 2, 3, 7, 64):
            monkeypatch.setattr("api.imports.json_entries._CHUNK_BYTES", size)
            assert document_of(raw) == whole

    def test_a_bad_entry_is_told_and_the_others_pass(self) -> None:
        raw = b'[{"a": 1}, {"b": nope}, {"c": NaN}, {"d": 4}]'
        assert [bool(entry.problem) for entry in document_of(raw)] == [False, True, True, False]

    def test_a_file_that_breaks_off_says_so(self) -> None:
        entries = document_of(b'{"incidents": [{"a": 1}, {"b": ')
        assert told(entries) == [(1, {"a": 1}), (2, "the file ends inside it")]

    def test_an_entry_beyond_all_bounds_is_passed_over(self) -> None:
        raw = b'[{"a": 1}, {"x": "' + b"y" * (3 * MAX_ENTRY_BYTES) + b'"}, {"b": 2}]'
        entries = document_of(raw)
        assert [(entry.number, bool(entry.problem)) for entry in entries] == [(1, False), (2, True), (3, False)]

    @pytest.mark.parametrize(
        "raw", [b"", b"{}", b'{"a": {"incidents": [{"b": 1}]}}', b"nonsense", b'"incidents"', b"]}"]
    )
    def test_a_document_without_a_list_is_a_clear_error(self, raw: bytes) -> None:
        with pytest.raises(InvalidInput, match="no list of incidents"):
            document_of(raw)


class TestCsv:
    def test_rows_are_entries_numbered_by_the_line_where_they_begin(self) -> None:
        raw = b'id,text\r\n1,"two\r\nlines, a ""quote"""\r\n\r\n2,x\r\n'
        assert told(csv_of(raw)) == [
            (2, {"id": "1", "text": 'two\r\nlines, a "quote"'}),
            (5, {"id": "2", "text": "x"}),
        ]

    @pytest.mark.parametrize(
        "raw",
        [
            b"id;text\n1;a,b\n",
            b"id\ttext\n1\ta,b\n",
            b'"id"|"text"\n1|"a,b"\n',
            b"sep=;\nid;text\n1;a,b\n",
            b'\xef\xbb\xbf"id","text"\n1,"a,b"\n',
            b"\xef\xbb\xbfid;text\r\n1;a,b",
        ],
    )
    def test_what_parts_the_columns_is_found_out(self, raw: bytes) -> None:
        assert [entry.fields for entry in csv_of(raw)] == [{"id": "1", "text": "a,b"}]

    def test_columns_of_one_name_become_a_list(self) -> None:
        raw = b"Labels,Labels,Labels,Comment\na,,b,c\n,,,\n,,x,\n"
        assert [entry.fields for entry in csv_of(raw)] == [
            {"Labels": ["a", "b"], "Comment": "c"},
            {"Labels": "x", "Comment": ""},
        ]

    def test_a_row_of_another_width_is_told(self) -> None:
        assert told(csv_of(b"a,b\n1\n1,2,3\n1,2\n")) == [
            (2, "has 1 columns, the header has 2"),
            (3, "has 3 columns, the header has 2"),
            (4, {"a": "1", "b": "2"}),
        ]

    def test_a_quote_that_is_never_closed_takes_only_its_own_row_along(self) -> None:
        rows = b"".join(b"%d,x\n" % n for n in range(60_000))
        entries = csv_of(b'a,b\n0,"open\n' + rows)
        assert entries[0].number == 2
        assert "never closed" in entries[0].problem
        assert len(entries) == 60_001
        assert (entries[1].number, entries[1].fields) == (3, {"a": "0", "b": "x"})
        assert entries[-1].end == Position(len(rows) + 12, 60_002)

    def test_an_open_quote_near_the_end_leaves_the_rows_after_it(self) -> None:
        entries = csv_of(b'a,b\n1,"open\n2,y\n')
        assert [(entry.number, bool(entry.problem)) for entry in entries] == [(2, True), (3, False)]

    def test_bytes_of_another_encoding_are_told_or_read_as_said(self) -> None:
        raw = "a,b\n1,Größe\n2,ok\n".encode("cp1252")
        assert told(csv_of(raw)) == [(2, "is not UTF-8 (byte 5 of a line)"), (3, {"a": "2", "b": "ok"})]
        assert told(csv_of(raw, encoding="cp1252"))[0] == (2, {"a": "1", "b": "Größe"})

    def test_an_endless_line_is_passed_over(self) -> None:
        raw = b"a,b\n1," + b"y" * (3 * MAX_ENTRY_BYTES) + b"\n2,ok\n"
        entries = csv_of(raw)
        assert [(entry.number, bool(entry.problem)) for entry in entries] == [(2, True), (3, False)]
        assert entries[-1].end == Position(len(raw), 3)

    @pytest.mark.parametrize(
        "raw", [b"", b"\n", b",,\n1,2,3\n", b'"a\n1\n', b"\xff\xfea\x00,\x00", b"a," * 3000 + b"\n"]
    )
    def test_a_file_with_no_usable_header_is_a_clear_error(self, raw: bytes) -> None:
        with pytest.raises(InvalidInput, match="header"):
            csv_of(raw)


ROWS = [{"n": str(n), "t": 'x, "y"\n' * (n % 4) + "end"} for n in range(25)]


def as_csv(rows: list[dict[str, str]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, ["n", "t"])
    writer.writeheader()
    writer.writerows(rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (b"\n\n".join(json.dumps(row).encode() for row in ROWS), lines_of),
        (json.dumps({"incidents": ROWS}, indent=2).encode(), document_of),
        (as_csv(ROWS), csv_of),
    ],
    ids=["lines", "document", "csv"],
)
def test_reading_goes_on_where_it_stopped(raw: bytes, read: Any) -> None:
    whole = read(raw)
    assert [entry.fields for entry in whole] == ROWS
    for stopped in whole:
        rest = read(raw, stopped.end)
        assert rest == whole[whole.index(stopped) + 1 :]


def all_readers(raw: bytes) -> Iterator[Any]:
    yield lambda: lines_of(raw)
    yield lambda: document_of(raw)
    yield lambda: csv_of(raw)


@settings(deadline=None)
@given(st.binary(max_size=300) | st.text(alphabet='{}[]",:\\ \n;ainc0', max_size=120).map(str.encode))
def test_any_bytes_are_entries_or_a_clear_error(raw: bytes) -> None:
    for read in all_readers(raw):
        try:
            entries = read()
        except InvalidInput:
            continue
        offsets = [entry.end.offset for entry in entries]
        assert offsets == sorted(offsets)
        assert all(0 < offset <= len(raw) for offset in offsets)
