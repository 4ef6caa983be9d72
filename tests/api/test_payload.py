"""Alerts in the shapes that other systems send."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.webhooks.payload import leading_alert, read_payload
from kb.errors import InvalidInput
from kb.incident import Alert
from kb.severity import Severity

ALERTMANAGER: dict[str, Any] = {
    "version": "4",
    "groupKey": '{}:{alertname="KubePodCrashLooping"}',
    "truncatedAlerts": 0,
    "status": "firing",
    "receiver": "kb",
    "groupLabels": {"alertname": "KubePodCrashLooping"},
    "commonLabels": {"alertname": "KubePodCrashLooping", "severity": "warning", "job": "kube-state-metrics"},
    "commonAnnotations": {"runbook_url": "https://example.com/KubePodCrashLooping.md"},
    "externalURL": "http://alertmanager",
    "alerts": [
        {
            "status": "resolved",
            "labels": {"alertname": "KubePodCrashLooping", "pod": "a", "severity": "warning"},
            "annotations": {"description": "Pod a restarts."},
            "startsAt": "2026-11-02T10:00:00Z",
            "endsAt": "2026-11-02T10:05:00Z",
            "fingerprint": "f1",
        },
        {
            "status": "firing",
            "labels": {"alertname": "KubePodCrashLooping", "pod": "b", "severity": "critical", "service": "cart"},
            "annotations": {"description": "Pod b restarts."},
            "startsAt": "2026-11-02T12:30:00.123456789+02:00",
            "endsAt": "0001-01-01T00:00:00Z",
            "fingerprint": "f2",
        },
    ],
}


def test_alertmanagers_webhook_gives_its_alerts_with_what_the_group_has_in_common() -> None:
    resolved, firing = read_payload(ALERTMANAGER).alerts
    assert (resolved.status, firing.status) == ("resolved", "firing")
    assert firing.name == "KubePodCrashLooping"
    assert firing.labels["job"] == "kube-state-metrics"
    assert firing.severity is Severity.CRITICAL
    assert (resolved.service, firing.service) == ("kube-state-metrics", "cart")
    assert firing.runbook_url == "https://example.com/KubePodCrashLooping.md"
    assert firing.annotations["description"] == "Pod b restarts."
    assert firing.starts_at == datetime(2026, 11, 2, 10, 30, 0, 123456, tzinfo=UTC)
    assert (resolved.ends_at, firing.ends_at) == (datetime(2026, 11, 2, 10, 5, tzinfo=UTC), None)
    assert (firing.fingerprint, firing.source) == ("f2", "alertmanager")


def test_a_group_that_lists_no_alert_is_one_alert_of_what_it_has_in_common() -> None:
    payload = {**ALERTMANAGER, "alerts": []}
    (alert,) = read_payload(payload).alerts
    assert (alert.name, alert.severity) == ("KubePodCrashLooping", Severity.MEDIUM)


def test_a_list_of_alerts_as_prometheus_posts_it() -> None:
    alerts = read_payload([{"labels": {"alertname": "A"}}, {"labels": {"alertname": "B"}, "annotations": None}]).alerts
    assert [alert.name for alert in alerts] == ["A", "B"]


def test_the_state_that_alertmanagers_api_reports_is_understood() -> None:
    (alert,) = read_payload([{"labels": {"alertname": "A"}, "status": {"state": "active", "silencedBy": []}}]).alerts
    assert alert.status == "firing"


def test_grafanas_unified_alerting() -> None:
    payload = {
        "receiver": "kb",
        "status": "firing",
        "orgId": 1,
        "title": "[FIRING:1] DiskFull",
        "message": "Disk is full",
        "commonLabels": {"alertname": "DiskFull"},
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "DiskFull", "instance": "db-1"},
                "annotations": {"summary": "Disk of db-1 is full"},
                "valueString": "[ var='A' value=97 ]",
                "values": {"A": 97},
            }
        ],
    }
    (alert,) = read_payload(payload).alerts
    assert (alert.name, alert.source, alert.labels["instance"]) == ("DiskFull", "grafana", "db-1")


def test_grafanas_legacy_alerting() -> None:
    payload = {
        "title": "[Alerting] Queue grows",
        "ruleId": 7,
        "ruleName": "Queue grows",
        "state": "alerting",
        "message": "The queue of payments grows.",
        "evalMatches": [{"metric": "queue_depth", "value": 9000, "tags": {"queue": "payments"}}],
        "tags": {"severity": "P1"},
    }
    (alert,) = read_payload(payload).alerts
    assert (alert.name, alert.severity, alert.status) == ("Queue grows", Severity.HIGH, "firing")
    assert alert.labels == {"queue": "payments", "severity": "P1"}
    assert alert.annotations["description"] == "The queue of payments grows."
    assert read_payload({**payload, "state": "ok"}).alerts[0].status == "resolved"


N8N: dict[str, Any] = {
    "alert": {"type": "pod_crash", "severity": "high", "namespace": "production", "resource": "my-app-pod"},
    "context": {"cluster": "prod-cluster", "timestamp": "2024-01-15T10:30:00Z"},
}


def _check_n8n(payload: object) -> None:
    (alert,) = read_payload(payload).alerts
    assert (alert.name, alert.severity, alert.source) == ("pod_crash", Severity.HIGH, "n8n")
    assert alert.labels["namespace"] == "production"
    assert alert.labels["cluster"] == "prod-cluster"
    assert alert.starts_at == datetime(2024, 1, 15, 10, 30, tzinfo=UTC)


def test_an_n8n_incident() -> None:
    _check_n8n(N8N)


def test_an_n8n_incident_whose_objects_a_template_turned_into_text() -> None:
    templated = {
        "alert": '{"type": "pod_crash", "severity": "high", "namespace": "production", "resource": "my-app-pod"}',
        "context": '{"cluster": "prod-cluster", "timestamp": "2024-01-15T10:30:00Z"}',
    }
    _check_n8n(templated)


@pytest.mark.parametrize("envelope", ["body", "json", "payload", "event"])
def test_an_incident_inside_the_envelope_of_a_workflow_tool(envelope: str) -> None:
    _check_n8n([{"headers": {"host": "x"}, envelope: N8N}])


def test_a_resource_given_as_an_object_becomes_labels() -> None:
    payload = {"alert": {"type": "pod_crash", "resource": {"type": "pod", "name": "cart-1"}}}
    assert read_payload(payload).alerts[0].labels["pod"] == "cart-1"


@pytest.mark.parametrize("key", ["text", "query", "q", "message"])
def test_a_plain_text_is_what_to_search_for(key: str) -> None:
    subject = read_payload({key: "  disk is full "})
    assert (subject.text, subject.alerts) == ("disk is full", ())


def test_a_plain_name_with_fields_is_an_alert() -> None:
    (alert,) = read_payload(
        {"name": "DiskFull", "severity": "page", "service": "db", "instance": "db-1", "description": "97 %"}
    ).alerts
    assert (alert.name, alert.severity, alert.service) == ("DiskFull", Severity.CRITICAL, "db")
    assert alert.labels == {"severity": "page", "service": "db", "instance": "db-1", "alertname": "DiskFull"}
    assert alert.annotations == {"description": "97 %"}


@pytest.mark.parametrize(
    "payload",
    [
        {},
        [],
        None,
        7,
        "text",
        {"alerts": []},
        {"alerts": [None, 3]},
        {"labels": {}},
        {"text": "   "},
        [[[]]],
        {"a": {"b": 1}},
    ],
)
def test_what_holds_neither_alert_nor_text_is_refused_with_the_forms_that_are_known(payload: object) -> None:
    with pytest.raises(InvalidInput, match="is no alert that this server knows") as caught:
        read_payload(payload)
    assert "Alertmanager" in caught.value.advice


def test_the_answer_is_for_the_worst_alert_that_is_firing() -> None:
    alerts = [
        Alert(name="old", status="resolved", severity=Severity.CRITICAL),
        Alert(name="unknown"),
        Alert(name="mild", severity=Severity.LOW),
        Alert(name="bad", severity=Severity.HIGH),
        Alert(name="as-bad", severity=Severity.HIGH),
    ]
    assert leading_alert(alerts).name == "bad"
    assert leading_alert(alerts[:1]).name == "old"


def test_values_of_the_wrong_kind_are_left_out_rather_than_failing() -> None:
    payload = copy.deepcopy(ALERTMANAGER)
    payload["alerts"] = [
        {"labels": {"alertname": ["x"], "pod": None, "n": 3, "b": True}, "annotations": "none", "startsAt": "soon"}
    ]
    (alert,) = read_payload(payload).alerts
    assert alert.labels["n"] == "3"
    assert alert.labels["b"] == "true"
    assert "pod" not in alert.labels
    assert alert.starts_at is None


_KNOWN_KEYS = [
    *("alerts", "labels", "annotations", "alertname", "alert", "context", "commonLabels", "status", "text", "ruleName"),
    *("state", "evalMatches", "tags", "body", "name", "severity", "startsAt", "resource"),
]
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KNOWN_KEYS), inner, max_size=4),
    max_leaves=20,
)


@given(_json)
def test_no_payload_of_any_shape_causes_anything_but_a_clear_refusal(payload: object) -> None:
    try:
        subject = read_payload(payload)
    except InvalidInput:
        return
    assert subject.alerts or subject.text
