"""Files made to break a parser: each is parsed within a second and says something about itself, none raises."""

import time
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.html import render_html
from kb.markdown import MAX_FILE_BYTES, MAX_LINES, parse_document
from kb.markdown_blocks import MAX_SECTIONS
from kb.runbook import Document, ProblemLevel

KB = 1024
N = 100_000


def header(yaml_text: str) -> str:
    return f"---\n{yaml_text}\n---\n# Title\n"


LAUGHS = "a: &a [x, x, x]\n" + "\n".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]" for i in range(20)
)
MERGES = "a: &a {k: v}\n" + "\n".join(f"m{i}: &m{i} {{<<: [*{'a' if i == 0 else f'm{i - 1}'}, *a]}}" for i in range(30))

YAML_BOMBS: Mapping[str, str] = {
    "billion laughs": header(LAUGHS),
    "merge keys": header(MERGES),
    "quadratic alias": header("a: &a " + "x" * 5_000 + "\nb: [" + "*a, " * 2_000 + "*a]"),
    "deep flow sequence": header("a: " + "[" * 8_000),
    "deep closed flow": header("a: " + "[" * 7_000 + "]" * 7_000),
    "deep flow mapping": header("a: " + "{a: " * 3_500),
    "deep block": header("\n".join(" " * i + "a:" for i in range(170))),
    "deep dashes": header("a:\n  " + "- " * 8_000),
    "complex keys": header("? " * 8_000),
    "digits": header("a: " + "9" * 16_000),
    "sexagesimal": header("a: " + "1:" * 8_000 + "1"),
    "float": header("a: 1e999999999"),
    "python object": header("a: !!python/object/apply:os.system ['id']"),
    "custom tag": header("a: !exec id"),
    "binary tag": header("a: !!binary " + "A" * 10_000),
    "too large": header("a: " + "x" * 20_000),
    "many keys": header("\n".join(f"k{i}: v" for i in range(1_500))),
    "many commas": header("tags: [" + "a," * 8_000 + "]"),
    "quotes": header('a: "' + '\\"' * 8_000),
    "unclosed quote": header("a: '" + "x\n" * 4_000),
    "colons": header(":" * 16_000),
    "ampersands": header("&" * 16_000),
    "percent directives": header("%YAML 9.9\n" * 1_000),
    "tabs": header("\t" * 16_000),
    "many documents": "---\n" * 8_000,
    "duplicate keys": header("a: 1\n" * 2_500),
    "steps of one": header("steps:\n" + "- {a: b}\n" * 1_700),
    "never closed": "---\n" + "a: b\n" * 100_000,
    "escapes": header('title: "\\u202e\\u0000\\x1b\\ud800"'),
}

MARKDOWN_BOMBS: Mapping[str, str] = {
    "open brackets": "[" * N,
    "closed brackets": "[" * N + "]" * N,
    "links": "[a](" * 50_000,
    "nested links": "[" * 20_000 + "a" + "](b)" * 20_000,
    "images": "![" * 50_000,
    "quotation marks": ">" * N,
    "spaced quotation marks": "> " * 50_000,
    "lists": "- " * 50_000,
    "numbered lists": "1. " * 30_000,
    "indented lists": "\n".join("  " * i + "- x" for i in range(1_000)),
    "stars": "*" * N,
    "stars and letters": "*a " * 50_000,
    "mixed emphasis": "*a_ " * 50_000,
    "tildes": "~" * N,
    "backticks": "`" * N,
    "growing backticks": " ".join("`" * i for i in range(1, 600)),
    "backslashes": "\\" * N,
    "entities": "&#x" * 50_000,
    "less than": "<" * N,
    "open tags": "<a " * 50_000,
    "comments": "<!-- " * 30_000,
    "declarations": "<!A " * 30_000,
    "processing": "<? " * 30_000,
    "bold tags": "<b>" * 30_000 + "\n\n" + "<p>x</p>\n\n" * 500,
    "divs": "<div>\n\n" * 20_000,
    "headings": "# a\n" * 7_000,
    "same headings": "## Check\n\n" * 9_000,
    "underlined headings": "a\n=\n\n" * 6_000,
    "hashes": "#" * N,
    "pipes": "|" * N,
    "wide table": "|" + "a|" * 5_000 + "\n|" + "-|" * 5_000 + "\n" + ("|" + "a|" * 5 + "\n") * 4,
    "table of tables": "a|b\n-|-\n" * 4_000,
    "references": "[a]: b\n" * 8_000 + "[a]" * 8_000,
    "fences": "```\n" * 40_000,
    "fences with words": "```markdown\n```bash\n" * 10_000,
    "long fences": "`" * 50_000 + "\nx\n" + "`" * 50_000,
    "fences of all lengths": "\n".join("`" * (3 + i % 50) for i in range(5_000)),
    "admonitions": "!!! note\n    " * 4_000,
    "nested admonitions": "\n".join("    " * i + "!!! note" for i in range(300)),
    "one line": "a" * (MAX_FILE_BYTES - 1),
    "one line of words": "word " * 200_000,
    "one line of code": "`pg_up == 0` " * 20_000,
    "newlines": "\n" * 500_000,
    "spaces": " " * 500_000,
    "facts": "**Severity**: high\n" * 8_000,
    "alerts": "## Alert: HostDown\n\n" * 3_000,
    "alert lists": "- HostDown\n" * 6_000,
    "urls": "runbook_url: https://x.example/a\n" * 6_000,
    "prompts": "```\n" + "$ echo 'x\n" * 20_000 + "```\n",
    "here-documents": "```bash\n" + "cat <<EOF\n" * 10_000 + "```\n",
    "dollars": "```bash\n" + "$A'" * 30_000 + "\n```\n",
    "substitutions": "```bash\n" + '"$(' * 30_000 + "\n```\n",
    "blanks": "```bash\n" + "".join(f"<a{i}> " for i in range(20_000)) + "\n```\n",
    "angle brackets": "```bash\n" + "<a" * 30_000 + "\n```\n",
    "square brackets": "```bash\n" + "[a-" * 30_000 + "\n```\n",
    "braces": "```bash\n" + "{{ a" * 30_000 + "\n```\n",
    "hidden characters": "a\u200b\u202e\u00ad" * 30_000,
    "mojibake": "â”€ðŸ¤–Ã©" * 8_000,
    "mac mojibake": "‚Üí√©" * 30_000,
    "emoji joined": "👩\u200d" * 30_000,
    "combining marks": "a" + "\u0301" * N,
    "right to left": "שלום \u200f" * 20_000,
    "explicit anchors": "# x {#a}\n" * 4_000,
}

BYTE_BOMBS: Mapping[str, bytes] = {
    "zeros": b"\0" * N,
    "ones": b"\xff" * N,
    "lone continuation": b"\x80" * N,
    "surrogates": b"\xed\xa0\x80" * 30_000,
    "overlong": b"\xc0\x80" * 30_000,
    "utf-16": ("# Höhe\n" * 5_000).encode("utf-16"),
    "odd utf-16": b"\xff\xfe" + b"a" * 1_001,
    "utf-32": "# Höhe\n".encode("utf-32"),
    "cut utf-8": "日本".encode()[:-1] * 20_000,
    "bom only": b"\xef\xbb\xbf",
    "every byte": bytes(range(256)) * 400,
    "carriage returns": b"\r" * N,
    "elf": b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 100,
    "gzip": b"\x1f\x8b\x08" + bytes(range(256)) * 100,
    "one byte more": b"a" * (MAX_FILE_BYTES + 1),
    "ten times too large": b"# a\n" * (MAX_FILE_BYTES * 10 // 4),
}

BOMBS = {
    **{f"yaml: {name}": text.encode("utf-8", "surrogatepass") for name, text in YAML_BOMBS.items()},
    **{f"markdown: {name}": text.encode("utf-8", "surrogatepass") for name, text in MARKDOWN_BOMBS.items()},
    **{f"bytes: {name}": raw for name, raw in BYTE_BOMBS.items()},
}

CPU_SECONDS_PER_FILE = 2.0
"""Twice the promise of one second, so that a slower machine does not fail the test."""

SHOWN_BYTES = 20 * KB
"""Pages are made from the beginning of each bomb, which shows the same faults in less time."""


def assert_sound(document: Document) -> None:
    """The laws that every document keeps."""
    main = document.runbooks[0]
    assert main.id == document.id
    ids = [runbook.id for runbook in document.runbooks]
    assert len(set(ids)) == len(ids)
    for runbook in document.runbooks:
        assert document.text[runbook.start : runbook.start + len(runbook.text)] == runbook.text
        position = 0
        for section in runbook.sections:
            assert section.start == position < section.end
            position = section.end
        assert position == len(runbook.text)
        anchors = [section.anchor for section in runbook.sections if section.level]
        assert len(set(anchors)) == len(anchors)
        assert len(runbook.sections) <= MAX_SECTIONS + 1
        assert len(runbook.summary) <= 280
    assert all(problem.message and problem.advice for problem in document.problems)
    document.text.encode("utf-8")


def test_there_are_bombs_enough() -> None:
    assert len(BOMBS) >= 100


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_parsed_in_time_and_never_raises(name: str) -> None:
    start = time.process_time()
    document = parse_document(BOMBS[name], path="bombs/x.md")
    elapsed_s = time.process_time() - start

    assert_sound(document)
    assert elapsed_s < CPU_SECONDS_PER_FILE


@pytest.mark.parametrize("name", [name for name in BOMBS if name.startswith("markdown:")])
def test_a_bomb_is_shown_in_time(name: str) -> None:
    runbook = parse_document(BOMBS[name][:SHOWN_BYTES], path="bombs/x.md").runbooks[0]
    anchors = [section.anchor for section in runbook.sections if section.level]

    start = time.process_time()
    html = render_html(runbook.text, heading_anchors=anchors)

    assert time.process_time() - start < CPU_SECONDS_PER_FILE
    assert len(html) < 20 * len(runbook.text) + 1_000


@pytest.mark.parametrize(
    "name",
    ["billion laughs", "merge keys", "quadratic alias", "deep flow sequence", "deep closed flow", "deep flow mapping",
     "deep block", "deep dashes", "complex keys", "python object", "custom tag", "binary tag", "too large"],
)  # fmt: skip
def test_front_matter_beyond_the_limits_is_an_error_and_the_text_is_still_read(name: str) -> None:
    document = parse_document(YAML_BOMBS[name].encode(), path="x.md")

    assert [problem.level for problem in document.problems] == [ProblemLevel.ERROR]
    assert document.runbooks[0].title == "Title"
    assert document.runbooks[0].metadata == {}


def test_a_file_over_the_limit_is_an_error_without_text() -> None:
    document = parse_document(BYTE_BOMBS["one byte more"], path="logs/big.md")

    assert [(problem.code, problem.level) for problem in document.problems] == [("file-too-large", ProblemLevel.ERROR)]
    assert (document.text, document.runbooks[0].sections, document.runbooks[0].title) == ("", (), "Big")


def test_a_file_of_too_many_lines_is_an_error_without_text() -> None:
    document = parse_document(b"a\n" * (MAX_LINES + 1), path="logs/long.md")

    assert [(problem.code, problem.level) for problem in document.problems] == [("file-too-large", ProblemLevel.ERROR)]
    assert parse_document(b"a\n" * MAX_LINES, path="logs/long.md").problems == ()


def test_markup_beyond_the_allowance_stays_plain() -> None:
    text = "[a](b) " * 12_000 + "\n\n**end**\n"
    runbook = parse_document(text.encode(), path="x.md").runbooks[0]

    assert runbook.sections[0].links == ()
    assert render_html("**end**\n", heading_anchors=[]) == "<p><strong>end</strong></p>\n"
    assert "<p>**end**</p>" in render_html(text, heading_anchors=[])


def test_too_many_headings_are_reported_and_their_text_kept() -> None:
    document = parse_document(MARKDOWN_BOMBS["headings"].encode(), path="x.md")

    assert [problem.code for problem in document.problems] == ["too-many-sections"]
    assert len(document.runbooks[0].sections) == MAX_SECTIONS
    assert document.runbooks[0].sections[-1].end == len(document.text)


@pytest.mark.parametrize(
    "path", ["", "x", ".md", "../../etc/passwd", "a/../b.md", "con.md", "a\0b.md", "\\\\x\\y.md", "/", "🚀.md"]
)
def test_odd_paths_are_only_labels(path: str) -> None:
    assert_sound(parse_document(b"# T\n", path=path))


pieces = st.sampled_from(
    ["# A\n", "## Alert: X\n", "## HostDown\n", "---\n", "+++\n", "title: x\n", "a: [\n", "```\n", "```bash\n",
     "```markdown\n", "~~~\n", "- ", "1. ", "> ", "    ", "\t", "| a | b |\n", "|---|---|\n", "- [ ] x\n", "[a](b)",
     "`x == 1`", "<b>", "<!-- ", "-->", "**Severity**: high\n", "$ ls\n", "<pod>", "$POD", "\r\n", "\0", "\ufeff",
     "\u202e", "Ã©", "‚Üí", "\n", "===\n", "!!! note\n"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.lists(pieces | st.text(max_size=10), max_size=40),
    st.sampled_from(["x.md", "dynamic/a/README.md", "HostDown.md"]),
)
def test_any_text_gives_a_sound_document(parts: list[str], path: str) -> None:
    raw = "".join(parts).encode("utf-8", "surrogatepass")

    document = parse_document(raw, path=path)

    assert_sound(document)
    assert parse_document(raw, path=path) == document


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2_000))
def test_any_bytes_give_a_sound_document(raw: bytes) -> None:
    assert_sound(parse_document(raw, path="x.md"))
