"""What people do on the pages, in a real Chromium: with the mouse, with the keyboard alone, without scripts."""

import json
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from kb.errors import StorageUnavailable
from kb.principal import Face, local
from tests.web.conftest import Site

pytestmark = pytest.mark.browser

ALERT = """[FIRING:1] KubePodCrashLooping (checkout payments prod-eu warning)
Labels:
 - alertname = KubePodCrashLooping
 - cluster = prod-eu
 - namespace = payments
 - pod = checkout-7d9f6c-x2k9m
Annotations:
 - summary = Pod is crash looping."""
CASES = Path(__file__).parent.parent / "cases" / "web" / "quoting.json"


def titles(page: Page) -> list[str]:
    return page.locator("[data-hit-link]").all_inner_texts()


def clipboard(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_hits_arrive_while_one_types_and_the_address_can_be_shared(site: Site) -> None:
    page = site.open()
    expect(page.locator("#query")).to_be_focused()
    page.keyboard.type("disk filling", delay=25)
    expect(page.locator("[data-hit-link]").first).to_have_text("Disk is filling up")
    expect(page).to_have_url(re.compile(r"/\?q=disk\+filling$"))
    expect(page).to_have_title("disk filling · sre-kb")
    expect(page.locator("[data-announce]")).to_have_text("2 runbooks. Best: Disk is filling up, almost certain.")


def test_a_reply_that_comes_late_never_replaces_a_newer_one(site: Site) -> None:
    site.stage.search.delays["disk"] = 0.9
    page = site.open()
    page.fill("#query", "disk")
    page.locator("[data-results][aria-busy=true]").wait_for()
    page.fill("#query", "pod crash")
    expect(page.locator("[data-hit-link]").first).to_have_text("Pod is crash looping")
    deadline = time.monotonic() + 1.3
    while time.monotonic() < deadline:
        assert titles(page)[0] == "Pod is crash looping"
        page.wait_for_timeout(100)
    assert [request.text for request in site.stage.search.asked] == ["disk", "pod crash"]


def test_an_alert_is_answered_by_keyboard_alone(site: Site) -> None:
    page = site.open("/browse")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator(".bar [data-search-box]")).to_be_focused()
    page.keyboard.type("pod crash")
    page.keyboard.press("Enter")
    expect(page.locator("#query")).to_have_value("pod crash")
    page.wait_for_load_state()  # the keys work once the page's script has run
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-hit-link]").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-hit-link]").nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#query")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("[data-hit-link]").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#query")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/r/pod-crash\?search=s\d+#"))
    page.wait_for_load_state("load")
    page.keyboard.press("?")
    expect(page.locator("[data-keys]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-keys]")).to_be_hidden()
    page.locator(".command button").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".told").first).to_have_text("Still open: cluster, namespace, pod, container")
    page.keyboard.press("Escape")
    expect(page.locator("#query")).to_have_value("pod crash")


def test_a_pasted_alert_is_answered_opened_filled_and_copied(site: Site) -> None:
    page = site.open(permissions=["clipboard-read", "clipboard-write"])
    page.evaluate("text => navigator.clipboard.writeText(text)", ALERT)
    page.keyboard.press("Control+V")
    expect(page.locator("[data-alert-read]")).to_contain_text("checkout-7d9f6c-x2k9m")
    assert "payments" not in page.url
    page.locator("[data-hit-link]").first.click()
    expect(page.locator("[data-blanks-told]")).to_have_text("2 of 5 still open.")
    page.get_by_label("container", exact=True).fill("api")
    copy = page.get_by_role("button", name="Copy command 1")
    copy.click()
    expect(page.locator(".told").first).to_have_text("Copied")
    assert clipboard(page) == (
        "kubectl --context prod-eu -n payments logs checkout-7d9f6c-x2k9m -c api --previous --tail=80"
    )
    page.go_back()
    expect(page.locator("#query")).to_have_value(ALERT)
    expect(page.locator("[data-hit-link]").first).to_have_text("Pod is crash looping")


def test_copying_with_open_blanks_asks_first(site: Site) -> None:
    page = site.open("/r/pod-crash?cluster=prod", permissions=["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.clipboard.writeText('before')")
    command = page.locator(".command").nth(2)
    command.get_by_role("button").click()
    expect(command.locator(".told")).to_have_text("Still open: namespace, deployment")
    assert clipboard(page) == "before"
    command.get_by_role("button", name="Copy command 3").click()
    expect(command.locator(".told")).to_have_text("Copied with open blanks: namespace, deployment")
    assert clipboard(page) == "kubectl --context prod -n <namespace> rollout undo deployment/<deployment>"


def test_values_fill_all_commands_at_once_and_stay_in_the_address(site: Site) -> None:
    page = site.open("/r/pod-crash")
    page.get_by_label("namespace", exact=True).fill("pay ments")
    expect(page.locator(".command").nth(0)).to_contain_text("-n 'pay ments' logs")
    expect(page.locator(".command").nth(1)).to_contain_text('namespace="<namespace>"')
    page.get_by_label("namespace", exact=True).fill("payments")
    expect(page.locator(".command").nth(1)).to_contain_text('namespace="payments"')
    page.get_by_label("pod", exact=True).fill("--server=https://evil.example")
    expect(page.locator("[data-why-not]:visible")).to_contain_text("begins with '-'")
    expect(page.locator(".command").nth(0)).to_contain_text("logs <pod>")
    page.get_by_label("pod", exact=True).fill("api-1")
    page.get_by_label("pod", exact=True).blur()
    page.reload()
    expect(page.locator(".command").nth(0)).to_contain_text("-n payments logs api-1")


def test_a_click_on_a_blank_leads_to_its_field_and_enter_back_to_the_command(site: Site) -> None:
    page = site.open("/r/pod-crash", viewport={"width": 900, "height": 420})
    page.locator(".command").nth(2).locator(".blank", has_text="<deployment>").click()
    expect(page.get_by_label("deployment", exact=True)).to_be_focused()
    expect(page.get_by_label("deployment", exact=True)).to_be_in_viewport()
    page.keyboard.type("checkout")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Copy command 3")).to_be_focused()
    expect(page.locator(".command").nth(2)).to_be_in_viewport()
    expect(page.locator(".command").nth(2)).to_contain_text("deployment/checkout")


def test_the_cluster_is_named_unless_one_says_that_there_is_only_one(site: Site) -> None:
    page = site.open("/r/pod-crash?namespace=n&pod=p&container=c", permissions=["clipboard-read", "clipboard-write"])
    command = page.locator(".command").nth(0)
    expect(command.locator("code")).to_have_text("kubectl --context <cluster> -n n logs p -c c --previous --tail=80")
    page.get_by_label("Name the cluster in every command that lacks it").uncheck()
    command.get_by_role("button").click()
    expect(command.locator(".told")).to_have_text("Copied")
    assert clipboard(page) == "kubectl -n n logs p -c c --previous --tail=80"
    page.reload()
    expect(page.get_by_label("Name the cluster in every command that lacks it")).not_to_be_checked()
    expect(page.locator(".command").nth(2)).to_contain_text("--context <cluster>")


def test_browser_and_server_quote_alike(site: Site) -> None:
    page = site.open("/r/pod-crash")
    cases = json.loads(CASES.read_text(encoding="utf-8"))
    module = (page.locator("script[src*='runbook.js']").get_attribute("src") or "").replace("runbook.js", "fill.js")
    quote_all = (
        "async ([m, cases]) => { const f = await import(m); return cases.map((c) => f.quote(c.value, c.quoting)); }"
    )
    pasted = page.evaluate(quote_all, [module, cases])
    assert pasted == [case["pasted"] for case in cases]


def test_the_section_that_matched_is_in_view(site: Site) -> None:
    page = site.open("/r/pod-crash#recovery", viewport={"width": 900, "height": 420})
    expect(page.locator("#recovery")).to_be_in_viewport()
    expect(page.locator("[data-outline] a[aria-current]")).to_have_text("Recovery")
    assert page.evaluate("getComputedStyle(document.querySelector('#recovery')).boxShadow") != "none"


def test_searching_works_without_scripts(site: Site) -> None:
    page = site.open(java_script_enabled=False)
    page.fill("#query", "disk filling")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("[data-hit-link]").first).to_have_text("Disk is filling up")
    page.locator("[data-hit-link]").first.click()
    expect(page.locator("h1")).to_have_text("Disk is filling up")
    page.get_by_label("mountpoint").fill("/var")
    page.get_by_role("button", name="Fill in").click()
    expect(page.locator(".command").first).to_contain_text("du -xh /var")


def test_recent_searches_stay_in_this_browser(site: Site) -> None:
    page = site.open()
    page.keyboard.type("disk filling")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Disk is filling up")
    page.goto(site.origin + "/")
    expect(page.locator("[data-recent-list] a")).to_have_text(["disk filling"])
    assert page.context.cookies() == []
    page.get_by_role("button", name="Forget them").click()
    expect(page.locator("[data-recent]")).to_be_hidden()


def test_filters_take_effect_at_once_and_can_be_cleared(site: Site) -> None:
    page = site.open("/?q=the")
    page.get_by_label("Severity").select_option("critical")
    expect(page).to_have_url(re.compile("severity=critical"))
    expect(page.locator("[data-hit-link]")).to_have_text(["Disk is filling up"])
    page.get_by_role("button", name="Clear filters").click()
    expect(page).not_to_have_url(re.compile("severity"))
    assert len(titles(page)) > 1


def test_errors_and_silence_of_the_server_are_told(site: Site) -> None:
    page = site.open()
    site.stage.search.error = StorageUnavailable("The database does not answer.", advice="Wait a moment.")
    page.fill("#query", "pod")
    expect(page.get_by_role("alert")).to_contain_text("The storage does not work at the moment.")
    site.stage.search.error = None
    page.route("**/search*", lambda route: route.abort())
    page.fill("#query", "disk")
    expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached.")
    page.unroute("**/search*")
    page.route(
        "**/search*",
        lambda route: route.fulfill(
            status=503,
            content_type="application/problem+json",
            body='{"title": "The server is busy", "detail": "Too many.", "advice": "<b>Try again</b>."}',
        ),
    )
    page.fill("#query", "disk full")
    expect(page.get_by_role("alert")).to_have_text("The server is busy Too many. <b>Try again</b>.")


def test_the_theme_is_chosen_and_kept(site: Site) -> None:
    page = site.open(color_scheme="light")

    def background() -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    light = background()
    switch = page.get_by_role("button", name="Theme:")
    switch.click()
    switch.click()
    expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    dark = background()
    assert dark != light
    page.goto(site.origin + "/browse")
    assert background() == dark
    page.get_by_role("button", name="Theme:").click()
    assert background() == light


def test_an_editor_who_was_slower_keeps_the_text_and_can_still_save(site: Site) -> None:
    page = site.open("/r/disk-full/edit")
    expect(page.locator("[data-preview]")).to_contain_text("A filesystem has little space left on the node.")
    box = page.get_by_label("Markdown of the runbook")
    text = box.input_value()
    box.fill(text.replace("little space", "no space"))
    expect(page.locator("[data-preview]")).to_contain_text("A filesystem has no space left on the node.")
    theirs = site.stage.store.files["static/node/disk-full.md"].replace(b"Find what grows", b"Look for what grows")
    site.stage.store.update("disk-full", theirs, local(Face.CLI), if_match=None)
    box.press("Control+s")
    expect(page.locator("h1")).to_have_text("Somebody else was faster")
    expect(page.get_by_label("Markdown of the runbook")).to_have_value(text.replace("little space", "no space"))
    expect(page.locator(".diff")).to_contain_text("Look for what grows")
    page.get_by_role("button", name="Save mine over theirs").click()
    expect(page.locator("h1")).to_have_text("Disk is filling up")
    assert b"no space" in site.stage.store.files["static/node/disk-full.md"]
    assert len(site.stage.store.versions("disk-full")) == 3


def test_views_copies_and_votes_are_told_to_the_search_that_led_here(site: Site) -> None:
    page = site.open("/?q=disk+filling", permissions=["clipboard-write"])
    page.locator("[data-hit-link]").first.click()
    search_id = page.locator("[data-runbook]").get_attribute("data-search-id") or ""
    page.get_by_label("node", exact=True).fill("w-1")
    page.get_by_label("mountpoint", exact=True).fill("/var")
    page.get_by_role("button", name="Copy command 1").click()
    page.get_by_role("button", name="It helped").click()
    expect(page.locator("[data-vote]")).to_contain_text("Thank you")
    page.wait_for_timeout(150)
    kinds = [event.kind.value for event in site.stage.log.events(search_id)]
    assert kinds == ["view", "copy", "vote_up"]
    with site.stage.records.read() as view:
        votes = [(vote.vote.target, vote.vote.case, vote.vote.verdict.value) for vote in view.feedback.votes()]
    assert votes == [("disk-full", search_id, "helped")]


def test_a_runbook_can_be_called_outdated(site: Site) -> None:
    page = site.open("/?q=disk+filling")
    page.locator("[data-hit-link]").first.click()
    page.wait_for_url("**/r/disk-full**")  # which also waits for the page's script
    with page.expect_response("**/feedback") as answer:
        page.get_by_role("button", name="Outdated").click()
    assert answer.value.status == 200
    with site.stage.records.read() as view:
        votes = [(vote.vote.target, vote.vote.verdict.value) for vote in view.feedback.votes()]
    assert votes == [("disk-full", "outdated")]


def test_ticks_of_a_checklist_last_as_long_as_the_tab(site: Site) -> None:
    page = site.open("/r/pod-crash")
    page.get_by_label("told the team").check()
    page.reload()
    expect(page.get_by_label("told the team")).to_be_checked()
    expect(page.get_by_label("wrote the timeline")).not_to_be_checked()
