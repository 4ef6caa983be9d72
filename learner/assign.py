"""The learner's memory of what belongs together. An incident is assigned on arrival from what is known by then;
re-clustering now and then sets right what arrival could not know. In memory only; nothing here stores or decides
what a pattern means."""

import hashlib
import math
from collections import ChainMap, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count

import numpy as np

from learner.constraints import Constraints
from learner.features import EmbedTexts, Features, Reader, Vector, embed_missing
from learner.lexicon import Lexicon
from learner.neighbours import ExactNeighbours, Neighbours
from learner.signature import Signature
from learner.similarity import Profile, Weights, compare, profile_of, size_bonus, sum_of

MIN_PATTERN_INCIDENTS = 3
"""From so many incidents on a group is a pattern; below that it is only something that may become one."""

NEAREST = 24
"""How many of the nearest near-repetitions lead to the groups that an incident is compared with."""

FAR_BELOW = -3.0
"""Of a group whose margin cannot reach this it is not worked out how far below it is; that is a probability of 5 %."""

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
    """Where an incident went, what else it was compared with, best first, and its own profile.

    `joined` is the profile of the group that it joined, as it was before; it stays so until `keep`.
    """

    pattern_id: str
    is_new: bool
    candidates: tuple[Candidate, ...]
    profile: Profile
    joined: Profile | None


@dataclass(slots=True, eq=False)
class Micro:
    """Near repetitions of one text: they move between patterns as one. `members` are item numbers."""

    number: int
    group: str
    profile: Profile
    members: list[int]


class Grouping:
    """All learnt incidents, the near repetitions and the groups they form. Not thread-safe: one writer at a time.

    The same incidents in the same order give the same groups, ids included. `known_ids` are all pattern ids that ever
    were: none is given twice.
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
        self.known_ids: set[str] = set()
        self.constraints = Constraints()
        self.vectors: dict[str, Vector] = {}
        self.next_micro = 0
        self.clustered_at = 0
        self._groups_of_alert: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._micros_of_group: defaultdict[str, list[int]] = defaultdict(list)
        self._undo: list[Callable[[], object]] | None = None

    def learn(self, incident_id: str, signature: Signature, *, principal: str, service: str = "") -> Assignment:
        """Assign an incident that is not known yet to a group, or found one with it."""
        features = self.read(signature)
        profile = profile_of(features)
        near = self.neighbours.nearest(features.full, NEAREST)
        candidates = self._candidates(profile, features, near)
        joins = bool(candidates) and candidates[0].margin >= 0
        pattern_id = candidates[0].pattern_id if joins else self.new_pattern_id(incident_id)
        joined = self.groups.get(pattern_id)
        self._append(Item(incident_id, signature, principal, service, pattern_id))
        self._place(len(self.items) - 1, profile, pattern_id, near)
        return Assignment(pattern_id, not joins, candidates, profile, joined)

    def put(self, item: Item, pattern_id: str | None, *, beside: int | None = None) -> None:
        """Take in an incident that is not known yet where it was assigned before; None: it stands in no group.

        `beside` is the number of one with the same signature that stands in that group, where one is known.
        """
        self._append(item)
        if pattern_id is None:
            return
        profile = profile_of(self.read(item.signature))
        if beside is None:
            self.place(len(self.items) - 1, profile, pattern_id)
        else:
            self._join(len(self.items) - 1, profile, pattern_id, self.micros[self.micro_of[beside]])

    def begin(self) -> None:
        """From here on what `learn` and `put` do can be taken back, until `keep`."""
        self._undo = []

    def keep(self) -> None:
        """What was learnt since `begin` stays."""
        self._undo = None

    def roll_back(self) -> None:
        """Forget what was learnt since `begin`."""
        steps, self._undo = self._undo or [], None
        while steps:
            steps.pop()()

    def recognise(self, features: Features) -> tuple[Candidate, ...]:
        """What `learn` would compare such an incident with, best first; nothing is remembered."""
        return self._candidates(profile_of(features), features, self.neighbours.nearest(features.full, NEAREST))

    def look(self, signature: Signature, beside: dict[str, Vector]) -> Features:
        """`read` for what is only asked about: vectors that are not known yet go into `beside`, not into memory."""
        known = ChainMap(beside, self.vectors)
        embed_missing([signature], self.reader, known, self.embed)
        return self.reader.read(signature, known)

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
        embed_missing(signatures, self.reader, self.vectors, self.embed)

    def new_pattern_id(self, incident_id: str) -> str:
        """An id that was never used, made from the incident that founds the pattern."""
        return unused_id(incident_id, self.known_ids)

    def micros_of(self, pattern_id: str) -> tuple[Micro, ...]:
        """The near repetitions of a group, by number."""
        return tuple(self.micros[number] for number in sorted(self._micros_of_group.get(pattern_id, ())))

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
            self.known_ids.add(micro.group)
            neighbours.put(micro.number, _mean(micro.profile))
        self.next_micro = max(self.micros, default=-1) + 1
        self.clustered_at = len(self.items)

    def shift(self, micro: Micro, group: str | None) -> None:
        """Put a near repetition as a whole into another group, or forget it. `reindex` the groups afterwards."""
        self._micros_of_group[micro.group].remove(micro.number)
        if group is None:
            del self.micros[micro.number]
        else:
            micro.group = group
            self._micros_of_group[group].append(micro.number)

    def add_micro(self, members: Sequence[int], profile: Profile, group: str) -> None:
        """A near repetition of incidents that stand nowhere. `reindex` the group afterwards."""
        micro = self._found(profile, group)
        micro.members.extend(members)
        self.micro_of.update(dict.fromkeys(members, micro.number))
        self._point_at(micro)

    def reindex(self, groups: Iterable[str]) -> None:
        """Sum up groups anew after their near repetitions have changed; those without any are gone."""
        for group in groups:
            if group in self.groups:
                for alert in self.groups.pop(group).told:
                    self._groups_of_alert[alert].pop(group, None)
                del self.sizes[group]
            for micro in self.micros_of(group):
                self._grow(group, micro.profile, len(micro.members))

    def _candidates(self, profile: Profile, features: Features, near: Sequence[int]) -> tuple[Candidate, ...]:
        groups = {self.micros[key].group: None for key in near if key in self.micros}
        if features.speaks_of:
            of_alert = self._groups_of_alert.get(features.speaks_of, {})
            groups.update(dict.fromkeys(sorted(of_alert, key=lambda group: (-self.sizes[group], group))[:SAME_ALERT]))
        found = [self._candidate(group, profile, FAR_BELOW) for group in groups]
        found.sort(key=lambda candidate: (-candidate.log_odds, candidate.pattern_id))
        if found and found[0].margin < FAR_BELOW:
            found[0] = self._candidate(found[0].pattern_id, profile)
        return tuple(found)

    def _candidate(self, group: str, profile: Profile, least_margin: float = -math.inf) -> Candidate:
        known = self.groups[group]
        bar, bonus = self.weights.bar(len(self.micros)), size_bonus(known.weight, profile.weight, self.weights)
        log_odds = bonus + compare(known, profile, self.weights, at_least=bar - bonus + least_margin)
        return Candidate(group, log_odds, log_odds - bar, self.sizes[group])

    def place(self, number: int, profile: Profile, group: str) -> None:
        """Put an incident that stands nowhere into a group, known or new."""
        self._place(number, profile, group, self.neighbours.nearest(profile.full, NEAREST))

    def _append(self, item: Item) -> None:
        self.number_of[item.id] = len(self.items)
        self.items.append(item)
        self._on_undo(self.items.pop)
        self._on_undo(partial(self.number_of.pop, item.id))

    def _place(self, number: int, profile: Profile, group: str, near: Sequence[int]) -> None:
        micro = self._nearest_micro(profile, group, near)
        self._join(number, profile, group, micro or self._found(profile, group))

    def _join(self, number: int, profile: Profile, group: str, micro: Micro) -> None:
        if micro.members:
            before = micro.profile
            self._on_undo(partial(self._point_at, micro))
            self._on_undo(partial(setattr, micro, "profile", before))
            self._on_undo(micro.members.pop)
            micro.profile = sum_of((before, profile))
        micro.members.append(number)
        self.micro_of[number] = micro.number
        self._on_undo(partial(self.micro_of.pop, number))
        self._point_at(micro)
        self._grow(group, profile, 1)

    def _found(self, profile: Profile, group: str) -> Micro:
        micro = Micro(self.next_micro, group, profile, [])
        self.next_micro += 1
        self.micros[micro.number] = micro
        self._micros_of_group[group].append(micro.number)

        def forget() -> None:
            self._micros_of_group[group].pop()
            del self.micros[micro.number]
            self.next_micro -= 1

        self._on_undo(forget)
        return micro

    def _point_at(self, micro: Micro) -> None:
        self.neighbours.put(micro.number, _mean(micro.profile))

    def _nearest_micro(self, profile: Profile, group: str, near: Sequence[int]) -> Micro | None:
        best, best_odds = None, self.weights.micro
        for key in near:
            micro = self.micros.get(key)
            if micro is not None and micro.group == group:
                log_odds = compare(micro.profile, profile, self.weights, at_least=best_odds)
                if log_odds > best_odds:
                    best, best_odds = micro, log_odds
        return best

    def _grow(self, group: str, profile: Profile, incidents: int) -> None:
        known = self.groups.get(group)
        size = self.sizes.get(group, 0)
        if known is None:
            self.groups[group] = profile.copy()
            if group not in self.known_ids:
                self.known_ids.add(group)
                self._on_undo(partial(self.known_ids.discard, group))
            self._on_undo(partial(self.groups.pop, group))
            self._on_undo(partial(self.sizes.pop, group))
        elif self._undo is None:
            known.add(profile)
        else:
            self.groups[group] = sum_of((known, profile))
            self._on_undo(partial(self.groups.update, {group: known}))
            self._on_undo(partial(self.sizes.update, {group: size}))
        self.sizes[group] = size + incidents
        for alert in profile.told:
            if group not in self._groups_of_alert[alert]:
                self._groups_of_alert[alert][group] = None
                self._on_undo(partial(self._groups_of_alert[alert].pop, group))

    def _on_undo(self, step: Callable[[], object]) -> None:
        if self._undo is not None:
            self._undo.append(step)


def unused_id(incident_id: str, known: Collection[str], taken: Collection[str] = ()) -> str:
    """A pattern id that is in neither collection, made from the incident that founds the pattern."""
    for attempt in count():
        digest = hashlib.blake2b(f"{incident_id}\x00{attempt}".encode(), digest_size=5).hexdigest()
        pattern_id = f"pat-{digest}"
        if pattern_id not in known and pattern_id not in taken:
            return pattern_id
    raise AssertionError("numbers have no end")


def probability(log_odds: float) -> float:
    """Log-odds as a probability."""
    return 1.0 / (1.0 + math.exp(-max(-40.0, min(40.0, log_odds))))


def _mean(profile: Profile) -> Vector:
    return profile.full / np.float32(profile.weight)
