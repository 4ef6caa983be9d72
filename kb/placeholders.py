"""The blanks in commands (`<pod-name>`, `[service-name]`, `{{ns}}`, `$NAMESPACE`) as named parameters. Pure;
filling them in is the business of whoever shows or runs a command."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kb.runbook import Parameter
from kb.shell_quotes import Context, QuoteMap
from kb.words import word_set

_MAX_PARAMETERS = 100
_MAX_NAME_CHARS = 60
_MAX_WORDS = 7
_MIN_QUOTED_CHARS = 4

SHELL_LANGUAGES = frozenset(
    {
        "",
        "bash",
        "sh",
        "shell",
        "zsh",
        "ksh",
        "console",
        "shell-session",
        "shellsession",
        "terminal",
        "command",
        "text",
        "txt",
    }
)
_BRACKET_LANGUAGES = SHELL_LANGUAGES | {
    "sql",
    "psql",
    "mysql",
    "postgresql",
    "http",
    "markdown",
    "md",
    "plaintext",
    "ssh",
}
_PROGRAM_LANGUAGES = word_set(
    "python py python3 ruby rb go golang javascript js typescript ts jsx tsx java kotlin scala c cpp c++ csharp cs "
    "rust rs php perl lua groovy elixir swift r jsonnet nix hcl terraform diff"
)
_NO_PLACEHOLDER_LANGUAGES = word_set("html xml svg vue mermaid plantuml math latex dot graphviz css markdown md mdx")

_ANGLE = re.compile(
    r"(?<![<\w&])<([A-Za-z][A-Za-z0-9 _.|/'-]{0,58}[A-Za-z0-9'])>(?![\w<])"
    r"|(?<![<&])(?<=\w)<([A-Za-z][A-Za-z0-9_-]{1,58})>"
)
_SQUARE = re.compile(r"(?<![\w$\\.*)\]\[(@])\[([A-Za-z][A-Za-z0-9]*(?:[-_ :/.][A-Za-z0-9]+){0,6})\](?![\w*+?{(\]\[])")
_BRACES = re.compile(r"\{\{-?[ \t]{0,4}(\$?[A-Za-z_][\w.]{0,60})[ \t]{0,4}-?\}\}")
_VARIABLE = re.compile(r"(?<![\\$\w])\$(?:([A-Za-z_]\w{0,60})(?![\w(])|\{([A-Za-z_]\w{0,60})\})")
_ASSIGNED = re.compile(
    r"(?:^|[\s;&|({`])(?:([A-Za-z_]\w{0,60})\+?=|for\s+([A-Za-z_]\w{0,60})\s+in\b|select\s+([A-Za-z_]\w{0,60})\s+in\b"
    r"|printf\s+-v\s+([A-Za-z_]\w{0,60}))",
    re.MULTILINE,
)
_READ = re.compile(r"\b(?:read|mapfile|readarray|getopts\s+\S{1,60})((?:[ \t]+-?\w{1,60})+)")

_HTML_TAGS = word_set(
    "a b i u p br hr em tt h1 h2 h3 h4 h5 h6 li ul ol td th tr div img pre sub sup kbd code span body head html "
    "font script style strong details blockquote center"
)
_NOT_BLANKS = word_set(
    "none unknown nil null pending defunct eof invalid omitted snip redacted truncated unset empty root void"
)
_LOG_WORDS = word_set(
    "info warn warning error err debug trace fatal notice critical crit ok failed fail done y n yes no yn yes/no "
    "y/n y/n/q options option flags args sudo y/n/a"
)
_TEMPLATE_WORDS = word_set(
    "range end if else with define template block index printf len not and or json println eq ne"
)
_SHELL_VARIABLES = word_set(
    "HOME PATH USER PWD OLDPWD SHELL HOSTNAME RANDOM SECONDS IFS UID EUID LINENO BASHPID LANG TERM TMPDIR EDITOR "
    "PPID PIPESTATUS FUNCNAME REPLY OPTARG OPTIND PS1 PS2 BASH_SOURCE BASH_VERSION LOGNAME GOPATH GOROOT JAVA_HOME "
    "XDG_RUNTIME_DIR SUDO_USER DISPLAY NF NR FS OFS RS ORS PROMPT_COMMAND KUBECONFIG"
)
_FILLERS = word_set("your my the a an insert enter put replace with specify please")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_WORD = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class _Blank:
    """One occurrence of a placeholder in a text."""

    start: int
    end: int
    name: str
    spelling: str


def find_parameters(text: str, *, language: str = "bash") -> tuple[Parameter, ...]:
    """The blanks of a command in the order of their first appearance, each with the spellings it has in the text.

    Names are snake_case: `<pod-name>` is `pod_name`, `{{ $labels.pod }}` is `pod`. Not blanks: HTML tags,
    redirections, tests, regular expressions, array indexes, log levels, shell specials, variables in single quotes,
    and variables that the same text assigns.
    """
    spellings: dict[str, dict[str, None]] = {}
    for blank in _find_blanks(text, language):
        if len(spellings) < _MAX_PARAMETERS or blank.name in spellings:
            spellings.setdefault(blank.name, {})[blank.spelling] = None
    return tuple(Parameter(name, tuple(seen)) for name, seen in spellings.items())


def _find_blanks(text: str, language: str) -> list[_Blank]:
    """All blanks in order, none overlapping another."""
    if language in _NO_PLACEHOLDER_LANGUAGES:
        return []
    found: list[_Blank] = []
    if "<" in text:
        found.extend(_angle_blanks(text, language))
    if "[" in text and language in _BRACKET_LANGUAGES:
        found.extend(_square_blanks(text))
    if "{{" in text and language not in _PROGRAM_LANGUAGES:
        found.extend(_brace_blanks(text))
    if "$" in text and language not in _PROGRAM_LANGUAGES:
        found.extend(_variable_blanks(text, language))
    found.sort(key=lambda blank: (blank.start, -blank.end))
    kept: list[_Blank] = []
    for blank in found:
        if not kept or blank.start >= kept[-1].end:
            kept.append(blank)
    return kept


def _named(start: int, end: int, inner: str, spelling: str) -> Iterator[_Blank]:
    words = [word.lower() for word in _NOT_WORD.sub(" ", _HUMP.sub(" ", inner.replace("'s", "s"))).split()]
    while len(words) > 1 and words[0] in _FILLERS:
        words = words[1:]
    if len(words) > 1 and words[-1] == "here":
        words = words[:-1]
    name = "_".join(words)[:_MAX_NAME_CHARS].rstrip("_")
    if words and len(words) <= _MAX_WORDS and name[0].isalpha():
        yield _Blank(start, end, name, spelling)


def _angle_blanks(text: str, language: str) -> Iterator[_Blank]:
    closed = set(re.findall(r"</([A-Za-z][\w.-]{0,60})", text))
    for match in _ANGLE.finditer(text):
        inner = match[1] or match[2]
        if match[2] and (language in _PROGRAM_LANGUAGES or inner.lower() in _HTML_TAGS):
            continue
        if inner.lower() in _HTML_TAGS or inner.lower() in _NOT_BLANKS or inner.split(" ")[0] in closed:
            continue
        yield from _named(match.start(), match.end(), inner, match[0])


def _square_blanks(text: str) -> Iterator[_Blank]:
    for match in _SQUARE.finditer(text):
        inner = match[1]
        longest = max(len(word) for word in _NOT_WORD.split(inner))
        line_start = text.rfind("\n", 0, match.start()) + 1
        opens_line = not text[line_start : match.start()].strip()
        closes_line = text[match.end() : match.end() + 1] in ("", "\n")
        before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
        if before in ("'", '"') and inner.isalpha() and (before != after or len(inner) < _MIN_QUOTED_CHARS):
            continue  # more likely a set of characters in a regular expression
        if any(word.isdigit() for word in inner.split()[1:]):
            continue  # `[errno 110]`
        if longest < 2 or inner.lower() in _LOG_WORDS or (opens_line and closes_line and " " not in inner):
            continue
        yield from _named(match.start(), match.end(), inner, match[0])


def _brace_blanks(text: str) -> Iterator[_Blank]:
    for match in _BRACES.finditer(text):
        if match[1] not in _TEMPLATE_WORDS:
            yield from _named(match.start(), match.end(), match[1].lstrip("$").rsplit(".", 1)[-1], match[0])


def _variable_blanks(text: str, language: str) -> Iterator[_Blank]:
    shell = language in SHELL_LANGUAGES
    assigned = _assigned_names(text) if shell else frozenset()
    quotes = QuoteMap(text) if shell and ("'" in text or "<<" in text) else None
    for match in _VARIABLE.finditer(text):
        name = match[1] or match[2]
        if name in assigned or name in _SHELL_VARIABLES or name.startswith(("__", "LC_", "BASH_")):
            continue
        if not shell and language != "promql" and not (match[2] and name.isupper()):
            continue
        if quotes and quotes.region_at(match.start()).context in (
            Context.SINGLE,
            Context.LITERAL_HEREDOC,
            Context.COMMENT,
        ):
            continue
        yield from _named(match.start(), match.end(), name, match[0])


def _assigned_names(text: str) -> frozenset[str]:
    names = {name for groups in _ASSIGNED.findall(text) for name in groups if name}
    for words in _READ.findall(text):
        names.update(word for word in words.split() if not word.startswith("-"))
    return frozenset(names)
