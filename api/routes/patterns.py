"""Patterns: what recurs, how well actions work, and what people say about both."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.asking import JsonBodyDep, LearningDep, PrincipalDep, UrlsDep, checked, json_answer
from api.learning.pattern_schemas import (
    EffectivenessOut,
    MergeBody,
    PatternOut,
    PatternsOut,
    RenameBody,
    SplitBody,
    SplitOut,
)
from api.learning.pattern_shapes import effectiveness_out, pattern_out, patterns_out
from api.openapi import body_of
from api.routes.examples import PATTERNS_ANSWER

router = APIRouter(tags=["patterns"])

PatternId = Annotated[str, Path(min_length=1, max_length=200, description="The pattern's id, or one it had before.")]


@router.get(
    "/runbooks/patterns",
    summary="What recurs",
    responses={200: {"model": PatternsOut, "content": {"application/json": {"example": PATTERNS_ANSWER}}}},
)
def list_patterns(learning: LearningDep, urls: UrlsDep) -> Response:
    """Every pattern by its name, the most frequent first, and how well each action worked over all incidents."""
    return json_answer(patterns_out(learning.patterns(), learning.effectiveness(), urls))


@router.get("/resolutions/effectiveness", summary="How well actions work", responses={200: {"model": EffectivenessOut}})
def effectiveness(learning: LearningDep) -> Response:
    """Every action over all its wordings: tried, worked, made it worse, with bounds that small numbers deserve."""
    return json_answer(effectiveness_out(learning.effectiveness()))


@router.get("/patterns/{pattern_id}", summary="Read a pattern", responses={200: {"model": PatternOut}})
def read_pattern(pattern_id: PatternId, learning: LearningDep, urls: UrlsDep) -> Response:
    """Its numbers, each with the incidents it rests on, its history, and the working of its confidence."""
    return json_answer(pattern_out(learning.pattern(pattern_id), urls))


@router.patch(
    "/patterns/{pattern_id}",
    summary="Rename a pattern",
    responses={200: {"model": PatternOut}},
    openapi_extra=body_of(RenameBody),
)
def rename_pattern(
    pattern_id: PatternId, payload: JsonBodyDep, learning: LearningDep, principal: PrincipalDep, urls: UrlsDep
) -> Response:
    """Gives it a name that stays; an empty one gives naming back to the learner."""
    return json_answer(pattern_out(learning.rename(pattern_id, checked(RenameBody, payload).name, principal), urls))


@router.post(
    "/patterns/merge",
    summary="Make patterns one",
    responses={200: {"model": PatternOut}},
    openapi_extra=body_of(MergeBody),
)
def merge_patterns(payload: JsonBodyDep, learning: LearningDep, principal: PrincipalDep, urls: UrlsDep) -> Response:
    """Their incidents belong together from now on, however groups change; ids that go lead to the one that stays."""
    return json_answer(pattern_out(learning.merge(checked(MergeBody, payload).pattern_ids, principal), urls))


@router.post(
    "/patterns/{pattern_id}/split",
    summary="Part incidents from a pattern",
    responses={200: {"model": SplitOut}},
    openapi_extra=body_of(SplitBody),
)
def split_pattern(
    pattern_id: PatternId, payload: JsonBodyDep, learning: LearningDep, principal: PrincipalDep, urls: UrlsDep
) -> Response:
    """The incidents that are named never belong with the rest from now on."""
    rest, taken = learning.split(pattern_id, checked(SplitBody, payload).incident_ids, principal)
    return json_answer(SplitOut(rest=pattern_out(rest, urls), taken=pattern_out(taken, urls)))
