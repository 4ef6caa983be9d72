"""Brings a database to the schema of this release. The only home of Alembic outside `migrations/`; imported only when
there is something to migrate, because the import is slow."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(connection: Connection) -> None:
    """Apply what is missing, inside the write transaction that `connection` is in.

    That transaction is exclusive: of two processes that start at once the second one finds nothing left to do, and a
    process that dies half-way leaves the old schema.
    """
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def head() -> str:
    """The newest revision among the migration scripts."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise LookupError(f"no migration scripts in {MIGRATIONS}")
    return revision


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
