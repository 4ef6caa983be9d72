"""The pages on imports and on the severity policy say what the code does."""

import json
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.housekeeping import EVENTS_KEPT, UNSEEN_EVENTS_KEPT
from api.imports.export_format import ExportFormat
from api.imports.incident_fields import ALIASES, Telling, canonical, incident_of
from api.imports.incident_file import EXPORT_FORMATS
from api.imports.json_entries import LIST_KEYS
from indexer.search import MAX_PRIOR, WEIGHTS
from kb import feedback
from kb.durations import parse_duration
from kb.feedback_weight import RECURRED
from kb.search_log import KEPT
from kb.severity import Severity
from kb.severity_policy import DEFAULT_POLICY
from kb.severity_policy_config import policy_from
from learner import alert_rules, gaps, resources, upkeep
from learner.heeding import MAX_SAY
from learner.insight import InsightKind
from learner.recurrence import RECURS_WITHIN

DOCS = Path(__file__).parents[2] / "docs" / "reference"


def section(page: str, title: str) -> str:
    parts = re.split(r"^## ", (DOCS / page).read_text(), flags=re.MULTILINE)
    (found,) = [part for part in parts if part.split("\n", 1)[0] == title]
    return found


def table(text: str) -> dict[str, tuple[str, ...]]:
    rows = re.findall(r"^\| ([a-z_]+) \| (`.*`) \|$", text, flags=re.MULTILINE)
    return {field: tuple(re.findall(r"`([^`]+)`", cells)) for field, cells in rows}


@pytest.mark.parametrize("export", EXPORT_FORMATS.values(), ids=lambda export: export.name)
def test_the_columns_of_every_export_are_those_of_the_page(export: ExportFormat) -> None:
    text = section("incident-imports.md", export.title)
    assert table(text) == dict(export.columns)
    (besides,) = re.findall(r"^Read besides: (.*)\.$", text, flags=re.MULTILINE)
    assert tuple(re.findall(r"`([^`]+)`", besides)) == export.also_read


def test_the_names_of_our_own_fields_are_those_of_the_page() -> None:
    assert table(section("incident-imports.md", "Our own files")) == dict(ALIASES)


def test_the_keys_that_hold_lists_are_those_of_the_page() -> None:
    told = section("incident-imports.md", "Containers")
    assert all(f"`{key.decode()}`" in told for key in LIST_KEYS)


def test_the_example_of_our_own_file_is_an_incident() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", (DOCS / "incident-imports.md").read_text(), flags=re.DOTALL)
    one = incident_of(canonical(json.loads(example), strict=True), Telling("anna", datetime(2026, 4, 1, tzinfo=UTC)))
    assert one.resolution is not None
    assert [action.outcome.value for action in one.resolution.actions] == ["did not help", "helped"]


def test_the_default_policy_is_that_of_the_page() -> None:
    text = section("severity-policy.md", "Defaults")
    for severity, level in DEFAULT_POLICY.levels.items():
        (row,) = re.findall(rf"^\| {severity.value} \({level.code}\) \| (.*) \|$", text, flags=re.MULTILINE)
        shown = [level.definition, level.respond_within_s, level.resolve_within_s, level.escalation[0].to]
        means, answer, resolve, called = row.split(" | ")
        times = [parse_duration(answer), parse_duration(resolve)]
        assert [means, *times, called] == shown
    assert re.findall(r"^\| ([a-z-]+) \| [A-Z]", text, flags=re.MULTILINE) == [
        duty.id for duty in DEFAULT_POLICY.duties
    ]


def test_the_example_of_a_policy_is_one() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", (DOCS / "severity-policy.md").read_text(), flags=re.DOTALL)
    policy = policy_from(tomllib.loads(example)["severity_policy"])
    assert policy.levels[Severity.CRITICAL].respond_within_s == 180
    assert policy.levels[Severity.LOW].resolve_within_s == 1209600
    assert [duty.id for duty in policy.duties] == ["stakeholders", "status-page", "report", "postmortem", "legal"]


def test_the_figures_on_feedback_and_insights_are_those_of_the_code() -> None:
    text = " ".join((DOCS.parent / "explanation" / "feedback-and-insights.md").read_text().split())
    for told in (
        f"{feedback.HALF_LIFE.days} days and nothing after two years",
        f"(sum of weights + {feedback.PRIOR_VOTES:.0f})",
        f"came back within {RECURS_WITHIN.total_seconds() / 3600:.0f} hours | {RECURRED}",
        f"`{MAX_PRIOR} × value`, on a scale where a perfect match has {sum(WEIGHTS.values()):.0f}",
        f"`{MAX_SAY} × value` higher",
        f"helped in {resources.MIN_WORKED} incidents or more",
        f"in no answer for {upkeep.WATCHED_DAYS:.0f} days",
        f"({upkeep.MIN_TOLD} outcomes or more)",
        f"{gaps.MIN_PEOPLE} people, or one person on {gaps.MIN_DAYS} days",
        f"from {alert_rules.MIN_OFTEN} incidents on",
        f"from {alert_rules.MIN_TIMES} on",
        f"Searches after {KEPT.days} days",
        f"seen after {EVENTS_KEPT.days} days and all others after {UNSEEN_EVENTS_KEPT.days}",
    ):
        assert told in text
    page = (DOCS.parent / "explanation" / "feedback-and-insights.md").read_text()
    listed = page.partition("## Insights")[2].partition("###")[0]
    rows = re.findall(r"^\| ([a-z ]+) \| .* \| .* \|$", listed, re.MULTILINE)
    assert rows[1:] == [kind.value for kind in InsightKind]
