"""Which terms a query is looked up by, and what each is worth."""

import numpy as np
import pytest

from indexer.features import extract_features
from indexer.lexical import LexicalIndex
from indexer.query import parse_query
from indexer.query_terms import MAX_TERMS, Synonyms, corrected, weigh_terms
from kb.markdown import parse_document

NONE = Synonyms()


def weights(text: str, synonyms: Synonyms = NONE) -> dict[str, float]:
    found = weigh_terms(parse_query(text), synonyms)
    return dict(zip(found.terms, found.weights.round(2).tolist(), strict=True))


@pytest.fixture(scope="module")
def lexical() -> LexicalIndex:
    texts = ["# Prometheus replica lags\n\nreplica\n", "# Prometheus certificate\n\nreplica\n", "# Kafka\n\nbillling\n"]
    runbooks = [parse_document(text.encode(), path=f"{row}.md").runbooks[0] for row, text in enumerate(texts)]
    return LexicalIndex.build([extract_features(runbook) for runbook in runbooks])


def test_words_of_the_alerts_name_count_twice() -> None:
    assert weights("[FIRING:1] DiskFull (warning)\nSummary: volume") == {
        "disk": 2.0,
        "full": 2.0,
        "diskful": 2.0,
        "volum": 1.0,
    }


def test_repetition_counts_by_its_logarithm() -> None:
    assert weights("disk disk disk node")["disk"] == pytest.approx(2.1)


def test_words_that_only_hold_a_sentence_together_count_little() -> None:
    assert weights("how is the disk") == pytest.approx({"how": 0.2, "is": 0.2, "the": 0.2, "disk": 1.0})


def test_words_that_tell_states_apart_count_in_full() -> None:
    assert set(weights("not up down out off no").values()) == {1.0}


def test_there_are_at_most_so_many_terms() -> None:
    assert (
        len(weigh_terms(parse_query(" ".join(f"word{chr(97 + n % 26)}x{n}" for n in range(120))), NONE).terms)
        == MAX_TERMS
    )


def test_pairs_of_words_are_looked_up_too_unless_both_are_idle() -> None:
    assert len(weigh_terms(parse_query("how is the disk full"), NONE).pair_keys) == 2


def test_a_term_knows_how_the_query_wrote_it() -> None:
    found = weigh_terms(parse_query("Crashing KubeletDown"), NONE)
    assert dict(zip(found.terms, found.words, strict=True)) == {
        "crash": "Crashing",
        "kubelet": "Kubelet",
        "down": "Down",
        "kubeletdown": "KubeletDown",
    }


def test_synonyms_come_in_at_half_weight() -> None:
    synonyms = Synonyms.parse("pvc, persistent volume claim  # storage\nlonely\n\n# a comment, only\n")
    assert weights("pvc lost", synonyms) == {"pvc": 1.0, "lost": 1.0, "persist": 0.5, "volum": 0.5, "claim": 0.5}


def test_a_phrase_is_only_met_as_a_whole() -> None:
    synonyms = Synonyms.parse("pvc, persistent volume claim")
    assert "pvc" not in weights("the volume is persistent", synonyms)
    assert weights("persistent volume claim", synonyms)["pvc"] == 0.5


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("promethues lags", "prometheus lags"),  # two letters swapped
        ("prometheuss", "prometheus"),  # one too many
        ("promethus", "prometheus"),  # one missing
        ("prometheos", "prometheus"),  # one wrong
        ("PROMETHUES?", "prometheus?"),
    ],
)
def test_a_slip_in_a_typed_word_is_read_as_the_known_word(lexical: LexicalIndex, typed: str, meant: str) -> None:
    query = corrected(parse_query(typed), lexical)
    assert query.detail == meant
    assert len(query.notes) == 1


@pytest.mark.parametrize(
    "typed",
    [
        "prometheus replicas",  # known, by their stems
        "lgas",  # too short to be sure
        "billing",  # near a word that only one runbook has
        "xylophone",  # near nothing
        "ProemtheusDown",  # an alert's name is spelt by a machine
        "level=error msg=promethues",  # and so is a log line
    ],
)
def test_other_words_are_left_as_they_are(lexical: LexicalIndex, typed: str) -> None:
    query = parse_query(typed)
    assert corrected(query, lexical) == query


def test_a_pasted_text_is_not_corrected(lexical: LexicalIndex) -> None:
    query = parse_query("promethues " + "and other words " * 10)
    assert corrected(query, lexical) == query


def test_nothing_to_search_by_is_no_terms() -> None:
    found = weigh_terms(parse_query("!!"), NONE)
    assert (found.terms, found.keys.dtype, found.weights.dtype) == ((), np.uint64, np.float32)
