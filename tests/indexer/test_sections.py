"""Which section of a runbook answers: what headings are for, what queries ask for, and the choice."""

import numpy as np
import pytest

from indexer.pointers import pointed_anchor
from indexer.query import parse_query
from indexer.roles import Role, role_of
from indexer.sections import asked_role, choose, wish_of


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ((), Role.ABOUT),
        (("Disk is full",), Role.ABOUT),
        (("Disk is full", "Symptoms"), Role.ABOUT),
        (("Disk is full", "Meaning"), Role.ABOUT),
        (("Disk is full", "Impact"), Role.IMPACT),
        (("Disk is full", "Diagnosis"), Role.DIAGNOSIS),
        (("Disk is full", "2. Troubleshooting steps"), Role.DIAGNOSIS),
        (("Disk is full", "Common Causes & Fixes"), Role.DIAGNOSIS),
        (("Disk is full", "Mitigation"), Role.RECOVERY),
        (("Disk is full", "How to fix"), Role.RECOVERY),
        (("Disk is full", "Verification"), Role.VERIFICATION),
        (("Disk is full", "Rollback procedure"), Role.ROLLBACK),
        (("Disk is full", "Roll back"), Role.ROLLBACK),
        (("Disk is full", "Escalation criteria"), Role.ESCALATION),
        (("Disk is full", "Prevention"), Role.PREVENTION),
        (("Disk is full", "Time to recover"), Role.DURATION),
        (("Disk is full", "References"), Role.REFERENCE),
        (("Disk is full", "Recovery", "Old logs fill it"), Role.OTHER),
        (("Disk is full", "Verification", "From the node"), Role.VERIFICATION),
        (("Other title",), Role.OTHER),
    ],
)
def test_a_heading_tells_what_its_section_is_for(path: tuple[str, ...], role: Role) -> None:
    assert role_of(path, "Disk is full") is role


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("how do I verify that the replica is back", Role.VERIFICATION),
        ("how do I see that ntp is fine again", Role.VERIFICATION),
        ("roll back the last deployment", Role.ROLLBACK),
        ("how to revert a migration", Role.ROLLBACK),
        ("do I have to wake somebody for this?", Role.ESCALATION),
        ("who owns the payments service", Role.ESCALATION),
        ("how do we prevent this next time", Role.PREVENTION),
        ("so that redis never runs out of memory again", Role.PREVENTION),
        ("how long does a failover take", Role.DURATION),
        ("how bad is it when etcd loses quorum", Role.IMPACT),
        ("what does KubeletDown mean", Role.ABOUT),
        ("why is the queue growing", Role.DIAGNOSIS),
        ("how do I grow a volume", Role.RECOVERY),
        ("disk full", None),
        ("E1103 04:31:08.511 x.go:1] failed to verify certificate", None),
        ("[FIRING:1] RollbackFailed (warning)\nSummary: roll back failed", None),
    ],
)
def test_a_question_tells_what_it_asks_for(text: str, role: Role | None) -> None:
    assert asked_role(parse_query(text)) is role


ROLES = np.array([Role.ABOUT, Role.DIAGNOSIS, Role.OTHER, Role.VERIFICATION, Role.ESCALATION], dtype=np.int8)
EVEN = np.ones(5, dtype=np.float32)


def chosen(
    text: str, words: list[float], meaning: list[float] | None = None, headings: list[float] | None = None
) -> Role:
    place = choose(
        wish_of(parse_query(text)),
        ROLES,
        np.array(words, dtype=np.float32),
        None if meaning is None else np.array(meaning, dtype=np.float32),
        np.array(headings or [0] * 5, dtype=np.float32),
    )
    return Role(ROLES[place])


ALERT = "[FIRING:1] DiskFull (warning)\nSummary: The disk is full"


def test_an_alert_begins_with_the_diagnosis_even_where_the_symptoms_quote_it() -> None:
    assert chosen(ALERT, [1.0, 0.7, 0.5, 0.3, 0.2]) is Role.DIAGNOSIS


def test_a_question_gets_the_section_it_asks_for() -> None:
    assert chosen("how do I verify that it worked", [1.0, 0.9, 0.9, 0.4, 0.2]) is Role.VERIFICATION
    assert chosen("whom do I call, do I escalate this", [1.0, 0.9, 0.9, 0.4, 0.2]) is Role.ESCALATION


def test_a_described_finding_gets_the_section_that_says_it() -> None:
    words = [0.4, 0.3, 1.0, 0.1, 0.1]
    assert chosen("a deleted file is held open by nginx and takes space", words) is Role.OTHER


def test_a_heading_that_the_query_says_counts() -> None:
    assert (
        chosen("a deleted file is held open by it", [0.5, 0.5, 0.5, 0.5, 0.5], headings=[0, 0, 0.9, 0, 0]) is Role.OTHER
    )


def test_meaning_decides_where_words_are_even() -> None:
    assert chosen("nothing is said in these same words", [0] * 5, [0.2, 0.2, 0.7, 0.2, 0.2]) is Role.OTHER


def test_a_log_line_does_not_end_at_the_symptoms_that_quote_it() -> None:
    assert chosen("ERROR: no space left on device while writing block", [1.0, 0.4, 0.3, 0.1, 0.1]) is Role.DIAGNOSIS


DIAGNOSIS = """## Diagnosis

| Finding | Go to |
|---|---|
| `exec format error` | [Wrong image](#wrong-image) |
| refused connection | [Dependency](#dependency) |

A missing secret or variable
leads to [Configuration](#configuration). Anything else is rare.
"""


@pytest.mark.parametrize(
    ("weights", "anchor"),
    [
        ({"exec": 2.0, "format": 2.0}, "wrong-image"),
        ({"refus": 1.0, "connect": 1.0}, "dependency"),
        ({"secret": 1.0, "miss": 1.0}, "configuration"),
        ({"rare": 1.0}, None),
        ({"zebra": 1.0}, None),
        ({"exec": 0.3, "rare": 1.0, "find": 1.0}, None),
        ({}, None),
    ],
)
def test_a_diagnosis_leads_to_the_section_of_its_matching_statement(
    weights: dict[str, float], anchor: str | None
) -> None:
    assert pointed_anchor(DIAGNOSIS, weights) == anchor


def test_a_diagnosis_without_links_leads_nowhere() -> None:
    assert pointed_anchor("exec format error", {"exec": 1.0}) is None
