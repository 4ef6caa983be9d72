"""The learner's memory of what belongs together. An incident is assigned on arrival from what is known by then;
re-clustering now and then sets right what arrival could not know. In memory only; nothing here stores or decides
what a pattern means."""

import hashlib
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kb.pattern import ChangeKind, PatternChange
from learner.constraints import Constraints
from learner.features import EmbedTexts, Features, Reader, Vector
from learner.lexicon import Lexicon
from learner.neighbours import ExactNeighbours, Neighbours
from learner.signature import Signature
from learner.similarity import Profile, Weights, compare, profile_of, size_bonus

MIN_PATTERN_INCIDENTS = 3
"""From so many incidents on a group is a pattern; below that it is only something that may become one."""

NEAREST = 24
"""How many of the nearest near-repetitions lead to the groups that an incident is compared with."""

SAME_ALERT = 6
"""How many groups of the same alert are looked at besides."""


@dataclass(frozen=True, slots=True)
class Item:
    """One learnt incident. `service` only lends its words; `arrival` is the pattern id that it got on arrival."""

    id: str
    signature: Signature
    principal: str
    service: str = ""
    arrival: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One group that an incident may belong to. `log_odds` includes the bonus for size, `margin` is what it has
    beyond the bar; `size` counts incidents."""

    pattern_id: str
    log_odds: float
    margin: float
    size: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where an incident went, and what else it was compared with, best first."""

    pattern_id: str
    is_new: bool
    candidates: tuple[Candidate, ...]


@dataclass(slots=True, eq=False)
class Micro:
    """Near repetitions of one text: they move between patterns as one. `members` are item numbers."""

    number: int
    group: str
    profile: Profile
    members: list[int]


class Grouping:
    """All learnt incidents, the near repetitions and the groups they form. Not thread-safe: one writer at a time.

    The same incidents in the same order give the same groups, ids included.
    """

    def __init__(
        self,
        embed: EmbedTexts,
        *,
        dimension: int,
        weights: Weights | None = None,
        neighbours: Neighbours | None = None,
    ) -> None:
        self.embed = embed
        self.weights = weights or Weights()
        self.dimension = dimension
        self.neighbours: Neighbours = neighbours or ExactNeighbours(dimension)
        self.reader = Reader(Lexicon())
        self.items: list[Item] = []
        self.number_of: dict[str, int] = {}
        self.micros: dict[int, Micro] = {}
        self.micro_of: dict[int, int] = {}
        self.groups: dict[str, Profile] = {}
        self.sizes: dict[str, int] = {}
        self.forwards: dict[str, str] = {}
        self.history: list[PatternChange] = []
        self.constraints = Constraints()
        self.vectors: dict[str, Vector] = {}
        self.next_micro = 0
        self.clustered_at = 0
        self._groups_of_alert: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._micros_of_group: defaultdict[str, list[int]] = defaultdict(list)

    def learn(self, incident_id: str, signature: Signature, *, principal: str, service: str = "") -> Assignment:
        """Assign an incident that is not known yet to a group, or found one with it."""
        features = self.read(signature)
        profile = profile_of(features)
        candidates = self._candidates(profile, features)
        joins = bool(candidates) and candidates[0].margin >= 0
        pattern_id = candidates[0].pattern_id if joins else self.new_pattern_id(incident_id)
        number = len(self.items)
        self.items.append(Item(incident_id, signature, principal, service, pattern_id))
        self.number_of[incident_id] = number
        self._place(number, profile, pattern_id)
        if not joins:
            self.history.append(PatternChange(ChangeKind.BORN, pattern_id, (), 1, number + 1))
        return Assignment(pattern_id, not joins, candidates)

    def recognise(self, signature: Signature) -> tuple[Candidate, ...]:
        """What `learn` would compare such an incident with, best first; nothing is remembered but vectors."""
        features = self.read(signature)
        return self._candidates(profile_of(features), features)

    def pattern_of(self, incident_id: str) -> str | None:
        """The group in which an incident stands now; None when it is unknown or was unlearned."""
        number = self.number_of.get(incident_id)
        micro = None if number is None else self.micro_of.get(number)
        return None if micro is None else self.micros[micro].group

    def members_of(self, pattern_id: str) -> tuple[str, ...]:
        """Incident ids of a group in the order they were learnt; follows forwarding ids."""
        micros = self._micros_of_group.get(self.resolve(pattern_id), ())
        numbers = sorted(number for micro in micros for number in self.micros[micro].members)
        return tuple(self.items[number].id for number in numbers)

    def resolve(self, pattern_id: str) -> str:
        """The pattern that an id stands for today."""
        while pattern_id in self.forwards:
            pattern_id = self.forwards[pattern_id]
        return pattern_id

    def pattern_ids(self) -> tuple[str, ...]:
        """Ids of the groups that have enough incidents to be patterns, sorted."""
        return tuple(sorted(group for group, size in self.sizes.items() if size >= MIN_PATTERN_INCIDENTS))

    def read(self, signature: Signature) -> Features:
        """The features of a signature as the present lexicon sees them; embeds what was never seen."""
        self.embed_missing([signature])
        return self.reader.read(signature, self.vectors)

    def embed_missing(self, signatures: Sequence[Signature]) -> None:
        """Make sure that every text of these signatures has its vector; one call to the model for all."""
        texts = (text for signature in signatures for text in self.reader.texts_to_embed(signature))
        missing = [text for text in dict.fromkeys(texts) if text not in self.vectors]
        if missing:
            rows = np.asarray(self.embed(missing), dtype=np.float32)
            self.vectors.update(zip(missing, rows, strict=True))

    def new_pattern_id(self, incident_id: str) -> str:
        """An id that was never used, made from the incident that founds the pattern."""
        for attempt in range(len(self.items) + 2):
            digest = hashlib.blake2b(f"{incident_id}\x00{attempt}".encode(), digest_size=5).hexdigest()
            pattern_id = f"pat-{digest}"
            if pattern_id not in self.sizes and pattern_id not in self.forwards:
                return pattern_id
        raise AssertionError("every candidate id is taken")

    def rebuild(self, micros: Sequence[Micro], reader: Reader, neighbours: Neighbours) -> None:
        """Replace all groups at once; the micros carry their groups."""
        self.reader = reader
        self.neighbours = neighbours
        self.micros, self.micro_of, self.groups, self.sizes = {}, {}, {}, {}
        self._groups_of_alert, self._micros_of_group = defaultdict(dict), defaultdict(list)
        for micro in micros:
            self.micros[micro.number] = micro
            self._micros_of_group[micro.group].append(micro.number)
            self.micro_of.update((number, micro.number) for number in micro.members)
            self._grow(micro.group, micro.profile, len(micro.members))
            neighbours.put(micro.number, _mean(micro.profile))
        self.next_micro = max(self.micros, default=-1) + 1
        self.clustered_at = len(self.items)

    def _candidates(self, profile: Profile, features: Features) -> tuple[Candidate, ...]:
        groups = {self.micros[key].group: None for key in self.neighbours.nearest(features.full, NEAREST)}
        if features.speaks_of:
            of_alert = self._groups_of_alert.get(features.speaks_of, {})
            groups.update(dict.fromkeys(sorted(of_alert, key=lambda group: (-self.sizes[group], group))[:SAME_ALERT]))
        found = [self._candidate(group, profile) for group in groups]
        return tuple(sorted(found, key=lambda candidate: (-candidate.log_odds, candidate.pattern_id)))

    def _candidate(self, group: str, profile: Profile) -> Candidate:
        known = self.groups[group]
        log_odds = compare(known, profile, self.weights) + size_bonus(known.weight, profile.weight, self.weights)
        return Candidate(group, log_odds, log_odds - self.weights.bar(len(self.micros)), self.sizes[group])

    def _place(self, number: int, profile: Profile, group: str) -> None:
        micro = self._nearest_micro(profile, group)
        if micro is None:
            micro = Micro(self.next_micro, group, profile, [number])
            self.next_micro += 1
            self.micros[micro.number] = micro
            self._micros_of_group[group].append(micro.number)
        else:
            micro.profile.add(profile)
            micro.members.append(number)
        self.micro_of[number] = micro.number
        self.neighbours.put(micro.number, _mean(micro.profile))
        self._grow(group, profile, 1)

    def _nearest_micro(self, profile: Profile, group: str) -> Micro | None:
        best, best_odds = None, self.weights.micro
        for key in self.neighbours.nearest(profile.full, NEAREST):
            micro = self.micros[key]
            if micro.group == group:
                log_odds = compare(micro.profile, profile, self.weights, at_least=best_odds)
                if log_odds > best_odds:
                    best, best_odds = micro, log_odds
        return best

    def _grow(self, group: str, profile: Profile, incidents: int) -> None:
        known = self.groups.get(group)
        if known is None:
            known = self.groups[group] = profile.copy()
        else:
            known.add(profile)
        self.sizes[group] = self.sizes.get(group, 0) + incidents
        for alert in profile.told:
            self._groups_of_alert[alert][group] = None


def probability(log_odds: float) -> float:
    """Log-odds as a probability."""
    return 1.0 / (1.0 + math.exp(-max(-40.0, min(40.0, log_odds))))


def _mean(profile: Profile) -> Vector:
    return profile.full / np.float32(profile.weight)
