"""How a runbook is cut."""

from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.chunk import MAX_CHUNK_CHARS, chunk_runbook, embed_text
from kb.markdown import parse_document
from kb.runbook import Runbook

LINES = st.lists(
    st.sampled_from(
        ["# Disk full", "## Check", "### Deep", "", "  ", "Some prose about a disk.", "- a point", "```bash", "```",
        "df -h",
         "~~~", "| a | b |", "word " * 60, "x" * 1_500, "# not a heading in a fence", "\tindented", "ünïcode 🚨"]
    ),
    max_size=60,
)  # fmt: skip


def parsed(text: str) -> Runbook:
    return parse_document(text.encode(), path="node/disk-full.md").runbooks[0]


@settings(deadline=None)
@given(LINES, st.sampled_from([80, 300, MAX_CHUNK_CHARS]))
def test_chunks_slice_back_to_the_text_and_cover_it(lines: list[str], max_chars: int) -> None:
    runbook = parsed("\n".join(lines))
    chunks = chunk_runbook(runbook, max_chars=max_chars)
    assert "".join(chunk.text for chunk in chunks) == runbook.text
    assert all(chunk.text == runbook.text[chunk.start : chunk.end] for chunk in chunks)


@settings(deadline=None)
@given(LINES)
def test_a_chunk_is_not_longer_than_asked_unless_it_opens_with_bare_headings(lines: list[str]) -> None:
    runbook = parsed("\n".join(lines))
    assert all(chunk.end - chunk.start <= MAX_CHUNK_CHARS for chunk in chunk_runbook(runbook))


@settings(deadline=None)
@given(LINES)
def test_every_chunk_names_a_section_of_its_runbook(lines: list[str]) -> None:
    runbook = parsed("\n".join(lines))
    anchors = {section.anchor for section in runbook.sections} | {""}
    assert {chunk.anchor for chunk in chunk_runbook(runbook)} <= anchors


def test_a_heading_without_text_opens_the_chunk_of_the_next_section() -> None:
    chunks = chunk_runbook(parsed("# Disk\n\nIntro.\n\n## Fix\n\n### Delete logs\n\nrm them\n"))
    assert [(chunk.anchor, chunk.text.split("\n")[0]) for chunk in chunks] == [
        ("disk", "# Disk"),
        ("delete-logs", "## Fix"),
    ]


def test_code_stays_with_the_prose_before_it() -> None:
    prose = "Look at what is mounted, and where.\n\n"
    code = "```bash\ndf -h\n\ndf -i\n```\n"
    chunks = chunk_runbook(parsed(f"# Disk\n\n{'First words. ' * 20}\n\n{prose}{code}"), max_chars=330)
    assert chunks[-1].text == prose + code


def test_what_the_model_reads_begins_with_where_the_text_stands() -> None:
    runbook = parsed("# Disk is full\n\n## Check\n\ndf -h\n")
    chunk = chunk_runbook(runbook)[-1]
    assert embed_text(runbook, chunk).split("\n")[0] == "disk full. Disk is full. Check"


def test_a_text_without_headings_is_one_section() -> None:
    assert [(chunk.anchor, chunk.section_path) for chunk in chunk_runbook(parsed("just words\n"))] == [("", ())]


def test_an_empty_runbook_has_no_chunks() -> None:
    assert chunk_runbook(parsed("")) == ()
