"""The sparse tables: an update is the same as building anew, saved is the same as kept, and scores are what they
say."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.features import extract_features, names_of
from indexer.lexical import LexicalIndex, plan_update
from indexer.ngrams import NgramIndex, gram_counts
from indexer.postings import Entries, Postings, term_key
from indexer.tokens import Analyzer, normal_name
from kb.markdown import parse_document

WORDS = ("disk", "full", "pod", "crash", "latency", "kafka", "KubePodCrashLooping")
TEXTS = st.dictionaries(
    st.sampled_from("abcdef"),
    st.lists(st.sampled_from(WORDS), max_size=8).map(
        lambda words: f"# {' '.join(words[:2])}\n\n## S\n\n{' '.join(words)}\n"
    ),
    max_size=5,
)


def features(name: str, text: str):  # type: ignore[no-untyped-def]
    runbook = parse_document(text.encode(), path=f"{name}.md").runbooks[0]
    return extract_features(replace(runbook, id=name))


def built(texts: dict[str, str]) -> LexicalIndex:
    return LexicalIndex.build([features(name, text) for name, text in texts.items()])


def same(one: LexicalIndex, other: LexicalIndex) -> bool:
    first, second = one.to_arrays(), other.to_arrays()
    return all(np.array_equal(first[name], second[name]) for name in first.keys() | second.keys())


def keys(*words: str) -> np.ndarray:
    return np.array([term_key(Analyzer().terms(word)[-1]) for word in words], dtype=np.uint64)


def ones(count: int) -> np.ndarray:
    return np.ones(count, dtype=np.float32)


@settings(deadline=None)
@given(TEXTS, TEXTS, st.sets(st.sampled_from("abcdef")))
def test_an_update_equals_building_anew(before: dict[str, str], added: dict[str, str], removed: set[str]) -> None:
    index = built(before).updated(removed, [features(name, text) for name, text in added.items()])
    after = {name: text for name, text in before.items() if name not in removed} | added
    assert same(index, built(after))
    assert np.array_equal(index.chunk_impacts, built(after).chunk_impacts)


@settings(deadline=None)
@given(TEXTS)
def test_a_saved_index_is_the_one_that_was_saved(texts: dict[str, str]) -> None:
    index = built(texts)
    assert same(LexicalIndex.from_arrays(index.to_arrays()), index)


def test_scores_name_the_rows_that_have_the_word() -> None:
    index = built({"a": "# Disk\n\ndisk full\n", "b": "# Pod\n\npod crash\n"})
    found = index.chunks.gathered(keys("crash")).sums(ones(1), index.chunk_impacts)
    assert [bool(score) for score in found] == [False, True]


def test_a_rarer_word_counts_more() -> None:
    index = built({"a": "# A\n\ndisk latency\n", "b": "# B\n\ndisk\n", "c": "# C\n\ndisk\n"})
    rare, common = (
        index.chunks.gathered(keys(word)).sums(ones(1), index.chunk_impacts)[0] for word in ("latency", "disk")
    )
    assert rare > common


def test_an_unknown_word_is_in_no_row() -> None:
    index = built({"a": "# Disk\n\nfull\n"})
    assert index.fields.row_counts(keys("zebra")).tolist() == [0]
    assert index.fields.gathered(keys("zebra")).sums(ones(1)).tolist() == [0.0]


def test_an_empty_index_answers() -> None:
    index = built({})
    assert index.chunks.gathered(keys("disk")).sums(ones(1), index.chunk_impacts).tolist() == []
    assert index.named(keys("disk")).tolist() == []


def test_a_runbook_is_found_by_every_name_an_alert_may_use() -> None:
    text = "---\nalerts: [DiskFull]\n---\n# The disk is full\n"
    index = LexicalIndex.build([features("node-disk", text)])
    found = [
        index.named(np.array([term_key(normal_name(name))], dtype=np.uint64)).tolist()
        for name in ("DiskFull", "disk_full", "The disk is full", "node-disk", "disk")
    ]
    assert found == [[0], [0], [0], [0], []]


def test_names_are_those_of_front_matter_title_file_and_id() -> None:
    runbook = parse_document(b"---\nalerts: [DiskFull]\n---\n# Full disk\n", path="node/disk.md").runbooks[0]
    assert names_of(runbook) == ("DiskFull", "Full disk", "disk")


def test_a_plan_keeps_rows_sorted_by_id() -> None:
    index = built({"a": "# A\n", "c": "# C\n"})
    plan = plan_update(index.ids, index.chunk_starts, ["a"], [features("b", "# B\n")])
    assert plan.ids == ("b", "c")
    assert plan.runbook_rows.tolist() == [-1, 1]
    assert plan.added_rows == (0,)


@pytest.mark.parametrize("rows", [[], [{}], [{3: (1, 2)}, {}, {3: (4, 0), 9: (1, 1)}]])
def test_entries_keep_each_count(rows: list[dict[int, tuple[int, int]]]) -> None:
    postings = Postings.of(Entries.from_counts(rows, 2), len(rows))
    kept = {
        (int(key), int(postings.rows[at])): tuple(int(n) for n in postings.counts[at])
        for place, key in enumerate(postings.keys)
        for at in range(int(postings.offsets[place]), int(postings.offsets[place + 1]))
    }
    assert kept == {(key, row): counts for row, found in enumerate(rows) for key, counts in found.items()}


def test_counts_past_two_bytes_are_capped() -> None:
    assert Entries.from_counts([{1: (1_000_000,)}], 1).counts.tolist() == [[65_535]]


def test_occurrence_is_told_for_each_key_and_row() -> None:
    postings = Postings.of(Entries.from_counts([{1: (1,)}, {2: (1,)}, {1: (1,), 2: (1,)}], 1), 3)
    rows = np.array([2, 0], dtype=np.int32)
    assert postings.occurs(np.array([1, 2, 7], dtype=np.uint64), rows).tolist() == [
        [True, True],
        [True, False],
        [False, False],
    ]


def test_a_term_has_the_same_key_in_every_process() -> None:
    assert term_key("disk") == 1_091_659_701_304_918_778


# Character n-grams


def ngrams(*texts: str) -> NgramIndex:
    return NgramIndex.build(
        [Entries.from_counts([{key: (n,) for key, n in gram_counts(text).items()}], 1) for text in texts]
    )


def test_the_likest_spelling_scores_highest() -> None:
    scores = ngrams("KubePodCrashLooping", "KubeNodeNotReady", "etcd no leader").scores("pod crashlooping")
    assert scores.argmax() == 0


def test_a_text_is_wholly_like_itself_and_not_at_all_like_nothing() -> None:
    index = ngrams("disk full", "pod crash")
    assert index.scores("disk full")[0] == pytest.approx(1.0, abs=1e-5)
    assert index.scores("").tolist() == [0.0, 0.0]


def test_a_slip_of_the_pen_costs_little() -> None:
    right, wrong = (
        ngrams("certificate expires soon").scores(text)[0] for text in ("certificate expires", "certifcate expires")
    )
    assert 0.5 * right < wrong < right


def test_ngrams_stay_within_words() -> None:
    assert not gram_counts("ab cd").keys() & gram_counts("bc").keys()


@settings(deadline=None)
@given(st.lists(st.text(max_size=30), max_size=5))
def test_likeness_is_between_none_and_whole(texts: list[str]) -> None:
    index = ngrams(*texts)
    for text in texts:
        scores = index.scores(text)
        assert ((scores >= -1e-6) & (scores <= 1 + 1e-4)).all()
