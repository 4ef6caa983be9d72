"""sre-kb recommend: what ended such incidents before, and which runbooks match."""

import sys
from collections.abc import Sequence
from pathlib import Path

from api.acts import SearchRequest
from api.commands.answer import print_hits, subject_of
from api.commands.console import out, print_json, progress_bar, shown
from api.commands.printing import percent, print_actions, span
from api.learning.acts import RecommendView
from api.learning.pattern_shapes import escalation, recommend_out, says
from api.settings import load_settings
from api.web.urls import Urls
from api.wiring import open_knowledge_base
from kb.principal import Face, local

EXIT_NOTHING = 1


def run(*, words: Sequence[str], alert_file: Path | None, limit: int, as_json: bool) -> int:
    """Print a recommendation; 1 when nothing is known."""
    settings = load_settings()
    text, alert = subject_of(words, alert_file)
    request = SearchRequest(text=text, alert=alert, limit=limit)
    with open_knowledge_base(settings) as base:
        with progress_bar("Opening") as progress:
            base.catch_up(progress)
            base.learning_base.open(progress)
        view = base.services.learning.recommend(request, local(Face.CLI))
    if as_json:
        print_json(recommend_out(view, Urls(settings.base_path)))
    else:
        _print(view)
    return 0 if view.has_something else EXIT_NOTHING


def _print(view: RecommendView) -> None:
    out(shown(says(view)))
    found, pattern = view.recommendation, view.pattern
    if found is not None and pattern is not None:
        out(f"   {pattern.id}, likely to {round(100 * found.likelihood)} %; {percent(pattern.success)}")
        print_actions(found.actions, found.cautions)
        if found.expected_s is not None:
            out(f"   half of them ended within {span(found.expected_s)}")
        for similar in found.similar:
            out(f"   like it: {similar.incident_id}  {shown(similar.title)}")
    if view.level is not None and view.has_something:
        out(f"   call: {shown(', '.join(escalation(view.level)))}")
    print_hits(view.answer.hits, colour=sys.stdout.isatty())
