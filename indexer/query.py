"""What somebody pastes or types -> Query: an alert, a log line, an expression or a question becomes the fields it names
and the words worth searching by. Pure, and bounded whatever comes in."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from indexer.cleaning import clean
from indexer.paste import DETAIL_KEYS, HEADLINE_KEYS, Paste, PasteBuilder, PasteKind, read_paste
from indexer.tokens import spaced, words_in
from kb.alert_names import is_alert_name, is_camel_name
from kb.incident import Alert
from kb.severity import Severity, parse_severity
from kb.words import word_set

MAX_INPUT_CHARS = 65_536
MAX_QUERY_CHARS = 1_024  # of cleaned words; no alert needs more, and the model reads about as much
MAX_IDENTIFIERS = 16
MAX_NAME_CHARS = 200

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_KIND_LABELS = word_set(
    "alertname severity service job app component integration type tier reason resource phase controller "
    "condition code status state quantile verb method mode team alert_type category"
)
"""Labels whose values say what is wrong rather than where; words of the prose that equal them stay."""
_SERVICE_LABELS = ("service", "app", "application", "component", "job")
_URL = re.compile(r"https?://[^\s\"'<>)\]}]{1,500}")
_COMPOUND = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Query:
    """A search, understood.

    `headline` (title, summary) and `detail` (description, message, free text) are cleaned; `alert_name` stands as it
    was written. `identifiers` are the names that the text mentions and that may be alerts' or metrics'. `parameters`
    are labels by which commands can be filled; `notes` say in plain words what was left out.
    """

    raw: str
    kind: PasteKind = PasteKind.TEXT
    alert_name: str = ""
    headline: str = ""
    detail: str = ""
    service: str = ""
    severity: Severity | None = None
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    identifiers: tuple[str, ...] = ()
    runbook_url: str = ""
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All words to search by, the alert's name split into its words."""
        return " ".join(part for part in (spaced(self.alert_name), self.headline, self.detail) if part)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to search by."""
        return not words_in(self.text)


def parse_query(text: str) -> Query:
    """Never raises. Input past 65,536 characters is cut, and so are the words that are left past 1 KiB; notes say
    so."""
    raw = _CONTROL.sub(" ", text[:MAX_INPUT_CHARS]).strip()
    query = _understand(raw, read_paste(raw))
    if len(text) > MAX_INPUT_CHARS:
        return replace(query, notes=("only the first 65,536 characters were read", *query.notes))
    return query


def query_from_alert(alert: Alert) -> Query:
    """The search that an alert asks for."""
    builder = PasteBuilder()
    for key, value in alert.labels.items():
        builder.label(key, _CONTROL.sub(" ", value))
    for key, value in alert.annotations.items():
        if key.lower() in HEADLINE_KEYS | DETAIL_KEYS:
            builder.add(key, _CONTROL.sub(" ", value))
    builder.name = _CONTROL.sub(" ", alert.name) or builder.name
    query = _understand("", builder.build(PasteKind.ALERT))
    return replace(
        query,
        raw=query.alert_name or query.headline or query.detail,
        service=alert.service or query.service,
        severity=alert.severity or query.severity,
        runbook_url=alert.runbook_url or query.runbook_url,
    )


def _understand(raw: str, paste: Paste) -> Query:
    known = {value for key, value in paste.labels.items() if key not in _KIND_LABELS and len(value) > 1}
    headline = clean(" . ".join(paste.headlines), known_values=known)
    detail = clean(" . ".join(paste.details), known_values=known)
    name = paste.name[:MAX_NAME_CHARS].strip()
    if not name and paste.kind is PasteKind.TEXT:
        name = _lone_name(raw)
    head, rest, was_cut = _bounded(headline.text, "" if name == raw else detail.text, MAX_QUERY_CHARS - len(name))
    urls = [url for url in (paste.link, *headline.links, *detail.links, *_URL.findall(raw)) if url]
    return Query(
        raw=raw,
        kind=paste.kind,
        alert_name=name,
        headline=head,
        detail=rest,
        service=next((paste.labels[key] for key in _SERVICE_LABELS if paste.labels.get(key)), ""),
        severity=parse_severity(paste.labels.get("severity", "")),
        parameters=_parameters(paste, (*headline.pods, *detail.pods)),
        identifiers=_identifiers((name, *paste.headlines, *paste.details)),
        runbook_url=next(
            (url for url in urls if "runbook" in url.lower() or url.partition("#")[0].endswith(".md")), ""
        ),
        notes=("the text was long; only its first words count",) if was_cut else (),
    )


def _lone_name(raw: str) -> str:
    """A text of one word that reads as an alert's name."""
    return raw if is_camel_name(raw) or is_alert_name(raw) else ""


def _bounded(headline: str, detail: str, room: int) -> tuple[str, str, bool]:
    head = _cut(headline, room)
    rest = _cut(detail, room - len(head))
    return head, rest, len(head) < len(headline) or len(rest) < len(detail)


def _cut(text: str, room: int) -> str:
    if len(text) <= room:
        return text
    return text[: max(room, 0)].rpartition(" ")[0]


def _parameters(paste: Paste, pods: tuple[str, ...]) -> Mapping[str, str]:
    values = {key: value for key, value in paste.labels.items() if key not in {"alertname", "severity"}}
    if pods:
        values.setdefault("pod", pods[0])
    return MappingProxyType(values)


def _identifiers(texts: Iterable[str]) -> tuple[str, ...]:
    """Compound names in order of appearance: alerts (`KubePodCrashLooping`), metrics (`node_load1`), reasons."""
    found = (word for text in texts for word in _COMPOUND.findall(text))
    compound = (
        word for word in found if 5 <= len(word) <= MAX_NAME_CHARS and (is_camel_name(word) or "_" in word.strip("_"))
    )
    return tuple(dict.fromkeys(compound))[:MAX_IDENTIFIERS]
