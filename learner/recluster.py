"""All incidents grouped anew with everything known by now, while each pattern keeps the id under which people know it.
Merges and splits leave a forwarding id and a line of history. No randomness."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kb.pattern import ChangeKind, PatternChange
from learner.agglomerate import agglomerate
from learner.assign import MIN_PATTERN_INCIDENTS, Grouping, Item, Micro, unused_id
from learner.constraints import Constraints, bonds_between, side_marks
from learner.features import EmbedTexts, Features, Reader, Vector, embed_missing
from learner.lexicon import Told, build_lexicon
from learner.neighbours import ExactNeighbours, NearestRows, Neighbours, nearest_rows
from learner.signature import Signature
from learner.similarity import Profile, Weights, profile_of, sum_of

FIRST_RECLUSTERING = 32
GROWTH_BETWEEN = 1.5
"""From one time to the next the number of incidents grows by this factor, which keeps the total cost of re-clustering
proportional to that of the last time. The numbers are fixed, so that a restart changes nothing about them."""


def is_due(grouping: Grouping) -> bool:
    """Whether enough was learnt since the last time for another look to pay."""
    return last_due(len(grouping.items)) > grouping.clustered_at


def last_due(incidents: int) -> int:
    """The last number of incidents, up to this one, at which re-clustering came due; 0 when it never did."""
    due = 0
    following = FIRST_RECLUSTERING
    while following <= incidents:
        due, following = following, math.ceil(following * GROWTH_BETWEEN)
    return due


def next_due(incidents: int) -> int:
    """The next number of incidents, above this one, at which re-clustering comes due."""
    following = FIRST_RECLUSTERING
    while following <= incidents:
        following = math.ceil(following * GROWTH_BETWEEN)
    return following


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What re-clustering goes by, as of one moment: nothing in it changes but `vectors`, which grow.

    `standing` are the near repetitions: the group and the item numbers of each.
    """

    items: Sequence[Item]
    standing: Sequence[tuple[str, Sequence[int]]]
    constraints: Constraints
    known_ids: frozenset[str]
    weights: Weights
    vectors: dict[str, Vector]


@dataclass(frozen=True, slots=True)
class Regrouping:
    """All incidents grouped anew, as long as `at_count` are learnt; nothing is changed by it until it is adopted."""

    micros: Sequence[Micro]
    reader: Reader
    changes: tuple[PatternChange, ...]
    at_count: int


def recluster(
    grouping: Grouping, *, neighbours: Neighbours | None = None, near: NearestRows = nearest_rows, by: str = ""
) -> tuple[PatternChange, ...]:
    """Group everything anew and tell what changed. `neighbours` is an empty index for the new groups."""
    regrouping = regroup(snapshot_of(grouping), grouping.embed, near=near, by=by)
    adopt(grouping, regrouping, neighbours or ExactNeighbours(grouping.dimension))
    return regrouping.changes


def snapshot_of(grouping: Grouping) -> Snapshot:
    """The present state of a grouping, which may go on learning meanwhile."""
    return Snapshot(
        items=tuple(grouping.items),
        standing=tuple((micro.group, tuple(micro.members)) for micro in grouping.micros.values()),
        constraints=grouping.constraints,
        known_ids=frozenset(grouping.known_ids),
        weights=grouping.weights,
        vectors=grouping.vectors,
    )


def regroup(snapshot: Snapshot, embed: EmbedTexts, *, near: NearestRows = nearest_rows, by: str = "") -> Regrouping:
    """Group everything anew; `embed` is asked for the texts that have no vector yet, `near` for what to compare."""
    reader = Reader(build_lexicon(_told(snapshot)))
    embed_missing([item.signature for item in snapshot.items], reader, snapshot.vectors, embed)
    features: dict[Signature, Features] = {}
    rows = _rows(snapshot, reader, features)
    if not rows:
        return Regrouping((), reader, (), len(snapshot.items))
    bonds = bonds_between(snapshot.constraints, [frozenset(snapshot.items[n].id for n in row.members) for row in rows])
    sources = _sources(snapshot, rows, features)
    parts = agglomerate([row.profile for row in rows], snapshot.weights, bonds, sources=sources, near=near)
    members = [sorted(number for row in part for number in rows[row].members) for part in parts]
    old = {number: group for group, numbers in snapshot.standing for number in numbers}
    ids = _keep_ids(snapshot, members, old)
    for part, pattern_id in zip(parts, ids, strict=True):
        for row in part:
            rows[row].group = pattern_id
    return Regrouping(rows, reader, _changes(members, ids, old, len(snapshot.items), by), len(snapshot.items))


def adopt(grouping: Grouping, regrouping: Regrouping, neighbours: Neighbours) -> None:
    """Make a regrouping the present one. Incidents learnt since it was made go where their group went."""
    later = [(n, grouping.pattern_of(item.id)) for n, item in enumerate(grouping.items) if n >= regrouping.at_count]
    for change in regrouping.changes:
        if change.kind is ChangeKind.MERGED:
            grouping.forwards[change.pattern_id] = change.others[0]
    grouping.rebuild(regrouping.micros, regrouping.reader, neighbours)
    grouping.clustered_at = regrouping.at_count
    for number, group in later:
        if group is not None:
            profile = profile_of(grouping.read(grouping.items[number].signature))
            grouping.place(number, profile, grouping.resolve(group))


def _told(snapshot: Snapshot) -> list[Told]:
    return [
        Told(signature.alert, signature.title, signature.segments, group, snapshot.items[number].service)
        for group, numbers in snapshot.standing
        for number in numbers
        for signature in [snapshot.items[number].signature]
    ]


def _rows(snapshot: Snapshot, reader: Reader, features: dict[Signature, Features]) -> list[Micro]:
    """The near repetitions with fresh profiles, without unlearned incidents, cut where people took incidents apart.
    Fills `features` with what it reads."""
    rows: list[Micro] = []
    for group, members in snapshot.standing:
        sides: defaultdict[tuple[tuple[int, int], ...], list[int]] = defaultdict(list)
        for number in members:
            incident_id = snapshot.items[number].id
            if incident_id not in snapshot.constraints.unlearned:
                sides[side_marks(snapshot.constraints, incident_id)].append(number)
        for numbers in sides.values():
            counts = Counter(snapshot.items[number].signature for number in numbers)
            for signature in counts:
                if signature not in features:
                    features[signature] = reader.read(signature, snapshot.vectors)
            profile = sum_of(profile_of(features[signature], count) for signature, count in counts.items())
            rows.append(Micro(len(rows), group, profile, sorted(numbers)))
    return rows


def _sources(
    snapshot: Snapshot, rows: Sequence[Micro], features: Mapping[Signature, Features]
) -> list[dict[str, Profile]] | None:
    """Each near repetition by the principals who reported it; None when one principal reported everything."""
    if len({item.principal for item in snapshot.items}) < 2:
        return None
    found = []
    for row in rows:
        counts = Counter((snapshot.items[n].principal, snapshot.items[n].signature) for n in row.members)
        parts: defaultdict[str, list[Profile]] = defaultdict(list)
        for (principal, signature), count in counts.items():
            parts[principal].append(profile_of(features[signature], count))
        found.append({principal: sum_of(profiles) for principal, profiles in sorted(parts.items())})
    return found


def _keep_ids(snapshot: Snapshot, members: Sequence[Sequence[int]], old: Mapping[int, str]) -> list[str]:
    """An id for each group: of the old ids still free the one it shares most incidents with, else a new one."""
    overlaps = [
        (-count, old_id, at)
        for at, numbers in enumerate(members)
        for old_id, count in Counter(old[n] for n in numbers).items()
    ]
    ids: dict[int, str] = {}
    taken: set[str] = set()
    for _, old_id, at in sorted(overlaps):
        if at not in ids and old_id not in taken:
            ids[at] = old_id
            taken.add(old_id)
    for at, numbers in enumerate(members):
        if at not in ids:
            ids[at] = unused_id(snapshot.items[numbers[0]].id, snapshot.known_ids, taken)
            taken.add(ids[at])
    return [ids[at] for at in range(len(members))]


def _changes(
    members: Sequence[Sequence[int]], ids: Sequence[str], old: Mapping[int, str], at_count: int, by: str
) -> tuple[PatternChange, ...]:
    """Where the ids lead that no group kept, and which patterns were split."""
    kept = set(ids)
    went: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for numbers, pattern_id in zip(members, ids, strict=True):
        for number in numbers:
            went[old[number]][pattern_id] += 1
    changes = []
    for old_id, to in sorted(went.items()):
        incidents = to.total()
        if old_id not in kept:
            heir = min(to, key=lambda pattern_id: (-to[pattern_id], pattern_id))
            changes.append(PatternChange(ChangeKind.MERGED, old_id, (heir,), incidents, at_count, by))
        elif len(to) > 1 and incidents >= MIN_PATTERN_INCIDENTS:
            parts = tuple(sorted(set(to) - {old_id}))
            changes.append(PatternChange(ChangeKind.SPLIT, old_id, parts, incidents, at_count, by))
    return tuple(changes)
