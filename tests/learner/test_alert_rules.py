"""Alerting rules out of patterns: what becomes one, and that Prometheus itself takes every file we write."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb.incident import Incident
from kb.pattern import Pattern
from learner.alert_rules import alert_rules, is_condition, prometheus_rules, quoted, usual_in_a_week
from learner.distill import distill

Make = Callable[..., Incident]
RISING_DAYS = [0, 100, 190, *range(192, 200)]
HOSTILE_NAMES = [
    'Quote" and \\ and {{ $labels.x }} and {{{ .Value }}',
    "line\nbreak\r\ttab\x00nul\x7f\x85",
    "umlaut ü, kana 日本, face 🚨, lone \ud83d surrogate",
    "{{",
    "'; DROP",
    "- a: b # c",
    "%{x} }} {{ end }}",
    "\u2028\u2029\ufeff",
    "x" * 5000,
]


def learnt(incidents: list[Incident], *, name: str = "", pattern_id: str = "pat-1") -> Pattern:
    now = max(one.started_at for one in incidents) + timedelta(days=1)
    return distill(pattern_id, incidents, now=now, given_name=name)


def rising(make: Make, alert: str = "QueueGrowing", **more: str) -> Pattern:
    return learnt([make(day, alerts=(alert,)) for day in RISING_DAYS], **more)


def triggered(make: Make, trigger: str, times: int = 3, **more: str) -> Pattern:
    return learnt([replace(make(day), trigger=trigger) for day in range(times)], **more)


class TestRules:
    def test_an_alert_that_rises_is_warned_of_when_it_comes_more_often_than_it_used_to(self, incident: Make) -> None:
        rule = next(rule for rule in alert_rules([rising(incident)]) if rule.name == "RecurringQueueGrowing")
        assert rule.expr == (
            'count(count_over_time(ALERTS_FOR_STATE{alertname="QueueGrowing"}[7d])) + '
            'sum(changes(ALERTS_FOR_STATE{alertname="QueueGrowing"}[7d])) > 1'
        )
        assert rule.is_news
        assert len(rule.incident_ids) == 9

    def test_the_bar_is_what_a_week_may_bring_by_chance(self, incident: Make) -> None:
        daily = learnt([incident(day, alerts=("QueueGrowing",)) for day in range(28)])
        assert usual_in_a_week(daily) == 13  # 28 in 27 days: 7.26 a week; Poisson: 97.5 % of weeks have at most 13
        weekly = learnt([incident(7 * week, alerts=("QueueGrowing",)) for week in range(10)])
        assert usual_in_a_week(weekly) == 4  # 10 in 63 days: 1.11 a week; 97.4 % of weeks have at most 3

    def test_an_alert_that_lasts_longer_than_nine_of_ten_did_is_warned_of(self, incident: Make) -> None:
        six = [incident(n, alerts=("QueueGrowing",), duration_s=60.0 * (n + 1)) for n in range(6)]
        lasting = next(rule for rule in alert_rules([learnt(six)]) if rule.name == "LastingQueueGrowing")
        assert lasting.expr == 'time() - min(ALERTS_FOR_STATE{alertname="QueueGrowing"}) > 330'
        assert lasting.says == "Queue growing: QueueGrowing has lasted 5m30s, longer than 9 of 10 did"

    def test_a_trigger_that_no_alert_watches_becomes_an_alert(self, incident: Make) -> None:
        (rule,) = alert_rules([triggered(incident, '`agent_health{agent="requirements_agent"} == 0`')])
        assert rule.expr == 'agent_health{agent="requirements_agent"} == 0'
        assert rule.incident_ids == ("inc-0", "inc-1", "inc-2")
        assert rule.is_news

    def test_a_trigger_that_one_incident_names_or_that_has_its_alert_is_left_alone(self, incident: Make) -> None:
        assert alert_rules([triggered(incident, "pg_up == 0", times=1)]) == ()
        with_alert = [replace(incident(n, alerts=("PgDown",)), trigger="pg_up == 0") for n in range(3)]
        assert alert_rules([learnt(with_alert)]) == ()

    def test_little_evidence_makes_no_rule_and_no_rules_make_no_file(self, incident: Make) -> None:
        assert prometheus_rules([learnt([incident(1, alerts=("QueueGrowing",))])]) == ""
        assert prometheus_rules([]) == ""

    def test_two_patterns_of_one_alert_make_one_rule_of_each_kind(self, incident: Make) -> None:
        rules = alert_rules([rising(incident), rising(incident, pattern_id="pat-2")])
        assert sorted(rule.name for rule in rules) == ["LastingQueueGrowing", "RecurringQueueGrowing"]

    def test_the_file_is_the_same_whatever_the_order(self, incident: Make) -> None:
        patterns = [rising(incident), rising(incident, "DiskFull", pattern_id="pat-2"), triggered(incident, "a_b > 1")]
        assert prometheus_rules(patterns) == prometheus_rules(patterns[::-1])


@pytest.mark.parametrize(
    "text",
    [
        "pg_up == 0",
        "http_request_duration_p95 > 2000",
        'agent_health{agent="requirements_agent"} == 0',
        'up_total{job=~"api.*|web",env!="dev"} < 1.5',
        "sum by (job) (rate(http_errors_total[5m])) > 10",
        "absent(node_load1_now) == 1",
        "max without (instance, pod) (job:latency:p99) >= -3",
    ],
)
def test_a_comparison_of_a_metric_is_a_condition(text: str) -> None:
    assert is_condition(text)


@pytest.mark.parametrize(
    "text",
    [
        "the disk is full",
        "load > 3",  # a word before a number; a metric has a namespace
        "pg_up",
        "pg_up == zero",
        "pg_up == 0; rm -rf /",
        "sum(rate(x_y)) > 1",
        "rate(x_y[0m]) > 1",
        'x_y{__name__="z"} > 1',
        'x_y{a=~"*"} > 1',
        'x_y{a=~"("} > 1',
        'x_y{a="\\q"} > 1',
        "count_values > 1",
        "a_b > 1 and on() vector(1)",
        "a_b > 1 # " + "x" * 400,
        "",
    ],
)
def test_what_might_not_be_promql_is_none(text: str) -> None:
    assert not is_condition(text)


@given(st.text())
def test_a_quoted_text_is_read_back_by_yaml(text: str) -> None:
    same = "".join("\ufffd" if "\ud800" <= ch <= "\udfff" else ch for ch in text)
    assert yaml.safe_load(quoted(text)) == same
    assert quoted(text).isascii()
    assert quoted(text).isprintable()


class TestPrometheusTakesThem:
    pytestmark = pytest.mark.integration

    @pytest.fixture
    def promtool(self, repository: Path) -> str:
        own = repository / "build" / "promtool"  # where `make test` puts it
        found = shutil.which("promtool") or (str(own) if own.is_file() else None)
        if found is None:
            pytest.skip("promtool is not installed; `make system-packages` fetches Debian's")
        return found

    def check(self, promtool: str, path: Path, text: str) -> str:
        path.write_text(text, encoding="ascii")
        done = subprocess.run([promtool, "check", "rules", str(path)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr + text
        assert "duplicate rule" not in done.stdout + done.stderr
        return done.stdout

    def test_every_sort_of_rule_is_accepted(self, promtool: str, incident: Make, tmp_path: Path) -> None:
        triggers = [
            "pg_up == 0",
            'up_total{job=~"api.*|web",env!="dev"} < 1.5',
            "sum by (job) (rate(http_errors_total[5m])) > 10",
            "absent(node_load1_now) == 1",
            "max without (instance, pod) (job:latency:p99) >= -3",
        ]
        patterns = [rising(incident)]
        patterns += [triggered(incident, text, pattern_id=f"pat-t{n}") for n, text in enumerate(triggers)]
        text = prometheus_rules(patterns)
        assert "SUCCESS: 7 rules found" in self.check(promtool, tmp_path / "rules.yml", text)

    def test_names_that_try_to_break_out_are_accepted_as_text(
        self, promtool: str, incident: Make, tmp_path: Path
    ) -> None:
        patterns = [
            rising(incident, alert, name=name, pattern_id=f"pat-{n}")
            for n, (alert, name) in enumerate(zip(HOSTILE_NAMES, reversed(HOSTILE_NAMES), strict=True))
        ]
        text = prometheus_rules(patterns)
        self.check(promtool, tmp_path / "rules.yml", text)
        (group,) = yaml.safe_load(text)["groups"]
        summaries = [rule["annotations"]["summary"] for rule in group["rules"]]
        assert len(summaries) == 2 * len(HOSTILE_NAMES)
        assert not any("{{" in summary for summary in summaries)

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(names=st.lists(st.text(min_size=1, max_size=30), min_size=20, max_size=20))
    def test_any_names_at_all_are_accepted(
        self, promtool: str, incident: Make, tmp_path: Path, names: list[str]
    ) -> None:
        patterns = [rising(incident, name, name=name, pattern_id=f"pat-{n}") for n, name in enumerate(names)]
        self.check(promtool, tmp_path / "rules.yml", prometheus_rules(patterns))
