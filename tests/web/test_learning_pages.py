"""The pages of incidents, patterns, drafts and insights as a program sees them: what they say, what they refuse, and
that nothing somebody typed is lost."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest
from starlette.testclient import TestClient

from kb.incident import ActionOutcome, IncidentStatus
from kb.principal import Face, local
from kb.review_records import ReviewStatus
from tests.web.learning_stage import no_learner
from tests.web.lived_stage import LivedStage, build_lived_stage, memory_incidents
from tests.web.stage import NOW, build_stage

HTML = {"Accept": "text/html"}


@pytest.fixture
def lived() -> LivedStage:
    return build_lived_stage()


@pytest.fixture
def client(lived: LivedStage) -> Iterator[TestClient]:
    with TestClient(lived.stage.app, base_url="http://127.0.0.1", follow_redirects=False, headers=HTML) as client:
        yield client


def pages(lived: LivedStage) -> list[str]:
    return [
        "/browse/incidents",
        f"/browse/incidents?pattern={lived.memory_id}&status=resolved&severity=high&since=90d&sort=duration&q=pods",
        "/i/new",
        f"/i/{lived.open_id}",
        f"/i/{lived.open_id}/edit",
        f"/i/{lived.open_id}/resolve",
        "/browse/patterns",
        "/browse/patterns?trend=rising&sort=severity&q=zz",
        f"/p/{lived.memory_id}",
        "/browse/reviews",
        "/browse/reviews?status=rejected",
        f"/d/{lived.patch_id}",
        f"/d/{lived.draft_id}",
        f"/d/{lived.draft_id}/edit",
        "/browse/insights",
        "/dashboards/incidents?days=90",
        "/dashboards/learning",
        "/write?title=Gateway",
        f"/write?pattern={lived.memory_id}",
        "/i/nobody",
        "/p/nothing",
        "/d/nothing",
    ]


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def told(client: TestClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return text_of(answer.text)


def test_every_page_forbids_foreign_and_inline_code(lived: LivedStage, client: TestClient) -> None:
    for path in pages(lived):
        answer = client.get(path)
        assert answer.status_code == (404 if path.endswith(("nobody", "nothing")) else 200), path
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert not re.search(r"<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=|href=\"javascript:", answer.text), path


def test_behind_a_proxy_every_address_keeps_the_prefix() -> None:
    lived = build_lived_stage(base_path="/kb")
    with TestClient(lived.stage.app, base_url="http://127.0.0.1", root_path="/kb") as client:
        for path in pages(lived):
            html = client.get("/kb" + path, headers=HTML).text
            addresses = re.findall(r'(?:href|src|action|data-advice-url)="([^"#][^"]*)"', html)
            assert len(addresses) > 5
            foreign = [address for address in addresses if not address.startswith("/kb/")]
            assert foreign in ([], ["https://graphs.example.com/d/1"]), path


def test_an_open_incident_shows_what_ended_such_ones_and_what_is_due(lived: LivedStage, client: TestClient) -> None:
    text = told(client, f"/i/{lived.open_id}")
    assert "What ended such incidents" in text
    assert "Raised the memory limit 100 % 6 of 6" in text
    assert "Restarted the pod made it worse in 2 of 6 incidents" in text
    assert "Tell the stakeholders in Slack" in text
    assert "Who has it nobody" in text
    assert "Impact Customers cannot pay" in text


def test_a_link_that_is_no_web_address_is_shown_and_not_followed(lived: LivedStage, client: TestClient) -> None:
    html = client.get(f"/i/{lived.open_id}").text
    assert 'href="https://graphs.example.com/d/1" rel="noopener noreferrer nofollow"' in html
    assert "<li>javascript:alert(1)</li>" in html


def test_whoever_takes_an_incident_has_it_and_has_answered_it(lived: LivedStage, client: TestClient) -> None:
    answer = client.post(f"/i/{lived.open_id}/assign", data={"to": "me"})
    assert answer.headers["location"] == f"/i/{lived.open_id}"
    stored = lived.learning.incident(lived.open_id).stored
    assert (stored.assignee, stored.incident.status) == ("local", IncidentStatus.ACKNOWLEDGED)
    assert "Release it" in told(client, f"/i/{lived.open_id}")
    client.post(f"/i/{lived.open_id}/assign", data={"name": ""})
    assert lived.learning.incident(lived.open_id).stored.assignee == ""


def test_a_duty_that_is_ticked_stands_in_the_timeline_and_is_due_again_later(
    lived: LivedStage, client: TestClient
) -> None:
    client.post(f"/i/{lived.open_id}/note", data={"duty": "status-page"})
    client.post(f"/i/{lived.open_id}/note", data={"text": "The <b>deploy</b> at two was it."})
    text = told(client, f"/i/{lived.open_id}")
    assert "Done: Update the status page" in text
    assert "The <b>deploy</b> at two was it." in text


def test_resolving_learns_the_chosen_actions_and_leaves_the_others_out(lived: LivedStage, client: TestClient) -> None:
    form = client.get(f"/i/{lived.open_id}/resolve").text
    assert 'name="text-1" value="Raised the memory limit"' in form
    assert "worked in 6 of 6, median 5 min" in text_of(form)
    answer = client.post(
        f"/i/{lived.open_id}/resolve",
        data={
            "version": version_in(form),
            "suggested-1": "yes",
            "text-1": "Raised the memory limit",
            "outcome-1": "helped",
            "suggested-2": "yes",
            "text-2": "Restarted the pod",
            "text-3": "Drained the node",
            "outcome-3": "made worse",
            "success": "yes",
            "lasted": "25m",
            "lessons": "One\n\n  Two ",
        },
    )
    assert answer.status_code == 303
    stored = lived.learning.incident(lived.open_id).stored
    resolution = stored.incident.resolution
    assert resolution is not None
    assert [(action.text, action.outcome) for action in resolution.actions] == [
        ("Raised the memory limit", ActionOutcome.HELPED),
        ("Drained the node", ActionOutcome.MADE_WORSE),
    ]
    assert (stored.incident.lasted_s, stored.incident.lessons, resolution.success) == (1500.0, ("One", "Two"), True)
    assert stored.pattern_id == lived.memory_id
    assert "Learnt. It is one of 7 incidents" in told(client, f"/i/{lived.open_id}")


def version_in(html: str) -> str:
    match = re.search(r'name="version" value="(\d+)"', html)
    assert match is not None
    return match[1]


@pytest.mark.parametrize(
    ("version", "lasted", "status", "says"),
    [("1", "25m", 412, "Somebody else was faster"), (None, "soon", 422, "Not saved.")],
)
def test_what_was_typed_is_never_lost(
    lived: LivedStage, client: TestClient, version: str | None, lasted: str, status: int, says: str
) -> None:
    lived.learning.add_note(lived.open_id, "x", local(Face.WEB))
    client.post(f"/i/{lived.open_id}/assign", data={"to": "me"})
    current = version_in(client.get(f"/i/{lived.open_id}/resolve").text)
    answer = client.post(
        f"/i/{lived.open_id}/resolve",
        data={
            "version": version or current,
            "text-1": 'Moved "it" <away>',
            "outcome-1": "helped",
            "lasted": lasted,
            "lessons": "Never again",
        },
    )
    assert answer.status_code == status
    assert says in text_of(answer.text)
    assert 'value="Moved &#34;it&#34; &lt;away&gt;"' in answer.text
    assert re.search(r'name="outcome-1" value="helped" checked', answer.text)
    assert "Never again</textarea>" in answer.text
    assert f'name="version" value="{current}"' in answer.text
    assert lived.learning.incident(lived.open_id).stored.incident.status is not IncidentStatus.RESOLVED


def test_a_runbook_that_was_followed_gets_its_outcome(lived: LivedStage, client: TestClient) -> None:
    form = client.get(f"/i/{lived.open_id}/resolve").text
    assert '<option value="pod-crash">' in form
    assert "pod-draft" not in form
    told_so = {"version": version_in(form), "runbook": "pod-cras", "runbook_outcome": "helped"}
    unknown = client.post(f"/i/{lived.open_id}/resolve", data=told_so)
    assert (unknown.status_code, 'value="pod-cras"' in unknown.text) == (422, True)
    client.post(f"/i/{lived.open_id}/resolve", data={**told_so, "runbook": "pod-crash"})
    (outcome,) = lived.learning.outcomes(lived.open_id)
    assert (outcome.outcome.target, outcome.outcome.outcome) == ("pod-crash", ActionOutcome.HELPED)


def test_a_verdict_on_a_recommendation_is_kept_and_shown(lived: LivedStage, client: TestClient) -> None:
    assert "Is this right?" in told(client, f"/i/{lived.open_id}")
    client.post(f"/i/{lived.open_id}/vote", data={"target": lived.memory_id, "verdict": "wrong"})
    assert "You said: wrong." in told(client, f"/i/{lived.open_id}")
    assert client.post(f"/i/{lived.open_id}/vote", data={"target": lived.memory_id}).status_code == 422


def test_an_incident_can_be_recorded_and_resolved_in_one_go(lived: LivedStage, client: TestClient) -> None:
    answer = client.post(
        "/i/new",
        data={"title": "Mail is late", "began": "20m ago", "severity": "high", "alerts": "A, B", "next": "resolve"},
    )
    opened = re.fullmatch(r"/i/(inc-[0-9a-f]+)/resolve", answer.headers["location"])
    assert opened is not None
    incident = lived.learning.incident(opened[1]).stored.incident
    assert (incident.title, incident.alerts, incident.status) == ("Mail is late", ("A", "B"), IncidentStatus.OPEN)


def test_an_incident_without_a_name_is_refused_with_everything_else_kept(client: TestClient) -> None:
    answer = client.post("/i/new", data={"title": " ", "service": "mail", "symptoms": "slow"})
    assert answer.status_code == 422
    assert 'value="mail"' in answer.text
    assert "slow</textarea>" in answer.text


def test_a_pasted_alert_fills_the_form(client: TestClient) -> None:
    html = client.get("/i/new", params={"q": "alertname=DiskFull namespace=shop severity=critical"}).text
    assert 'name="alerts" class="mono" value="DiskFull"' in html
    assert "namespace=shop" in html
    assert "<option selected>critical</option>" in html


def test_the_list_of_incidents_can_be_narrowed(lived: LivedStage, client: TestClient) -> None:
    assert "11 incidents" in told(client, "/browse/incidents")
    assert "1 incident" in told(client, "/browse/incidents?status=unresolved")
    assert "4 incidents" in told(client, "/browse/incidents?q=gateway")
    assert "6 incidents of" in told(client, f"/browse/incidents?pattern={lived.memory_id}")
    assert "No incident passes these filters" in told(client, "/browse/incidents?mine=yes")
    assert client.get("/browse/incidents?status=lost").status_code == 422


def test_a_pattern_shows_its_numbers_with_their_intervals(lived: LivedStage, client: TestClient) -> None:
    html = client.get(f"/p/{lived.memory_id}").text
    text = text_of(html)
    assert "Incidents 6" in text
    assert "Raised the memory limit" in text
    assert "100 % 6 of 6 · 54 to 100 %" in text
    assert "0 % 0 of 6 · 0 to 46 %" in text
    assert "Half of them take at most 37 min" in text
    assert "Set limits before the traffic comes 6" in text
    assert html.count('class="dot"') == 6
    assert "Week of Incidents" in text


def test_people_can_correct_what_was_learnt(lived: LivedStage, client: TestClient) -> None:
    client.post(f"/p/{lived.memory_id}/rename", data={"name": "Checkout <i>needs</i> memory"})
    assert "Checkout <i>needs</i> memory" in told(client, f"/p/{lived.memory_id}")
    ids = re.findall(r'name="incident" value="(inc-[0-9a-f]+)"', client.get(f"/p/{lived.memory_id}").text)
    client.post(f"/p/{lived.memory_id}/unlearn", data={"incident": ids[:1]})
    assert lived.learning.pattern(lived.memory_id).pattern.frequency == 5
    assert "It counts for no pattern" in told(client, f"/i/{ids[0]}")
    client.post(f"/i/{ids[0]}/learn-again")
    assert lived.learning.pattern(lived.memory_id).pattern.frequency == 6
    moved = client.post(f"/p/{lived.memory_id}/split", data={"incident": ids[:3]}).headers["location"]
    assert moved != f"/p/{lived.memory_id}"
    client.post(f"/p/{lived.certificate_id}/merge", data={"other": moved.removeprefix("/p/")})
    assert sorted(pattern.frequency for pattern in lived.learning.patterns()) == [3, 7]


@pytest.mark.parametrize("act", ["split", "unlearn", "merge"])
def test_a_correction_that_names_nothing_is_refused(lived: LivedStage, client: TestClient, act: str) -> None:
    assert client.post(f"/p/{lived.memory_id}/{act}", data={}).status_code == 422


def test_an_id_that_was_joined_leads_to_the_pattern_it_became(lived: LivedStage, client: TestClient) -> None:
    kept = client.post(f"/p/{lived.memory_id}/merge", data={"other": lived.certificate_id}).headers["location"]
    gone = {f"/p/{lived.memory_id}", f"/p/{lived.certificate_id}"} - {kept}
    assert client.get(gone.pop()).headers["location"] == kept


def test_the_queue_counts_what_waits_on_every_page(client: TestClient) -> None:
    assert "Review 2 waiting" in told(client, "/")
    assert "Patch to a runbook" in told(client, "/browse/reviews")


def test_a_draft_stands_beside_its_evidence_and_is_approved_as_it_was_seen(
    lived: LivedStage, client: TestClient
) -> None:
    html = client.get(f"/d/{lived.draft_id}").text
    assert "Renewed the certificate" in html
    assert html.count('class="cite" href="/i/inc-') > 4
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', html)
    assert digest is not None
    stale = client.post(f"/d/{lived.draft_id}/approve", data={"digest": "0" * 64})
    assert stale.status_code == 412
    done = client.post(f"/d/{lived.draft_id}/approve", data={"digest": digest[1]})
    assert done.headers["location"] == f"/d/{lived.draft_id}"
    page = told(client, f"/d/{lived.draft_id}")
    assert "Approved by local" in page
    assert "Promote to a static runbook" in page
    assert "Review 1 waiting" in page


def test_a_draft_is_decided_beside_its_evidence_and_the_next_one_follows(lived: LivedStage, client: TestClient) -> None:
    document_id = lived.learning.review(lived.draft_id).review.draft.document_id
    html = client.get(f"/r/{document_id}").text
    assert f'href="/d/{lived.draft_id}">Review this draft' in html
    assert "Publish this text" not in html
    assert "Next draft" not in client.get(f"/d/{lived.draft_id}").text
    client.post(f"/d/{lived.draft_id}/approve", data={"digest": lived.learning.review(lived.draft_id).digest})
    assert f'href="/d/{lived.patch_id}">Next draft' in client.get(f"/d/{lived.draft_id}").text
    assert "Review this draft" not in client.get(f"/r/{document_id}").text


@pytest.mark.parametrize("sort", ["", "recent", "rising", "severity", "slow", "failing"])
def test_patterns_come_in_the_order_that_was_asked_for(client: TestClient, sort: str) -> None:
    names = re.findall(r'<td><a href="/p/[^"]+">([^<]+)</a>', client.get(f"/browse/patterns?sort={sort}").text)
    first = "Certificate expired" if sort == "severity" else "Kube container OOM killed"
    assert (len(names), names[0]) == (2, first)


def test_a_patch_shows_what_it_changes(lived: LivedStage, client: TestClient) -> None:
    html = client.get(f"/d/{lived.patch_id}").text
    assert "What changes" in html
    assert html.count('class="added-line"') > 3
    assert 'class="removed"' not in html


def test_a_rejection_needs_a_reason_and_can_be_taken_back(lived: LivedStage, client: TestClient) -> None:
    digest = lived.learning.review(lived.draft_id).digest
    assert client.post(f"/d/{lived.draft_id}/reject", data={"digest": digest}).status_code == 422
    client.post(f"/d/{lived.draft_id}/reject", data={"digest": digest, "reason": "Two causes in one"})
    assert "Reason: Two causes in one" in told(client, f"/d/{lived.draft_id}")
    assert "Two causes in one" in told(client, "/browse/reviews?status=rejected")
    again = client.post(f"/d/{lived.draft_id}/undo", data={}).headers["location"]
    assert lived.learning.review(again.removeprefix("/d/")).review.status is ReviewStatus.OPEN


def test_an_edited_draft_keeps_its_text_and_a_late_edit_is_not_lost(lived: LivedStage, client: TestClient) -> None:
    page = lived.learning.review(lived.draft_id)
    text = page.text + "\nMind the clock of the client.\n"
    client.post(f"/d/{lived.draft_id}/edit", data={"text": text.replace("\n", "\r\n"), "digest": page.digest})
    assert lived.learning.review(lived.draft_id).text == text
    late = client.post(f"/d/{lived.draft_id}/edit", data={"text": "mine & only", "digest": page.digest})
    assert late.status_code == 412
    assert "mine &amp; only</textarea>" in late.text
    assert lived.learning.review(lived.draft_id).text == text


def test_insights_name_their_evidence_and_what_to_do(lived: LivedStage, client: TestClient) -> None:
    html = client.get("/browse/insights").text
    text = text_of(html)
    assert "Restarted the pod made it worse in 2 of 6 incidents" in text
    assert "On what evidence: 2 incidents" in text
    assert f'href="/p/{lived.memory_id}"' in html


def test_dashboards_carry_every_number_as_a_table(client: TestClient) -> None:
    trends = told(client, "/dashboards/incidents?days=90")
    assert "Incidents by severity" in trends
    assert "Week of Critical High" in trends
    assert "Critical, all" in trends
    progress = told(client, "/dashboards/learning")
    assert "Patterns 2 with 10 incidents" in progress
    assert "Waiting for review 2" in progress
    assert client.get("/dashboards/incidents?days=31").status_code == 422


def test_a_search_says_what_ended_such_incidents(client: TestClient) -> None:
    query = "Checkout pods are killed for memory: containers of checkout end with OOMKilled"
    assert "Raised the memory limit" in told(client, f"/?q={query}")
    alone = client.post("/search/advice", data={"q": query})
    assert "Raised the memory limit" in alone.text
    assert "<html" not in alone.text
    assert text_of(client.post("/search/advice", data={"q": "a cake for the party"}).text) == ""


def test_the_link_of_an_alert_says_it_too(lived: LivedStage, client: TestClient) -> None:
    labels = "namespace=shop&summary=Checkout+pods+are+killed+for+memory"
    assert "Raised the memory limit" in told(client, f"/a/KubeContainerOOMKilled?{labels}")
    lived.stage.pins.pin("KubeContainerOOMKilled", "disk-full", local(Face.WEB))
    runbook = client.get(f"/a/KubeContainerOOMKilled?{labels}").headers["location"]
    assert runbook.startswith("/r/disk-full?")
    assert "What ended such incidents: Raised the memory limit (6 of 6)" in told(client, runbook)
    assert "What ended such incidents" not in told(client, "/r/disk-full")


def test_a_runbook_can_be_written_from_what_was_learnt(lived: LivedStage, client: TestClient) -> None:
    html = client.get(f"/write?pattern={lived.certificate_id}").text
    assert "Renewed the certificate" in html
    refused = client.post("/write", data={"title": "", "text": "# Mine"})
    assert (refused.status_code, "# Mine</textarea>" in refused.text) == (422, True)
    saved = client.post("/write", data={"title": "Gateway certificate", "text": "Renew it.\r\n"})
    assert saved.headers["location"] == "/r/gateway-certificate"
    assert "Renew it." in told(client, "/r/gateway-certificate")


def test_trends_of_imported_history_end_with_its_latest_incident(lived: LivedStage, client: TestClient) -> None:
    week = told(client, "/dashboards/incidents?days=7")
    assert "No incident began" not in week
    old = build_stage()
    (incident,) = list(memory_incidents())[:1]
    long_ago = NOW - timedelta(days=900)
    moved = replace(incident, started_at=long_ago, acknowledged_at=None, resolved_at=long_ago + timedelta(minutes=9))
    old.app.state.services.learning.learn(moved, local(Face.HTTP))
    with TestClient(old.app, base_url="http://127.0.0.1", headers=HTML) as other:
        text = told(other, "/dashboards/incidents?days=7")
    assert "No incident began in the last 7 days. These are the 7 days to 2024-06-04." in text
    assert "1 incident, 0 of them critical" in text


def test_an_alert_that_was_searched_for_can_be_recorded(client: TestClient) -> None:
    html = client.get("/", params={"q": "alertname=KubePodCrashLooping namespace=shop"}).text
    link = re.search(r'href="(/i/new\?q=[^"]+)"', html)
    assert link is not None
    form = client.get(unescape(link[1])).text
    assert 'value="KubePodCrashLooping"' in form
    assert "namespace=shop" in form


def test_while_the_learner_is_not_ready_incidents_can_be_read_and_the_rest_says_so() -> None:
    stage = build_stage(learner=no_learner)
    (incident,) = list(memory_incidents())[:1]
    with stage.records.change(local(Face.HTTP)) as change:
        kept = change.incidents.add(incident).stored.incident.id
    with TestClient(stage.app, base_url="http://127.0.0.1", headers=HTML) as client:
        assert "1 incident" in told(client, "/browse/incidents")
        assert "Part of this page is missing" in told(client, f"/i/{kept}")
        assert "1 runbook" in told(client, "/?q=pod crash looping")
        waiting = client.get("/browse/patterns")
        assert (waiting.status_code, "Try again" in text_of(waiting.text)) == (503, True)
