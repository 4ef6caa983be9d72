"""Files and what parsing them must give: `tests/cases/markdown/*.yaml`. A case names only what it is about."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from kb.markdown import parse_document
from kb.runbook import Document, Runbook

CASES = Path(__file__).parent.parent / "cases" / "markdown"


def _load() -> list[Any]:
    return [
        pytest.param(case, id=f"{path.stem}: {case['name']}")
        for path in sorted(CASES.glob("*.yaml"))
        for case in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]


VIEWS: Mapping[str, Callable[[Runbook], object]] = {
    "sections": lambda runbook: [[s.level, s.title, s.anchor] for s in runbook.sections],
    "paths": lambda runbook: [list(s.path) for s in runbook.sections],
    "commands": lambda runbook: [[c.language, c.text] for s in runbook.sections for c in s.commands],
    "languages": lambda runbook: [c.language for s in runbook.sections for c in s.commands],
    "leads": lambda runbook: [c.lead for s in runbook.sections for c in s.commands],
    "parameters": lambda runbook: [[p.name for p in c.parameters] for s in runbook.sections for c in s.commands],
    "tables": lambda runbook: [
        [list(t.header), [list(row) for row in t.rows]] for s in runbook.sections for t in s.tables
    ],
    "checklist": lambda runbook: [[item.text, item.done] for s in runbook.sections for item in s.checklist],
    "links": lambda runbook: [[link.text, link.target] for s in runbook.sections for link in s.links],
    "steps": lambda runbook: [dict(step) for step in runbook.steps],
    "metadata": lambda runbook: dict(runbook.metadata),
    "reviewed": lambda runbook: runbook.reviewed.isoformat() if runbook.reviewed else None,
}


def _view(runbook: Runbook, key: str) -> object:
    if key in VIEWS:
        return VIEWS[key](runbook)
    value = getattr(runbook, key)
    return list(value) if isinstance(value, tuple) else value


def _seen(document: Document, expected: Mapping[str, Any]) -> dict[str, object]:
    seen: dict[str, object] = {}
    for key, wanted in expected.items():
        if key == "problems":
            seen[key] = [problem.code for problem in document.problems]
        elif key == "entries":
            entries = document.runbooks[1:]
            keys = [list(entry) for entry in wanted] + [["id"]] * (len(entries) - len(wanted))
            seen[key] = [{key: _view(entry, key) for key in names} for entry, names in zip(entries, keys, strict=False)]
        else:
            seen[key] = _view(document.runbooks[0], key)
    return seen


@pytest.mark.parametrize("case", _load())
def test_a_file_is_understood_as_its_author_meant_it(case: Mapping[str, Any]) -> None:
    document = parse_document(case["text"].encode("utf-8"), path=case["path"])

    assert _seen(document, case["expect"]) == case["expect"]
