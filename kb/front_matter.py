"""The header of a runbook file: the only place that knows YAML. Reads plain values within tight limits, checked event by event
before anything is built, and writes them back. Pure; what is wrong with a header is a Problem, never an exception."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from kb.runbook import Problem, ProblemLevel
from kb.severity import Severity, parse_severity

MAX_FRONT_MATTER_BYTES = 16 * 1024
MAX_DEPTH = 8
_MAX_EVENTS = 8_000
_MAX_LABEL_CHARS = 200
_MAX_TEXT_CHARS = 2_000
_MAX_NAMES = 100

_OPENING = re.compile(r"---[ \t]*\n")
_CLOSING = re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE)
_TOML_CLOSING = re.compile(r"^\+\+\+[ \t]*$", re.MULTILINE)
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(?:[0-9]{1,18}\.[0-9]{0,18}|\.[0-9]{1,18})(?:[eE][-+]?[0-9]{1,2})?")
_CONSTANTS: Mapping[str, bool | None] = {"": None, "~": None, "null": None, "true": True, "false": False}
_SIMPLE_LINE = re.compile(r"(title|name|id|owner|team|service|severity|summary|description)[ \t]*:[ \t]+(\S.*)")
_INTERVAL = re.compile(r"(?:every\s+)?(\d{1,4})?\s*(d|days?|w|weeks?|m|mo|months?|q|quarters?|y|years?)")
_INTERVAL_WORDS = {"daily": 1, "weekly": 7, "monthly": 30, "quarterly": 91, "yearly": 365, "annually": 365}
_DAYS_OF_UNIT = {"d": 1, "w": 7, "m": 30, "q": 91, "y": 365}

_SYNONYMS: Mapping[str, str] = {
    **{name: name for name in ("id", "title", "type", "severity", "service", "alerts", "tags", "owner", "reviewed")},
    **{name: name for name in ("review_interval", "summary", "runbook_url", "steps", "metadata")},
    **dict.fromkeys(("name", "alert_title"), "title"),
    **dict.fromkeys(("priority", "criticality"), "severity"),
    **dict.fromkeys(("services", "service_name", "component", "components"), "service"),
    **dict.fromkeys(("alert", "alertname", "alert_name", "alertnames", "alert_names"), "alerts"),
    **dict.fromkeys(("labels", "keywords", "categories"), "tags"),
    **dict.fromkeys(("owners", "team", "service_owner", "maintainer", "maintainers"), "owner"),
    **dict.fromkeys(("last_reviewed", "last_review", "reviewed_at", "reviewed_on"), "reviewed"),
    **dict.fromkeys(("review_every", "review_cycle", "review_interval_days"), "review_interval"),
    **dict.fromkeys(("description",), "summary"),
    **dict.fromkeys(("runbook_urls", "runbook"), "runbook_url"),
}
_OTHER_TOOLS = frozenset(
    "weight layout draft date lastmod aliases menu toc slug url permalink nav_order nav_exclude parent grand_parent has_children "
    "author authors hide linktitle bookcollapsesection sidebar_position sidebar_label hide_title hide_table_of_contents "
    "redirect_from redirect_to comments icon template published version lang language image cover search pagination_next "
    "pagination_prev custom_edit_url created updated last_updated modified no_list simple_list geekdocnav "
    "geekdocanchor geekdocbreadcrumb bookhidden booktoc stage group info subtitle order position category".split()
)
"""Keys of Hugo, Jekyll, MkDocs, Docusaurus and GitLab's pages that say nothing about a runbook; passed over quietly."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a file's front matter says of its main runbook; `type` is what the author wrote, the path decides more."""

    id: str = ""
    title: str = ""
    type: str = ""
    severity: Severity | None = None
    service: str = ""
    alerts: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    owner: str = ""
    reviewed: date | None = None
    review_interval_days: int | None = None
    summary: str = ""
    runbook_urls: tuple[str, ...] = ()
    steps: tuple[Mapping[str, object], ...] = ()
    metadata: Mapping[str, object] = field(default_factory=dict)


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
    """Part the header from the Markdown below it. Line numbers in problems count from the start of `text`. Never raises."""
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
    header, more = _validated(values, lines, path)
    return FrontMatter(header, body_start, (*problems, *more))


def render_front_matter(fields: Mapping[str, object]) -> str:
    """YAML front matter for these plain values, in their order, with both `---` lines; empty for no fields."""
    if not fields:
        return ""
    body = yaml.dump(dict(fields), Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=10_000)
    return f"---\n{body}---\n"


class _PlainDumper(yaml.SafeDumper):
    """Writes repeated values out in full: the reader refuses aliases."""

    def ignore_aliases(self, data: object) -> bool:
        return True


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
            found[number] = (match[1], match[2].strip().strip("\"'")[:_MAX_LABEL_CHARS])
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
            key = str(event.value)
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
            return _plain(event.value) if event.implicit[0] else event.value
        raise _Refused("it is not a single document", _line(event))


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _plain(text: str) -> str | int | float | bool | None:
    """An unquoted scalar as YAML 1.2 reads it, except that dates, and numbers of absurd length, stay text."""
    lowered = text.lower()
    if lowered in _CONSTANTS:
        return _CONSTANTS[lowered]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else text
    return text


class _HeaderModel(BaseModel):
    """The border where front matter becomes typed; keys are known ones already."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    id: str = ""
    title: str = ""
    type: str = ""
    severity: Severity | None = None
    service: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    owner: str = ""
    reviewed: date | None = None
    review_interval: int | None = None
    summary: str = ""
    runbook_url: tuple[str, ...] = ()
    steps: tuple[dict[str, Any], ...] = ()
    metadata: dict[str, Any] = {}

    @field_validator("id", "title", "type", "summary", mode="before")
    @classmethod
    def _text(cls, value: object) -> str:
        return _one_line(value)

    @field_validator("owner", mode="before")
    @classmethod
    def _joined(cls, value: object) -> str:
        return ", ".join(_names(value))

    @field_validator("service", "alerts", "tags", "runbook_url", mode="before")
    @classmethod
    def _name_list(cls, value: object) -> tuple[str, ...]:
        return _names(value)

    @field_validator("severity", mode="before")
    @classmethod
    def _severity(cls, value: object) -> Severity | None:
        if value is None or value == "":
            return None
        severity = parse_severity(_one_line(value))
        if severity is None:
            raise ValueError("not a severity; use critical, high, medium, low or info")
        return severity

    @field_validator("reviewed", mode="before")
    @classmethod
    def _day(cls, value: object) -> date | None:
        if value is None:
            return None
        try:
            return date.fromisoformat(_one_line(value)[:10])
        except ValueError as error:
            raise ValueError("not a date; write it as 2025-01-31") from error

    @field_validator("review_interval", mode="before")
    @classmethod
    def _days(cls, value: object) -> int | None:
        if value is None:
            return None
        days = parse_interval_days(_one_line(value))
        if days is None:
            raise ValueError("not an interval; write 180d or '6 months'")
        return days


def parse_interval_days(text: str) -> int | None:
    """Days in `180d`, `6 months`, `quarterly` or a bare `90`; None when it is no interval between 1 day and 10 years."""
    phrase = text.strip().lower()
    if phrase in _INTERVAL_WORDS:
        return _INTERVAL_WORDS[phrase]
    if phrase.isascii() and phrase.isdigit():
        days = int(phrase[:6])
    elif match := _INTERVAL.fullmatch(phrase):
        days = int(match[1] or 1) * _DAYS_OF_UNIT[match[2][0]]
    else:
        return None
    return days if 1 <= days <= 3660 else None


def _one_line(value: object) -> str:
    if isinstance(value, (dict, list)):
        raise ValueError("a single text is expected here")
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return " ".join(str(value).split())[:_MAX_TEXT_CHARS]


def _names(value: object) -> tuple[str, ...]:
    """Names from a list, a mapping's keys with values, or a comma-separated text; doubles and blanks dropped."""
    if isinstance(value, str):
        parts: list[object] = list(value.split(","))
    elif isinstance(value, dict):
        parts = [f"{key}:{item}" for key, item in value.items()]
    elif isinstance(value, list):
        parts = value
    else:
        parts = [value]
    names = (_one_line(part.get("name", "") if isinstance(part, dict) else part)[:_MAX_LABEL_CHARS] for part in parts)
    return tuple(dict.fromkeys(name for name in names if name))[:_MAX_NAMES]


def _validated(values: Mapping[str, Any], lines: Mapping[str, int], path: str) -> tuple[Header, list[Problem]]:
    """Known keys as a Header; a key that fails its check is left out and reported, the others stay."""
    problems: list[Problem] = []
    known: dict[str, Any] = {}
    written: dict[str, str] = {}
    for key, value in values.items():
        plain = key.strip().lower().replace("-", "_").replace(" ", "_")
        name = _SYNONYMS.get(plain)
        if name is None:
            if plain not in _OTHER_TOOLS:
                message = f"The key '{key[:80]}' is unknown and is not kept."
                advice = "Put facts of your own under 'metadata:'."
                problems.append(
                    Problem("front-matter-unknown", ProblemLevel.NOTE, message, advice, path, lines.get(key))
                )
        elif name not in known or plain == name:
            known[name], written[name] = value, key
    while True:
        try:
            return _header(_HeaderModel.model_validate(known)), problems
        except ValidationError as error:
            for fault in error.errors(include_url=False, include_input=False):
                name = str(fault["loc"][0])
                if known.pop(name, None) is not None:
                    key = written[name]
                    reason = fault["msg"].removeprefix("Value error, ")
                    problems.append(_error(path, f"'{key[:80]}' is not read: {reason}.", lines.get(key)))


def _header(model: _HeaderModel) -> Header:
    services = model.service
    return Header(
        id=model.id,
        title=model.title,
        type=model.type.lower(),
        severity=model.severity,
        service=services[0] if services else "",
        alerts=model.alerts,
        tags=tuple(dict.fromkeys((*model.tags, *services[1:]))),
        owner=model.owner,
        reviewed=model.reviewed,
        review_interval_days=model.review_interval,
        summary=model.summary,
        runbook_urls=model.runbook_url,
        steps=model.steps,
        metadata=model.metadata,
    )
