"""sre-kb trends: incidents by the day they began."""

from api.commands.console import out, print_json
from api.commands.printing import span
from api.learning.insight_shapes import trends_out
from api.settings import load_settings
from api.wiring import open_knowledge_base

_WIDTH = 40


def run(*, days: int, as_json: bool) -> int:
    """Print one line a day."""
    with open_knowledge_base(load_settings()) as base:
        found = base.services.learning.trends(days)
    if as_json:
        print_json(trends_out(found))
        return 0
    most = max((one.total for one in found), default=0)
    for one in found:
        bar = "#" * (0 if not most else -(-one.total * _WIDTH // most))
        lasted = f"  half within {span(one.median_s)}" if one.median_s is not None else ""
        out(f"{one.day}  {one.total:5}  {bar}{lasted}")
    return 0
