"""sre-kb search, as far as it must be quick: the model begins to load before the rest of the program is imported. What
the command does is in `api.commands.answer`."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from api.settings import Settings, load_settings

if TYPE_CHECKING:
    from indexer.embed import Embedder


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
    with ThreadPoolExecutor(1, thread_name_prefix="model") as loader:
        model: Future[Embedder] = loader.submit(_open_model, settings)
        from api.commands.answer import Question, answer  # imported while the model loads: a quarter of a second

        question = Question(words, alert_file, type, severity, service, tag, limit)
        return answer(question, settings, open_model=model.result, as_json=as_json)


def _open_model(settings: Settings) -> "Embedder":
    from api.model import open_model

    return open_model(settings, say=lambda text: typer.echo(text, err=True))
