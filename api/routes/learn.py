"""POST /runbooks/learn and POST /incidents/batch: incidents in, what they belong to out."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Response

from api.asking import JsonBodyDep, LearningDep, PrincipalDep, checked, json_answer
from api.imports.incident_fields import Telling
from api.imports.learn_body import incident_of_body
from api.learning.acts import LearnAnswer
from api.learning.incident_schemas import BatchBody, BatchOut, LearnBody, LearnOut, RefusedOut, TakenOut
from api.learning.incident_shapes import learn_out
from api.openapi import body_of
from api.problems import ProblemDocument
from api.routes.examples import LEARN_ANSWER
from kb.errors import InvalidInput
from kb.idempotency import keyed_request
from kb.incident import Incident

router = APIRouter(tags=["incidents"])

OPERATION = "POST /runbooks/learn"
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": LearnOut, "content": {"application/json": {"example": LEARN_ANSWER}}},
    409: {"model": ProblemDocument, "description": "A request with this key is still being answered."},
    422: {"model": ProblemDocument, "description": "A field breaks a rule, or the key was used for another request."},
}
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=300,
        description="Any string of your own, such as a UUID: sent again with it, the request is not done again but "
        "answered as before. Remembered for 48 hours.",
        examples=['"8e03978e-40d5-43dd-bc93-6894a57f9324"'],
    ),
]


@router.post("/runbooks/learn", summary="Learn from an incident", responses=_ANSWERS, openapi_extra=body_of(LearnBody))
def learn(
    payload: JsonBodyDep, learning: LearningDep, principal: PrincipalDep, idempotency_key: IdempotencyKey = None
) -> Response:
    """Takes an incident in. A resolved one is learnt: it joins the pattern it belongs to, or founds a group that may
    become one. An open one is kept, and learnt when it is resolved. Sending an incident twice does no harm: a
    duplicate adds what it tells more."""
    incident = incident_of_body(payload, _telling(learning, principal.name))
    if idempotency_key is None:
        return json_answer(learn_out(learning.learn(incident, principal)))
    request = keyed_request(principal, _unquoted(idempotency_key), operation=OPERATION, body=payload)
    reply = learning.learn_once(incident, principal, request, _kept)
    return json_answer(LearnOut.model_validate(reply.answer), headers=_replay_header(reply.is_replay))


router.add_api_route(
    "/learn",
    learn,
    methods=["POST"],
    summary="The same as POST /runbooks/learn",
    responses=_ANSWERS,
    openapi_extra=body_of(LearnBody),
)


@router.post(
    "/incidents/batch",
    summary="Learn from several incidents",
    responses={200: {"model": BatchOut}},
    openapi_extra=body_of(BatchBody),
)
def learn_batch(payload: JsonBodyDep, learning: LearningDep, principal: PrincipalDep) -> Response:
    """Takes up to 500 incidents in, in their order. One that tells of no incident is refused with its number and the
    reason; the others are learnt, all of them or none."""
    telling = _telling(learning, principal.name)
    numbers: list[int] = []
    incidents: list[Incident] = []
    refused: list[RefusedOut] = []
    for number, entry in enumerate(checked(BatchBody, payload).incidents, start=1):
        try:
            incidents.append(incident_of_body(entry, telling))
            numbers.append(number)
        except InvalidInput as exc:
            refused.append(RefusedOut(number=number, reason=exc.message))
    learned = learning.learn_many(incidents, principal) if incidents else []
    taken = [
        TakenOut(
            number=number,
            incident_id=one.stored.incident.id,
            is_new=one.is_new,
            has_changed=one.has_changed,
            pattern_id=one.pattern_id,
        )
        for number, one in zip(numbers, learned, strict=True)
    ]
    new = sum(one.is_new for one in taken)
    return json_answer(BatchOut(learnt=new, duplicates=len(taken) - new, refused=refused, incidents=taken))


def _telling(learning: LearningDep, name: str) -> Telling:
    return Telling(reported_by=name, now=learning.now(), may_start_now=True)


def _kept(answer: LearnAnswer) -> object:
    return learn_out(answer).model_dump(mode="json")


def _unquoted(key: str) -> str:
    """The key itself: the header's standard writes it as a string in double quotes, most senders leave them out."""
    key = key.strip()
    return key[1:-1] if len(key) > 1 and key[0] == key[-1] == '"' else key


def _replay_header(is_replay: bool) -> dict[str, str]:
    return {"Idempotent-Replayed": "true"} if is_replay else {}
