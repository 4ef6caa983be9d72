"""The loop over real wiring: incidents over HTTP, a pattern, a draft, a person's approval, and the next search finds
the runbook first. SQLite, FAISS and the learner are real; the embedder is the twin that needs no weights."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.engine import Engine, open_engine
from api.imports.incident_fields import Telling
from api.imports.learn_body import incident_of_body
from api.settings import Settings, load_settings
from api.wiring import SERVER, KnowledgeBase, new_id, utc_now
from indexer.embed import HashingEmbedder
from kb.principal import Face, local

pytestmark = pytest.mark.integration

OTHERS = {
    "static/disk-full.md": "# Disk is full\n\n## Recovery\n\nRotate the logs of the node.\n",
    "static/certificate.md": "# Certificate expires\n\nRenew the certificate with certbot.\n",
}
WAIT_S = 30.0


def settings_in(folder: Path) -> Settings:
    for path, text in OTHERS.items():
        (folder / "runbooks" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "runbooks" / path).write_text(text, encoding="utf-8")
    return load_settings({}, runbooks_dir=str(folder / "runbooks"), data_dir=str(folder / "data"), watch=False)


def engine_of(settings: Settings) -> Engine:
    return open_engine(settings, embedder=HashingEmbedder())


def knowledge_base(settings: Settings) -> KnowledgeBase:
    return KnowledgeBase(settings, background=SERVER, open_engine=partial(engine_of, settings))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    settings = settings_in(tmp_path)
    base = knowledge_base(settings)
    base.open()
    with TestClient(create_app(base.services, settings, new_id=new_id), base_url="http://127.0.0.1:8080") as client:
        until(lambda: client.get("/runbooks/patterns").status_code == 200)
        yield client


def until(holds: object) -> None:
    """Wait for what a thread of the server does."""
    end = time.monotonic() + WAIT_S
    while not holds():  # type: ignore[operator]  # any callable
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.1)


def incident(number: int) -> dict[str, object]:
    return {
        "id": f"INC-{number}",
        "title": f"Mail relay rejects messages from tenant-{number}",
        "started_at": f"2026-11-{number + 1:02}T10:00:00Z",
        "severity": "high",
        "service": "mail",
        "alerts": ["MailRelayRejects"],
        "diagnosis": ["Read the queue of the relay"],
        "resolution": [{"text": "Renewed the credentials of the relay", "outcome": "helped", "took": "3m"}],
        "success": True,
        "duration": "15m",
    }


def test_ten_incidents_become_a_runbook_that_the_next_search_finds_first(client: TestClient) -> None:
    question = {"q": "mail relay rejects messages"}
    before = client.get("/runbooks/search", params=question).json()
    assert before["results"] == []

    answers = [client.post("/runbooks/learn", json=incident(number)).json() for number in range(1, 11)]
    assert {answer["pattern_id"] for answer in answers[2:]} == {answers[-1]["pattern_id"]}
    assert answers[-1]["pattern_detected"] is True

    until(lambda: client.get("/reviews").json()["total"] == 1)
    (waiting,) = client.get("/reviews").json()["reviews"]
    draft = client.get(f"/reviews/{waiting['id']}").json()
    assert "Renewed the credentials of the relay" in draft["text"]
    assert draft["pattern"]["id"] == answers[-1]["pattern_id"]
    found = client.get("/runbooks/search", params=question).json()
    assert waiting["runbook_id"] not in [hit["id"] for hit in found["results"]]

    told = client.post("/runbooks/learn", json=incident(11)).json()
    assert (told["new_runbook_created"], told["runbook_id"]) == (True, waiting["runbook_id"])

    draft = client.get(f"/reviews/{waiting['id']}").json()
    stale = client.post(f"/reviews/{waiting['id']}/approve", json={"sha256": "0" * 64})
    assert stale.status_code == 412
    approved = client.post(f"/reviews/{waiting['id']}/approve", json={"sha256": draft["sha256"]})
    assert approved.status_code == 200, approved.text
    assert approved.json()["status"] == "approved"

    def first() -> str:
        hits = client.get("/runbooks/search", params=question).json()["results"]
        return hits[0]["id"] if hits else ""

    until(lambda: first() == waiting["runbook_id"])
    recommended = client.post("/recommend", json=question).json()
    assert recommended["pattern_runbook_ids"] == [waiting["runbook_id"]]
    assert recommended["actions"][0]["name"] == "Renewed the credentials of the relay"

    again = client.post(f"/reviews/{waiting['id']}/approve", json={"sha256": draft["sha256"]})
    assert again.status_code == 409
    undone = client.post(f"/reviews/{waiting['id']}/undo", json={"reason": "too soon"})
    assert undone.status_code == 200, undone.text
    until(lambda: first() == "")

    (waiting,) = client.get("/reviews").json()["reviews"]
    digest = client.get(f"/reviews/{waiting['id']}").json()["sha256"]
    assert client.post(f"/reviews/{waiting['id']}/reject", json={"sha256": digest, "reason": ""}).status_code == 422
    rejected = client.post(f"/reviews/{waiting['id']}/reject", json={"sha256": digest, "reason": "we know this"})
    assert rejected.json()["status"] == "rejected"
    assert client.get("/reviews").json()["total"] == 0
    assert client.get("/reviews?status=rejected").json()["reviews"][0]["reason"] == "we know this"


def test_what_was_learnt_is_there_after_a_restart(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    for number in (1, 2, 3):
        base = knowledge_base(settings)
        base.open()
        app = create_app(base.services, settings, new_id=new_id)
        with TestClient(app, base_url="http://127.0.0.1:8080") as client:
            until(lambda client=client: client.get("/runbooks/patterns").status_code == 200)  # type: ignore[misc]
            answer = client.post("/runbooks/learn", json=incident(number), headers={"Idempotency-Key": f"k{number}"})
            assert answer.json()["pattern_size"] == number
            again = client.post("/runbooks/learn", json=incident(1), headers={"Idempotency-Key": "k1"})
            assert again.headers["idempotent-replayed"] == "true"
            assert again.json()["pattern_size"] == 1, "answered as on the first day"


def test_no_draft_is_written_before_search_can_tell_which_patterns_have_a_runbook(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    base = KnowledgeBase(settings, open_engine=partial(engine_of, settings))
    try:
        learning = base.services.learning
        told = [incident_of_body(incident(number), Telling("local", utc_now())) for number in range(1, 6)]
        learning.learn_many(told, local(Face.CLI))
        assert base.index.current.degraded
        assert base.learning_base.draft().opened == []
        base.catch_up()
        assert len(base.learning_base.draft().opened) == 1
        assert base.learning_base.draft().opened == []
    finally:
        base.close()
