"""Alert names added to the front matter that a runbook has, line by line: whatever else its author wrote there stays as
it is. Pure."""

import re
from collections.abc import Sequence
from dataclasses import replace

from kb.front_matter import split_front_matter
from kb.pattern import Cited
from learner.draft import MAX_NAME_CHARS, yaml_item
from learner.plain import one_line

_LIST = re.compile(r"alerts:[ \t]*(#.*)?")
_ITEM = re.compile(r"([ \t]*)- ")


def add_alerts(text: str, told: Sequence[Cited]) -> str:
    """The text with these alerts in the list of its front matter. The same text when it has no front matter, when its
    alerts are not written as a list of lines, and when anything else would be read otherwise than before."""
    before = split_front_matter(text, path="")
    if not before.body_start or not told:
        return text
    header, body = text[: before.body_start], text[before.body_start :]
    lines = header.splitlines(keepends=True)
    end = "\r\n" if header.endswith("\r\n") else "\n"
    place, indent, opening = _place(lines)
    items = [f"{indent}{yaml_item(item).rstrip()}{end}" for item in told]
    amended = "".join([*lines[:place], *([f"alerts:{end}"] if opening else []), *items, *lines[place:], body])
    after = split_front_matter(amended, path="")
    names = tuple(one_line(item.text, max_chars=MAX_NAME_CHARS) for item in told)
    wanted = replace(before.header, alerts=(*before.header.alerts, *names))
    is_sound = after.header == wanted and amended[after.body_start :] == body and after.problems == before.problems
    return amended if is_sound else text


def _place(lines: Sequence[str]) -> tuple[int, str, bool]:
    """Where items go: the number of the line before which, their indent, and whether the list is yet to be opened."""
    for number, line in enumerate(lines):
        if _LIST.fullmatch(line.rstrip("\r\n")):
            last, indent = number, ""
            while (item := _ITEM.match(lines[last + 1])) is not None:
                last, indent = last + 1, item[1]
            return last + 1, indent, False
    return len(lines) - 1, "", True
