"""Which review state a text has after something happened to it."""

import pytest

from kb.principal import DISK, SYSTEM, Face, Principal, Role, local
from kb.review import Standing, moved_on_disk, publishes_by_writing, seen_on_disk, written_by
from kb.runbook import ReviewState

DRAFT, UNREVIEWED, PUBLISHED = ReviewState.DRAFT, ReviewState.UNREVIEWED, ReviewState.PUBLISHED
ANNA = Principal("anna", Role.ADMIN, Face.WEB)


@pytest.mark.parametrize(
    ("path", "sha256", "before", "after"),
    [
        ("static/a.md", "1", None, Standing(UNREVIEWED, None)),
        ("dynamic/a.md", "1", None, Standing(DRAFT, None)),
        ("static/a.md", "bundled", None, Standing(PUBLISHED, "bundled")),
        ("static/a.md", "2", Standing(PUBLISHED, "1"), Standing(UNREVIEWED, "1")),
        ("static/a.md", "1", Standing(UNREVIEWED, "1"), Standing(PUBLISHED, "1")),
        ("static/a.md", "2", Standing(UNREVIEWED, None), Standing(UNREVIEWED, None)),
        ("dynamic/a.md", "2", Standing(DRAFT, None), Standing(DRAFT, None)),
        ("dynamic/a.md", "2", Standing(PUBLISHED, "1"), Standing(UNREVIEWED, "1")),
    ],
)
def test_what_is_found_on_disk(path: str, sha256: str, before: Standing | None, after: Standing) -> None:
    assert seen_on_disk(path, sha256, before, {"bundled"}) == after


@pytest.mark.parametrize(
    ("who", "path", "before", "after"),
    [
        (ANNA, "static/a.md", None, Standing(PUBLISHED, "2")),
        (ANNA, "static/a.md", Standing(PUBLISHED, "1"), Standing(PUBLISHED, "2")),
        (ANNA, "dynamic/a.md", None, Standing(DRAFT, None)),
        (ANNA, "dynamic/a.md", Standing(PUBLISHED, "1"), Standing(DRAFT, "1")),
        (
            Principal("ben", Role.RESPONDER, Face.WEB),
            "static/a.md",
            Standing(PUBLISHED, "1"),
            Standing(UNREVIEWED, "1"),
        ),
        (
            Principal("ben", Role.RESPONDER, Face.WEB),
            "static/a.md",
            Standing(UNREVIEWED, "2"),
            Standing(PUBLISHED, "2"),
        ),
        (SYSTEM, "static/a.md", None, Standing(UNREVIEWED, None)),
    ],
)
def test_what_comes_in_through_a_face(who: Principal, path: str, before: Standing | None, after: Standing) -> None:
    assert written_by(who, path, "2", before) == after


@pytest.mark.parametrize(
    ("who", "publishes"),
    [
        (local(Face.CLI), True),
        (local(Face.WEB), True),
        (local(Face.HTTP), True),
        (local(Face.MCP), False),  # an agent at the keyboard of this machine is an agent all the same
        (local(Face.WEBHOOK), False),
        (Principal("x", Role.APPROVER, Face.HTTP), True),
        (Principal("x", Role.RESPONDER, Face.HTTP), False),
        (Principal("x", Role.VIEWER, Face.HTTP), False),
        (Principal("x", Role.AGENT, Face.HTTP), False),
        (Principal("x", Role.ADMIN, Face.MCP), False),
        (SYSTEM, False),
        (DISK, False),
    ],
)
def test_who_publishes_by_writing(who: Principal, publishes: bool) -> None:
    assert publishes_by_writing(who) is publishes


def test_approval_does_not_travel_between_learned_and_static_folders() -> None:
    published = Standing(PUBLISHED, "1")
    assert moved_on_disk("static/a.md", "static/b/a.md", published) == published
    assert moved_on_disk("dynamic/a.md", "static/a.md", published) == Standing(UNREVIEWED, None)
    assert moved_on_disk("static/a.md", "dynamic/a.md", published) == Standing(DRAFT, None)
