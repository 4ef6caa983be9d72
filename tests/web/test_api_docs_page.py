"""The API's own page in a real Chromium: it draws the whole description from vendored files, under its strict policy,
and no address parameter makes it load another."""

import pytest

from tests.web.conftest import Site

pytestmark = [pytest.mark.integration, pytest.mark.browser]


def test_the_api_page_shows_every_operation_and_asks_nobody_else(site: Site) -> None:
    page = site.open("/docs?configUrl=https://evil.example/c.json&url=https://evil.example/o.json")
    page.wait_for_selector(".opblock", timeout=20_000)
    assert page.locator(".opblock").count() >= 20
    assert page.locator(".info .title").inner_text().startswith("sre-kb")
    page.locator("#operations-search-search_by_text_runbooks_search_get .opblock-summary-control").click()
    page.wait_for_selector(".opblock-body .parameters")
    assert "evil.example" not in page.content().replace(page.url, "")
