"""Which words are names of alerts: the judgement that titles, headings, lists and file names share. Pure."""

import re
from collections.abc import Sequence

from kb.words import word_set

_MAX_NAME_CHARS = 120

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[._-][A-Za-z0-9]+)*")
_CAMEL = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*")
_HUMP = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|^[a-z0-9]+")
_SEPARATOR = re.compile(r"\s*(?:,|/|\||&|\+|;|\band\b|\bor\b)\s*|\s+")
_EXPLICIT = re.compile(r"(?:\[?alert\]?(?:[ -]?names?)?|alertname)\s*[:–—-]\s*(\S.*)", re.IGNORECASE)
_LEADING = re.compile(r"([A-Za-z]\w{0,119})\s{0,4}(?:[:(–—]|\s-\s)")
_NUMBERING = re.compile(r"^(?:\d{1,3}[.)]\s*)+")
_WRAPPING = "`'\"*_ \t“”‘’"
_NOISE = re.compile(r"\b(?:alerts?|runbook|playbook|alert:)\b", re.IGNORECASE)

_TROUBLE = word_set(
    "down high low failed failing failure failures fail fails missing absent critical degraded lag lagging full "
    "unhealthy pressure firing exceeded exceeding expired expiring expiration expiry unavailable stuck slow "
    "saturated saturation flapping inhibitor mismatch overcommit latency restart restarts restarting crash crashing "
    "crashlooping looping error errors unreachable throttled throttling throttle burst exhausted exhaustion leak "
    "leaking drop dropped dropping dropping loss lost stale skew drift backlog growing filling pending rejected "
    "dead deadlock deadlocks hang hanging timeout timeouts violation breach warning stopped inactive corrupt "
    "corruption offline disabled almost out not no too many often killed oom oomkilled bottleneck overload "
    "overloaded risk ready syncing disconnected panic rebooted reached"
)
"""Words that an alert's name has and the name of a product or of a kind of resource has not."""

_CODE_NAMES = ("Error", "Exception")
_KINDS = ("Worker", "Controller", "Class", "Set", "CRD", "Config", "Policy", "Service", "Secret", "Request")
"""Endings of exception classes, and of Kubernetes kinds and program parts."""

_LOWER_PREFIXES = frozenset({"etcd", "node", "kube", "pg", "redis", "mysql", "walg", "wal"})
"""What an alert's name may begin with in lower case; settings (`fullRatio`) begin so too."""

_SINGLE_WORD_ALERTS = frozenset({"Watchdog", "DeadMansSwitch", "InfoInhibitor"})


def hump_words(name: str) -> list[str]:
    """The words of a camelCase or snake_case name: `KubeAPIDown` -> Kube, API, Down."""
    return [word for part in re.split(r"[_\W]+", name) for word in _HUMP.findall(part)]


def is_camel_name(text: str) -> bool:
    """Whether the text is one identifier of two humps or more, as most alerts have (`KubeletDown`, `etcdNoLeader`)."""
    if len(text) > _MAX_NAME_CHARS or not _CAMEL.fullmatch(text) or text.isupper():
        return False
    return len(hump_words(text)) >= 2 and any(char.islower() for char in text) and any(char.isupper() for char in text)


def is_alert_name(text: str) -> bool:
    """Whether an identifier reads as an alert's name by itself, without anything around it to say so.

    Product names (`PostgreSQL`, `OpenShift`) and resource kinds (`StorageClass`) look alike; what tells is a word of
    trouble.
    """
    if text in _SINGLE_WORD_ALERTS:
        return True
    if not is_camel_name(text):
        return False
    words = [word.lower() for word in hump_words(text)]
    if text[0].islower() and words[0] not in _LOWER_PREFIXES:
        return False
    if text.endswith(_CODE_NAMES) and len(words) <= 3:
        return False
    if text.endswith(_KINDS) and not _TROUBLE.intersection(words[:-1]):
        return False
    return bool(_TROUBLE.intersection(words))


def names_in_heading(title: str, *, lenient: bool = False) -> tuple[str, ...]:
    """The alerts that a heading is about: all of `FooDown / BarHigh`, the first of `FooDown: what to do`, none of
    prose.

    `lenient` takes any name of two humps, for places where only the name of an alert would stand.
    """
    judge = is_camel_name if lenient else is_alert_name
    explicit = explicit_names(title)
    if explicit:
        return explicit
    text = _NOISE.sub(" ", _NUMBERING.sub("", title)).strip(_WRAPPING + ":.-")
    if not text or len(text) > 4 * _MAX_NAME_CHARS:
        return ()
    words = [word.strip(_WRAPPING + "()") for word in _SEPARATOR.split(text)]
    words = [word for word in words if word]
    if words and all(judge(word) or word in _SINGLE_WORD_ALERTS for word in words):
        return tuple(dict.fromkeys(words))
    leading = _LEADING.match(text)
    return (leading[1],) if leading and is_alert_name(leading[1]) else ()


def explicit_names(text: str) -> tuple[str, ...]:
    """The names after `Alert:` or `Alert name:`; what stands there is believed, but `[AlertName]` is a blank."""
    match = _EXPLICIT.fullmatch(text.strip(_WRAPPING))
    return split_names(match[1]) if match else ()


def split_names(text: str) -> tuple[str, ...]:
    """Alert names in a value such as `FooDown or BarHigh`; a phrase of plain words is one name. Blanks in brackets
    are none."""
    value = text.strip(_WRAPPING)
    if not value or value[0] in "[<{#" or "://" in value or len(value) > 4 * _MAX_NAME_CHARS:
        return ()
    words = [word.strip(_WRAPPING + "()") for word in _SEPARATOR.split(value) if word.strip(_WRAPPING + "()")]
    if words and all(_IDENTIFIER.fullmatch(word) and (is_camel_name(word) or "_" in word) for word in words):
        return tuple(dict.fromkeys(words))
    leading = _LEADING.match(value)
    if leading and is_camel_name(leading[1]):
        return (leading[1],)
    return (value,) if len(value) <= _MAX_NAME_CHARS else ()


def names_in_title(title: str, stem: str) -> tuple[str, ...]:
    """The alerts that a file is about by its title or its name. A name that title and file name share is believed
    with two humps (`KubeletDown.md` titled `Kubelet Down`), a title of one word with three; else it must read as an
    alert's name."""
    found = list(names_in_heading(title))
    word = title.strip(_WRAPPING)
    if not found and is_camel_name(word) and len(hump_words(word)) >= 3 and word[0].isupper():
        found.append(word)
    if (is_camel_name(stem) and _squash(stem) == _squash(title)) or is_alert_name(stem):
        found.append(stem)
    return tuple(dict.fromkeys(found))


def _squash(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


def mostly_alerts(titles: Sequence[str]) -> bool:
    """Whether the headings of one level are a list of alerts: two names or more, which are the majority, and one of
    them beyond doubt."""
    named = sum(bool(names_in_heading(title, lenient=True)) for title in titles)
    return named >= 2 and 2 * named > len(titles) and any(names_in_heading(title) for title in titles)
