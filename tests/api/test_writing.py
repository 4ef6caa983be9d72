"""Fields that a client sends, as the file they become."""

from dataclasses import replace

import pytest

from api.acts import WrittenRunbook
from api.writing import changed_text, new_id, new_text
from kb.errors import InvalidInput
from kb.markdown import parse_document
from kb.runbook import RunbookType
from kb.severity import Severity

CURRENT = b"""---
id: disk-full
title: Disk is full
severity: high
service: db
alerts: [DiskFull]
tags: [disk, old]
owner: storage
review_interval: 90d
metadata: {incident_id: INC-1}
---
# Disk is full

Old text.
"""


def test_a_new_runbook_says_all_that_was_sent() -> None:
    raw = new_text(
        WrittenRunbook(
            title="Queue is stuck",
            content="## Symptoms\n\nNothing moves.",
            type=RunbookType.STATIC,
            severity=Severity.HIGH,
            tags=("mail",),
            metadata={"incident_id": "INC-7", "confidence": 0.8},
        ),
        "queue-is-stuck",
    )
    (runbook,) = parse_document(raw, path="static/queue-is-stuck.md").runbooks
    assert (runbook.id, runbook.title, runbook.severity) == ("queue-is-stuck", "Queue is stuck", Severity.HIGH)
    assert runbook.tags == ("mail",)
    assert runbook.metadata == {"incident_id": "INC-7", "confidence": 0.8}
    assert "Nothing moves." in runbook.text


def test_a_change_keeps_what_it_does_not_mention_and_replaces_what_it_does() -> None:
    current = parse_document(CURRENT, path="static/disk-full.md")
    raw = changed_text(
        WrittenRunbook(title="Disk is full", content="# Disk is full\n\nNew.\n", tags=("disk",)), current
    )
    (runbook,) = parse_document(raw, path="static/disk-full.md").runbooks
    assert (runbook.service, runbook.owner, runbook.review_interval_days) == ("db", "storage", 90)
    assert runbook.alerts == ("DiskFull",)
    assert runbook.severity is Severity.HIGH
    assert runbook.tags == ("disk",)
    assert runbook.metadata == {"incident_id": "INC-1"}
    assert runbook.text == "# Disk is full\n\nNew.\n"


def test_a_text_that_is_read_and_written_back_changes_nothing_but_places() -> None:
    current = parse_document(CURRENT, path="static/disk-full.md")
    before = current.runbooks[0]
    raw = changed_text(WrittenRunbook(title=before.title, content=before.text), current)
    (after,) = parse_document(raw, path="static/disk-full.md").runbooks
    assert replace(after, start=0, sections=()) == replace(before, start=0, sections=())
    assert (
        changed_text(WrittenRunbook(title=before.title, content=before.text), parse_document(raw, path="x.md")) == raw
    )


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (WrittenRunbook("T", "a\x00b"), "holds a NUL character"),
        (WrittenRunbook("T", "---\nid: x\n---\ntext"), "begins with front matter"),
    ],
)
def test_content_that_would_become_another_file_than_it_seems_is_refused(written: WrittenRunbook, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        new_text(written, "t")


@pytest.mark.parametrize(
    ("wanted", "title", "runbook_id"),
    [
        (None, "Queue is stuck!", "queue-is-stuck"),
        ("my-id", "whatever", "my-id"),
        (None, "KubePodCrashLooping", "kube-pod-crash-looping"),
    ],
)
def test_an_id_is_the_one_asked_for_or_made_of_the_title(wanted: str | None, title: str, runbook_id: str) -> None:
    assert new_id(wanted, title) == runbook_id


@pytest.mark.parametrize(
    "wanted",
    ["", "../etc/passwd", "Search", "search", "health", "a/b", "a" * 101, "-a", "a\n", "\u0430bc", "a%2fb", "."],
)
def test_an_id_that_could_be_taken_for_a_path_or_a_word_of_ours_is_refused(wanted: str) -> None:
    with pytest.raises(InvalidInput):
        new_id(wanted, "A title")


def test_a_title_that_makes_no_id_asks_for_one() -> None:
    with pytest.raises(InvalidInput) as caught:
        new_id(None, "日本語")
    assert caught.value.field == "body.title"
