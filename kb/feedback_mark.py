"""A mark of all votes and outcomes that changes whenever they do, for whoever keeps what follows from them. Apart from
`sql_feedback`, so that a search that nobody's vote concerns need not load it."""

from sqlalchemy import text

from kb.database import Database

_MARK = text(
    "SELECT (SELECT count(*) FROM votes), (SELECT max(event_time) FROM votes), (SELECT count(*) FROM outcomes), "
    "(SELECT max(event_time) FROM outcomes), (SELECT count(recurred_at) FROM outcomes)"
)


def feedback_mark(database: Database) -> str | None:
    """Equal as long as no vote or outcome is cast, changed, withdrawn, forgotten or marked; None: there are none."""
    with database.read() as connection:
        row = tuple(connection.execute(_MARK).one())
    return repr(row) if row[0] or row[2] else None
