"""The front matter of a runbook file: the only place that knows YAML. Reads plain values within tight limits, checked
event by event before anything is built, and writes them back. Pure; a fault is a Problem, never an exception."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from kb.header import Header, read_header
from kb.invisible import without_invisible
from kb.runbook import Problem, ProblemLevel

MAX_FRONT_MATTER_BYTES = 16 * 1024
MAX_DEPTH = 8
MAX_INT_DIGITS = 18
_MAX_EVENTS = 8_000
_MAX_SALVAGED_CHARS = 200

_OPENING = re.compile(r"---[ \t]*\n")
_CLOSING = re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE)
_TOML_CLOSING = re.compile(r"^\+\+\+[ \t]*$", re.MULTILINE)
_INT = re.compile(rf"[-+]?[0-9]{{1,{MAX_INT_DIGITS}}}")
_FLOAT = re.compile(r"[-+]?(?:[0-9]{1,18}\.[0-9]{0,18}|\.[0-9]{1,18})(?:[eE][-+]?[0-9]{1,3})?")
_CONSTANT = re.compile(r"~|null|Null|NULL|true|True|TRUE|false|False|FALSE|")
_SIMPLE_LINE = re.compile(r"(title|name|id|owner|team|service|severity|summary|description)[ \t]*:[ \t]+(\S.*)")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """A header, the offset in the text where the Markdown begins, and what was wrong with the header."""

    header: Header
    body_start: int
    problems: tuple[Problem, ...] = ()


class _Refused(Exception):
    """The YAML breaks a limit; `line` is 1-based within the block."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


def split_front_matter(text: str, *, path: str) -> FrontMatter:
    """Part the header from the Markdown below it. Line numbers in problems count from the start of `text`. Never
    raises."""
    if text.startswith("+++\n"):
        return _skip_toml(text, path)
    opening = _OPENING.match(text)
    closing = _CLOSING.search(text, opening.end()) if opening else None
    if opening is None or closing is None or text.startswith("\n", opening.end()):
        return FrontMatter(Header(), 0)
    block = text[opening.end() : closing.start()]
    body_start = min(closing.end() + 1, len(text))
    if len(block.encode("utf-8", "surrogatepass")) > MAX_FRONT_MATTER_BYTES:
        problem = _error(
            path, f"The front matter is larger than {MAX_FRONT_MATTER_BYTES // 1024} KiB and is not read.", 1
        )
        return FrontMatter(Header(), body_start, (problem,))
    try:
        values, lines, problems = _read_yaml(block, path)
    except _NotAMapping:
        return FrontMatter(Header(), 0)
    header, more = read_header(values, lines, path=path)
    return FrontMatter(header, body_start, (*problems, *more))


def render_front_matter(fields: Mapping[str, object]) -> str:
    """YAML front matter for these plain values, in their order, with both `---` lines; empty for no fields."""
    if not fields:
        return ""
    body = yaml.dump(dict(fields), Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=10_000)
    return f"---\n{body}---\n"


class _PlainDumper(yaml.SafeDumper):
    """Writes what the reader of this module reads back: repeated values in full, for aliases are refused, and quotes
    around every text that the reader would take for a number or a constant."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: tuple[bool, bool]) -> Any:
        tag = super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]  # the stubs leave it untyped
        plain_text = kind is yaml.ScalarNode and implicit[0] and tag == "tag:yaml.org,2002:str"
        return "tag:yaml.org,2002:null" if plain_text and _plain(value) != value else tag


class _NotAMapping(Exception):
    """The block between two `---` lines is not a header but text between two rules."""


def _skip_toml(text: str, path: str) -> FrontMatter:
    closing = _TOML_CLOSING.search(text, 4)
    if closing is None:
        return FrontMatter(Header(), 0)
    message = "The front matter is TOML, which is not read."
    problem = Problem("front-matter-toml", ProblemLevel.NOTE, message, "Write it as YAML between --- lines.", path, 1)
    return FrontMatter(Header(), min(closing.end() + 1, len(text)), (problem,))


def _error(path: str, message: str, line: int | None) -> Problem:
    return Problem("front-matter-invalid", ProblemLevel.ERROR, message, _ADVICE, path, line)


_ADVICE = "Keep the front matter to plain keys, texts, numbers and short lists."


def _read_yaml(block: str, path: str) -> tuple[dict[str, Any], dict[str, int], list[Problem]]:
    """The top-level mapping, the file's line of each key, and problems; simple lines are salvaged from broken YAML."""
    try:
        values, lines, repeated = _Builder(block).mapping()
    except _Refused as refusal:
        return {}, {}, [_error(path, f"The front matter is not read: {refusal.reason}.", refusal.line + 1)]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark is not None else 1
        reason = getattr(error, "problem", None) or "it is not valid YAML"
        salvaged = _salvage(block)
        if salvaged:
            message = f"The front matter is not valid YAML ({reason}); only its simple lines are read."
            problem = Problem(
                "front-matter-invalid",
                ProblemLevel.WARNING,
                message,
                "Put quotes around texts with colons.",
                path,
                line,
            )
            return dict(salvaged.values()), {key: line for line, (key, _) in salvaged.items()}, [problem]
        return {}, {}, [_error(path, f"The front matter is not valid YAML: {reason}.", line)]
    problems = [
        Problem(
            "front-matter-repeated",
            ProblemLevel.WARNING,
            f"The key '{key}' appears twice; the last one counts.",
            "Keep one of them.",
            path,
            line + 1,
        )
        for key, line in repeated
    ]
    return values, {key: line + 1 for key, line in lines.items()}, problems


def _salvage(block: str) -> dict[int, tuple[str, str]]:
    """Well-known `key: text` lines of a block that is not valid YAML, by the file's line number."""
    found = {}
    for number, line in enumerate(block.split("\n"), start=2):
        if match := _SIMPLE_LINE.fullmatch(line):
            found[number] = (match[1], match[2].strip().strip("\"'")[:_MAX_SALVAGED_CHARS])
    return found


class _Builder:
    """Builds plain values from YAML events, refusing what a header has no business with before building it."""

    def __init__(self, block: str) -> None:
        self._events: Iterator[yaml.Event] = self._checked(block)
        self._key_lines: dict[str, int] = {}
        self._repeated: list[tuple[str, int]] = []

    def mapping(self) -> tuple[dict[str, Any], dict[str, int], list[tuple[str, int]]]:
        """The document's mapping, the 1-based line of each top-level key, and the keys that appear twice."""
        for event in self._events:
            if isinstance(event, yaml.MappingStartEvent):
                values = self._mapping(depth=1)
                for _ in self._events:
                    pass
                return values, self._key_lines, self._repeated
            if isinstance(event, yaml.ScalarEvent) and not event.value:
                return {}, {}, []
            if isinstance(event, (yaml.ScalarEvent, yaml.SequenceStartEvent)):
                raise _NotAMapping
        return {}, {}, []

    def _checked(self, block: str) -> Iterator[yaml.Event]:
        depth = 0
        for number, event in enumerate(yaml.parse(block, Loader=yaml.SafeLoader)):
            line = _line(event)
            if number > _MAX_EVENTS:
                raise _Refused(f"it holds more than {_MAX_EVENTS} values", line)
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise _Refused("anchors and aliases are not allowed", line)
            if getattr(event, "tag", None):
                raise _Refused("tags are not allowed", line)
            if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                depth += 1
                if depth > MAX_DEPTH:
                    raise _Refused(f"it is nested more than {MAX_DEPTH} levels deep", line)
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                depth -= 1
            yield event

    def _mapping(self, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            line = _line(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise _Refused("keys must be plain words", line)
            key = without_invisible(str(event.value))[0]
            if key == "<<" and event.implicit[0]:
                raise _Refused("merge keys are not allowed", line)
            if key in values:
                self._repeated.append((key, line))
            if depth == 1:
                self._key_lines[key] = line
            values[key] = self._value(next(self._events), depth)
        return values

    def _value(self, event: yaml.Event, depth: int) -> Any:
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(depth + 1)
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            for item in self._events:
                if isinstance(item, yaml.SequenceEndEvent):
                    break
                items.append(self._value(item, depth + 1))
            return items
        if isinstance(event, yaml.ScalarEvent):
            text = without_invisible(event.value)[0]
            return _plain(text) if event.implicit[0] else text
        raise _Refused("it is not a single document", _line(event))


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _plain(text: str) -> str | int | float | bool | None:
    """An unquoted scalar as YAML 1.2 reads it, except that dates, and numbers of absurd length, stay text."""
    if _CONSTANT.fullmatch(text):
        return {"t": True, "f": False}.get(text[:1].lower())
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else text
    return text
