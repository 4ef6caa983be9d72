"""All incidents grouped anew with everything known by now, while each pattern keeps the id under which people know it.
Merges and splits leave a forwarding id and a line of history. No randomness."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kb.pattern import ChangeKind, PatternChange
from learner.agglomerate import agglomerate
from learner.assign import MIN_PATTERN_INCIDENTS, Grouping, Micro
from learner.constraints import bonds_between, side_marks
from learner.features import Features, Reader
from learner.lexicon import Told, build_lexicon
from learner.neighbours import ExactNeighbours, Neighbours
from learner.signature import Signature
from learner.similarity import Profile, profile_of, sum_of

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
class Regrouping:
    """All incidents grouped anew, as long as `at_count` are learnt; nothing is changed by it until it is adopted."""

    micros: Sequence[Micro]
    reader: Reader
    changes: tuple[PatternChange, ...]
    at_count: int


def recluster(grouping: Grouping, *, neighbours: Neighbours | None = None, by: str = "") -> tuple[PatternChange, ...]:
    """Group everything anew and tell what changed. `neighbours` is an empty index for the new groups."""
    regrouping = regroup(grouping, by=by)
    adopt(grouping, regrouping, neighbours or ExactNeighbours(grouping.dimension))
    return regrouping.changes


def regroup(grouping: Grouping, *, by: str = "") -> Regrouping:
    """Group everything anew. Only vectors are added to `grouping`."""
    reader = Reader(build_lexicon(told_by(grouping)))
    grouping.embed_missing([item.signature for item in grouping.items], reader)
    features: dict[Signature, Features] = {}
    rows = _rows(grouping, reader, features)
    if not rows:
        return Regrouping((), reader, (), len(grouping.items))
    bonds = bonds_between(grouping.constraints, [frozenset(grouping.items[n].id for n in row.members) for row in rows])
    sources = _sources(grouping, rows, features)
    parts = agglomerate([row.profile for row in rows], grouping.weights, bonds, sources=sources)
    members = [sorted(number for row in part for number in rows[row].members) for part in parts]
    old = {number: grouping.micros[micro].group for number, micro in grouping.micro_of.items()}
    ids = _keep_ids(grouping, members, old)
    for part, pattern_id in zip(parts, ids, strict=True):
        for row in part:
            rows[row].group = pattern_id
    return Regrouping(rows, reader, _changes(members, ids, old, len(grouping.items), by), len(grouping.items))


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


def told_by(grouping: Grouping) -> list[Told]:
    """What the lexicon learns from: every incident that stands in a group."""
    told = []
    for number, item in enumerate(grouping.items):
        micro = grouping.micro_of.get(number)
        if micro is not None:
            signature = item.signature
            group = grouping.micros[micro].group
            told.append(Told(signature.alert, signature.title, signature.segments, group, item.service))
    return told


def _rows(grouping: Grouping, reader: Reader, features: dict[Signature, Features]) -> list[Micro]:
    """The near repetitions with fresh profiles, without unlearned incidents, cut where people took incidents apart.
    Fills `features` with what it reads."""
    rows: list[Micro] = []
    for micro in grouping.micros.values():
        sides: defaultdict[tuple[tuple[int, int], ...], list[int]] = defaultdict(list)
        for number in micro.members:
            incident_id = grouping.items[number].id
            if incident_id not in grouping.constraints.unlearned:
                sides[side_marks(grouping.constraints, incident_id)].append(number)
        for numbers in sides.values():
            counts = Counter(grouping.items[number].signature for number in numbers)
            for signature in counts:
                if signature not in features:
                    features[signature] = reader.read(signature, grouping.vectors)
            profile = sum_of(profile_of(features[signature], count) for signature, count in counts.items())
            rows.append(Micro(len(rows), micro.group, profile, sorted(numbers)))
    return rows


def _sources(
    grouping: Grouping, rows: Sequence[Micro], features: Mapping[Signature, Features]
) -> list[dict[str, Profile]] | None:
    """Each near repetition by the principals who reported it; None when one principal reported everything."""
    if len({item.principal for item in grouping.items}) < 2:
        return None
    found = []
    for row in rows:
        counts = Counter((grouping.items[n].principal, grouping.items[n].signature) for n in row.members)
        parts: defaultdict[str, list[Profile]] = defaultdict(list)
        for (principal, signature), count in counts.items():
            parts[principal].append(profile_of(features[signature], count))
        found.append({principal: sum_of(profiles) for principal, profiles in sorted(parts.items())})
    return found


def _keep_ids(grouping: Grouping, members: Sequence[Sequence[int]], old: Mapping[int, str]) -> list[str]:
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
            ids[at] = grouping.new_pattern_id(grouping.items[numbers[0]].id, taken)
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
