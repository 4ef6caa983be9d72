"""What the runbook folders hold at this moment, by digest: unchanged files unopened, and none taken half-written."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from kb.directory import Directory, FileText
from kb.folder_scan import FileStamp, is_held
from kb.problems import file_problem
from kb.runbook import Problem
from kb.scan_cache import ScanCache
from kb.sync_plan import SyncPlan, plan_sync

_HALF_SAVED_NS = 2_000_000_000  # an editor that truncates and then writes is done by then
_EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found: digests and stamps by path, problems, temporary files that a crash left. `held` are files
    and folders that are there and could not be looked at: what is known of them, and of all under them, stays."""

    digests: Mapping[str, str]
    stamps: Mapping[str, FileStamp]
    problems: tuple[Problem, ...]
    held: frozenset[str]
    leftovers: tuple[str, ...] = ()

    def is_held(self, path: str) -> bool:
        return is_held(path, self.held)


class FolderLook:
    """Looks at one folder tree. Not safe to share between threads. `sleep` waits for writers, `settle_s` long."""

    def __init__(
        self,
        directory: Directory,
        cache: ScanCache,
        *,
        clock_ns: Callable[[], int],
        sleep: Callable[[float], None],
        settle_s: float,
    ) -> None:
        self._directory = directory
        self._cache = cache
        self._clock_ns = clock_ns
        self._sleep = sleep
        self._settle_s = settle_s

    def everywhere(self, known: Mapping[str, str], *, reread: bool = False) -> Look:
        """All files. Those whose stamp is as it was are not opened unless `reread`."""
        scan = self._directory.scan()
        look = self._read_all(scan.files, known, reread=reread)
        return replace(
            look, problems=scan.problems + look.problems, held=scan.held | look.held, leftovers=scan.leftovers
        )

    def at(self, paths: Sequence[str], known: Mapping[str, str]) -> Look:
        """The files at these paths, always opened."""
        stamps = {path: stamp for path in paths if (stamp := self._directory.stamp(path))}
        missing = [path for path in paths if path not in stamps]
        look = self._read_all(stamps, known, reread=True)
        in_the_way = {path: found for path in missing if isinstance(found := self._directory.find(path), Problem)}
        return replace(look, problems=(*look.problems, *in_the_way.values()), held=look.held | in_the_way.keys())

    def settled(self, known: Mapping[str, str], look: Callable[[], Look]) -> tuple[SyncPlan, Look]:
        """A plan made of files that nobody is writing at this moment.

        Where something went away or changed a moment ago, a second look tells: editors save by renaming, and copies
        come in pieces. Files that changed between the two looks are left as they are known.
        """
        first = look()
        plan = plan_sync(known, first.digests, first.is_held)
        since = self._clock_ns() - int(self._settle_s * 1e9)
        fresh = [path for path in (*plan.added, *plan.edited) if first.stamps[path].mtime_ns >= since]
        if self._settle_s <= 0 or not (fresh or plan.removed):
            return plan, first
        self._sleep(self._settle_s)
        second = look()
        moving = frozenset(path for path in fresh if second.digests.get(path, "") not in ("", first.digests[path]))
        steady = replace(
            second,
            digests={path: digest for path, digest in second.digests.items() if path not in moving},
            problems=(*second.problems, *(file_problem("still-written", path) for path in sorted(moving))),
            held=second.held | moving,
        )
        return plan_sync(known, steady.digests, steady.is_held), steady

    def _read_all(self, stamps: Mapping[str, FileStamp], known: Mapping[str, str], *, reread: bool) -> Look:
        digests: dict[str, str] = {}
        in_the_way: dict[str, Problem] = {}
        for path, stamp in stamps.items():
            found = (None if reread else self._cache.find_digest(path, stamp)) or self._read(path, known)
            if isinstance(found, Problem):
                in_the_way[path] = found
            elif found is not None:
                digests[path] = found
        return Look(digests, stamps, tuple(in_the_way.values()), frozenset(in_the_way))

    def _read(self, path: str, known: Mapping[str, str]) -> str | Problem | None:
        at = self._clock_ns()
        found = self._directory.find(path)
        if not isinstance(found, FileText):
            return found
        became_empty = not found.raw and known.get(path, _EMPTY_SHA256) != _EMPTY_SHA256
        if became_empty and found.stamp.mtime_ns > at - _HALF_SAVED_NS:
            return file_problem("half-written", path)
        self._cache.remember(path, found.stamp, found.sha256, read_at_ns=at)
        return found.sha256
