"""How text becomes terms."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.tokens import MAX_TERM_CHARS, Analyzer, normal_name, spaced, split_identifier


@pytest.mark.parametrize(
    ("word", "pieces"),
    [
        ("KubePodCrashLooping", ["Kube", "Pod", "Crash", "Looping"]),
        ("KubeAPIDown", ["Kube", "API", "Down"]),
        ("PVCs", ["PVCs"]),
        ("node_load1", ["node", "load1"]),
        ("kube-proxy", ["kube", "proxy"]),
        ("Ingress5xxErrors", ["Ingress", "5xx", "Errors"]),
        ("etcd3", ["etcd3"]),
        ("p99", ["p99"]),
        ("5xx", ["5xx"]),
        ("plain", ["plain"]),
    ],
)
def test_identifiers_are_split_where_their_words_meet(word: str, pieces: list[str]) -> None:
    assert split_identifier(word) == pieces


def test_a_compound_gives_its_stemmed_pieces_and_then_the_whole() -> None:
    assert Analyzer().terms("KubePodCrashLooping") == ["kube", "pod", "crash", "loop", "kubepodcrashloop"]


def test_every_spelling_of_a_compound_gives_the_same_terms() -> None:
    assert Analyzer().terms("crash-loop") == Analyzer().terms("crash_loop") == Analyzer().terms("CrashLoop")


def test_words_are_stemmed_and_punctuation_is_dropped() -> None:
    assert Analyzer().terms("Pods are crashing, again!") == ["pod", "are", "crash", "again"]


def test_pieces_leave_the_whole_out() -> None:
    assert Analyzer().pieces("KubeletDown now") == ["kubelet", "down", "now"]


def test_pairs_are_neighbours() -> None:
    assert Analyzer().pairs("disk is full") == ["disk is", "is full"]


def test_a_blob_is_no_term() -> None:
    assert all(len(term) <= MAX_TERM_CHARS for term in Analyzer().terms("a" * 500))


def test_a_name_is_spaced_for_reading() -> None:
    assert spaced("etcd_fsyncSlow") == "etcd fsync Slow"


@pytest.mark.parametrize("name", ["KubePodCrashLooping", "kube-pod-crash-looping", "kube_pod crash looping"])
def test_every_spelling_of_a_name_is_the_same_name(name: str) -> None:
    assert normal_name(name) == "kubepodcrashlooping"


@settings(deadline=None)
@given(st.text(max_size=200))
def test_an_analyzer_that_has_seen_a_text_reads_it_again_the_same(text: str) -> None:
    analyzer = Analyzer()
    assert analyzer.terms(text) == analyzer.terms(text) == Analyzer().terms(text)
