"""Text -> terms that can be compared: function words dropped, endings cut, words that operators use for one another
made one. Pure. The stemmer is small on purpose: it only has to bring the forms of one word together."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

WORD = re.compile(r"[a-z0-9_]+")
_STATUS_CODE = re.compile(r"[1-5]\d\d")
_VOWEL = re.compile(r"[aeiouy]")

_FUNCTION_WORDS = """
a an and any all are as at be been being by can current did do does for from had has have if in into is it its may
might more most of on one or over per see should since some than that the their them then there these this those to
too under until very was we were when which while will with within would you your
"""
STOP_WORDS = frozenset(_FUNCTION_WORDS.split())
"""No negations here: `has no leader` and `has a leader` are different incidents."""

_SAME_WORDS = """
down unreachable unavailable offline
error errors err errs fail fails failed failing failure failures unsuccessful
lag lags lagging lagged delay delays delayed behind
slow slowly slowness sluggish latency latencies
high elevated excessive
disk disks storage volume volumes
memory mem ram
usage used utilization utilisation consumption
connection connections conn conns connect connects
replication repl replicate replicating
configuration configurations config configs conf
certificate certificates cert certs
database databases db
postgres postgresql postgre pg
kubernetes k8s
expire expires expired expiring expiry expiration
host hosts node nodes server servers instance instances
many lots
queue queues
missing absent disappeared
"""
_SAME_PHRASES = (
    ("not succeeding", "failing"),
    ("response time", "latency"),
    ("lots of", "many"),
    ("out of memory", "oom"),
)

_ALIKE = {word: line.split()[0] for line in _SAME_WORDS.strip().splitlines() for word in line.split()}


def words_in(text: str) -> list[str]:
    """The words of a lower-case text, digits-only ones left out unless they can be an HTTP status."""
    return [word for word in WORD.findall(text) if not word.isdigit() or _STATUS_CODE.fullmatch(word)]


def terms_in(text: str) -> list[str]:
    """The comparable terms of a lower-case text, in order, repeats kept."""
    for phrase, word in _SAME_PHRASES:
        if phrase in text:
            text = text.replace(phrase, word)
    return list(_terms(words_in(text)))


def _terms(words: Iterable[str]) -> Iterator[str]:
    for word in words:
        if word not in STOP_WORDS:
            yield _term_of(word)


@lru_cache(maxsize=50_000)
def _term_of(word: str) -> str:
    stemmed = stem(word)
    return _ALIKE.get(word) or _ALIKE.get(stemmed, stemmed)


def stem(word: str) -> str:
    """Cut the endings of number and tense: `queues`, `queued` and `queueing` become `queu`."""
    if len(word) < 4 or not word.isalpha():
        return word
    word = _cut_plural(word)
    for ending in ("ing", "ed"):
        root = word[: -len(ending)]
        if word.endswith(ending) and len(root) >= 3 and _VOWEL.search(root):
            word = root[:-1] if len(root) > 3 and root[-1] == root[-2] and root[-1] not in "ls" else root
            break
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


def _cut_plural(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
