"""Blanks in commands: `tests/cases/placeholders/placeholders.yaml`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kb.placeholders import find_parameters

CASES = Path(__file__).parent.parent / "cases" / "placeholders" / "placeholders.yaml"


@pytest.mark.parametrize("case", yaml.safe_load(CASES.read_text(encoding="utf-8")), ids=lambda case: case["text"][:60])
def test_blanks_are_found_and_nothing_else(case: Mapping[str, Any]) -> None:
    found = find_parameters(case["text"], language=case.get("language", "bash"))

    assert {parameter.name: list(parameter.spellings) for parameter in found} == case["blanks"]


@given(st.text(max_size=400), st.sampled_from(["bash", "", "sql", "yaml", "python", "promql", "html"]))
def test_no_text_is_too_odd_to_look_for_blanks(text: str, language: str) -> None:
    for parameter in find_parameters(text, language=language):
        assert parameter.name
        assert all(spelling in text for spelling in parameter.spellings)
