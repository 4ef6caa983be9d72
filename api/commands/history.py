"""sre-kb versions, diff, restore, publish, reviewed: a runbook's past and its review."""

from pydantic import BaseModel

from api import shapes
from api.commands.console import out, print_json, shown
from api.schemas import VersionList
from api.settings import load_settings
from api.web.urls import Urls
from api.wiring import KnowledgeBase, open_knowledge_base
from kb.principal import Face, local


class DiffOut(BaseModel):
    """Two versions compared."""

    id: str
    old: int
    new: int
    diff: str


def run(*, act: str, runbook_id: str, as_json: bool, numbers: tuple[int, ...] = ()) -> int:
    """Do one of the five acts and print what came of it."""
    with open_knowledge_base(load_settings()) as base:
        base.catch_up_store()
        if act == "versions":
            _versions(base, runbook_id, as_json)
        elif act == "diff":
            _diff(base, runbook_id, numbers[0], numbers[1], as_json)
        else:
            _change(base, act, runbook_id, numbers, as_json)
    return 0


def _versions(base: KnowledgeBase, runbook_id: str, as_json: bool) -> None:
    found = [shapes.version_out(version) for version in base.services.versions(runbook_id)]
    if as_json:
        print_json(VersionList(id=runbook_id, versions=found))
        return
    for version in found:
        note = f"  {shown(version.note)}" if version.note else ""
        out(f"{version.number:4}  {version.created_at}  {version.state.value:10}  {shown(version.author)}{note}")


def _diff(base: KnowledgeBase, runbook_id: str, old: int, new: int, as_json: bool) -> None:
    text = base.services.diff(runbook_id, old, new)
    if as_json:
        print_json(DiffOut(id=runbook_id, old=old, new=new, diff=shapes.plain(text)))
    else:
        out(shown(text).rstrip("\n") or "The two versions have the same text.")


def _change(base: KnowledgeBase, act: str, runbook_id: str, numbers: tuple[int, ...], as_json: bool) -> None:
    me = local(Face.CLI)
    if act == "restore":
        view = base.services.restore(runbook_id, numbers[0], me, if_match=None)
    else:
        digest = base.services.runbook(runbook_id).stored.document.sha256
        change = base.services.publish if act == "publish" else base.services.mark_reviewed
        view = change(runbook_id, me, digest=digest)
    if as_json:
        print_json(shapes.runbook_out(view, Urls()))
    else:
        out(f"{view.runbook.id} is at version {view.stored.version}, {view.stored.state.value}.")
