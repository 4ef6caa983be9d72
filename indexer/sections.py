"""Which section of a runbook answers (pure): what a query asks for, and how far that, the words and the meaning pull on
the choice among a runbook's chunks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.paste import PasteKind
from indexer.postings import Floats
from indexer.query import Query
from indexer.roles import Role

_INTENTS: tuple[tuple[Role, str], ...] = (
    (Role.ROLLBACK,
        r"\broll(?:ed|ing)? ?back\b|\brevert|\bundo\b|\bback out\b|\bonce more\b|\bturn .{0,60} again\b|"
        r"\bput .{0,40} back\b"),
    (Role.VERIFICATION,
        r"\bverif|\bconfirm|\bmake sure\b|"
        r"\b(?:is|are|it|that|works?) (?:is )?(?:fine|healthy|ok|good|well|working|fixed|solved) again\b|"
        r"\b(?:see|check|know|prove|test|tell) (?:that|if|whether) .{0,60}\b(?:again|fixed|worked|works|over|"
        r"recovered|healthy|fine|back)\b|"
        r"\bhow do i (?:test|know)\b"),
    (Role.ESCALATION,
        r"\bescalat|\bwake\b|\bwho (?:do|should|to|can|owns?|is)\b|\bcall (?:somebody|someone|whom)\b|"
        r"\bout of bed\b|\bcontact\b|\bon[- ]?call\b|\bpage (?:somebody|someone|whom|who)\b"),
    (Role.PREVENTION,
        r"\bprevent|\bavoid|\bnever .{0,60}\bagain\b|\bnot happen again\b|"
        r"\bso that .{0,60}\b(?:never|again)\b|\bin (?:the )?future\b|\blong[- ]term\b"),
    (Role.DURATION,
        r"\bhow (?:long|many (?:minutes|hours|days))\b|\bhow much time\b|\beta\b|\bmttr\b|"
        r"\btime to recover\b"),
    (Role.IMPACT,
        r"\bimpact\b|\bhow bad\b|\bwhat (?:still )?(?:works|breaks|stops|fails)\b|"
        r"\b(?:customers?|users?) (?:see|notice|feel|affected)\b|\bstill works?\b|\bconsequences?\b"),
    (Role.ABOUT,
        r"\bwhat does .{0,60} mean\b|\bwhat is\b|\bmeaning of\b|"
        r"\bwhich (?:metric|promql|query|expression|alert)\b|\bpromql\b|\bexpression\b|\bsymptoms?\b"),
    (Role.DIAGNOSIS, r"\bwhy\b|\bdiagnos|\binvestigat|\btroubleshoot|\broot cause\b|\bfind out\b|\bdebug"),
    (Role.RECOVERY,
        r"\bhow (?:do|can|could|should) (?:i|we|you|one)\b|\bhow to\b|\bfix\b|\bresolve\b|"
        r"\bget rid of\b|\bmay i\b|\bcan i\b"),
)  # fmt: skip
_INTENT_OF = tuple((role, re.compile(pattern, re.IGNORECASE)) for role, pattern in _INTENTS)
_MAX_INTENT_CHARS = 400

# How far a role pulls when nothing is asked for, on the scale of `choose`: where one looks first is the diagnosis; what
# the alert means, and what stands around the work, the reader of an alert knows or does not need yet.
_PRIOR: Mapping[Role, float] = {
    Role.OTHER: 0.10,
    Role.ABOUT: -0.40,
    Role.IMPACT: -0.30,
    Role.DIAGNOSIS: 0.30,
    Role.RECOVERY: 0.05,
    Role.VERIFICATION: -0.30,
    Role.ROLLBACK: -0.30,
    Role.ESCALATION: -0.40,
    Role.PREVENTION: -0.30,
    Role.DURATION: -0.40,
    Role.REFERENCE: -0.50,
}
_ASKED_FOR = 0.50
_ASKED_BY_NAME = 1.25  # these words leave no doubt
_BY_NAME = frozenset({Role.VERIFICATION, Role.ROLLBACK, Role.ESCALATION, Role.PREVENTION, Role.DURATION, Role.IMPACT})
_MEANING_SHARE = 3.0  # a similarity spreads over about a third of what shares of words do
_NAME_TRUST = 0.50  # an alert or a word or two name the trouble and not its cause: they count half against the prior
_LOG_ABOUT = -0.80  # symptoms quote log lines; what to do about them stands elsewhere
_NAME_WORDS = 4


def asked_role(query: Query) -> Role | None:
    """The kind of section that a question asks for; None when it names none, and for alerts and logs."""
    if query.kind is not PasteKind.TEXT:
        return None
    text = query.raw[:_MAX_INTENT_CHARS]
    for role, pattern in _INTENT_OF:
        if pattern.search(text):
            return role
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """What a query wants of a section: `asked` is the role it asks for, `pull` has one number a role, `trust` tells how
    much its words count against that."""

    asked: Role | None
    names_trouble: bool
    trust: float
    pull: Floats


def wish_of(query: Query) -> Wish:
    """Read once for a query, used for each of its hits."""
    asked = asked_role(query)
    only_names = names_trouble(query, asked)
    return Wish(asked, only_names, _NAME_TRUST if only_names else 1.0, _pull(query, asked))


def choose(wish: Wish, roles: NDArray[np.int8], words: Floats, meaning: Floats | None, headings: Floats) -> int:
    """The place, among one runbook's chunks in text order, of the one that answers. `words` are BM25 scores, `meaning`
    similarities, `headings` the shares of the headings' own words that the query says."""
    evidence = words * np.float32(1 / max(float(words.max()), 1e-9)) + headings
    if meaning is not None:
        evidence += np.float32(_MEANING_SHARE) * meaning  # less its mean, which is the same for all
    evidence *= np.float32(wish.trust)
    evidence += wish.pull[roles]
    return int(evidence.argmax())


def names_trouble(query: Query, asked: Role | None) -> bool:
    """Whether a query only names what is wrong, as alerts and short texts do, and tells nothing of how it shows."""
    return query.kind is PasteKind.ALERT or (asked is None and len(query.detail.split()) <= _NAME_WORDS)


def _pull(query: Query, asked: Role | None) -> Floats:
    pull = np.array([_PRIOR[role] for role in Role], dtype=np.float32)
    if names_trouble(query, asked):
        pull[Role.OTHER] = 0.0
    if query.kind is PasteKind.LOG:
        pull[Role.ABOUT] = _LOG_ABOUT
    if asked is not None:
        pull[asked] = _ASKED_BY_NAME if asked in _BY_NAME else _ASKED_FOR
    return pull
