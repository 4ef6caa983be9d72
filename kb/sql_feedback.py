"""Votes, outcomes and answers to keyed requests in the database of records."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, bindparam, delete, func, insert, select, update

from kb.feedback import (
    MAX_VOTES_PER_DAY,
    NewOutcome,
    NewVote,
    Outcome,
    TooManyVotes,
    Verdict,
    Vote,
    feedback_key,
    ready_outcome,
    ready_vote,
)
from kb.idempotency import KEPT_FOR, KEPT_ROWS, GivenAnswer, KeyedRequest, KeyReused
from kb.incident import ActionOutcome
from kb.incident_records import IncidentNotFound
from kb.record_ledger import Facts, Ledger
from kb.record_store import FEEDBACK_CHANGED
from kb.record_tables import answers, incidents, outcomes, votes


class SqlFeedbackReads:
    """`FeedbackReads` on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def votes(self, *, target: str | None = None, since: datetime | None = None) -> Sequence[Vote]:
        cast = select(votes).order_by(votes.c.event_time, votes.c.key)
        if target is not None:
            cast = cast.where(votes.c.target == target)
        if since is not None:
            cast = cast.where(votes.c.event_time >= since)
        return [_vote(row) for row in self._connection.execute(cast).mappings()]

    def outcomes(self, *, target: str | None = None, incident_id: str | None = None) -> Sequence[Outcome]:
        told = select(outcomes).order_by(outcomes.c.event_time, outcomes.c.key)
        if target is not None:
            told = told.where(outcomes.c.target == target)
        if incident_id is not None:
            told = told.where(outcomes.c.incident_id == incident_id)
        return [_outcome(row) for row in self._connection.execute(told).mappings()]


class SqlFeedback(SqlFeedbackReads):
    """`FeedbackWrites` in one write transaction."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger.connection)
        self._ledger = ledger

    def vote(self, vote: NewVote) -> Vote:
        ledger = self._ledger
        who = ledger.principal.name
        cast = ready_vote(vote, ledger.redact)
        key = feedback_key(who, cast.case, cast.target)
        since = votes.c.event_time > ledger.now - timedelta(days=1)
        others = select(func.count()).where(votes.c.principal == who, votes.c.key != key, since)
        if self._connection.execute(others).scalar_one() >= MAX_VOTES_PER_DAY:
            raise TooManyVotes(who)
        self._connection.execute(delete(votes).where(votes.c.key == key))
        self._connection.execute(
            insert(votes).values(
                key=key,
                principal=who,
                target=cast.target,
                case_id=cast.case,
                verdict=cast.verdict.value,
                note=cast.note,
                event_time=ledger.now,
            )
        )
        self._tell("feedback.vote", cast.target, {"case": cast.case, "verdict": cast.verdict.value})
        return Vote(cast, who, ledger.now)

    def withdraw(self, target: str, case: str) -> bool:
        key = feedback_key(self._ledger.principal.name, case, target)
        gone = self._connection.execute(delete(votes).where(votes.c.key == key)).rowcount > 0
        if gone:
            self._tell("feedback.withdraw", target, {"case": case})
        return gone

    def tell(self, outcome: NewOutcome) -> Outcome:
        ledger = self._ledger
        who = ledger.principal.name
        told = ready_outcome(outcome, ledger.redact)
        there = select(incidents.c.id).where(incidents.c.id == told.incident_id)
        if self._connection.execute(there).first() is None:
            raise IncidentNotFound(told.incident_id)
        key = feedback_key(who, told.incident_id, told.target)
        self._connection.execute(delete(outcomes).where(outcomes.c.key == key))
        self._connection.execute(
            insert(outcomes).values(
                key=key,
                incident_id=told.incident_id,
                target=told.target,
                outcome=told.outcome.value,
                took_s=told.took_s,
                note=told.note,
                principal=who,
                event_time=ledger.now,
            )
        )
        self._tell("feedback.outcome", told.target, {"incident_id": told.incident_id, "outcome": told.outcome.value})
        return Outcome(told, who, ledger.now)

    def recurred(self, incident_id: str, at: datetime) -> int:
        mine = (outcomes.c.incident_id == incident_id) & (outcomes.c.outcome == ActionOutcome.HELPED.value)
        fresh = mine & outcomes.c.recurred_at.is_(None)
        marked = self._connection.execute(update(outcomes).where(fresh).values(recurred_at=at)).rowcount
        if marked:
            self._tell("feedback.recurred", incident_id, {"outcomes": marked})
        return marked

    def forget(self, *, before: datetime) -> int:
        gone = self._connection.execute(delete(votes).where(votes.c.event_time < before)).rowcount
        if gone:
            self._tell("feedback.forget", "votes", {"votes": gone})
        return gone

    def _tell(self, act: str, subject: str, facts: Facts) -> None:
        self._ledger.tell(act, subject, facts, topic=FEEDBACK_CHANGED)


_ANSWER = select(answers.c.fingerprint, answers.c.answer).where(answers.c.key == bindparam("digest"))


class SqlKeyReads:
    """`KeyReads` on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, request: KeyedRequest) -> GivenAnswer | None:
        row = self._connection.execute(_ANSWER, {"digest": request.digest}).first()
        if row is None:
            return None
        if row.fingerprint != request.fingerprint:
            raise KeyReused(request.key)
        return GivenAnswer(row.answer)


class SqlKeys(SqlKeyReads):
    """`KeyWrites` in one write transaction. What a request did is in the audit; that it was answered is not."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger.connection)
        self._ledger = ledger

    def remember(self, request: KeyedRequest, answer: object) -> None:
        if self.find(request) is not None:
            raise KeyReused(request.key)
        now = self._ledger.now
        row = {"key": request.digest, "fingerprint": request.fingerprint, "answer": answer, "recorded_at": now}
        seq = self._connection.execute(insert(answers).returning(answers.c.seq), row).scalar_one()
        old = (answers.c.recorded_at < now - KEPT_FOR) | (answers.c.seq <= seq - KEPT_ROWS)
        self._connection.execute(delete(answers).where(old))


def _vote(row: RowMapping) -> Vote:
    cast = NewVote(row["target"], row["case_id"], Verdict(row["verdict"]), row["note"])
    return Vote(cast, row["principal"], row["event_time"])


def _outcome(row: RowMapping) -> Outcome:
    told = NewOutcome(
        row["incident_id"], row["target"], ActionOutcome(row["outcome"]), took_s=row["took_s"], note=row["note"]
    )
    return Outcome(told, row["principal"], row["event_time"], row["recurred_at"])
