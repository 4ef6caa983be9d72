"""The bundled runbooks keep their promises to readers and tools; the evaluation queries name sections that exist."""

import json
import re
import subprocess
from collections import Counter
from pathlib import Path, PurePosixPath

import pytest

from kb.markdown import parse_document
from kb.runbook import Document, Runbook, RunbookType

ROOT = Path(__file__).resolve().parents[2]
RUNBOOKS = ROOT / "runbooks"
QUERIES = ROOT / "tests" / "eval"

SECTIONS = [
    "Symptoms",
    "Impact",
    "Diagnosis",
    "Recovery",
    "Verification",
    "Rollback",
    "Escalation",
    "Prevention",
    "Time to recover",
]
AREAS = {"databases", "etcd", "kubernetes", "messaging", "network", "node", "prometheus"}

_BLANK = re.compile(r"<[a-z][a-z0-9_]*>")
_CHANGES = re.compile(
    r"\bkubectl\b.*\s(?:delete|drain|undo|restart|scale|patch|replace|cordon|uncordon|taint)\s"
    r"|(?<!-)\brm\s|\s-delete\b|pg_terminate_backend|pg_drop_replication_slot|pg_promote"
    r"|systemctl (?:restart|stop|reload-or-restart)|mdadm .*--(?:fail|remove|add|stop|assemble)\b|\bkill -"
    r"|etcdctl .*\s(?:defrag|compaction|alarm disarm|snapshot restore|member remove|move-leader)\b"
    r"|UNLINK|XTRIM|REPLICAOF|SENTINEL FAILOVER|CLIENT KILL|CONFIG SET|--reset-offsets|--delete-config"
)


def parse(path: Path) -> Document:
    return parse_document(path.read_bytes(), path=path.relative_to(RUNBOOKS).as_posix())


DOCUMENTS = {path.relative_to(RUNBOOKS).as_posix(): parse(path) for path in sorted(RUNBOOKS.rglob("*.md"))}
FULL = [path for path in DOCUMENTS if PurePosixPath(path).parts[1] in AREAS]
ENTRIES: dict[str, Runbook] = {r.id: r for document in DOCUMENTS.values() for r in document.runbooks}


def rows(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (QUERIES / name).read_text(encoding="utf-8").splitlines()]


def joined(command: str) -> list[str]:
    return command.replace("\\\n", " ").splitlines()


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_bundled_file_parses_without_a_problem(path: str) -> None:
    assert DOCUMENTS[path].problems == ()


def test_at_least_thirty_nine_full_runbooks_are_bundled() -> None:
    assert len(FULL) >= 39


@pytest.mark.parametrize("path", FULL)
def test_a_full_runbook_has_the_nine_sections_in_order(path: str) -> None:
    sections = DOCUMENTS[path].runbooks[0].sections
    assert [section.title for section in sections if section.level == 2] == SECTIONS


@pytest.mark.parametrize("path", FULL)
def test_a_full_runbook_states_its_facts(path: str) -> None:
    runbook = DOCUMENTS[path].runbooks[0]
    assert runbook.id == PurePosixPath(path).stem
    assert runbook.type is RunbookType.STATIC
    assert all([runbook.severity, runbook.service, runbook.alerts, runbook.tags, runbook.owner, runbook.promql])
    assert runbook.reviewed is not None
    assert runbook.review_interval_days == 180


@pytest.mark.parametrize("path", DOCUMENTS)
def test_shell_blocks_are_valid_shell_once_their_blanks_are_filled(path: str) -> None:
    blocks = [c.text for s in DOCUMENTS[path].runbooks[0].sections for c in s.commands if c.language == "bash"]
    script = "\n".join(_BLANK.sub("7", block) for block in blocks)
    checked = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert checked.stderr == ""


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_command_that_changes_something_follows_a_warning(path: str) -> None:
    bare = [
        command.text
        for section in DOCUMENTS[path].runbooks[0].sections
        for command in section.commands
        if command.language == "bash"
        and any(_CHANGES.search(line) for line in joined(command.text))
        and "Warning" not in command.lead
    ]
    assert bare == []


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_kubectl_command_names_its_cluster(path: str) -> None:
    lines = [
        line
        for section in DOCUMENTS[path].runbooks[0].sections
        for command in section.commands
        if command.language == "bash"
        for line in joined(command.text)
    ]
    assert [line for line in lines if line.count("kubectl ") > line.count("--context <cluster>")] == []


@pytest.mark.parametrize("path", DOCUMENTS)
def test_links_between_runbooks_lead_somewhere(path: str) -> None:
    broken = []
    for section in DOCUMENTS[path].runbooks[0].sections:
        for link in section.links:
            file, _, anchor = link.target.partition("#")
            if "://" in file:
                continue
            target = (RUNBOOKS / path).parent.joinpath(file).resolve() if file else RUNBOOKS / path
            found = DOCUMENTS.get(target.relative_to(RUNBOOKS).as_posix())
            if found is None or (anchor and anchor not in {s.anchor for s in found.runbooks[0].sections}):
                broken.append(link.target)
    assert broken == []


def test_no_alert_belongs_to_two_runbooks() -> None:
    names = Counter(alert for runbook in ENTRIES.values() for alert in runbook.alerts)
    assert [name for name, count in names.items() if count > 1] == []


def test_agent_md_gives_each_of_its_alerts_an_entry_with_description_steps_and_causes() -> None:
    entries = DOCUMENTS["static/agent.md"].runbooks[1:]
    assert len(entries) == 17
    for entry in entries:
        positions = [
            entry.text.find(f"**{part}**") for part in ("Description", "Diagnosis Steps", "Common Causes & Fixes")
        ]
        assert -1 not in positions, entry.id
        assert positions == sorted(positions), entry.id


def test_every_query_has_an_answer_that_exists() -> None:
    sections, golden = rows("sections.jsonl"), rows("golden.jsonl")
    assert (len(sections), len(golden)) == (60, 60)
    assert len({row["id"] for row in [*sections, *golden]}) == 120
    assert [row["id"] for row in [*sections, *golden] if row["runbook"] not in ENTRIES] == []
    lost = [
        row["id"]
        for row in sections
        if row["section"] not in {section.anchor for section in ENTRIES[row["runbook"]].sections}
    ]
    assert lost == []


def test_the_section_queries_are_fifteen_alerts_fifteen_lines_twenty_questions_and_ten_short_ones() -> None:
    forms = Counter(row["id"].split("-")[1] for row in rows("sections.jsonl"))
    assert forms == {"alert": 15, "log": 15, "question": 20, "short": 10}
