"""How the server is: probes for machines, health and storage for people, and looking at the folders again."""

from fastapi import APIRouter, Response

from api import shapes
from api.acts import RefreshRequest
from api.asking import ServicesDep, json_answer
from api.problems import ProblemDocument
from api.schemas import HealthOut, ProbeOut, RefreshOut, UsageOut

router = APIRouter(tags=["state"])


@router.get("/healthz", summary="Is the process alive", responses={200: {"model": ProbeOut}})
async def is_alive() -> Response:
    """Answers as long as the process can answer at all."""
    return json_answer(ProbeOut(status="ok"))


@router.get(
    "/readyz",
    summary="Can it answer searches",
    responses={200: {"model": ProbeOut}, 503: {"model": ProblemDocument}},
)
async def is_ready(services: ServicesDep) -> Response:
    """200 when an index is loaded, with what is still missing in `degraded`; 503 before that."""
    return json_answer(ProbeOut(status="ok", degraded=services.readiness()))


@router.get("/runbooks/health", summary="How the knowledge base is", responses={200: {"model": HealthOut}})
def health(services: ServicesDep) -> Response:
    """What works, what does not and what to do about it."""
    return json_answer(shapes.health_out(services.health()))


@router.get("/storage/usage", summary="What is stored", responses={200: {"model": UsageOut}})
def usage(services: ServicesDep) -> Response:
    """Sizes, and every file that was left out or needs a look, with the reason."""
    return json_answer(shapes.usage_out(services.usage()))


@router.post("/index/refresh", summary="Look at the folders again", responses={200: {"model": RefreshOut}})
def refresh(services: ServicesDep) -> Response:
    """Reads what has changed on disk and indexes it. While serving this happens by itself within a second."""
    return json_answer(shapes.refresh_out(services.refresh(RefreshRequest())))
