"""The reference names everything there is: a setting, route, problem or command without a word about it fails here."""

import re
from pathlib import Path

import pytest
import typer

from api.access import LEAST_ROLE
from api.cli import app
from api.problems import all_kinds
from api.settings import CONFIG_VARIABLE, PREFIX, Settings


@pytest.fixture
def page(repository: Path, request: pytest.FixtureRequest) -> str:
    return (repository / "docs" / "reference" / request.param).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["settings.md"], indirect=True)
def test_every_setting_is_explained_and_no_other(page: str) -> None:
    named = set(re.findall(rf"`({PREFIX}[A-Z_]+)`", page))
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {CONFIG_VARIABLE, "SRE_KB_SERVICE_HOST"}
    assert named == known


@pytest.mark.parametrize("page", ["http.md"], indirect=True)
def test_every_route_is_explained_and_no_other(page: str) -> None:
    named = set(re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^`\s]*)`", page))
    assert named == {door for door in LEAST_ROLE if not door.startswith("cli ")}


@pytest.mark.parametrize("page", ["http.md"], indirect=True)
def test_every_kind_of_problem_is_explained_with_its_status_and_no_other(page: str) -> None:
    named = set(re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \|", page, flags=re.MULTILINE))
    assert named == {(kind.slug, str(kind.status)) for kind in all_kinds()}


@pytest.mark.parametrize("page", ["cli.md"], indirect=True)
def test_every_command_and_every_option_is_explained_and_no_other(page: str) -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a group, since there are several
    assert set(re.findall(r"`sre-kb ([a-z]+)`", page)) >= set(commands)
    listed = set(re.findall(r"^\| `sre-kb ([a-z]+)` \|", page, flags=re.MULTILINE))
    assert listed == set(commands)
    for name, command in commands.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `sre-kb {name}` |"))
        options = {max(option.opts, key=len) for option in command.params if option.param_type_name == "option"}
        assert set(re.findall(r"`(--[a-z-]+)`", row)) == options - {"--json", "--help"}, name


def test_every_command_has_a_row_in_the_access_table() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a group, since there are several
    assert {f"cli {name}" for name in commands} == {door for door in LEAST_ROLE if door.startswith("cli ")}
