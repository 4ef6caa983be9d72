"""The README's commands are run as they stand there, over the bundled runbooks, and print what it says they print."""

import os
import re
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


@pytest.mark.model
@pytest.mark.slow
def test_every_command_of_the_readme_prints_what_the_readme_shows(
    repository: Path, bundled_environment: dict[str, str]
) -> None:
    shown = examples(repository / "README.md")
    assert len(shown) >= 3
    path = os.pathsep.join((str(Path(sys.executable).parent), bundled_environment["PATH"]))
    for command, expected in shown:
        assert expected, f"the README shows no output of: {command}"
        done = subprocess.run(
            ["bash", "-c", command], env={**bundled_environment, "PATH": path}, capture_output=True, text=True
        )
        for line in without_figures(expected).splitlines():
            if line != "…":
                assert line in without_figures(done.stdout + done.stderr), command


def test_both_set_up_commands_are_targets_of_the_makefile(repository: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (repository / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"\bmake ([a-z]+)", (repository / "README.md").read_text())
    assert {"run", "test"} <= set(named) <= set(targets)
