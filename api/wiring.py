"""Settings -> Services: the one place where concrete classes meet. What is built here is closed here."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property, partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from api import engine
from api.acts import Refreshed, RefreshRequest
from api.bundled import bundled_digests, bundled_runbooks_dir, provide_runbooks
from api.engine import EMBEDDINGS, INCIDENT_EMBEDDINGS, INDEX, MODELS, Engine, open_cache
from api.feedback_priors import FeedbackPriors
from api.finding import Finder, load_synonyms
from api.following import Follower
from api.recording import Recorder
from api.reporting import Places, Reporter
from api.services import Reports, Services
from api.settings import Settings
from indexer.embed import Embedder, Progress
from indexer.search import Searcher
from indexer.sync import Index
from kb.audit import AuditLog
from kb.database import Database, open_database
from kb.errors import StorageUnavailable
from kb.pins import SqlPins
from kb.principal import DISK
from kb.redact import redact
from kb.runbook import Document
from kb.search_log import SqlSearchLog
from kb.sql_runbook_store import SqlRunbookStore

if TYPE_CHECKING:
    from api.learning.wiring import LearningBase

# Below the data folder.
DATABASE = "sre-kb.db"
SCAN_CACHE = "scan-cache.json"


@dataclass(frozen=True, slots=True)
class Background:
    """What runs beside the requests. A command that answers once and ends runs nothing; a server watches its folder."""

    follows: bool
    watches: bool


SERVER = Background(follows=True, watches=True)
ONE_SHOT = Background(follows=False, watches=False)


def new_id() -> str:
    """Sixteen hex digits nobody has used."""
    return secrets.token_hex(8)


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class KnowledgeBase:
    """Everything that belongs to one set of settings. The store is open from the start, model and index are opened when
    something asks for them. `close` lets go of all.

    `open_engine` opens model and index, in place of the usual way. Raises `StorageUnavailable` and its kinds; whatever
    first needs the model may raise `EmbedderUnavailable`.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        background: Background = ONE_SHOT,
        open_engine: Callable[[], Engine] | None = None,
    ) -> None:
        self._open_engine = open_engine or partial(engine.open_engine, settings)
        self._started = time.monotonic()
        self._background = background
        self.settings = settings
        self.folder = settings.runbooks_dir
        self.database = open_records(settings)
        self.store = SqlRunbookStore(
            self.database,
            self.folder,
            parse=_parse,
            now=utc_now,
            new_id=new_id,
            redact=redact,
            trusted_digests=bundled_digests(bundled_runbooks_dir()),
            scan_cache=settings.data_dir / SCAN_CACHE,
        )
        self.pins = SqlPins(self.database, AuditLog(self.database, now=utc_now, redact=redact), now=utc_now)
        self.searches = SqlSearchLog(self.database, new_id=new_id, redact=redact)
        self.recorder = Recorder(self.searches, now=utc_now, enabled=not self.database.read_only)
        self.follower = Follower(self.store, lambda: self.index, folder=self.folder if background.watches else None)
        self.services = self._services()

    @cached_property
    def engine(self) -> Engine:
        """Model and index; the index as it was saved."""
        return self._open_engine()

    @property
    def embedder(self) -> Embedder:
        """The embedding model."""
        return self.engine.embedder

    @property
    def index(self) -> Index:
        """The index."""
        return self.engine.index

    @cached_property
    def finder(self) -> Finder:
        """What answers searches."""
        searcher = Searcher(self.embedder, synonyms=load_synonyms(self.settings.synonyms_file))
        feedback = FeedbackPriors(self.database, now=utc_now)
        return Finder(searcher, lambda: self.index.current, self.pins, new_id=new_id, feedback=feedback)

    @cached_property
    def learning_base(self) -> "LearningBase":
        """Records, learner and reviews."""
        from api.caches import cache_folder  # no search waits for the learner
        from api.learning.duties import severity_policy
        from api.learning.wiring import LearningBase, Surroundings
        from api.web.urls import Urls

        return LearningBase(
            Surroundings(
                database=self.database,
                runbooks=self.store,
                embedder=lambda: self.embedder,
                embeddings=open_cache(self.settings.data_dir / INCIDENT_EMBEDDINGS),
                searches=self.searches,
                search=self.services.search,
                find=lambda request: self.finder(request),
                index=lambda: self.index.current,
                usage=self.services.usage,
                cache=cache_folder(self.folder, self.settings.data_dir),
                urls=Urls(self.settings.base_path),
                runbooks_changed=self.follower.wake,
                policy=severity_policy(self.settings),
                now=utc_now,
                new_id=new_id,
                is_server=self._background.follows,
            )
        )

    def _services(self) -> Services:
        reporter = Reporter(
            store=self.store,
            database=self.database,
            current=lambda: self.index.current,
            trouble=lambda: self.follower.trouble,
            learning_trouble=self._learning_trouble,
            skipped=lambda: self.follower.skipped,
            places=_places(self.settings),
            model_id=lambda: self.embedder.model_id,
            version=lambda: version("sre-kb"),
            uptime_s=lambda: time.monotonic() - self._started,
        )
        return Services(
            store=self.store,
            pins=self.pins,
            recorder=self.recorder,
            find=lambda request: self.finder(request),
            reports=Reports(reporter.readiness, reporter.health, reporter.usage),
            store_changed=self.follower.wake,
            pins_changed=lambda: self.finder.forget_pins(),
            refresh=self._refresh,
            learning=lambda: self.learning_base.learning,
            start=self.start,
            stop=self.close,
            now=utc_now,
        )

    def open(self) -> None:
        """Open what would otherwise be opened when something asks for it. Raises what that raises."""
        _ = self.finder

    def start(self) -> None:
        """Begin what runs beside the requests."""
        self.recorder.start()
        if self._background.follows:
            self.follower.start()
            self.learning_base.follower.start()

    def catch_up(self, progress: Progress | None = None) -> None:
        """Bring the index in step when the folders say something else than it does. For commands."""
        generation = self.index.current
        if generation.degraded or self.store.changed_since(generation.revision):
            self._require_folder()
            self.store.sync(DISK)
            self.index.refresh(self.store, progress=progress)

    def catch_up_store(self) -> None:
        """Take note of what has changed in the folders, leaving the index alone. For commands that search nothing."""
        if self.folder.is_dir() and not self.database.read_only:
            self.store.sync(DISK)

    def close(self) -> None:
        """End what runs, write what waits, close what is open."""
        self.follower.stop()
        if "learning_base" in vars(self):
            self.learning_base.close()
        self.recorder.stop()
        if "engine" in vars(self):
            self.index.close()
        self.database.close()

    def _refresh(self, request: RefreshRequest) -> Refreshed:
        self._require_folder()
        report = self.store.sync(DISK, reread=request.reread, accept_empty=request.accept_empty)
        self.index.refresh(self.store, progress=request.progress)
        self.follower.skipped = report.problems
        generation = self.index.current
        return Refreshed(report, generation.id, generation.degraded)

    def _learning_trouble(self) -> str:
        return self.learning_base.follower.trouble if "learning_base" in vars(self) else ""

    def _require_folder(self) -> None:
        if not self.folder.is_dir():
            raise StorageUnavailable(
                f"The runbooks folder {self.folder} does not exist.",
                advice="Run 'sre-kb index' to create it from the bundled runbooks, or set SRE_KB_RUNBOOKS_DIR.",
            )


@contextmanager
def open_knowledge_base(
    settings: Settings, *, open_engine: Callable[[], Engine] | None = None
) -> Iterator[KnowledgeBase]:
    """A knowledge base for one command, closed when that is done."""
    base = KnowledgeBase(settings, open_engine=open_engine)
    try:
        yield base
    finally:
        base.close()


def open_records(settings: Settings) -> Database:
    """The database of records, made or migrated as needed. Raises `StorageUnavailable` and its kinds."""
    return open_database(settings.sqlalchemy_url)


def provide_folder(settings: Settings) -> bool:
    """Create a missing runbooks folder from the bundled runbooks; whether it was missing."""
    return provide_runbooks(settings.runbooks_dir, bundled_runbooks_dir())


def _parse(raw: bytes, *, path: str, modified: date | None = None) -> Document:
    # Imported when the first file is read: the parser costs a search that finds nothing changed more than its answer.
    from kb.markdown import parse_document

    return parse_document(raw, path=path, modified=modified)


def _places(settings: Settings) -> Places:
    data = settings.data_dir
    database = data / DATABASE if not settings.database_url.get_secret_value() else None
    return Places(
        runbooks=settings.runbooks_dir,
        data=data,
        index=data / INDEX,
        caches=(data / MODELS, data / EMBEDDINGS, data / INCIDENT_EMBEDDINGS, data / SCAN_CACHE),
        database=database,
    )
