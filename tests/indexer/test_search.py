"""The read path over a small real index with an embedder that needs no weights: what is first, what is left out, and
what is said about it."""

import random
import string
from typing import Any

import pytest

from indexer.embed import HashingEmbedder
from indexer.generation import Generation
from indexer.query import parse_query
from indexer.search import MAX_LIMIT, MAX_PRIOR, Priors, Searcher, Visibility
from indexer.search_view import Filters
from kb.hits import Answer, Hit
from kb.runbook import ReviewState, RunbookType
from kb.severity import Severity
from tests.indexer.toy_store import ToySource, built_from_scratch

pytestmark = pytest.mark.integration

DISK = """---
alerts: [NodeDiskFull]
service: storage
severity: critical
tags: [disk]
---
# Disk is full

A file system has no room left.

## Symptoms

Writes fail with no space left on device.

## Diagnosis

Look at what fills the disk with `df -h`.

| Finding | Go to |
|---|---|
| deleted file still open, held by a process | [A deleted file is open](#a-deleted-file-is-open) |

## Recovery

### Old logs fill it

Delete the old logs.

### A deleted file is open

Restart the process that holds the deleted file.

## Verification

`df -h` shows free room again.

## Escalation

Call the storage team.
"""
CRASH = """---
alerts: [KubePodCrashLooping]
service: kubernetes
severity: warning
---
# Pod is crash looping

## Diagnosis

Read the last words of the container with `kubectl logs --previous`.
"""
MANY = """# Messaging

General words about brokers and queues.

## Alert: KafkaLagHigh

Consumers lag behind the brokers.

### Diagnosis

Describe the consumer group.

## Alert: KafkaBrokerDown

A broker of the cluster is gone.

### Diagnosis

Look at the broker's log.
"""
DRAFT = "# Certificate expires\n\n## Diagnosis\n\nThe certificate of the ingress expires soon.\n"
OLD = "# Quota exhausted\n\nThe quota of the namespace is exhausted.\n"
FORM = "# Incident form\n\nName the certificate, the disk, the pod, the quota, the broker.\n"


@pytest.fixture(scope="module")
def generation(tmp_path_factory: pytest.TempPathFactory) -> Generation:
    source = ToySource()
    source.put("disk-full", DISK)
    source.put("pod-crash", CRASH)
    source.put("messaging", MANY)
    source.put("certificate", DRAFT, state=ReviewState.DRAFT)
    source.put("quota", OLD, state=ReviewState.RETIRED)
    source.put("incident-form", f"---\ntype: template\n---\n{FORM}")
    return built_from_scratch(source, tmp_path_factory.mktemp("index"))


@pytest.fixture
def searcher() -> Searcher:
    return Searcher(HashingEmbedder())


def found(answer: Answer) -> tuple[Hit, ...]:
    return answer.hits or answer.near_misses


def ids(answer: Answer) -> list[str]:
    return [hit.runbook.id for hit in found(answer)]


def ask(searcher: Searcher, generation: Generation, text: str, **more: Any) -> Answer:
    return searcher.search(parse_query(text), generation, **more)


ALERT = "[FIRING:1] NodeDiskFull (critical)\nSummary: The disk is full, no space left on device"


def test_an_alert_finds_the_runbook_of_its_name(searcher: Searcher, generation: Generation) -> None:
    answer = ask(searcher, generation, ALERT)
    first = answer.hits[0]
    assert (first.runbook.id, answer.confident, answer.near_misses) == ("disk-full", True, ())
    assert first.confidence > 0.9
    assert "this runbook is for NodeDiskFull" in first.reasons.notes


def test_an_alert_opens_the_diagnosis(searcher: Searcher, generation: Generation) -> None:
    assert ask(searcher, generation, ALERT).hits[0].chunk.anchor == "diagnosis"


@pytest.mark.parametrize(
    ("text", "anchor"),
    [
        ("the disk is full, how do I verify that the disk has room again", "verification"),
        ("disk full, do I have to wake somebody of the storage team?", "escalation"),
        ("disk full because a deleted file is still open, held by some process", "a-deleted-file-is-open"),
    ],
)
def test_a_question_opens_the_section_that_answers(
    searcher: Searcher, generation: Generation, text: str, anchor: str
) -> None:
    first = found(ask(searcher, generation, text))[0]
    assert (first.runbook.id, first.chunk.anchor) == ("disk-full", anchor)


def test_a_hit_says_why(searcher: Searcher, generation: Generation) -> None:
    first = found(ask(searcher, generation, "the disk has no space left"))[0]
    assert {"disk", "space", "left"} <= set(first.reasons.matched_terms)
    assert first.score == pytest.approx(sum(part.contribution for part in first.reasons.parts), abs=1e-4)
    assert {"words", "meaning", "name"} <= {part.name for part in first.reasons.parts}
    assert (first.lexical_rank, first.dense_rank is not None) == (1, True)
    assert "\x02" in first.snippet


def test_what_nobody_wrote_about_is_no_hit(searcher: Searcher, generation: Generation) -> None:
    answer = ask(searcher, generation, "best marinade for grilled chicken")
    assert (answer.confident, answer.hits) == (False, ())


@pytest.mark.parametrize("text", ["", "   ", "!!! ???", "10.0.0.1:9100 12.5%"])
def test_nothing_to_search_by_finds_nothing(searcher: Searcher, generation: Generation, text: str) -> None:
    answer = ask(searcher, generation, text)
    assert (answer.hits, answer.near_misses, answer.drafts, answer.confident) == ((), (), (), False)


def test_an_answer_names_its_generation_and_its_query(searcher: Searcher, generation: Generation) -> None:
    answer = ask(searcher, generation, "disk", search_id="s-1")
    assert (answer.generation, answer.query, answer.search_id, answer.degraded) == (generation.id, "disk", "s-1", "")


def test_time_is_told_by_the_timer_that_is_given(generation: Generation) -> None:
    ticks = iter([10.0, 10.25])
    answer = Searcher(HashingEmbedder(), timer=lambda: next(ticks)).search(parse_query("disk"), generation)
    assert answer.took_s == 0.25


# Files and their entries


def test_of_a_file_with_entries_the_entry_is_shown_and_its_file_is_not(
    searcher: Searcher, generation: Generation
) -> None:
    answer = ask(searcher, generation, "[FIRING:1] KafkaLagHigh (warning)\nSummary: consumers lag behind")
    assert ids(answer)[0] == "messaging-kafka-lag-high"
    assert "messaging" not in ids(answer)


def test_a_query_for_the_whole_file_shows_the_file(searcher: Searcher, generation: Generation) -> None:
    assert ids(ask(searcher, generation, "messaging: general words about queues"))[0] == "messaging"


# What comes first, whatever the words say


def test_a_pin_is_first(searcher: Searcher, generation: Generation) -> None:
    answer = ask(searcher, generation, ALERT, priors=Priors(pins={"node_disk_full": "pod-crash"}))
    assert (ids(answer)[0], answer.hits[0].confidence, answer.confident) == ("pod-crash", 1.0, True)
    assert "pinned to NodeDiskFull" in answer.hits[0].reasons.notes


def test_a_pin_to_a_runbook_that_is_gone_changes_nothing(searcher: Searcher, generation: Generation) -> None:
    assert ids(ask(searcher, generation, ALERT, priors=Priors(pins={"NodeDiskFull": "gone"})))[0] == "disk-full"


@pytest.mark.parametrize(
    ("url", "first"),
    [
        ("https://git.example.com/ops/blob/main/static/pod-crash.md", "pod-crash"),
        ("https://runbooks.example.com/static/pod-crash/", "pod-crash"),
        ("https://git.example.com/static/messaging.md#alert-kafkabrokerdown", "messaging-kafka-broker-down"),
        ("https://git.example.com/static/messaging.md", "messaging"),
        ("https://git.example.com/static/unknown.md", "disk-full"),
        ("https://[bad", "disk-full"),
    ],
)
def test_the_alerts_own_link_is_first_where_it_names_a_file(
    searcher: Searcher, generation: Generation, url: str, first: str
) -> None:
    assert ids(ask(searcher, generation, f"{ALERT}\nrunbook_url: {url}"))[0] == first


def test_a_pin_comes_before_the_alerts_link(searcher: Searcher, generation: Generation) -> None:
    text = f"{ALERT}\nrunbook_url: https://git.example.com/static/pod-crash.md"
    answer = ask(searcher, generation, text, priors=Priors(pins={"NodeDiskFull": "messaging-kafka-lag-high"}))
    assert ids(answer)[:2] == ["messaging-kafka-lag-high", "pod-crash"]


def test_a_prior_moves_a_score_by_no_more_than_its_bound(searcher: Searcher, generation: Generation) -> None:
    plain = {hit.runbook.id: hit.score for hit in found(ask(searcher, generation, "disk pod"))}
    boosted = {
        hit.runbook.id: hit.score
        for hit in found(ask(searcher, generation, "disk pod", priors=Priors(boosts={"pod-crash": 99.0, "gone": 1.0})))
    }
    assert boosted["pod-crash"] - plain["pod-crash"] == pytest.approx(MAX_PRIOR, abs=1e-5)
    assert boosted["disk-full"] == pytest.approx(plain["disk-full"], abs=1e-5)


def test_a_prior_says_why_and_is_a_part_of_the_score(searcher: Searcher, generation: Generation) -> None:
    said = Priors(boosts={"pod-crash": -0.05, "gone": 0.1}, notes={"pod-crash": ("1 person said this was wrong",)})
    hits = {hit.runbook.id: hit for hit in found(ask(searcher, generation, "disk pod", priors=said))}
    moved = hits["pod-crash"]
    assert moved.reasons.notes == ("1 person said this was wrong",)
    part = moved.reasons.parts[-1]
    assert (part.name, part.value, part.contribution) == ("feedback", -0.25, -0.05)
    assert sum(one.contribution for one in moved.reasons.parts) == pytest.approx(moved.score, abs=1e-5)
    assert "feedback" not in {one.name for one in hits["disk-full"].reasons.parts}


@pytest.mark.parametrize("boost", [MAX_PRIOR, -MAX_PRIOR])
@pytest.mark.parametrize(
    "query", ["NodeDiskFull", "disk pod", "quota", "no space left on device", "lag broker", "xyzzy"]
)
@pytest.mark.parametrize("limit", [1, 10])
def test_whether_anything_matches_is_for_the_text_alone_to_say(
    searcher: Searcher, generation: Generation, query: str, boost: float, limit: int
) -> None:
    plain = ask(searcher, generation, query)
    for loved in ("pod-crash", "disk-full", "messaging"):
        answer = ask(searcher, generation, query, priors=Priors(boosts={loved: boost}), limit=limit)
        assert answer.confident is plain.confident
        sure = {hit.runbook.id: hit.confidence for hit in found(plain)}
        assert all(hit.confidence == sure[hit.runbook.id] for hit in found(answer) if hit.runbook.id in sure)


def test_priors_of_nothing_change_nothing(searcher: Searcher, generation: Generation) -> None:
    for query in ("disk pod", ALERT, "lag"):
        plain, with_none = ask(searcher, generation, query), ask(searcher, generation, query, priors=Priors(boosts={}))
        assert found(plain) == found(with_none)


# What may be found


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(severity=Severity.CRITICAL), {"disk-full"}),
        (Filters(service="STORAGE"), {"disk-full"}),
        (Filters(tag="Disk"), {"disk-full"}),
        (Filters(type=RunbookType.TEMPLATE), {"incident-form"}),
        (Filters(service="nobody"), set()),
        (Filters(type=RunbookType.STATIC, hidden_ids=frozenset({"disk-full", "pod-crash", "messaging"})),
         {"messaging-kafka-lag-high", "messaging-kafka-broker-down"}),
    ],
)  # fmt: skip
def test_filters_hold_before_the_best_are_chosen(
    searcher: Searcher, generation: Generation, filters: Filters, expected: set[str]
) -> None:
    answer = ask(searcher, generation, "disk pod broker certificate quota", filters=filters, limit=2)
    assert set(ids(answer)) == expected


def test_a_pin_does_not_pass_a_filter(searcher: Searcher, generation: Generation) -> None:
    filters = Filters(service="storage")
    answer = ask(searcher, generation, ALERT, filters=filters, priors=Priors(pins={"NodeDiskFull": "pod-crash"}))
    assert ids(answer) == ["disk-full"]


def test_drafts_stand_apart_and_retired_ones_are_not_found(searcher: Searcher, generation: Generation) -> None:
    answer = ask(searcher, generation, "certificate of the ingress expires soon")
    assert [hit.runbook.id for hit in answer.drafts] == ["certificate"]
    assert "certificate" not in ids(answer)
    assert "quota" not in ids(ask(searcher, generation, "quota of the namespace exhausted", limit=50))


def test_who_may_see_drafts_among_the_hits_says_so(searcher: Searcher, generation: Generation) -> None:
    visibility = Visibility(hits=frozenset(ReviewState), drafts=frozenset())
    answer = ask(searcher, generation, "certificate of the ingress expires soon", visibility=visibility)
    assert (ids(answer)[0], answer.drafts) == ("certificate", ())


def test_a_form_answers_nothing_unless_forms_are_asked_for(searcher: Searcher, generation: Generation) -> None:
    assert ids(ask(searcher, generation, "incident form", limit=1)) == ["incident-form"]
    assert "incident-form" not in ids(ask(searcher, generation, "pod broker disk", limit=2))


@pytest.mark.parametrize(("limit", "at_most"), [(1, 1), (3, 3), (0, 1), (-5, 1), (10_000, MAX_LIMIT)])
def test_a_limit_is_kept_in_bounds(searcher: Searcher, generation: Generation, limit: int, at_most: int) -> None:
    assert 1 <= len(ids(ask(searcher, generation, "disk pod broker", limit=limit))) <= at_most


# Less than everything


def test_without_vectors_words_answer_and_the_answer_says_so(searcher: Searcher, generation: Generation) -> None:
    answer = ask(searcher, generation.without_vectors("vectors: being built"), ALERT)
    assert (ids(answer)[0], answer.degraded, answer.confident) == ("disk-full", "vectors: being built", True)
    assert found(answer)[0].dense_rank is None


def test_without_a_model_words_answer_and_the_answer_says_so(generation: Generation) -> None:
    answer = Searcher(None).search(parse_query(ALERT), generation)
    assert (ids(answer)[0], answer.degraded) == ("disk-full", "vectors: no model")


def test_an_empty_index_finds_nothing(searcher: Searcher) -> None:
    answer = ask(searcher, Generation.empty(), ALERT)
    assert (answer.hits, answer.near_misses, answer.confident) == ((), (), False)
    assert answer.degraded


def test_a_searcher_follows_the_generation_it_is_given(searcher: Searcher, generation: Generation) -> None:
    assert ids(ask(searcher, generation, "disk"))
    assert not ids(ask(searcher, Generation.empty(), "disk"))
    assert ids(ask(searcher, generation, "disk"))


def test_the_same_query_gives_the_same_answer(searcher: Searcher, generation: Generation) -> None:
    first, second = (ask(searcher, generation, "disk and pod and broker") for _ in range(2))
    assert found(first) == found(second)


@pytest.mark.slow
def test_five_thousand_random_queries_are_answered(searcher: Searcher, generation: Generation) -> None:
    chance = random.Random(11)
    letters = string.printable + "äß日本🚨\x00\ud800"
    words = [
        "disk",
        "pod",
        "KafkaLagHigh",
        "AND",
        "NOT",
        "-pod",
        "a:b",
        '"pod',
        "*",
        "alertname=",
        "{",
        "(",
        "promethues",
    ]
    for number in range(5_000):
        size = chance.randint(0, 12)
        text = "".join(chance.choices(letters, k=size * 5)) if number % 2 else " ".join(chance.choices(words, k=size))
        answer = searcher.search(parse_query(text), generation, limit=3)
        assert len(found(answer)) <= 3
        assert all(0.0 <= hit.confidence <= 1.0 for hit in found(answer))


@pytest.mark.parametrize("text", [ALERT, "broker of the cluster is gone", "disk pod broker"])
def test_how_sure_an_answer_is_does_not_depend_on_how_much_is_shown(
    searcher: Searcher, generation: Generation, text: str
) -> None:
    few, many = (found(ask(searcher, generation, text, limit=limit)) for limit in (1, 10))
    assert few[0].confidence == many[0].confidence


def test_a_pin_leaves_the_others_as_sure_as_they_were(searcher: Searcher, generation: Generation) -> None:
    plain = {hit.runbook.id: hit.confidence for hit in found(ask(searcher, generation, ALERT))}
    pinned = ask(searcher, generation, ALERT, priors=Priors(pins={"NodeDiskFull": "pod-crash"}))
    assert {hit.runbook.id: hit.confidence for hit in pinned.hits[1:]} == {
        name: confidence for name, confidence in plain.items() if name != "pod-crash"
    }
