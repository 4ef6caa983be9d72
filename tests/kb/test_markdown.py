"""What a parsed file says of itself: lines, offsets, digests, types. What it is about: `test_markdown_cases.py`."""

import hashlib
from datetime import date

import pytest

from kb.markdown import parse_document
from kb.runbook import ProblemLevel, RunbookType

TEXT = """---
title: Disk
---

Before.

# Disk full

Look:

```bash
df -h
```

| a | b |
|---|---|
| 1 | [c](d) |

- [ ] done
"""


def test_lines_are_those_of_the_file_on_disk() -> None:
    for raw in (TEXT.encode(), TEXT.replace("\n", "\r\n").encode(), b"\xef\xbb\xbf" + TEXT.encode()):
        runbook = parse_document(raw, path="x.md").runbooks[0]
        section = runbook.sections[1]

        assert [part.line for part in runbook.sections] == [5, 7]
        assert section.commands[0].line == 11
        assert section.tables[0].line == 15
        assert section.checklist[0].line == 19


def test_offsets_slice_the_text_without_front_matter() -> None:
    document = parse_document(TEXT.encode(), path="x.md")
    runbook = document.runbooks[0]

    assert runbook.text.startswith("Before.")
    assert document.text[runbook.start :] == runbook.text
    assert runbook.text[runbook.sections[1].start :].startswith("# Disk full\n")
    assert "".join(runbook.text[section.start : section.end] for section in runbook.sections) == runbook.text


def test_the_digest_is_of_the_bytes_and_not_of_the_repaired_text() -> None:
    raw = b"\xef\xbb\xbf# A\r\n"

    assert parse_document(raw, path="x.md").sha256 == hashlib.sha256(raw).hexdigest()


def test_parsing_is_deterministic() -> None:
    assert parse_document(TEXT.encode(), path="x.md") == parse_document(TEXT.encode(), path="x.md")


def test_problems_name_file_line_level_and_remedy() -> None:
    raw = b"---\ntitle: x\nfoo: 1\n---\n\n# A\n\n```bash\nx\n"

    note, warning = sorted(parse_document(raw, path="a/b.md").problems, key=lambda problem: problem.line or 0)

    assert (note.code, note.level, note.path, note.line) == ("front-matter-unknown", ProblemLevel.NOTE, "a/b.md", 3)
    assert (warning.code, warning.level, warning.line) == ("fence-unclosed", ProblemLevel.WARNING, 8)
    assert note.advice
    assert warning.advice


def test_a_review_date_after_the_last_change_is_noted() -> None:
    raw = b"---\nreviewed: 2025-05-02\n---\n# A\n"

    assert parse_document(raw, path="x", modified=date(2025, 5, 2)).problems == ()
    assert parse_document(raw, path="x").problems == ()
    assert [problem.code for problem in parse_document(raw, path="x", modified=date(2025, 5, 1)).problems] == [
        "review-date"
    ]


@pytest.mark.parametrize(
    ("path", "declared", "expected"),
    [
        ("static/a.md", "", RunbookType.STATIC),
        ("a.md", "", RunbookType.STATIC),
        ("a.md", "docs", RunbookType.STATIC),
        ("a.md", "dynamic", RunbookType.DYNAMIC),
        ("static/a.md", "Dynamic", RunbookType.DYNAMIC),
        ("dynamic/patterns/a.md", "", RunbookType.DYNAMIC),
        ("dynamic/patterns/a.md", "static", RunbookType.DYNAMIC),
        ("DYNAMIC/a.md", "static", RunbookType.DYNAMIC),
        ("team/dynamic/a.md", "static", RunbookType.DYNAMIC),
        ("dynamic.md", "", RunbookType.STATIC),
        ("static/templates/a.md", "", RunbookType.TEMPLATE),
        ("static/templates/a.md", "static", RunbookType.TEMPLATE),
        ("dynamic/a.md", "template", RunbookType.TEMPLATE),
    ],
)
def test_folders_decide_the_type_more_than_front_matter(path: str, declared: str, expected: RunbookType) -> None:
    raw = f"---\ntype: {declared}\n---\n# A\n".encode()

    assert parse_document(raw, path=path).runbooks[0].type is expected
