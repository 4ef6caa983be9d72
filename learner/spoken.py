"""What a person's word about patterns means for the groups: which incidents move where, what the records say of it, and
what holds from now on. Decisions only; `learner.learner` carries them out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from kb.errors import InvalidInput
from kb.pattern import ChangeKind, PatternChange
from kb.pattern_records import PatternNotFound, Word, WordKind
from learner.assign import Grouping
from learner.constraints import Constraints, learn_again, put_together, take_apart, unlearn
from learner.errors import NotLearnt
from learner.moving import move


@dataclass(frozen=True, slots=True)
class Said:
    """A word with all that follows from it. `moves` are by incident id."""

    word: Word
    moves: Mapping[str, str | None]
    changes: tuple[PatternChange, ...]
    constraints: Constraints


def said_merge(grouping: Grouping, pattern_ids: Sequence[str], by: str) -> tuple[Said, str]:
    """Several patterns become the largest of them; its id comes with what follows."""
    ids = list(dict.fromkeys(present(grouping, pattern_id) for pattern_id in pattern_ids))
    if len(ids) < 2:
        raise InvalidInput("pattern_ids", "name one pattern", advice="Name at least two that are to become one.")
    heir = max(ids, key=lambda pattern_id: grouping.sizes[pattern_id])
    members = {pattern_id: grouping.members_of(pattern_id) for pattern_id in ids}
    groups = [frozenset(members[pattern_id]) for pattern_id in ids]
    merged = [pattern_id for pattern_id in ids if pattern_id != heir]
    count = len(grouping.items)
    return Said(
        word=Word(WordKind.MERGE, tuple(groups)),
        moves={key: heir for pattern_id in merged for key in members[pattern_id]},
        changes=tuple(
            PatternChange(ChangeKind.MERGED, pattern_id, (heir,), len(members[pattern_id]), count, by)
            for pattern_id in merged
        ),
        constraints=put_together(grouping.constraints, groups),
    ), heir


def said_split(grouping: Grouping, pattern_id: str, incident_ids: Collection[str], by: str) -> tuple[Said, str, str]:
    """Some incidents leave a pattern for one of their own; what follows, the id of the rest and the new id."""
    old = present(grouping, pattern_id)
    members = grouping.members_of(old)
    taken = [key for key in members if key in set(incident_ids)]
    if not taken or len(taken) != len(set(incident_ids)):
        raise InvalidInput("incident_ids", "are not all in this pattern", advice="Name incidents of the pattern.")
    if len(taken) == len(members):
        raise InvalidInput("incident_ids", "are the whole pattern", advice="Leave at least one incident in it.")
    new = grouping.new_pattern_id(taken[0])
    rest = frozenset(members) - frozenset(taken)
    return (
        Said(
            word=Word(WordKind.SPLIT, (frozenset(taken), rest)),
            moves=dict.fromkeys(taken, new),
            changes=(PatternChange(ChangeKind.SPLIT, old, (new,), len(members), len(grouping.items), by),),
            constraints=take_apart(grouping.constraints, frozenset(taken), rest),
        ),
        old,
        new,
    )


def said_unlearn(grouping: Grouping, incident_id: str, by: str) -> Said | None:
    """An incident counts for nothing any more; None when it does so already."""
    _check_learnt(grouping, incident_id)
    pattern_id = grouping.pattern_of(incident_id)
    if pattern_id is None:
        return None
    return Said(
        word=Word(WordKind.UNLEARN, (frozenset({incident_id}),)),
        moves={incident_id: None},
        changes=(PatternChange(ChangeKind.UNLEARNED, pattern_id, (), 1, len(grouping.items), by),),
        constraints=unlearn(grouping.constraints, incident_id),
    )


def said_learn_again(grouping: Grouping, incident_id: str) -> Said | None:
    """An incident counts again, where it belongs by now; None when it was never taken out."""
    _check_learnt(grouping, incident_id)
    if grouping.pattern_of(incident_id) is not None:
        return None
    barred = _opposite(grouping, incident_id)
    signature = grouping.items[grouping.number_of[incident_id]].signature
    candidates = grouping.recognise(grouping.read(signature))
    fits = (one.pattern_id for one in candidates if one.margin >= 0 and one.pattern_id not in barred)
    pattern_id = next(fits, None) or grouping.new_pattern_id(incident_id)
    return Said(
        word=Word(WordKind.LEARN_AGAIN, (frozenset({incident_id}),)),
        moves={incident_id: pattern_id},
        changes=(),
        constraints=learn_again(grouping.constraints, incident_id),
    )


def follow(grouping: Grouping, said: Said) -> None:
    """Make the groups follow a word that is written down."""
    move(grouping, {grouping.number_of[key]: to for key, to in said.moves.items()})
    grouping.constraints = said.constraints
    for change in said.changes:
        if change.kind is ChangeKind.MERGED:
            grouping.forwards[change.pattern_id] = change.others[0]


def present(grouping: Grouping, pattern_id: str) -> str:
    """The group that an id stands for today. Raises `PatternNotFound` when it has no incident."""
    found = grouping.resolve(pattern_id)
    if found not in grouping.sizes:
        raise PatternNotFound(pattern_id)
    return found


def _check_learnt(grouping: Grouping, incident_id: str) -> None:
    if incident_id not in grouping.number_of:
        raise NotLearnt(incident_id)


def _opposite(grouping: Grouping, incident_id: str) -> set[str | None]:
    """The groups with incidents that a person has kept apart from this one."""
    others: set[str] = set()
    for left, right in grouping.constraints.apart:
        others |= right if incident_id in left else left if incident_id in right else frozenset()
    return {grouping.pattern_of(other) for other in others}
