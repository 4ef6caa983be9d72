"""sre-kb search, as far as it must be quick: model and index begin to load before the rest of the program is imported.
What the command does is in `api.commands.answer`."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from api.settings import Settings, load_settings

if TYPE_CHECKING:
    from api.engine import Engine


def run(
    *,
    words: Sequence[str],
    alert_file: Path | None,
    type: str,
    severity: str,
    service: str,
    tag: str,
    limit: int,
    as_json: bool,
) -> int:
    """Print the answer; 1 when nothing matches well."""
    settings = load_settings()
    with ThreadPoolExecutor(1, thread_name_prefix="engine") as loader:
        opening: Future[Engine] = loader.submit(_open_engine, settings)
        from api.commands.answer import Question, answer  # imported meanwhile: a third of a second

        question = Question(words, alert_file, type, severity, service, tag, limit)
        return answer(question, settings, open_engine=opening.result, as_json=as_json)


def _open_engine(settings: Settings) -> "Engine":
    from api.engine import open_engine

    return open_engine(settings, say=lambda text: typer.echo(text, err=True))
