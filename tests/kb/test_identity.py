"""Ids when the ones that files would like are taken."""

from hypothesis import given
from hypothesis import strategies as st

from kb.identity import free_entry_id, free_id, relabel, twin_key
from kb.runbook import Document, Runbook, RunbookType
from kb.slugs import is_valid_id


def test_the_id_a_file_would_like_is_given_when_it_is_free() -> None:
    assert free_id("failover", "static/redis/failover.md", lambda name: False) == "failover"


def test_a_taken_id_grows_by_one_folder_after_the_other() -> None:
    taken = {"failover"}
    assert free_id("failover", "static/redis/failover.md", taken.__contains__) == "redis-failover"
    taken.add("redis-failover")
    assert free_id("failover", "static/redis/failover.md", taken.__contains__) == "static-redis-failover"
    taken.add("static-redis-failover")
    assert free_id("failover", "static/redis/failover.md", taken.__contains__) == "failover-efede7"


def test_an_explicit_id_that_is_taken_gives_way_to_one_from_the_path() -> None:
    assert free_id("chosen", "static/redis/Failover Guide.md", {"chosen"}.__contains__) == "failover-guide"


def test_an_entry_follows_its_documents_id() -> None:
    assert free_entry_id("agent-disk-full", "b-agent", "agent", lambda name: False) == "b-agent-disk-full"


def test_a_taken_entry_id_gets_a_digest() -> None:
    given_id = free_entry_id("agent-disk-full", "agent", "agent", {"agent-disk-full"}.__contains__)
    assert given_id == "agent-disk-full-9aaa48"


@given(
    natural=st.text(max_size=120) | st.sampled_from(["search", "a" * 100, "-", ""]),
    path=st.text(max_size=200),
    taken=st.sets(st.sampled_from(["search", "a", "a" * 100, "runbook"])),
)
def test_whatever_is_wanted_what_is_given_is_valid_free_and_stays_the_same(
    natural: str, path: str, taken: set[str]
) -> None:
    given_id = free_id(natural, path, taken.__contains__)
    assert is_valid_id(given_id)
    assert given_id not in taken
    assert free_id(natural, path, taken.__contains__) == given_id
    entry = free_entry_id(natural, given_id, natural, taken.__contains__)
    assert is_valid_id(entry)
    assert entry not in taken


def test_a_document_is_relabelled_with_its_entries_and_nothing_else_changes() -> None:
    def runbook(name: str) -> Runbook:
        return Runbook(name, name, "p.md", RunbookType.STATIC, "text", 0)

    document = Document("agent", "p.md", "text", "00", (runbook("agent"), runbook("agent-x"), runbook("agent-y")))
    renamed = relabel(document, "b-agent", {"agent-x": "b-agent-x", "agent-y": "b-agent-y"})
    assert [entry.id for entry in renamed.runbooks] == ["b-agent", "b-agent-x", "b-agent-y"]
    assert (renamed.id, renamed.text, renamed.runbooks[1].title) == ("b-agent", "text", "agent-x")
    assert relabel(document, "agent", {}) is document


def test_names_that_differ_in_case_or_composition_are_twins() -> None:
    assert twin_key("static/Caf\u00e9.md") == twin_key("static/cafe\u0301.MD")
    assert twin_key("static/a.md") != twin_key("static/b.md")
