"""What the learner remembers of the records, and how it takes in what it does not remember yet: everything at the
start, later what another process has learnt, moved or said. The records win wherever the two differ."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

from kb.incident_records import StoredIncident
from kb.pattern_records import LearntIncident, SpokenWord, WordKind, resolve
from kb.record_store import RecordChange, RecordView
from learner.apart import Filled, fill_apart
from learner.assign import Grouping, Item
from learner.constraints import Constraints, learn_again, put_together, take_apart, unlearn
from learner.features import Reader
from learner.lexicon import Told, build_lexicon
from learner.moving import move, moves_between, reread, standing_of
from learner.naming import name_from
from learner.neighbours import Neighbours
from learner.recluster import last_due
from learner.shelf import Shelf
from learner.signature import Signature, Signing, sign, signature_of
from learner.spoken import Said, follow

PAGE = 500
RENAME_GROWTH = 1.5
SIGNATURES_REMEMBERED = 1000
"""Enough for what is read ahead of a transaction and again in it."""

Records = RecordView | RecordChange
Progress = Callable[[int, int], None]
"""Told how many incidents are taken in, and of how many."""


class Memory:
    """The groups of the records and the incidents in them. Not thread-safe.

    `position` is the number of the last event of the records that is taken in, `revision` grows with every change,
    `moved` whenever incidents that were placed already stand elsewhere, or people said where they belong.
    """

    def __init__(self, grouping: Grouping) -> None:
        self.grouping = grouping
        self.shelf = Shelf()
        self.signing: Signing = lru_cache(maxsize=SIGNATURES_REMEMBERED)(sign)
        self.position = 0
        self.revision = 0
        self.moved = 0
        self._last_seq = 0
        self._known_by_seq = 0
        self._names: dict[str, tuple[int, str]] = {}

    def gather(self, view: Records, progress: Progress | None = None) -> list[StoredIncident]:
        """All learnt incidents, in the order of learning, and what people have said; `build` makes groups of them. The
        memory must be empty."""
        self.position = view.events.last()
        total = 2 * len(view.patterns.standing())
        self._follow_people(view)
        learnt: list[StoredIncident] = []
        for one in _pages(view, after=0):
            learnt.append(one.stored)
            self._last_seq = one.seq
            if progress is not None:
                progress(len(learnt), total)
        return learnt

    def build(
        self,
        learnt: Sequence[StoredIncident],
        progress: Progress | None = None,
        *,
        apart: Callable[[], Neighbours] | None = None,
    ) -> None:
        """Put what was gathered where it stands. With `apart`, which makes a neighbour index, most of the work is done
        in a process of its own."""
        for stored in learnt:
            self.shelf.put(stored.incident)
        if apart is not None and learnt:
            self._install(fill_apart(fill, learnt, self.grouping, apart))
        else:
            fill(self.grouping, learnt)
        self._known_by_seq = len(learnt)
        if progress is not None:
            progress(2 * len(learnt), 2 * len(learnt))
        self.revision += 1

    def take_in(self, view: Records) -> bool | None:
        """Take in what was done since the last time; whether that was anything. None: all has to be gathered anew."""
        news = view.events.since(self.position)
        if news is None:
            return None
        events = news.events
        acts = {event.act for event in events}
        changed = {event.subject for event in events if event.act in _INCIDENT_CHANGES}
        if acts & _PATTERN_CHANGES:
            self._follow_people(view)
        self.moved += bool(acts & (_PATTERN_CHANGES | {"pattern.move"}))
        if "pattern.assign" in acts:
            self._append(view)
        if "pattern.move" in acts:
            self._move(view.patterns.standing())
        self._reread(view, changed)
        self.position = news.last
        self.revision += bool(events)
        return bool(events)

    def keep(self, stored: StoredIncident) -> None:
        """Remember what an incident says now. Its group stays."""
        item = item_of(stored, self.signing)
        number = self.grouping.number_of.get(item.id)
        if number is not None:
            reread(self.grouping, number, item.signature, principal=item.principal, service=item.service)
            self.shelf.put(stored.incident)

    def follow(self, said: Said) -> None:
        """Make the groups follow a person's word that is written down."""
        follow(self.grouping, said)
        self.moved += 1

    def signatures_of(self, incident_ids: Sequence[str]) -> Mapping[str, Signature]:
        """The signatures of learnt incidents by id."""
        grouping = self.grouping
        return {key: grouping.items[grouping.number_of[key]].signature for key in incident_ids}

    def name_of(self, pattern_id: str) -> str:
        """What to call a group: a person's name for it, or one of its own words, made anew as it grows."""
        given = self.given_names().get(pattern_id)
        if given:
            return given
        size = self.grouping.sizes.get(pattern_id, 0)
        known = self._names.get(pattern_id)
        if known is None or not known[0] <= size < RENAME_GROWTH * known[0]:
            signatures = self.signatures_of(self.grouping.members_of(pattern_id))
            known = self._names[pattern_id] = (size, name_from(list(signatures.values())))
        return known[1]

    def given_names(self) -> Mapping[str, str]:
        """People's names by present pattern id; a pattern that took in a named one, and has none itself, bears it."""
        names = dict(self.grouping.constraints.names)
        for pattern_id in sorted(names):
            names.setdefault(self.grouping.resolve(pattern_id), names[pattern_id])
        return names

    def _install(self, filled: Filled) -> None:
        grouping = self.grouping
        grouping.items = list(filled.items)
        grouping.number_of = {item.id: number for number, item in enumerate(grouping.items)}
        grouping.rebuild(filled.micros, filled.reader, grouping.neighbours)
        grouping.clustered_at = filled.clustered_at

    def _follow_people(self, view: Records) -> None:
        grouping = self.grouping
        records = view.patterns.all()
        grouping.known_ids.update(record.id for record in records)
        forwards = {record.id: record.forwards_to for record in records if record.forwards_to is not None}
        grouping.forwards = {pattern_id: to for pattern_id in forwards if (to := resolve(pattern_id, forwards))}
        names = {record.id: record.name for record in records if record.named_by}
        grouping.constraints = constraints_from(view.patterns.words(), names)

    def _append(self, view: Records) -> None:
        grouping = self.grouping
        for stored in self._unknown(view):
            item = item_of(stored, self.signing)
            if item.id not in grouping.number_of:
                grouping.put(item, stored.pattern_id)
                self.shelf.put(stored.incident)

    def _unknown(self, view: Records) -> Iterator[StoredIncident]:
        """What others have learnt, in the order of learning, perhaps among what was learnt here."""
        known = self.grouping.number_of
        if len(known) - self._known_by_seq > PAGE:  # most of what follows the last seq was learnt here
            ids = [incident_id for incident_id in view.patterns.standing() if incident_id not in known]
            found = view.incidents.get_many(ids)
            yield from (found[incident_id] for incident_id in ids)
            return
        for one in _pages(view, after=self._last_seq):
            self._last_seq = one.seq
            yield one.stored
        self._known_by_seq = len(known)

    def _move(self, standing: Mapping[str, str | None]) -> None:
        grouping = self.grouping
        moves = moves_between(standing_of(grouping), standing)
        move(grouping, {grouping.number_of[key]: group for key, group in moves.items()})
        grouping.clustered_at = max(grouping.clustered_at, last_due(len(grouping.items)))

    def _reread(self, view: Records, incident_ids: set[str]) -> None:
        learnt = sorted(incident_ids & self.grouping.number_of.keys())
        for stored in view.incidents.get_many(learnt).values():
            self.keep(stored)


_INCIDENT_CHANGES = frozenset({"incident.edit", "incident.merge"})
_PATTERN_CHANGES = frozenset(
    {"pattern.merged", "pattern.rename", "pattern.merge", "pattern.split", "pattern.unlearn", "pattern.learn_again"}
)


def fill(grouping: Grouping, learnt: Sequence[StoredIncident]) -> None:
    """Fill an empty grouping with incidents that stand in groups already, in the order of learning."""
    items = [item_of(stored) for stored in learnt]
    groups = [stored.pattern_id for stored in learnt]
    clustered = last_due(len(items))
    told = [_told(item, group) for item, group in zip(items[:clustered], groups, strict=False) if group is not None]
    if told:
        grouping.reader = Reader(build_lexicon(told))
    grouping.embed_missing([item.signature for item, group in zip(items, groups, strict=True) if group is not None])
    placed: dict[tuple[Signature, str], int] = {}
    for item, group in zip(items, groups, strict=True):
        beside = None if group is None else placed.get((item.signature, group))
        grouping.put(item, group, beside=beside)
        if group is not None:
            placed.setdefault((item.signature, group), len(grouping.items) - 1)
    grouping.clustered_at = clustered


def item_of(stored: StoredIncident, signing: Signing | None = None) -> Item:
    """A kept incident as the groups know it."""
    incident = stored.incident
    arrival = stored.arrival_pattern_id or ""
    return Item(incident.id, signature_of(incident, signing), incident.reported_by, incident.service, arrival)


def constraints_from(words: Sequence[SpokenWord], names: Mapping[str, str]) -> Constraints:
    """What people have said, in the order in which they said it. `names` are those that people gave."""
    constraints = Constraints(names=dict(names))
    for spoken in words:
        word = spoken.word
        if word.kind is WordKind.MERGE:
            constraints = put_together(constraints, word.groups)
        elif word.kind is WordKind.SPLIT:
            constraints = take_apart(constraints, word.groups[0], word.groups[1])
        elif word.kind is WordKind.UNLEARN:
            constraints = unlearn(constraints, *word.groups[0])
        elif word.kind is WordKind.LEARN_AGAIN:
            constraints = learn_again(constraints, *word.groups[0])
    return constraints


def _told(item: Item, group: str) -> Told:
    signature = item.signature
    return Told(signature.alert, signature.title, signature.segments, group, item.service)


def _pages(view: Records, *, after: int) -> Iterator[LearntIncident]:
    while page := view.incidents.learnt(after=after, limit=PAGE):
        yield from page
        after = page[-1].seq
