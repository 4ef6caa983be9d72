"""The twin in memory and the store over SQLite do the same, whatever people and faces do in whatever order."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from kb.database import open_database, sqlite_url
from kb.errors import KBError
from kb.markdown import parse_document
from kb.memory_stores import MemoryRunbookStore
from kb.principal import DISK, Principal
from kb.runbook import RunbookType
from kb.runbook_store import NewRunbook, RunbookStore, StoredDocument, SyncReport
from kb.sql_runbook_store import SqlRunbookStore
from tests.contracts.runbook_store_contract import ANNA, BEN, BUNDLED, Clock, FolderDisk, digest, numbered_ids

PATHS = st.sampled_from(
    ["static/a.md", "static/b.md", "static/x/a.md", "static/y/a.md", "dynamic/patterns/a.md", "dynamic/b.md"]
)
TEXTS = st.sampled_from(
    [
        b"# One\n",
        b"# Two\n",
        BUNDLED,
        b"---\nid: chosen\n---\n# Chosen\n",
        b"---\nid: a\n---\n# Called a\n",
        b"# Hub\n\n## Alert: DiskFull\n\nx\n\n## Alert: PodDown\n\ny\n",
        b"",
    ]
)
IDS = st.sampled_from(["a", "b", "x-a", "y-a", "chosen", "static-x-a", "a-disk-full", "patterns-a"])
WHO = st.sampled_from([ANNA, BEN])


class Twins(RuleBasedStateMachine):
    """Every act is done on both; what they answer and what they hold afterwards must be the same."""

    def __init__(self) -> None:
        super().__init__()
        shm = Path("/dev/shm")  # noqa: S108 - a disk in memory: the syncs to it cost nothing
        self.folder = Path(tempfile.mkdtemp(prefix="sre-kb-twins-", dir=shm if shm.is_dir() else None))
        (self.folder / "runbooks").mkdir()
        self.files: dict[str, bytes] = {}
        self.disk = FolderDisk(self.folder / "runbooks")
        self.database = open_database(sqlite_url(self.folder / "kb.sqlite"))
        self.real = SqlRunbookStore(
            self.database,
            self.folder / "runbooks",
            parse=parse_document,
            now=Clock(),
            new_id=numbered_ids(),
            redact=str,
            trusted_digests={digest(BUNDLED)},
            settle_s=0,
            clock_ns=lambda: 2**62,  # far from every time stamp: an empty file is taken as it is
        )
        self.twin = MemoryRunbookStore(self.files, parse=parse_document, now=Clock(), trusted_digests={digest(BUNDLED)})

    def teardown(self) -> None:
        self.database.close()
        shutil.rmtree(self.folder)

    def both(self, act: Callable[[RunbookStore], object]) -> None:
        answers = []
        for store in (self.real, self.twin):
            try:
                answers.append(act(store))
            except KBError as error:
                answers.append((type(error).__name__, str(error)))
        assert answers[0] == answers[1]

    @rule(path=PATHS, raw=TEXTS)
    def write_on_disk(self, path: str, raw: bytes) -> None:
        self.disk.write(path, raw)
        self.files[path] = raw

    @rule(path=PATHS)
    def remove_on_disk(self, path: str) -> None:
        if path in self.files:
            self.disk.remove(path)
            del self.files[path]

    @rule(old=PATHS, new=PATHS)
    def rename_on_disk(self, old: str, new: str) -> None:
        if old in self.files and old != new:
            self.disk.rename(old, new)
            self.files[new] = self.files.pop(old)

    @rule()
    def sync(self) -> None:
        self.both(lambda store: told(store.sync(DISK)))

    @rule(paths=st.lists(PATHS, max_size=3))
    def refresh(self, paths: list[str]) -> None:
        self.both(lambda store: told(store.refresh_paths(paths, DISK)))

    @rule(name=IDS, raw=TEXTS, who=WHO, folder=st.sampled_from(["static", "static/x", "dynamic/patterns"]))
    def create(self, name: str, raw: bytes, who: Principal, folder: str) -> None:
        kind = RunbookType.DYNAMIC if folder.startswith("dynamic") else RunbookType.STATIC
        new = NewRunbook(name, kind, raw, folder)
        self.both(lambda store: seen(store.create(new, who)))

    @rule(name=IDS, raw=TEXTS, who=WHO, reads_first=st.booleans())
    def update(self, name: str, raw: bytes, who: Principal, reads_first: bool) -> None:
        def act(store: RunbookStore) -> object:
            etag = store.get(name).etag if reads_first else None
            return seen(store.update(name, raw, who, if_match=etag))

        self.both(act)

    @rule(name=IDS, who=WHO)
    def delete(self, name: str, who: Principal) -> None:
        self.both(lambda store: store.delete(name, who, if_match=None))

    @rule(name=IDS, number=st.integers(1, 4), who=WHO)
    def restore(self, name: str, number: int, who: Principal) -> None:
        self.both(lambda store: seen(store.restore(name, number, who, if_match=None)))

    @rule(name=IDS, raw=TEXTS)
    def publish(self, name: str, raw: bytes) -> None:
        self.both(lambda store: seen(store.publish(name, ANNA, digest=digest(raw))))

    @rule(name=IDS)
    def withdraw(self, name: str) -> None:
        self.both(
            lambda store: seen(store.withdraw(name, ANNA, digest=digest(store.version_text(name, last(store, name)))))
        )

    @rule(name=IDS, folder=st.sampled_from(["static", "static/x"]))
    def promote(self, name: str, folder: str) -> None:
        def act(store: RunbookStore) -> object:
            return seen(store.promote(name, folder, ANNA, digest=digest(store.version_text(name, last(store, name)))))

        self.both(act)

    @invariant()
    def they_hold_the_same(self) -> None:
        real, twin = self.real.documents(), self.twin.documents()
        assert [seen(stored) for stored in real] == [seen(stored) for stored in twin]
        ids = [entry.id for stored in real for entry in stored.document.runbooks]
        assert len(ids) == len(set(ids))
        assert all(self.real.get(name).document.path == self.twin.get(name).document.path for name in ids)

    @invariant()
    def they_remember_the_same(self) -> None:
        names = {stored.document.id for stored in self.real.documents()} | {gone.id for gone in self.real.retired()}
        assert {gone.id for gone in self.real.retired()} == {gone.id for gone in self.twin.retired()}
        for name in names:
            real, twin = self.real.versions(name), self.twin.versions(name)
            assert [(v.number, v.sha256, v.author, v.state, v.note) for v in real] == [
                (v.number, v.sha256, v.author, v.state, v.note) for v in twin
            ]

    @invariant()
    def their_disks_are_the_same(self) -> None:
        root = self.folder / "runbooks"
        found = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        assert found == self.files


def last(store: RunbookStore, name: str) -> int:
    """The number of the newest version."""
    return store.versions(name)[0].number


def seen(stored: StoredDocument) -> tuple[object, ...]:
    """What a reader would see of a document; times aside, which differ from one store to the other."""
    entries = tuple(entry.id for entry in stored.document.runbooks)
    return (stored.document.path, entries, stored.etag, stored.version, stored.state, stored.author)


def told(report: SyncReport) -> tuple[object, ...]:
    problems = [(problem.code, problem.path, problem.message) for problem in report.problems]
    return (report.added, report.changed, report.renamed, report.removed, report.unchanged, problems)


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.parametrize("stories", [60, pytest.param(1000, marks=pytest.mark.soak, id="soak-1000")])
def test_the_twins_never_differ(stories: int) -> None:
    run_state_machine_as_test(
        Twins,
        settings=settings(
            max_examples=stories,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking such long stories takes minutes
        ),
    )
