"""Feedback: what people think of hits and recommendations, and how using them ended."""

from fastapi import APIRouter, Response

from api.asking import JsonBodyDep, LearningDep, PrincipalDep, checked, json_answer
from api.learning.review_schemas import (
    OutcomeBody,
    OutcomeList,
    OutcomeOut,
    VoteBody,
    VoteOut,
    WithdrawBody,
    WithdrawOut,
)
from api.learning.review_shapes import outcome_out, vote_out
from api.openapi import body_of
from api.routes.incidents import IncidentId
from kb.durations import parse_duration
from kb.feedback import NewOutcome, NewVote

router = APIRouter(tags=["feedback"])


@router.put("/feedback", summary="Vote", responses={200: {"model": VoteOut}}, openapi_extra=body_of(VoteBody))
def vote(payload: JsonBodyDep, learning: LearningDep, principal: PrincipalDep) -> Response:
    """One vote a person and case: a later one replaces it. It settles close calls, and is forgotten with time."""
    body = checked(VoteBody, payload)
    cast = learning.vote(NewVote(body.target, body.case, body.verdict, body.note), principal)
    return json_answer(vote_out(cast))


@router.delete(
    "/feedback",
    summary="Take a vote back",
    responses={200: {"model": WithdrawOut}},
    openapi_extra=body_of(WithdrawBody),
)
def withdraw(payload: JsonBodyDep, learning: LearningDep, principal: PrincipalDep) -> Response:
    """One's own vote on a target in a case."""
    body = checked(WithdrawBody, payload)
    return json_answer(WithdrawOut(withdrawn=learning.withdraw_vote(body.target, body.case, principal)))


@router.get(
    "/incidents/{incident_id}/outcomes", summary="What helped an incident", responses={200: {"model": OutcomeList}}
)
def list_outcomes(incident_id: IncidentId, learning: LearningDep) -> Response:
    """What was told of runbooks and actions that were used for it."""
    return json_answer(OutcomeList(outcomes=[outcome_out(told) for told in learning.outcomes(incident_id)]))


@router.post(
    "/incidents/{incident_id}/outcomes",
    summary="Tell what helped an incident",
    responses={200: {"model": OutcomeOut}},
    openapi_extra=body_of(OutcomeBody),
)
def tell_outcome(
    incident_id: IncidentId, payload: JsonBodyDep, learning: LearningDep, principal: PrincipalDep
) -> Response:
    """How using a runbook or an action ended; telling it again corrects it."""
    body = checked(OutcomeBody, payload)
    took_s = None if body.took in (None, "") else parse_duration(body.took, field="body.took")
    told = learning.tell_outcome(NewOutcome(incident_id, body.target, body.outcome, took_s, body.note), principal)
    return json_answer(outcome_out(told))
