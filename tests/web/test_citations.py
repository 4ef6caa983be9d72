"""Incidents that a text names become links, and nothing else changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup, escape

from api.web.citations import with_citations, without_citations
from api.web.urls import Urls

ID = "inc-0123456789abcdef"
URLS = Urls(base="/kb")


def cited(html: str) -> str:
    return str(with_citations(Markup(html), URLS))  # noqa: S704  # written here, or escaped


def test_a_named_incident_is_a_short_link() -> None:
    assert cited(f"<p>It ended ({ID}).</p>") == (f'<p>It ended (<a class="cite" href="/kb/i/{ID}">inc-0123</a>).</p>')


def test_code_links_and_attributes_stay_as_they_are() -> None:
    html = f'<pre><code>{ID}</code></pre><a href="/x">{ID}</a><p title="{ID}">x</p>'
    assert cited(html) == html


def test_a_tag_ends_where_it_ends_whatever_its_attributes_hold() -> None:
    html = f"<p title=\"a > {ID} b\" class='>{ID}'>x</p>"
    assert cited(html) == html


def test_text_after_code_is_text_again() -> None:
    html = cited(f"<p><code>x</code> {ID}</p>")
    assert html == f'<p><code>x</code> <a class="cite" href="/kb/i/{ID}">inc-0123</a></p>'


def test_the_marks_of_the_learner_are_not_shown_and_other_comments_are() -> None:
    html = "<p>&lt;!-- learned pat-1 --&gt;</p><p>a</p><p>&lt;!-- /learned pat-1 --&gt;</p><p>&lt;!-- b --&gt;</p>"
    assert cited(html) == "<p>a</p><p>&lt;!-- b --&gt;</p>"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"Fix: renewed it, worked in 2 of 2 ({ID}, {ID}). Then", "Fix: renewed it, worked in 2 of 2. Then"),
        (f"Learned: disk ({ID}, {ID} and 116 more)", "Learned: disk"),
        (f"Cut off ({ID}, inc-0123", "Cut off"),
        (f"Cut off ({ID}, …", "Cut off"),
        (f"Named {ID} in words (see there)", f"Named {ID} in words (see there)"),
    ],
)
def test_in_a_line_of_a_list_the_incidents_are_left_out(text: str, shown: str) -> None:
    assert without_citations(text) == shown


@given(st.text())
def test_text_that_names_no_incident_stays_byte_for_byte(text: str) -> None:
    html = f"<p>{escape(text.replace('inc-', ''))}</p>"
    assert cited(html) == html
