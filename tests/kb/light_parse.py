"""A parser for tests that start many processes: one runbook a file, its id from the file's name, nothing to import."""

from datetime import date
from hashlib import sha256
from pathlib import PurePosixPath

from kb.runbook import Document, Runbook, RunbookType
from kb.slugs import id_from_path


def parse_lightly(raw: bytes, *, path: str, modified: date | None = None) -> Document:
    text = raw.decode("utf-8", "replace")
    name = id_from_path(path)
    kind = RunbookType.DYNAMIC if path.startswith("dynamic/") else RunbookType.STATIC
    title = text.partition("\n")[0].lstrip("# ") or PurePosixPath(path).stem
    return Document(name, path, text, sha256(raw).hexdigest(), (Runbook(name, title, path, kind, text, 0),))
