"""Rows of documents, ids and intents as values, and the queries that fetch them."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Connection, RowMapping, insert, select, update

from kb.principal import Face, Principal, Role
from kb.review import Standing
from kb.runbook import ReviewState
from kb.tables import counters, documents, intents, names

_REVISION = "revision"
_FIRST_REVISION = 1 << 40  # far below what JSON numbers and 64-bit integers hold
_IN_LIST = 500  # ids in one statement: below what any database allows


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document as its row says. `key` never changes; `natural_id` is what its text and path would have it called."""

    key: int
    id: str
    natural_id: str
    path: str
    live: bool
    type: str
    title: str
    sha256: str
    version: int
    state: ReviewState
    published_sha256: str | None
    author: str
    event_time: datetime
    updated_at: datetime

    @property
    def standing(self) -> Standing:
        return Standing(self.state, self.published_sha256)


@dataclass(frozen=True, slots=True)
class NameOwner:
    """Whose id something is. `kind` is document, entry or former (an id the document had before)."""

    name: str
    document_key: int
    kind: str
    live: bool


@dataclass(frozen=True, slots=True)
class Intent:
    """What a face was about to do: `write` bytes of that digest to the path, or `delete` them."""

    id: str
    action: str
    path: str
    sha256: str
    principal: Principal
    note: str
    recorded_at: datetime


def row_values(row: DocumentRow) -> dict[str, object]:
    """Column values of a document row."""
    values: dict[str, object] = {item.name: getattr(row, item.name) for item in fields(row)}
    values["state"] = row.state.value
    return values


def live_rows(connection: Connection) -> list[DocumentRow]:
    """All live documents, ordered by path as bytes (databases differ in how they sort text)."""
    rows = connection.execute(select(documents).where(documents.c.live.is_(True))).mappings()
    return sorted((_row(row) for row in rows), key=lambda row: row.path)


def live_digests(connection: Connection) -> dict[str, str]:
    """Digest by path of all live documents."""
    query = select(documents.c.path, documents.c.sha256).where(documents.c.live.is_(True))
    return {row.path: row.sha256 for row in connection.execute(query)}


def live_ids(connection: Connection) -> dict[str, tuple[str, str]]:
    """The id of every live document, and the one it would have liked, by path and ordered by path."""
    query = select(documents.c.path, documents.c.id, documents.c.natural_id).where(documents.c.live.is_(True))
    return {row.path: (row.id, row.natural_id) for row in sorted(connection.execute(query), key=lambda row: row.path)}


def retired_rows(connection: Connection) -> list[DocumentRow]:
    """All retired documents, the latest first."""
    query = select(documents).where(documents.c.live.is_(False)).order_by(documents.c.updated_at.desc(), documents.c.id)
    return [_row(row) for row in connection.execute(query).mappings()]


def live_row_at(connection: Connection, path: str) -> DocumentRow | None:
    """The live document of that path."""
    query = select(documents).where(documents.c.path == path, documents.c.live.is_(True))
    row = connection.execute(query).mappings().first()
    return _row(row) if row else None


def row_by_key(connection: Connection, key: int) -> DocumentRow:
    """The document of that key, live or not."""
    return _row(connection.execute(select(documents).where(documents.c.key == key)).mappings().one())


def name_owners(connection: Connection, wanted: Sequence[str]) -> dict[str, NameOwner]:
    """Who has which of these ids; free ones are absent."""
    owners: dict[str, NameOwner] = {}
    for start in range(0, len(wanted), _IN_LIST):
        query = (
            select(names.c.id, names.c.document_key, names.c.kind, documents.c.live)
            .join(documents, documents.c.key == names.c.document_key)
            .where(names.c.id.in_(wanted[start : start + _IN_LIST]))
        )
        owners.update({row.id: NameOwner(*row) for row in connection.execute(query)})
    return owners


def entry_ids(connection: Connection, key: int | None = None) -> dict[int, dict[str, str]]:
    """Given ids of entries by what their text would have them called, by document key; of one document when named."""
    query = select(names.c.document_key, names.c.natural_id, names.c.id).where(names.c.kind == "entry")
    found: dict[int, dict[str, str]] = {}
    for document_key, natural, given in connection.execute(
        query if key is None else query.where(names.c.document_key == key)
    ):
        found.setdefault(document_key, {})[natural] = given
    return found


def all_ids(connection: Connection) -> list[str]:
    """Every id a live document answers to, formers left out."""
    query = (
        select(names.c.id)
        .join(documents, documents.c.key == names.c.document_key)
        .where(documents.c.live.is_(True), names.c.kind != "former")
    )
    return list(connection.execute(query).scalars())


def load_intents(connection: Connection) -> list[Intent]:
    """All intents that no finished change has taken away, the newest first."""
    query = select(intents).order_by(intents.c.recorded_at.desc())
    return [
        Intent(
            id=row.id,
            action=row.action,
            path=row.path,
            sha256=row.sha256,
            principal=Principal(row.author, Role(row.role), Face(row.face)),
            note=row.note,
            recorded_at=row.recorded_at,
        )
        for row in connection.execute(query)
    ]


def save_intent(connection: Connection, intent: Intent) -> None:
    """Record what a face is about to do."""
    connection.execute(
        insert(intents).values(
            id=intent.id,
            action=intent.action,
            path=intent.path,
            sha256=intent.sha256,
            author=intent.principal.name,
            role=intent.principal.role.value,
            face=intent.principal.face.value,
            note=intent.note,
            recorded_at=intent.recorded_at,
        )
    )


def revision_of(connection: Connection) -> int:
    """The store's revision; 0 before the first change."""
    return int(connection.execute(select(counters.c.value).where(counters.c.name == _REVISION)).scalar() or 0)


def bump_revision(connection: Connection) -> int:
    """The next revision, recorded."""
    after = revision_of(connection) + 1
    if after == 1:
        # Where a database begins is chance: an index of one that was deleted is never taken for current with the next.
        after = 1 + secrets.randbelow(_FIRST_REVISION)
        connection.execute(insert(counters).values(name=_REVISION, value=after))
    else:
        connection.execute(update(counters).where(counters.c.name == _REVISION).values(value=after))
    return after


def _row(row: RowMapping) -> DocumentRow:
    return DocumentRow(**{**row, "state": ReviewState(row["state"])})
