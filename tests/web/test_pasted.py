"""Alerts as people paste them: JSON, chat, mail, label sets. A text that is no alert stays a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.web.pasted import read_alert

WEBHOOK = """{"version": "4", "status": "firing",
 "commonLabels": {"alertname": "KubePodCrashLooping", "cluster": "prod-eu"},
 "alerts": [{"status": "firing", "labels": {"namespace": "payments", "pod": "checkout-1", "severity": "warning"}}]}"""
MAIL = """[FIRING:1] KubePodCrashLooping (checkout payments prod-eu warning)
Labels:
 - alertname = KubePodCrashLooping
 - namespace = payments
 - pod = checkout-7d9f
Annotations:
 - summary = Pod is crash looping."""
CHAT = """:fire: [FIRING:2] NodeFilesystemAlmostOutOfSpace
• *cluster:* `prod-eu`
• *instance:* worker-3:9100
• *mountpoint:* /var/lib
Details: https://grafana.example/d/abc?var=x"""
PROM = 'ALERTS{alertname="etcdNoLeader", alertstate="firing", cluster=~"x", pod!="y", instance="10.0.0.4:2379"} 1'


@pytest.mark.parametrize(
    ("text", "name", "labels"),
    [
        (WEBHOOK, "KubePodCrashLooping", {"cluster": "prod-eu", "namespace": "payments", "pod": "checkout-1"}),
        (MAIL, "KubePodCrashLooping", {"namespace": "payments", "pod": "checkout-7d9f"}),
        (
            CHAT,
            "NodeFilesystemAlmostOutOfSpace",
            {"cluster": "prod-eu", "instance": "worker-3:9100", "mountpoint": "/var/lib"},
        ),
        (PROM, "etcdNoLeader", {"instance": "10.0.0.4:2379"}),
        ("namespace=payments pod='checkout 1' restarting", "", {"namespace": "payments", "pod": "checkout 1"}),
    ],
)
def test_a_pasted_alert_gives_its_name_and_labels(text: str, name: str, labels: dict[str, str]) -> None:
    alert = read_alert(text)
    assert alert is not None
    assert alert.name == name
    assert {key: alert.labels.get(key) for key in labels} == labels


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("alertname=RedisDown cluster=prod namespace=shop", "labels"),
        ('{alertname="RedisDown", instance="r-1:6379"}', "labels"),
        ("alertname=RedisDown cluster=prod after the upgrade", "text"),
        (MAIL, "text"),
        (WEBHOOK, "alertmanager"),
    ],
)
def test_an_alert_with_words_beside_its_labels_is_searched_as_text(text: str, source: str) -> None:
    alert = read_alert(text)
    assert alert is not None
    assert alert.source == source


def test_annotations_are_no_labels() -> None:
    alert = read_alert(MAIL)
    assert alert is not None
    assert set(alert.labels) == {"alertname", "namespace", "pod"}


def test_comparisons_are_no_labels() -> None:
    alert = read_alert(PROM)
    assert alert is not None
    assert "cluster" not in alert.labels
    assert "pod" not in alert.labels


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pod keeps restarting",
        "what does namespace: terminating mean",
        "kubectl -n payments logs checkout --tail=80 --since=1h",
        "level=error msg=failed",
        '{"unknown": 1}',
        "{not json",
        "[1, 2]",
        "error: connection refused",
    ],
)
def test_a_text_that_is_no_alert_is_no_alert(text: str) -> None:
    assert read_alert(text) is None


@given(st.text(max_size=200) | st.text('{}[]"\n:=\\*`•- abc', max_size=200))
def test_whatever_is_pasted_is_read_without_an_error(text: str) -> None:
    read_alert(text)
