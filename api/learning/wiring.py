"""The learning half of `api.wiring`: records, learner and reviews joined over one database. Imported when somebody
first asks for what was learnt, so that a search does not wait for it."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path

from api.acts import SearchRequest, Usage
from api.caches import Caches, CacheSources, Measured
from api.errors import NotReady
from api.housekeeping import Housekeeping
from api.learning.covering import Covering
from api.learning.following import LearningFollower
from api.learning.insight_sources import InsightSources
from api.learning.parts import LearningParts, Search
from api.learning.service import Learning
from api.web.urls import Urls
from indexer.embed import Embedder, Progress, Vectors
from indexer.embedding_cache import EmbeddingCache
from indexer.generation import Generation
from indexer.neighbours import MovingVectors, nearest_rows
from kb.audit import AuditLog
from kb.database import Database
from kb.hits import Answer
from kb.outbox import Outbox
from kb.pattern import ActionStats, Pattern
from kb.redact import redact
from kb.runbook_records import Journal
from kb.runbook_store import RunbookStore
from kb.search_log import SearchLog
from kb.severity_policy import SeverityPolicy
from kb.sql_records import SqlRecords
from learner.drafting import Drafter, DraftReport
from learner.learner import Learner
from learner.reviewing import Reviews

log = logging.getLogger("sre_kb.learning")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the rest of the knowledge base lends to learning.

    `search` is recorded as somebody's search, `find` is not; `index` gives the state that searches see. With
    `is_server` the learner is opened beside the requests, which are told to wait; else by whoever first needs it.
    `cache` is the folder for the files that other tools look for.
    """

    database: Database
    runbooks: RunbookStore
    embedder: Callable[[], Embedder]
    embeddings: EmbeddingCache
    searches: SearchLog
    search: Search
    find: Callable[[SearchRequest], Answer]
    index: Callable[[], Generation]
    usage: Callable[[], Usage]
    cache: Path
    urls: Urls
    runbooks_changed: Callable[[], None]
    policy: SeverityPolicy
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    is_server: bool


class LearningBase:
    """Everything that learning consists of, over one database."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        audit = AuditLog(around.database, now=around.now, redact=redact)
        outbox = Outbox(around.database, now=around.now, new_id=around.new_id)
        journal = Journal(audit, outbox, around.now, around.new_id)
        self.records = SqlRecords(around.database, journal, redact=redact)
        self.covers = Covering(around.find, generation=lambda: around.index().id, document_of=self._document_of)
        self.sources = InsightSources(
            self.records, documents=around.runbooks.documents, searches=around.searches, now=around.now
        )
        tidy = Housekeeping(self.records, outbox, around.searches, now=around.now)
        caches = Caches(around.cache, CacheSources(around.index, self._for_tools, self._measured), around.urls)
        # Where nothing can be written, what was learnt can still be read.
        passes = () if around.database.read_only else (self._regroup, self._draft, tidy, caches)
        self.follower = LearningFollower(self.open, passes)
        self._opening = threading.Lock()
        self._learner: Learner | None = None
        self._drafted: tuple[object, ...] = ()
        parts = LearningParts(
            records=self.records,
            learner=lambda: self.learner,
            reviews=lambda: self.reviews,
            search=around.search,
            covers=self.covers,
            changed=self.follower.wake,
            runbooks_changed=around.runbooks_changed,
            surroundings=self.sources.surroundings,
        )
        self.learning = Learning(parts, policy=around.policy, now=around.now)

    @property
    def learner(self) -> Learner:
        """The learner. Raises `NotReady` while a server takes in what was learnt before."""
        if self._learner is None:
            if self._around.is_server:
                raise NotReady("What was learnt before")
            self.open()
        if self._learner is None:
            raise NotReady("What was learnt before")
        return self._learner

    def open(self, progress: Progress | None = None) -> None:
        """Take in what the records hold; `progress` is told how far that has come. Raises `EmbedderUnavailable`."""
        with self._opening:
            if self._learner is None:
                embedder = self._around.embedder()
                learner = Learner(
                    self.records,
                    self._embed,
                    dimension=embedder.dimension,
                    now=self._around.now,
                    make_neighbours=partial(MovingVectors, embedder.dimension),
                    near=nearest_rows,
                    apart=self._around.is_server,
                )
                learner.open(progress)
                self._learner = learner

    def close(self) -> None:
        """End what runs, and close what is open."""
        self.follower.stop()
        if self._learner is not None:
            self._learner.close()
        self._around.embeddings.close()

    def _embed(self, texts: Sequence[str]) -> Vectors:
        return self._around.embeddings.embed(self._around.embedder(), texts)

    def _document_of(self, runbook_id: str) -> str:
        return self._around.runbooks.get(runbook_id).document.id

    @cached_property
    def reviews(self) -> Reviews:
        """Drafts that wait, and what people decide about them."""
        around = self._around
        return Reviews(
            self.records, around.runbooks, pattern=lambda pattern_id: self.learner.pattern(pattern_id), now=around.now
        )

    @cached_property
    def drafter(self) -> Drafter:
        """What writes drafts."""
        around = self._around
        return Drafter(
            self.records,
            around.runbooks,
            patterns=lambda: self.learner.patterns(),
            young=lambda: self.learner.newcomers(),
            pattern=lambda pattern_id: self.learner.pattern(pattern_id),
            covers=self.covers.runbook,
            now=around.now,
        )

    def draft(self) -> DraftReport:
        """Bring drafts in step with the patterns, unless nothing has changed since the last time, or search cannot tell
        which patterns have a runbook. Raises `StorageUnavailable`."""
        generation = self._around.index()
        with self.records.read() as view:
            state = (view.events.last(), generation.id, self._around.now().date())
        if generation.degraded or state == self._drafted:
            return DraftReport()
        report = self.drafter.run()
        self._drafted = state
        if report.has_changes:
            self._around.runbooks_changed()
        for problem in report.problems:
            log.warning("%s", problem, extra={"event": "draft_problem"})
        return report

    def _draft(self) -> None:
        self.draft()

    def _regroup(self) -> None:
        self.learner.catch_up()
        self.learner.recluster_if_due()

    def _for_tools(self) -> tuple[Sequence[Pattern], Sequence[ActionStats]]:
        return self.learning.patterns(), self.learning.effectiveness()

    def _measured(self) -> Measured:
        learning = self.learning
        return Measured(
            self.sources.surroundings().runbooks, learning.patterns(), learning.accuracy(), self._around.usage()
        )
