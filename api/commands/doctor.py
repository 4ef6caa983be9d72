"""sre-kb doctor: looks at everything a search needs, one after the other, and says what to do about what is wrong."""

import os
import shutil
import time
from collections.abc import Callable, Iterator

from pydantic import BaseModel, SecretStr

from api import shapes
from api.acts import Check
from api.commands.console import out, print_json, shown
from api.engine import INDEX
from api.reporting import size_of
from api.schemas import CheckOut
from api.settings import Settings, load_settings
from api.wiring import KnowledgeBase, open_knowledge_base
from kb.errors import KBError
from kb.runbook import ProblemLevel

EXIT_WRONG = 1
_LITTLE_SPACE = 200 << 20  # bytes; an index of a thousand runbooks and its caches take about half of that


class DoctorReport(BaseModel):
    """What was looked at, and the settings in force."""

    ok: bool
    checks: list[CheckOut]
    settings: dict[str, str]


def run(*, as_json: bool) -> int:
    """Print what is well and what is not; 1 when something is not."""
    settings = load_settings()
    checks = list(_checks(settings))
    well = all(check.ok for check in checks)
    if as_json:
        told = [shapes.check_out(check) for check in checks]
        print_json(DoctorReport(ok=well, checks=told, settings=_in_force(settings)))
        return 0 if well else EXIT_WRONG
    for check in checks:
        out(f"{'ok   ' if check.ok else 'WRONG'}  {check.name}: {shown(check.detail)}")
        if not check.ok:
            out(f"       {shown(check.advice)}")
    return 0 if well else EXIT_WRONG


def _checks(settings: Settings) -> Iterator[Check]:
    yield Check("settings", ok=True, detail=", ".join(f"{name}={value}" for name, value in _in_force(settings).items()))
    yield _runbooks_folder(settings)
    yield _data_folder(settings)
    try:
        with open_knowledge_base(settings) as base:
            yield _guarded("database", lambda: _database(base))
            yield _guarded("model", lambda: _model(base))
            yield _guarded("files", lambda: _files(base))
            yield _guarded("index", lambda: _index(base))
    except KBError as exc:
        yield Check("knowledge base", False, exc.message, exc.advice)


def _in_force(settings: Settings) -> dict[str, str]:
    """Every setting that differs from its default; passwords masked."""
    changed = {name: getattr(settings, name) for name in sorted(settings.model_fields_set)}
    shown_values = {name: "***" if isinstance(value, SecretStr) else str(value) for name, value in changed.items()}
    return shown_values or {"all": "defaults"}


def _guarded(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except KBError as exc:
        return Check(name, False, exc.message, exc.advice)


def _runbooks_folder(settings: Settings) -> Check:
    folder = settings.runbooks_dir
    if not folder.is_dir():
        advice = "Run 'sre-kb index' to create it from the bundled runbooks, or set SRE_KB_RUNBOOKS_DIR."
        return Check("runbooks folder", False, f"{folder} does not exist", advice)
    if not os.access(folder, os.R_OK | os.X_OK):
        return Check("runbooks folder", False, f"{folder} cannot be read", "Give this user read access to it.")
    how = (
        "readable and writable" if os.access(folder, os.W_OK) else "readable; runbooks cannot be changed through sre-kb"
    )
    return Check("runbooks folder", ok=True, detail=f"{folder.absolute()}, {how}")


def _data_folder(settings: Settings) -> Check:
    folder = settings.data_dir
    if not folder.exists():
        return Check("data folder", ok=True, detail=f"{folder.absolute()}, to be created")
    if not os.access(folder, os.W_OK | os.X_OK):
        advice = "Make it writable, or set SRE_KB_DATA_DIR; until then nothing is recorded and nothing can be changed."
        return Check("data folder", False, f"{folder} cannot be written", advice)
    free = shutil.disk_usage(folder).free
    if free < _LITTLE_SPACE:
        return Check("data folder", False, f"only {free >> 20} MiB are free", "Free some space on that disk.")
    return Check("data folder", ok=True, detail=f"{folder.absolute()}, {free >> 30} GiB free")


def _database(base: KnowledgeBase) -> Check:
    revision = base.store.revision()
    if base.database.read_only:
        return Check("database", False, "read-only", "Make the data folder writable.")
    return Check("database", ok=True, detail=f"{base.database.name}, revision {revision}")


def _model(base: KnowledgeBase) -> Check:
    started = time.perf_counter()
    vector = base.embedder.embed_query("is the model well")
    took_ms = (time.perf_counter() - started) * 1000
    detail = f"{base.embedder.model_id}, {len(vector)} dimensions, a query takes {took_ms:.0f} ms"
    return Check("model", ok=True, detail=detail)


def _files(base: KnowledgeBase) -> Check:
    base.catch_up_store()
    documents = base.store.documents()
    found = [problem for one in documents for problem in one.document.problems]
    wrong = [problem for problem in found if problem.level is ProblemLevel.ERROR]
    if not documents:
        return Check("files", False, "there are no runbooks", "Put Markdown files into the runbooks folder.")
    if wrong:
        first = wrong[0]
        return Check(
            "files", False, f"{len(wrong)} are not understood; first {first.path}: {first.message}", first.advice
        )
    doubtful = sum(problem.level is ProblemLevel.WARNING for problem in found)
    return Check("files", ok=True, detail=f"{len(documents)} read, {doubtful} remarks (sre-kb index lists them)")


def _index(base: KnowledgeBase) -> Check:
    generation = base.index.current
    size = size_of(base.settings.data_dir / INDEX) >> 20
    if not generation.documents:
        return Check("index", False, "no usable index is saved", "Run 'sre-kb index'.")
    if generation.degraded:
        return Check("index", False, generation.degraded, "Run 'sre-kb index'.")
    if base.store.changed_since(generation.revision):
        return Check("index", False, "runbooks have changed since it was built", "Run 'sre-kb index'.")
    return Check(
        "index", ok=True, detail=f"{len(generation.cards)} runbooks, {len(generation.chunks):,} chunks, {size} MiB"
    )
