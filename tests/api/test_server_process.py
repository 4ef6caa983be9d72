"""The real server: it follows the folder, stops politely, and loses nothing when it is killed."""

import random
import socket
import threading
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.api.process import Server, make_home, run_command

pytestmark = [pytest.mark.integration, pytest.mark.model, pytest.mark.slow]


@pytest.fixture
def home(tmp_path: Path, models_dir: Path) -> Path:
    return make_home(tmp_path, models_dir)


def test_what_is_saved_changed_and_removed_on_disk_is_found_and_forgotten_without_being_asked(home: Path) -> None:
    with Server(home) as server:
        file = home / "runbooks" / "static" / "queue.md"
        file.write_text("# Zanzibar queue is stuck\n\nRestart the zanzibar consumer.\n", encoding="utf-8")
        _until(lambda: "queue" in server.found("zanzibar"))
        assert server.client.get("/runbooks/queue").json()["state"] == "unreviewed"
        file.write_text("# Queue is stuck\n\nRestart the quetzal consumer.\n", encoding="utf-8")
        _until(lambda: server.found("quetzal")[:1] == ["queue"])
        file.unlink()
        _until(lambda: "queue" not in server.found("quetzal"))
        assert server.client.get("/runbooks/queue").status_code == 404


def test_what_is_written_over_http_is_a_file_a_version_and_a_hit(home: Path) -> None:
    with Server(home) as server:
        body = {"title": "Quokka cache is cold", "content": "Warm the quokka cache.\n", "tags": ["cache"]}
        created = server.client.post("/runbooks/create", json=body)
        assert created.status_code == 201
        _until(lambda: "quokka-cache-is-cold" in server.found("quokka"))
        path = home / "runbooks" / created.json()["path"]
        assert "Warm the quokka cache." in path.read_text(encoding="utf-8")
        assert server.client.get("/storage/usage").json()["documents"] == 4


def test_told_to_stop_it_finishes_what_runs_and_ends_well(home: Path) -> None:
    acknowledged: list[str] = []
    with Server(home) as server:
        stop = threading.Event()
        writers = [threading.Thread(target=_write, args=(server.origin, n, acknowledged, stop)) for n in range(3)]
        for writer in writers:
            writer.start()
        _until(lambda: len(acknowledged) >= 5)
        assert server.terminate() == 0
        stop.set()
        for writer in writers:
            writer.join(10)
    with Server(home) as server:
        for runbook_id in acknowledged:
            assert server.client.get(f"/runbooks/{runbook_id}").status_code == 200


@pytest.mark.parametrize("kills", [pytest.param(4), pytest.param(60, marks=pytest.mark.soak)])
def test_killed_while_people_write_it_loses_nothing_it_has_acknowledged(home: Path, kills: int) -> None:
    chance = random.Random(kills)
    acknowledged: list[str] = []
    for attempt in range(kills):
        with Server(home) as server:
            stop = threading.Event()
            writers = [
                threading.Thread(target=_write, args=(server.origin, f"{attempt}-{n}", acknowledged, stop))
                for n in range(4)
            ]
            for writer in writers:
                writer.start()
            before = len(acknowledged)
            _until(lambda before=before: len(acknowledged) > before)
            time.sleep(chance.uniform(0.0, 0.4))
            server.kill()
            stop.set()
            for writer in writers:
                writer.join(10)
    assert len(acknowledged) >= kills
    with Server(home) as server:
        listed = {one["id"] for one in server.client.get("/runbooks", params={"limit": 500}).json()["runbooks"]}
        assert set(acknowledged) <= listed
        for runbook_id in acknowledged:
            assert f"Text of {runbook_id}." in server.client.get(f"/runbooks/{runbook_id}").json()["content"]
        assert server.client.get("/runbooks/health").json()["status"] == "ok"
        assert server.client.post("/index/refresh", timeout=60).status_code == 200
        assert server.terminate() == 0  # the index is in step and saved by now, and the doctor finds it so
    assert run_command(home, "doctor").returncode == 0


def test_a_port_that_is_taken_is_told_in_one_sentence(home: Path) -> None:
    with closing(socket.socket()) as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        done = run_command(home, "serve", "--port", str(port))
    assert done.returncode == 4
    assert f"Error: Cannot listen on 127.0.0.1, port {port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_open_address_is_refused_before_anything_is_opened(home: Path) -> None:
    done = run_command(home, "serve", "--host", "0.0.0.0")  # noqa: S104  # refused, that is the test
    assert done.returncode == 2
    assert "which others can reach" in done.stderr
    assert not (home / "data" / "sre-kb.db").exists()


def _write(origin: str, name: object, acknowledged: list[str], stop: threading.Event) -> None:
    with httpx.Client(base_url=origin, timeout=10, trust_env=False) as client:
        for number in range(10_000):
            runbook_id = f"written-{name}-{number}"
            body = {"id": runbook_id, "title": f"Written {name} {number}", "content": f"Text of {runbook_id}.\n"}
            try:
                if client.post("/runbooks/create", json=body).status_code == 201:
                    acknowledged.append(runbook_id)
            except httpx.TransportError:
                return
            if stop.is_set():
                return


def _until(holds: object, *, within_s: float = 20.0) -> None:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if holds():  # type: ignore[operator]
            return
        time.sleep(0.05)
    raise AssertionError("it did not come true")
