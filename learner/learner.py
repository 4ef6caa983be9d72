"""The learner at work: incidents in, patterns out. The truth is in the records, written in one transaction an act; the
groups in memory follow them. Safe to share between threads and between processes over one database."""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache, partial

from kb.idempotency import KeyedRequest
from kb.incident import Alert, Incident, IncidentStatus
from kb.incident_cleaning import Redact
from kb.incident_intake import edited, ready
from kb.incident_records import IncidentPatch
from kb.once import Once, Reply
from kb.pattern import ActionStats, Pattern, PatternChange
from kb.pattern_records import PatternNotFound, Word, WordKind
from kb.principal import SYSTEM, Principal
from kb.record_store import RecordChange, RecordStore
from kb.redact import redact as redact_secrets
from learner.apart import regroup_apart
from learner.arrivals import Arrivals, Learned
from learner.assign import MIN_PATTERN_INCIDENTS, Grouping
from learner.constraints import rename
from learner.errors import NotLearnt
from learner.features import EmbedTexts, Vector
from learner.neighbours import ExactNeighbours, NearestRows, Neighbours, nearest_rows
from learner.pattern_book import FRESH_FOR, PatternBook, Source
from learner.recall import Memory, Progress, Records
from learner.recluster import Regrouping, Snapshot, adopt, is_due, next_due, regroup, snapshot_of
from learner.recommend import Recommendation, SimilarIncident, choose, how_it_ended, likest, recommend
from learner.regrouped import write_regrouping
from learner.signature import Signature, signature_of, signature_of_alert
from learner.spoken import present, said_learn_again, said_merge, said_split, said_unlearn
from learner.turns import Turn, Turns, settling

LATEST = 200
"""Incidents learnt last, among which groups that are no patterns yet are still news."""

_TEXTS_REMEMBERED = 2000


class Learner:
    """Patterns over one store of records. `embed` is asked for the same text but once while the learner lives.

    `make_neighbours` and `near` say what is worth comparing; with `apart`, re-clustering and restoring are done in a
    process of their own, to which the two have to travel. Call `open` before anything else.
    """

    def __init__(
        self,
        records: RecordStore,
        embed: EmbedTexts,
        *,
        dimension: int,
        now: Callable[[], datetime],
        make_neighbours: Callable[[], Neighbours] | None = None,
        near: NearestRows = nearest_rows,
        apart: bool = False,
        redact: Redact = redact_secrets,
    ) -> None:
        self._records = records
        self._embed = embed
        self._dimension = dimension
        self._now = now
        self._make_neighbours = make_neighbours or partial(ExactNeighbours, dimension)
        self._near = near
        self._redact = redact
        self._apart = apart
        self._turns = Turns(records, self._changing)
        self._once = Once(self._turns)
        self._book = PatternBook(now)
        self._lock = threading.RLock()
        self._regrouping = threading.Lock()
        self._is_closed = threading.Event()
        self._memory = self._empty()
        self._listed: tuple[int, datetime, tuple[Pattern, ...]] | None = None

    def open(self, progress: Progress | None = None) -> None:
        """Take in what the records hold; `progress` is told how far that has come."""
        memory = self._empty()
        with self._records.read() as view:
            learnt = memory.gather(view, progress)
        memory.build(learnt, progress, apart=self._make_neighbours if self._apart else None)
        with self._lock:
            self._memory = memory

    def close(self) -> None:
        """Nothing is asked of the learner any more; what a process of its own works on is given up."""
        self._is_closed.set()

    # Incidents

    def learn(self, incidents: Sequence[Incident], principal: Principal) -> Sequence[Learned]:
        """Keep incidents, in their order and in one transaction, and learn the resolved ones. Raises `InvalidInput`."""
        self._embed_ahead(incidents, principal)
        with self._changing(principal) as turn:
            return turn.arrivals.learn(turn.change, incidents)

    def learn_once(
        self, incident: Incident, principal: Principal, request: KeyedRequest, shape: Callable[[Learned], object]
    ) -> Reply:
        """`learn` for one incident under a key: done once, answered alike each time. `shape` makes the answer a JSON
        value. Raises `KeyReused`, `RequestInFlight`, `InvalidInput`."""

        def act(change: RecordChange, _: None) -> object:
            (learned,) = self._turns.present.arrivals.learn(change, [incident])
            return shape(learned)

        return self._once.answer(request, principal, prepare=lambda: self._embed_ahead([incident], principal), act=act)

    def patch(
        self, incident_id: str, patch: IncidentPatch, principal: Principal, *, if_version: int | None = None
    ) -> Learned:
        """Change fields of an incident; resolving it makes it learnt. Raises `IncidentNotFound`, `IncidentChanged`,
        `InvalidInput`."""
        with self._records.read() as view:
            before = view.incidents.get(incident_id)
        now = self._now()
        after = edited(before, patch, if_version=if_version, principal=principal, now=now, redact=self._redact)
        self._embed_ahead([after.incident], principal)
        with self._changing(principal) as turn:
            return turn.arrivals.patch(turn.change, incident_id, patch, if_version=if_version)

    # Groups

    def room(self) -> int:
        """How many incidents can be learnt until re-clustering comes due; at least 1."""
        with self._lock:
            return next_due(len(self._memory.grouping.items)) - len(self._memory.grouping.items)

    def recluster_if_due(self) -> tuple[PatternChange, ...]:
        """Group everything anew when enough was learnt since the last time; nothing when that is being done."""
        return self._recluster(is_due)

    def settle(self) -> tuple[PatternChange, ...]:
        """Group everything anew when anything was learnt since the last time, as after an import."""
        return self._recluster(lambda grouping: len(grouping.items) > grouping.clustered_at)

    def catch_up(self) -> bool:
        """Take in what another process has learnt, moved or said; whether there was any."""
        with self._lock, self._records.read() as view:
            return self._take_in(view)

    # What was learnt

    def patterns(self) -> Sequence[Pattern]:
        """Patterns with enough incidents, most frequent first."""
        with self._lock:
            revision, listed = self._memory.revision, self._listed
            if listed is not None and listed[0] == revision and timedelta(0) <= self._now() - listed[1] < FRESH_FOR:
                return listed[2]
            sources = [self._source(pattern_id) for pattern_id in self._memory.grouping.pattern_ids()]
        found = [self._book.pattern(source) for source in sources]
        ordered = tuple(sorted(found, key=lambda pattern: (-pattern.frequency, pattern.id)))
        self._listed = (revision, self._now(), ordered)
        return ordered

    def newcomers(self) -> Sequence[Pattern]:
        """The groups of the incidents learnt last that have too few incidents to be patterns, ordered by id."""
        with self._lock:
            grouping = self._memory.grouping
            found = {grouping.pattern_of(item.id) for item in grouping.items[-LATEST:]}
            ids = sorted(key for key in found if key and grouping.sizes[key] < MIN_PATTERN_INCIDENTS)
            sources = [self._source(key) for key in ids]
        return [self._book.pattern(source) for source in sources]

    def pattern(self, pattern_id: str) -> Pattern:
        """One group as a pattern, however few its incidents; forwarding ids are followed, and one that another process
        has learnt is taken in. Raises `PatternNotFound`."""
        with self._lock:
            try:
                found = present(self._memory.grouping, pattern_id)
            except PatternNotFound:
                if not self.catch_up():
                    raise
                found = present(self._memory.grouping, pattern_id)
            source = self._source(found)
        return self._book.pattern(source)

    def glance(self, pattern_id: str) -> Pattern:
        """`pattern`, perhaps without the incidents that came last: quick enough for an answer to each of them."""
        with self._lock:
            grouping = self._memory.grouping
            found = present(grouping, pattern_id)
            name = self._memory.given_names().get(found, "")
            lately = self._book.lately(found, grouping.sizes[found], name)
        return lately or self.pattern(found)

    def effectiveness(self) -> Sequence[ActionStats]:
        """Every action over all incidents that stand in a group, best first."""
        with self._lock:
            memory = self._memory
            grouping = memory.grouping
            standing = (grouping.items[number].id for number in sorted(grouping.micro_of))
            revision, incidents = memory.revision, memory.shelf.get_many(standing)
        return self._book.actions(revision, incidents)

    def recommend(self, incident_or_alert: Incident | Alert) -> Recommendation:
        """What to do about an incident or an alert, by what ended others of its pattern."""
        signature = _signature_of(incident_or_alert)
        beside: dict[str, Vector] = {}
        self._memory.grouping.look(signature, beside)  # embeds before anybody has to wait for it
        but = incident_or_alert.id if isinstance(incident_or_alert, Incident) else ""
        with self._lock:
            features = self._memory.grouping.look(signature, beside)
            candidates = self._memory.grouping.recognise(features)
            chosen = choose(candidates)
            if chosen is None:
                return recommend(candidates, None, ())
            near = likest(self._memory.grouping, features, chosen.pattern_id, but=but)
            source = self._source(chosen.pattern_id)
        pattern = self._book.pattern(source)
        return recommend(candidates, pattern, _ended(near, pattern, source))

    def similar(self, incident_id: str) -> Sequence[SimilarIncident]:
        """The learnt incidents of its pattern that a learnt incident is most like. Raises `NotLearnt`."""
        with self._lock:
            grouping = self._memory.grouping
            if incident_id not in grouping.number_of:
                raise NotLearnt(incident_id)
            pattern_id = grouping.pattern_of(incident_id)
            if pattern_id is None:
                return ()
            features = grouping.read(grouping.items[grouping.number_of[incident_id]].signature)
            near = likest(grouping, features, pattern_id, but=incident_id)
            source = self._source(pattern_id)
        return _ended(near, self._book.pattern(source), source)

    # People's word

    def rename(self, pattern_id: str, name: str, principal: Principal) -> Pattern:
        """Call a pattern by a name that stays; an empty one gives it back to the learner."""
        with self._changing(principal) as turn:
            grouping = self._memory.grouping
            found = present(grouping, pattern_id)
            spoken = turn.change.patterns.say(Word(WordKind.RENAME, pattern_id=found, name=name))
            renamed = rename(grouping.constraints, found, spoken.word.name)
            turn.after.append(lambda: setattr(grouping, "constraints", renamed))
        return self.pattern(found)

    def merge(self, pattern_ids: Sequence[str], principal: Principal) -> Pattern:
        """Make patterns one, for good: the largest keeps its id, the others forward to it."""
        with self._changing(principal) as turn:
            said, heir = said_merge(self._memory.grouping, pattern_ids, principal.name)
            turn.say(said)
        return self.pattern(heir)

    def split(self, pattern_id: str, incident_ids: Collection[str], principal: Principal) -> tuple[str, str]:
        """Part some incidents from a pattern, for good; the id of the rest, which is the old one, and theirs."""
        with self._changing(principal) as turn:
            said, rest, taken = said_split(self._memory.grouping, pattern_id, incident_ids, principal.name)
            turn.say(said)
        return rest, taken

    def unlearn(self, incident_id: str, principal: Principal) -> None:
        """Take an incident out of what was learnt; it stays in the records. Raises `NotLearnt`."""
        with self._changing(principal) as turn:
            turn.say(said_unlearn(self._memory.grouping, incident_id, principal.name))

    def learn_again(self, incident_id: str, principal: Principal) -> None:
        """Take `unlearn` back; the incident goes where it belongs by now. Raises `NotLearnt`."""
        with self._changing(principal) as turn:
            turn.say(said_learn_again(self._memory.grouping, incident_id))

    # Within

    @contextmanager
    def _changing(self, principal: Principal) -> Iterator[Turn]:
        """One transaction, begun with a memory that knows all that was written before it."""
        with self._lock, settling(lambda: self._memory) as turn, self._records.change(principal) as change:
            self._take_in(change)
            turn.change, turn.arrivals, turn.has_begun = change, Arrivals(self._memory), True
            yield turn
            turn.position = change.events.last()

    def _recluster(self, wants: Callable[[Grouping], bool]) -> tuple[PatternChange, ...]:
        if not self._regrouping.acquire(blocking=False):
            return ()
        try:
            with self._lock:
                self.catch_up()
                if not wants(self._memory.grouping):
                    return ()
                snapshot, moved = snapshot_of(self._memory.grouping), self._memory.moved
            return self._write_regrouping(self._regrouped(snapshot), moved)
        finally:
            self._regrouping.release()

    def _regrouped(self, snapshot: Snapshot) -> Regrouping:
        if not self._apart:
            return regroup(snapshot, self._embed, near=self._near)
        return regroup_apart(snapshot, self._embed, near=self._near, is_given_up=self._is_closed.is_set)

    def _write_regrouping(self, regrouping: Regrouping, moved: int) -> tuple[PatternChange, ...]:
        with self._changing(SYSTEM) as turn:
            if self._memory.moved != moved:
                return ()  # somebody moved incidents meanwhile: what was made of the old groups is void, and stays due
            grouping = self._memory.grouping
            changes = write_regrouping(turn.change, grouping, regrouping, self._memory.given_names())
            turn.after.append(lambda: adopt(grouping, regrouping, self._make_neighbours()))
        return changes

    def _take_in(self, view: Records) -> bool:
        known = self._memory.take_in(view)
        if known is None:
            memory = self._empty()
            memory.grouping.vectors, memory.moved = self._memory.grouping.vectors, self._memory.moved + 1
            memory.build(memory.gather(view), apart=self._make_neighbours if self._apart else None)
            self._memory = memory
        return known is None or known

    def _embed_ahead(self, incidents: Sequence[Incident], principal: Principal) -> None:
        """Embed what is about to be learnt, made ready as it will be, before anybody has to wait for it."""
        redact, now, memory = lru_cache(maxsize=_TEXTS_REMEMBERED)(self._redact), self._now(), self._memory
        told = (_only_its_signs(one) for one in incidents if one.status is IncidentStatus.RESOLVED)
        made_ready = [ready(one, principal, now, redact) for one in told]
        memory.grouping.embed_missing([signature_of(one, memory.signing) for one in made_ready])

    def _source(self, pattern_id: str) -> Source:
        memory = self._memory
        members = memory.grouping.members_of(pattern_id)
        name = memory.given_names().get(pattern_id, "")
        return Source(pattern_id, memory.shelf.get_many(members), memory.signatures_of(members), name)

    def _empty(self) -> Memory:
        return Memory(Grouping(self._embed, dimension=self._dimension, neighbours=self._make_neighbours()))


def _only_its_signs(incident: Incident) -> Incident:
    """An incident without what its signature leaves out."""
    return replace(incident, diagnosis=(), resolution=None, lessons=(), prevention=(), links=(), impact="", metadata={})


def _signature_of(subject: Incident | Alert) -> Signature:
    return signature_of(subject) if isinstance(subject, Incident) else signature_of_alert(subject)


def _ended(near: Sequence[tuple[str, float]], pattern: Pattern, source: Source) -> tuple[SimilarIncident, ...]:
    incidents: Mapping[str, Incident] = {incident.id: incident for incident in source.incidents}
    return tuple(how_it_ended(incidents[key], pattern, like) for key, like in near if key in incidents)
