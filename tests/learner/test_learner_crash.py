"""Kill processes while they learn, and send every incident again until it is answered: each is learnt exactly once, and
the statistics are those of a recount."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration


@pytest.mark.slow
@pytest.mark.parametrize(("kills", "seed"), [(40, 1), pytest.param(500, 2, marks=pytest.mark.soak, id="soak-500")])
def test_every_acknowledged_incident_is_learnt_exactly_once(
    repository: Path, tmp_path: Path, kills: int, seed: int
) -> None:
    child = subprocess.run(
        [
            sys.executable,
            str(repository / "tests" / "learner" / "learner_crash_child.py"),
            str(tmp_path),
            str(kills),
            str(seed),
        ],
        env={"PYTHONPATH": str(repository), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=180 + 6 * kills,
        check=False,
    )
    assert child.returncode == 0, f"{child.stdout}\n{child.stderr}"
    requests = int(child.stdout.split()[-2])
    print(f"{kills} kills, {requests} requests, each learnt once")  # noqa: T201 - soak prints its figures
    assert requests > kills
