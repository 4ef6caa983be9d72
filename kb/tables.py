"""The tables of the database of records, and the schema revision this release reads and writes. How a schema gets
there is told in `migrations/`; a test keeps the two equal."""

import json
from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
    text,
)
from sqlalchemy.types import TypeDecorator

SCHEMA_REVISIONS = (
    "0001",
    "0002",
    "0003",
    "0004",
)  # those this release knows, oldest first; it works with the last one

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes in and out, stored as UTC. SQLite keeps no zone, so it is taken off and put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class SafeText(TypeDecorator[str]):
    """Text that may come from hostile files: NUL (which PostgreSQL refuses) and lone surrogates become U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or (value.isascii() and "\x00" not in value):
            return value
        return value.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class JsonText(TypeDecorator[object]):
    """A JSON value as ASCII text, which both databases keep to the letter (their own types refuse some escapes)."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: object, dialect: Dialect) -> str:
        return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> object:
        return None if value is None else json.loads(value)


# A key that only the database knows, so that a document may change its id and keep its history.
_Key = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER
_Id = String(100)
_Name = SafeText()
_STATES = "state in ('draft', 'unreviewed', 'published', 'retired')"

counters = Table(
    "counters",
    metadata,
    Column("name", String(50), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

documents = Table(
    "documents",
    metadata,
    Column("key", _Key, primary_key=True, autoincrement=True),
    Column("id", _Id, nullable=False, unique=True),
    Column("natural_id", SafeText, nullable=False),
    Column("path", SafeText, nullable=False),
    Column("live", Boolean, nullable=False),
    Column("type", String(20), nullable=False),
    Column("title", SafeText, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("published_sha256", String(64)),
    Column("author", _Name, nullable=False),
    Column("event_time", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    CheckConstraint(_STATES, name="state"),
    CheckConstraint(
        "state <> 'published' or (published_sha256 is not null and published_sha256 = sha256)", name="published_digest"
    ),
)
# Two live documents never share a file; a retired one may have had the same path.
Index(
    "uq_documents_live_path",
    documents.c.path,
    unique=True,
    sqlite_where=text("live"),
    postgresql_where=text("live"),
)

texts = Table(
    "texts",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("size_bytes", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

versions = Table(
    "versions",
    metadata,
    Column("document_key", _Key, ForeignKey("documents.key"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("sha256", String(64), ForeignKey("texts.sha256"), nullable=False),
    Column("path", SafeText, nullable=False),
    Column("author", _Name, nullable=False),
    Column("role", String(20), nullable=False),
    Column("face", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("note", SafeText, nullable=False),
    Column("event_time", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    CheckConstraint(_STATES, name="state"),
    CheckConstraint("number >= 1", name="number"),
)

# One namespace for every id that a person may type: documents, their entries, and ids that documents had before.
names = Table(
    "names",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("document_key", _Key, ForeignKey("documents.key"), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("position", Integer, nullable=False, server_default=text("0")),
    Column("natural_id", SafeText, nullable=False),
    Column("title", SafeText, nullable=False),
    Column("alerts", JsonText, nullable=False),
    CheckConstraint("kind in ('document', 'entry', 'former')", name="kind"),
)

# What a face is about to do to a file. It outlives a crash between file and row, so the next sync knows the author.
intents = Table(
    "intents",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("action", String(20), nullable=False),
    Column("path", SafeText, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("author", _Name, nullable=False),
    Column("role", String(20), nullable=False),
    Column("face", String(20), nullable=False),
    Column("note", SafeText, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    CheckConstraint("action in ('write', 'delete')", name="action"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("prev_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("actor", _Name, nullable=False),
    Column("role", String(20), nullable=False),
    Column("face", String(20), nullable=False),
    Column("action", String(100), nullable=False),
    Column("object", SafeText, nullable=False),
    Column("details", SafeText, nullable=False),
    Column("event_time", String(40), nullable=False),
    Column("recorded_at", String(40), nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", String(64), nullable=False, unique=True),
    Column("topic", String(100), nullable=False),
    Column("subject", SafeText, nullable=False),
    Column("payload", JsonText, nullable=False),
    Column("event_time", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
)

outbox_consumers = Table(
    "outbox_consumers",
    metadata,
    Column("consumer", String(100), primary_key=True),
    Column("acked_seq", BigInteger, nullable=False),
    Column("acked_at", UtcDateTime, nullable=False),
)

search_log = Table(
    "search_log",
    metadata,
    Column("search_id", String(64), primary_key=True),
    Column("event_time", UtcDateTime, nullable=False, index=True),
    Column("principal", _Name, nullable=False),
    Column("face", String(20), nullable=False),
    Column("query", SafeText, nullable=False),
    Column("hit_ids", JsonText, nullable=False),
    Column("confident", Boolean, nullable=False),
    Column("degraded", SafeText, nullable=False),
    Column("generation", String(100), nullable=False),
    Column("took_s", Float, nullable=False),
    Column("superseded", Boolean, nullable=False, server_default=false()),
)

search_events = Table(
    "search_events",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("search_id", String(64), ForeignKey("search_log.search_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("runbook_id", _Id, nullable=False),
    Column("anchor", SafeText, nullable=False),
    Column("principal", _Name, nullable=False),
    Column("face", String(20), nullable=False),
    Column("event_time", UtcDateTime, nullable=False, index=True),
)

pins = Table(
    "pins",
    metadata,
    Column("alert_name", SafeText, primary_key=True),
    Column("runbook_id", _Id, nullable=False),
    Column("note", SafeText, nullable=False),
    Column("pinned_by", _Name, nullable=False),
    Column("role", String(20), nullable=False),
    Column("face", String(20), nullable=False),
    Column("event_time", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
)
