"""What the rest of the index asks of an embedding model, and the test twin that needs no weights. The adapters of real
models live in `onnx_model` and `torch_model`; `embedders` chooses between them."""

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]  # (dim,), unit length
Vectors = NDArray[np.float32]  # (n, dim), rows of unit length
Progress = Callable[[int, int], None]  # texts done, texts in all

_WORD = re.compile(r"\w+")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class Embedder(Protocol):
    """Text in, unit vectors out; the same text gives the same vector in any batch and in any process.

    `model_id` names everything that shapes a vector (weights, precision), so that vectors of two embedders with equal
    ids may be mixed, and no others.
    """

    @property
    def model_id(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    def embed_passages(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """Vectors of `texts` in their order, shape (n, dim), float32."""
        ...

    def embed_query(self, text: str) -> Vector:
        """The vector to compare passages with, shape (dim,), float32, read-only."""
        ...


class RecentQueries:
    """The vectors of the last `size` queries; safe to use from many threads. People type, correct and repeat."""

    def __init__(self, embed: Callable[[str], Vector], *, size: int = 512) -> None:
        self._embed = embed
        self._size = size
        self._lock = threading.Lock()
        self._vectors: OrderedDict[str, Vector] = OrderedDict()

    def get(self, text: str) -> Vector:
        """The vector of `text`, embedded now unless it was asked for lately."""
        with self._lock:
            known = self._vectors.get(text)
            if known is not None:
                self._vectors.move_to_end(text)
                return known
        vector = self._embed(text)
        vector.flags.writeable = False
        with self._lock:
            self._vectors[text] = vector
            while len(self._vectors) > self._size:
                self._vectors.popitem(last=False)
        return vector


def without_surrogates(text: str) -> str:
    """`text` as every tokenizer accepts it: half characters, which UTF-8 cannot express, become U+FFFD."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


class HashingEmbedder:
    """A bag of words hashed into `dimension` buckets: no weights, the same on every machine, computable by hand.

    For tests and for the synthetic part of benchmarks. It knows nothing of meaning and never stands in for a model.
    """

    def __init__(self, *, dimension: int = 64) -> None:
        self.dimension = dimension
        self.model_id = f"hashing-{dimension}"

    def embed_passages(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self._embed(text)
            if progress is not None:
                progress(row + 1, len(texts))
        return vectors

    def embed_query(self, text: str) -> Vector:
        vector = self._embed(text)
        vector.flags.writeable = False
        return vector

    def _embed(self, text: str) -> Vector:
        vector = np.zeros(self.dimension, dtype=np.float32)
        for word in _WORD.findall(without_surrogates(text).lower()):
            digest = hashlib.blake2b(word.encode(), digest_size=8).digest()
            vector[int.from_bytes(digest[:4]) % self.dimension] += 1.0 if digest[4] % 2 else -1.0
        length = float(np.linalg.norm(vector))
        if length == 0.0:  # no word, or words that cancel out: one fixed direction, never a vector of zeros
            vector[0] = 1.0
            return vector
        return vector / np.float32(length)
