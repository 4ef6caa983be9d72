"""Blanks in commands, and filling them: `tests/cases/placeholders/placeholders.yaml`."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import InvalidInput
from kb.placeholders import fill, find_parameters, values_from_labels

CASES = Path(__file__).parent.parent / "cases" / "placeholders" / "placeholders.yaml"


@pytest.mark.parametrize("case", yaml.safe_load(CASES.read_text(encoding="utf-8")), ids=lambda case: case["text"][:60])
def test_blanks_are_found_and_nothing_else(case: Mapping[str, Any]) -> None:
    found = find_parameters(case["text"], language=case.get("language", "bash"))

    assert {parameter.name: list(parameter.spellings) for parameter in found} == case["blanks"]


@pytest.mark.parametrize(
    ("command", "values", "filled"),
    [
        ("kubectl logs <pod> -n {{ns}}", {"pod": "a-1", "ns": "shop"}, "kubectl logs a-1 -n shop"),
        ("kubectl logs <pod> -n {{ns}}", {"ns": "shop"}, "kubectl logs <pod> -n shop"),
        ('oc -n "$NS" get pods', {"ns": "shop"}, 'oc -n "shop" get pods'),
        ("echo <text>", {"text": "two words; rm -rf /"}, "echo 'two words; rm -rf /'"),
        ("echo <text>", {"text": "it's"}, "echo 'it'\"'\"'s'"),
        ('echo "$TEXT"', {"text": "$(reboot)"}, "echo '$(reboot)'"),
        ("echo '<text>'", {"text": "a `b`"}, "echo 'a `b`'"),
        ("scale x=<count>", {"count": "3"}, "scale x=3"),
        ("x <pod> $POD", {"pod": "p"}, "x p p"),
        ("nothing here", {"pod": "p"}, "nothing here"),
        ("POD=<pod>; echo $POD", {"pod": "p"}, "POD=p; echo $POD"),
    ],
)
def test_values_take_the_place_of_blanks(command: str, values: Mapping[str, str], filled: str) -> None:
    assert fill(command, values) == filled


@pytest.mark.parametrize(
    "value",
    ["", "a\nb", "a\0b", "\x1b[2J", "--all", "-rf", "a\u202eb", "a\u200bb", "x" * 1001, "a\x85b", "\U000e0041"],
)
def test_values_that_no_command_should_hold_are_refused(value: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        fill("kubectl delete pod <pod>", {"pod": value})

    assert raised.value.field == "pod"
    assert raised.value.advice


@pytest.mark.parametrize(
    ("command", "language"),
    [
        ("psql -c \"SELECT '[name]'\"", "bash"),
        ('bash -c "kill <name> now"', "bash"),
        ("curl 'http://x/<name>/y'", "bash"),
        ("cat <<EOF\n<name>\nEOF", "bash"),
        ("# <name>\nls", "bash"),
        ("select '<name>'", "sql"),
        ('up{pod="<name>"}', "promql"),
    ],
)
def test_a_value_that_cannot_be_quoted_where_it_stands_is_refused(command: str, language: str) -> None:
    assert "plain" in fill(command, {"name": "plain"}, language=language)
    with pytest.raises(InvalidInput):
        fill(command, {"name": "x' OR '1'='1"}, language=language)


hostile = st.text(
    alphabet=st.sampled_from(list("ab1 \"'`$(){}[]<>|&;\\#!*?~-=%^")) | st.characters(codec="utf-8"),
    min_size=1,
    max_size=40,
)


@given(hostile)
def test_a_value_stays_one_word_of_the_command(value: str) -> None:
    for command in (
        "kubectl delete pod <pod> -n prod",
        'kubectl delete pod "$POD" -n prod',
        "kubectl delete pod '<pod>' -n prod",
    ):
        try:
            filled = fill(command, {"pod": value})
        except InvalidInput:
            continue
        assert shlex.split(filled) == ["kubectl", "delete", "pod", value, "-n", "prod"]


@given(hostile)
def test_a_value_inside_a_longer_quotation_is_plain_or_refused(value: str) -> None:
    try:
        filled = fill('bash -c "echo <pod> done"', {"pod": value})
    except InvalidInput:
        return
    assert shlex.split(shlex.split(filled)[2]) == ["echo", value, "done"]


@given(st.text(max_size=400), st.sampled_from(["bash", "", "sql", "yaml", "python", "promql", "html"]))
def test_no_text_is_too_odd_to_look_for_blanks(text: str, language: str) -> None:
    for parameter in find_parameters(text, language=language):
        assert parameter.name
        assert all(spelling in text for spelling in parameter.spellings)
    assert fill(text, {}, language=language) == text


def test_alert_labels_fill_what_they_can() -> None:
    labels = {"pod": "a-1", "namespace": "shop", "Instance": "10.0.0.1:9100", "empty": ""}

    values = values_from_labels(["pod_name", "ns", "host", "version", "empty", "namespace"], labels)

    assert values == {"pod_name": "a-1", "ns": "shop", "host": "10.0.0.1:9100", "namespace": "shop"}
