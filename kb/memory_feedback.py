"""Votes, outcomes and answers to keyed requests in memory: the twin of `kb.sql_feedback`."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from kb.feedback import (
    MAX_VOTES_PER_DAY,
    NewOutcome,
    NewVote,
    Outcome,
    TooManyVotes,
    Vote,
    feedback_key,
    ready_outcome,
    ready_vote,
)
from kb.idempotency import KEPT_FOR, KEPT_ROWS, GivenAnswer, KeyedRequest, KeyReused
from kb.incident import ActionOutcome
from kb.memory_incidents import MemoryIncidents
from kb.memory_rows import Rows, Turn, Undo


class MemoryFeedback:
    """`FeedbackWrites` over dictionaries."""

    def __init__(self, turn: Turn, undo: Undo, incidents: MemoryIncidents) -> None:
        self._turn = turn
        self._incidents = incidents
        self._votes: Rows[str, Vote] = Rows(undo)
        self._outcomes: Rows[str, Outcome] = Rows(undo)

    def votes(self, *, target: str | None = None, since: datetime | None = None) -> Sequence[Vote]:
        ordered = sorted(self._votes.items(), key=lambda item: (item[1].event_time, item[0]))
        return [
            vote
            for _, vote in ordered
            if target in (None, vote.vote.target) and (since is None or vote.event_time >= since)
        ]

    def outcomes(self, *, target: str | None = None, incident_id: str | None = None) -> Sequence[Outcome]:
        ordered = sorted(self._outcomes.items(), key=lambda item: (item[1].event_time, item[0]))
        return [
            told
            for _, told in ordered
            if target in (None, told.outcome.target) and incident_id in (None, told.outcome.incident_id)
        ]

    def vote(self, vote: NewVote) -> Vote:
        who, now = self._turn.principal.name, self._turn.now
        cast = ready_vote(vote, self._turn.redact)
        key = feedback_key(who, cast.case, cast.target)
        day_ago = now - timedelta(days=1)
        others = [k for k, v in self._votes.items() if v.principal == who and k != key and v.event_time > day_ago]
        if len(others) >= MAX_VOTES_PER_DAY:
            raise TooManyVotes(who)
        self._votes.put(key, Vote(cast, who, now))
        return self._votes[key]

    def withdraw(self, target: str, case: str) -> bool:
        key = feedback_key(self._turn.principal.name, case, target)
        if key not in self._votes:
            return False
        self._votes.drop(key)
        return True

    def tell(self, outcome: NewOutcome) -> Outcome:
        who = self._turn.principal.name
        told = ready_outcome(outcome, self._turn.redact)
        self._incidents.get(told.incident_id)
        key = feedback_key(who, told.incident_id, told.target)
        self._outcomes.put(key, Outcome(told, who, self._turn.now))
        return self._outcomes[key]

    def recurred(self, incident_id: str, at: datetime) -> int:
        marked = 0
        for key, told in self._outcomes.items():
            helped = told.outcome.incident_id == incident_id and told.outcome.outcome is ActionOutcome.HELPED
            if helped and told.recurred_at is None:
                self._outcomes.put(key, replace(told, recurred_at=at))
                marked += 1
        return marked

    def forget(self, *, before: datetime) -> int:
        old = [key for key, vote in self._votes.items() if vote.event_time < before]
        for key in old:
            self._votes.drop(key)
        return len(old)


class MemoryKeys:
    """`KeyWrites` over a dictionary."""

    def __init__(self, turn: Turn, undo: Undo) -> None:
        self._turn = turn
        self._answers: Rows[str, tuple[KeyedRequest, object, datetime]] = Rows(undo)

    def find(self, request: KeyedRequest) -> GivenAnswer | None:
        row = self._answers.get(request.digest)
        if row is None:
            return None
        if row[0].fingerprint != request.fingerprint:
            raise KeyReused(request.key)
        return GivenAnswer(row[1])

    def remember(self, request: KeyedRequest, answer: object) -> None:
        if self.find(request) is not None:
            raise KeyReused(request.key)
        now = self._turn.now
        self._answers.put(request.digest, (request, json.loads(json.dumps(answer)), now))
        rows = self._answers.items()
        old = [key for at, (key, row) in enumerate(rows) if row[2] < now - KEPT_FOR or at < len(rows) - KEPT_ROWS]
        for key in old:
            self._answers.drop(key)
