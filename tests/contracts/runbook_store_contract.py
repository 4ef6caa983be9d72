"""What every `RunbookStore` does. Adapters inherit the class and say how a bench for them is made."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Protocol

import pytest

from kb.errors import (
    EditConflict,
    InvalidInput,
    RunbookExists,
    RunbookNotFound,
    RunbookReadOnly,
    VersionNotFound,
)
from kb.principal import DISK, Face, Principal, Role
from kb.runbook import ReviewState, RunbookType
from kb.runbook_store import NewRunbook, RunbookStore

ANNA = Principal("anna", Role.ADMIN, Face.WEB)
BEN = Principal("ben", Role.RESPONDER, Face.HTTP)
BOT = Principal("bot", Role.AGENT, Face.MCP)
BUNDLED = b"# Bundled\n\nComes along.\n"

TWO_ALERTS = b"""# Agent

## Alert: KubePodCrashLooping

Restart it.

## Alert: NodeDiskFull

Empty it.
"""


class Disk(Protocol):
    """The runbooks folder as people change it behind the store's back."""

    def write(self, path: str, raw: bytes) -> None: ...
    def read(self, path: str) -> bytes | None: ...
    def rename(self, old: str, new: str) -> None: ...
    def remove(self, path: str) -> None: ...


@dataclass
class DictDisk:
    files: dict[str, bytes]

    def write(self, path: str, raw: bytes) -> None:
        self.files[path] = raw

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def rename(self, old: str, new: str) -> None:
        self.files[new] = self.files.pop(old)

    def remove(self, path: str) -> None:
        del self.files[path]


@dataclass
class FolderDisk:
    root: Path

    def write(self, path: str, raw: bytes) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(raw)

    def read(self, path: str) -> bytes | None:
        return (self.root / path).read_bytes() if (self.root / path).exists() else None

    def rename(self, old: str, new: str) -> None:
        (self.root / new).parent.mkdir(parents=True, exist_ok=True)
        (self.root / old).rename(self.root / new)

    def remove(self, path: str) -> None:
        (self.root / path).unlink()


@dataclass
class Clock:
    """Each look at it is a second later."""

    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


def numbered_ids() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"id{next(numbers):06}"


@dataclass
class Bench:
    """A store on an empty folder."""

    store: RunbookStore
    disk: Disk


def digest(raw: bytes) -> str:
    return sha256(raw).hexdigest()


def new(name: str, raw: bytes, kind: RunbookType = RunbookType.STATIC, folder: str = "") -> NewRunbook:
    return NewRunbook(id=name, type=kind, raw=raw, folder=folder)


class RunbookStoreContract:
    """Inherit, and give a `bench` fixture. Bundled digests passed to the store: that of `BUNDLED`."""

    @pytest.fixture
    def bench(self) -> Bench:
        raise NotImplementedError

    # From disk

    def test_an_empty_folder_gives_an_empty_store(self, bench: Bench) -> None:
        report = bench.store.sync(DISK)
        assert (report.added, report.changed, report.removed, report.problems, report.revision) == ((), (), (), (), 0)
        assert list(bench.store.documents()) == []

    def test_a_new_file_is_an_unreviewed_document(self, bench: Bench) -> None:
        bench.disk.write("static/disk-full.md", b"# Disk full\n\nLook at df.\n")
        report = bench.store.sync(DISK)
        assert report.added == ("disk-full",)
        stored = bench.store.get("disk-full")
        assert (stored.version, stored.state, stored.author) == (1, ReviewState.UNREVIEWED, "disk")
        assert stored.document.runbooks[0].title == "Disk full"
        assert stored.document.path == "static/disk-full.md"
        assert stored.etag == '"' + digest(b"# Disk full\n\nLook at df.\n") + '"'

    def test_documents_come_ordered_by_path(self, bench: Bench) -> None:
        for path in ("static/b.md", "dynamic/z.md", "static/B.md", "static/a/c.md"):
            bench.disk.write(path, path.encode())
        bench.store.sync(DISK)
        paths = [stored.document.path for stored in bench.store.documents()]
        assert paths == ["dynamic/z.md", "static/B.md", "static/a/c.md", "static/b.md"]

    def test_a_second_sync_finds_nothing_to_do(self, bench: Bench) -> None:
        bench.disk.write("static/a.md", b"# A\n")
        first = bench.store.sync(DISK)
        second = bench.store.sync(DISK)
        assert (second.added, second.changed, second.unchanged) == ((), (), ("a",))
        assert second.revision == first.revision
        assert len(bench.store.versions("a")) == 1

    def test_an_unchanged_store_gives_the_same_documents_object(self, bench: Bench) -> None:
        bench.disk.write("static/a.md", b"# A\n")
        bench.store.sync(DISK)
        assert bench.store.documents() is bench.store.documents()

    def test_an_edit_on_disk_is_a_version_by_disk(self, bench: Bench) -> None:
        bench.disk.write("static/a.md", b"# A\n")
        bench.store.sync(DISK)
        bench.disk.write("static/a.md", b"# A\n\nMore.\n")
        report = bench.store.sync(DISK)
        assert report.changed == ("a",)
        assert [(v.number, v.author, v.face, v.size_bytes) for v in bench.store.versions("a")] == [
            (2, "disk", Face.DISK, 11),
            (1, "disk", Face.DISK, 4),
        ]

    def test_a_renamed_file_keeps_its_id_and_its_history(self, bench: Bench) -> None:
        bench.disk.write("static/old-name.md", b"# A\n")
        bench.store.sync(DISK)
        bench.disk.rename("static/old-name.md", "static/new-name.md")
        report = bench.store.sync(DISK)
        assert (report.added, report.renamed, report.removed) == ((), ("old-name",), ())
        assert bench.store.get("old-name").document.path == "static/new-name.md"
        assert len(bench.store.versions("old-name")) == 1

    def test_a_file_moved_while_another_copy_stays_is_told_apart(self, bench: Bench) -> None:
        bench.disk.write("static/a/same.md", b"# Same\n")
        bench.disk.write("static/b/same.md", b"# Same\n")
        bench.store.sync(DISK)
        bench.disk.rename("static/b/same.md", "static/c/same.md")
        report = bench.store.sync(DISK)
        assert report.renamed == ("b-same",)
        assert bench.store.get("same").document.path == "static/a/same.md"
        assert bench.store.get("b-same").document.path == "static/c/same.md"

    def test_a_removed_file_retires_its_runbook_and_keeps_its_history(self, bench: Bench) -> None:
        bench.disk.write("static/a.md", b"# A\n")
        bench.store.sync(DISK)
        bench.disk.remove("static/a.md")
        report = bench.store.sync(DISK)
        assert report.removed == ("a",)
        assert list(bench.store.documents()) == []
        with pytest.raises(RunbookNotFound):
            bench.store.get("a")
        assert [(v.number, v.state) for v in bench.store.versions("a")] == [
            (2, ReviewState.RETIRED),
            (1, ReviewState.UNREVIEWED),
        ]
        assert bench.store.version_text("a", 1) == b"# A\n"
        assert [(gone.id, gone.path, gone.retired_by) for gone in bench.store.retired()] == [
            ("a", "static/a.md", "disk")
        ]

    def test_a_file_that_comes_back_continues_its_history(self, bench: Bench) -> None:
        bench.disk.write("static/a.md", b"# A\n")
        bench.store.sync(DISK)
        bench.disk.remove("static/a.md")
        bench.store.sync(DISK)
        bench.disk.write("static/a.md", b"# A again\n")
        report = bench.store.sync(DISK)
        assert report.added == ("a",)
        assert [v.number for v in bench.store.versions("a")] == [3, 2, 1]
        assert list(bench.store.retired()) == []

    def test_bundled_files_are_published_as_they_are(self, bench: Bench) -> None:
        bench.disk.write("static/bundled.md", BUNDLED)
        bench.store.sync(DISK)
        assert bench.store.get("bundled").state is ReviewState.PUBLISHED
        bench.disk.write("static/bundled.md", BUNDLED + b"Edited.\n")
        bench.store.sync(DISK)
        assert bench.store.get("bundled").state is ReviewState.UNREVIEWED

    def test_a_new_file_under_dynamic_is_a_draft(self, bench: Bench) -> None:
        bench.disk.write("dynamic/incidents/2026-01-01-pod-crash.md", b"# Incident\n")
        bench.store.sync(DISK)
        assert bench.store.get("2026-01-01-pod-crash").state is ReviewState.DRAFT

    def test_an_edit_on_disk_takes_publishing_away_and_reverting_gives_it_back(self, bench: Bench) -> None:
        bench.store.create(new("a", b"# A\n"), ANNA)
        assert bench.store.get("a").state is ReviewState.PUBLISHED
        bench.disk.write("static/a.md", b"# A\n\nrm -rf /\n")
        bench.store.sync(DISK)
        assert bench.store.get("a").state is ReviewState.UNREVIEWED
        bench.disk.write("static/a.md", b"# A\n")
        bench.store.sync(DISK)
        assert bench.store.get("a").state is ReviewState.PUBLISHED

    def test_moving_a_file_from_dynamic_to_static_on_disk_does_not_publish_it(self, bench: Bench) -> None:
        bench.disk.write("dynamic/patterns/learned.md", b"# Learned\n")
        bench.store.sync(DISK)
        bench.store.publish("learned", ANNA, digest=digest(b"# Learned\n"))
        bench.disk.rename("dynamic/patterns/learned.md", "static/learned.md")
        bench.store.sync(DISK)
        assert bench.store.get("learned").state is ReviewState.UNREVIEWED

    def test_a_file_that_goes_away_and_comes_back_in_static_does_not_carry_an_approval_along(
        self, bench: Bench
    ) -> None:
        bench.disk.write("dynamic/patterns/learned.md", b"# Learned\n")
        bench.store.sync(DISK)
        bench.store.publish("learned", ANNA, digest=digest(b"# Learned\n"))
        bench.disk.remove("dynamic/patterns/learned.md")
        bench.store.sync(DISK)
        bench.disk.write("static/learned.md", b"# Learned\n")
        bench.store.sync(DISK)
        assert bench.store.get("learned").state is ReviewState.UNREVIEWED

    def test_two_files_of_one_name_get_two_ids_and_both_are_named_in_the_report(self, bench: Bench) -> None:
        bench.disk.write("static/mysql/failover.md", b"# MySQL\n")
        bench.disk.write("static/redis/failover.md", b"# Redis\n")
        report = bench.store.sync(DISK)
        assert bench.store.get("failover").document.path == "static/mysql/failover.md"
        assert bench.store.get("redis-failover").document.path == "static/redis/failover.md"
        (problem,) = report.problems
        assert problem.code == "id-taken"
        assert problem.path == "static/redis/failover.md"
        assert "static/mysql/failover.md" in problem.message
        assert "redis-failover" in problem.message

    def test_an_id_once_given_stays_when_the_other_file_goes(self, bench: Bench) -> None:
        bench.disk.write("static/mysql/failover.md", b"# MySQL\n")
        bench.disk.write("static/redis/failover.md", b"# Redis\n")
        bench.store.sync(DISK)
        bench.disk.remove("static/mysql/failover.md")
        bench.disk.write("static/redis/failover.md", b"# Redis, edited\n")
        bench.store.sync(DISK)
        assert bench.store.get("redis-failover").document.runbooks[0].id == "redis-failover"
        assert bench.store.get("redis-failover").version == 2

    def test_a_new_id_in_the_front_matter_is_taken_over_and_the_old_one_leads_on(self, bench: Bench) -> None:
        bench.disk.write("static/a.md", b"---\nid: first\n---\n# A\n")
        bench.store.sync(DISK)
        bench.disk.write("static/a.md", b"---\nid: second\n---\n# A\n")
        bench.store.sync(DISK)
        assert bench.store.get("second").document.id == "second"
        assert bench.store.get("first").document.id == "second"
        assert [v.number for v in bench.store.versions("first")] == [2, 1]

    def test_two_files_may_exchange_their_ids(self, bench: Bench) -> None:
        bench.disk.write("static/a.md", b"---\nid: first\n---\n# A\n")
        bench.disk.write("static/b.md", b"---\nid: second\n---\n# B\n")
        bench.store.sync(DISK)
        bench.disk.write("static/a.md", b"---\nid: second\n---\n# A\n")
        bench.disk.write("static/b.md", b"---\nid: first\n---\n# B\n")
        bench.store.sync(DISK)
        assert bench.store.get("second").document.path == "static/a.md"
        assert bench.store.get("first").document.path == "static/b.md"

    def test_a_runbook_moved_over_another_one_keeps_its_own_id(self, bench: Bench) -> None:
        bench.disk.write("static/a.md", b"---\nid: first\n---\n# A\n")
        bench.disk.write("static/b.md", b"---\nid: second\n---\n# B\n")
        bench.store.sync(DISK)
        bench.disk.rename("static/b.md", "static/a.md")
        bench.store.sync(DISK)
        assert bench.store.get("second").document.path == "static/a.md"
        assert [stored.document.id for stored in bench.store.documents()] == ["second"]
        assert bench.store.version_text("first", 1) == b"---\nid: first\n---\n# A\n"

    def test_a_file_over_the_limit_is_reported_and_what_was_known_stays(self, bench: Bench) -> None:
        bench.disk.write("static/a.md", b"# A\n")
        bench.store.sync(DISK)
        bench.disk.write("static/a.md", b"x" * (2 * 1024 * 1024 + 1))
        report = bench.store.sync(DISK)
        assert [(p.code, p.path) for p in report.problems] == [("too-large", "static/a.md")]
        assert (report.changed, report.removed) == ((), ())
        assert bench.store.get("a").version == 1

    def test_a_folder_emptied_at_once_is_taken_for_a_missing_mount(self, bench: Bench) -> None:
        for name in "abcde":
            bench.disk.write(f"static/{name}.md", name.encode())
        bench.store.sync(DISK)
        for name in "abcde":
            bench.disk.remove(f"static/{name}.md")
        report = bench.store.sync(DISK)
        assert [p.code for p in report.problems] == ["folder-empty"]
        assert len(bench.store.documents()) == 5
        report = bench.store.sync(DISK, accept_empty=True)
        assert report.removed == ("a", "b", "c", "d", "e")
        assert len(bench.store.documents()) == 0

    def test_bytes_that_are_not_utf8_are_kept_to_the_letter(self, bench: Bench) -> None:
        raw = b"# Caf\xe9\n\nprint \xff\xfe\x00 end\n"
        bench.disk.write("static/a.md", raw)
        bench.store.sync(DISK)
        assert bench.store.version_text("a", 1) == raw
        assert bench.store.get("a").document.sha256 == digest(raw)

    def test_watched_paths_are_brought_in_without_the_others(self, bench: Bench) -> None:
        bench.disk.write("static/a.md", b"# A\n")
        bench.disk.write("static/b.md", b"# B\n")
        bench.store.sync(DISK)
        bench.disk.write("static/a.md", b"# A2\n")
        bench.disk.write("static/b.md", b"# B2\n")
        bench.disk.write("static/c.md", b"# C\n")
        report = bench.store.refresh_paths(["static/a.md", "static/c.md"], DISK)
        assert (report.changed, report.added) == (("a",), ("c",))
        assert bench.store.get("b").version == 1

    def test_a_watched_rename_is_one_even_when_only_the_new_path_was_seen(self, bench: Bench) -> None:
        bench.disk.write("static/a.md", b"# A\n")
        bench.disk.write("static/other.md", b"# Other\n")
        bench.store.sync(DISK)
        bench.disk.rename("static/a.md", "static/b.md")
        report = bench.store.refresh_paths(["static/b.md"], DISK)
        assert (report.renamed, report.added, report.removed) == (("a",), (), ())
        assert bench.store.get("a").document.path == "static/b.md"

    def test_a_watched_folder_means_a_look_at_everything(self, bench: Bench) -> None:
        bench.disk.write("static/a.md", b"# A\n")
        report = bench.store.refresh_paths(["static"], DISK)
        assert report.added == ("a",)

    def test_hidden_and_reserved_places_are_not_runbooks(self, bench: Bench) -> None:
        for path in (".git/a.md", "static/.hidden.md", "cache/a.md", "backups/daily/a.md", "static/notes.txt"):
            bench.disk.write(path, b"# No\n")
        bench.disk.write("static/backups/how-to-restore.markdown", b"# Yes\n")
        assert bench.store.sync(DISK).added == ("how-to-restore",)

    def test_changes_since_a_revision_show(self, bench: Bench) -> None:
        bench.disk.write("static/a.md", b"# A\n")
        revision = bench.store.sync(DISK).revision
        assert bench.store.changed_since(revision) is False
        assert bench.store.changed_since(revision - 1) is True
        bench.disk.write("static/a.md", b"# B\n")
        assert bench.store.changed_since(revision) is True
        bench.store.sync(DISK)
        assert bench.store.changed_since(revision) is True
        assert bench.store.changed_since(bench.store.revision()) is False

    def test_the_revision_grows_with_every_kind_of_change(self, bench: Bench) -> None:
        seen = [bench.store.revision()]
        bench.store.create(new("a", b"# A\n"), BEN)
        seen.append(bench.store.revision())
        bench.store.publish("a", ANNA, digest=digest(b"# A\n"))
        seen.append(bench.store.revision())
        bench.disk.rename("static/a.md", "static/b.md")
        bench.store.sync(DISK)
        seen.append(bench.store.revision())
        bench.store.delete("a", ANNA, if_match=None)
        seen.append(bench.store.revision())
        assert seen == sorted(set(seen))

    # Entries of a file with many alerts

    def test_an_entry_is_found_by_its_own_id(self, bench: Bench) -> None:
        bench.disk.write("static/agent.md", TWO_ALERTS)
        bench.store.sync(DISK)
        stored = bench.store.get("agent-kube-pod-crash-looping")
        assert stored.document.id == "agent"
        assert stored.runbook("agent-kube-pod-crash-looping").alerts == ("KubePodCrashLooping",)
        assert stored.runbook("agent").id == "agent"

    def test_an_entry_cannot_be_edited_apart_from_its_file(self, bench: Bench) -> None:
        bench.disk.write("static/agent.md", TWO_ALERTS)
        bench.store.sync(DISK)
        with pytest.raises(RunbookReadOnly, match=r"one entry of the file static/agent\.md") as caught:
            bench.store.update("agent-node-disk-full", b"# Other\n", ANNA, if_match=None)
        assert "'agent'" in caught.value.advice
        with pytest.raises(RunbookReadOnly):
            bench.store.delete("agent-node-disk-full", ANNA, if_match=None)

    def test_entries_follow_the_id_their_file_was_given(self, bench: Bench) -> None:
        bench.disk.write("static/a/agent.md", b"# Other\n")
        bench.disk.write("static/b/agent.md", TWO_ALERTS)
        bench.store.sync(DISK)
        assert bench.store.get("b-agent-node-disk-full").document.path == "static/b/agent.md"

    def test_an_entry_gives_way_to_a_document_that_was_there_first(self, bench: Bench) -> None:
        bench.disk.write("static/agent-node-disk-full.md", b"# A file of that name\n")
        bench.store.sync(DISK)
        bench.disk.write("static/agent.md", TWO_ALERTS)
        bench.store.sync(DISK)
        assert bench.store.get("agent-node-disk-full").document.path == "static/agent-node-disk-full.md"
        ids = [entry.id for entry in bench.store.get("agent").document.runbooks]
        assert len(set(ids)) == 3
        assert all(bench.store.get(name).document.id == "agent" for name in ids)

    def test_a_removed_entry_is_not_found_any_more(self, bench: Bench) -> None:
        bench.disk.write("static/agent.md", TWO_ALERTS)
        bench.store.sync(DISK)
        bench.disk.write("static/agent.md", TWO_ALERTS.replace(b"NodeDiskFull", b"NodeDown"))
        bench.store.sync(DISK)
        with pytest.raises(RunbookNotFound) as caught:
            bench.store.get("agent-node-disk-full")
        assert "agent-node-down" in caught.value.close_matches

    # Through a face

    def test_what_a_person_who_may_publish_writes_is_published(self, bench: Bench) -> None:
        stored = bench.store.create(new("a", b"# A\n"), ANNA)
        assert (stored.version, stored.state, stored.author) == (1, ReviewState.PUBLISHED, "anna")
        assert bench.disk.read("static/a.md") == b"# A\n"
        (version,) = bench.store.versions("a")
        assert (version.author, version.role, version.face) == ("anna", Role.ADMIN, Face.WEB)

    def test_what_others_write_waits_for_a_person(self, bench: Bench) -> None:
        assert bench.store.create(new("a", b"# A\n"), BEN).state is ReviewState.UNREVIEWED
        assert bench.store.create(new("b", b"# B\n"), BOT).state is ReviewState.UNREVIEWED

    def test_nothing_written_under_dynamic_is_published_by_writing(self, bench: Bench) -> None:
        stored = bench.store.create(new("a", b"# A\n", RunbookType.DYNAMIC), ANNA)
        assert stored.state is ReviewState.DRAFT
        assert bench.disk.read("dynamic/resolutions/manual/a.md") == b"# A\n"

    def test_templates_and_folders_have_their_places(self, bench: Bench) -> None:
        bench.store.create(new("incident", b"# T\n", RunbookType.TEMPLATE), ANNA)
        bench.store.create(new("p", b"# P\n", RunbookType.DYNAMIC, "dynamic/patterns"), ANNA)
        assert bench.disk.read("static/templates/incident.md") == b"# T\n"
        assert bench.disk.read("dynamic/patterns/p.md") == b"# P\n"
        assert bench.store.get("incident").document.runbooks[0].type is RunbookType.TEMPLATE

    def test_a_write_through_a_face_leaves_nothing_for_the_next_sync(self, bench: Bench) -> None:
        bench.store.create(new("a", b"# A\n"), ANNA)
        revision = bench.store.revision()
        report = bench.store.sync(DISK)
        assert (report.unchanged, report.has_changes, report.revision) == (("a",), False, revision)

    @pytest.mark.parametrize(
        "bad",
        [
            "",
            "A",
            "../x",
            "..",
            "a/b",
            "a\\b",
            "-a",
            "a b",
            "a.md",
            "ä",
            "a\x00",
            "search",
            "health",
            "x" * 101,
            "con.",
            "%2e",
        ],
    )
    def test_an_id_that_is_no_slug_never_becomes_a_path(self, bench: Bench, bad: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            bench.store.create(new(bad, b"# A\n"), ANNA)
        assert caught.value.field == "id"
        assert len(bench.store.documents()) == 0

    @pytest.mark.parametrize(
        "bad", ["/etc", "..", "static/..", "static/../x", "dynamic", "Static", "static/", "x", "static//a"]
    )
    def test_a_folder_outside_the_runbook_folders_is_refused(self, bench: Bench, bad: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            bench.store.create(new("a", b"# A\n", folder=bad), ANNA)
        assert caught.value.field == "folder"

    def test_a_text_that_calls_itself_otherwise_is_refused(self, bench: Bench) -> None:
        with pytest.raises(InvalidInput, match="'other'"):
            bench.store.create(new("a", b"---\nid: other\n---\n# A\n"), ANNA)
        bench.store.create(new("a", b"# A\n"), ANNA)
        with pytest.raises(InvalidInput, match="'other'"):
            bench.store.update("a", b"---\nid: other\n---\n# A\n", ANNA, if_match=None)
        assert bench.disk.read("static/a.md") == b"# A\n"

    def test_an_id_or_a_path_that_is_taken_is_refused(self, bench: Bench) -> None:
        bench.store.create(new("a", b"# A\n"), ANNA)
        bench.disk.write("static/unseen.md", b"# Not read yet\n")
        with pytest.raises(RunbookExists):
            bench.store.create(new("a", b"# Another\n"), ANNA)
        with pytest.raises(RunbookExists):
            bench.store.create(new("a", b"# Another\n", folder="static/sub"), ANNA)
        with pytest.raises(RunbookExists):
            bench.store.create(new("unseen", b"# Another\n"), ANNA)
        assert bench.disk.read("static/unseen.md") == b"# Not read yet\n"

    def test_an_entrys_id_is_taken_too(self, bench: Bench) -> None:
        bench.disk.write("static/agent.md", TWO_ALERTS)
        bench.store.sync(DISK)
        with pytest.raises(RunbookExists):
            bench.store.create(new("agent-node-disk-full", b"# A\n"), ANNA)

    def test_a_text_over_the_limit_is_refused(self, bench: Bench) -> None:
        with pytest.raises(InvalidInput, match="content"):
            bench.store.create(new("a", b"x" * (2 * 1024 * 1024 + 1)), ANNA)

    def test_an_update_with_the_right_etag_wins_and_the_next_one_with_it_loses(self, bench: Bench) -> None:
        first = bench.store.create(new("a", b"# A\n"), ANNA)
        second = bench.store.update("a", b"# A2\n", ANNA, if_match=first.etag, note="clearer")
        assert (second.version, second.state) == (2, ReviewState.PUBLISHED)
        with pytest.raises(EditConflict) as caught:
            bench.store.update("a", b"# A3\n", BEN, if_match=first.etag)
        assert (caught.value.expected, caught.value.current) == (first.etag, second.etag)
        assert bench.disk.read("static/a.md") == b"# A2\n"
        assert bench.store.versions("a")[0].note == "clearer"

    def test_an_update_without_an_etag_or_with_a_star_takes_what_is_there(self, bench: Bench) -> None:
        bench.store.create(new("a", b"# A\n"), ANNA)
        assert bench.store.update("a", b"# A2\n", ANNA, if_match=None).version == 2
        assert bench.store.update("a", b"# A3\n", ANNA, if_match="*").version == 3

    def test_writing_the_same_text_again_is_no_version(self, bench: Bench) -> None:
        bench.store.create(new("a", b"# A\n"), BEN)
        revision = bench.store.revision()
        again = bench.store.update("a", b"# A\n", ANNA, if_match=None)
        assert (again.version, again.state) == (1, ReviewState.UNREVIEWED)
        assert bench.store.revision() == revision

    def test_an_unseen_edit_on_disk_beats_an_etag_and_is_not_lost_without_one(self, bench: Bench) -> None:
        stored = bench.store.create(new("a", b"# A\n"), ANNA)
        bench.disk.write("static/a.md", b"# From an editor\n")
        with pytest.raises(EditConflict):
            bench.store.update("a", b"# From the web\n", ANNA, if_match=stored.etag)
        assert bench.disk.read("static/a.md") == b"# From an editor\n"
        bench.store.update("a", b"# From the web\n", ANNA, if_match=None)
        assert [(v.number, v.author) for v in bench.store.versions("a")] == [(3, "anna"), (2, "disk"), (1, "anna")]
        assert bench.store.version_text("a", 2) == b"# From an editor\n"

    def test_a_file_deleted_on_disk_is_a_conflict_for_who_read_it(self, bench: Bench) -> None:
        stored = bench.store.create(new("a", b"# A\n"), ANNA)
        bench.disk.remove("static/a.md")
        with pytest.raises(EditConflict, match="no file"):
            bench.store.update("a", b"# A2\n", ANNA, if_match=stored.etag)
        assert bench.store.update("a", b"# A2\n", ANNA, if_match=None).version == 2
        assert bench.disk.read("static/a.md") == b"# A2\n"

    def test_what_a_responder_changes_in_a_published_runbook_waits_for_review(self, bench: Bench) -> None:
        stored = bench.store.create(new("a", b"# A\n"), ANNA)
        assert bench.store.update("a", b"# A2\n", BEN, if_match=stored.etag).state is ReviewState.UNREVIEWED

    def test_an_unknown_id_names_close_ones(self, bench: Bench) -> None:
        bench.store.create(new("disk-full", b"# A\n"), ANNA)
        with pytest.raises(RunbookNotFound) as caught:
            bench.store.get("disk-ful")
        assert caught.value.close_matches == ("disk-full",)
        for act in (
            lambda: bench.store.update("nothing", b"", ANNA, if_match=None),
            lambda: bench.store.delete("nothing", ANNA, if_match=None),
            lambda: bench.store.publish("nothing", ANNA, digest=digest(b"")),
            lambda: bench.store.versions("nothing"),
            lambda: bench.store.version_text("nothing", 1),
            lambda: bench.store.diff("nothing", 1, 2),
            lambda: bench.store.restore("nothing", 1, ANNA, if_match=None),
            lambda: bench.store.get("../../etc/passwd"),
            lambda: bench.store.get("nul\x00"),
            lambda: bench.store.get("\ud800"),
        ):
            with pytest.raises(RunbookNotFound):
                act()

    def test_deleting_removes_the_file_and_can_be_taken_back(self, bench: Bench) -> None:
        stored = bench.store.create(new("a", b"# A\n"), ANNA)
        with pytest.raises(EditConflict):
            bench.store.delete("a", ANNA, if_match='"0000"')
        bench.store.delete("a", BEN, if_match=stored.etag)
        assert bench.disk.read("static/a.md") is None
        with pytest.raises(RunbookNotFound):
            bench.store.get("a")
        assert [(gone.id, gone.retired_by) for gone in bench.store.retired()] == [("a", "ben")]
        back = bench.store.restore("a", 1, ANNA, if_match=None)
        assert (back.version, back.state) == (3, ReviewState.PUBLISHED)
        assert bench.disk.read("static/a.md") == b"# A\n"
        assert bench.store.versions("a")[0].note == "restored version 1"

    def test_what_was_deleted_through_a_face_does_not_come_back_published_by_itself(self, bench: Bench) -> None:
        bench.store.create(new("a", b"# A\n"), ANNA)
        bench.store.delete("a", ANNA, if_match=None)
        bench.disk.write("static/a.md", b"# A\n")
        bench.store.sync(DISK)
        assert bench.store.get("a").state is ReviewState.UNREVIEWED

    def test_what_went_away_on_disk_comes_back_as_published_as_it_was(self, bench: Bench) -> None:
        bench.store.create(new("a", b"# A\n"), ANNA)
        bench.disk.remove("static/a.md")
        bench.store.sync(DISK)
        bench.disk.write("static/a.md", b"# A\n")
        bench.store.sync(DISK)
        assert bench.store.get("a").state is ReviewState.PUBLISHED

    def test_a_deleted_runbooks_id_can_be_used_again_and_continues_its_history(self, bench: Bench) -> None:
        bench.store.create(new("a", b"# A\n"), ANNA)
        bench.store.delete("a", ANNA, if_match=None)
        stored = bench.store.create(new("a", b"# New\n"), BEN)
        assert (stored.version, stored.state) == (3, ReviewState.UNREVIEWED)

    def test_restoring_writes_an_earlier_text_as_a_new_version(self, bench: Bench) -> None:
        first = bench.store.create(new("a", b"# One\n"), ANNA)
        bench.store.update("a", b"# Two\n", ANNA, if_match=None)
        with pytest.raises(EditConflict):
            bench.store.restore("a", 1, ANNA, if_match=first.etag)
        restored = bench.store.restore("a", 1, ANNA, if_match=None)
        assert (restored.version, restored.etag) == (3, first.etag)
        assert bench.disk.read("static/a.md") == b"# One\n"

    def test_a_version_that_never_was_is_not_found(self, bench: Bench) -> None:
        bench.store.create(new("a", b"# One\n"), ANNA)
        for number in (0, 2, -1, 10**30):
            with pytest.raises(VersionNotFound, match="Runbook 'a' has no version"):
                bench.store.version_text("a", number)
        with pytest.raises(VersionNotFound):
            bench.store.restore("a", 2, ANNA, if_match=None)
        with pytest.raises(VersionNotFound):
            bench.store.diff("a", 1, 2)

    def test_a_diff_shows_what_changed(self, bench: Bench) -> None:
        bench.store.create(new("a", b"# A\n\nOne\nTwo"), ANNA)
        bench.store.update("a", b"# A\n\nOne\nThree", ANNA, if_match=None)
        assert bench.store.diff("a", 1, 2) == (
            "--- a version 1\n"
            "+++ a version 2\n"
            "@@ -1,4 +1,4 @@\n"
            " # A\n"
            " \n"
            " One\n"
            "-Two\n"
            "\\ No newline at end of file\n"
            "+Three\n"
            "\\ No newline at end of file\n"
        )
        assert bench.store.diff("a", 2, 2) == ""

    def test_publishing_is_for_the_text_one_has_read(self, bench: Bench) -> None:
        bench.store.create(new("a", b"# A\n"), BEN)
        with pytest.raises(EditConflict):
            bench.store.publish("a", ANNA, digest=digest(b"# Another\n"))
        for never in ("*", "", '"*"'):
            with pytest.raises(EditConflict):
                bench.store.publish("a", ANNA, digest=never)
        published = bench.store.publish("a", ANNA, digest=digest(b"# A\n"))
        assert (published.state, published.version) == (ReviewState.PUBLISHED, 1)
        assert bench.store.versions("a")[0].state is ReviewState.PUBLISHED

    def test_publishing_fails_when_the_file_was_edited_meanwhile(self, bench: Bench) -> None:
        bench.store.create(new("a", b"# A\n"), BEN)
        bench.disk.write("static/a.md", b"# Changed behind the back\n")
        with pytest.raises(EditConflict):
            bench.store.publish("a", ANNA, digest=digest(b"# A\n"))
        assert bench.store.get("a").state is ReviewState.UNREVIEWED

    def test_an_approved_draft_is_published_and_an_edit_makes_it_unreviewed(self, bench: Bench) -> None:
        bench.disk.write("dynamic/patterns/learned.md", b"# Learned\n")
        bench.store.sync(DISK)
        assert bench.store.publish("learned", ANNA, digest=digest(b"# Learned\n")).state is ReviewState.PUBLISHED
        bench.disk.write("dynamic/patterns/learned.md", b"# Learned, edited\n")
        bench.store.sync(DISK)
        assert bench.store.get("learned").state is ReviewState.UNREVIEWED

    def test_publishing_can_be_taken_back(self, bench: Bench) -> None:
        bench.disk.write("dynamic/patterns/learned.md", b"# Learned\n")
        bench.disk.write("static/a.md", BUNDLED)
        bench.store.sync(DISK)
        bench.store.publish("learned", ANNA, digest=digest(b"# Learned\n"))
        with pytest.raises(EditConflict):
            bench.store.withdraw("learned", ANNA, digest=digest(b"# Another\n"))
        assert bench.store.withdraw("learned", ANNA, digest=digest(b"# Learned\n")).state is ReviewState.DRAFT
        assert [version.state for version in bench.store.versions("learned")] == [ReviewState.DRAFT]
        before = bench.store.revision()
        bench.store.withdraw("learned", ANNA, digest=digest(b"# Learned\n"))
        assert bench.store.revision() == before
        assert bench.store.withdraw("a", ANNA, digest=digest(BUNDLED)).state is ReviewState.UNREVIEWED

    def test_a_promoted_runbook_is_a_published_static_one_with_its_id_and_history(self, bench: Bench) -> None:
        bench.disk.write("dynamic/patterns/learned.md", b"# Learned\n")
        bench.store.sync(DISK)
        with pytest.raises(EditConflict):
            bench.store.promote("learned", "static/learned", ANNA, digest=digest(b"# Another\n"))
        promoted = bench.store.promote("learned", "static/learned", ANNA, digest=digest(b"# Learned\n"))
        assert (promoted.document.id, promoted.document.path) == ("learned", "static/learned/learned.md")
        assert promoted.document.runbooks[0].type is RunbookType.STATIC
        assert promoted.state is ReviewState.PUBLISHED
        assert [version.state for version in bench.store.versions("learned")] == [ReviewState.PUBLISHED]
        assert bench.disk.read("dynamic/patterns/learned.md") is None
        assert bench.disk.read("static/learned/learned.md") == b"# Learned\n"
        assert bench.store.sync(DISK).has_changes is False

    def test_nothing_is_promoted_over_another_file_or_out_of_static(self, bench: Bench) -> None:
        bench.disk.write("dynamic/patterns/learned.md", b"# Learned\n")
        bench.disk.write("static/learned.md", b"---\nid: other\n---\n# Other\n")
        bench.store.sync(DISK)
        seen = digest(b"# Learned\n")
        with pytest.raises(RunbookExists):
            bench.store.promote("learned", "static", ANNA, digest=seen)
        for folder in ("dynamic/patterns", "static/../x", ""):
            with pytest.raises(InvalidInput):
                bench.store.promote("learned", folder, ANNA, digest=seen)
        with pytest.raises(InvalidInput):
            bench.store.promote("other", "static/x", ANNA, digest=digest(b"---\nid: other\n---\n# Other\n"))
        assert bench.disk.read("dynamic/patterns/learned.md") == b"# Learned\n"

    def test_event_time_and_record_time_are_told_apart(self, bench: Bench) -> None:
        bench.store.create(new("a", b"# A\n"), ANNA)
        (version,) = bench.store.versions("a")
        assert version.event_time.tzinfo is not None
        assert version.event_time <= version.created_at
