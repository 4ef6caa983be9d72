"""Ids and anchors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.slugs import MAX_ID_CHARS, RESERVED_IDS, Anchors, entry_id, id_from_path, is_valid_id, slugify


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("KubePodCrashLooping", "kube-pod-crash-looping"),
        ("HTTPServerError", "http-server-error"),
        ("etcdNoLeader", "etcd-no-leader"),
        ("PM2019-009 - IP starvation", "pm2019-009-ip-starvation"),
        ("disk_space  low!", "disk-space-low"),
        ("Größe Łódź Æsir", "grosse-lodz-aesir"),
        ("日本語", ""),
        ("a" * 150, "a" * 100),
        ("a" * 99 + "-b", "a" * 99),
    ],
)
def test_words_become_a_slug(text: str, slug: str) -> None:
    assert slugify(text) == slug


@pytest.mark.parametrize("text", ["a", "0", "pod-crash-001", "a" * 100, "2024-01-15-pod-crash"])
def test_ids_that_are_allowed(text: str) -> None:
    assert is_valid_id(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "-a", "A", "a_b", "a b", "../a", "a/b", "a.md", "a\n", "é", "a" * 101, "a\0", "%2e%2e", "search", "create",
        "learn", "execute", "patterns", "executions", "health",
    ],
)  # fmt: skip
def test_ids_that_are_refused(text: str) -> None:
    assert not is_valid_id(text)


@pytest.mark.parametrize(
    ("path", "runbook_id"),
    [
        ("static/agent.md", "agent"),
        ("a/b/KubeletDown.md", "kubelet-down"),
        ("patroni/README.md", "patroni"),
        ("docs/_index.md", "docs"),
        ("README.md", "readme"),
        ("search.md", "search-runbook"),
        ("health/index.md", "health-runbook"),
        ("日本.md", "runbook-a9748821"),
    ],
)
def test_a_file_gets_its_id_from_its_path(path: str, runbook_id: str) -> None:
    assert id_from_path(path) == runbook_id


@given(st.text(max_size=300))
def test_every_path_gives_a_valid_id(path: str) -> None:
    assert is_valid_id(id_from_path(path))


@given(st.text(max_size=300))
def test_a_slug_is_its_own_slug(text: str) -> None:
    slug = slugify(text)

    assert slugify(slug) == slug
    assert slug == "" or slug in RESERVED_IDS or is_valid_id(slug)


def test_entries_of_one_file_get_ids_of_their_own() -> None:
    first = entry_id("agent", "PodCrashLooping", taken={"agent"})
    second = entry_id("agent", "Pod crash looping", taken={"agent", first})

    assert (first, second) == ("agent-pod-crash-looping", "agent-pod-crash-looping-2")


@given(st.text(max_size=200), st.lists(st.text(max_size=200), max_size=8))
def test_entry_ids_are_valid_and_never_taken(document: str, names: list[str]) -> None:
    document_id = id_from_path(document + ".md")
    taken = {document_id}
    for name in names:
        chosen = entry_id(document_id, name, taken=taken)
        assert chosen not in taken
        assert is_valid_id(chosen)
        assert len(chosen) <= MAX_ID_CHARS
        taken.add(chosen)


def test_anchors_are_made_as_on_github() -> None:
    anchors = Anchors()

    made = [
        anchors.add(title) for title in ("Monitoring & Alerts", "Check", "Check", "check-1", "Check", "?!", "ÜBER x")
    ]

    assert made == ["monitoring--alerts", "check", "check-1", "check-1-1", "check-2", "section", "über-x"]


def test_an_anchor_that_is_written_out_can_be_had_once() -> None:
    anchors = Anchors()

    assert (anchors.claim("disk"), anchors.claim("disk"), anchors.claim(""), anchors.add("Disk")) == (
        "disk", "", "", "disk-1",
    )  # fmt: skip


@given(st.lists(st.sampled_from(["a", "a-1", "a-1-1", "A", "a 1", "b", "", "#"]), max_size=40))
def test_no_two_anchors_of_a_file_are_the_same(titles: list[str]) -> None:
    anchors = Anchors()

    made = [anchors.add(title) for title in titles]

    assert len(set(made)) == len(made)
    assert all(made)
