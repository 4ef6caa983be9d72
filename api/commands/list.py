"""sre-kb list: the runbooks there are."""

from api import shapes
from api.acts import ListRequest
from api.commands.console import out, print_json, remark, shown
from api.commands.options import runbook_type, severity_of
from api.settings import load_settings
from api.web.urls import Urls
from api.wiring import open_knowledge_base

_ALL = 1_000_000


def run(*, text: str, type: str, severity: str, service: str, tag: str, as_json: bool) -> int:
    """Print one line a runbook."""
    settings = load_settings()
    request = ListRequest(
        type=runbook_type(type), severity=severity_of(severity), service=service, tag=tag, text=text, limit=_ALL
    )
    with open_knowledge_base(settings) as base:
        base.catch_up_store()
        page = base.services.runbooks(request)
    if as_json:
        print_json(shapes.runbook_list(page, Urls(settings.base_path)))
        return 0
    for view in page.items:
        state = "" if view.stored.state.value == "published" else f"  [{view.stored.state.value}]"
        out(f"{view.runbook.id}  {shown(view.runbook.title)}{state}")
    remark(f"{page.total} runbooks.")
    return 0
