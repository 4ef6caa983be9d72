"""An answer as the search page shows it. Pure: values of `kb.hits` in, values for templates out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from markupsafe import Markup

from api.web.citations import without_citations
from api.web.marks import MARK_END, MARK_START, UNLIKELY, ago, chance_in_words, marked
from api.web.recommend_view import RecommendationScreen
from api.web.urls import Urls
from kb.hits import Answer, Hit, Part
from kb.incident import Alert
from kb.runbook import ReviewState, RunbookType

MAX_QUERY_CHARS = 100_000  # a group of a few hundred alerts; what the search itself reads of it is its own affair
_MAX_ALERTS = 2  # names on a hit before they become noise
_MAX_TAGS = 8
_BARS = 5

# Labels that say what broke come first; the rest follow in the alert's order. Those that only say how it was scraped or
# routed are not shown and fill nothing.
_TELLING = ("cluster", "namespace", "service", "deployment", "statefulset", "pod", "container", "node", "instance")
_ROUTING = frozenset(
    {"alertname", "severity", "prometheus", "prometheus_replica", "endpoint", "metrics_path", "__name__"}
)

# The signals of `indexer.signals`, as a person would say them.
_PART_NAMES: Mapping[str, str] = {
    "words": "your words, in its sections",
    "coverage": "how many of your words it has",
    "name": "your words, in its name",
    "exact": "the name itself",
    "spelling": "spelt like its name",
    "meaning": "a section close in meaning",
    "overview": "close in meaning as a whole",
    "feedback": "what people said of it",
}


@dataclass(frozen=True, slots=True)
class Share:
    """One reason for a hit's place: its name in plain words and how much of the score it makes up, in percent."""

    name: str
    share: int


@dataclass(frozen=True, slots=True)
class Card:
    """One hit. `bars` of five and `percent` say how sure the search is; `chance` says it in words."""

    href: str
    title: str
    section: tuple[str, ...]
    snippet: Markup
    severity: str
    state_label: str
    type_label: str
    service: str
    alerts: tuple[str, ...]
    more_alerts: int
    tags: tuple[str, ...]
    updated: str
    path: str
    chance: str
    percent: int
    bars: int
    terms: tuple[str, ...]
    parts: tuple[Share, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnswerScreen:
    """What the page says about one answer; `announcement` is what a screen reader hears. `less_likely` are hits too,
    far enough behind the first to be shown in a line each."""

    hits: tuple[Card, ...]
    less_likely: tuple[Card, ...]
    near_misses: tuple[Card, ...]
    drafts: tuple[Card, ...]
    announcement: str
    count_line: str
    took: str
    generation: str
    degraded: str
    search_id: str


@dataclass(frozen=True, slots=True)
class AlertScreen:
    """The alert that a pasted text was read as; `labels` are those worth showing, which also fill commands."""

    name: str
    labels: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """The alert as a text that is read as the same alert again."""
        return "\n".join(f"{name}={value}" for name, value in (("alertname", self.name), *self.labels) if value)


@dataclass(frozen=True, slots=True)
class Filters:
    """The chosen filters as they stand in the form; empty for any."""

    type: str = ""
    severity: str = ""
    service: str = ""
    tag: str = ""

    @property
    def any(self) -> bool:
        """Whether one is set."""
        return bool(self.type or self.severity or self.service or self.tag)


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen in each filter."""

    types: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A query worth trying, and what kind it is."""

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class ServiceCount:
    """A service and how many runbooks it has."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class ProblemScreen:
    """Why there is no answer, and what to do."""

    title: str
    message: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class SearchScreen:
    """The search page. `answer` is None while nothing was asked; `advice` is what ended such incidents before."""

    heading: str = "Search"
    query: str = ""
    filters: Filters = field(default_factory=Filters)
    choices: Choices = field(default_factory=Choices)
    answer: AnswerScreen | None = None
    alert: AlertScreen | None = None
    problem: ProblemScreen | None = None
    examples: tuple[Example, ...] = ()
    services: tuple[ServiceCount, ...] = ()
    count: int = 0
    advice: RecommendationScreen | None = None
    max_chars: int = MAX_QUERY_CHARS


def answer_screen(answer: Answer, *, labels: Mapping[str, str], urls: Urls, now: datetime) -> AnswerScreen:
    """An answer for the page; `labels` of the alert travel with every link, to fill the commands there."""

    def cards(hits: Iterable[Hit]) -> tuple[Card, ...]:
        return tuple(card(hit, labels=labels, search_id=answer.search_id, urls=urls, now=now) for hit in hits)

    likely = _likely(answer)
    return AnswerScreen(
        hits=cards(answer.hits[:likely]),
        less_likely=cards(answer.hits[likely:]),
        near_misses=cards(answer.near_misses),
        drafts=cards(answer.drafts),
        announcement=announcement(answer),
        count_line=_count_line(answer),
        took=_took(answer.took_s),
        generation=answer.generation,
        degraded=answer.degraded,
        search_id=answer.search_id,
    )


def card(hit: Hit, *, labels: Mapping[str, str], search_id: str, urls: Urls, now: datetime) -> Card:
    """One hit for the page."""
    runbook = hit.runbook
    return Card(
        href=urls.runbook(runbook.id, labels=labels, search_id=search_id, anchor=hit.chunk.anchor),
        title=runbook.title or runbook.id,
        section=_section(hit),
        snippet=marked(_without_title(without_citations(" ".join(hit.snippet.split())), runbook.title)),
        severity=runbook.severity.value if runbook.severity else "",
        state_label="" if runbook.state is ReviewState.PUBLISHED else runbook.state.value,
        type_label="" if runbook.type is RunbookType.STATIC else runbook.type.value,
        service=runbook.service,
        alerts=runbook.alerts[:_MAX_ALERTS],
        more_alerts=max(0, len(runbook.alerts) - _MAX_ALERTS),
        tags=runbook.tags[:_MAX_TAGS],
        updated="changed " + ago(runbook.updated_at, now) if runbook.updated_at else "",
        path=runbook.path,
        chance=chance_in_words(hit.confidence),
        percent=round(100 * hit.confidence),
        bars=max(1, round(_BARS * hit.confidence)),
        terms=hit.reasons.matched_terms,
        parts=shares(hit.reasons.parts),
        notes=tuple(note.rstrip(".") for note in hit.reasons.notes),
    )


def _section(hit: Hit) -> tuple[str, ...]:
    """The headings down to the section, without the runbook's own title in front."""
    path = tuple(without_citations(title) for title in hit.chunk.section_path if title)
    return path[1:] if path and path[0].casefold() == hit.runbook.title.casefold() else path


def _without_title(snippet: str, title: str) -> str:
    """The snippet without the title it begins with, which stands right above it; marks that cover the title go too."""
    position = 0
    for letter in title:
        while snippet[position : position + 1] in (MARK_START, MARK_END):
            position += 1
        if snippet[position : position + 1].casefold() != letter.casefold():
            return snippet
        position += 1
    rest = snippet[position:].removeprefix(MARK_END).lstrip(" :.-–—")
    return rest or snippet


def shares(parts: Sequence[Part]) -> tuple[Share, ...]:
    """Parts of a score as whole percents of what was added to it, largest first; what added nothing is left out."""
    total = sum(part.contribution for part in parts if part.contribution > 0)
    if total <= 0:
        return ()
    listed = [
        Share(_PART_NAMES.get(part.name, part.name.replace("_", " ")), round(100 * part.contribution / total))
        for part in parts
        if part.contribution > 0
    ]
    return tuple(sorted((share for share in listed if share.share), key=lambda share: -share.share))


def _likely(answer: Answer) -> int:
    """How many of the first hits deserve a full card: the first one, and those that are not plainly unlikely."""
    unlikely = (place for place, hit in enumerate(answer.hits) if place and hit.confidence < UNLIKELY)
    return next(unlikely, len(answer.hits))


def announcement(answer: Answer) -> str:
    """One or two sentences for a screen reader."""
    if not answer.hits:
        closest = f" Closest: {answer.near_misses[0].runbook.title}." if answer.near_misses else ""
        return f"No confident match.{closest}"
    best, likely = answer.hits[0], _likely(answer)
    rest = f" {len(answer.hits) - likely} less likely." if likely < len(answer.hits) else ""
    return f"{_runbooks(likely)}. Best: {best.runbook.title}, {chance_in_words(best.confidence)}.{rest}"


def _count_line(answer: Answer) -> str:
    return _runbooks(_likely(answer)) if answer.hits else ""


def _runbooks(count: int) -> str:
    return f"{count} runbook{'' if count == 1 else 's'}"


def _took(took_s: float) -> str:
    return f"{took_s * 1000:.0f} ms" if took_s >= 0.001 else "under 1 ms"


def alert_screen(alert: Alert | None) -> AlertScreen | None:
    """What the page says about the alert that was read; None when the text was none."""
    if alert is None:
        return None
    return AlertScreen(alert.name, tuple(telling_labels(alert.labels).items()))


def telling_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels that can fill commands, the most telling first."""
    told = {name: labels[name] for name in _TELLING if labels.get(name)}
    rest = {name: value for name, value in labels.items() if value and name not in told and name not in _ROUTING}
    return {**told, **rest}
