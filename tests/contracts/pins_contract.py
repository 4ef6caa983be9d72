"""What all `Pins` do. Adapters inherit the class and give a `pins` fixture whose clock stands at noon."""

from datetime import UTC, datetime

import pytest

from kb.errors import InvalidInput
from kb.pins import Pin, PinNotFound, Pins
from kb.principal import Face, Principal, Role

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ANNA = Principal("anna", Role.RESPONDER, Face.WEB)
BEN = Principal("ben", Role.ADMIN, Face.CLI)


class PinsContract:
    """Inherit, and give a `pins` fixture."""

    @pytest.fixture
    def pins(self) -> Pins:
        raise NotImplementedError

    def test_a_pin_is_found_by_its_alerts_name_to_the_letter(self, pins: Pins) -> None:
        pins.pin("KubePodCrashLooping", "pod-crash", ANNA, note="the one that helps")
        assert pins.find("KubePodCrashLooping") == Pin(
            "KubePodCrashLooping", "pod-crash", "the one that helps", "anna", NOON
        )
        assert pins.find("kubepodcrashlooping") is None

    def test_a_new_pin_takes_the_place_of_the_old_one(self, pins: Pins) -> None:
        pins.pin("A", "first", ANNA)
        pins.pin("A", "second", BEN)
        found = pins.find("A")
        assert found is not None
        assert (found.runbook_id, found.pinned_by) == ("second", "ben")
        assert list(pins.all()) == ["A"]

    def test_all_pins_come_in_the_order_of_their_names(self, pins: Pins) -> None:
        for name in ("b", "A", "c"):
            pins.pin(name, "x", ANNA)
        assert list(pins.all()) == ["A", "b", "c"]

    def test_an_alert_can_be_unpinned_once(self, pins: Pins) -> None:
        pins.pin("A", "x", ANNA)
        pins.unpin("A", BEN)
        assert pins.find("A") is None
        with pytest.raises(PinNotFound, match="'A'"):
            pins.unpin("A", BEN)

    @pytest.mark.parametrize("bad", ["", "  ", "a\nb", "nul\x00", "\ud800", "x" * 201, "\x1b[2J"])
    def test_what_is_no_name_of_an_alert_cannot_be_pinned(self, pins: Pins, bad: str) -> None:
        with pytest.raises(InvalidInput):
            pins.pin(bad, "x", ANNA)
        assert pins.find(bad) is None
        with pytest.raises(PinNotFound):
            pins.unpin(bad, ANNA)

    @pytest.mark.parametrize("bad", ["", "../x", "A", "x" * 101, "search"])
    def test_what_is_no_runbooks_id_cannot_be_pinned_to(self, pins: Pins, bad: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            pins.pin("A", bad, ANNA)
        assert caught.value.field == "runbook_id"
