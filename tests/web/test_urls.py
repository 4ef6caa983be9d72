"""Addresses: the proxy's prefix stays, and nothing in a name can leave its place."""

import pytest

from api.web.urls import Urls

URLS = Urls("/sre-kb", "abc")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (URLS.home(), "/sre-kb/"),
        (URLS.home(q="a b&c", type=""), "/sre-kb/?q=a+b%26c"),
        (URLS.search(), "/sre-kb/search"),
        (URLS.browse(service="payments"), "/sre-kb/browse?service=payments"),
        (URLS.alert("A/B?", {"pod": "x y"}), "/sre-kb/a/A%2FB%3F?pod=x+y"),
        (URLS.runbook("r-1"), "/sre-kb/r/r-1"),
        (
            URLS.runbook("r-1", labels={"pod": "p", "search": "no"}, search_id="s1", anchor="größe"),
            "/sre-kb/r/r-1?pod=p&search=s1#gr%C3%B6%C3%9Fe",
        ),
        (URLS.act("../x", "edit"), "/sre-kb/r/..%2Fx/edit"),
        (URLS.events("s/1"), "/sre-kb/searches/s%2F1/events"),
        (URLS.asset("app.css"), "/sre-kb/assets/abc/app.css"),
        (Urls().home(), "/"),
    ],
)
def test_every_address_keeps_the_prefix_and_quotes_what_it_is_given(address: str, expected: str) -> None:
    assert address == expected
