"""Shell sessions as people paste them: prompts, and output among the commands. What comes out can be pasted. Pure."""

import re

_SESSION_LANGUAGES = frozenset(
    {
        "",
        "console",
        "shell",
        "shell-session",
        "shellsession",
        "sh-session",
        "bash",
        "sh",
        "zsh",
        "terminal",
        "text",
        "txt",
        "command",
        "ssh",
    }
)
_PROMPT = re.compile(
    r"(?:\(\w[\w.-]{0,40}\) ?)?"  # a virtual environment
    r"(?:\$ +"
    r"|[❯➜] +"
    r"|\[?[A-Za-z_][\w.-]{0,40}@[\w.-]{1,80}[ :][^\s$#%\]]{0,80}\]? ?[$#%] +"
    r"|\[?[A-Za-z_][\w.-]{0,40}@[\w.-]{1,80}\]?[$#] +"
    r"|(?:sh|bash)-\d\.\d{1,2}[$#] +)"
)
_CONTINUED_PROMPT = re.compile(r"> ?")
_HEREDOC = re.compile(r"<<-?[ \t]*(['\"]?)([A-Za-z_]\w{0,40})\1")


def strip_prompts(text: str, language: str) -> str:
    """The commands of a pasted session without prompts and output; any other text comes back as it is.

    A session is text whose first line that is neither blank nor a comment starts with a prompt such as `$ `. Comments
    before a command stay, and so do the lines that a backslash, an open quote or a here-document carry on.
    """
    if language not in _SESSION_LANGUAGES:
        return text
    lines = text.split("\n")
    first = next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "")
    if not _PROMPT.match(first.lstrip()):
        return text
    kept: list[str] = []
    number = 0
    while number < len(lines):
        line = lines[number].strip()
        prompt = _PROMPT.match(line)
        if prompt is None:
            if line.startswith("#") or not line:
                kept.append(line)
            number += 1
            continue
        end = _command_end(lines, number, line[prompt.end() :])
        kept.append(line[prompt.end() :])
        kept.extend(
            _CONTINUED_PROMPT.sub("", carried, count=1) if carried.startswith(">") else carried
            for carried in lines[number + 1 : end]
        )
        number = end
    return "\n".join(_without_blank_runs(kept))


def _command_end(lines: list[str], start: int, first: str) -> int:
    """The index of the line after a command that begins on line `start` with the text `first`."""
    end = start + 1
    line = first
    quotes = _open_quote(first, "")
    while end < len(lines) and (line.rstrip().endswith("\\") or quotes):
        line = lines[end]
        if quotes and _PROMPT.match(line.lstrip()):
            return end
        quotes = _open_quote(line, quotes)
        end += 1
    heredoc = _HEREDOC.search(first)
    if heredoc:
        terminator = next((number for number in range(end, len(lines)) if lines[number].strip() == heredoc[2]), None)
        if terminator is not None:
            return terminator + 1
    return end


def _open_quote(line: str, quote: str) -> str:
    """The quote character still open after a line that begins inside `quote` (or outside, when empty)."""
    skip = False
    for char in line:
        if skip:
            skip = False
        elif char == "\\" and quote != "'":
            skip = True
        elif quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char == "#" and not quote:
            break
    return quote


def _without_blank_runs(lines: list[str]) -> list[str]:
    """The lines with runs of blank ones made single and none at either end."""
    kept: list[str] = []
    for line in lines:
        if line.strip() or (kept and kept[-1].strip()):
            kept.append(line)
    while kept and not kept[-1].strip():
        kept.pop()
    return kept
