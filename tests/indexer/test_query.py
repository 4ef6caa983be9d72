"""What a pasted or typed text is understood as: `tests/cases/query/*.yaml`, and that nothing breaks it."""

import random
import string
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.cleaning import clean
from indexer.query import MAX_INPUT_CHARS, MAX_QUERY_CHARS, parse_query, query_from_alert
from kb.incident import Alert
from kb.severity import Severity

CASES = Path(__file__).parent.parent / "cases" / "query"


def cases(name: str) -> list[dict[str, Any]]:
    return yaml.safe_load((CASES / name).read_text(encoding="utf-8"))  # type: ignore[no-any-return]


@pytest.mark.parametrize("case", cases("cleaning.yaml"), ids=lambda case: str(case["text"])[:40])
def test_cleaning_keeps_what_says_what_is_wrong(case: dict[str, Any]) -> None:
    assert clean(case["text"], known_values=case.get("known", ())).text == case["kept"]


@pytest.mark.parametrize("case", cases("queries.yaml"), ids=lambda case: str(case["name"]))
def test_a_text_is_understood(case: dict[str, Any]) -> None:
    query = parse_query(case["text"])
    found = {name: getattr(query, name) for name in case if name not in {"name", "text"}}
    if "identifiers" in found:
        found["identifiers"] = list(query.identifiers)
    if "parameters" in found:
        found["parameters"] = dict(query.parameters)
    assert found == {name: value for name, value in case.items() if name not in {"name", "text"}}


def test_pods_and_links_are_set_aside_while_cleaning() -> None:
    cleaned = clean("Pod shop/api-6c9d7b5f4-x2k9m, see (https://x.example/a.md).")
    assert (cleaned.pods, cleaned.links) == (("api-6c9d7b5f4-x2k9m",), ("https://x.example/a.md",))


def test_a_pod_in_the_text_becomes_a_parameter() -> None:
    assert parse_query("api-6c9d7b5f4-x2k9m restarts").parameters == {"pod": "api-6c9d7b5f4-x2k9m"}


def test_an_alert_value_is_read_as_its_text_would_be() -> None:
    alert = Alert(
        name="KubePodCrashLooping",
        labels={"alertname": "KubePodCrashLooping", "namespace": "shop", "severity": "warning"},
        annotations={"summary": "Pod is crash looping", "description": "Pod in shop waits", "dashboard": "https://x"},
        severity=Severity.HIGH,
        runbook_url="https://x.example/crash.md",
    )
    query = query_from_alert(alert)
    assert (query.alert_name, query.headline, query.detail) == (
        "KubePodCrashLooping",
        "Pod is crash looping",
        "Pod in waits",
    )
    assert (query.severity, query.runbook_url) == (Severity.HIGH, "https://x.example/crash.md")
    assert query.parameters == {"namespace": "shop"}


def test_an_alert_without_a_name_is_searched_by_its_summary() -> None:
    assert query_from_alert(Alert(annotations={"summary": "Disk is full"})).raw == "Disk is full"


def test_an_empty_alert_is_an_empty_query() -> None:
    assert query_from_alert(Alert()).is_empty


def test_a_long_text_is_cut_and_says_so() -> None:
    query = parse_query("disk " * 100_000)
    assert len(query.text) <= MAX_QUERY_CHARS
    assert query.notes == (
        "only the first 65,536 characters were read",
        "the text was long; only its first words count",
    )


def test_a_short_text_is_whole_and_says_nothing() -> None:
    assert parse_query("disk is full").notes == ()


@settings(deadline=None)
@given(st.text(max_size=400))
def test_any_text_is_understood_as_something(text: str) -> None:
    query = parse_query(text)
    assert len(query.text) <= 2 * MAX_QUERY_CHARS
    query.text.encode()  # no half characters are left, which no tokenizer accepts


@pytest.mark.parametrize(
    "unit",
    [
        "a-",
        "a=b ",
        '{"a":',
        "[[",
        "a.b.",
        "0x",
        "aaaa ",
        "<x>",
        "10.",
        "::",
        '="',
        "rate(",
        "- a: ",
        "\\",
        "a_",
        "É",
        "1h",
    ],
)
def test_no_repetition_makes_reading_slow(unit: str) -> None:
    """64 KiB of anything is read in well under a second: patterns that try again from every letter take minutes."""
    started = time.process_time()
    parse_query(unit * (MAX_INPUT_CHARS // len(unit)))
    assert time.process_time() - started < 2.0


def test_five_thousand_random_texts_are_understood() -> None:
    chance = random.Random(7)
    letters = string.printable + "äßé日本🚨\x00\ud800{}[]\"'=:<>|"
    for _ in range(5_000):
        parse_query("".join(chance.choices(letters, k=chance.randint(0, 120))))
