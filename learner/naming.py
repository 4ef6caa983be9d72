"""What to call a pattern: its alert's name in words, else the title that says most of what its incidents share."""

import re
from collections import Counter
from collections.abc import Collection, Sequence

from kb.incident import Incident
from learner.signature import Signature, signature_of, split_identifiers
from learner.words import terms_in

MAX_NAME_CHARS = 80
_MAX_PIECES = 3
_MAX_WORD_CHARS = 16
_WORD = re.compile(r"(?<![\w-])[a-z][a-z0-9]{1,19}(?![\w-])")
_ENDINGS = frozenset({"DB", "MQ", "SQL", "QL"})
"""What the names of many products end in; the capital inside such a name begins no new word."""


def name_of(incidents: Sequence[Incident]) -> str:
    """A readable name from the incidents' own words; the same for any order of them."""
    return name_from([signature_of(incident) for incident in incidents])


def name_from(signatures: Sequence[Signature]) -> str:
    """The same from their signatures."""
    alerts = Counter(signature.alert for signature in signatures if signature.alert)
    if alerts:
        alert, count = min(alerts.items(), key=lambda item: (-item[1], item[0]))
        if 2 * count >= alerts.total():
            return _sentence(_spelt(alert, signatures))
    titles = Counter(signature.title for signature in signatures)
    shared: Counter[str] = Counter()
    for title, count in titles.items():
        shared.update(dict.fromkeys(terms_in(title), count))
    best = min(titles, key=lambda title: (-_told(title, shared) * titles[title] ** 0.5, len(title), title))
    return _sentence(best)


def _spelt(alert: str, signatures: Sequence[Signature]) -> str:
    """An alert's name in words. What the incidents' texts write as one word stays one: `RabbitMQDown` becomes
    `RabbitMQ down` and not `rabbit mq down`."""
    pieces = split_identifiers(alert.replace("_", " ").replace("-", " ")).split()
    known = {
        word
        for signature in signatures
        for text in (signature.title, *signature.segments)
        for word in _WORD.findall(text.lower())
    } - {alert.lower()}
    out: list[str] = []
    at = 0
    while at < len(pieces):
        count = next(
            (n for n in range(min(_MAX_PIECES, len(pieces) - at), 1, -1) if _is_word(pieces[at : at + n], known)), 1
        )
        whole = "".join(pieces[at : at + count])
        out.append(whole if count > 1 or whole.isupper() else whole.lower())
        at += count
    return " ".join(out)


def _is_word(pieces: Sequence[str], known: Collection[str]) -> bool:
    whole = "".join(pieces)
    if len(whole) > _MAX_WORD_CHARS:
        return False
    return whole.lower() in known or (len(pieces) == 2 and pieces[1] in _ENDINGS and not pieces[0].isupper())


def _told(title: str, shared: Counter[str]) -> float:
    """How much of what the incidents share a title says, for each word that it takes."""
    terms = set(terms_in(title))
    return sum(shared[term] for term in terms) / (len(terms) + 1)


def _sentence(text: str) -> str:
    short = " ".join(text.split())[:MAX_NAME_CHARS].strip()
    return short[:1].upper() + short[1:] if short else "Unnamed pattern"
