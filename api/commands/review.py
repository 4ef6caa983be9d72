"""sre-kb review: the learner's drafts, and what the person at the keyboard decides about them."""

import sys
from pathlib import Path

from api import shapes
from api.acts import RunbookView
from api.commands.console import out, print_json, progress_bar, remark, shown
from api.learning.parts import ReviewPage
from api.learning.review_shapes import review_list, review_out
from api.learning.service import Learning
from api.settings import Settings, load_settings
from api.web.urls import Urls
from api.wiring import KnowledgeBase, open_knowledge_base
from kb.errors import InvalidInput
from kb.principal import Face, local
from kb.review_records import ReviewStatus

_ACTS = ("list", "show", "edit", "approve", "reject", "undo", "promote")


def run(*, act: str, subject: str, status: str, digest: str, reason: str, file: Path | None, as_json: bool) -> int:
    """Do one act, and print what came of it."""
    if act not in _ACTS:
        raise InvalidInput("ACT", "is none", advice=f"Use {', '.join(_ACTS)}.")
    if act != "list" and not subject:
        raise InvalidInput("ID", "is missing", advice="'sre-kb review' lists what waits.")
    settings = load_settings()
    with open_knowledge_base(settings) as base:
        base.catch_up_store()
        with progress_bar("Opening") as progress:
            base.learning_base.open(progress)
        learning = base.services.learning
        if act == "list":
            _list(learning, settings, status, as_json)
        elif act == "promote":
            _promote(learning, settings, subject, as_json)
        else:
            page = _acted(learning, act, subject, digest=digest, reason=reason, file=file)
            _index(base, act)
            if as_json:
                print_json(review_out(page, Urls(settings.base_path)))
            else:
                _print(page, act)
    return 0


def _list(learning: Learning, settings: Settings, status: str, as_json: bool) -> None:
    items = learning.reviews(_status(status))
    if as_json:
        print_json(review_list(items, Urls(settings.base_path)))
        return
    for item in items:
        kind = f"{item.review.draft.kind.value}, {item.frequency} incidents, confidence {item.confidence:.2f}"
        state = "" if item.review.status is ReviewStatus.OPEN else f"  [{item.review.status.value}]"
        out(f"{item.review.id}  {shown(item.title)}  ({kind}){state}")
    remark(f"{len(items)} drafts.")


def _promote(learning: Learning, settings: Settings, runbook_id: str, as_json: bool) -> None:
    stored = learning.promote(runbook_id, local(Face.CLI))
    if as_json:
        view = RunbookView(stored, stored.document.runbooks[0])
        print_json(shapes.runbook_out(view, Urls(settings.base_path)))
    else:
        out(f"{stored.document.id} is a static runbook now: {stored.document.path}")


def _acted(learning: Learning, act: str, review_id: str, *, digest: str, reason: str, file: Path | None) -> ReviewPage:
    me = local(Face.CLI)
    if act == "edit":
        return learning.edit_draft(review_id, _text(file), me)
    if act == "undo":
        return learning.undo(review_id, me, reason=reason)
    page = learning.review(review_id)
    chosen = digest or page.digest
    if act == "approve":
        return learning.approve(review_id, me, digest=chosen)
    if act == "reject":
        return learning.reject(review_id, me, digest=chosen, reason=reason)
    return page


def _index(base: KnowledgeBase, act: str) -> None:
    """Bring the index in step, so that the next search finds what was decided."""
    if act != "show" and base.folder.is_dir():
        base.index.refresh(base.store)


def _print(page: ReviewPage, act: str) -> None:
    review = page.review
    if act != "show":
        out(f"{review.id} is {review.status.value}: {shown(page.title)}")
        return
    facts = [review.status.value, review.draft.kind.value, review.draft.document_id, f"sha256 {page.digest}"]
    remark(shown("  |  ".join(facts)))
    if page.notice:
        remark(shown(page.notice))
    out(shown(page.diff if review.draft.base_sha256 and page.diff else page.text).rstrip("\n"))


def _status(text: str) -> ReviewStatus | None:
    if text == "all":
        return None
    try:
        return ReviewStatus(text)
    except ValueError:
        raise InvalidInput("--status", "is none", advice="Use open, approved, rejected, undone or all.") from None


def _text(file: Path | None) -> str:
    try:
        raw = sys.stdin.buffer.read() if file is None else file.read_bytes()
        return raw.decode("utf-8")
    except OSError as exc:
        raise InvalidInput("--file", f"cannot be read ({exc.strerror})", advice="Check the path.") from None
    except UnicodeDecodeError:
        raise InvalidInput("--file", "is not UTF-8", advice="Save it as UTF-8.") from None
