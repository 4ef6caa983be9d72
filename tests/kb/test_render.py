"""Runbooks written out, and read back."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.errors import InvalidInput
from kb.front_matter import split_front_matter
from kb.markdown import parse_document
from kb.render import render_new, render_runbook
from kb.repair import repair
from kb.runbook import Runbook, RunbookType
from kb.severity import Severity


def test_a_new_runbook_of_the_api_becomes_a_file() -> None:
    text = render_new(
        title="New Incident Response",
        type=RunbookType.DYNAMIC,
        severity=Severity.HIGH,
        content="# New Runbook\n\n## Steps\n1. First step",
        tags=["kubernetes", "pods"],
        metadata={"incident_id": "INC-12345", "resolved_by": "ai-agent", "confidence": 0.85},
    )

    assert text == (
        "---\n"
        "title: New Incident Response\n"
        "type: dynamic\n"
        "severity: high\n"
        "tags:\n"
        "- kubernetes\n"
        "- pods\n"
        "metadata:\n"
        "  incident_id: INC-12345\n"
        "  resolved_by: ai-agent\n"
        "  confidence: 0.85\n"
        "---\n"
        "\n"
        "# New Runbook\n\n## Steps\n1. First step\n"
    )


def test_content_without_a_heading_gets_its_title() -> None:
    assert render_new(title="Disk  full", content="Make room.\n").endswith("---\n\n# Disk full\n\nMake room.\n")


def test_front_matter_of_the_content_is_kept_where_the_fields_are_silent() -> None:
    content = "---\ntitle: Old\nservice: mail\ntags: [a]\nmetadata: {x: 1}\n---\n# H\n"

    header = split_front_matter(
        render_new(title="New", content=content, tags=["b"], metadata={"y": 2}), path="x"
    ).header

    assert (header.title, header.service, header.tags, header.metadata) == ("New", "mail", ("b", "a"), {"x": 1, "y": 2})


nested: object = "x"
for _ in range(9):
    nested = [nested]


@pytest.mark.parametrize(
    "metadata",
    [
        {"x": float("nan")},
        {"x": float("inf")},
        {"x": 10**18},
        {"x": object()},
        {"x": nested},
        {"x": "y" * 20_000},
        {"x": {1: 2}},
    ],
    ids=["nan", "infinite", "huge", "object", "deep", "long", "number key"],
)
def test_what_front_matter_cannot_hold_is_refused(metadata: dict[str, object]) -> None:
    with pytest.raises(InvalidInput) as raised:
        render_new(title="T", content="x", metadata=metadata)

    assert raised.value.advice


@pytest.mark.parametrize("field", ["title", "content"])
def test_half_a_surrogate_pair_is_refused(field: str) -> None:
    with pytest.raises(InvalidInput):
        render_new(**{"title": "T", "content": "x", field: "a\ud800"})


words = st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=20).filter(
    lambda text: text == " ".join(text.split()) and "," not in text and repair(text.encode(), path="x").text == text
)
tricky = st.sampled_from(
    ["no", "yes", "on", "null", "~", "True", "tRue", "010", "08", "1e3", "1.5e3", "0x1F", "1_000", "12:30:45",
     "2024-01-01", "=", "<<", "- a", "a: b", "a #b", "#x", "&a", "*a", "!x", "%x", "@x", "`x`", "'", '"', "[a", "{a",
     "]", "|", ">", "?", "-", "---", "...", ".inf", ".nan", "12345678901234567890", "é", "日本", "🚀", "\\n"]
)  # fmt: skip
names = words | tricky
scalars = (
    names
    | st.integers(-(10**17), 10**17)
    | st.booleans()
    | st.none()
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=6
)


@st.composite
def runbooks(draw: st.DrawFn) -> Runbook:
    return Runbook(
        id=draw(
            st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True).filter(
                lambda text: text not in ("search", "learn")
            )
        ),
        title=draw(names),
        path="notes/x.md",
        type=draw(st.sampled_from(RunbookType)),
        text=draw(st.sampled_from(["# Heading\n\nText.\n", "Text", "## A\n\n---\n\n## B\n", "--- x\n", "\ttext\n"])),
        start=0,
        severity=draw(st.none() | st.sampled_from(Severity)),
        service=draw(st.just("") | names),
        alerts=tuple(draw(st.lists(names, max_size=3, unique=True))),
        tags=tuple(draw(st.lists(names, max_size=3, unique=True))),
        owner=draw(st.just("") | names),
        reviewed=draw(st.none() | st.dates(date(2000, 1, 1), date(2100, 1, 1))),
        review_interval_days=draw(st.none() | st.integers(1, 3660)),
        summary=draw(names),
        runbook_urls=tuple(draw(st.lists(names, max_size=2, unique=True))),
        steps=tuple(draw(st.lists(st.dictionaries(names, values, min_size=1, max_size=3), max_size=2))),
        metadata=draw(st.dictionaries(names, values, max_size=3)),
    )


CARRIED = (
    "id", "title", "type", "severity", "service", "tags", "owner", "reviewed", "review_interval_days", "summary",
    "runbook_urls", "steps", "metadata", "text",
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(runbooks())
def test_what_is_rendered_parses_to_the_same(runbook: Runbook) -> None:
    document = parse_document(render_runbook(runbook).encode(), path=runbook.path)
    parsed = document.runbooks[0]

    assert {name: getattr(parsed, name) for name in CARRIED} == {name: getattr(runbook, name) for name in CARRIED}
    assert parsed.alerts[: len(runbook.alerts)] == runbook.alerts
    assert document.problems == ()


def test_a_parsed_runbook_survives_being_written_again() -> None:
    text = "# HostDown\n\n**Severity**: P1\n\nThe host does not answer any more.\n"
    first = parse_document(text.encode(), path="static/host.md").runbooks[0]

    second = parse_document(render_runbook(first).encode(), path="static/host.md").runbooks[0]

    assert second.text == first.text
    assert (second.id, second.title, second.alerts, second.severity) == (
        "host",
        "HostDown",
        ("HostDown",),
        Severity.HIGH,
    )
