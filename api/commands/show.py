"""sre-kb show: one runbook, for people, for programs, or as it is in its file."""

import sys

from api import shapes
from api.acts import RunbookView
from api.commands.console import out, print_json, remark, shown
from api.settings import load_settings
from api.web.urls import Urls
from api.wiring import open_knowledge_base
from kb.errors import InvalidInput


def run(*, runbook_id: str, anchor: str, raw: bool, as_json: bool) -> int:
    """Print a runbook."""
    settings = load_settings()
    with open_knowledge_base(settings) as base:
        base.catch_up_store()
        view = base.services.runbook(runbook_id)
        content = base.services.version_text(view.stored.document.id, view.stored.version) if raw else b""
    if raw:
        sys.stdout.buffer.write(content)
    elif as_json:
        print_json(shapes.runbook_out(view, Urls(settings.base_path)))
    else:
        _print(view, anchor)
    return 0


def _print(view: RunbookView, anchor: str) -> None:
    text = shown(_section_text(view, anchor))
    runbook = view.runbook
    facts = [runbook.path, view.stored.state.value, runbook.severity.value if runbook.severity else "", runbook.service]
    remark(shown("  |  ".join(fact for fact in facts if fact)))
    if not sys.stdout.isatty():
        out(text)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text, hyperlinks=False))


def _section_text(view: RunbookView, anchor: str) -> str:
    """The section with this anchor and all below it; the whole text for no anchor."""
    runbook = view.runbook
    if not anchor:
        return runbook.text
    start = next((place for place, section in enumerate(runbook.sections) if section.anchor == anchor), None)
    if start is None:
        known = ", ".join(section.anchor for section in runbook.sections if section.anchor)
        raise InvalidInput("--anchor", "is none of this runbook's", advice=f"It has: {known}.")
    first = runbook.sections[start]
    after = (section for section in runbook.sections[start + 1 :] if section.level <= first.level)
    end = next((section.start for section in after), len(runbook.text))
    return runbook.text[first.start : end]
