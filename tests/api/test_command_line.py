"""The commands as a person or a script uses them: what they print, where, and how they end."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from api import cli
from tests.api.process import REPOSITORY, home_environment, make_home
from tests.api.process import run_command as run_in_process_of_its_own

pytestmark = [pytest.mark.integration, pytest.mark.model, pytest.mark.slow]


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


class Command:
    """Runs commands inside this process: a new one takes a second to import what this one has."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capfd = capfd

    def __call__(self, home: Path, *arguments: str, stdin: bytes = b"", also: Mapping[str, str] | None = None) -> Done:
        with self._monkeypatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("SRE_KB_")]:
                patch.delenv(name)
            patch.setenv("SRE_KB_RUNBOOKS_DIR", str(home / "runbooks"))
            patch.setenv("SRE_KB_DATA_DIR", str(home / "data"))
            for name, value in (also or {}).items():
                patch.setenv(name, value)
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
            self._capfd.readouterr()
            code = cli.run(arguments)
            out, err = self._capfd.readouterr()
        return Done(code, out, err)


@pytest.fixture
def run_command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    return Command(monkeypatch, capfd)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, models_dir: Path) -> Path:
    home = make_home(tmp_path_factory.mktemp("home"), models_dir)
    done = run_in_process_of_its_own(home, "index", "--json")
    assert done.returncode == 0, done.stderr
    assert sorted(json.loads(done.stdout)["added"]) == ["certificate", "disk-full", "pod-crash"]
    return home


def test_a_search_prints_the_section_why_and_where_to_read_on(run_command: Command, home: Path) -> None:
    done = run_command(home, "search", "KubePodCrashLooping")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1. Pod is crash looping  ")
    assert "sre-kb show pod-crash" in done.stdout
    assert "\x1b" not in done.stdout
    assert "\x02" not in done.stdout


def test_a_search_says_the_same_to_programs(run_command: Command, home: Path) -> None:
    done = run_command(home, "search", "KubePodCrashLooping", "--json", "--limit", "2")
    answer = json.loads(done.stdout)
    assert answer["results"][0]["id"] == "pod-crash"
    assert answer["degraded"] == ""
    assert answer["confident"] is True


def test_a_search_reads_standard_input_and_alert_files(run_command: Command, home: Path, tmp_path: Path) -> None:
    alert = tmp_path / "alert.json"
    alert.write_text('{"labels": {"alertname": "KubePodCrashLooping"}}', encoding="utf-8")
    for done in (
        run_command(home, "search", "--json", stdin=b"alertname: KubePodCrashLooping\n"),
        run_command(home, "search", "--json", "--alert-file", str(alert)),
        run_command(home, "search", "--json", "-a", "-", stdin=alert.read_bytes()),
    ):
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["results"][0]["id"] == "pod-crash"


def test_nothing_that_matches_is_said_and_told_by_the_exit_code(run_command: Command, home: Path) -> None:
    done = run_command(home, "search", "a recipe for pancakes with maple syrup")
    assert (done.returncode, done.stdout.splitlines()[0][:27]) == (1, "No runbook matches well. Th")


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("search", "x", "--type", "book"), 2, "Error: --type: is no type"),
        (("search", "x", "--severity", "terrible"), 2, "Error: --severity: names no severity"),
        (("search", "x", "--alert-file", "y"), 2, "Error: --alert-file: stands beside a text"),
        (("search", "--alert-file", "/nowhere"), 2, "Error: --alert-file /nowhere: cannot be read"),
        (("search", "x", "--limit", "0"), 2, "Invalid value"),
        (("show", "pod-crahs"), 3, "Error: There is no runbook 'pod-crahs'."),
        (("show", "pod-crash", "--anchor", "nope"), 2, "Error: --anchor: is none of this runbook's"),
        (("versions", "nothing"), 3, "Error: There is no runbook 'nothing'."),
        (("diff", "pod-crash", "1", "9"), 3, "Error: Runbook 'pod-crash' has no version 9."),
        (("unpin", "Nothing"), 3, "Error: No runbook is pinned"),
        (("pin", "A", "nothing"), 3, "Error: There is no runbook 'nothing'."),
        (
            ("eval", "--corpus", "/nowhere", "--queries", "/q", "--qrels", "/r"),
            2,
            "Error: --queries: /q cannot be read",
        ),
        (("brew",), 2, "No such command"),
    ],
)
def test_a_failure_is_one_clear_sentence_and_a_code(
    run_command: Command, home: Path, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    done = run_command(home, *arguments)
    assert done.returncode == code, done.stderr
    assert sentence in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_stops_every_command_with_the_same_sentence(run_command: Command, home: Path) -> None:
    for command in (("search", "x"), ("index",), ("doctor",), ("serve",)):
        done = run_command(home, *command, also={"SRE_KB_PORT": "abc"})
        assert done.returncode == 2
        assert done.stderr.splitlines() == [
            "Error: SRE_KB_PORT is 'abc', which is not a whole number.",
            "Correct it or remove it; the default is 8080.",
        ]


def test_show_prints_the_file_a_section_or_json(run_command: Command, home: Path) -> None:
    raw = (home / "runbooks" / "static" / "pod-crash.md").read_text(encoding="utf-8")
    assert run_command(home, "show", "pod-crash", "--raw").stdout == raw
    section = run_command(home, "show", "pod-crash", "--anchor", "diagnosis").stdout
    assert section.startswith("## Diagnosis\n")
    assert json.loads(run_command(home, "show", "pod-crash", "--json").stdout)["id"] == "pod-crash"


def test_list_pins_and_versions(run_command: Command, home: Path) -> None:
    assert run_command(home, "list", "crash").stdout.split()[0] == "pod-crash"
    assert run_command(home, "pin", "HighLatency", "disk-full").stdout == "HighLatency  ->  disk-full\n"
    found = json.loads(run_command(home, "search", "HighLatency", "--json").stdout)
    assert [hit["id"] for hit in found["results"]][:1] == ["disk-full"]
    assert run_command(home, "unpin", "HighLatency").returncode == 0
    (version,) = json.loads(run_command(home, "versions", "disk-full", "--json").stdout)["versions"]
    assert (version["number"], version["author"], version["state"]) == (1, "disk", "unreviewed")
    assert "published" in run_command(home, "publish", "disk-full").stdout


def test_the_doctor_finds_nothing_wrong_in_a_sound_home(run_command: Command, home: Path) -> None:
    run_command(home, "index")
    done = run_command(home, "doctor", "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["ok"]) == (0, True), report
    names = [check["name"] for check in report["checks"]]
    assert names == ["settings", "runbooks folder", "data folder", "database", "model", "files", "index"]


def test_the_doctor_says_what_to_do_about_what_is_missing(
    run_command: Command, tmp_path: Path, models_dir: Path
) -> None:
    home = make_home(tmp_path, models_dir, runbooks={})
    done = run_command(home, "doctor")
    assert done.returncode == 1
    assert "WRONG  runbooks folder:" in done.stdout
    assert "Run 'sre-kb index' to create it from the bundled runbooks" in done.stdout


def test_indexing_a_missing_folder_fills_it_with_the_bundled_runbooks_and_an_empty_one_stays_empty(
    run_command: Command, tmp_path: Path, models_dir: Path
) -> None:
    home = make_home(tmp_path / "a", models_dir, runbooks={})
    (home / "runbooks").mkdir()
    assert "No runbooks." in run_command(home, "index").stdout
    assert list((home / "runbooks").iterdir()) == []


def test_a_change_on_disk_is_found_by_the_next_search_without_indexing(
    run_command: Command, tmp_path: Path, models_dir: Path
) -> None:
    home = make_home(tmp_path, models_dir)
    assert run_command(home, "search", "KubePodCrashLooping", "--json").returncode == 0
    (home / "runbooks" / "static" / "yak.md").write_text("# YakHerdLost\n\nFind the yaks.\n", encoding="utf-8")
    found = json.loads(run_command(home, "search", "YakHerdLost", "--json").stdout)
    assert found["results"][0]["id"] == "yak"


def test_eval_measures_prints_and_writes_lines_for_a_scorer(run_command: Command, home: Path, tmp_path: Path) -> None:
    queries, qrels, runs = tmp_path / "q.jsonl", tmp_path / "r.tsv", tmp_path / "run.jsonl"
    queries.write_text(
        '{"id": "q1", "text": "KubePodCrashLooping", "form": "name"}\n'
        '{"id": "q2", "text": "renew the certificate", "form": "words"}\n',
        encoding="utf-8",
    )
    qrels.write_text("q1\tstatic/pod-crash.md\t1\nq2\tstatic/certificate.md\t1\n", encoding="utf-8")
    files = ("--corpus", str(home / "runbooks"), "--queries", str(queries), "--qrels", str(qrels))
    report = json.loads(run_command(home, "eval", *files, "--run-out", str(runs), "--json").stdout)
    assert report["files"] == 3
    assert {form: row["r1"] for form, row in report["forms"].items()} == {"name": 1.0, "words": 1.0}
    lines = [json.loads(line) for line in runs.read_text(encoding="utf-8").splitlines()]
    assert [(line["query_id"], line["docs"][0]) for line in lines] == [
        ("q1", "static/pod-crash.md"),
        ("q2", "static/certificate.md"),
    ]
    hidden = json.loads(run_command(home, "eval", *files, "--hide-right", "--json").stdout)
    assert hidden["right_hidden"] is True
    assert all(row["r5"] == 0.0 for row in hidden["forms"].values())
    assert "nDCG@10" in run_command(home, "eval", *files).stdout


def test_a_search_imports_neither_torch_nor_the_server(home: Path) -> None:
    code = (
        "import sys\nfrom api.cli import app\n"
        "try: app(['search', 'KubePodCrashLooping'])\nexcept SystemExit: pass\n"
        "print([m for m in ('torch', 'fastapi', 'uvicorn', 'alembic', 'markdown_it', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env=home_environment(home),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_words_of_the_command_line_import_nothing_of_the_inner_rooms() -> None:
    code = (
        "import sys, api.cli\n"
        "print([m for m in ('numpy', 'sqlalchemy', 'pydantic', 'faiss', 'onnxruntime', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
