"""What has to be done to bring recorded documents in step with the files that are there (pure)."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True)
class Move:
    """A file that has another path now."""

    old_path: str
    new_path: str


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """Paths by what happened to them, each list sorted. `removed` paths had documents and have no file any more."""

    added: tuple[str, ...]
    edited: tuple[str, ...]
    moved: tuple[Move, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.edited or self.moved or self.removed)


def plan_sync(known: Mapping[str, str], seen: Mapping[str, str], is_held: Callable[[str], bool]) -> SyncPlan:
    """Compare digests by path: `known` from the records, `seen` from the files.

    A path that `is_held` is there but could not be read, so its document stays as it is. A new path with the bytes of
    one that went away is a move; where several would do, the one of the same file name is taken.
    """
    edited = tuple(sorted(path for path, digest in seen.items() if path in known and known[path] != digest))
    unchanged = tuple(sorted(path for path, digest in seen.items() if known.get(path) == digest))
    new = sorted(path for path in seen if path not in known)
    gone = sorted(path for path in known if path not in seen and not is_held(path))
    moved = _moves({path: known[path] for path in gone}, {path: seen[path] for path in new})
    left, arrived = {move.old_path for move in moved}, {move.new_path for move in moved}
    return SyncPlan(
        added=tuple(path for path in new if path not in arrived),
        edited=edited,
        moved=moved,
        removed=tuple(path for path in gone if path not in left),
        unchanged=unchanged,
    )


def _moves(gone: Mapping[str, str], new: Mapping[str, str]) -> tuple[Move, ...]:
    candidates: dict[str, list[str]] = defaultdict(list)
    for path, digest in gone.items():
        candidates[digest].append(path)
    moves: list[Move] = []
    for path, digest in new.items():
        olds = candidates.get(digest)
        if olds:
            name = PurePosixPath(path).name
            old = next((old for old in olds if PurePosixPath(old).name == name), olds[0])
            olds.remove(old)
            moves.append(Move(old, path))
    return tuple(moves)
