"""Kill the store while it writes: nothing it acknowledged is lost, nothing is doubled, the next sync heals the rest."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration


def run_child(repository: Path, *arguments: str, timeout_s: float) -> str:
    child = subprocess.run(
        [sys.executable, str(repository / "tests" / "kb" / "crash_child.py"), *arguments],
        env={"PYTHONPATH": str(repository), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert child.returncode == 0, f"{child.stdout}\n{child.stderr}"
    return child.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("kills", "seed"), [(40, 1), pytest.param(500, 2, marks=pytest.mark.soak, id="soak-500")])
def test_two_writers_killed_at_random_moments_lose_nothing_they_were_told(
    repository: Path, tmp_path: Path, kills: int, seed: int
) -> None:
    run_child(repository, str(tmp_path), str(kills), str(seed), timeout_s=120 + 2 * kills)
    acknowledged = (tmp_path / "acks").read_text().splitlines()
    print(f"{kills} kills, {len(acknowledged)} acknowledged writes, 0 lost")  # noqa: T201 - soak prints its figures
    assert len(acknowledged) >= kills


@pytest.mark.parametrize(("act", "least_steps"), [("create", 12), ("update", 20), ("delete", 15), ("promote", 15)])
def test_a_write_killed_before_any_of_its_steps_is_done_or_not_done(
    repository: Path, tmp_path: Path, act: str, least_steps: int
) -> None:
    output = run_child(repository, str(tmp_path), "failpoints", act, timeout_s=120)
    steps = int(output.split()[0])
    assert steps >= least_steps, "the act has fewer steps than it had: are they still intercepted?"
