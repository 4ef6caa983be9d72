"""What changed between two texts, as rows."""

import time

from hypothesis import given
from hypothesis import strategies as st

from api.web.diff_view import MAX_ROWS, Change, Diff, Line, compare

TEXTS = st.lists(st.sampled_from(["", "a", "b", "one two", "one three", "x"]), max_size=12).map("\n".join)


def text_of(line: Line | None) -> str:
    return "".join(piece for piece, _ in line.pieces) if line else ""


def test_equal_texts_have_no_rows() -> None:
    assert compare("a\nb\n", "a\nb\n") == Diff((), 0, 0, cut=False)


def test_an_edited_line_marks_the_words_that_changed() -> None:
    row = compare("wait 30 seconds, then look", "wait 60 seconds, then look").hunks[0].rows[0]
    assert row.change is Change.EDITED
    assert [piece for piece in row.left.pieces if piece[1]] == [("30", True)]  # type: ignore[union-attr]
    assert [piece for piece in row.right.pieces if piece[1]] == [("60", True)]  # type: ignore[union-attr]


def test_far_lines_are_left_out_and_counted() -> None:
    old = "\n".join(str(n) for n in range(40))
    diff = compare(old, old.replace("\n20\n", "\ntwenty\n"))
    assert [(h.skipped, len(h.rows)) for h in diff.hunks] == [(17, 7)]
    assert (diff.added, diff.removed) == (1, 1)


def test_one_column_shows_what_went_before_what_came() -> None:
    diff = compare("keep\nold 1\nold 2\nend", "keep\nnew 1\nnew 2\nnew 3\nend")
    assert [(c.value, text_of(line)) for c, line in diff.hunks[0].one_column()] == [
        ("same", "keep"),
        ("removed", "old 1"),
        ("removed", "old 2"),
        ("added", "new 1"),
        ("added", "new 2"),
        ("added", "new 3"),
        ("same", "end"),
    ]


def test_a_text_too_large_to_compare_is_answered_soon_and_cut() -> None:
    started = time.perf_counter()
    diff = compare("\n".join(f"a{n}" for n in range(30_000)), "\n".join(f"b{n}" for n in range(30_000)))
    assert time.perf_counter() - started < 5
    assert diff.cut
    assert sum(len(h.rows) for h in diff.hunks) == MAX_ROWS
    assert (diff.added, diff.removed) == (30_000, 30_000)


@given(TEXTS, TEXTS)
def test_counts_and_rows_agree_and_each_side_keeps_its_order(old: str, new: str) -> None:
    diff = compare(old, new)
    rows = [row for hunk in diff.hunks for row in hunk.rows]
    assert sum(1 for row in rows if row.left and row.change is not Change.SAME) == diff.removed
    assert sum(1 for row in rows if row.right and row.change is not Change.SAME) == diff.added
    for side, text in (([r.left for r in rows], old), ([r.right for r in rows], new)):
        numbers = [line.number for line in side if line]
        assert numbers == sorted(set(numbers))
        assert all(text.splitlines()[line.number - 1] == text_of(line) for line in side if line)
