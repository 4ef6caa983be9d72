"""A unified diff is read back into the rows it was made of."""

import difflib

from hypothesis import given
from hypothesis import strategies as st

from api.web.diff_view import MAX_ROWS, Change
from api.web.unified_view import read_unified

LINES = st.lists(st.text(alphabet="ab-+ @", max_size=5), max_size=30)


def unified(old: list[str], new: list[str]) -> str:
    return "".join(difflib.unified_diff([f"{x}\n" for x in old], [f"{x}\n" for x in new], "a/x", "b/x"))


def test_an_added_line_has_its_number_and_its_neighbours() -> None:
    diff = read_unified(unified(["a", "b", "c", "d", "e"], ["a", "b", "c", "d", "new", "e"]))
    (hunk,) = diff.hunks
    assert (diff.added, diff.removed, hunk.skipped) == (1, 0, 1)
    shown = [(change, line.number, line.pieces[0][0]) for change, line in hunk.one_column()]
    assert shown == [
        (Change.SAME, 2, "b"),
        (Change.SAME, 3, "c"),
        (Change.SAME, 4, "d"),
        (Change.ADDED, 5, "new"),
        (Change.SAME, 6, "e"),
    ]


def test_an_empty_diff_has_no_hunks() -> None:
    assert read_unified("").hunks == ()


def test_a_missing_line_break_at_the_end_is_no_line() -> None:
    text = "--- a\n+++ b\n@@ -1 +1 @@\n-x\n\\ No newline at end of file\n+y\n"
    assert (read_unified(text).added, read_unified(text).removed) == (1, 1)


def test_more_rows_than_anybody_reads_are_cut() -> None:
    diff = read_unified(unified([], [str(number) for number in range(MAX_ROWS + 10)]))
    assert diff.cut
    assert sum(len(hunk.rows) for hunk in diff.hunks) == MAX_ROWS
    assert diff.added == MAX_ROWS + 10


@given(LINES, LINES)
def test_what_is_kept_and_what_is_added_is_the_new_text_around_the_changes(old: list[str], new: list[str]) -> None:
    diff = read_unified(unified(old, new))
    for hunk in diff.hunks:
        for row in hunk.rows:
            if row.left:
                assert old[row.left.number - 1] == row.left.pieces[0][0]
            if row.right:
                assert new[row.right.number - 1] == row.right.pieces[0][0]
    assert len(new) - len(old) == diff.added - diff.removed
