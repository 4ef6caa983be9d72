"""Updates one runbook a few times and says in `FOLDER/acks` what it was answered: run under strace by
`test_store_durability.py`.

    durable_child.py FOLDER TIMES
"""

import os
import sys
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from kb.database import open_database, sqlite_url
from kb.errors import StorageUnavailable
from kb.principal import DISK, Face, local
from kb.runbook import RunbookType
from kb.runbook_store import NewRunbook
from kb.sql_runbook_store import SqlRunbookStore
from tests.kb.light_parse import parse_lightly


def main(folder: Path, times: int) -> None:
    numbers = count(1)
    store = SqlRunbookStore(
        open_database(sqlite_url(folder / "data" / "kb.sqlite")),
        folder / "runbooks",
        parse=parse_lightly,
        now=lambda: datetime.now(UTC),
        new_id=lambda: f"p{os.getpid()}x{next(numbers)}",
        redact=str,
        settle_s=0,
    )
    me = local(Face.CLI)
    if not (folder / "runbooks" / "static" / "a.md").exists():
        store.create(NewRunbook("a", RunbookType.STATIC, b"# A\n\n0\n"), me)
    else:
        store.sync(DISK)
    acks = os.open(folder / "acks", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(acks, b"ready\n")
    for _ in range(times):
        stored = store.get("a")
        try:
            after = store.update("a", b"# A\n\n%d\n" % stored.version, me, if_match=stored.etag)
            os.write(acks, b"acknowledged %d\n" % after.version)
        except StorageUnavailable as error:
            os.write(acks, f"refused {type(error).__name__}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
