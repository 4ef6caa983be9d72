"""What every test shares: the offline switch, optional benchmark data, the bundled runbooks indexed once, and the rule
that CI skips nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the source tree."""
    return REPOSITORY


@pytest.fixture(scope="session")
def bench_dir() -> Path:
    """The folder with `retrieval/` and `learner/` benchmark data; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("SRE_KB_BENCH_DIR", REPOSITORY.parent / "shared" / "bench"))
    if not folder.is_dir():
        pytest.skip(f"no benchmark data at {folder}; set SRE_KB_BENCH_DIR to the folder that holds retrieval/")
    return folder


@pytest.fixture(scope="session")
def models_dir(pytestconfig: pytest.Config) -> Path:
    """Where the bundled model's export is kept between test runs: it takes 12 s, is keyed by content and checked."""
    return pytestconfig.cache.mkdir("models") if pytestconfig.cache else REPOSITORY / "build" / "models"


@pytest.fixture(scope="session")
def bundled_home(tmp_path_factory: pytest.TempPathFactory, models_dir: Path) -> Path:
    """A folder with `runbooks/`, a copy of the bundled ones, and `data/`, their index by the bundled model.

    Shared by all tests of a session: read it, or copy it before changing anything.
    """
    home = tmp_path_factory.mktemp("bundled")
    (home / "data").mkdir()
    (home / "data" / "models").symlink_to(models_dir.resolve(), target_is_directory=True)
    command = [sys.executable, "-c", "import sys; from api.cli import main; sys.exit(main())", "index"]
    done = subprocess.run(command, cwd=REPOSITORY, env=_environment(home), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return home


@pytest.fixture(scope="session")
def bundled_environment(bundled_home: Path) -> dict[str, str]:
    """The environment in which commands work on `bundled_home`."""
    return _environment(bundled_home)


def _environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SRE_KB_")}
    return {**kept, "SRE_KB_RUNBOOKS_DIR": str(home / "runbooks"), "SRE_KB_DATA_DIR": str(home / "data")}


_skipped: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember what was skipped, for the rule below."""
    if report.skipped and not hasattr(report, "wasxfail"):
        _skipped.append(report.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """With SRE_KB_FORBID_SKIPS set, a skipped test is a failed run: a guard that is not run guards nothing."""
    if os.environ.get("SRE_KB_FORBID_SKIPS") and _skipped and exitstatus == 0:
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(f"SRE_KB_FORBID_SKIPS is set and {len(_skipped)} tests were skipped:", red=True)
            for nodeid in _skipped:
                reporter.write_line(f"  {nodeid}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
