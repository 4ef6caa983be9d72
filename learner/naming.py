"""What to call a pattern: its alert's name in words, else the title that says most of what its incidents share."""

from collections import Counter
from collections.abc import Sequence

from kb.incident import Incident
from learner.lexicon import alert_words
from learner.signature import Signature, signature_of
from learner.words import terms_in

MAX_NAME_CHARS = 80


def name_of(incidents: Sequence[Incident]) -> str:
    """A readable name from the incidents' own words; the same for any order of them."""
    return name_from([signature_of(incident) for incident in incidents])


def name_from(signatures: Sequence[Signature]) -> str:
    """The same from their signatures."""
    alerts = Counter(signature.alert for signature in signatures if signature.alert)
    if alerts:
        alert, count = min(alerts.items(), key=lambda item: (-item[1], item[0]))
        if 2 * count >= alerts.total():
            return _sentence(alert_words(alert))
    titles = Counter(signature.title for signature in signatures)
    shared: Counter[str] = Counter()
    for title, count in titles.items():
        shared.update(dict.fromkeys(terms_in(title), count))
    best = min(titles, key=lambda title: (-_told(title, shared) * titles[title] ** 0.5, len(title), title))
    return _sentence(best)


def _told(title: str, shared: Counter[str]) -> float:
    """How much of what the incidents share a title says, for each word that it takes."""
    terms = set(terms_in(title))
    return sum(shared[term] for term in terms) / (len(terms) + 1)


def _sentence(text: str) -> str:
    short = " ".join(text.split())[:MAX_NAME_CHARS].strip()
    return short[:1].upper() + short[1:] if short else "Unnamed pattern"
