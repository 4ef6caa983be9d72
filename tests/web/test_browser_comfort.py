"""Pages for everybody: no serious finding of axe-core in light or dark, nothing wider than a phone, clean paper."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from kb.principal import Face, local
from tests.web.conftest import Site

pytestmark = pytest.mark.browser

ALERT = "[FIRING:1] KubePodCrashLooping\n - namespace = payments\n - pod = checkout-7d9f6c-x2k9m\n - cluster = prod-eu"
LONG = "alertname=" + "Very" * 30 + " namespace=" + "x" * 200 + " cluster=prod-eu"
PAGES = {
    "empty": "/",
    "hits": "/?q=pod+crash+container",
    "long words": f"/?q={LONG}",
    "no match": "/?q=zebra+holiday+party+queue+invoice",
    "list": "/browse",
    "runbook": "/r/pod-crash?namespace=payments&pod=--bad&cluster=prod-eu&search=s1",
    "entry": "/r/agent-queue-is-stuck",
    "history": "/r/disk-full/history",
    "difference": "/r/disk-full/diff",
    "side by side": "/r/disk-full/diff?view=split",
    "edit": "/r/disk-full/edit",
    "missing": "/r/pod-crush",
    "nowhere": "/nowhere",
}


@pytest.fixture
def lived_in(site: Site) -> Site:
    """The site after somebody has changed something."""
    text = site.stage.store.files["static/node/disk-full.md"]
    wide = b"\n| a | b |\n|---|---|\n| " + b"w" * 300 + b" | x |\n\n```sh\n" + b"echo " + b"y" * 400 + b"\n```\n"
    site.stage.store.update("disk-full", text + wide, local(Face.WEB), if_match=None, note="a note " * 20)
    return site


def serious(page: Page) -> list[str]:
    return [
        f"{finding['id']}: {node['html'][:120]}"
        for finding in Axe().run(page).response["violations"]
        if finding["impact"] in ("serious", "critical")
        for node in finding["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(lived_in: Site, scheme: str) -> None:
    page = lived_in.open(color_scheme=scheme)
    found: dict[str, list[str]] = {}
    for name, path in PAGES.items():
        page.goto(lived_in.origin + path)
        page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
        found[name] = serious(page)
    page.goto(lived_in.origin + "/")
    page.keyboard.press("Escape")
    page.locator("[data-keys-open]").click()
    found["keys"] = serious(page)
    assert {name: findings for name, findings in found.items() if findings} == {}


def test_axe_would_find_something(lived_in: Site) -> None:
    page = lived_in.open("/browse")
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<input><img src=data:,>')")
    assert {finding.split(":")[0] for finding in serious(page)} >= {"label", "image-alt"}


@pytest.mark.parametrize("width", [360, 768])
def test_no_page_is_wider_than_the_screen(lived_in: Site, width: int) -> None:
    page = lived_in.open(viewport={"width": width, "height": 740}, has_touch=True)
    overflow: dict[str, int] = {}
    for name, path in PAGES.items():
        page.goto(lived_in.origin + path)
        overflow[name] = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    page.goto(lived_in.origin + "/")
    page.fill("#query", ALERT)
    expect(page.locator("[data-alert-read]")).to_be_visible()
    overflow["pasted"] = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert {name: excess for name, excess in overflow.items() if excess > 0} == {}


def test_targets_on_a_phone_are_not_too_small_to_hit(lived_in: Site) -> None:
    page = lived_in.open("/r/pod-crash", viewport={"width": 360, "height": 740}, has_touch=True)
    small = page.evaluate(
        "[...document.querySelectorAll('button, .button, input[type=text]')].filter((e) => e.checkVisibility())"
        ".map((e) => [e.textContent, e.getBoundingClientRect().height]).filter(([, height]) => height < 24)"
    )
    assert small == []


def test_paper_shows_the_runbook_and_nothing_else(lived_in: Site) -> None:
    page = lived_in.open("/r/pod-crash?namespace=payments")
    page.emulate_media(media="print")
    for gone in (".bar", ".outline", ".actions", "[data-copy]"):
        expect(page.locator(gone).first).to_be_hidden()
    expect(page.get_by_role("heading", name="Diagnosis")).to_be_visible()
    expect(page.locator(".command").first).to_contain_text("-n payments")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_those_who_want_no_motion_get_none(lived_in: Site) -> None:
    page = lived_in.open("/?q=pod", reduced_motion="reduce")
    assert page.evaluate("getComputedStyle(document.querySelector('.hit')).transitionDuration") == "0s"
