"""What people do with incidents, drafts and patterns in a real browser: by keyboard alone, on a phone, in the dark, and
with text that somebody has written to do harm."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from kb.incident import ActionOutcome, ActionTaken, DiagnosisStep, IncidentStatus, Resolution
from kb.principal import Face, Principal, Role, local
from kb.review_records import ReviewStatus
from kb.runbook import RunbookType
from kb.runbook_store import NewRunbook
from tests.web.conftest import Site
from tests.web.lived_stage import LivedStage, build_lived_stage, open_incident

pytestmark = pytest.mark.browser

PAYLOADS: list[str] = json.loads(
    (Path(__file__).parent.parent / "cases" / "web" / "hostile.json").read_text(encoding="utf-8")
)
UNDER_A_MINUTE_S = 60.0


@pytest.fixture
def lived() -> LivedStage:
    return build_lived_stage()


@pytest.fixture
def lived_site(lived: LivedStage, open_site: Callable[..., Site]) -> Site:
    return open_site(lived.stage)


def pages(lived: LivedStage) -> list[str]:
    return [
        "/browse/incidents",
        "/i/new",
        f"/i/{lived.open_id}",
        f"/i/{lived.open_id}/resolve",
        "/browse/patterns",
        f"/p/{lived.memory_id}",
        "/browse/reviews",
        f"/d/{lived.patch_id}",
        f"/d/{lived.draft_id}/edit",
        "/browse/insights",
        "/dashboards/incidents?days=90",
        "/dashboards/learning",
        f"/write?pattern={lived.memory_id}",
    ]


def serious(page: Page) -> list[str]:
    return [
        f"{finding['id']}: {node['html'][:160]}"
        for finding in Axe().run(page).response["violations"]
        if finding["impact"] in ("serious", "critical")
        for node in finding["nodes"]
    ]


def test_an_incident_is_resolved_and_learnt_by_keyboard_in_under_a_minute(lived: LivedStage, lived_site: Site) -> None:
    page = lived_site.open(f"/i/{lived.open_id}")
    began = time.monotonic()
    page.get_by_role("link", name="Resolve and learn").press("Enter")
    page.wait_for_url("**/resolve")  # which also waits for the page's script
    expect(page.get_by_role("radio", name="Helped").first).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.type("Told the customers")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[id=':learnt']")).to_contain_text("one of 7 incidents")
    assert time.monotonic() - began < UNDER_A_MINUTE_S
    resolution = lived.learning.incident(lived.open_id).stored.incident.resolution
    assert resolution is not None
    assert [(action.text, action.outcome) for action in resolution.actions] == [
        ("Raised the memory limit", ActionOutcome.HELPED),
        ("Restarted the pod", ActionOutcome.DID_NOT_HELP),
        ("Told the customers", ActionOutcome.UNKNOWN),
    ]


def test_lines_can_be_added_and_a_choice_taken_back(lived: LivedStage, lived_site: Site) -> None:
    page = lived_site.open(f"/i/{lived.open_id}/resolve")
    page.get_by_role("button", name="One more line").click()
    page.keyboard.type("A sixth thing")
    line = page.locator("[data-own-rows] li").last
    line.get_by_role("radio", name="Made it worse").click()
    first = page.get_by_role("radio", name="Helped").first
    first.click()
    expect(first).to_be_checked()
    first.click()
    expect(first).not_to_be_checked()
    first.press("Space")
    expect(first).to_be_checked()
    first.press("Backspace")
    expect(first).not_to_be_checked()
    page.get_by_role("button", name="Resolve and learn").click()
    page.wait_for_url(f"**/i/{lived.open_id}**")
    resolution = lived.learning.incident(lived.open_id).stored.incident.resolution
    assert resolution is not None
    assert resolution.actions == (ActionTaken("A sixth thing", outcome=ActionOutcome.MADE_WORSE),)


def test_a_draft_is_approved_and_another_rejected_with_a_reason(lived: LivedStage, lived_site: Site) -> None:
    page = lived_site.open("/browse/reviews")
    expect(page.get_by_role("link", name="Review 2 waiting")).to_be_visible()
    page.goto(f"{lived_site.origin}/d/{lived.draft_id}")
    page.get_by_role("button", name="Approve this text").press("Enter")
    expect(page.get_by_text("Approved by")).to_be_visible()
    page.get_by_role("link", name="Read the runbook").press("Enter")
    expect(page.locator(".prose")).to_contain_text("Renewed the certificate")
    page.goto(f"{lived_site.origin}/d/{lived.patch_id}")
    page.locator(".reject summary").press("Enter")
    page.get_by_label("Why?").fill("The cause is another one")
    page.get_by_role("button", name="Reject", exact=True).press("Enter")
    expect(page.get_by_text("Reason: The cause is another one")).to_be_visible()
    statuses = [lived.learning.review(key).review.status for key in (lived.draft_id, lived.patch_id)]
    assert statuses == [ReviewStatus.APPROVED, ReviewStatus.REJECTED]


def test_charts_are_drawn_from_the_tables_and_follow_the_theme(lived: LivedStage, lived_site: Site) -> None:
    page = lived_site.open("/dashboards/incidents?days=90", color_scheme="light")
    expect(page.locator("figure[data-drawn]")).to_have_count(2)
    pixels = "document.querySelector('canvas').toDataURL()"
    light = page.evaluate(pixels)
    page.get_by_role("button", name="Theme: as the system").click()
    page.get_by_role("button", name="Theme: light").click()
    page.wait_for_function(f"(before) => {pixels} !== before", arg=light)
    drawn = page.evaluate(
        "Chart.getChart(document.querySelector('canvas')).data.datasets.map((d) => [d.label, d.data])"
    )
    assert [name for name, _ in drawn] == ["Critical", "High"]
    assert [sum(values) for _, values in drawn] == [5, 6]


def test_what_ended_such_incidents_appears_below_the_hits_and_moves_nothing(
    lived: LivedStage, lived_site: Site
) -> None:
    text = b"# Checkout pods are killed for memory\n\nContainers of checkout end with OOMKilled.\n"
    lived.stage.store.create(NewRunbook("checkout-memory", RunbookType.STATIC, text), local(Face.WEB))
    page = lived_site.open("/")
    page.get_by_label("A word, a question, or a whole alert").fill("Checkout pods are killed for memory")
    expect(page.locator("[data-hits]").first).to_be_visible()
    before = page.locator("[data-hits]").first.bounding_box()
    expect(page.locator("[data-advice-place]")).to_contain_text("Raised the memory limit")
    assert page.locator("[data-hits]").first.bounding_box() == before
    page.get_by_role("link", name="What ended such incidents").press("Enter")
    expect(page.get_by_role("heading", name="What ended such incidents")).to_be_in_viewport()


OPEN_ALL = "document.querySelectorAll('details').forEach((details) => { details.open = true; })"


def test_on_a_phone_axe_finds_nothing_serious_and_no_page_is_too_wide(lived: LivedStage, lived_site: Site) -> None:
    page = lived_site.open(viewport={"width": 360, "height": 740}, has_touch=True, color_scheme="light")
    found: dict[str, tuple[int, list[str]]] = {}
    for path in pages(lived):
        page.goto(lived_site.origin + path)
        page.evaluate(OPEN_ALL)
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found[path] = (overflow, serious(page))
    assert {path: trouble for path, trouble in found.items() if trouble != (0, [])} == {}


def test_in_the_dark_axe_finds_nothing_serious(lived: LivedStage, lived_site: Site) -> None:
    page = lived_site.open(color_scheme="dark")
    found: dict[str, list[str]] = {}
    for path in pages(lived)[2:8]:
        page.goto(lived_site.origin + path)
        page.evaluate(OPEN_ALL)
        found[path] = serious(page)
    assert {path: findings for path, findings in found.items() if findings} == {}


def test_hostile_incidents_run_nothing_on_any_page(lived: LivedStage, lived_site: Site) -> None:
    attacker = Principal(PAYLOADS[0], Role.RESPONDER, Face.HTTP)
    everything = "\n".join(PAYLOADS)
    for number in range(4):
        learnt = lived.learning.learn(
            replace(
                open_incident(),
                title=PAYLOADS[number % len(PAYLOADS)] + " disk is full on the archive",
                description=everything,
                status=IncidentStatus.RESOLVED,
                service=PAYLOADS[1],
                alerts=tuple(PAYLOADS[:8]),
                labels={text: text for text in PAYLOADS[:8]},
                symptoms=tuple(PAYLOADS),
                trigger=PAYLOADS[2],
                impact=PAYLOADS[3],
                diagnosis=tuple(DiagnosisStep(text, text, text) for text in PAYLOADS),
                resolution=Resolution(
                    tuple(ActionTaken(text, text, ActionOutcome.HELPED, (text,)) for text in PAYLOADS),
                    success=True,
                    resolved_by=PAYLOADS[4],
                    confirmed=PAYLOADS[5],
                ),
                lessons=tuple(PAYLOADS),
                prevention=tuple(PAYLOADS),
                links=tuple(PAYLOADS),
                resolved_at=open_incident().started_at + timedelta(minutes=5),
                source="x",
                source_id=f"{number}",
            ),
            attacker,
        ).learned
    incident_id = learnt.stored.incident.id
    lived.learning.add_note(incident_id, everything, attacker)
    lived.drafter().run()
    assert learnt.pattern_id is not None
    drafts = [item.review.id for item in lived.learning.reviews() if item.review.draft.pattern_id == learnt.pattern_id]
    assert len(drafts) == 1
    page = lived_site.open("/")
    for path in (
        "/browse/incidents",
        f"/i/{incident_id}",
        f"/i/{incident_id}/edit",
        f"/i/{incident_id}/resolve",
        "/browse/patterns",
        f"/p/{learnt.pattern_id}",
        "/browse/reviews",
        f"/d/{drafts[0]}",
        f"/d/{drafts[0]}/edit",
        "/browse/insights",
        "/dashboards/learning",
        f"/write?pattern={learnt.pattern_id}",
    ):
        page.goto(lived_site.origin + path)
        page.evaluate(OPEN_ALL)
        assert page.evaluate("window.__xss") is None, path
        assert page.evaluate("window.__violations") == [], path
        assert page.url == lived_site.origin + path
    for watch in lived_site.watches:
        watch.check()
