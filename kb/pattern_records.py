"""What the records hold of patterns: which incident stands in which, what they are called, where old ids lead, and
what people have said about them. The numbers of a pattern are computed from its incidents and not kept here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from kb.errors import InvalidInput, KBError
from kb.incident_cleaning import clean_text
from kb.incident_records import StoredIncident
from kb.pattern import ChangeKind, PatternChange

MAX_PATTERN_NAME_CHARS = 200


class PatternNotFound(KBError):
    """No incident was ever learnt into a pattern of this id."""

    def __init__(self, pattern_id: str) -> None:
        super().__init__(f"There is no pattern '{pattern_id[:100]}'.", advice="List them with GET /runbooks/patterns.")
        self.pattern_id = pattern_id


@dataclass(frozen=True, slots=True)
class PatternRecord:
    """One pattern id. `name` is empty until somebody gives one; `named_by` is the person's name, or empty when the
    learner made it. `forwards_to` is the pattern that this one became part of, None while it stands for itself."""

    id: str
    name: str
    named_by: str
    forwards_to: str | None
    born_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class PatternEvent:
    """A line of the history of patterns; `seq` grows with time."""

    seq: int
    change: PatternChange
    event_time: datetime


@dataclass(frozen=True, slots=True)
class LearntIncident:
    """An incident that was learnt; `seq` gives the order of learning, with gaps."""

    seq: int
    stored: StoredIncident


@dataclass(frozen=True, slots=True)
class Assignment:
    """The pattern that an incident was given on arrival."""

    incident_id: str
    pattern_id: str


class WordKind(StrEnum):
    """What a person said about patterns."""

    MERGE = "merge"
    SPLIT = "split"
    UNLEARN = "unlearn"
    LEARN_AGAIN = "learn again"
    RENAME = "rename"


@dataclass(frozen=True, slots=True)
class Word:
    """What a person says about patterns, in terms of incidents, so that it holds however groups change.

    MERGE: all incidents of all `groups` belong together. SPLIT: the incidents of the first group never belong with
    those of the second. UNLEARN and LEARN_AGAIN: the one incident of the one group. RENAME: `pattern_id` is called
    `name`; an empty name gives it back to the learner.
    """

    kind: WordKind
    groups: tuple[frozenset[str], ...] = ()
    pattern_id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word as recorded. Words hold in the order of `seq`: a later one wins."""

    seq: int
    word: Word
    by: str
    event_time: datetime


def ready_word(word: Word, redact: Callable[[str], str]) -> Word:
    """A word as it may be kept. Raises `InvalidInput` unless it has what its kind asks for."""
    least = {WordKind.MERGE: 1, WordKind.SPLIT: 2, WordKind.UNLEARN: 1, WordKind.LEARN_AGAIN: 1, WordKind.RENAME: 0}
    if len(word.groups) < least[word.kind] or not all(word.groups):
        raise InvalidInput("groups", "name too few incidents", advice="Name the incidents that the word is about.")
    if word.kind is WordKind.MERGE and len(frozenset().union(*word.groups)) < 2:
        raise InvalidInput("groups", "name one incident", advice="Name at least two to be put together.")
    if word.kind is WordKind.SPLIT and word.groups[0] & word.groups[1]:
        raise InvalidInput("groups", "overlap", advice="Name each incident on one side only.")
    if word.kind is WordKind.RENAME and not word.pattern_id:
        raise InvalidInput("pattern_id", "is missing", advice="Name the pattern that is to be called so.")
    name = clean_text(" ".join(word.name.split()), redact, max_chars=MAX_PATTERN_NAME_CHARS)
    return replace(word, name=name)


def born_by(change: PatternChange) -> tuple[str, ...]:
    """Ids that a line of history says are patterns from then on."""
    names_patterns = change.kind in (ChangeKind.MERGED, ChangeKind.SPLIT)
    return (change.pattern_id, *(change.others if names_patterns else ()))


def resolve(pattern_id: str, forwards: Mapping[str, str]) -> str:
    """The pattern that an id stands for today. Ends also when forwarding ids lead in a circle."""
    seen = {pattern_id}
    while (leads_to := forwards.get(pattern_id)) is not None and leads_to not in seen:
        pattern_id = leads_to
        seen.add(pattern_id)
    return pattern_id
