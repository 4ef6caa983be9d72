"""What an incident's text says once everything that changes from one occurrence to the next is taken out: ids, hosts,
addresses, numbers, hashes, paths and durations. Status classes, HTTP codes and percentiles stay, because they tell
siblings apart. Pure; the same text always gives the same signature."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kb.incident import Alert, Incident

MAX_TITLE_CHARS = 300
MAX_TEXT_CHARS = 4000
MAX_SEGMENTS = 12
MAX_SEGMENT_CHARS = 400
MAX_VALUE_CHARS = 60

LASTING_LABELS = frozenset({"alertname", "severity", "component", "service", "app", "reason", "code", "status", "type"})
"""Labels whose values tell one cause from another; the values of all others change from one occurrence to the next."""

_HOLE = "\x00"
"""Stands for one masked value until the text is tidied."""

_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_DAYS = "mon|tue|wed|thu|fri|sat|sun"
_DATE = re.compile(rf"\b(?:(?:{_DAYS})[a-z]*,?\s+)?(?:{_MONTHS})[a-z]*\s+\d{{1,2}}(?:[\s,]+[\d:.]+)*\b", re.I)
_URL = re.compile(r"\b[a-z][a-z0-9+.-]{1,15}://\S+", re.I)
_TIMESTAMP = re.compile(r"\b\d{4}-\d{2}-\d{2}(?:[T _]\d{1,2}[:,]\d{2}[\d:.,]*)?(?:Z|[+-]\d{2}:?\d{2})?")
_LABEL_DUMP = re.compile(
    r"\b(?i:labels|value)\b\s*[=:]\s*(?:map\[[^\]]*\]?|[-+]?\d[\w.+-]*)?|\bmap\[[^\]]*\]?|\b(?:LABELS|VALUE)\b"
)
"""What `{{ $value }}` and `{{ $labels }}` leave in a rendered annotation."""

_ADDRESS = re.compile(
    r"/?\b\d{1,3}(?:\.\d{1,3}){3}(?:[:/]\d+)?\b|\bip-\d{1,3}(?:-\d{1,3}){3}(?::\d+)?\b"
    r"|(?<![\w:])(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{0,4}\b",
    re.I,
)
_UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.I)
_POD = re.compile(r"\b[a-z][a-z0-9]*(?:-[a-z0-9]+){0,8}-(?=[a-z0-9]*\d)[a-f0-9]{5,10}-[a-z0-9]{4,5}\b")
_PATH = re.compile(r"(?<![\w.])/(?:[\w.@-]+/)+[\w.@-]*")
_HOST = re.compile(r"\b[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)+(?::\d+)?\b", re.I)
_PUBLIC_SUFFIX = re.compile(r"\.(?:com|net|org|io|dev|cloud|local|internal|lan|corp|svc|example|test)(?::\d+)?$", re.I)
_HEX = re.compile(r"\b(?:0x[0-9a-f]+|(?=[a-f0-9]*\d)(?=[a-f0-9]*[a-f])[a-f0-9]{6,64})\b", re.I)
_NUMBERED_NAME = re.compile(r"\b[a-z][a-z0-9]*(?:[-_][a-z0-9]+){0,8}[-_]\d+(?::\d+)?\b", re.I)
_WORKLOAD = re.compile(r"\b[a-z][a-z0-9]*-(?:svc|service|api|web|worker|consumer|v\d+)\b")
_STATUS_CLASS = re.compile(r"(?<![0-9a-z])([1-5])xx(?![a-z])", re.I)
_STATUS_CODE = re.compile(
    r"(\b(?:http|status|code|response)s?[\s:=_-]{1,2}(?:code[\s:=]{1,2})?)([1-5]\d\d)\b"
    r"|\b([1-5]\d\d)(?=\s+(?:errors?|responses?|status)\b)",
    re.I,
)
_NUMBER = re.compile(r"(?<![\w\x01])[-+]?\d+(?:[-.,:/_T]\d+)*(?:[a-zµ]{1,3}(?:\d+[a-z]{1,2})*\b|%+|Z\b)?(?!\w)", re.I)
_KEPT = "\x01"
"""Marks a number that means something, so that the number mask passes it by."""

_BEFORE_PLACE = re.compile(r"\b(?:in|on|at|for|of|from|namespace|cluster|tenant|job)\s+|/")
_EMPTY_PARENTHESES = re.compile(rf"\(\s*(?:instance\s*)?[{_HOLE}\s:,/]*\)|\[[{_HOLE}\s:,/.-]*\]", re.I)
_HOLES = re.compile(rf"(?:{_HOLE}\s*[,/:]?\s*)+")
_LONE_SYMBOLS = re.compile(r"(?<!\S)[^\w\s]+(?!\S)|(?<=\()[^\w\s()]+\s|[<>]{2,}|%+(?=\s|$)")
_SPACE = re.compile(r"\s+")
_SPACE_BEFORE_POINT = re.compile(r"\s+([.,:;!?)])")
_SENTENCE_END = re.compile(r"\s+\|\s+|\n+|(?<=[\w)%>\]])[.!?]+(?=\s|$)\s*")
_ACRONYM_END = re.compile(r"([A-Z]+)([A-Z](?!s\b|v\d)[a-z])")
_CAMEL_BUMP = re.compile(r"([a-z0-9])([A-Z])")
_ACRONYM = (
    "HTTPS|HTTP|CICD|GRPC|LDAP|SMTP|TSDB|HDFS|SNMP|API|AWS|CPU|DNS|EBS|GCP|GCS|GPU|IAM|JVM|KMS|NFS|NTP|NVME|QPS|RAM|RPC|"
    "SLA|SLI|SLO|SQL|SSD|SSH|SSL|TCP|TLS|UDP|URL|VPN|WAL|XML|CD|CI|DB|GC|IO|IP|MQ|OS|VM"
)
_GLUED_ACRONYMS = re.compile(rf"(?<![A-Z])(?:{_ACRONYM}){{2,}}(?![A-Z]{{2}})(?=[A-Z][a-z]|[^A-Za-z]|$)")
_EACH_ACRONYM = re.compile(_ACRONYM)
_GLUED_NUMBER = re.compile(r"([A-Za-z])([1-5]xx)|([A-Za-z]{3}[a-z])(\d{2,}|\d(?=[A-Z][a-z]))")

_DIGIT = re.compile(r"\d")
_WHOLE_TEXT = ((_DATE, True), (_TIMESTAMP, True), (_UUID, False), (_ADDRESS, False), (_POD, True), (_PATH, False))
_NAMES = ((_HEX, True), (_NUMBERED_NAME, True), (_WORKLOAD, False))
"""What is masked, in this order, and whether it only ever stands in texts with a digit."""

_ALERTMANAGER_PREFIX = re.compile(r"^\s*\[(?:FIRING|RESOLVED)(?::\d+)?\]\s*", re.I)
_TRAILING_PARENTHESES = re.compile(r"\s*\([^()]*\)\s*$")
_SHOUT = re.compile(
    r"^(?:(?:URGENT|ALERT|CRITICAL|WARNING|EMERGENCY|PROBLEM|INCIDENT|RESOLVED|SEV-?\d|P\d)\b[:!\s-]*)+(?=\w)"
)
_TAG = re.compile(r"^\[[\w./ -]{1,40}\]\s*(?=\w)")
_OWNER_PREFIX = re.compile(r"^([a-z0-9][a-z0-9-]*):\s+(?=\S+\s+\S)")
_TRAILING_PLACE = re.compile(r"\s+(?:on|at|in|for|from|-)$")
_TRAILING_OWNER = re.compile(r"\s*\([a-z0-9][a-z0-9-]*\)$")


@dataclass(frozen=True, slots=True)
class Signature:
    """The lasting part of an incident's text. All texts are lower case, identifiers split into words.

    `alert` is the alert's name as its sender writes it, empty when none is known. `segments` are the description's
    sentences and log lines in order, at most `MAX_SEGMENTS`, none empty.
    """

    alert: str
    title: str
    segments: tuple[str, ...]


def signature_of(incident: Incident, signing: "Signing | None" = None) -> Signature:
    """The signature of an incident; resolution text stays out, because it makes unlike incidents look alike.

    `signing` is `sign` with a memory.
    """
    alert = incident.alerts[0] if incident.alerts else incident.labels.get("alertname", "")
    told = "\n".join(part for part in (incident.description, *incident.symptoms, incident.trigger) if part)
    title, told = incident.title or alert or incident.type, told[: 2 * MAX_TEXT_CHARS]
    return (signing or sign)(title, told, alert=alert, values=tuple(_changing(incident.labels)))


class Signing(Protocol):
    """`sign`, or what remembers its results."""

    def __call__(self, title: str, description: str, *, alert: str = "", values: tuple[str, ...] = ()) -> Signature: ...


def signature_of_alert(alert: Alert) -> Signature:
    """The signature that an incident opened from this alert would have."""
    name = alert.name or alert.labels.get("alertname", "")
    summary = _first(alert.annotations, ("summary", "title", "message"))
    told = _first(alert.annotations, ("description", "message"))
    title = name or summary or told
    rest = [part for part in (summary, told) if part and part != title]
    return sign(title, "\n".join(dict.fromkeys(rest)), alert=name, values=tuple(_changing(alert.labels)))


def sign(title: str, description: str, *, alert: str = "", values: Sequence[str] = ()) -> Signature:
    """Mask a title and a description. Text past the limits above is not read.

    `values` are those of the incident's labels: where the text has one of them in the place of a name (`in prod`,
    `prod/checkout`), it is masked like a host.
    """
    names = sorted({value for value in values if 2 < len(value) <= MAX_VALUE_CHARS})
    title, description = (_mask_places(text, [name for name in names if name in text]) for text in (title, description))
    headline, owner = _undecorated(title[:MAX_TITLE_CHARS].strip())
    parts = (_tidy(part).lower() for part in _SENTENCE_END.split(mask(description[:MAX_TEXT_CHARS])))
    kept = [part[:MAX_SEGMENT_CHARS] for part in (*parts, owner) if _has_word(part)]
    return Signature(alert=alert.strip(), title=headline, segments=tuple(kept[:MAX_SEGMENTS]))


def _mask_places(text: str, names: Sequence[str]) -> str:
    """`text` with a hole for each name that stands behind a word of place or beside a slash. One pass for each side:
    a pattern made of the names would have to be compiled for every incident."""
    if not names:
        return text
    spans = []
    for before in _BEFORE_PLACE.finditer(text):
        start = before.end()
        ends = (start + len(name) for name in names if text.startswith(name, start))
        end = next((end for end in ends if _is_edge(text, end)), None)
        if end is not None:
            spans.append((start, end))
    for name in names:
        start = text.find(f"{name}/")
        while start >= 0:
            if _is_edge(text, start):
                spans.append((start, start + len(name)))
            start = text.find(f"{name}/", start + 1)
    parts, done = [], 0
    for start, end in sorted(spans):
        if start >= done:
            parts += [text[done:start], _HOLE]
            done = end
    return "".join([*parts, text[done:]])


def _is_edge(text: str, at: int) -> bool:
    """Whether a word begins or ends at this place."""
    return _is_word(text[at - 1 : at]) != _is_word(text[at : at + 1])


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


def _undecorated(text: str) -> tuple[str, str]:
    """A title without what alert senders and people in a hurry put around it, and the `owner:` that it began with."""
    if _ALERTMANAGER_PREFIX.match(text):
        text = _TRAILING_PARENTHESES.sub("", _ALERTMANAGER_PREFIX.sub("", text))
    bare = _TAG.sub("", _SHOUT.sub("", text))
    owner = _OWNER_PREFIX.match(bare)
    masked = _tidy(mask(_OWNER_PREFIX.sub("", bare)))
    masked = _TRAILING_OWNER.sub("", _TRAILING_PLACE.sub("", masked))
    return (masked or _tidy(text)).lower(), owner[1] if owner else ""


def mask(text: str) -> str:
    """Split identifiers into words and replace what changes between occurrences by a hole character."""
    text = _URL.sub(_HOLE, _LABEL_DUMP.sub(" ", text.replace(_KEPT, " ")))
    has_digit = _DIGIT.search(text) is not None
    for pattern, needs_digit in _WHOLE_TEXT:
        if has_digit or not needs_digit:
            text = pattern.sub(_HOLE, text)
    text = _HOST.sub(_mask_host, text)
    for pattern, needs_digit in _NAMES:
        if has_digit or not needs_digit:
            text = pattern.sub(_HOLE, text)
    text = split_identifiers(text)
    if has_digit:
        text = _STATUS_CLASS.sub(rf"{_KEPT}\1xx", _STATUS_CODE.sub(_keep_status, text))
        text = _NUMBER.sub(_HOLE, text)
    return text.replace(_KEPT, "")


def split_identifiers(text: str) -> str:
    """`KubePodCrashLooping` becomes `Kube Pod Crash Looping`, `SQLSSLOff` `SQL SSL Off`."""
    text = _GLUED_ACRONYMS.sub(lambda run: " ".join(_EACH_ACRONYM.findall(run[0])), text)
    if _DIGIT.search(text) is not None:
        text = _GLUED_NUMBER.sub(r"\1\3 \2\4", text)
    return _ACRONYM_END.sub(r"\1 \2", _CAMEL_BUMP.sub(r"\1 \2", text))


def _keep_status(match: re.Match[str]) -> str:
    code = match[2] or match[3]
    return f"{match[1] or ''}{_KEPT}{code} {_KEPT}{code[0]}xx"


def _mask_host(match: re.Match[str]) -> str:
    name = match[0]
    masked = any(ch.isdigit() for ch in name) or (name.count(".") >= 2 and _PUBLIC_SUFFIX.search(name) is not None)
    return _HOLE if masked else name


def _changing(labels: Mapping[str, str]) -> list[str]:
    return [value for key, value in labels.items() if key not in LASTING_LABELS]


def _tidy(text: str) -> str:
    text = _LONE_SYMBOLS.sub(" ", _HOLES.sub(" ", _EMPTY_PARENTHESES.sub(" ", text)))
    return _SPACE_BEFORE_POINT.sub(r"\1", _SPACE.sub(" ", text)).strip(" \t-|:.,;=!?")


def _has_word(text: str) -> bool:
    return sum(ch.isalpha() for ch in text) >= 3


def _first(texts: Mapping[str, str], keys: Iterable[str]) -> str:
    return next((texts[key] for key in keys if texts.get(key)), "")
