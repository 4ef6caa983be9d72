"""What commands print with. Answers go to standard output, progress and remarks to standard error; nothing that comes
from files or queries can move the cursor or forge a line."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from pydantic import BaseModel

Progress = Callable[[int, int], None]


def out(text: str = "") -> None:
    """A line of the answer."""
    typer.echo(text)


def remark(text: str) -> None:
    """A line about the answer, for people."""
    typer.echo(text, err=True)


def print_json(body: BaseModel) -> None:
    """The answer for programs, on one line."""
    typer.echo(body.model_dump_json())


def shown(text: str) -> str:
    """Text from outside as it may be printed: control characters made visible, line breaks and tabs kept."""
    return "".join(char if char.isprintable() or char in "\n\t" else f"\\x{ord(char):02x}" for char in text)


@contextmanager
def progress_bar(what: str) -> Iterator[Progress]:
    """A bar on standard error that appears with the first report; nothing at all where nobody looks."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    # Imported here: a search that has nothing to wait for shows no bar.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)
