"""What every test shares: the offline switch, the place of optional benchmark data, and the rule that CI skips nothing."""

import os
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
