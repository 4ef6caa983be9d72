"""sre-kb insights: what patterns and the use of runbooks ask people to do."""

from api.commands.console import out, print_json, progress_bar, remark, shown
from api.learning.insight_schemas import InsightsOut
from api.learning.insight_shapes import insights_out
from api.settings import load_settings
from api.web.urls import Urls
from api.wiring import open_knowledge_base


def run(*, rules: bool, limit: int, as_json: bool) -> int:
    """Print the weightiest, or the rule file."""
    settings = load_settings()
    with open_knowledge_base(settings) as base:
        with progress_bar("Opening") as progress:
            base.catch_up(progress)
            base.learning_base.open(progress)
        view = base.services.learning.insights()
    if rules:
        out((view.rules or "groups: []\n").rstrip("\n"))
        return 0
    if as_json:
        told = insights_out(view.insights[:limit], Urls(settings.base_path))
        print_json(InsightsOut(insights=told.insights, total=len(view.insights)))
        return 0
    for insight in view.insights[:limit]:
        out(f"{insight.kind.value}: {shown(insight.text)}")
        subject = f" {shown(insight.action.subject)}" if insight.action.subject else ""
        out(f"   {insight.action.kind.value}{subject}  ({len(insight.incident_ids)} incidents)")
    remark(f"{len(view.insights)} insights.")
    return 0
