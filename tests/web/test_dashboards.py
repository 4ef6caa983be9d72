"""Dashboards put numbers together without bending them."""

from datetime import date, timedelta

from api.learning.acts import TrendDay
from api.learning.overviews import LearntWeek
from api.web.incident_dashboard import incident_dashboard
from api.web.learning_dashboard import learning_dashboard
from api.web.urls import Urls
from kb.pattern import Interval, Quantiles, Rate
from kb.review_records import DayCount
from kb.severity import Severity
from learner.accuracy import Accuracy, AccuracyWeek, Judged, ResponseTimes

MONDAY = date(2026, 11, 2)
URLS = Urls()
ALL = Interval(0.0, 1.0)
NOBODY = Judged(0, 0, 0, Rate(0, 0, None, ALL), Rate(0, 0, None, ALL))
DRAFTS = Judged(4, 2, 1, Rate(2, 3, 2 / 3, Interval(0.09, 0.99)), Rate(3, 4, 0.75, Interval(0.19, 0.99)))


def days(count: int) -> list[TrendDay]:
    first = TrendDay(MONDAY, {Severity.CRITICAL: 1, None: 2}, 2, 600.0)
    rest = [TrendDay(MONDAY + timedelta(days=number), {}, 0, None) for number in range(1, count)]
    return [first, *rest]


def test_days_are_stacked_by_severity_worst_first_and_the_unknown_last() -> None:
    screen = incident_dashboard(days(7), (), (), until=None, urls=URLS)
    severities, lengths = screen.charts
    assert [(series.name, series.values[0]) for series in severities.series] == [("Critical", 1.0), ("Not told", 2.0)]
    assert severities.summary == "3 incidents, 1 of them critical."
    assert lengths.series[0].values == (10.0, None, None, None, None, None, None)
    assert [(figure.name, figure.value) for figure in screen.figures] == [
        ("Incidents", "3"),
        ("Not resolved", "1"),
        ("Median length", "10 min"),
        ("Rising patterns", "0"),
    ]
    assert screen.notice == ""


def test_a_quarter_is_shown_by_week_and_loses_no_incident() -> None:
    screen = incident_dashboard(days(90), (), (), until=None, urls=URLS)
    chart = screen.charts[0]
    assert (chart.label_title, chart.labels[0], len(chart.labels)) == ("Week of", "2026-11-02", 13)
    assert sum(sum(value or 0 for value in series.values) for series in chart.series) == 3
    assert screen.charts[1].summary == "The middle one of the days' medians."


def test_a_span_in_the_past_says_so() -> None:
    assert incident_dashboard(days(7), (), (), until=MONDAY, urls=URLS).notice == (
        "No incident began in the last 7 days. These are the 7 days to 2026-11-02."
    )
    empty = [TrendDay(MONDAY, {}, 0, None)]
    assert incident_dashboard(empty, (), (), until=None, urls=URLS).notice.startswith("There are no incidents yet")


def test_response_times_are_compared_only_where_a_runbook_was_used() -> None:
    times = [
        ResponseTimes(severity, used, Quantiles(1, p50_s=60.0), Quantiles(1, p50_s=600.0, p90_s=900.0))
        for severity, used in (
            (Severity.HIGH, None),
            (Severity.HIGH, False),
            (Severity.LOW, None),
            (Severity.LOW, True),
        )
    ]
    (table,) = incident_dashboard(days(7), (), times, until=None, urls=URLS).tables
    assert [row[0].text for row in table.rows] == ["High, all", "Low, all", "Low, with a runbook"]
    assert [cell.text for cell in table.rows[0][1:]] == ["1", "1 min", "10 min", "15 min"]


def test_learning_is_told_with_what_people_said_of_it() -> None:
    week = AccuracyWeek(MONDAY, NOBODY, DRAFTS, NOBODY)
    screen = learning_dashboard(
        [LearntWeek(MONDAY, 5, 1, 0)],
        {MONDAY: DayCount(1, 1, 0, 0), MONDAY + timedelta(days=2): DayCount(0, 0, 1, 0)},
        (),
        (),
        Accuracy((week,), NOBODY, DRAFTS, NOBODY),
        covered=0,
        waiting=2,
        days=90,
        urls=URLS,
    )
    learnt, stood, sure, decided = screen.charts
    assert [series.values for series in learnt.series] == [(5.0,), (1.0,), (0.0,)]
    assert [series.values for series in stood.series] == [(None,), (75.0,), (None,)]
    assert sure.is_empty
    assert [(series.name, series.values) for series in decided.series] == [
        ("Approved", (1.0,)),
        ("Rejected", (1.0,)),
        ("Taken back", (0.0,)),
    ]
    (table,) = screen.tables
    assert [cell.text for cell in table.rows[0]] == ["Drafts", "4", "2", "1", "67 % (9 to 99 %)", "75 % (19 to 99 %)"]
