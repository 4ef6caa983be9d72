"""Where a value may stand in shell text, and where a command for a cluster begins. Reading only: enough grammar to put
a value or a flag in the right place, no judgement of what a command does."""

import re
from collections.abc import Iterator, Sequence

from api.web.fill import Quoting

# Command -> (its flag for the kube context, its subcommands that reach no cluster).
_CLUSTER_COMMANDS: dict[str, tuple[str, frozenset[str]]] = {
    "kubectl": ("--context", frozenset({"config", "completion", "plugin", "krew", "options", "kustomize"})),
    "oc": ("--context", frozenset({"config", "completion", "login", "logout", "plugin"})),
    "istioctl": ("--context", frozenset({"profile", "manifest", "completion"})),
    "flux": ("--context", frozenset({"completion", "install"})),
    "stern": ("--context", frozenset()),
    "helm": (
        "--kube-context",
        frozenset(
            {"repo", "search", "template", "lint", "pull", "package", "show", "plugin", "registry", "dependency"}
        ),
    ),
}
_COMMAND_START = re.compile(
    r"(?:^|(?<=[|;&(`]))[ \t]*(?:\$[ \t]+)?"
    r"(?:(?:sudo|time|watch|exec|nohup|then|do|else|while|until|if|!|xargs|env|command)(?:[ \t]+[^|;&\n]*?)??[ \t]+)*"
    r"(?:[A-Za-z_]\w*=\S*[ \t]+)*"
    r"(?P<name>" + "|".join(_CLUSTER_COMMANDS) + r")(?=[ \t]+(?P<word>[^\s|;&)]+))",
    re.MULTILINE,
)
_REST_OF_COMMAND = re.compile(r"(?:\\\n|[^\n|;&])*")
_HAS_CONTEXT = re.compile(r"--(?:kube-?)?context\b|--help\b|--client\b")
# Commands that hand their words to another shell, which splits and expands them once more.
_READ_AGAIN = re.compile(
    r"(?<![\w./-])(?:ssh|eval|su|parallel|pssh|ansible|trap|(?:ba|da|z|k)?sh[ \t]+-\w*c)(?![\w-])(?:\\\n|[^\n])*"
)
_HEREDOC = re.compile(r"<<-?[ \t]*(?P<quote>['\"]?)(?P<word>[A-Za-z_]\w*)(?P=quote)(?!>)")


def context_places(text: str) -> Iterator[tuple[int, str]]:
    """Offsets right behind a cluster command's name that lacks its context flag, each with that flag (`--context`)."""
    for match in _COMMAND_START.finditer(text):
        flag, local = _CLUSTER_COMMANDS[match["name"]]
        rest = _REST_OF_COMMAND.match(text, match.end("name"))
        if match["word"] not in local and not (rest and _HAS_CONTEXT.search(rest[0])):
            yield match.end("name"), flag


def quoting_at(text: str, offsets: Sequence[int]) -> list[Quoting]:
    """Where each offset stands. Text whose quotes do not pair up is no shell that we understand: all LITERAL."""
    states = _scan(text)
    for match in _READ_AGAIN.finditer(text):
        states[match.start() : match.end()] = [Quoting.LITERAL] * len(states[match.start() : match.end()])
    return [states[offset] if states else Quoting.LITERAL for offset in offsets]


def _scan(text: str) -> list[Quoting]:
    """The quoting of every character, or an empty list when a quote is left open.

    `open_` holds what is open, innermost last: a quote character, "(" for `$(`, "`" for the older form.
    """
    states: list[Quoting] = []
    open_: list[str] = []
    heredocs: list[str] = []
    position = 0
    while position < len(text):
        inside = open_[-1] if open_ else ""
        width, state = 1, Quoting.LITERAL if inside in ("'", '"') else Quoting.BARE
        here = text[position]
        if inside == "'":
            if here == "'":
                open_.pop()
        elif here == "\\":
            width = 2
        elif here == "\n" and heredocs and not inside:
            width, state = _heredoc_length(text, position, heredocs), Quoting.LITERAL
            heredocs = []
        elif here == "#" and inside != '"' and (position == 0 or text[position - 1] in " \t\n;("):
            width, state = _line_length(text, position), Quoting.LITERAL
        elif inside != '"' and (heredoc := _HEREDOC.match(text, position)):
            heredocs.append(heredoc["word"])
            width = len(heredoc[0])
        else:
            width = _open_or_close(text, position, open_)
        states += [state] * width
        position += width
    return [] if "'" in open_ or '"' in open_ else states[: len(text)]


def _open_or_close(text: str, position: int, open_: list[str]) -> int:
    here, inside = text[position], open_[-1] if open_ else ""
    if here == {"(": ")"}.get(inside, inside):
        open_.pop()
    elif text.startswith("$(", position):
        open_.append("(")
        return 2
    elif here in '"`' or (here in "'(" and inside != '"'):
        open_.append(here)
    return 1


def _line_length(text: str, position: int) -> int:
    end = text.find("\n", position)
    return (len(text) if end < 0 else end) - position


def _heredoc_length(text: str, position: int, words: Sequence[str]) -> int:
    """Characters from the line break at `position` through the last line of the here-documents that begin there."""
    end = position
    for word in words:
        closing = re.compile(rf"\n[ \t]*{re.escape(word)}[ \t]*(?=\n|\Z)").search(text, end)
        end = closing.end() if closing else len(text)
    return max(end - position, 1)
