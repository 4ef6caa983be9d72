"""Drafts, patches, recommendations and insights out of a pattern."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from kb.incident import ActionOutcome, Incident
from kb.markdown import parse_document
from kb.pattern import Pattern
from learner.amend import amend
from learner.distill import SINGLE_SOURCE_CAP, distill
from learner.draft import draft_runbook

Make = Callable[..., Incident]
HELPED, WORSE = ActionOutcome.HELPED, ActionOutcome.MADE_WORSE


def three(make: Make, **more: object) -> list[Incident]:
    acts = (("Restart consumer", HELPED), ("Purge queue", WORSE))
    return [make(n, actions=acts, by=by, **more) for n, by in enumerate(["ana", "ben", "ana"])]


def learnt(incidents: list[Incident]) -> Pattern:
    return distill("pat-1", incidents, now=max(i.started_at for i in incidents) + timedelta(days=1))


def draft(incidents: list[Incident]) -> str:
    return draft_runbook(learnt(incidents), incidents, document_id="checkout-queue")


def test_a_draft_reads_as_the_format_of_dynamic_runbooks(incident: Make) -> None:
    text = draft(three(incident, lessons=("Alert on lag",), alerts=("QueueGrowing",)))
    assert text.startswith(
        "---\nid: checkout-queue\ntitle: Queue growing  # (inc-0, inc-1, inc-2)\n"
        "alerts:\n- QueueGrowing  # (inc-0, inc-1, inc-2)\n"
        "tags:\n- learned\nmetadata:\n  pattern_id: pat-1\n---\n\n# Incident: pat-1 - Queue growing\n\n"
        "- **Date**: 2026-01-01 to 2026-01-03 (inc-0, inc-2)\n"
        "- **Duration**: median 10m, 9 of 10 within 10m (inc-0, inc-1, inc-2)\n"
    )
    headings = [line for line in text.splitlines() if line.startswith("##")]
    assert headings == [
        "## Incident Details",
        "## Diagnosis Process",
        "## Resolution Steps",
        "### What made it worse",
        "## Lessons Learned",
        "### Key Learnings",
        "## AI Insights",
    ]
    assert "1. Restart consumer, worked in 3 of 3 (29% to 100%), median 10m (inc-0, inc-1, inc-2)" in text
    assert "- Purge queue, in 3 of 3 (inc-0, inc-1, inc-2)" in text


def test_a_line_names_the_incidents_that_say_it_and_no_others(incident: Make) -> None:
    said = [incident(1, lessons=("Watch the lag",)), incident(2), incident(3, lessons=("Watch the lag",))]
    assert "- Watch the lag (inc-1, inc-3)\n" in draft(said)
    many = [incident(number, lessons=("Watch the lag",)) for number in range(9)]
    assert "- Watch the lag (inc-0, inc-1, inc-2 and 6 more)\n" in draft(many)


def test_a_name_that_one_of_many_bears_claims_no_alert(incident: Make) -> None:
    told = [incident(n, alerts=("QueueGrowing",) if n else ("KubePodCrashLooping",)) for n in range(4)]
    (runbook,) = parse_document(draft(told).encode(), path="dynamic/patterns/checkout-queue.md").runbooks
    assert runbook.alerts == ("QueueGrowing",)
    assert "- **Seen with alert**: KubePodCrashLooping (inc-0)\n" in draft(told)


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


def patched(text: str, incidents: list[Incident], **more: str) -> str | None:
    return amend(text.encode(), learnt(incidents), incidents, path="static/queue.md", **more)


def test_a_covering_runbook_gets_a_patch_and_a_second_one_changes_nothing(incident: Make) -> None:
    told = three(incident, alerts=("QueueGrowing",))
    first = patched("# Queue\n\nRead the log.\n", told)
    assert first == (
        "# Queue\n\nRead the log.\n\n"
        "<!-- learned pat-1 -->\n"
        "## Learned from incidents: Queue growing (inc-0, inc-1, inc-2)\n\n"
        "- Alert seen with it: QueueGrowing (inc-0, inc-1, inc-2)\n"
        "- Fix: Restart consumer, worked in 3 of 3 (29% to 100%) (inc-0, inc-1, inc-2)\n"
        "- Caution: Purge queue made it worse in 3 (inc-0, inc-1, inc-2)\n"
        "<!-- /learned pat-1 -->\n"
    )
    assert patched(first, told) is None


@pytest.mark.parametrize(
    ("header", "amended"),
    [
        ("id: queue\n", "id: queue\nalerts:\n- QueueGrowing  # (inc-0, inc-1, inc-2)\n"),
        (
            "alerts:\n  - A  # a\nid: queue\n",
            "alerts:\n  - A  # a\n  - QueueGrowing  # (inc-0, inc-1, inc-2)\nid: queue\n",
        ),
        ("alerts: # ours\n- A\n", "alerts: # ours\n- A\n- QueueGrowing  # (inc-0, inc-1, inc-2)\n"),
        ("alerts: [A]\n", "alerts: [A]\n"),
        ("alert: A\n", "alert: A\n"),
        ("id: [broken\n", "id: [broken\n"),
    ],
)
def test_a_missing_alert_goes_into_the_list_of_the_front_matter_too(incident: Make, header: str, amended: str) -> None:
    told = three(incident, alerts=("QueueGrowing",))
    text = patched(f"---\n{header}---\n# Queue\n", told)
    assert text is not None
    assert text.startswith(f"---\n{amended}---\n# Queue\n\n<!-- learned pat-1 -->\n")
    assert "- Alert seen with it: QueueGrowing (inc-0, inc-1, inc-2)\n" in text
    assert patched(text, told) is None


def test_a_later_patch_replaces_the_part_and_leaves_the_rest(incident: Make) -> None:
    first = patched("# Queue\n\nRead the log.\n", three(incident))
    assert first is not None
    second = patched(first + "\n## After\n\nMore.\n", [*three(incident), incident(7, actions=(("Scale out", HELPED),))])
    assert second is not None
    assert second.startswith("# Queue\n\nRead the log.\n\n<!-- learned pat-1 -->\n")
    assert second.endswith("<!-- /learned pat-1 -->\n\n## After\n\nMore.\n")
    assert second.count("<!-- learned pat-1 -->") == 1
    assert "- Fix: Scale out, worked in 1 of 1" in second


def test_a_patch_of_one_alert_of_many_stands_with_that_alert(incident: Make) -> None:
    text = "# Agent\n\n## Alert: QueueGrowing\n\nLook.\n\n## Alert: DiskFull\n\nEmpty it.\n"
    told = patched(text, three(incident), entry_id="queue-queue-growing")
    assert told is not None
    assert "Look.\n\n<!-- learned pat-1 -->\n### Learned from incidents" in told
    assert told.endswith("<!-- /learned pat-1 -->\n\n## Alert: DiskFull\n\nEmpty it.\n")


@pytest.mark.parametrize(
    "text",
    [
        "# Queue\n\nRestart consumer. Never purge queue.\n",
        "# Queue\n\n```sh\nkubectl get pods\n",
        "---\nid: a\n---\n# Queue\n\n~~~yaml steps:\n- run: ls\n",
    ],
)
def test_no_patch_repeats_what_is_known_or_gets_into_what_runs(incident: Make, text: str) -> None:
    said = [incident(n, actions=(("Restart consumer", HELPED),)) for n in range(3)]
    assert patched(text, said) is None


def test_a_patch_keeps_the_line_ends_of_its_file_and_refuses_what_is_no_text(incident: Make) -> None:
    told = patched("# Queue\r\n\r\nRead the log.\r\n", three(incident))
    assert told is not None
    assert told.count("\n") == told.count("\r\n")
    assert amend(b"# Queue \xff\n", learnt(three(incident)), three(incident), path="q.md") is None
