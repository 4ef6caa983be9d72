"""sre-kb pin, unpin, pins: the runbook that is always first for an alert."""

from api import shapes
from api.commands.console import out, print_json, remark, shown
from api.schemas import PinList
from api.settings import load_settings
from api.wiring import open_knowledge_base
from kb.principal import Face, local


def run(*, act: str, as_json: bool, alertname: str = "", runbook_id: str = "") -> int:
    """Do one of the three acts and print the pins that there are."""
    with open_knowledge_base(load_settings()) as base:
        if act == "pin":
            base.catch_up_store()
            base.services.set_pin(alertname, runbook_id, local(Face.CLI))
        elif act == "unpin":
            base.services.remove_pin(alertname, local(Face.CLI))
        pins = [shapes.pin_out(pin) for pin in base.services.pins()]
    if as_json:
        print_json(PinList(pins=pins))
        return 0
    for pin in pins:
        out(f"{shown(pin.alertname)}  ->  {pin.runbook_id}")
    if not pins:
        remark("No pins.")
    return 0
