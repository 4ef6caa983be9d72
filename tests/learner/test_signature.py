"""What is masked in an incident's text, and what stays."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.incident import Alert
from learner.signature import sign, signature_of_alert, split_identifiers

SPLIT = [
    ("KubePodCrashLooping", "Kube Pod Crash Looping"),
    ("High5xxRate", "High 5xx Rate"),
    ("PostgreSQLSSLCompressionActive", "Postgre SQL SSL Compression Active"),
    ("PrometheusTSDBWALCorruptions", "Prometheus TSDB WAL Corruptions"),
]
MASKED = [
    ("Disk full on db57.ap.example.net:9100", "disk full"),
    ("Pod checkout-api-5656e888a-047b1 restarts", "pod restarts"),
    ("10.156.227.242 broker down", "broker down"),
    ("[FIRING:3] KafkaLagHigh (prod orders critical)", "kafka lag high"),
    ("URGENT disk almost full", "disk almost full"),
    ("took 1h30m to load /var/lib/mysql/ib.log", "took to load"),
    ("request 550e8400-e29b-41d4-a716-446655440000 failed", "request failed"),
]
KEPT = [
    ("High 4xx rate", "high 4xx rate"),
    ("High 5xx rate", "high 5xx rate"),
    ("p99 latency above 500ms", "p99 latency above"),
    ("HTTP 503 errors", "http 503 5xx errors"),
]


@pytest.mark.parametrize(("name", "words"), SPLIT)
def test_an_identifier_is_split_into_its_words(name: str, words: str) -> None:
    assert split_identifiers(name) == words


@pytest.mark.parametrize(("title", "expected"), MASKED)
def test_what_changes_between_occurrences_is_masked(title: str, expected: str) -> None:
    assert sign(title, "").title == expected


@pytest.mark.parametrize(("title", "expected"), KEPT)
def test_numbers_that_tell_siblings_apart_stay(title: str, expected: str) -> None:
    assert sign(title, "").title == expected


def test_a_label_value_in_the_place_of_a_name_is_masked_and_elsewhere_kept() -> None:
    signature = sign("Tenant in payments lost", "payments is spelt payments", values=["payments"])
    assert signature.title == "tenant in lost"
    assert signature.segments == ("payments is spelt payments",)


def test_a_description_falls_into_sentences_and_log_lines() -> None:
    segments = sign("x y z", "Queue is filling up. Broker lost | connection closed\nretry later").segments
    assert segments == ("queue is filling up", "broker lost", "connection closed", "retry later")


def test_an_alert_has_the_signature_of_the_incident_that_it_opens() -> None:
    alert = Alert(name="QueueFull", annotations={"summary": "Queue is full", "description": "Queue holds 512 messages"})
    assert signature_of_alert(alert) == sign("QueueFull", "Queue is full\nQueue holds 512 messages", alert="QueueFull")


@given(st.text(max_size=300), st.text(max_size=600))
def test_signing_never_fails_and_is_stable(title: str, description: str) -> None:
    first = sign(title, description)
    assert first == sign(title, description)
    assert len(first.segments) <= 12


@pytest.mark.parametrize("piece", ["a-", "1.", "a.", "[", "(", "/a", "A", "0x", "map[", "1:", "a_1-"])
def test_hostile_text_is_signed_in_linear_time(piece: str) -> None:
    started = time.process_time()
    sign(piece * 3000, piece * 3000)
    assert time.process_time() - started < 1.0
