"""Two learnings of the same data give the same bytes, whatever order Python keeps its sets in."""

import subprocess
import sys
from pathlib import Path

import pytest

_SCRIPT = """
import sys, hashlib
from itertools import count
from kb.memory_records import MemoryRecords
from kb.redact import redact
from tests.learner.learner_contract import ANNA, BEN, LATER, Stage, told
ids = count(1)
stage = Stage(MemoryRecords(now=lambda: LATER, new_id=lambda: f"id{next(ids)}", redact=redact))
learner = stage.opened()
nouns = ["queue", "volume", "certificate", "replica", "ingress", "cache"]
verbs = ["keeps growing", "nearly full", "expires soon", "lags behind", "answers with 5xx"]
for number in range(150):
    title = f"{nouns[number % 6]} of {nouns[(number * 5 + 1) % 6]} {verbs[(number * 7) % 5]}"
    text = f"Seen on {nouns[number % 5]} and {nouns[(number + 2) % 6]}. Then {verbs[number % 5]} for host-{number}."
    learner.learn([told(number, title, description=text)], ANNA if number % 3 else BEN)
    learner.recluster_if_due()
learner.settle()
patterns = learner.patterns()
print(len(patterns), hashlib.sha256(repr((patterns, learner.effectiveness())).encode()).hexdigest())
"""


@pytest.mark.integration
def test_two_learnings_of_the_same_data_give_the_same_bytes(repository: Path) -> None:
    said = set()
    for seed in ("1", "2"):
        env = {"PYTHONPATH": str(repository), "PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, "-c", _SCRIPT], env=env, capture_output=True, text=True, timeout=120, check=True
        )
        said.add(done.stdout)
    assert len(said) == 1
    assert int(said.pop().split()[0]) > 3
