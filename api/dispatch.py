"""How a command that was typed is carried out: may it be, and which module does it. Each command's module is imported
when it is called, so that a search does not wait for what only a server needs."""

from importlib import import_module
from typing import Annotated, Any

import typer

from api.access import require
from kb.principal import Face, local

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def run_command(command: str, *, module: str = "", **arguments: Any) -> None:
    """Carry out a command. Raises `AccessDenied`, whatever the command raises, and `typer.Exit` for another end than
    success."""
    require(local(Face.CLI), f"cli {command}")
    code = import_module(f"api.commands.{module or command}").run(**arguments)
    if code:
        raise typer.Exit(code)
