"""Saying that a runbook was reviewed changes one line of its file, and nothing else."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.review_date import with_review_date
from kb.errors import InvalidInput
from kb.markdown import parse_document
from tests.web.stage import build_stage

TODAY = date(2026, 11, 21)


def dated(text: str) -> str:
    return with_review_date(text.encode(), TODAY, path="static/a.md").decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("---\nreviewed: 2026-01-01\ntags: [a]\n---\n# A\n", "---\nreviewed: 2026-11-21\ntags: [a]\n---\n# A\n"),
        ("---\ntags: [a]\n---\n# A\n", "---\ntags: [a]\nreviewed: 2026-11-21\n---\n# A\n"),
        (
            "---\nlast_reviewed: 2026-01-01 # by ana\n---\n# A\n\nreviewed: 2020-01-01\n",
            "---\nlast_reviewed: 2026-11-21\n---\n# A\n\nreviewed: 2020-01-01\n",
        ),
        ("---\r\nreviewed: 2026-01-01\r\n---\r\n# A\r\n", "---\r\nreviewed: 2026-11-21\r\n---\r\n# A\r\n"),
        ("# A\n", "---\nreviewed: 2026-11-21\n---\n\n# A\n"),
        ("---\n---\n# A\n", "---\nreviewed: 2026-11-21\n---\n# A\n"),
    ],
)
def test_one_line_changes(before: str, after: str) -> None:
    assert dated(before) == after


def test_bytes_that_are_no_utf_8_stay_as_they_are() -> None:
    raw = b"---\nreviewed: 2026-01-01\n---\n# A\n\nna\xefve\n"
    assert with_review_date(raw, TODAY, path="a.md") == raw.replace(b"2026-01-01", b"2026-11-21")


def test_front_matter_that_no_one_line_would_change_is_left_to_a_person() -> None:
    with pytest.raises(InvalidInput) as caught:
        dated("---\n{reviewed: 2026-01-01, tags: [a]}\n---\n# A\n")
    assert "reviewed: 2026-11-21" in caught.value.advice


@given(st.text())
def test_whatever_the_file_holds_its_text_stays(text: str) -> None:
    try:
        after = dated(text)
    except (InvalidInput, UnicodeEncodeError):
        return
    assert parse_document(after.encode(), path="a.md").runbooks[0].reviewed == TODAY
    kept = text.splitlines()
    assert sum(line not in kept for line in after.splitlines()) <= 4  # a new header of three lines and a gap


class TestOverHttp:
    def test_a_runbook_is_marked_and_stays_published(self) -> None:
        stage = build_stage()
        client = TestClient(stage.app, base_url="http://127.0.0.1:8080")
        digest = client.get("/runbooks/pod-crash").headers["ETag"].strip('"')
        answer = client.post("/runbooks/pod-crash/reviewed", json={"sha256": digest})
        assert answer.status_code == 200, answer.text
        assert answer.json()["reviewed"] == "2026-11-21"
        assert answer.json()["state"] == "published"
        assert answer.headers["ETag"].strip('"') != digest
        again = client.post("/runbooks/pod-crash/reviewed", json={"sha256": digest})
        assert again.status_code == 412

    def test_text_that_nobody_published_is_not_published_by_it(self) -> None:
        stage = build_stage()
        client = TestClient(stage.app, base_url="http://127.0.0.1:8080")
        digest = client.get("/runbooks/pod-draft").headers["ETag"].strip('"')
        answer = client.post("/runbooks/pod-draft/reviewed", json={"sha256": digest})
        assert answer.json()["state"] == "draft"
