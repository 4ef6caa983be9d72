"""A runbook's text as HTML for its page: sanitised Markdown whose code blocks can be filled and copied. Pure."""

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import unescape
from urllib.parse import unquote

from markupsafe import Markup, escape

from api.web.commands import Blank, Piece, is_shell, split_command
from api.web.fill import quote
from api.web.urls import Urls
from kb.html import render_html
from kb.runbook import Command, Runbook

# What kb.html writes for a command, after nh3; nothing else on a page has this shape.
_BLOCK = re.compile(r'<pre data-command="(\d+)"><code(?: class="[^"]*")?>(.*?)</code></pre>', re.DOTALL)
_CHECKBOX = re.compile(r'<input type="checkbox" disabled=""')

LinkResolver = Callable[[str], str | None]


def commands_of(runbook: Runbook) -> tuple[Command, ...]:
    """All commands of a runbook, numbered as `kb.html` numbers them."""
    return tuple(command for section in runbook.sections for command in section.commands)


def blanks_of(commands: Sequence[Command]) -> tuple[str, ...]:
    """The names of all blanks, those that say where one works first, the rest in the order of the text."""
    names = dict.fromkeys(piece.name for command in commands for piece in _pieces(command) if isinstance(piece, Blank))
    first = [name for name in ("cluster", "namespace") if name in names]
    return (*first, *(name for name in names if name not in first))


def adds_context(commands: Sequence[Command]) -> bool:
    """Whether some command is shown with a `--context` that its author did not write."""
    return any(isinstance(piece, Blank) and piece.flag for command in commands for piece in _pieces(command))


def title_anchor(runbook: Runbook) -> str:
    """The anchor of a first heading that only repeats the runbook's title; a page shows that heading as its own."""
    first = next((section for section in runbook.sections if section.level), None)
    return first.anchor if first and first.title == runbook.title else ""


def prose(runbook: Runbook, values: Mapping[str, str], resolve_link: LinkResolver | None = None) -> Markup:
    """The runbook's text below its title, with its blanks filled from `values` (parameter name -> value)."""
    anchors = [section.anchor for section in runbook.sections if section.level]
    commands = commands_of(runbook)

    def block(match: re.Match[str]) -> str:
        number = int(match[1])
        if number >= len(commands):
            return match[0]
        return command_html(commands[number], number, values, written=unescape(match[2]))

    rendered = render_html(runbook.text, heading_anchors=anchors, resolve_link=resolve_link)
    if own := title_anchor(runbook):
        rendered = re.sub(rf'<(h[1-6]) id="{re.escape(own)}">.*?</\1>', "", rendered, count=1, flags=re.DOTALL)
    html = _BLOCK.sub(block, rendered)
    html = _CHECKBOX.sub('<input type="checkbox" disabled="" aria-label="Done"', html)
    html = html.replace("<table>", '<div class="table-scroll" role="region" aria-label="Table" tabindex="0"><table>')
    return Markup(html.replace("</table>", "</table></div>"))  # noqa: S704  # nh3's output, and ours, escaped below


def command_html(command: Command, number: int, values: Mapping[str, str], *, written: str) -> str:
    """One code block with its copy button. `written` is the block as it stands in the file; where that is a shell
    session, what can be pasted is shown and the session kept below."""
    code = Markup("").join(_piece_html(piece, values) for piece in _pieces(command))
    is_session = written.split() != command.text.split()
    session = _SESSION.format(written.strip("\n")) if is_session else Markup("")
    return str(
        _COMMAND.format(
            wraps=" wraps" if command.language and is_shell(command.language) else "",
            number=number,
            ordinal=number + 1,
            language=command.language,
            code=code,
            session=session,
        )
    )


_SESSION = Markup(
    '<details class="written"><summary>As written, with prompts and output</summary>'
    '<pre tabindex="0">{}</pre></details>'
)
_COMMAND = Markup(
    '<div class="command{wraps}" data-command="{number}">'
    '<div class="command-head"><span class="language">{language}</span><span class="told" role="status"></span>'
    '<button type="button" class="js-only" data-copy aria-label="Copy command {ordinal}">Copy</button></div>'
    '<pre tabindex="0" role="region" aria-label="Command {ordinal}"><code>{code}</code></pre>{session}</div>'
)
_BLANK = Markup(
    '<span class="blank{filled}" data-name="{name}" data-spelling="{spelling}" data-quoting="{quoting}">{shown}</span>'
)
_ADDED = Markup('<span class="added"> {flag} {blank}</span>')


def _pieces(command: Command) -> tuple[Piece, ...]:
    return split_command(command.text, command.language, command.parameters)


def _piece_html(piece: Piece, values: Mapping[str, str]) -> Markup:
    if isinstance(piece, str):
        return escape(piece)
    pasted = quote(values.get(piece.name, ""), piece.quoting)
    blank = _BLANK.format(
        filled=" filled" if pasted else "",
        name=piece.name,
        spelling=piece.spelling,
        quoting=piece.quoting.value,
        shown=pasted or piece.spelling,
    )
    return _ADDED.format(flag=piece.flag, blank=blank) if piece.flag else blank


def link_resolver(path: str, ids_by_path: Mapping[str, str], urls: Urls, labels: Mapping[str, str]) -> LinkResolver:
    """Turns a link to a file beside this one into the address of that runbook's page, keeping the alert's labels; a
    link to a file that is no runbook loses its target."""

    def resolve(target: str) -> str | None:
        file, _, anchor = target.partition("#")
        folder = posixpath.dirname(path)
        for candidate in _candidates(posixpath.normpath(posixpath.join(folder, unquote(file.partition("?")[0])))):
            if candidate in ids_by_path:
                return urls.runbook(ids_by_path[candidate], labels=labels, anchor=anchor)
        return None

    return resolve


def _candidates(path: str) -> Iterator[str]:
    yield path
    yield from (path + suffix for suffix in (".md", "/README.md", "/index.md"))
