"""Writing a regrouping into the records: who moved, what was merged, split or born, and the names that follow."""

from collections import Counter
from collections.abc import Mapping

from kb.pattern import ChangeKind, PatternChange
from kb.record_store import RecordChange
from learner.assign import MIN_PATTERN_INCIDENTS, Grouping
from learner.moving import moves_between, standing_of
from learner.naming import name_from
from learner.recluster import Regrouping


def write_regrouping(
    change: RecordChange, grouping: Grouping, regrouping: Regrouping, given_names: Mapping[str, str]
) -> tuple[PatternChange, ...]:
    """Write what adopting `regrouping` will change; the lines of history that it makes. Nothing is adopted here."""
    before = standing_of(grouping)
    after = standing_after(grouping, regrouping)
    moves = moves_between(before, after)
    sizes = Counter(group for group in after.values() if group is not None)
    grown = sorted(key for key in sizes if grouping.sizes.get(key, 0) < MIN_PATTERN_INCIDENTS <= sizes[key])
    count = len(grouping.items)
    born = [PatternChange(ChangeKind.BORN, key, (), sizes[key], count) for key in grown]
    changes = (*born, *regrouping.changes)
    change.patterns.move(moves)
    change.patterns.record(changes)
    touched = {group for group in moves.values() if group} | {group for key in moves if (group := before[key])}
    touched = {key for key in touched if sizes[key] >= MIN_PATTERN_INCIDENTS and key not in given_names}
    change.patterns.call(_names(grouping, after, touched))
    return changes


def standing_after(grouping: Grouping, regrouping: Regrouping) -> dict[str, str | None]:
    """Every learnt incident with the group in which it will stand once `regrouping` is adopted."""
    forwards = {one.pattern_id: one.others[0] for one in regrouping.changes if one.kind is ChangeKind.MERGED}
    groups = {number: micro.group for micro in regrouping.micros for number in micro.members}
    after: dict[str, str | None] = {}
    for number, item in enumerate(grouping.items):
        if number < regrouping.at_count:
            after[item.id] = groups.get(number)
        else:
            group = grouping.pattern_of(item.id)
            after[item.id] = group and forwards.get(group, group)
    return after


def _names(grouping: Grouping, standing: Mapping[str, str | None], wanted: set[str]) -> dict[str, str]:
    members: dict[str, list[int]] = {pattern_id: [] for pattern_id in sorted(wanted)}
    for incident_id, group in standing.items():
        if group in members:
            members[group].append(grouping.number_of[incident_id])
    return {
        pattern_id: name_from([grouping.items[number].signature for number in numbers])
        for pattern_id, numbers in members.items()
    }
