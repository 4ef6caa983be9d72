"""Re-clustering and restoring in a process of their own, with low priority, so that searching and learning go on beside
them. What they need travels over a pipe between the two, in parts so small that neither waits long for the other; texts
to embed are asked of the parent, which has the model and its cache. Nothing of it is ever stored."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import TypeVar

import numpy as np

from kb.errors import KBError
from kb.incident_records import StoredIncident
from learner.assign import Grouping, Item, Micro
from learner.features import EmbedTexts, Reader, Vector, Vectors
from learner.neighbours import NearestRows, Neighbours, nearest_rows
from learner.recluster import Regrouping, Snapshot, regroup

PART = 200
"""How many values travel in one message."""

_NICENESS = 10
_PATIENCE_S = 5.0
_LOOK_S = 0.2

Value = TypeVar("Value")


class ApartFailed(KBError):
    """The process that regroups has died; what was known before is still known."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"Grouping incidents anew was given up: {reason[:300]}.",
            advice="It is tried again after more incidents; is there enough free memory?",
        )


@dataclass(frozen=True, slots=True)
class _Ask:
    """Texts that the child wants to have embedded."""

    texts: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Failed:
    reason: str


def regroup_apart(
    snapshot: Snapshot,
    embed: EmbedTexts,
    *,
    near: NearestRows = nearest_rows,
    is_given_up: Callable[[], bool] = lambda: False,
) -> Regrouping:
    """`regroup` in a process of its own; `near` is a function at the top of a module.

    Raises `ApartFailed`, also soon after `is_given_up` says so.
    """
    known = list(snapshot.vectors)
    with _child(_regroup_child) as pipe:
        pipe.send((near, replace(snapshot, items=(), standing=(), vectors={})))
        _send_parts(pipe, snapshot.items)
        _send_parts(pipe, snapshot.standing)
        _send_parts(pipe, known)
        for start in range(0, len(known), PART):
            pipe.send(np.stack([snapshot.vectors[text] for text in known[start : start + PART]]))
        answering = _embedding(embed, snapshot.vectors)
        micros: list[Micro] = list(_received_parts(pipe, answering, is_given_up))
        lexicon, changes, at_count = pipe.recv()
        return Regrouping(micros, Reader(lexicon), changes, at_count)


def _regroup_child(pipe: Connection) -> None:
    near: NearestRows
    bare: Snapshot
    near, bare = pipe.recv()
    items: list[Item] = list(_received_parts(pipe))
    standing: list[tuple[str, Sequence[int]]] = list(_received_parts(pipe))
    known: list[str] = list(_received_parts(pipe))
    vectors: dict[str, Vector] = {}
    for start in range(0, len(known), PART):
        vectors.update(zip(known[start : start + PART], pipe.recv(), strict=True))
    snapshot = replace(bare, items=items, standing=standing, vectors=vectors)
    found = regroup(snapshot, _asking(pipe), near=near)
    _send_parts(pipe, found.micros)
    pipe.send((found.reader.lexicon, found.changes, found.at_count))


Fill = Callable[[Grouping, Sequence[StoredIncident]], None]


@dataclass(frozen=True, slots=True)
class Filled:
    """What a grouping consists of after it was filled."""

    items: Sequence[Item]
    micros: Sequence[Micro]
    reader: Reader
    clustered_at: int


def fill_apart(
    fill: Fill,
    learnt: Sequence[StoredIncident],
    bare: Grouping,
    make_neighbours: Callable[[], Neighbours],
) -> Filled:
    """What `fill` makes of a grouping as empty as `bare`, in a process of its own. The vectors stay with `bare`.

    `fill` and `make_neighbours` stand at the top of a module, or are `partial`s of what does. Raises `ApartFailed`.
    """
    with _child(_fill_child) as pipe:
        pipe.send((fill, make_neighbours, bare.dimension, bare.weights))
        _send_parts(pipe, learnt)
        items: list[Item] = list(_received_parts(pipe, _embedding(bare.embed, bare.vectors)))
        micros: list[Micro] = list(_received_parts(pipe))
        lexicon, clustered_at = pipe.recv()
        return Filled(items, micros, Reader(lexicon), clustered_at)


def _fill_child(pipe: Connection) -> None:
    fill, make_neighbours, dimension, weights = pipe.recv()
    learnt: list[StoredIncident] = list(_received_parts(pipe))
    grouping = Grouping(_asking(pipe), dimension=dimension, weights=weights, neighbours=make_neighbours())
    fill(grouping, learnt)
    _send_parts(pipe, grouping.items)
    _send_parts(pipe, list(grouping.micros.values()))
    pipe.send((grouping.reader.lexicon, grouping.clustered_at))


@contextmanager
def _child(work: Callable[[Connection], None]) -> Iterator[Connection]:
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    child = context.Process(target=_run, args=(work, theirs), name="sre-kb learner", daemon=True)
    child.start()
    theirs.close()
    patience_s = _PATIENCE_S
    try:
        yield mine
    except ApartFailed:
        patience_s = 0.0
        raise
    except (EOFError, BrokenPipeError, ConnectionResetError) as exc:
        raise ApartFailed("its process died") from exc
    finally:
        mine.close()
        child.join(patience_s)
        if child.is_alive():
            child.kill()
            child.join()


def _run(work: Callable[[Connection], None], pipe: Connection) -> None:
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    try:
        work(pipe)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the parent has gone
    except (ArithmeticError, LookupError, MemoryError, TypeError, ValueError) as exc:
        pipe.send(_Failed(f"{type(exc).__name__}: {exc}"))


def _send_parts(pipe: Connection, values: Sequence[Value]) -> None:
    for start in range(0, len(values), PART):
        pipe.send(list(values[start : start + PART]))
    pipe.send([])


def _received_parts(
    pipe: Connection, embed: EmbedTexts | None = None, is_given_up: Callable[[], bool] | None = None
) -> Iterator[Value]:
    """The values of one `_send_parts`; questions that come before them are answered."""
    while True:
        _wait_for(pipe, is_given_up)
        message = pipe.recv()
        if isinstance(message, _Failed):
            raise ApartFailed(message.reason)
        if isinstance(message, _Ask) and embed is not None:
            pipe.send(np.asarray(embed(message.texts), dtype=np.float32))
        elif message:
            yield from message
        else:
            return


def _wait_for(pipe: Connection, is_given_up: Callable[[], bool] | None) -> None:
    """Until there is something to receive. Raises `ApartFailed` when it is given up."""
    while is_given_up is not None:
        if is_given_up():
            raise ApartFailed("the learner was closed")
        if pipe.poll(_LOOK_S):
            return


def _asking(pipe: Connection) -> EmbedTexts:
    def embed(texts: Sequence[str]) -> Vectors:
        parts = []
        for start in range(0, len(texts), PART):
            pipe.send(_Ask(texts[start : start + PART]))
            parts.append(pipe.recv())
        return np.concatenate(parts)

    return embed


def _embedding(embed: EmbedTexts, vectors: dict[str, Vector]) -> EmbedTexts:
    """`embed` that also remembers what it has embedded."""

    def remembering(texts: Sequence[str]) -> Vectors:
        rows = np.asarray(embed(texts), dtype=np.float32)
        vectors.update(zip(texts, rows, strict=True))
        return rows

    return remembering
