"""Index, store and folder are kept in step, and what goes wrong on the way is told and tried again."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from api.following import Follower
from indexer.embed import HashingEmbedder, Progress, Vectors
from indexer.embedding_cache import EmbeddingCache
from indexer.sync import Index
from kb.errors import StorageUnavailable
from kb.markdown import parse_document
from kb.memory_stores import MemoryRunbookStore
from kb.principal import Principal
from kb.runbook_store import SyncReport
from tests.web.stage import NOW

pytestmark = pytest.mark.integration


class FailingStore(MemoryRunbookStore):
    """Its disk can be made to fail."""

    failure: Exception | None = None

    def sync(self, principal: Principal, *, reread: bool = False, accept_empty: bool = False) -> SyncReport:
        if self.failure is not None:
            raise self.failure
        return super().sync(principal, reread=reread, accept_empty=accept_empty)


@pytest.fixture
def store() -> FailingStore:
    files = {"static/a.md": b"# Alpha\n\nText.\n"}
    return FailingStore(files, parse=parse_document, now=lambda: NOW)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    cache = EmbeddingCache(tmp_path / "cache.db", warn=pytest.fail)
    index = Index(tmp_path / "index", HashingEmbedder(), cache, warn=pytest.fail)
    yield index
    index.close()


@pytest.fixture
def follow(store: FailingStore, index: Index) -> Iterator[Callable[..., Follower]]:
    followers: list[Follower] = []

    def start(**options: float) -> Follower:
        follower = Follower(store, lambda: index, folder=None, **options)
        followers.append(follower)
        follower.start()
        return follower

    yield start
    for follower in followers:
        follower.stop()


def _until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < until, "it did not come true"
        time.sleep(0.01)


def test_the_first_look_indexes_what_is_there(index: Index, follow: Callable[..., Follower]) -> None:
    follower = follow()
    _until(lambda: set(index.current.documents) == {"a"})
    assert follower.trouble == ""


def test_a_change_of_the_store_is_indexed_when_it_is_told(
    store: FailingStore, index: Index, follow: Callable[..., Follower]
) -> None:
    follower = follow()
    _until(lambda: "a" in index.current.documents)
    store.files["static/b.md"] = b"# Beta\n"
    store.refresh_paths(["static/b.md"], Principal("sam", "local", "cli"))  # type: ignore[arg-type]  # words will do
    follower.wake()
    _until(lambda: set(index.current.documents) == {"a", "b"})


def test_what_nobody_tells_is_found_by_the_next_full_look(
    store: FailingStore, index: Index, follow: Callable[..., Follower]
) -> None:
    follow(full_look_s=0.05)
    _until(lambda: "a" in index.current.documents)
    store.files["static/b.md"] = b"# Beta\n"
    _until(lambda: set(index.current.documents) == {"a", "b"})


class WaitingEmbedder(HashingEmbedder):
    """Embeds when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.has_begun, self.may_go_on = threading.Event(), threading.Event()

    def embed_passages(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        self.has_begun.set()
        self.may_go_on.wait(10)
        return super().embed_passages(texts, progress=progress)


def test_a_stop_does_not_wait_for_all_that_is_to_be_embedded(tmp_path: Path) -> None:
    files = {f"static/{number}.md": f"# Runbook {number}\n\nText {number}.\n".encode() for number in range(150)}
    store = FailingStore(files, parse=parse_document, now=lambda: NOW)
    embedder = WaitingEmbedder()
    cache = EmbeddingCache(tmp_path / "cache.db", warn=pytest.fail)
    index = Index(tmp_path / "index", embedder, cache, warn=pytest.fail)
    follower = Follower(store, lambda: index, folder=None)
    follower.start()
    assert embedder.has_begun.wait(10)
    threading.Timer(0.2, embedder.may_go_on.set).start()
    follower.stop(wait_s=20)
    assert index.current.degraded != ""
    index.close()


def test_a_failing_disk_is_told_as_trouble_and_search_goes_on_with_what_there_is(
    store: FailingStore, index: Index, follow: Callable[..., Follower]
) -> None:
    follower = follow(full_look_s=0.05)
    _until(lambda: "a" in index.current.documents)
    store.failure = StorageUnavailable("The folder is gone.", advice="Bring it back.")
    _until(lambda: follower.trouble == "The folder is gone.")
    assert "a" in index.current.documents


def test_a_thread_that_dies_is_told_rather_than_missed(
    store: FailingStore, follow: Callable[..., Follower], monkeypatch: pytest.MonkeyPatch
) -> None:
    deaths: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: deaths.append(str(args.exc_value)))
    store.failure = ZeroDivisionError("nobody foresaw this")
    follower = follow()
    _until(lambda: follower.trouble == "index-follow ended unexpectedly; restart the server")
    assert deaths == ["nobody foresaw this"]


def test_stopping_ends_both_threads_soon(follow: Callable[..., Follower]) -> None:
    follower = follow()
    began = time.monotonic()
    follower.stop()
    assert time.monotonic() - began < 5
    assert not any(thread.name == "index-follow" for thread in threading.enumerate())
