"""People's word on patterns, as it outlasts every re-clustering: what belongs together, what does not, what counts for
nothing, and what a pattern is called. Values and pure functions over them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from learner.agglomerate import Bonds


@dataclass(frozen=True, slots=True)
class Constraints:
    """Sets of incident ids. The later word wins: an incident that is moved again leaves the earlier sets.

    `apart` holds pairs of sets, no incident of one side ever sharing a pattern with one of the other. `unlearned`
    incidents are in no pattern. `names` are by pattern id.
    """

    together: tuple[frozenset[str], ...] = ()
    apart: tuple[tuple[frozenset[str], frozenset[str]], ...] = ()
    unlearned: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)


def put_together(constraints: Constraints, groups: Sequence[frozenset[str]]) -> Constraints:
    """These groups are one from now on; whatever kept two of them apart is forgotten."""
    joined = frozenset().union(*groups)
    apart = tuple(
        (left, right) for left, right in constraints.apart if left.isdisjoint(joined) or right.isdisjoint(joined)
    )
    return replace(constraints, together=(*constraints.together, joined), apart=apart)


def take_apart(constraints: Constraints, taken: frozenset[str], rest: frozenset[str]) -> Constraints:
    """`taken` becomes a pattern of its own, apart from `rest`, which were together so far."""
    together = tuple(part for old in constraints.together for part in (old - taken, old & taken) if len(part) > 1)
    own = (taken,) if len(taken) > 1 else ()
    return replace(constraints, together=(*together, *own), apart=(*constraints.apart, (taken, rest)))


def unlearn(constraints: Constraints, incident_id: str) -> Constraints:
    """The incident belongs to no pattern any more."""
    return replace(constraints, unlearned=constraints.unlearned | {incident_id})


def learn_again(constraints: Constraints, incident_id: str) -> Constraints:
    """Take an `unlearn` back."""
    return replace(constraints, unlearned=constraints.unlearned - {incident_id})


def rename(constraints: Constraints, pattern_id: str, name: str) -> Constraints:
    """Call a pattern by a person's name for it; an empty name gives it back to the learner."""
    names = {key: value for key, value in constraints.names.items() if key != pattern_id}
    return replace(constraints, names=names | ({pattern_id: name} if name else {}))


def bonds_between(constraints: Constraints, rows: Sequence[frozenset[str]]) -> Bonds:
    """The same word in terms of rows of incident ids. No row may hold both sides of an `apart` pair."""
    row_of = {incident_id: row for row, ids in enumerate(rows) for incident_id in ids}

    def rows_of(ids: frozenset[str]) -> frozenset[int]:
        return frozenset(row_of[incident_id] for incident_id in ids if incident_id in row_of)

    together = tuple(bond for bond in map(rows_of, constraints.together) if len(bond) > 1)
    apart = tuple((rows_of(left), rows_of(right)) for left, right in constraints.apart)
    return Bonds(together=together, apart=apart)


def side_marks(constraints: Constraints, incident_id: str) -> tuple[tuple[int, int], ...]:
    """On which side of which `apart` pair an incident stands; incidents of equal marks may share a row."""
    return tuple(
        (at, side) for at, sides in enumerate(constraints.apart) for side in (0, 1) if incident_id in sides[side]
    )
