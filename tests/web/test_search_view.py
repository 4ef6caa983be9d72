"""Answers as the search page shows them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from api.web.search_view import Share, alert_screen, answer_screen, card, shares, telling_labels
from api.web.urls import Urls
from kb.hits import Answer, Chunk, Hit, Part, Reasons, RunbookCard
from kb.incident import Alert
from kb.runbook import ReviewState, RunbookType
from kb.severity import Severity

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
URLS = Urls("/kb")
CARD = RunbookCard(
    id="pod-crash",
    title="Pod is crash looping",
    path="static/pod-crash.md",
    anchor="",
    type=RunbookType.STATIC,
    state=ReviewState.PUBLISHED,
    severity=Severity.HIGH,
    service="kubernetes",
    alerts=("KubePodCrashLooping", "A2", "A3"),
    tags=("pod",),
    summary="",
    updated_at=datetime(2026, 11, 18, 3, 0, tzinfo=UTC),
)
HIT = Hit(
    runbook=CARD,
    chunk=Chunk("pod-crash", "read-the-log", ("Pod is crash looping", "Diagnosis", "Read the log"), 0, 9, "x"),
    score=1.2,
    confidence=0.78,
    dense_rank=1,
    lexical_rank=2,
    snippet="the \x02log\x03 says\n <why>",
    reasons=Reasons(("log",), (Part("meaning", 0.4, 0.3), Part("words", 8.0, 0.6)), ("It is pinned.",)),
)
ANSWER = Answer("s1", "log", (HIT,), (), (), confident=True, generation="abcdef0123", degraded="", took_s=0.0123)


def test_a_card_leads_to_the_section_with_the_alert_in_its_address() -> None:
    shown = card(HIT, labels={"pod": "p-1"}, search_id="s1", urls=URLS, now=NOW)
    assert shown.href == "/kb/r/pod-crash?pod=p-1&search=s1#read-the-log"
    assert shown.section == ("Diagnosis", "Read the log")
    assert shown.snippet == "the <mark>log</mark> says &lt;why&gt;"
    assert (shown.chance, shown.percent, shown.bars) == ("very likely", 78, 4)
    assert (shown.alerts, shown.more_alerts) == (("KubePodCrashLooping", "A2"), 1)
    assert shown.updated == "changed 3 days ago"
    assert shown.notes == ("It is pinned",)


@pytest.mark.parametrize(
    ("snippet", "shown"),
    [
        ("Pod is crash looping A container starts.", "A container starts."),
        ("\x02Pod\x03 is \x02crash\x03 \x02looping\x03 A \x02pod\x03 starts.", "A <mark>pod</mark> starts."),
        ("\x02Pod is crash looping\x03: it starts.", "it starts."),
        ("Pod is crash looping", "Pod is crash looping"),
        ("Pod is gone", "Pod is gone"),
        ("", ""),
    ],
)
def test_a_snippet_does_not_repeat_the_title_above_it(snippet: str, shown: str) -> None:
    assert card(replace(HIT, snippet=snippet), labels={}, search_id="", urls=URLS, now=NOW).snippet == shown


def test_only_what_is_out_of_the_ordinary_gets_a_label() -> None:
    plain = card(HIT, labels={}, search_id="", urls=URLS, now=NOW)
    assert (plain.state_label, plain.type_label) == ("", "")
    draft = replace(HIT, runbook=replace(CARD, state=ReviewState.DRAFT, type=RunbookType.DYNAMIC))
    shown = card(draft, labels={}, search_id="", urls=URLS, now=NOW)
    assert (shown.state_label, shown.type_label) == ("draft", "dynamic")


def test_parts_of_a_score_are_shares_in_plain_words_largest_first() -> None:
    parts = (Part("meaning", 0.4, 0.3), Part("words", 8.0, 0.6), Part("odd_thing", 1.0, 0.1), Part("exact", 0.0, 0.0))
    assert shares(parts) == (
        Share("your words, in its sections", 60),
        Share("a section close in meaning", 30),
        Share("odd thing", 10),
    )
    assert shares((Part("meaning", 0.0, 0.0),)) == ()


def test_one_sentence_tells_the_answer() -> None:
    def said(answer: Answer) -> str:
        return answer_screen(answer, labels={}, urls=URLS, now=NOW).announcement

    assert said(ANSWER) == "1 runbook. Best: Pod is crash looping, very likely."
    assert said(replace(ANSWER, hits=(HIT, HIT))) == "2 runbooks. Best: Pod is crash looping, very likely."
    assert said(replace(ANSWER, hits=(), near_misses=(HIT,))) == "No confident match. Closest: Pod is crash looping."
    assert said(replace(ANSWER, hits=())) == "No confident match."


def test_hits_far_behind_the_first_take_a_line_each() -> None:
    behind = replace(HIT, confidence=0.02)
    shown = answer_screen(replace(ANSWER, hits=(HIT, HIT, behind, HIT)), labels={}, urls=URLS, now=NOW)
    assert (len(shown.hits), len(shown.less_likely)) == (2, 2)
    assert shown.count_line == "2 runbooks"
    assert shown.announcement == "2 runbooks. Best: Pod is crash looping, very likely. 2 less likely."
    alone = answer_screen(replace(ANSWER, hits=(behind,)), labels={}, urls=URLS, now=NOW)
    assert (len(alone.hits), len(alone.less_likely)) == (1, 0)


def test_the_time_is_told_in_milliseconds() -> None:
    assert answer_screen(ANSWER, labels={}, urls=URLS, now=NOW).took == "12 ms"
    assert answer_screen(replace(ANSWER, took_s=0.0002), labels={}, urls=URLS, now=NOW).took == "under 1 ms"


def test_labels_that_tell_what_broke_come_first_and_routing_ones_stay_out() -> None:
    labels = {
        "alertname": "X",
        "team": "a",
        "pod": "p",
        "prometheus": "m/k8s",
        "cluster": "c",
        "severity": "page",
        "empty": "",
    }
    assert list(telling_labels(labels).items()) == [("cluster", "c"), ("pod", "p"), ("team", "a")]
    shown = alert_screen(Alert(name="X", labels=labels))
    assert shown is not None
    assert shown.labels == (("cluster", "c"), ("pod", "p"), ("team", "a"))
    assert alert_screen(None) is None
