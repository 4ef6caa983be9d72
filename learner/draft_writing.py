"""The learner's pen: the text of a draft, the change of a runbook, and the file that holds a draft. Writes only what a
review has announced, and never over a text of somebody else's."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from kb.errors import EditConflict, RunbookExists
from kb.incident import Incident
from kb.pattern import Pattern
from kb.record_store import RecordStore
from kb.review_records import DraftKind, NewDraft, Review
from kb.runbook import RunbookType
from kb.runbook_store import NewRunbook, RunbookStore, StoredDocument
from kb.slugs import is_valid_id, slugify
from learner.amend import amend
from learner.covering import main_alert
from learner.draft import draft_runbook
from learner.draft_rules import evidence_digest
from learner.settling import LEARNER, find_document, find_versions

FOLDERS: Mapping[DraftKind, str] = {
    DraftKind.INCIDENT: "dynamic/incidents",
    DraftKind.PATTERN: "dynamic/patterns",
    DraftKind.RESOLUTION: "dynamic/resolutions/auto-generated",
}

MAX_READ = 400
"""Incidents of one pattern that a draft is written from: the first half and the latest half of these. Its numbers count
all."""

MAX_SLUG_CHARS = 60
_MAX_SAME_NAME = 1000


class DraftWriter:
    """Over one store of records and one of runbooks."""

    def __init__(self, records: RecordStore, runbooks: RunbookStore) -> None:
        self._records = records
        self._runbooks = runbooks

    def new_draft(
        self, pattern: Pattern, kind: DraftKind, *, taken: Collection[str], document_id: str = ""
    ) -> NewDraft:
        """A runbook of its own for a pattern. `taken` are ids of documents that are announced already; `document_id` is
        that of an earlier draft that was put away, whose history goes on."""
        if not document_id or find_document(self._runbooks, document_id) is not None:
            document_id = self._free_id(pattern, kind, taken)
        text = self.text(pattern, document_id)
        return with_evidence(NewDraft(pattern.id, kind, document_id, sha256_of(text), "", 0, text), pattern)

    def change(
        self, pattern: Pattern, stored: StoredDocument, kind: DraftKind, *, entry_id: str = ""
    ) -> NewDraft | None:
        """A change of a runbook: a part added to what people wrote for a PATCH, else the learner's own text anew. None
        when there is nothing to change. `entry_id` may name one runbook of many in a file, to which the part belongs
        unless another one is for the pattern's alert."""
        document = stored.document
        text: str | None
        if kind is DraftKind.PATCH:
            alert = main_alert(pattern)
            entry_id = next((one.id for one in document.runbooks[1:] if alert and alert in one.alerts), entry_id)
            raw = self._runbooks.version_text(document.id, stored.version)
            text = amend(raw, pattern, self._incidents(pattern), path=document.path, entry_id=entry_id)
        else:
            text = self.text(pattern, document.id)
        if text is None or sha256_of(text) == document.sha256:
            return None
        draft = NewDraft(pattern.id, kind, document.id, sha256_of(text), "", 0, text, base_sha256=document.sha256)
        return with_evidence(draft, pattern)

    def text(self, pattern: Pattern, document_id: str) -> str:
        """The whole text of a pattern's draft."""
        return draft_runbook(pattern, self._incidents(pattern), document_id=document_id)

    def write(self, review: Review) -> bool:
        """Bring the file of a new draft to what its review says; whether it is there now. False when a file of that
        name is somebody else's, or was changed in this moment."""
        draft = review.draft
        raw = draft.text.encode("utf-8")
        note = f"review {review.id}, revision {review.revision}"
        stored = find_document(self._runbooks, draft.document_id)
        try:
            if stored is None:
                new = NewRunbook(draft.document_id, RunbookType.DYNAMIC, raw, FOLDERS[draft.kind], note)
                self._runbooks.create(new, LEARNER)
            elif not self.is_as_written(stored):
                return False
            elif stored.document.sha256 != draft.text_sha256:
                self._runbooks.update(draft.document_id, raw, LEARNER, if_match=stored.etag, note=note)
        except (RunbookExists, EditConflict):
            return False
        return True

    def is_ours(self, document_id: str) -> bool:
        """Whether the learner began this document, whoever has written in it since."""
        return any(version.author == LEARNER.name for version in find_versions(self._runbooks, document_id))

    def is_as_written(self, stored: StoredDocument) -> bool:
        """Whether the present text is one that the learner wrote, whoever has put it back."""
        return any(
            version.author == LEARNER.name and version.sha256 == stored.document.sha256
            for version in find_versions(self._runbooks, stored.document.id)
        )

    def _incidents(self, pattern: Pattern) -> Sequence[Incident]:
        ids = pattern.evidence.incident_ids
        if len(ids) > MAX_READ:
            ids = (*ids[: MAX_READ // 2], *ids[-MAX_READ // 2 :])
        with self._records.read() as view:
            found = view.incidents.get_many(ids)
        return [found[key].incident for key in ids if key in found]

    def _free_id(self, pattern: Pattern, kind: DraftKind, taken: Collection[str]) -> str:
        """The pattern's name as an id, with a number where it is another document's, live or retired."""
        slug = slugify(pattern.name)[:MAX_SLUG_CHARS].strip("-") or slugify(pattern.id)
        if kind is DraftKind.INCIDENT:
            slug = f"{pattern.evidence.first_seen:%Y-%m-%d}-{slug}"
        base = slug if is_valid_id(slug) else f"{slug or 'learned'}-runbook"
        for number in range(1, _MAX_SAME_NAME):
            candidate = base if number == 1 else f"{base}-{number}"
            is_known = find_document(self._runbooks, candidate) or find_versions(self._runbooks, candidate)
            if candidate not in taken and not is_known:
                return candidate
        return f"{base}-{sha256_of(pattern.id)[:12]}"


def with_evidence(draft: NewDraft, pattern: Pattern) -> NewDraft:
    """The draft, marked with what it rests on."""
    return replace(draft, evidence_digest=evidence_digest(pattern), evidence_count=pattern.frequency)


def sha256_of(text: str) -> str:
    """The digest of a text as it would be written."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
