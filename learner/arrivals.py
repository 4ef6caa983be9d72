"""Incidents as they come: kept in the records, assigned to a group when they are resolved, and told about. What one
transaction learns is forgotten again when it fails."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from kb.incident import Incident, IncidentStatus
from kb.incident_records import Added, IncidentPatch, StoredIncident
from kb.pattern import ChangeKind, PatternChange
from kb.pattern_records import Assignment as Placed
from kb.record_store import RecordChange
from learner.assign import MIN_PATTERN_INCIDENTS, Assignment, probability
from learner.recall import Memory, item_of
from learner.similarity import explain
from learner.telling import shared_words, what_came_close, why_founded, why_joined


@dataclass(frozen=True, slots=True)
class Learned:
    """What came of one incident that was sent in.

    `pattern_id` is None while the incident is not resolved: then it is kept, not learnt; and when somebody took it out.
    `pattern_size` counts the incidents of its group by now, which is a pattern from `MIN_PATTERN_INCIDENTS` on;
    `founded` tells that the group began with it. `likelihood` is the probability that it belongs where it is.
    """

    stored: StoredIncident
    is_new: bool
    has_changed: bool
    pattern_id: str | None
    pattern_size: int
    is_pattern: bool
    founded: bool
    likelihood: float
    why: tuple[str, ...]


class Arrivals:
    """What one transaction adds to a memory. Call `keep` or `forget` when it has ended."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._new: list[str] = []
        self._changed: list[StoredIncident] = []
        memory.grouping.begin()

    def learn(self, change: RecordChange, incidents: Sequence[Incident]) -> list[Learned]:
        """Keep incidents and learn the resolved ones, in their order."""
        added = change.incidents.add_many(incidents)
        found: dict[str, Learned] = {}
        placed: list[Placed] = []
        for one in added:
            incident_id = one.stored.incident.id
            if incident_id not in found:
                found[incident_id] = self._arrive(one, placed)
        self._write(change, placed)
        return [replace(found[one.stored.incident.id], is_new=one.is_new, has_changed=one.has_changed) for one in added]

    def patch(self, change: RecordChange, incident_id: str, patch: IncidentPatch, *, if_version: int | None) -> Learned:
        """Change an incident, and learn it when it is resolved by that."""
        before = change.incidents.get(incident_id)
        after = change.incidents.patch(incident_id, patch, if_version=if_version)
        placed: list[Placed] = []
        learned = self._arrive(Added(after, False, after.version != before.version), placed)
        self._write(change, placed)
        return learned

    def keep(self) -> None:
        """The transaction has ended well."""
        self._memory.grouping.keep()
        for stored in self._changed:
            self._memory.keep(stored)
        self._memory.revision += bool(self._new or self._changed)

    def forget(self) -> None:
        """The transaction has failed: the memory is as it was."""
        self._memory.grouping.roll_back()
        for incident_id in self._new:
            self._memory.shelf.drop(incident_id)

    def _arrive(self, one: Added, placed: list[Placed]) -> Learned:
        grouping, stored = self._memory.grouping, one.stored
        if stored.incident.id in grouping.number_of:
            if one.has_changed:
                self._changed.append(stored)
            return self._known(one)
        if stored.incident.status is not IncidentStatus.RESOLVED:
            why = (f"It is {stored.incident.status.value}: kept, and learnt once it is resolved.",)
            return Learned(stored, one.is_new, one.has_changed, None, 0, False, False, 0.0, why)
        item = item_of(stored, self._memory.signing)
        found = grouping.learn(item.id, item.signature, principal=item.principal, service=item.service)
        self._memory.shelf.put(stored.incident)
        self._new.append(item.id)
        placed.append(Placed(item.id, found.pattern_id))
        size = grouping.sizes[found.pattern_id]
        margin = found.candidates[0].margin if found.candidates else None
        likely = 1.0 if margin is None else probability(-margin if found.is_new else margin)
        return Learned(
            stored=replace(stored, arrival_pattern_id=found.pattern_id, pattern_id=found.pattern_id),
            is_new=one.is_new,
            has_changed=one.has_changed,
            pattern_id=found.pattern_id,
            pattern_size=size,
            is_pattern=size >= MIN_PATTERN_INCIDENTS,
            founded=found.is_new,
            likelihood=likely,
            why=tuple(self._why(found)),
        )

    def _known(self, one: Added) -> Learned:
        grouping = self._memory.grouping
        item = grouping.items[grouping.number_of[one.stored.incident.id]]
        pattern_id = grouping.pattern_of(item.id)
        size = grouping.sizes[pattern_id] if pattern_id is not None else 0
        where = "somebody took it out of its pattern" if pattern_id is None else f"it stands in '{pattern_id}'"
        return Learned(
            stored=replace(one.stored, arrival_pattern_id=item.arrival, pattern_id=pattern_id),
            is_new=one.is_new,
            has_changed=one.has_changed,
            pattern_id=pattern_id,
            pattern_size=size,
            is_pattern=size >= MIN_PATTERN_INCIDENTS,
            founded=False,
            likelihood=0.0 if pattern_id is None else 1.0,
            why=(f"It was learnt before: {where}.",),
        )

    def _why(self, found: Assignment) -> Iterator[str]:
        grouping = self._memory.grouping
        name = self._memory.name_of
        if found.joined is None:
            yield from why_founded(found.candidates, name)
            return
        likeness = explain(found.joined, found.profile, grouping.weights)
        words = shared_words(found.joined, found.profile)
        yield from why_joined(found.candidates[0], likeness, words, name, grouping.weights)
        yield from what_came_close(found.candidates, name)

    def _write(self, change: RecordChange, placed: Sequence[Placed]) -> None:
        if not placed:
            return
        change.patterns.assign(placed)
        grouping = self._memory.grouping
        count = len(grouping.items)
        came = Counter(one.pattern_id for one in placed)
        sizes = {key: grouping.sizes[key] for key in came}
        born = sorted(key for key in came if sizes[key] - came[key] < MIN_PATTERN_INCIDENTS <= sizes[key])
        if born:
            change.patterns.record([PatternChange(ChangeKind.BORN, key, (), sizes[key], count) for key in born])
            change.patterns.call({key: self._memory.name_of(key) for key in born})
