"""Pins: the runbook that is always first for an alert, because somebody who knows said so."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api import shapes
from api.asking import JsonBodyDep, PrincipalDep, ServicesDep, checked, json_answer
from api.openapi import body_of
from api.schemas import PinBody, PinList, PinOut

router = APIRouter(prefix="/pins", tags=["pins"])

AlertName = Annotated[str, Path(min_length=1, max_length=300, description="The alert's name, to the letter.")]


@router.get("", summary="List pins", responses={200: {"model": PinList}})
def list_pins(services: ServicesDep) -> Response:
    """All of them, by alert name."""
    return json_answer(PinList(pins=[shapes.pin_out(pin) for pin in services.pins()]))


@router.get("/{alertname}", summary="Read an alert's pin", responses={200: {"model": PinOut}})
def read_pin(alertname: AlertName, services: ServicesDep) -> Response:
    """The runbook pinned to this alert."""
    return json_answer(shapes.pin_out(services.pin(alertname)))


@router.put(
    "/{alertname}",
    summary="Pin a runbook to an alert",
    responses={200: {"model": PinOut}},
    openapi_extra=body_of(PinBody),
)
def set_pin(alertname: AlertName, payload: JsonBodyDep, services: ServicesDep, principal: PrincipalDep) -> Response:
    """From now on this runbook is the first answer for this alert. Replaces an earlier pin."""
    body = checked(PinBody, payload)
    return json_answer(shapes.pin_out(services.set_pin(alertname, body.runbook_id, principal, note=body.note)))


@router.delete("/{alertname}", status_code=204, summary="Remove an alert's pin")
def remove_pin(alertname: AlertName, services: ServicesDep, principal: PrincipalDep) -> Response:
    """Search decides again."""
    services.remove_pin(alertname, principal)
    return Response(status_code=204)
