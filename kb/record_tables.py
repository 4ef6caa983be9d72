"""The tables of incidents, patterns, reviews, feedback and answered requests, beside those of `kb.tables`."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    false,
    text,
)

from kb.tables import JsonText, SafeText, UtcDateTime, metadata

# Numbers that grow with time, given by the database.
_Seq = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER
# Lists end with an order by id, and PostgreSQL would order letters by its locale.
_Id = String(100).with_variant(String(100, collation="C"), "postgresql")
_Digest = String(64)

incidents = Table(
    "incidents",
    metadata,
    Column("id", _Id, primary_key=True),
    # Digests, because what senders use as an id may be longer than an index takes.
    Column("source_key", _Digest, unique=True),
    Column("moment_key", _Digest, unique=True),
    Column("source", SafeText, nullable=False),
    Column("source_id", SafeText, nullable=False),
    Column("title", SafeText, nullable=False),
    Column("status", String(20), nullable=False),
    Column("severity", String(20)),
    Column("severity_rank", Integer),
    Column("service", SafeText, nullable=False),
    Column("started_at", UtcDateTime, nullable=False, index=True),
    Column("acknowledged_at", UtcDateTime),
    Column("resolved_at", UtcDateTime),
    Column("lasted_s", Float),
    Column("recorded_at", UtcDateTime, nullable=False, index=True),
    Column("updated_at", UtcDateTime, nullable=False, index=True),
    Column("reported_by", SafeText, nullable=False),
    Column("opened_by", SafeText, nullable=False),
    Column("assignee", SafeText, nullable=False),
    Column("version", Integer, nullable=False),
    Column("alerts", JsonText, nullable=False),
    Column("search_text", SafeText, nullable=False),
    Column("body", JsonText, nullable=False),
    CheckConstraint("status in ('open', 'acknowledged', 'resolved')", name="status"),
)

incident_notes = Table(
    "incident_notes",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=True),
    Column("incident_id", _Id, ForeignKey("incidents.id"), nullable=False, index=True),
    Column("author", SafeText, nullable=False),
    Column("text", SafeText, nullable=False),
    Column("duty", String(100), nullable=False),
    Column("event_time", UtcDateTime, nullable=False),
)

patterns = Table(
    "patterns",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name", SafeText, nullable=False),
    Column("named_by", SafeText, nullable=False),
    Column("forwards_to", _Id),
    Column("born_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

# `pattern_id` is null for an incident that was taken out of its pattern.
assignments = Table(
    "assignments",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=True),
    Column("incident_id", _Id, ForeignKey("incidents.id"), nullable=False, unique=True),
    Column("arrival_pattern_id", _Id, ForeignKey("patterns.id"), nullable=False),
    Column("pattern_id", _Id, ForeignKey("patterns.id"), index=True),
    Column("learnt_at", UtcDateTime, nullable=False),
    Column("moved_at", UtcDateTime),
)

pattern_history = Table(
    "pattern_history",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=True),
    Column("kind", String(20), nullable=False),
    Column("pattern_id", _Id, nullable=False, index=True),
    Column("others", JsonText, nullable=False),
    Column("incidents", Integer, nullable=False),
    Column("at_count", Integer, nullable=False),
    Column("said_by", SafeText, nullable=False),
    Column("event_time", UtcDateTime, nullable=False),
)

pattern_words = Table(
    "pattern_words",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=True),
    Column("kind", String(20), nullable=False),
    Column("members", JsonText, nullable=False),
    Column("pattern_id", String(100), nullable=False),
    Column("name", SafeText, nullable=False),
    Column("said_by", SafeText, nullable=False),
    Column("event_time", UtcDateTime, nullable=False),
)

reviews = Table(
    "reviews",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("pattern_id", _Id, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("document_id", String(100), nullable=False),
    Column("text_sha256", _Digest, nullable=False),
    Column("text", SafeText, nullable=False),
    Column("evidence_digest", _Digest, nullable=False),
    Column("evidence_count", Integer, nullable=False),
    Column("status", String(20), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False, index=True),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("decided_at", UtcDateTime, index=True),
    Column("reviewer", SafeText, nullable=False),
    Column("reason", SafeText, nullable=False),
    Column("base_sha256", _Digest, nullable=False, server_default=""),
    Column("edited_by", SafeText, nullable=False, server_default=""),
    Column("offer", SafeText, nullable=False, server_default=""),
    Column("is_pending", Boolean, nullable=False, server_default=false()),
    CheckConstraint("status in ('open', 'approved', 'rejected', 'undone')", name="status"),
    CheckConstraint("(status = 'open') = (decided_at is null)", name="decided"),
)
Index("ix_reviews_pattern_id", reviews.c.pattern_id, reviews.c.kind)
# A pattern has one open review of a kind; new evidence goes into that one.
Index(
    "uq_reviews_open",
    reviews.c.pattern_id,
    reviews.c.kind,
    unique=True,
    sqlite_where=text("status = 'open'"),
    postgresql_where=text("status = 'open'"),
)

votes = Table(
    "votes",
    metadata,
    Column("key", _Digest, primary_key=True),
    Column("principal", SafeText, nullable=False),
    Column("target", String(300), nullable=False, index=True),
    Column("case_id", String(300), nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("note", SafeText, nullable=False),
    Column("event_time", UtcDateTime, nullable=False, index=True),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("key", _Digest, primary_key=True),
    Column("incident_id", _Id, ForeignKey("incidents.id"), nullable=False, index=True),
    Column("target", String(300), nullable=False, index=True),
    Column("outcome", String(20), nullable=False),
    Column("took_s", Float),
    Column("note", SafeText, nullable=False),
    Column("principal", SafeText, nullable=False),
    Column("event_time", UtcDateTime, nullable=False),
    Column("recurred_at", UtcDateTime),
)

answers = Table(
    "answers",
    metadata,
    Column("seq", _Seq, primary_key=True, autoincrement=True),
    Column("key", _Digest, nullable=False, unique=True),
    Column("fingerprint", _Digest, nullable=False),
    Column("answer", JsonText, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False, index=True),
)
