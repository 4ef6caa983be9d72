"""Two texts as rows that a page can show side by side or one under the other, with the changed words marked."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

CONTEXT_LINES = 3
MAX_ROWS = 4000  # more is no reading matter; the page says that it stops there
_MAX_PAIRS = 4_000_000  # lines x lines that difflib compares in well under a second
_MIN_LIKENESS = 0.5  # below it two lines have nothing in common worth marking
_MAX_LINE_CHARS = 2000


class Change(StrEnum):
    """What happened to a row."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"
    EDITED = "edited"


@dataclass(frozen=True, slots=True)
class Line:
    """One side of a row: its 1-based number, and its text in pieces that say whether the other side differs."""

    number: int
    pieces: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the old line on the left, the new one on the right; a side that has no line is None."""

    change: Change
    left: Line | None
    right: Line | None


@dataclass(frozen=True, slots=True)
class Hunk:
    """Rows that stand together; `skipped` is how many equal lines were left out in front of them."""

    skipped: int
    rows: tuple[Row, ...]

    def one_column(self) -> Iterator[tuple[Change, Line]]:
        """The rows for a single column: what was removed of a run of changes, then what was added."""
        added: list[Line] = []
        for row in self.rows:
            if row.change is Change.SAME:
                yield from ((Change.ADDED, line) for line in added)
                added = []
                if row.right:
                    yield Change.SAME, row.right
                continue
            if row.left:
                yield Change.REMOVED, row.left
            if row.right:
                added.append(row.right)
        yield from ((Change.ADDED, line) for line in added)


@dataclass(frozen=True, slots=True)
class Diff:
    """All hunks, the number of lines added and removed, and whether rows were left out because there are too many."""

    hunks: tuple[Hunk, ...]
    added: int
    removed: int
    cut: bool


def compare(old: str, new: str) -> Diff:
    """What changed from `old` to `new`, line by line; no hunks when nothing did."""
    left, right = old.splitlines(), new.splitlines()
    opcodes = list(_opcodes(left, right))
    removed = sum(i2 - i1 for tag, i1, i2, _, _ in opcodes if tag != "equal")
    added = sum(j2 - j1 for tag, _, _, j1, j2 in opcodes if tag != "equal")
    hunks: list[Hunk] = []
    rows: list[Row] = []
    skipped = 0
    for index, (tag, i1, i2, j1, j2) in enumerate(opcodes):
        if tag != "equal":
            rows += _changed_rows(left, right, (i1, i2, j1, j2))
            continue
        head = CONTEXT_LINES if index else 0
        tail = CONTEXT_LINES if index < len(opcodes) - 1 else 0
        same = [_row(Change.SAME, left, right, i1 + k, j1 + k) for k in range(i2 - i1)]
        if len(same) <= head + tail:
            rows += same
            continue
        rows += same[:head]
        if any(row.change is not Change.SAME for row in rows):
            hunks.append(Hunk(skipped, tuple(rows)))
        skipped = len(same) - head - tail
        rows = same[len(same) - tail :] if tail else []
    if any(row.change is not Change.SAME for row in rows):
        hunks.append(Hunk(skipped, tuple(rows)))
    return _cut(hunks, added, removed)


_Opcode = tuple[str, int, int, int, int]


def _opcodes(left: Sequence[str], right: Sequence[str]) -> Iterator[_Opcode]:
    """difflib's opcodes; the middle of texts too large to compare line by line counts as replaced."""
    head = next((k for k, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    rest = min(len(left), len(right)) - head
    tail = next((k for k in range(rest) if left[-1 - k] != right[-1 - k]), rest)
    middle = (len(left) - head - tail, len(right) - head - tail)
    if middle[0] * middle[1] <= _MAX_PAIRS:
        yield from difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
        return
    yield "equal", 0, head, 0, head
    yield "replace", head, head + middle[0], head, head + middle[1]
    yield "equal", head + middle[0], len(left), head + middle[1], len(right)


def _row(change: Change, left: Sequence[str], right: Sequence[str], i: int, j: int) -> Row:
    return Row(change, _line(i, left[i]), _line(j, right[j]))


def _line(index: int, text: str) -> Line:
    shown = text if len(text) <= _MAX_LINE_CHARS else text[:_MAX_LINE_CHARS] + " …"
    return Line(index + 1, ((shown, False),))


def _changed_rows(left: Sequence[str], right: Sequence[str], span: tuple[int, int, int, int]) -> Iterator[Row]:
    i1, i2, j1, j2 = span
    for k in range(max(i2 - i1, j2 - j1)):
        i, j = i1 + k, j1 + k
        if i < i2 and j < j2:
            yield _edited(i, j, left[i], right[j])
        elif i < i2:
            yield Row(Change.REMOVED, _line(i, left[i]), None)
        else:
            yield Row(Change.ADDED, None, _line(j, right[j]))


def _edited(i: int, j: int, old: str, new: str) -> Row:
    if max(len(old), len(new)) > _MAX_LINE_CHARS:
        return Row(Change.EDITED, _line(i, old), _line(j, new))
    before, after = re.findall(r"\w+|\s+|[^\w\s]", old), re.findall(r"\w+|\s+|[^\w\s]", new)
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < _MIN_LIKENESS:
        return Row(Change.EDITED, _line(i, old), _line(j, new))
    left: list[tuple[str, bool]] = []
    right: list[tuple[str, bool]] = []
    for tag, a1, a2, b1, b2 in matcher.get_opcodes():
        left += [("".join(before[a1:a2]), tag != "equal")] if a2 > a1 else []
        right += [("".join(after[b1:b2]), tag != "equal")] if b2 > b1 else []
    return Row(Change.EDITED, Line(i + 1, tuple(left)), Line(j + 1, tuple(right)))


def _cut(hunks: Sequence[Hunk], added: int, removed: int) -> Diff:
    kept: list[Hunk] = []
    room = MAX_ROWS
    for hunk in hunks:
        if room <= 0:
            break
        kept.append(Hunk(hunk.skipped, hunk.rows[:room]))
        room -= len(hunk.rows)
    return Diff(tuple(kept), added, removed, cut=sum(len(h.rows) for h in hunks) > MAX_ROWS)
