"""Kill the records while they learn, and send every request again until it is answered: each is done exactly once."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration


@pytest.mark.slow
@pytest.mark.parametrize(("kills", "seed"), [(40, 1), pytest.param(500, 2, marks=pytest.mark.soak, id="soak-500")])
def test_every_acknowledged_incident_is_there_exactly_once(
    repository: Path, tmp_path: Path, kills: int, seed: int
) -> None:
    child = subprocess.run(
        [
            sys.executable,
            str(repository / "tests" / "kb" / "record_crash_child.py"),
            str(tmp_path),
            str(kills),
            str(seed),
        ],
        env={"PYTHONPATH": str(repository), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120 + 4 * kills,
        check=False,
    )
    assert child.returncode == 0, f"{child.stdout}\n{child.stderr}"
    requests = int(child.stdout.split()[-2])
    print(f"{kills} kills, {requests} requests, each done once")  # noqa: T201 - soak prints its figures
    assert requests > kills
