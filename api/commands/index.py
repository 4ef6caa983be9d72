"""sre-kb index: read the runbooks folder and bring the search index up to date."""

import time
from collections.abc import Sequence
from functools import partial

from api import shapes
from api.acts import Refreshed, RefreshRequest
from api.commands.console import out, print_json, progress_bar, remark, shown
from api.engine import open_engine
from api.settings import load_settings
from api.wiring import open_knowledge_base, provide_folder
from kb.runbook import Problem, ProblemLevel

_SHOWN = 20


def run(*, rebuild: bool, accept_empty: bool, as_json: bool) -> int:
    """Print what changed and what is wrong with files."""
    settings = load_settings()
    if provide_folder(settings):
        remark(f"Created {settings.runbooks_dir} with the bundled runbooks.")
    started = time.monotonic()
    opening = partial(open_engine, settings, say=remark, is_fresh=rebuild)
    with open_knowledge_base(settings, open_engine=opening) as base:
        with progress_bar("Embedding") as progress:
            request = RefreshRequest(reread=rebuild, accept_empty=accept_empty, progress=progress)
            refreshed = base.services.refresh(request)
        base.index.save()
        problems = base.services.usage().problems
    if as_json:
        print_json(shapes.refresh_out(refreshed))
        return 0
    _print_report(refreshed, problems, time.monotonic() - started)
    return 0


def _print_report(refreshed: Refreshed, problems: Sequence[Problem], took_s: float) -> None:
    report = refreshed.report
    counts = {
        "added": len(report.added),
        "changed": len(report.changed),
        "renamed": len(report.renamed),
        "removed": len(report.removed),
        "unchanged": len(report.unchanged),
    }
    out(", ".join(f"{count} {what}" for what, count in counts.items() if count) or "No runbooks.")
    out(f"Index {refreshed.generation} is ready after {took_s:.1f} s.")
    told = [problem for problem in problems if problem.level is not ProblemLevel.NOTE]
    for problem in told[:_SHOWN]:
        where = f"{problem.path}:{problem.line}" if problem.line else problem.path
        remark(f"{problem.level.value}: {shown(where)}: {shown(problem.message)} {shown(problem.advice)}")
    if len(told) > _SHOWN:
        remark(f"... and {len(told) - _SHOWN} more; sre-kb index --json or GET /storage/usage list all.")
