"""The pages as a program sees them: what they say, which headers they carry, what they refuse."""

import re
from collections.abc import Iterator
from html import unescape

import pytest
from starlette.testclient import TestClient

from kb.errors import StorageUnavailable
from kb.principal import Face, local
from tests.web.stage import Stage, build_stage

HTML = {"Accept": "text/html"}
PAGES = [
    "/",
    "/?q=pod+crash",
    "/search?q=pod",
    "/browse",
    "/r/pod-crash",
    "/r/pod-crash/history",
    "/r/pod-crash/diff",
    "/r/pod-crash/edit",
    "/r/queue-is-missing",
]


@pytest.fixture
def stage() -> Stage:
    return build_stage()


@pytest.fixture
def client(stage: Stage) -> Iterator[TestClient]:
    with TestClient(stage.app, base_url="http://127.0.0.1", follow_redirects=False, headers=HTML) as client:
        yield client


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


@pytest.mark.parametrize("path", PAGES)
def test_every_page_forbids_foreign_and_inline_code(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.headers.get_list("content-security-policy") == [
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
    ]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=|javascript:", answer.text)


@pytest.mark.parametrize("path", PAGES)
def test_behind_a_proxy_every_address_keeps_the_prefix(path: str) -> None:
    app = build_stage(base_path="/sre-kb").app
    with TestClient(app, base_url="http://127.0.0.1", root_path="/sre-kb") as client:
        html = client.get("/sre-kb" + path, headers=HTML).text
        addresses = re.findall(r'(?:href|src|action|hx-action|data-events)="([^"#][^"]*)"', html)
        assert len(addresses) > 5 or path == "/search?q=pod"
        assert [address for address in addresses if not address.startswith("/sre-kb/")] == []
        assets = [address for address in addresses if "/assets/" in address]
        assert [client.get(unescape(address)).status_code for address in assets] == [200] * len(assets)


def test_the_empty_page_says_what_to_do_and_what_there_is(client: TestClient) -> None:
    text = text_of(client.get("/").text)
    assert "A whole alert from Alertmanager" in text
    assert "6 runbooks" in text
    assert "kubernetes 1" in text


def test_examples_on_the_empty_page_find_something(client: TestClient) -> None:
    examples = re.findall(r'<li><a href="(/\?q=[^"]+)">', client.get("/").text)
    assert len(examples) == 3
    assert all('data-state="hits"' in client.get(unescape(example)).text for example in examples)


def test_a_search_without_scripts_is_a_page_with_hits(client: TestClient) -> None:
    html = client.get("/", params={"q": "pod crash looping"}).text
    assert 'href="/r/pod-crash?search=s0#pod-is-crash-looping"' in html
    assert "<mark>crash</mark>" in html
    assert "1 runbook" in html
    assert ">pod crash looping</textarea>" in html


def test_drafts_stand_apart_from_hits(client: TestClient) -> None:
    text = text_of(client.get("/search", params={"q": "pod crash"}).text)
    assert text.index("Pod is crash looping") < text.index("nobody has reviewed them yet")
    assert text.index("nobody has reviewed them yet") < text.index("Pods crash after a secret was rotated")


def test_no_confident_match_is_said_and_near_misses_stand_apart(client: TestClient) -> None:
    html = client.get("/search", params={"q": "zebra holiday party queue invoice"}).text
    assert 'data-state="none"' in html
    assert "No confident match" in html
    assert "Closest" in html


def test_a_degraded_search_says_so(client: TestClient, stage: Stage) -> None:
    stage.search.degraded = "vectors: rebuilding"
    assert "vectors: rebuilding" in client.get("/search", params={"q": "pod"}).text


def test_a_failing_search_is_told_with_its_status(client: TestClient, stage: Stage) -> None:
    stage.search.error = StorageUnavailable("The database does not answer.", advice="Wait a moment.")
    answer = client.get("/search", params={"q": "pod"})
    assert answer.status_code == 503
    assert 'data-state="error"' in answer.text
    assert "Try again in a moment" in answer.text


def test_filters_reach_the_search_and_stay_chosen(client: TestClient, stage: Stage) -> None:
    html = client.get("/", params={"q": "disk", "severity": "critical", "service": "node"}).text
    assert (stage.search.asked[-1].severity, stage.search.asked[-1].service) == ("critical", "node")
    assert "<option selected>critical</option>" in html
    assert client.get("/search", params={"q": "disk", "severity": "awful"}).status_code == 422


def test_a_pasted_alert_fills_the_links(client: TestClient) -> None:
    alert = "[FIRING:1] KubePodCrashLooping\n - namespace = pay\n - pod = api-1\n - cluster = prod"
    html = client.post("/search", data={"q": alert}).text
    assert 'href="/r/pod-crash?cluster=prod&amp;namespace=pay&amp;pod=api-1&amp;search=s0#pod-is-crash-looping"' in html
    assert "Read as the alert" in html


def test_json_of_an_alert_is_searched_as_that_alert(client: TestClient, stage: Stage) -> None:
    client.post("/search", data={"q": '{"labels": {"alertname": "KubePodCrashLooping", "pod": "api-1"}}'})
    alert = stage.search.asked[-1].alert
    assert alert is not None
    assert (alert.name, alert.labels["pod"]) == ("KubePodCrashLooping", "api-1")


def test_a_text_too_long_to_be_read_is_refused(client: TestClient) -> None:
    assert client.post("/search", data={"q": "x" * 100_001}).status_code == 422


def test_the_stable_link_opens_the_runbook_that_bears_the_name(client: TestClient) -> None:
    answer = client.get("/a/KubePodCrashLooping?namespace=pay&pod=api-1&cluster=prod&severity=page")
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(
        "/r/pod-crash?cluster=prod&namespace=pay&pod=api-1&alertname=KubePodCrashLooping&search=s0#"
    )


def test_a_pin_wins_over_the_name(client: TestClient, stage: Stage) -> None:
    stage.pins.pin("KubePodCrashLooping", "disk-full", local(Face.CLI))
    answer = client.get("/a/KubePodCrashLooping")
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("/r/disk-full")


def test_a_pin_to_a_runbook_that_is_gone_does_not_hide_the_rest(client: TestClient, stage: Stage) -> None:
    stage.pins.pin("KubePodCrashLooping", "long-gone", local(Face.CLI))
    assert client.get("/a/KubePodCrashLooping").headers["location"].startswith("/r/pod-crash")


def test_the_stable_link_searches_once_and_tells_when_it_cannot(client: TestClient, stage: Stage) -> None:
    client.get("/a/SomethingAboutTheQueue")
    assert len(stage.search.asked) == 1
    stage.search.error = StorageUnavailable("The database does not answer.")
    answer = client.get("/a/KubePodCrashLooping")
    assert answer.status_code == 503
    assert "The storage does not work at the moment" in answer.text


def test_an_unknown_alert_shows_what_is_found(client: TestClient) -> None:
    answer = client.get("/a/SomethingAboutTheQueue?namespace=pay")
    assert answer.status_code == 200
    assert ">SomethingAboutTheQueue</textarea>" in answer.text
    assert "<b>namespace</b>" in answer.text


def test_a_draft_is_never_opened_for_its_name(stage: Stage) -> None:
    only_draft = build_stage({"dynamic/x.md": stage.store.files["dynamic/incidents/pod-draft.md"]})
    with TestClient(only_draft.app, base_url="http://127.0.0.1", follow_redirects=False) as client:
        assert client.get("/a/KubePodCrashLooping").status_code == 200


def test_a_runbook_is_filled_from_its_address(client: TestClient) -> None:
    html = client.get("/r/pod-crash?namespace=pay&pod=api-1&cluster=prod-eu").text
    code = [text_of(block) for block in re.findall(r"<code>(.*?)</code></pre>", html, re.DOTALL)]
    assert code == [
        "kubectl --context prod-eu -n pay logs api-1 -c <container> --previous --tail=80",
        'rate(kube_pod_container_status_restarts_total{namespace=" pay "}[15m])',
        "kubectl --context prod-eu -n pay rollout undo deployment/ <deployment>",
    ]
    assert "2 of 5 still open." in html


def test_a_value_that_could_be_an_option_is_shown_refused(client: TestClient) -> None:
    html = client.get("/r/pod-crash", params={"pod": "--server=https://evil.example"}).text
    assert "Not filled in: begins with &#39;-&#39;" in html
    assert 'data-name="pod" data-spelling="&lt;pod&gt;" data-quoting="bare">&lt;pod&gt;</span>' in html


def test_a_runbook_page_says_what_one_must_know(client: TestClient) -> None:
    text = text_of(client.get("/r/pod-crash").text)
    for fact in ("High", "Unreviewed", "KubePodCrashLooping", "platform-oncall", "2026-03-01", "overdue by 175 days"):
        assert fact in text
    assert "Also for this alert: Pods crash after a secret was rotated" in text


def test_a_heading_cannot_take_an_id_of_the_page() -> None:
    names = ("content", "query", "bar-query", "keys-title", "blank-1", "blank-1-told", "results")
    text = "# T\n\n" + "\n\n".join(f"## {name}" for name in names) + "\n\n```sh\nls <pod>\n```\n"
    with TestClient(build_stage({"static/x.md": text.encode()}).app, base_url="http://127.0.0.1") as client:
        ids = re.findall(r'\sid="([^"]+)"', client.get("/r/x").text)
    assert sorted(ids) == sorted(set(ids))
    assert set(names) < set(ids)


def test_an_entry_of_a_larger_file_has_a_page_of_its_own(client: TestClient) -> None:
    text = text_of(client.get("/r/agent-queue-is-stuck").text)
    assert "part of Alerts of the queue" in text
    assert "rabbitmqctl" in text
    assert "No consumer is connected" not in text


def test_a_missing_runbook_offers_close_matches(client: TestClient) -> None:
    answer = client.get("/r/pod-crush")
    assert answer.status_code == 404
    assert 'href="/r/pod-crash"' in answer.text


def test_an_address_that_is_none_is_a_page_for_people_and_a_problem_for_programs(client: TestClient) -> None:
    page = client.get("/nowhere")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    problem = client.get("/nowhere", headers={"Accept": "application/json"})
    assert (problem.status_code, problem.headers["content-type"]) == (404, "application/problem+json")


def test_saving_writes_a_version_and_keeps_line_ends(client: TestClient, stage: Stage) -> None:
    page = client.get("/r/disk-full/edit").text
    etag = unescape(re.findall(r'name="if_match" value="([^"]+)"', page)[0])
    text = stage.store.files["static/node/disk-full.md"].decode().replace("grows.", "grows fast.")
    form = {"text": text.replace("\n", "\r\n"), "if_match": etag, "note": "clearer"}
    assert client.post("/r/disk-full/edit", data=form).headers["location"] == "/r/disk-full"
    assert stage.store.files["static/node/disk-full.md"] == text.encode()
    newest = stage.store.versions("disk-full")[0]
    assert (newest.number, newest.note, newest.face) == (2, "clearer", Face.WEB)


def test_the_slower_of_two_editors_sees_both_texts_and_loses_nothing(client: TestClient, stage: Stage) -> None:
    old = stage.store.get("disk-full").etag
    theirs = stage.store.files["static/node/disk-full.md"].replace(b"Find what grows.", b"Look for what grows.")
    stage.store.update("disk-full", theirs, local(Face.CLI), if_match=old)
    mine = theirs.replace(b"Look for what grows.", b"Search what grows.").decode()
    answer = client.post("/r/disk-full/edit", data={"text": mine, "if_match": old, "note": ""})
    assert answer.status_code == 412
    assert stage.store.files["static/node/disk-full.md"] == theirs
    assert "<del>Look for</del>" in answer.text
    assert "Search what grows." in text_of(answer.text)
    assert unescape(re.findall(r'name="if_match" value="([^"]+)"', answer.text)[0]) == stage.store.get("disk-full").etag


def test_an_edit_without_a_version_is_refused(client: TestClient) -> None:
    assert client.post("/r/disk-full/edit", data={"text": "x"}).status_code == 422


def test_the_preview_shows_the_text_and_its_problems_and_writes_nothing(client: TestClient, stage: Stage) -> None:
    before = dict(stage.store.files)
    html = client.post(
        "/r/disk-full/preview", data={"text": "# New\n\n<script>x</script>\n\n```sh\nls <pod>\n```"}
    ).text
    assert '<p class="preview-title">New</p>' in html
    assert "<script" not in html
    assert 'data-name="pod"' in html
    assert stage.store.files == before


def test_history_difference_and_restore(client: TestClient, stage: Stage) -> None:
    first = stage.store.get("disk-full")
    text = stage.store.files["static/node/disk-full.md"]
    stage.store.update("disk-full", text.replace(b"little", b"no"), local(Face.WEB), if_match=first.etag, note="worse")
    history = client.get("/r/disk-full/history").text
    assert "worse" in history
    assert "on these pages" in text_of(history)
    diff = client.get("/r/disk-full/diff?from=1&to=2").text
    assert "<del>little</del>" in diff
    assert "<ins>no</ins>" in diff
    assert "split" in client.get("/r/disk-full/diff?view=split").text
    etag = stage.store.get("disk-full").etag
    restored = client.post("/r/disk-full/restore", data={"number": "1", "if_match": etag})
    assert (restored.status_code, restored.headers["location"]) == (303, "/r/disk-full/history")
    assert stage.store.files["static/node/disk-full.md"] == text


def test_a_restore_decided_on_an_older_text_is_refused(client: TestClient, stage: Stage) -> None:
    form = {"number": "1", "if_match": '"' + "0" * 64 + '"'}
    assert client.post("/r/disk-full/restore", data=form).status_code == 412


def test_a_removed_runbook_can_be_brought_back(client: TestClient, stage: Stage) -> None:
    stage.store.delete("disk-full", local(Face.WEB), if_match=None)
    page = client.get("/r/disk-full/history").text
    assert "This runbook's file is gone." in unescape(page)
    assert client.post("/r/disk-full/restore", data={"number": "1", "if_match": ""}).status_code == 303
    assert client.get("/r/disk-full").status_code == 200


def test_publishing_takes_the_text_that_was_seen_and_no_other(client: TestClient, stage: Stage) -> None:
    digest = stage.store.get("disk-full").document.sha256
    assert client.post("/r/disk-full/publish", data={"digest": "0" * 64}).status_code == 412
    assert client.post("/r/disk-full/publish", data={"digest": digest}).status_code == 303
    assert "Unreviewed" not in text_of(client.get("/r/disk-full").text)


@pytest.mark.parametrize("act", ["edit", "restore", "publish", "preview"])
@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}]
)
def test_another_site_cannot_send_our_forms(
    client: TestClient, stage: Stage, act: str, headers: dict[str, str]
) -> None:
    before = dict(stage.store.files)
    form = {"text": "x", "if_match": "*", "number": "1", "digest": stage.store.get("disk-full").document.sha256}
    assert client.post(f"/r/disk-full/{act}", data=form, headers=headers).status_code == 403
    assert stage.store.files == before
    assert len(stage.store.versions("disk-full")) == 1


def test_no_page_changes_anything_when_it_is_only_read(client: TestClient, stage: Stage) -> None:
    before = stage.store.revision()
    for act in ("restore", "publish", "preview"):
        assert client.get(f"/r/disk-full/{act}?number=1&digest=x").status_code == 405
    for path in PAGES:
        client.get(path)
    assert stage.store.revision() == before


def test_the_list_filters_and_orders(client: TestClient) -> None:
    def titles(query: str) -> list[str]:
        return re.findall(r'<td><a href="[^"]+">([^<]+)</a>', client.get("/browse" + query).text)

    assert titles("?sort=severity")[0] == "Disk is filling up"
    assert titles("?q=queueisstuck") == ["QueueIsStuck"]
    assert titles("?service=node") == ["Disk is filling up"]
    assert titles("?state=draft") == ["Pods crash after a secret was rotated"]
    assert client.get("/browse?severity=awful").status_code == 422
    assert "No runbook passes these filters" in client.get("/browse?q=zzzz").text


def test_assets_are_kept_for_a_year_under_their_own_address_only(client: TestClient) -> None:
    address = re.findall(r'href="(/assets/[^"]+app.css)"', client.get("/").text)[0]
    assert client.get(address).headers["cache-control"] == "public, max-age=31536000, immutable"
    assert client.get("/assets/other/app.css").headers["cache-control"] == "no-cache"
    assert client.get("/assets/other/../../pages.py").status_code == 404
    assert client.get("/assets/other/..%2f..%2fpages.py").status_code == 404


def test_a_runbook_whose_review_is_due_can_be_confirmed_as_it_was_read(stage: Stage, client: TestClient) -> None:
    html = client.get("/r/pod-crash").text
    assert "It still holds" in html
    digest = re.search(r'/reviewed"><input type="hidden" name="digest" value="([0-9a-f]{64})"', html)
    assert digest is not None
    assert client.post("/r/pod-crash/reviewed", data={"digest": "0" * 64}).status_code == 412
    assert client.post("/r/pod-crash/reviewed", data={"digest": digest[1]}).headers["location"] == "/r/pod-crash"
    assert b"reviewed: 2026-11-21" in stage.store.files["static/kubernetes/pod-crash.md"]
    assert "It still holds" not in client.get("/r/disk-full").text
