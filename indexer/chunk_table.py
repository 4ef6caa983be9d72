"""All chunks of a generation in one block of bytes, decoded when somebody asks for one: a search looks at a few dozen
of thousands, and loading should cost what reading a file costs."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.lexical import UpdatePlan
from kb.hits import Chunk

Offsets = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ChunkTable:
    """Row i is chunk i of the generation; `runbook_rows[i]` is the row of the runbook it is from. Bytes
    `offsets[i]:offsets[i + 1]` of `block` hold it as JSON."""

    runbook_ids: tuple[str, ...]
    runbook_rows: NDArray[np.int64]
    offsets: Offsets
    block: bytes

    @classmethod
    def empty(cls) -> "ChunkTable":
        return cls((), np.empty(0, dtype=np.int64), np.zeros(1, dtype=np.int64), b"")

    @classmethod
    def of(cls, runbook_ids: tuple[str, ...], chunk_starts: Offsets, offsets: Offsets, block: bytes) -> "ChunkTable":
        """A saved table; `chunk_starts` as in `LexicalIndex`."""
        rows = np.repeat(np.arange(len(runbook_ids)), np.diff(chunk_starts))
        return cls(runbook_ids, rows, offsets, block)

    def __len__(self) -> int:
        return len(self.runbook_rows)

    def __getitem__(self, row: int) -> Chunk:
        text = self.block[self.offsets[row] : self.offsets[row + 1]].decode("utf-8", "surrogatepass")
        anchor, section_path, start, end, body = json.loads(text)
        runbook_id = self.runbook_ids[int(self.runbook_rows[row])]
        return Chunk(runbook_id, anchor, tuple(section_path), start, end, body)

    def updated(self, plan: UpdatePlan) -> "ChunkTable":
        """The table after `plan`: whole runs of rows that stay together are copied at once."""
        encoded = [_encode(chunk) for features in plan.added for chunk in features.chunks]
        old, new = memoryview(self.block), memoryview(b"".join(encoded))
        new_offsets = np.concatenate(([0], np.cumsum([len(part) for part in encoded]))).astype(np.int64)
        first_new = len(self) + 1  # a gap of one, so that an old run and a new one never look like one
        sources = _sources(plan, first_new)
        pieces = []
        for first, last in _runs(sources):
            if first < first_new:
                pieces.append(old[self.offsets[first] : self.offsets[last + 1]])
            else:
                pieces.append(new[new_offsets[first - first_new] : new_offsets[last + 1 - first_new]])
        sizes = np.concatenate((np.diff(self.offsets), [0], np.diff(new_offsets)))[sources]
        return ChunkTable.of(
            plan.ids, plan.chunk_starts, np.concatenate(([0], np.cumsum(sizes))).astype(np.int64), b"".join(pieces)
        )


def _encode(chunk: Chunk) -> bytes:
    row = [chunk.anchor, chunk.section_path, chunk.start, chunk.end, chunk.text]
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _sources(plan: UpdatePlan, first_new: int) -> NDArray[np.int64]:
    """Where each new row comes from: an old row, or `first_new` plus the place among the added chunks."""
    sources = np.empty(int(plan.chunk_starts[-1]), dtype=np.int64)
    kept = np.flatnonzero(plan.chunk_rows >= 0)
    sources[plan.chunk_rows[kept]] = kept
    for features, row in zip(plan.added, plan.added_chunk_rows, strict=True):
        count = len(features.chunks)
        sources[row : row + count] = np.arange(first_new, first_new + count)
        first_new += count
    return sources


def _runs(values: NDArray[np.int64]) -> Iterable[tuple[int, int]]:
    """First and last of each run of numbers that follow on one another."""
    if not len(values):
        return []
    breaks = np.flatnonzero(np.diff(values) != 1)
    firsts = values[np.concatenate(([0], breaks + 1))]
    lasts = values[np.concatenate((breaks, [len(values) - 1]))]
    return zip(firsts.tolist(), lasts.tolist(), strict=True)
