"""Hostile text on every page and at every raw address: nothing runs, nothing is fetched from elsewhere, and the policy
has nothing to block. Control pages show that the watch would see it."""

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from playwright.sync_api import Page

from api.web.render import CONTENT_SECURITY_POLICY
from kb.principal import Face, Principal, Role
from tests.web.conftest import Site
from tests.web.stage import FILES, Stage, build_stage

pytestmark = pytest.mark.browser

PAYLOADS: list[str] = json.loads(
    (Path(__file__).parent.parent / "cases" / "web" / "hostile.json").read_text(encoding="utf-8")
)


def hostile_file(number: int, payload: str) -> bytes:
    """A runbook with one payload wherever text can stand."""
    field = json.dumps(payload.replace("\n", " ").replace("\x02", "").replace("\x03", ""))
    line = payload.replace("\n", " ")
    return f"""---
id: hostile-{number}
title: {field}
severity: high
service: {field}
alerts: [{field}, Hostile{number}]
tags: [{field}]
owner: {field}
summary: {field}
---

# Hostile {line}

{payload}

## {line}

- {line}
- [ ] {line}
- [link]({line})
- [same](hostile-{number}.md#{line})

> {line}

| a | {line.replace("|", "")} |
|---|---|
| {line.replace("|", "")} | `{line}` |

```bash
kubectl logs <pod> # {line}
echo "{line}"
```

```{line.split()[0]}
{line}
```

    {line}

{payload}
""".encode("utf-8", "replace")


def hostile_stage() -> Stage:
    files = {f"static/hostile-{number}.md": hostile_file(number, text) for number, text in enumerate(PAYLOADS)}
    stage = build_stage({**FILES, **files})
    author = Principal(PAYLOADS[11], Role.LOCAL, Face.HTTP)
    text = files["static/hostile-0.md"]
    stage.store.update("hostile-0", text + PAYLOADS[0].encode(), author, if_match=None, note=PAYLOADS[12])
    return stage


@pytest.fixture
def hostile(open_site: Callable[..., Site]) -> Site:
    return open_site(hostile_stage())


def check(page: Page, site: Site, where: str) -> None:
    """Nothing ran and nothing was even tried."""
    assert page.evaluate("window.__xss") is None, where
    assert page.evaluate("window.__violations") == [], where
    assert page.url.startswith(site.origin), where


def visit(site: Site, page: Page, path: str) -> None:
    page.goto(site.origin + path)
    check(page, site, path)


def test_at_least_forty_payloads_stand_in_all_runbooks(hostile: Site) -> None:
    assert len(PAYLOADS) >= 40
    assert len(hostile.stage.store.documents()) == len(PAYLOADS) + len(FILES)


def test_hostile_runbooks_run_nothing(hostile: Site) -> None:
    page = hostile.open("/browse")
    check(page, hostile, "/browse")
    for number in range(len(PAYLOADS)):
        visit(hostile, page, f"/r/hostile-{number}")
    for path in ("/r/hostile-0/history", "/r/hostile-0/diff", "/r/hostile-0/diff?view=split", "/", "/?q=hostile"):
        visit(hostile, page, path)
    for number in range(0, len(PAYLOADS), 7):
        visit(hostile, page, f"/r/hostile-{number}/edit")
        page.locator("[data-preview] .prose").wait_for()
        check(page, hostile, f"preview of {number}")
    hostile.watches[0].check()


def test_hostile_queries_labels_and_addresses_run_nothing(hostile: Site) -> None:
    page = hostile.open("/")
    for number, payload in enumerate(PAYLOADS):
        visit(hostile, page, "/?" + urlencode({"q": payload, "service": payload, "tag": payload}))
        if number % 6 == 0:
            labels = {"pod": payload, "cluster": payload, payload: payload, "search": payload}
            visit(hostile, page, "/r/pod-crash?" + urlencode(labels))
            visit(hostile, page, f"/a/{quote(payload, safe='')}?" + urlencode(labels))
            visit(hostile, page, f"/r/{quote(payload, safe='')}")
            visit(hostile, page, "/browse?" + urlencode({"q": payload}))
    page.goto(hostile.origin + "/")
    for payload in PAYLOADS[::5]:
        page.fill("#query", f"hostile {payload}\npod")
        page.locator("[data-results][aria-busy=false]").wait_for()
        check(page, hostile, f"typed: {payload}")
    hostile.watches[0].check()


def test_raw_answers_run_nothing_when_a_browser_opens_them(hostile: Site) -> None:
    page = hostile.open("/")
    for number, payload in enumerate(PAYLOADS):
        raw = (
            f"/runbooks/hostile-{number}",
            "/runbooks/search?" + urlencode({"q": f"hostile {payload}"}),
            "/search?" + urlencode({"q": f"hostile {payload}"}),
        )[number % 3]
        page.goto(hostile.origin + raw)
        assert page.evaluate("window.__xss") is None, raw
        assert page.url.startswith(hostile.origin), raw
    for path in ("/runbooks", "/runbooks/hostile-0/diff?from=1&to=2", "/runbooks/hostile-0/versions/2"):
        page.goto(hostile.origin + path)
        assert page.evaluate("window.__xss") is None, path
    watch = hostile.watches[0]
    assert (watch.dialogs, watch.errors, watch.foreign) == ([], [], [])


def test_the_watch_sees_an_attack_that_works(hostile: Site) -> None:
    page = hostile.open("/")
    attack = "<script>window.__xss=1;alert('control')</script><img src=https://evil.example/x.png><p>x</p>"
    page.route("**/control", lambda route: route.fulfill(content_type="text/html", body=attack))
    page.goto(hostile.origin + "/control")
    page.wait_for_timeout(100)
    assert page.evaluate("window.__xss") == 1
    assert hostile.watches[0].dialogs == ["control"]
    assert hostile.watches[0].foreign == ["https://evil.example/x.png"]


def test_our_policy_stops_the_same_attack_and_the_watch_sees_that_too(hostile: Site) -> None:
    page = hostile.open("/")
    attack = "<script>window.__xss=1;alert('control')</script><img src=https://evil.example/x.png><p>x</p>"
    headers = {"Content-Type": "text/html", "Content-Security-Policy": CONTENT_SECURITY_POLICY}
    page.route("**/control", lambda route: route.fulfill(headers=headers, body=attack))
    page.goto(hostile.origin + "/control")
    page.wait_for_timeout(100)
    assert page.evaluate("window.__xss") is None
    assert sorted(page.evaluate("window.__violations")) == ["img-src", "script-src-elem"]
    assert len(hostile.watches[0].blocked) == 2
