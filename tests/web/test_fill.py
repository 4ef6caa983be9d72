"""Values in commands: each stays one word, whatever an alert puts into its labels."""

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.web.fill import Quoting, quote, refusal, values_for

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "cases" / "web" / "quoting.json").read_text(encoding="utf-8")
)
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['quoting']}: {case['value']!r}")
def test_a_value_is_pasted_quoted_for_its_place_or_not_at_all(case: dict[str, Any]) -> None:
    assert quote(case["value"], Quoting(case["quoting"])) == case["pasted"]


@given(PRINTABLE)
def test_a_value_outside_quotes_is_one_shell_word(value: str) -> None:
    pasted = quote(value, Quoting.BARE)
    if pasted is None:
        assert refusal(value)
    else:
        assert shlex.split(pasted) == [value]


@given(PRINTABLE)
def test_a_value_that_is_read_again_holds_nothing_any_reader_could_act_on(value: str) -> None:
    assert not set(quote(value, Quoting.LITERAL) or "") & set(" \t'\"`$;|&<>(){}[]*?~!#\\^")


def test_a_real_shell_reads_every_pasted_value_back_unchanged() -> None:
    cases = [case for case in CASES if case["pasted"] is not None]
    words = " ".join(case["pasted"] for case in cases)
    run = subprocess.run(["bash", "-c", f"printf '%s\\0' {words}"], capture_output=True, check=True)
    assert run.stdout.decode().split("\0")[:-1] == [case["value"] for case in cases]


def test_labels_fill_the_parameters_that_mean_the_same() -> None:
    labels = {"namespace": "payments", "pod": "checkout-7d9f-x2x", "cluster": "prod-eu", "instance": "10.0.0.7:8080"}
    assert values_for(["ns", "pod-name", "your_namespace", "CLUSTER", "unknown"], labels) == {
        "ns": "payments",
        "pod-name": "checkout-7d9f-x2x",
        "your_namespace": "payments",
        "CLUSTER": "prod-eu",
    }


def test_a_label_of_the_same_name_wins_over_a_relative() -> None:
    assert values_for(["service"], {"app": "checkout", "service": "checkout-api"}) == {"service": "checkout-api"}


def test_an_instance_names_a_node_without_its_port_and_only_when_no_pod_is_meant() -> None:
    assert values_for(["node"], {"instance": "worker-3:9100", "job": "node"}) == {"node": "worker-3"}
    assert values_for(["node"], {"instance": "10.1.1.1:8080", "pod": "checkout-1"}) == {}


def test_labels_of_the_exporter_do_not_pose_as_the_broken_thing() -> None:
    labels = {"job": "kube-state-metrics", "instance": "10.2.0.4:8443", "deployment": "checkout"}
    assert values_for(["service", "job", "node", "deployment-name"], labels) == {"deployment-name": "checkout"}


def test_values_nobody_may_paste_do_not_fill_anything() -> None:
    assert values_for(["pod", "namespace"], {"pod": "--server=x", "namespace": "a\nb"}) == {}
