"""Which texts are PromQL."""

import pytest

from kb.promql import is_expression


@pytest.mark.parametrize(
    "text",
    [
        "pg_up == 0",
        'agent_health{agent="x"} == 0',
        "http_request_duration_p95 > 2000",
        "model_accuracy<0.85",
        "job:errors:rate5m >= bool 0.1",
        "rate(http_requests_total[5m])",
        'sum by (job) (rate(x{code=~"5.."}[5m])) > 0.1',
        "node_filesystem_avail_bytes{mountpoint='/'}",
        "absent(kube_node_info)",
        "  pg_up == 0  ",
    ],
)
def test_expressions_over_metrics_are_known(text: str) -> None:
    assert is_expression(text)


@pytest.mark.parametrize(
    "text",
    ["a == b", "a == 0", "x", "", "kubectl get pods", "count(x)", "time()", "if [ $a == 0 ]", "x > y", "5 > 3",
     "max(a, b)",
     "{}", "a{b}", "sum", "some text == 0 here", "x" * 2_000 + "_a == 0", "a\t" * 400, "foo_bar " + "\t" * 900 + "!",
     "100 * rate(x)"],
)  # fmt: skip
def test_other_texts_are_not(text: str) -> None:
    assert not is_expression(text)
