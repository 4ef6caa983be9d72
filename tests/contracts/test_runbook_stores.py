"""The contract of `RunbookStore` on the in-memory twin, on SQLite and on PostgreSQL."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kb.database import open_database, sqlite_url
from kb.errors import EditConflict
from kb.markdown import parse_document
from kb.memory_stores import MemoryRunbookStore
from kb.principal import DISK
from kb.runbook_store import RunbookStore
from kb.sql_runbook_store import SqlRunbookStore
from tests.contracts.runbook_store_contract import (
    ANNA,
    BUNDLED,
    TWO_ALERTS,
    Bench,
    Clock,
    DictDisk,
    FolderDisk,
    RunbookStoreContract,
    digest,
    new,
    numbered_ids,
)


class TestMemoryRunbookStore(RunbookStoreContract):
    @pytest.fixture
    def bench(self) -> Bench:
        files: dict[str, bytes] = {}
        store = MemoryRunbookStore(files, parse=parse_document, now=Clock(), trusted_digests={digest(BUNDLED)})
        return Bench(store, DictDisk(files))


@dataclass
class DurableBench(Bench):
    """`reopened` gives another store on the same folder and database."""

    reopened: Callable[[], RunbookStore]


class DurableRunbookStoreContract(RunbookStoreContract):
    """What a store that outlives its process does besides."""

    def test_another_store_on_the_same_ground_sees_the_same(self, bench: DurableBench) -> None:
        bench.disk.write("static/x/agent.md", b"# Other\n")
        bench.disk.write("static/y/agent.md", TWO_ALERTS)
        bench.store.sync(DISK)
        bench.store.create(new("a", b"# A\n"), ANNA)
        other = bench.reopened()
        assert list(other.documents()) == list(bench.store.documents())
        assert other.revision() == bench.store.revision()
        assert other.sync(DISK).has_changes is False

    def test_a_store_sees_what_another_one_wrote(self, bench: DurableBench) -> None:
        first, second = bench.store, bench.reopened()
        assert list(first.documents()) == []
        stored = second.create(new("a", b"# A\n"), ANNA)
        assert [found.document.id for found in first.documents()] == ["a"]
        first.update("a", b"# A2\n", ANNA, if_match=stored.etag)
        with pytest.raises(EditConflict):
            second.update("a", b"# A3\n", ANNA, if_match=stored.etag)


def sql_bench(url: str, root: Path) -> Iterator[DurableBench]:
    root.mkdir()
    database = open_database(url)
    clock, new_id = Clock(), numbered_ids()

    def opened() -> SqlRunbookStore:
        return SqlRunbookStore(
            database,
            root,
            parse=parse_document,
            now=clock,
            new_id=new_id,
            redact=str,
            trusted_digests={digest(BUNDLED)},
            scan_cache=root.parent / "scan.json",
            settle_s=0,
        )

    yield DurableBench(opened(), FolderDisk(root), opened)
    database.close()


@pytest.mark.integration
class TestSqlRunbookStoreOnSqlite(DurableRunbookStoreContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[DurableBench]:
        yield from sql_bench(sqlite_url(tmp_path / "data" / "kb.sqlite"), tmp_path / "runbooks")


@pytest.mark.integration
class TestSqlRunbookStoreOnPostgres(DurableRunbookStoreContract):
    @pytest.fixture
    def bench(self, tmp_path: Path, postgres_url: str) -> Iterator[DurableBench]:
        yield from sql_bench(postgres_url, tmp_path / "runbooks")
