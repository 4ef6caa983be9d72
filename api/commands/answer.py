"""What sre-kb search does: one answer from the saved index, without a server."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from api.acts import SearchRequest
from api.commands.console import out, print_json, progress_bar, remark, shown
from api.commands.options import runbook_type, severity_of
from api.engine import Engine
from api.settings import Settings
from api.strict_json import parse_json
from api.webhooks.payload import MAX_TEXT_CHARS, leading_alert, read_payload
from api.wiring import open_knowledge_base
from kb.errors import InvalidInput
from kb.hits import Answer, Hit
from kb.incident import Alert
from kb.principal import Face, local

EXIT_NO_MATCH = 1
_MARK_STYLE = {"\x02": "\x1b[1;33m", "\x03": "\x1b[0m"}


@dataclass(frozen=True, slots=True)
class Question:
    """What was typed."""

    words: Sequence[str]
    alert_file: Path | None
    type: str
    severity: str
    service: str
    tag: str
    limit: int


def answer(question: Question, settings: Settings, *, open_engine: Callable[[], Engine], as_json: bool) -> int:
    """Search and print; 1 when nothing matches well."""
    request = _request(question)
    with open_knowledge_base(settings, open_engine=open_engine) as base:
        with progress_bar("Indexing") as progress:
            base.catch_up(progress)
        found = base.services.search(request, local(Face.CLI))
    if as_json:
        _print_json(found, settings)
    else:
        _print_answer(found, colour=sys.stdout.isatty())
    return 0 if found.hits else EXIT_NO_MATCH


def _request(question: Question) -> SearchRequest:
    text, alert = subject_of(question.words, question.alert_file)
    return SearchRequest(
        text=text,
        alert=alert,
        type=runbook_type(question.type),
        severity=severity_of(question.severity),
        service=question.service,
        tag=question.tag,
        limit=question.limit,
    )


def _print_json(found: Answer, settings: Settings) -> None:
    from api import shapes  # only this way of printing needs the bodies of the HTTP face
    from api.web.urls import Urls

    print_json(shapes.search_answer(found, Urls(settings.base_path)))


def subject_of(words: Sequence[str], alert_file: Path | None) -> tuple[str, Alert | None]:
    """The text or the alert that was typed, named or piped in. Raises `InvalidInput`."""
    if alert_file is not None and words:
        raise InvalidInput("--alert-file", "stands beside a text", advice="Give one of the two.")
    if alert_file is not None:
        return _from_json(_read(alert_file))
    if words:
        return " ".join(words), None
    if sys.stdin.isatty():
        raise InvalidInput("TEXT", "is missing", advice="Say what to search for: sre-kb search 'disk is full'.")
    raw = sys.stdin.buffer.read(MAX_TEXT_CHARS)
    return raw.decode("utf-8", "replace"), None


def _read(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as exc:
        reason = f"cannot be read ({exc.strerror})"
        raise InvalidInput(f"--alert-file {path}", reason, advice="Check the path.") from None


def _from_json(raw: bytes) -> tuple[str, Alert | None]:
    try:
        subject = read_payload(parse_json(raw))
    except InvalidInput as exc:
        raise InvalidInput("--alert-file", exc.reason, advice=exc.advice) from None
    return subject.text, leading_alert(subject.alerts) if subject.alerts else None


def _print_answer(answer: Answer, *, colour: bool) -> None:
    if answer.degraded:
        remark(f"Degraded: {answer.degraded}.")
    if not answer.hits:
        out("No runbook matches well." + (" The closest:" if answer.near_misses else ""))
    print_hits(answer.hits or answer.near_misses[:3], colour=colour)
    if answer.drafts:
        out("Unreviewed drafts:")
        for draft in answer.drafts:
            out(f"   {shown(draft.runbook.title)}  ({draft.runbook.id})")


def print_hits(hits: Sequence[Hit], *, colour: bool) -> None:
    """Runbooks, each with the section that matched."""
    for number, hit in enumerate(hits, start=1):
        _print_hit(number, hit, colour=colour)


def _print_hit(number: int, hit: Hit, *, colour: bool) -> None:
    card = hit.runbook
    title = typer.style(shown(card.title), bold=True) if colour else shown(card.title)
    out(f"{number}. {title}  {round(hit.confidence * 100)} %")
    section = " > ".join(part for part in hit.chunk.section_path if part)
    facts = [fact for fact in (section, card.severity.value if card.severity else "", card.service) if fact]
    out(f"   {shown('  |  '.join(facts))}")
    out(f"   {_snippet(hit.snippet, colour=colour)}")
    if hit.reasons.matched_terms or hit.reasons.notes:
        why = [*hit.reasons.notes, *([", ".join(hit.reasons.matched_terms)] if hit.reasons.matched_terms else [])]
        out(f"   why: {shown('; '.join(why))}")
    out(f"   sre-kb show {card.id}" + (f" --anchor {hit.chunk.anchor}" if hit.chunk.anchor else ""))


def _snippet(snippet: str, *, colour: bool) -> str:
    parts = " ".join(snippet.split()).replace("\x02", "\n\x02").replace("\x03", "\n\x03").split("\n")
    styled = []
    for part in parts:
        mark, rest = (part[0], part[1:]) if part[:1] in _MARK_STYLE else ("", part)
        styled.append((_MARK_STYLE[mark] if mark and colour else "") + shown(rest))
    return "".join(styled) + ("\x1b[0m" if colour else "")
