"""What the keys of a runbook's front matter mean: known names and their synonyms, checked one by one, so that a bad one
does not take the others with it. Pure; a fault is a Problem, never an exception."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from kb.runbook import Problem, ProblemLevel
from kb.severity import Severity, parse_severity
from kb.words import word_set

_MAX_LABEL_CHARS = 200
_MAX_TEXT_CHARS = 2_000
_MAX_NAMES = 100

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
_OTHER_TOOLS = word_set(
    "weight layout draft date lastmod aliases menu toc slug url permalink nav_order nav_exclude parent grand_parent "
    "has_children author authors hide linktitle bookcollapsesection sidebar_position sidebar_label hide_title "
    "hide_table_of_contents redirect_from redirect_to comments icon template published version lang language image "
    "cover search pagination_next pagination_prev custom_edit_url created updated last_updated modified no_list "
    "simple_list geekdocnav geekdocanchor geekdocbreadcrumb bookhidden booktoc stage group info subtitle order "
    "position category"
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


class _HeaderModel(BaseModel):
    """The border where front matter becomes typed; keys are known ones already."""

    model_config = ConfigDict(extra="forbid")

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
    """Days in `180d`, `6 months`, `quarterly` or a bare `90`; None unless it is an interval of 1 day to 10 years."""
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


def read_header(
    values: Mapping[str, Any], lines: Mapping[str, int], *, path: str
) -> tuple[Header, tuple[Problem, ...]]:
    """Known keys as a Header; a key that fails its check is left out and reported, the others stay. `lines` gives the
    line of each key in the file."""
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
            return _header(_HeaderModel.model_validate(known)), tuple(problems)
        except ValidationError as error:
            for fault in error.errors(include_url=False, include_input=False):
                name = str(fault["loc"][0])
                if known.pop(name, None) is not None:
                    key = written[name]
                    reason = fault["msg"].removeprefix("Value error, ")
                    message = f"'{key[:80]}' is not read: {reason}."
                    advice = "Correct the value or remove the line."
                    problems.append(
                        Problem("front-matter-invalid", ProblemLevel.ERROR, message, advice, path, lines.get(key))
                    )


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
