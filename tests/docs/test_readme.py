"""The README's commands are run as they stand there, over the bundled runbooks, and print what it says they print."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
FIGURE = re.compile(r"\d+(?:\.\d+)?")


def examples(page: Path) -> list[tuple[str, str]]:
    """Each `$ command` of the page with the output that follows it."""
    found = []
    for block in CONSOLE.findall(page.read_text()):
        for part in block.split("$ ")[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output.strip()))
    return found


def without_figures(text: str) -> str:
    """Scores and times differ in the last digit from one processor to the next; words do not."""
    return "\n".join(FIGURE.sub("0", line).strip() for line in text.strip().splitlines() if line.strip())


@pytest.fixture
def own_environment(bundled_home: Path, bundled_environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The environment in which commands work on a copy of the bundled home: some of them change what is there."""
    home = tmp_path / "home"
    shutil.copytree(bundled_home, home, symlinks=True)
    path = os.pathsep.join((str(Path(sys.executable).parent), bundled_environment["PATH"]))
    folders = {"SRE_KB_RUNBOOKS_DIR": str(home / "runbooks"), "SRE_KB_DATA_DIR": str(home / "data")}
    return {**bundled_environment, **folders, "PATH": path}


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/tutorial/first-learning.md"])
def test_every_command_of_a_page_prints_what_the_page_shows(
    repository: Path, own_environment: dict[str, str], page: str
) -> None:
    shown = examples(repository / page)
    assert len(shown) >= 3
    for command, expected in shown:
        assert expected, f"{page} shows no output of: {command}"
        done = subprocess.run(
            ["bash", "-c", command], cwd=repository, env=own_environment, capture_output=True, text=True
        )
        for line in without_figures(expected).splitlines():
            if line != "…":
                assert line in without_figures(done.stdout + done.stderr), command


def test_both_set_up_commands_are_targets_of_the_makefile(repository: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (repository / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"\bmake ([a-z]+)", (repository / "README.md").read_text())
    assert {"run", "test"} <= set(named) <= set(targets)
