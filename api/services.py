"""What sre-kb can do, one method an act. Routes, pages, tools and commands call these and shape the answers; no face
reaches past them. Concrete classes are joined in `api.wiring`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from api.acts import (
    Health,
    ListRequest,
    Refreshed,
    RefreshRequest,
    RunbookPage,
    RunbookView,
    SearchRequest,
    Usage,
    WrittenRunbook,
)
from api.listing import list_runbooks
from api.recording import Recorder
from kb.errors import EditConflict, InvalidInput
from kb.hits import Answer
from kb.pins import Pin, PinNotFound, Pins
from kb.principal import Principal
from kb.runbook import ReviewState, RunbookType
from kb.runbook_store import NewRunbook, RunbookStore, StoredDocument, Version, etag_of, matches_etag
from kb.search_log import EventKind, SearchEvent, SearchRecord

if TYPE_CHECKING:
    from api.learning.service import Learning  # no search waits for the learner

Find = Callable[[SearchRequest], Answer]


@dataclass(frozen=True, slots=True)
class Reports:
    """How the knowledge base is: each a question asked when somebody wants to know."""

    readiness: Callable[[], str]
    health: Callable[[], Health]
    usage: Callable[[], Usage]


class Services:
    """The acts of the knowledge base. Safe to call from many threads.

    `find` answers searches, `store_changed` brings the index in step soon, `refresh` at once; `learning` gives the acts
    of learning, opened when first asked for; `start` and `stop` belong to whatever runs in the background.
    """

    def __init__(
        self,
        *,
        store: RunbookStore,
        pins: Pins,
        recorder: Recorder,
        find: Find,
        reports: Reports,
        store_changed: Callable[[], None],
        pins_changed: Callable[[], None],
        refresh: Callable[[RefreshRequest], Refreshed],
        learning: Callable[[], "Learning"],
        start: Callable[[], None],
        stop: Callable[[], None],
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._pins = pins
        self._recorder = recorder
        self._find = find
        self._reports = reports
        self._store_changed = store_changed
        self._pins_changed = pins_changed
        self._refresh = refresh
        self._learning = learning
        self._now = now
        self.start = start
        self.stop = stop

    @property
    def learning(self) -> "Learning":
        """The acts of learning: incidents, patterns, reviews, recommendations."""
        return self._learning()

    def search(self, request: SearchRequest, principal: Principal) -> Answer:
        """The best runbook sections for a text or an alert. Raises `InvalidInput` for nothing to search by."""
        if request.alert is None and not request.text.strip():
            raise InvalidInput("q", "is empty", advice="Send a word, a question, a log line or an alert.")
        answer = self._find(request)
        self._recorder.record(
            SearchRecord(
                search_id=answer.search_id,
                event_time=self._now(),
                principal=principal.name,
                face=principal.face,
                query=answer.query,
                hit_ids=tuple(hit.runbook.id for hit in answer.hits),
                confident=answer.confident,
                degraded=answer.degraded,
                generation=answer.generation,
                took_s=answer.took_s,
            )
        )
        return answer

    def record_event(
        self, search_id: str, kind: EventKind, runbook_id: str, principal: Principal, *, anchor: str = ""
    ) -> None:
        """Remember what a reader did with a hit; a vote counts for the runbook from then on.

        Raises `SearchNotFound`, `InvalidInput`, `TooManyVotes`.
        """
        self._recorder.add_event(
            SearchEvent(search_id, kind, runbook_id, anchor, principal.name, principal.face, self._now())
        )
        if kind in (EventKind.VOTE_UP, EventKind.VOTE_DOWN):
            from kb.feedback import NewVote, Verdict  # no search waits for it

            verdict = Verdict.HELPED if kind is EventKind.VOTE_UP else Verdict.WRONG
            self.learning.vote(NewVote(runbook_id, search_id, verdict), principal)

    def runbooks(self, request: ListRequest) -> RunbookPage:
        """A page of the list."""
        return list_runbooks(self._store.documents(), request)

    def runbook(self, runbook_id: str) -> RunbookView:
        """One runbook, by its id, an entry's, or one it had before. Raises `RunbookNotFound`."""
        stored = self._store.get(runbook_id)
        return RunbookView(stored, stored.runbook(runbook_id))

    def create(
        self, written: WrittenRunbook, principal: Principal, *, runbook_id: str | None = None, note: str = ""
    ) -> RunbookView:
        """Write a new runbook, searchable within a second. Raises `RunbookExists`, `InvalidInput`."""
        from api.writing import new_id, new_text  # brings YAML along, which no search should wait for

        chosen = new_id(runbook_id, written.title)
        new = NewRunbook(chosen, written.type or RunbookType.STATIC, new_text(written, chosen), note=note)
        return self._changed(self._store.create(new, principal))

    def update(
        self,
        runbook_id: str,
        text: bytes | WrittenRunbook,
        principal: Principal,
        *,
        if_match: str | None,
        note: str = "",
    ) -> RunbookView:
        """Replace a runbook's file, or its content and some fields. Raises `EditConflict`, `RunbookReadOnly`."""
        if isinstance(text, WrittenRunbook):
            from api.writing import changed_text  # as in `create`

            current = self._store.get(runbook_id)
            raw = changed_text(text, current.document)
            if not matches_etag(if_match, current.document.sha256):
                raise EditConflict(runbook_id, expected=if_match or "", current=current.etag)
            if_match = current.etag  # the fields that stay were read from this very text
        else:
            raw = text
        return self._changed(self._store.update(runbook_id, raw, principal, if_match=if_match, note=note))

    def delete(self, runbook_id: str, principal: Principal, *, if_match: str | None) -> None:
        """Remove a runbook's file; its history stays. Raises as `update` does."""
        self._store.delete(runbook_id, principal, if_match=if_match)
        self._store_changed()

    def versions(self, runbook_id: str) -> Sequence[Version]:
        """Newest first; also of a deleted runbook."""
        return self._store.versions(runbook_id)

    def version_text(self, runbook_id: str, number: int) -> bytes:
        """The bytes of one version. Raises `VersionNotFound`."""
        return self._store.version_text(runbook_id, number)

    def diff(self, runbook_id: str, old: int, new: int) -> str:
        """Unified diff of two versions; empty when equal."""
        return self._store.diff(runbook_id, old, new)

    def restore(self, runbook_id: str, number: int, principal: Principal, *, if_match: str | None) -> RunbookView:
        """Make an earlier version the newest one; brings a deleted runbook back."""
        return self._changed(self._store.restore(runbook_id, number, principal, if_match=if_match))

    def publish(self, runbook_id: str, principal: Principal, *, digest: str) -> RunbookView:
        """Publish the text whose SHA-256 is `digest`. Raises `EditConflict` when it is another by now."""
        return self._changed(self._store.publish(runbook_id, principal, digest=digest))

    def mark_reviewed(self, runbook_id: str, principal: Principal, *, digest: str) -> RunbookView:
        """Write into its file that a person has read the text whose SHA-256 is `digest` and that it still holds.

        What was published stays published. Raises `EditConflict` when the text is another by now, `InvalidInput` when
        the date cannot be written into the file, and as `update` does.
        """
        from api.review_date import with_review_date  # as in `create`

        before = self._store.get(runbook_id)
        raw = self._store.version_text(runbook_id, before.version)
        dated = with_review_date(raw, self._now().date(), path=before.document.path)
        if_match = etag_of(digest)
        stored = self._store.update(runbook_id, dated, principal, if_match=if_match, note="reviewed")
        if before.state is ReviewState.PUBLISHED and stored.state is not ReviewState.PUBLISHED:
            stored = self._store.publish(runbook_id, principal, digest=stored.document.sha256)
        return self._changed(stored)

    def pins(self) -> tuple[Pin, ...]:
        """All pins, by alert name."""
        return tuple(self._pins.all().values())

    def pin(self, alert_name: str) -> Pin:
        """The pin of an alert. Raises `PinNotFound`."""
        found = self._pins.find(alert_name)
        if found is None:
            raise PinNotFound(alert_name)
        return found

    def set_pin(self, alert_name: str, runbook_id: str, principal: Principal, *, note: str = "") -> Pin:
        """Make a runbook the first answer for an alert. Raises `RunbookNotFound`, `InvalidInput`."""
        view = self.runbook(runbook_id)
        pin = self._pins.pin(alert_name, view.runbook.id, principal, note=note)
        self._pins_changed()
        return pin

    def remove_pin(self, alert_name: str, principal: Principal) -> None:
        """Let search decide again. Raises `PinNotFound`."""
        self._pins.unpin(alert_name, principal)
        self._pins_changed()

    def refresh(self, request: RefreshRequest) -> Refreshed:
        """Look at the folders and bring the index in step before answering."""
        return self._refresh(request)

    def readiness(self) -> str:
        """What search misses, empty when nothing. Raises `NotReady` while there is nothing to search in."""
        return self._reports.readiness()

    def health(self) -> Health:
        """What works, what does not, and what to do."""
        return self._reports.health()

    def usage(self) -> Usage:
        """Sizes, and the files that were left out or need a look."""
        return self._reports.usage()

    def _changed(self, stored: StoredDocument) -> RunbookView:
        self._store_changed()
        return RunbookView(stored, stored.document.runbooks[0])
