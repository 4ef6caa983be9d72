"""The pages over the real store, index and search; only the embedding is the twin that needs no model."""

import re
import shutil
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from api.app import create_app
from api.engine import open_engine
from api.settings import load_settings
from api.wiring import SERVER, KnowledgeBase, new_id
from indexer.embed import HashingEmbedder
from tests.web.conftest import Watch
from tests.web.stage import served

pytestmark = [pytest.mark.browser, pytest.mark.integration]


@pytest.fixture
def origin(tmp_path: Path, repository: Path) -> Iterator[str]:
    """A server over a copy of a few bundled runbooks, ready to search."""
    folder = tmp_path / "runbooks"
    shutil.copytree(repository / "runbooks" / "static" / "kubernetes", folder / "static" / "kubernetes")
    settings = load_settings({}, runbooks_dir=folder, data_dir=tmp_path / "data", watch=False)
    open_twin = partial(open_engine, settings, embedder=HashingEmbedder())
    base = KnowledgeBase(settings, background=SERVER, open_engine=open_twin)
    with served(create_app(base.services, settings, new_id=new_id)) as origin:
        deadline = time.monotonic() + 60
        while httpx.get(origin + "/readyz").json().get("degraded") != "" and time.monotonic() < deadline:
            time.sleep(0.1)
        yield origin


def test_an_alert_finds_opens_and_changes_its_runbook(chromium: Browser, origin: str) -> None:
    context = chromium.new_context(base_url=origin)
    watch = Watch(origin)
    watch.follow(context)
    page = context.new_page()
    page.goto("/a/KubePodCrashLooping?namespace=payments&pod=checkout-1&cluster=prod-eu")
    expect(page).to_have_url(re.compile(r"/r/kube-pod-crash-looping\?"))
    expect(page.locator("h1")).to_have_text("Pod is crash looping")
    expect(page.locator(".command .blank.filled").first).to_be_visible()
    page.get_by_role("link", name="Edit").click()
    box = page.get_by_label("Markdown of the runbook")
    box.fill(box.input_value() + "\n## Zeppelin\n\nThe zeppelin controller must be grounded first.\n")
    page.get_by_label("What and why").fill("learned the hard way")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("[data-outline]")).to_contain_text("Zeppelin")
    page.get_by_role("link", name="History").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("tbody tr").first).to_contain_text("learned the hard way")
    page.get_by_role("link", name="What changed in version 2").click()
    expect(page.locator(".diff")).to_contain_text("The zeppelin controller must be grounded first.")
    page.wait_for_timeout(1_000)
    page.goto("/")
    page.keyboard.type("zeppelin controller grounded")
    expect(page.locator("[data-hit-link]").first).to_have_text("Pod is crash looping")
    expect(page.locator(".path").first).to_contain_text("Zeppelin")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#zeppelin$"))
    expect(page.locator("#zeppelin")).to_be_in_viewport()
    context.close()
    watch.check()
