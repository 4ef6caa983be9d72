"""A real Chromium for the pages, and a watch that remembers everything a page must never do."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.web.stage import Stage, build_stage, served

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
_PROBE = """
window.__violations = [];
document.addEventListener("securitypolicyviolation", (e) => window.__violations.push(e.violatedDirective));
"""


@dataclass
class Watch:
    """What happened in one context: dialogs, errors of scripts, blocked content, requests that left the origin."""

    origin: str
    dialogs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def follow(self, context: BrowserContext) -> None:
        """Watch every page of `context`."""
        context.add_init_script(_PROBE)
        context.on("request", lambda request: self._on_request(request.url))
        context.on("page", self._follow_page)

    def _follow_page(self, page: Page) -> None:
        page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self._on_console(message.text))

    def _on_request(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "about") and f"{parts.scheme}://{parts.netloc}" != self.origin:
            self.foreign.append(url)

    def _on_console(self, text: str) -> None:
        if "Content Security Policy" in text or "Refused to" in text:
            self.blocked.append(text)

    def check(self) -> None:
        """Fail on anything that must not have happened."""
        assert self.dialogs == []
        assert self.errors == []
        assert self.blocked == []
        assert self.foreign == []


@dataclass
class Site:
    """A served application, and a way to open fresh browser contexts on it."""

    origin: str
    stage: Stage
    browser: Browser
    watches: list[Watch] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def open(self, path: str = "/", **options: object) -> Page:
        """A page in a context of its own, watched."""
        context = self.context(**options)
        page = context.new_page()
        page.goto(self.origin + path)
        return page

    def context(self, **options: object) -> BrowserContext:
        """A fresh context: no cookies, no storage."""
        context = self.browser.new_context(base_url=self.origin, **options)  # type: ignore[arg-type]
        context.set_default_timeout(20_000)
        expect.set_options(timeout=20_000)
        watch = Watch(self.origin)
        watch.follow(context)
        self.watches.append(watch)
        self.contexts.append(context)
        return context

    def close(self) -> None:
        """Close the contexts."""
        for context in self.contexts:
            context.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests; where there is none they are skipped and say so."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_site(chromium: Browser) -> Iterator[Callable[..., Site]]:
    """Serves a stage and opens pages on it; at the end nothing forbidden may have happened."""
    with _sites(chromium) as open_one:
        yield open_one


@contextmanager
def _sites(chromium: Browser) -> Iterator[Callable[..., Site]]:
    with ExitStack() as stack:

        def open_one(stage: Stage | None = None) -> Site:
            stage = stage or build_stage()
            site = Site(stack.enter_context(served(stage.app)), stage, chromium)
            stack.callback(site.close)
            return site

        yield open_one


@pytest.fixture
def site(open_site: Callable[..., Site]) -> Iterator[Site]:
    """The usual stage, served."""
    site = open_site()
    yield site
    for watch in site.watches:
        watch.check()
