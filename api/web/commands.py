"""A code block as pieces a page can show: text, blanks with the quoting they stand in, and the `--context` that keeps a
kubectl command on the right cluster. Nothing here runs or judges a command."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from api.web.fill import Quoting
from api.web.shell_text import context_places, quoting_at
from kb.runbook import Parameter

CLUSTER = "cluster"
_SHELLS = frozenset({"", "bash", "sh", "shell", "zsh", "ksh", "console", "shell-session", "shellsession", "terminal"})


@dataclass(frozen=True, slots=True)
class Blank:
    """A place for a parameter's value. `flag` is the option that we put in front of it (`--context`); empty when the
    author wrote the blank."""

    name: str
    spelling: str
    quoting: Quoting
    flag: str = ""


Piece = str | Blank


def is_shell(language: str) -> bool:
    """Whether a fence of this language holds shell text; a fence without a language does, in runbooks."""
    return language.lower() in _SHELLS


def split_command(text: str, language: str, parameters: Sequence[Parameter]) -> tuple[Piece, ...]:
    """`text` cut at its blanks, in order. Joined without the blanks that have a flag, it is `text` again."""
    shell = is_shell(language)
    found = list(_spellings_in(text, parameters))
    quotings = quoting_at(text, [start for start, _, _ in found]) if shell else [Quoting.LITERAL] * len(found)
    cuts = [
        (start, end, Blank(name, text[start:end], q)) for (start, end, name), q in zip(found, quotings, strict=True)
    ]
    if shell:
        cuts += [(at, at, Blank(CLUSTER, f"<{CLUSTER}>", Quoting.BARE, flag)) for at, flag in context_places(text)]
    return tuple(_pieces(text, sorted(cuts, key=lambda cut: cut[:2])))


def _pieces(text: str, cuts: Sequence[tuple[int, int, Blank]]) -> Iterator[Piece]:
    position = 0
    for start, end, blank in cuts:
        if start < position:
            continue
        if start > position:
            yield text[position:start]
        yield blank
        position = end
    if position < len(text):
        yield text[position:]


def _spellings_in(text: str, parameters: Sequence[Parameter]) -> Iterator[tuple[int, int, str]]:
    """Start, end and parameter name of every blank. The longer spelling wins; `$POD` is not the head of `$POD_NAME`."""
    names = {spelling: parameter.name for parameter in parameters for spelling in parameter.spellings}
    if not names:
        return
    longest_first = sorted(names, key=len, reverse=True)
    pattern = "|".join(re.escape(s) + (r"(?!\w)" if re.match(r"\$\w", s) else "") for s in longest_first)
    for match in re.finditer(pattern, text):
        yield match.start(), match.end(), names[match[0]]
