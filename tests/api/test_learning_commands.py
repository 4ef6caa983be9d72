"""The commands of learning as a person or a script uses them: what they print, where, and how they end."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.api.process import MAIN, REPOSITORY, home_environment, make_home
from tests.api.process import run_command as run_in_process_of_its_own
from tests.api.test_command_line import Command

pytestmark = [pytest.mark.integration, pytest.mark.model, pytest.mark.slow]

DISK = "Windows file share on fs-{n} has lost its quota"
QUEUE = "Invoice printer spooler jams on floor {n}"


def line(number: int, title: str = DISK, **more: object) -> str:
    told = {
        "id": f"I-{number}",
        "title": title.format(n=number),
        "ts": 1_760_000_000 + 86_400 * number,
        "severity": "P2",
        "resolution": [{"text": "Set the quota again", "outcome": "helped", "took": "4m"}],
        "diagnosis": ["Compared quotas with the list"],
        "success": True,
        "duration": "12m",
        **more,
    }
    return json.dumps(told) + "\n"


@pytest.fixture
def run_command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    return Command(monkeypatch, capfd)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, models_dir: Path) -> Path:
    """A home in which eight incidents were learnt."""
    home = make_home(tmp_path_factory.mktemp("home"), models_dir)
    done = run_in_process_of_its_own(home, "index")
    assert done.returncode == 0, done.stderr
    file = home / "incidents.jsonl"
    file.write_text("".join(line(number) for number in range(5)) + "".join(line(n, QUEUE) for n in range(5, 8)))
    done = run_in_process_of_its_own(home, "learn", str(file), "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["learnt"], report["patterns"], report["refused"]) == (8, 2, [])
    assert report["drafts_opened"] == 2
    return home


@pytest.fixture
def pattern_id(run_command: Command, home: Path) -> str:
    """The pattern of the five."""
    found = json.loads(run_command(home, "patterns", "--json").stdout)["incident_patterns"]
    return max(found.values(), key=lambda pattern: pattern["frequency"])["pattern_id"]


def test_a_bad_entry_is_named_with_its_line_and_the_good_ones_are_learnt(
    run_command: Command, home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "mixed.jsonl"
    file.write_text("{broken\n" + line(0) + '{"severity": "P1"}\n')
    done = run_command(home, "learn", str(file), "--no-drafts")
    assert done.returncode == 1
    assert done.stdout == "1 known already, 2 refused\n2 patterns among 8 learnt incidents.\n"
    assert "line 1: is not JSON" in done.stderr
    assert "line 3: started_at: is missing" in done.stderr


def test_assignments_name_the_incidents_as_the_file_does(run_command: Command, home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    done = run_command(
        home, "learn", str(home / "incidents.jsonl"), "--no-drafts", "--assignments-out", str(out), "--json"
    )
    assert json.loads(done.stdout)["known"] == 8
    lines = [json.loads(text) for text in out.read_text().splitlines()]
    assert [one["id"] for one in lines] == [f"I-{number}" for number in range(8)]
    assert len({one["pattern_id"] for one in lines[:5]}) == len({one["pattern_id"] for one in lines[5:]}) == 1
    assert all(one["arrival_pattern_id"].startswith("pat-") for one in lines)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("learn", "nowhere.jsonl"), 2, "nowhere.jsonl cannot be read"),
        (("learn", "pyproject.toml", "--zone", "Middle/Earth"), 2, "--zone: names no time zone"),
        (("learn", "pyproject.toml", "--format", "lotus"), 2, "'lotus' is not known"),
        (("replay", "nowhere.jsonl"), 2, "nowhere.jsonl cannot be read"),
        (("incident", "inc-none"), 3, "There is no incident 'inc-none'"),
        (("pattern", "pat-none"), 3, "There is no pattern 'pat-none'"),
        (("incidents", "--status", "burning"), 2, "--status: is none"),
        (("review", "burn"), 2, "ACT: is none"),
        (("review", "approve"), 2, "ID: is missing"),
        (("review", "show", "rev-none"), 3, "There is no review 'rev-none'"),
        (("review", "--status", "lost"), 2, "--status: is none"),
        (("trends", "--days", "0"), 2, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    run_command: Command, home: Path, arguments: tuple[str, ...], code: int, says: str
) -> None:
    done = run_command(home, *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr


def test_lists_and_single_records_are_printed_for_people_and_for_programs(
    run_command: Command, home: Path, pattern_id: str
) -> None:
    listed = run_command(home, "incidents", "quota", "--limit", "2")
    assert len(listed.stdout.splitlines()) == 2
    assert "2 of 5 incidents." in listed.stderr
    incident_id = listed.stdout.split()[0]
    shown = run_command(home, "incident", incident_id).stdout
    assert "did: Set the quota again (helped)" in shown
    assert "looked at: Compared quotas with the list" in shown
    assert pattern_id in shown
    assert json.loads(run_command(home, "incident", incident_id, "--json").stdout)["pattern"]["frequency"] == 5
    assert json.loads(run_command(home, "incidents", "--json", "--pattern", pattern_id).stdout)["total"] == 5
    patterns = run_command(home, "patterns").stdout.splitlines()
    assert patterns[0].startswith(f"{pattern_id}     5 x  ")
    pattern = run_command(home, "pattern", pattern_id).stdout
    assert "1. Set the quota again: worked in 5 of 5" in pattern
    assert "confidence" in pattern


def test_a_person_names_a_pattern(run_command: Command, home: Path, pattern_id: str) -> None:
    named = run_command(home, "pattern", pattern_id, "--name", "Quota lost", "--json")
    assert json.loads(named.stdout)["name"] == "Quota lost"
    assert run_command(home, "pattern", pattern_id, "--name", "", "--json").returncode == 0


def test_a_recommendation_names_the_action_that_worked(run_command: Command, home: Path, pattern_id: str) -> None:
    known = run_command(home, "recommend", "file share on fs-9 has lost its quota")
    assert known.returncode == 0, known.stderr
    assert "worked in 5 of 5" in known.stdout
    assert json.loads(run_command(home, "recommend", "fs-9 lost its quota", "--json").stdout)["pattern"]["id"] == (
        pattern_id
    )
    unknown = run_command(home, "recommend", "sourdough bread does not rise")
    assert unknown.returncode == 1
    assert unknown.stdout.startswith("Nothing is known about this")


def test_replay_says_what_would_be_said_and_learns_nothing(
    run_command: Command, home: Path, tmp_path: Path, pattern_id: str
) -> None:
    file, out = tmp_path / "later.jsonl", tmp_path / "said.jsonl"
    file.write_text(line(77) + line(78, "Sourdough bread does not rise in oven {n}"))
    done = run_command(home, "replay", str(file), "--out", str(out))
    assert done.stdout.startswith("2 replayed; a pattern is recognised with confidence for 1 (50 %).")
    assert [json.loads(text) for text in out.read_text().splitlines()] == [
        {"id": "I-77", "pattern_id": pattern_id, "confident": True},
        {"id": "I-78", "pattern_id": None, "confident": False},
    ]
    assert json.loads(run_command(home, "incidents", "--json").stdout)["total"] == 8


def test_replay_takes_alerts_too(run_command: Command, home: Path, tmp_path: Path, pattern_id: str) -> None:
    file, out = tmp_path / "alerts.jsonl", tmp_path / "said.jsonl"
    alert = {"labels": {"severity": "warning"}, "annotations": {"summary": DISK.format(n=3)}}
    file.write_text(json.dumps(alert) + "\n" + json.dumps({**alert, "id": "a-2"}) + "\n[]\n")
    done = run_command(home, "replay", str(file), "--out", str(out), "--json")
    report = json.loads(done.stdout)
    assert (report["replayed"], report["refused"]) == (2, 1)
    assert [json.loads(text)["pattern_id"] for text in out.read_text().splitlines()] == [pattern_id, pattern_id]
    assert [json.loads(text)["id"] for text in out.read_text().splitlines()] == ["1", "a-2"]


def test_a_draft_is_read_approved_found_taken_back_and_turned_down(run_command: Command, home: Path) -> None:
    waiting = json.loads(run_command(home, "review", "--json").stdout)["reviews"]
    assert len(waiting) == 2
    (mine,) = [one for one in waiting if one["frequency"] == 5]
    assert mine["id"] in run_command(home, "review").stdout
    shown = run_command(home, "review", "show", mine["id"])
    assert "Set the quota again" in shown.stdout
    refused = run_command(home, "review", "approve", mine["id"], "--digest", "0" * 64)
    assert refused.returncode == 3
    approved = run_command(home, "review", "approve", mine["id"])
    assert approved.returncode == 0, approved.stderr
    found = json.loads(run_command(home, "search", "file share has lost its quota", "--json").stdout)
    assert found["results"][0]["id"] == mine["runbook_id"]
    undone = run_command(home, "review", "undo", mine["id"], "--reason", "too soon")
    assert undone.returncode == 0, undone.stderr
    (back,) = [
        one for one in json.loads(run_command(home, "review", "--json").stdout)["reviews"] if one["frequency"] == 5
    ]
    assert run_command(home, "review", "reject", back["id"]).returncode == 2
    rejected = run_command(home, "review", "reject", back["id"], "--reason", "we know this")
    assert "is rejected" in rejected.stdout


def test_insights_rules_and_trends_are_printed(run_command: Command, home: Path) -> None:
    insights = json.loads(run_command(home, "insights", "--json", "--limit", "1").stdout)
    assert len(insights["insights"]) == 1
    assert insights["total"] >= 1
    assert run_command(home, "insights", "--rules").stdout.startswith("groups:")
    trends = run_command(home, "trends", "--days", "3").stdout.splitlines()
    assert len(trends) == 3
    assert json.loads(run_command(home, "trends", "--days", "2", "--json").stdout)["total"] == 0


def test_no_search_waits_for_the_learner(home: Path) -> None:
    code = (
        "import sys; from api.cli import run; run(['search', 'quota']);"
        "print([one for one in sys.modules if one.startswith('learner.') or one == 'api.learning.wiring'],"
        " file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, env=home_environment(home), capture_output=True, text=True
    )
    assert done.stderr.strip().splitlines()[-1] == "[]"


def test_an_import_that_is_killed_goes_on_where_it_stopped(tmp_path: Path, models_dir: Path) -> None:
    home = make_home(tmp_path / "home", models_dir)
    file = tmp_path / "many.jsonl"
    file.write_text(
        "".join(line(number, f"Trouble {number // 4} with {{n}}", ts=1_760_000_000 + number) for number in range(1200))
    )
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "learn", str(file), "--no-drafts"],
        cwd=REPOSITORY,
        env=home_environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 120
    while not list((home / "data").glob("imports/*.json")):
        assert time.monotonic() < until
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    done = run_in_process_of_its_own(home, "learn", str(file), "--no-drafts", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["resumed_after_line"] > 0
    assert report["incidents"] == 1200
    assert not list((home / "data").glob("imports/*.json"))
