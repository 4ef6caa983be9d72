"""What the learner's tests share: incidents that are short to write, and embeddings that need no model."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from kb.incident import ActionOutcome, ActionTaken, DiagnosisStep, Incident, Resolution
from learner.assign import Grouping
from learner.words import terms_in

START = datetime(2026, 1, 1, tzinfo=UTC)
DIMENSION = 64


def embed_words(texts: Sequence[str]) -> NDArray[np.float32]:
    """A bag of hashed terms for every text: like words, like vectors."""
    rows = np.zeros((len(texts), DIMENSION), dtype=np.float32)
    for row, text in enumerate(texts):
        for term in terms_in(text) or ["nothing"]:
            rows[row] += _direction(term)
        rows[row] /= np.linalg.norm(rows[row])
    return rows


def _direction(term: str) -> NDArray[np.float32]:
    seed = int.from_bytes(hashlib.blake2b(term.encode(), digest_size=4).digest())
    return np.random.default_rng(seed).standard_normal(DIMENSION).astype(np.float32)


def make_incident(
    number: int,
    title: str = "Checkout queue is growing",
    *,
    actions: tuple[tuple[str, ActionOutcome], ...] = (),
    success: bool | None = True,
    by: str = "ana",
    duration_s: float | None = 600.0,
    lessons: tuple[str, ...] = (),
    alerts: tuple[str, ...] = (),
) -> Incident:
    at = START + timedelta(days=number)
    return Incident(
        id=f"inc-{number}",
        title=title,
        started_at=at,
        recorded_at=at,
        reported_by=by,
        alerts=alerts,
        duration_s=duration_s,
        lessons=lessons,
        diagnosis=(DiagnosisStep("Look at the consumer lag"), DiagnosisStep("Look at the broker log")),
        resolution=Resolution(tuple(ActionTaken(text, outcome=outcome) for text, outcome in actions), success=success),
    )


@pytest.fixture
def incident() -> Callable[..., Incident]:
    return make_incident


@pytest.fixture
def grouping() -> Grouping:
    return Grouping(embed_words, dimension=DIMENSION)


@pytest.fixture
def new_grouping() -> Callable[[], Grouping]:
    return lambda: Grouping(embed_words, dimension=DIMENSION)
