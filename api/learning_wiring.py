"""The learning half of `api.wiring`: records, learner and reviews joined over one database. Imported when somebody
first asks for what was learnt, so that a search does not wait for it."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from api.acts import SearchRequest
from api.covering import Covering
from api.errors import NotReady
from api.learning import Learning, LearningParts, Search
from api.learning_following import LearningFollower
from api.learning_parts import ReviewsPart
from indexer.embed import Embedder, Progress, Vectors
from indexer.embedding_cache import EmbeddingCache
from kb.audit import AuditLog
from kb.database import Database
from kb.hits import Answer
from kb.outbox import Outbox
from kb.redact import redact
from kb.runbook_records import Journal
from kb.runbook_store import RunbookStore
from kb.severity_policy import SeverityPolicy
from kb.sql_records import SqlRecords
from learner.learner import Learner


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the rest of the knowledge base lends to learning.

    `search` is recorded as somebody's search, `find` is not; `generation` names the state of the index. With
    `is_server` the learner is opened beside the requests, which are told to wait; else by whoever first needs it.
    """

    database: Database
    runbooks: RunbookStore
    embedder: Callable[[], Embedder]
    embeddings: EmbeddingCache
    search: Search
    find: Callable[[SearchRequest], Answer]
    generation: Callable[[], str]
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
        self.covers = Covering(around.find, generation=around.generation, document_of=self._document_of)
        self.follower = LearningFollower(self.open, (self._regroup,))
        self._opening = threading.Lock()
        self._learner: Learner | None = None
        parts = LearningParts(
            records=self.records,
            learner=lambda: self.learner,
            reviews=self._reviews,
            search=around.search,
            covers=self.covers,
            changed=self.follower.wake,
            runbooks_changed=around.runbooks_changed,
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
                learner = Learner(self.records, self._embed, dimension=embedder.dimension, now=self._around.now)
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

    def _reviews(self) -> ReviewsPart:
        raise NotReady("The review of drafts")

    def _document_of(self, runbook_id: str) -> str:
        return self._around.runbooks.get(runbook_id).document.id

    def _regroup(self) -> None:
        self.learner.catch_up()
        self.learner.recluster_if_due()
