"""`cache/search-index.json`, `patterns.json` and `metrics.json`, written for tools that look there. sre-kb reads none
of them back; whoever deletes one gets it again with the next change."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.acts import Usage
from api.learning.acts import AccuracyView
from api.learning.insight_shapes import accuracy_out
from api.learning.pattern_shapes import patterns_out
from api.web.urls import Urls
from indexer.generation import Generation
from indexer.generation_files import search_index_text
from indexer.sealed_folder import replace_synced
from kb.errors import StorageUnavailable
from kb.pattern import ActionStats, Pattern
from kb.runbook import RunbookType
from learner.insight import RunbookUse
from learner.intervals import rate

SEARCH_INDEX, PATTERNS, METRICS = "search-index.json", "patterns.json", "metrics.json"
_IGNORE = "# Written by sre-kb and never read back.\n*\n"


@dataclass(frozen=True, slots=True)
class Measured:
    """What the metrics say: how runbooks are used, how often people agreed with the learner, what is stored."""

    uses: Sequence[RunbookUse]
    patterns: Sequence[Pattern]
    accuracy: AccuracyView
    usage: Usage


@dataclass(frozen=True, slots=True)
class CacheSources:
    """Each file's content, asked for when it is to be written."""

    generation: Callable[[], Generation]
    patterns: Callable[[], tuple[Sequence[Pattern], Sequence[ActionStats]]]
    measured: Callable[[], Measured]


class Caches:
    """Writes a file when its content is another. Calling it is cheap as long as nothing is due.

    Metrics read all records, so they are looked at less often. Times in seconds.
    """

    def __init__(
        self,
        folder: Path,
        sources: CacheSources,
        urls: Urls,
        *,
        every_s: float = 300.0,
        metrics_every_s: float = 3600.0,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._timer = timer
        self._texts: Mapping[str, tuple[float, Callable[[], str]]] = {
            SEARCH_INDEX: (every_s, lambda: search_index_text(sources.generation())),
            PATTERNS: (every_s, lambda: patterns_text(*sources.patterns(), urls)),
            METRICS: (metrics_every_s, lambda: metrics_text(sources.measured())),
        }
        self._looked_at: dict[str, float] = {}
        self._written: dict[str, str] = {}

    def __call__(self) -> None:
        """Write what is due and has changed. Raises `StorageUnavailable` when the folder takes nothing."""
        now = self._timer()
        for name, (every_s, text) in self._texts.items():
            if now - self._looked_at.get(name, float("-inf")) < every_s:
                continue
            self._looked_at[name] = now
            content = text().encode("ascii")
            digest = hashlib.sha256(content).hexdigest()
            if self._written.get(name) != digest:
                write_cache(self._folder, name, content)
                self._written[name] = digest


def cache_folder(runbooks: Path, data: Path) -> Path:
    """`cache` in the runbooks folder, where the layout of the folders has it; where that is read-only, in the data
    folder."""
    return (runbooks if os.access(runbooks, os.W_OK) else data) / "cache"


def write_cache(folder: Path, name: str, content: bytes) -> None:
    """Put one file there in one step, for Git to pass over. Raises `StorageUnavailable`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text(_IGNORE, encoding="ascii")
        replace_synced(folder / name, content)
    except OSError as exc:
        raise StorageUnavailable(
            f"{folder / name} cannot be written ({exc.strerror}).", advice="Make that folder writable, or remove it."
        ) from exc


def patterns_text(patterns: Sequence[Pattern], actions: Sequence[ActionStats], urls: Urls) -> str:
    """The patterns and how well actions work, as GET /runbooks/patterns has them."""
    return _json(patterns_out(patterns, actions, urls).model_dump(mode="json"))


def metrics_text(measured: Measured) -> str:
    """Use of runbooks, success by type of runbook, times, accuracy and confidence, storage."""
    sure = [pattern.confidence.value for pattern in measured.patterns]
    accuracy = accuracy_out(measured.accuracy).model_dump(mode="json")
    usage = measured.usage
    return _json(
        {
            "runbook_usage": {use.runbook_id: _used(use) for use in measured.uses if _is_used(use)},
            "success_rate_by_runbook_type": {
                kind.value: _success([use for use in measured.uses if use.type is kind]) for kind in RunbookType
            },
            "resolution_time": accuracy.pop("response_times"),
            "ai_accuracy": accuracy,
            "ai_confidence": {"patterns": len(sure), "mean": sum(sure) / len(sure) if sure else None},
            "storage_usage": {
                "runbooks_bytes": dict(usage.runbooks),
                "database_bytes": usage.database_bytes,
                "index_bytes": usage.index_bytes,
                "cache_bytes": usage.cache_bytes,
                "documents": usage.documents,
            },
        }
    )


def _is_used(use: RunbookUse) -> bool:
    return bool(use.shown or use.opened or use.resolved_ids or use.failed_ids)


def _used(use: RunbookUse) -> dict[str, int]:
    return {
        "shown": use.shown,
        "opened": use.opened,
        "resolved": len(use.resolved_ids),
        "failed": len(use.failed_ids),
        "recurred": len(use.recurred_ids),
    }


def _success(uses: Sequence[RunbookUse]) -> dict[str, Any]:
    """Incidents that runbooks ended for good, of all whose end was told."""
    held = sum(len(set(use.resolved_ids) - set(use.recurred_ids)) for use in uses)
    told = sum(len(set(use.resolved_ids) | set(use.failed_ids)) for use in uses)
    found = rate(held, told)
    return {
        "resolved": held,
        "incidents": told,
        "success_rate": found.value,
        "interval": [found.interval.low, found.interval.high],
    }


def _json(body: object) -> str:
    return json.dumps(body, indent=1, ensure_ascii=True) + "\n"
