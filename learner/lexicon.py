"""What the texts seen so far teach about words: which are misspelt, which are two halves of one, how rare each is, and
which alert a text speaks of. Built from the past alone, never changed afterwards; pure."""

import heapq
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from learner.signature import split_identifiers
from learner.words import STOP_WORDS, WORD, terms_in, words_in

MIN_FIX_CHARS = 5
FIX_RATIO = 4
"""A word is taken for a misspelling of another that differs by two swapped neighbours and is this much commoner."""

MIN_JOINED_COUNT = 2
JOINED_SHARE = 1.0
"""Two neighbouring words are halves of one that stands in this many texts, this often for each time they stand apart;
or of one that names a service."""

SPREAD_GROUPS = 3
SPREAD_SHARE = 0.5
"""A segment seen in this many groups, with at most this share in one of them, belongs to none: a log line that
happened to be there, or a phrase that every alert uses."""

NAME_MATCH = 0.82
NAME_MARGIN = 0.08
"""How much of a title and an alert's name must be common to both (F1 of their idf mass), and the lead over the next."""

MIN_TEMPLATE_TERMS = 3
TEMPLATE_SHARE = 0.9
"""A text of this many terms names an alert when this share of its labelled occurrences bear that alert."""


@dataclass(frozen=True, slots=True)
class Told:
    """One signature as the lexicon learns from it; `group` is where it stands now, `service` only lends its words."""

    alert: str
    title: str
    segments: tuple[str, ...]
    group: str
    service: str = ""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Knowledge of words as of one moment. `texts` is the number of distinct texts behind `full_df`."""

    fixes: Mapping[str, str] = field(default_factory=dict)
    joins: frozenset[tuple[str, str]] = frozenset()
    words: frozenset[str] = frozenset()
    by_letters: Mapping[str, tuple[tuple[int, str], ...]] = field(default_factory=dict)
    texts: int = 0
    full_df: Mapping[str, int] = field(default_factory=dict)
    names: int = 0
    name_idfs: Mapping[str, float] = field(default_factory=dict)
    incidental: frozenset[str] = frozenset()
    alert_masses: Mapping[str, float] = field(default_factory=dict)
    alerts_with: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)

    def correct(self, text: str) -> str:
        """`text` with misspelt words replaced and halves joined; the same object when there is nothing to do."""
        words = WORD.findall(text)
        if any(self._fix(word) != word for word in words):
            text = WORD.sub(lambda match: self._fix(match[0]), text)
            words = WORD.findall(text)
        for left, right in pairwise(words):
            if (left, right) in self.joins:
                text = re.sub(rf"\b{left} {right}\b", left + right, text)
            elif (right, left) in self.joins:
                text = re.sub(rf"\b{left} {right}\b", right + left, text)
        return text

    def full_idf(self, term: str) -> float:
        """How telling a term is anywhere in a text; natural logarithm, at least 0."""
        return _idf(self.texts, self.full_df.get(term, 0))

    def name_idf(self, term: str) -> float:
        """How telling a term is in a title or an alert's name."""
        known = self.name_idfs.get(term)
        return known if known is not None else _idf(self.names, 0)

    def alert_of(self, title: str, segments: Sequence[str], by_title: str | None = None) -> str:
        """The alert that an unlabelled text speaks of, empty when that is open or its parts disagree.

        `by_title` is what `alert_by_title` says of the title, where that is known.
        """
        by_title = self.alert_by_title(title) if by_title is None else by_title
        told = {self.templates[text] for text in (title, *segments) if text in self.templates}
        if len(told) == 1:
            by_template = next(iter(told))
            return by_template if by_title in ("", by_template) else ""
        return by_title

    def _fix(self, word: str) -> str:
        known = self.fixes.get(word)
        if known is not None:
            return known
        if len(word) < MIN_FIX_CHARS or word in self.words:
            return word
        near = self.by_letters.get("".join(sorted(word)), ())
        return next((other for count, other in near if count >= FIX_RATIO and are_swapped(word, other)), word)

    def alert_by_title(self, title: str) -> str:
        """The one alert whose name says nearly what the title says; empty when there is none."""
        mass = 0.0
        shared: defaultdict[str, float] = defaultdict(float)
        for term in sorted(set(terms_in(title))):
            idf = self.name_idf(term)
            mass += idf
            for alert in self.alerts_with.get(term, ()):
                shared[alert] += idf
        scored = ((-2 * part / (mass + self.alert_masses[alert]), alert) for alert, part in shared.items())
        best = heapq.nsmallest(2, scored)
        if not best or -best[0][0] < NAME_MATCH:
            return ""
        lead = (best[1][0] if len(best) > 1 else 0.0) - best[0][0]
        return best[0][1] if lead >= NAME_MARGIN else ""


def build_lexicon(told: Sequence[Told]) -> Lexicon:
    """Learn from everything told so far, in any order."""
    texts = {item.title for item in told} | {segment for item in told for segment in item.segments}
    counts = Counter(word for text in texts for word in set(words_in(text)))
    services = {word for item in told for word in words_in(item.service.lower())}
    fixes = _find_fixes(counts)
    common = {word: count for word, count in counts.items() if count >= MIN_JOINED_COUNT and word not in fixes}
    spelling = Lexicon(
        fixes=fixes,
        joins=_find_joins(texts, common, services),
        words=frozenset(counts),
        by_letters=_by_letters(counts),
    )
    mended = {text: spelling.correct(text) for text in texts}
    corrected = [
        replace(item, title=mended[item.title], segments=tuple(mended[segment] for segment in item.segments))
        for item in told
    ]
    return _with_meaning(spelling, corrected, {text: frozenset(terms_in(text)) for text in set(mended.values())})


def alert_words(alert: str) -> str:
    """An alert's name as a text: `KubePodNotReady` becomes `kube pod not ready`."""
    return split_identifiers(alert.replace("_", " ").replace("-", " ")).lower()


def are_swapped(left: str, right: str) -> bool:
    """Whether two words differ by two neighbouring letters that changed places, and by nothing else."""
    if len(left) != len(right):
        return False
    differ = [at for at, (a, b) in enumerate(zip(left, right, strict=True)) if a != b]
    if len(differ) != 2 or differ[1] != differ[0] + 1:
        return False
    first, second = differ
    return left[first] == right[second] and left[second] == right[first]


def _with_meaning(spelling: Lexicon, told: Sequence[Told], terms: Mapping[str, frozenset[str]]) -> Lexicon:
    alert_terms = {a: frozenset(terms_in(spelling.correct(alert_words(a)))) for a in {item.alert for item in told} if a}
    incidental = _find_incidental(told)
    full = {
        terms[item.title].union(*(terms[segment] for segment in item.segments if segment not in incidental))
        for item in told
    }
    names = {alert_terms[item.alert] if item.alert else terms[item.title] for item in told}
    name_df = Counter(term for text in names for term in text)
    name_idfs = {term: _idf(len(names), count) for term, count in name_df.items()}
    unknown = _idf(len(names), 0)
    alerts_with: defaultdict[str, list[str]] = defaultdict(list)
    for alert in sorted(alert_terms):
        for term in sorted(alert_terms[alert]):
            alerts_with[term].append(alert)
    return replace(
        spelling,
        texts=len(full),
        full_df=Counter(term for text in full for term in text),
        names=len(names),
        name_idfs=name_idfs,
        incidental=incidental,
        alert_masses={
            alert: sum(name_idfs.get(term, unknown) for term in sorted(terms)) for alert, terms in alert_terms.items()
        },
        alerts_with={term: tuple(alerts) for term, alerts in alerts_with.items()},
        templates=_find_templates(told, incidental, terms),
    )


def _idf(texts: int, with_term: int) -> float:
    return math.log((1 + texts) / (with_term + 0.5)) if texts else 1.0


def _find_fixes(counts: Mapping[str, int]) -> dict[str, str]:
    fixes = {}
    for near in _by_letters(counts).values():
        for count, word in near[1:]:
            better = (other for more, other in near if more >= FIX_RATIO * count and are_swapped(word, other))
            fix = next(better, None)
            if fix is not None:
                fixes[word] = fix
    return fixes


def _by_letters(counts: Mapping[str, int]) -> dict[str, tuple[tuple[int, str], ...]]:
    """Words of the same letters, commonest first."""
    found: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for word, count in counts.items():
        if len(word) >= MIN_FIX_CHARS:
            found["".join(sorted(word))].append((count, word))
    return {letters: tuple(sorted(words, key=lambda item: (-item[0], item[1]))) for letters, words in found.items()}


def _find_joins(texts: Iterable[str], common: Mapping[str, int], services: set[str]) -> frozenset[tuple[str, str]]:
    pairs: Counter[tuple[str, str]] = Counter()
    for text in texts:
        for left, right in set(pairwise(text.split())):
            whole = left + right
            if len(whole) < MIN_FIX_CHARS or left in STOP_WORDS or right in STOP_WORDS:
                continue
            if whole in common or whole in services:
                pairs[left, right] += 1
    return frozenset(
        (left, right)
        for (left, right), count in pairs.items()
        if left + right in services or common[left + right] >= JOINED_SHARE * count
    )


def _find_incidental(told: Sequence[Told]) -> frozenset[str]:
    where: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for item in told:
        for segment in set(item.segments):
            where[segment][item.group] += 1
    return frozenset(
        segment
        for segment, groups in where.items()
        if len(groups) >= SPREAD_GROUPS and max(groups.values()) < SPREAD_SHARE * groups.total()
    )


def _find_templates(
    told: Sequence[Told], incidental: frozenset[str], terms: Mapping[str, frozenset[str]]
) -> dict[str, str]:
    alerts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for item in told:
        if item.alert:
            for text in {item.title, *item.segments} - incidental:
                if len(terms[text]) >= MIN_TEMPLATE_TERMS:
                    alerts[text][item.alert] += 1
    top = {text: max(counts.items(), key=lambda pair: (pair[1], pair[0])) for text, counts in alerts.items()}
    return {text: alert for text, (alert, count) in top.items() if count >= TEMPLATE_SHARE * alerts[text].total()}
