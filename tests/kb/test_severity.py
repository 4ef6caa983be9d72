"""Five vocabularies, one scale: `tests/cases/severity/severity.yaml`."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kb.severity import Severity, parse_severity, severities_in, worst

CASES = Path(__file__).parent.parent / "cases" / "severity" / "severity.yaml"


@pytest.mark.parametrize(
    ("text", "level"),
    [(text, level) for level, texts in yaml.safe_load(CASES.read_text(encoding="utf-8")).items() for text in texts],
)
def test_a_severity_is_read_in_any_vocabulary(text: str, level: str | None) -> None:
    severity = parse_severity(text)

    assert (severity.value if severity else None) == level


@given(st.text(max_size=400))
def test_no_text_is_too_odd(text: str) -> None:
    assert parse_severity(text) in (None, *Severity)


@given(st.sampled_from(Severity))
def test_the_scale_reads_its_own_words(severity: Severity) -> None:
    assert parse_severity(severity.value) is severity
    assert parse_severity(severity.value.upper()) is severity


def test_a_list_of_choices_names_several_levels() -> None:
    assert severities_in("Critical | High | Medium | Low") == {
        Severity.CRITICAL,
        Severity.HIGH,
        Severity.MEDIUM,
        Severity.LOW,
    }


def test_the_worst_of_none_is_none() -> None:
    assert worst([]) is None
    assert worst([Severity.LOW, Severity.HIGH, Severity.INFO]) is Severity.HIGH
