"""The shapes in which alerts, log lines and expressions are pasted, read into their fields. What the words are worth is
decided elsewhere. Pure; every pattern is linear in the text."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from kb.alert_names import is_alert_name, is_camel_name
from kb.words import word_set

MAX_LABELS = 64
MAX_VALUE_CHARS = 4_096
MAX_DEPTH = 12

NAME_KEYS = frozenset({"alertname", "alert_name", "alert", "rule", "rulename", "check", "monitor"})
HEADLINE_KEYS = frozenset({"title", "summary", "subject", "headline"})
DETAIL_KEYS = word_set(
    "description message msg details detail text body error err reason info impact exception cause "
    "symptoms symptom diagnosis problem event"
)
_LABEL_KEYS = ("commonLabels", "groupLabels", "labels", "tags", "context")
LINK_KEYS = word_set("runbook runbook_url runbookurl playbook playbook_url")
_SKIPPED_KEYS = word_set(
    "severity source generatorurl dashboard dashboard_url dashboardurl panelurl silenceurl externalurl "
    "graph status startsat endsat fingerprint receiver groupkey version truncatedalerts priority level "
    "loglevel lvl ts time timestamp caller logger thread pid host hostname trace_id traceid span_id spanid "
    "request_id requestid correlation_id silence"
)
_FIRING = re.compile(
    r"^[^\w\[]{0,8}(?:\[?(?:FIRING|RESOLVED|ALERT|TRIGGERED|CRITICAL|WARNING|P[0-5])(?::\d{1,6})?\]|(?:FIRING|RESOLVED|TRIGGERED)\s*[:\-])\s*(.+)$",
    re.IGNORECASE,
)
_FIELD = re.compile(
    r"^[ \t]{0,8}(?:[-*•][ \t]{1,4})?\*{0,2}([A-Za-z][A-Za-z_]{1,31}(?: name)?)\*{0,2}[ \t]{0,4}"
    r"[:=]\*{0,2}(?!/)[ \t]{0,8}(.*)$"
)
_PAIR_BREAK = re.compile(r",\s{0,4}(?=[A-Za-z_][\w.]{0,63}\s?=)")
_QUOTED_PAIR = re.compile(r"([A-Za-z_]\w{0,63})\s?(?:=~|=)\s?\"([^\"\n]{0,512})\"")
_PAIR = re.compile(r"^[ \t]{0,8}(?:[-*•][ \t]{1,4})?([A-Za-z_][\w.]{0,63})[ \t]?=[ \t]?([^=].{0,1024})$")
_LOG_PAIR = re.compile(r"([A-Za-z_][\w.]{0,31})=(\"(?:[^\"\\\n]|\\.){0,2048}\"|[^\s\"]{1,256})")
_LOG_START = re.compile(
    r"^\s{0,4}(?:\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d|[A-Z][a-z]{2}\s{1,2}\d{1,2}\s\d\d:\d\d:\d\d|[IWEF]\d{4}\s\d\d:|"
    r"\[?(?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|PANIC)\]?[\s:]|(?:kernel|time|ts|level)[:=]|\d+:[MSC]\s)"
)
_LOG_LEVEL = re.compile(r"\b(?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|CRITICAL|PANIC|NOTICE)\b[\]:]?")
_CHAT_PAIR = re.compile(
    r"^[ \t]{0,8}(?:[-•][ \t]{1,4})?\*{1,2}([A-Za-z_]\w{0,63})(?::\*{1,2}|\*{1,2}:)[ \t]{1,8}(\S{1,256})$"
)
_SYSLOG = re.compile(
    r"^\s{0,4}[A-Z][a-z]{2}\s{1,2}\d{1,2}\s\d\d:\d\d:\d\d\s+\S{1,128}\s+([\w./-]{1,64})(?:\[\d{1,10}\])?:"
)
_CODE_LINE = re.compile(r"^[\w/.-]{1,120}\.(?:go|py|java|rb|c|cc|cpp|rs|js|ts|scala|kt):\d{1,6}[\]):]?$")
_SELECTOR = re.compile(r"\{[^{}\n]{0,1024}[=~][^{}\n]{0,1024}\}|\[\d{1,4}[smhdw](?::\d{0,4}[smhdw]?)?\]")
_FUNCTION = re.compile(
    r"\b(?:sum|avg|min|max|count|topk|bottomk|rate|irate|increase|delta|deriv|predict_linear|histogram_quantile|absent|"
    r"avg_over_time|max_over_time|min_over_time|sum_over_time|count_over_time|label_replace|label_join|by|without|on|ignoring|"
    r"group_left|group_right|offset|bool|and|or|unless|vector|time|changes|resets|clamp_max|clamp_min|round|abs|ceil|floor)\b(?=\s{0,2}[({]|\s)"
)


class PasteKind(StrEnum):
    """What a text was taken for."""

    ALERT = "alert"
    LOG = "log"
    PROMQL = "promql"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Paste:
    """A text's fields. `labels` holds what was named as a label; `headlines` and `details` are prose, uncleaned."""

    kind: PasteKind
    name: str = ""
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    headlines: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    link: str = ""


class PasteBuilder:
    """Collects fields as they are met; the first name and the first value of a label win."""

    def __init__(self) -> None:
        self.name = ""
        self.labels: dict[str, str] = {}
        self.headlines: list[str] = []
        self.details: list[str] = []
        self.link = ""

    def add(self, key: str, value: str) -> None:
        """File a field by what its key says; a key that says nothing makes it a detail."""
        word = key.lower().replace(" ", "_").replace("-", "_")
        text = value.strip()[:MAX_VALUE_CHARS]
        if word in NAME_KEYS:
            self.name = self.name or text
        elif word in LINK_KEYS and "://" in text:
            self.link = self.link or text
        elif word in HEADLINE_KEYS:
            self.headlines.append(text)
        elif word.replace("_", "") not in _SKIPPED_KEYS and word not in _SKIPPED_KEYS:
            self.details.append(text)

    def label(self, key: str, value: str) -> None:
        if key in NAME_KEYS:
            self.name = self.name or value
        elif len(self.labels) < MAX_LABELS:
            self.labels.setdefault(key, value.strip()[:MAX_VALUE_CHARS])

    def build(self, kind: PasteKind) -> Paste:
        return Paste(
            kind,
            self.labels.get("alertname", "") or self.name,
            MappingProxyType(self.labels),
            tuple(dict.fromkeys(self.headlines)),
            tuple(dict.fromkeys(self.details)),
            self.link,
        )


def read_paste(text: str) -> Paste:
    """The fields of whatever `text` is. Never raises."""
    stripped = text.strip()
    if stripped[:1] in "{[":
        found = _read_json(stripped)
        if found is not None:
            return found
    lines = [line for line in stripped.splitlines() if line.strip()]
    if lines and _LOG_START.match(lines[0]):
        return _read_log(lines)
    return _read_alert(lines) or _read_expression(stripped) or Paste(PasteKind.TEXT, details=(stripped,))


def _read_json(text: str) -> Paste | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict | list):
        return None
    builder = PasteBuilder()
    is_alert = _walk(value, builder, 0)
    paste = builder.build(PasteKind.ALERT if is_alert else PasteKind.LOG)
    return paste if paste.name or paste.headlines or paste.details or paste.labels else None


def _walk(value: object, builder: PasteBuilder, depth: int) -> bool:
    """File the fields of a payload; whether anything in it says that it is an alert's."""
    if depth > MAX_DEPTH:
        return False
    if isinstance(value, list):
        first = _firing_first(value)[:1]
        return bool(first) and _walk(first[0], builder, depth + 1)
    if not isinstance(value, dict):
        return False
    is_alert = _file_labels(value, builder)
    for key, item in value.items():
        if isinstance(item, str):
            is_alert = is_alert or key.lower() in NAME_KEYS
            builder.add(str(key), item)
        elif key not in _LABEL_KEYS and isinstance(item, dict | list):
            is_alert = _walk(item, builder, depth + 1) or is_alert
    return is_alert


def _file_labels(value: Mapping[str, object], builder: PasteBuilder) -> bool:
    """File what a payload calls labels; whether there are any."""
    found = [pairs for key in _LABEL_KEYS if isinstance(pairs := value.get(key), dict)]
    for pairs in found:
        for name, text in pairs.items():
            if isinstance(text, str | int | float):
                builder.label(str(name), str(text))
    return bool(found)


def _firing_first(items: list[object]) -> list[object]:
    return sorted(items, key=lambda item: isinstance(item, dict) and item.get("status") == "resolved")


def _read_alert(lines: list[str]) -> Paste | None:
    builder = PasteBuilder()
    free: list[str] = []
    is_alert = False
    for line in lines[:512]:
        firing = _FIRING.match(line)
        first, _, others = line.strip().partition(" ")
        if firing is not None:
            is_alert = True
            _title_line(firing[1], builder)
        elif is_alert_name(first.rstrip(":")) and not builder.name and "alertname" not in builder.labels:
            is_alert = True
            builder.label("alertname", first.rstrip(":"))
            if not _read_pairs(others, builder):
                free.append(others)
        elif not _read_line(line, builder):
            free.append(line)
        else:
            is_alert = True
    if not is_alert or not (builder.name or builder.labels or builder.headlines):
        return None
    builder.details.extend(free)
    return builder.build(PasteKind.ALERT)


def _title_line(rest: str, builder: PasteBuilder) -> None:
    """`Name (severity)`, or Slack's `Name value value (value value)`."""
    head = rest.rsplit("(", 1)[0].strip() if rest.rstrip().endswith(")") else rest.strip()
    first, _, others = head.partition(" ")
    if is_camel_name(first.rstrip(":")):
        builder.label("alertname", first.rstrip(":"))
        if ":" in first or " for " in f" {others} ":
            builder.headlines.append(others)
    else:
        builder.label("alertname", head)


def _read_line(line: str, builder: PasteBuilder) -> bool:
    """Whether the line is a field of an alert."""
    named = _FIELD.match(line)
    key = named[1].lower().replace(" ", "_") if named else ""
    if named is not None and key in {"labels", "annotations", "tags", "details"} and (not named[2] or "=" in named[2]):
        for name, value in _pairs(named[2]):
            builder.label(name, value)
        return True
    if _read_pairs(line, builder):
        return True
    quoted = _QUOTED_PAIR.findall(line)
    if len(quoted) >= 2 and "(" not in line and "{" not in line:
        for name, value in quoted:
            builder.label(name, value)
        return True
    if named is not None and key in NAME_KEYS | HEADLINE_KEYS | LINK_KEYS | {"description", "message", "summary"}:
        builder.add(key, named[2].strip().strip('"'))
        return True
    if named is not None and key in _SKIPPED_KEYS:
        if key == "severity":
            builder.label(key, named[2].strip().strip('"'))
        return key != "status"
    return _read_pair(line, builder)


def _read_pair(line: str, builder: PasteBuilder) -> bool:
    """Whether the line is one label: bold in a chat message, or `name = value`."""
    in_chat = _CHAT_PAIR.match(line)
    if in_chat is not None:
        builder.label(in_chat[1], in_chat[2].strip("`"))
        return True
    pair = _PAIR.match(line)
    if pair is not None and " " not in pair[1] and "(" not in line:
        if pair[1].lower() in HEADLINE_KEYS | DETAIL_KEYS | LINK_KEYS:
            builder.add(pair[1], pair[2].strip().strip('"'))
        else:
            builder.label(pair[1], pair[2].strip().strip('"'))
        return True
    return False


def _read_pairs(line: str, builder: PasteBuilder) -> bool:
    """Whether the line is nothing but two or more `name=value`, as tools print the labels of an alert."""
    pairs = _LOG_PAIR.findall(line)
    if len(pairs) < 2 or _LOG_PAIR.sub("", line).strip(" \t,;{}"):
        return False
    for name, value in pairs:
        text = value.strip(",;").strip('"')
        if name.lower() in HEADLINE_KEYS | DETAIL_KEYS | LINK_KEYS:
            builder.add(name, text)
        else:
            builder.label(name, text)
    return True


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for part in _PAIR_BREAK.split(text):
        key, equals, value = part.partition("=")
        if equals and key.strip().isidentifier():
            yield key.strip(), value.strip().strip('"')


def _read_expression(text: str) -> Paste | None:
    selectors = _SELECTOR.findall(text)
    if not selectors or len(_SELECTOR.sub(" ", text).split()) > 40:
        return None
    prose = re.findall(r"(?<![\w\"{(])[a-z]{2,}(?=\s+[a-z]{2,}\s)", _FUNCTION.sub(" ", text))
    if len(prose) > 4:
        return None
    builder = PasteBuilder()
    for key, value in _QUOTED_PAIR.findall(text):
        builder.label(key, value)
    bare = _FUNCTION.sub(" ", re.sub(r"\[[^\]\n]{0,32}\]", " ", text))
    metrics = " ".join(re.findall(r"[A-Za-z_:][\w:]{0,127}", re.sub(r"\{[^{}\n]{0,2048}\}", " ", bare)))
    values = " ".join(
        value for key, value in builder.labels.items() if key in {"job", "service", "code", "reason", "condition"}
    )
    builder.details.append(f"{metrics} {values}".strip())
    return builder.build(PasteKind.PROMQL)


def _read_log(lines: list[str]) -> Paste:
    builder = PasteBuilder()
    for line in lines[:64]:
        syslog = _SYSLOG.match(line)
        if syslog is not None:
            builder.details.append(f"{syslog[1].rpartition('/')[2]} {_message(line[syslog.end() :], builder)}")
        else:
            builder.details.append(_message(line, builder))
    return builder.build(PasteKind.LOG)


def _message(line: str, builder: PasteBuilder) -> str:
    """A log line without its time, level, source line and bookkeeping pairs; of the others the values stay."""
    if line.lstrip()[:1] == "{":
        found = _read_json(line.strip())
        if found is not None:
            return " ".join((*found.headlines, *found.details))

    def pair(match: re.Match[str]) -> str:
        key, value = match[1].lower(), match[2].strip('"')
        if key in _SKIPPED_KEYS:
            return " "
        if key in HEADLINE_KEYS | DETAIL_KEYS:
            return f" {value} "
        builder.label(match[1], value)
        return f" {match[1]} {value} "

    text = _LOG_PAIR.sub(pair, line)
    text = _LOG_LEVEL.sub(" ", text, count=1)
    return " ".join(word for word in text.split() if not _CODE_LINE.match(word))
