"""A unified diff, as tools write it, turned into the rows that `diff_view` shows. Pure."""

import re
from collections.abc import Iterator
from dataclasses import replace

from api.web.diff_view import MAX_ROWS, Change, Diff, Hunk, Line, Row

_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")


def read_unified(text: str) -> Diff:
    """The hunks of a unified diff of one file; none for an empty one. Lines beyond `MAX_ROWS` are left out."""
    hunks: list[Hunk] = []
    added = removed = total = 0
    end = 0
    for old_start, rows in _hunks(text):
        added += sum(row.change is Change.ADDED for row in rows)
        removed += sum(row.change is Change.REMOVED for row in rows)
        total += len(rows)
        hunks.append(Hunk(max(0, old_start - end - 1), tuple(rows[: max(0, MAX_ROWS - total + len(rows))])))
        end = max((row.left.number for row in rows if row.left), default=old_start)
    return Diff(tuple(hunks), added, removed, cut=total > MAX_ROWS)


def _hunks(text: str) -> Iterator[tuple[int, list[Row]]]:
    rows: list[Row] = []
    start = old = new = 0
    is_inside = False
    for line in text.split("\n"):
        if match := _HUNK.match(line):
            if is_inside:
                yield start, rows
            start, rows, is_inside = int(match[1]), [], True
            old, new = int(match[1]), int(match[2])
        elif is_inside and (row := _row(line, old, new)) is not None:
            rows.append(row)
            old += row.left is not None
            new += row.right is not None
    if is_inside:
        yield start, rows


def _row(line: str, old: int, new: int) -> Row | None:
    mark, text = line[:1], line[1:]
    shown = Line(old, ((text, False),))
    if mark == "-":
        return Row(Change.REMOVED, shown, None)
    if mark == "+":
        return Row(Change.ADDED, None, replace(shown, number=new))
    if mark == " ":
        return Row(Change.SAME, shown, replace(shown, number=new))
    return None  # "\ No newline at end of file", and the empty text behind the last line
