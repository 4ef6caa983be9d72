"""What patterns ask people to do: each insight, its evidence, and what acts on it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from kb.incident import ActionOutcome, Incident
from kb.pattern import Pattern
from learner.distill import distill
from learner.gaps import find_gaps
from learner.insight import ActionKind, FailedSearch, Insight, InsightKind, RunbookUse, Surroundings
from learner.insights import find_insights
from learner.resources import find_resource_hints
from learner.upkeep import find_upkeep

Make = Callable[..., Incident]
HELPED, FAILED, WORSE = ActionOutcome.HELPED, ActionOutcome.DID_NOT_HELP, ActionOutcome.MADE_WORSE
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def learnt(incidents: list[Incident], pattern_id: str = "pat-1") -> Pattern:
    return distill(pattern_id, incidents, now=max(i.started_at for i in incidents) + timedelta(days=1))


def did(make: Make, text: str, outcomes: list[ActionOutcome], **more: object) -> list[Incident]:
    by = ["ana", "ben", "cem"]
    return [make(n, actions=((text, one),), by=by[n % 3], **more) for n, one in enumerate(outcomes)]


def kinds(insights: tuple[Insight, ...] | list[Insight]) -> list[InsightKind]:
    return [insight.kind for insight in insights]


class TestPatternsAlone:
    def test_harm_and_a_missing_runbook_are_named_with_their_incidents(self, incident: Make) -> None:
        acts = (("Restart consumer", HELPED), ("Purge queue", WORSE))
        pattern = learnt([incident(n, actions=acts, by=by) for n, by in enumerate(["ana", "ben", "ana"])])
        harm, gap = find_insights([pattern], covered={})
        assert (harm.kind, harm.incident_ids) == (InsightKind.HARMFUL_ACTION, ("inc-0", "inc-1", "inc-2"))
        assert harm.text == "Checkout queue is growing: Purge queue made it worse in 3 of 3 incidents"
        assert (gap.kind, gap.action.kind, gap.action.subject) == (
            InsightKind.NO_RUNBOOK,
            ActionKind.DRAFT_RUNBOOK,
            "pat-1",
        )
        assert kinds(find_insights([pattern], covered={"pat-1": "queue"})) == [InsightKind.HARMFUL_ACTION]

    def test_where_a_draft_waits_the_missing_runbook_leads_to_its_review(self, incident: Make) -> None:
        pattern = learnt([incident(n) for n in range(3)])
        (gap,) = find_insights([pattern], covered={}, around=Surroundings(reviews={"pat-1": "rev-9"}))
        assert (gap.action.kind, gap.action.subject) == (ActionKind.OPEN_REVIEW, "rev-9")

    def test_a_rising_pattern_shows_the_incidents_that_make_it_rise(self, incident: Make) -> None:
        days = [0, 100, 190, *range(192, 200)]
        pattern = learnt([incident(day, alerts=("QueueGrowing",)) for day in days])
        found = {one.kind: one for one in find_insights([pattern], covered={"pat-1": "queue"})}
        rising = found[InsightKind.RISING]
        assert rising.text == "Queue growing: 9 in the last 50 days, 0 before that"
        assert rising.incident_ids == ("inc-190", *(f"inc-{day}" for day in range(192, 200)))
        rule = found[InsightKind.ALERT_RULE]
        assert (rule.action.kind, rule.action.subject) == (ActionKind.COPY_RULES, "pat-1")

    def test_prevention_tells_how_often_it_happened_after_it_was_asked_for(self, incident: Make) -> None:
        plain = [incident(n) for n in range(6)]
        asked = [replace(one, prevention=("Alert on lag",)) if n in (1, 3) else one for n, one in enumerate(plain)]
        (found,) = find_insights([learnt(asked)], covered={"pat-1": "queue"})
        assert found.text == (
            "Checkout queue is growing: 2 incidents ask for “Alert on lag”; it happened 4 times after the first of them"
        )
        assert found.incident_ids == ("inc-1", "inc-3")

    def test_what_lasts_long_is_told(self, incident: Make) -> None:
        (found,) = find_insights([learnt([incident(n, duration_s=7200.0) for n in range(3)])], covered={"pat-1": "q"})
        assert (found.kind, found.weight) == (InsightKind.SLOW_RECOVERY, 2.0)
        assert found.text == "Checkout queue is growing: half of them last longer than 120 minutes"


class TestResources:
    def test_what_is_raised_by_hand_again_and_again_is_a_hint_in_the_incidents_words(self, incident: Make) -> None:
        pattern = learnt(did(incident, "Increase memory limit of the consumer", [HELPED, HELPED, FAILED, HELPED]))
        (hint,) = find_resource_hints([pattern])
        assert hint.incident_ids == ("inc-0", "inc-1", "inc-3")
        assert hint.text == (
            "Memory: raised by hand in 3 incidents (Checkout queue is growing); “Increase memory limit of the "
            "consumer” worked in 3 of 4: give it more for good, or let it grow by itself"
        )

    def test_the_resource_may_be_named_by_the_pattern_alone(self, incident: Make) -> None:
        pattern = learnt(did(incident, "Delete old logs", [HELPED] * 3, title="Disk almost full on database"))
        assert [hint.text.split(":")[0] for hint in find_resource_hints([pattern])] == ["Disk space"]

    def test_what_an_action_cannot_have_freed_is_not_laid_to_it(self, incident: Make) -> None:
        full = "Disk almost full on database"
        for text in ("Rotated credentials", "Restart the exporter", "Scaled up", "Added a region"):
            assert find_resource_hints([learnt(did(incident, text, [HELPED] * 3, title=full))]) == []

    def test_a_restart_gives_back_what_processes_hold(self, incident: Make) -> None:
        pattern = learnt(did(incident, "Restart the worker pods", [HELPED] * 3, title="Heap of api is exhausted"))
        (hint,) = find_resource_hints([pattern])
        assert hint.text.startswith("Memory: won back by restarts in 3 incidents")

    def test_patterns_of_one_resource_make_one_hint(self, incident: Make) -> None:
        first = learnt(did(incident, "Close idle connections", [HELPED] * 2), "pat-1")
        other = did(incident, "Kill idle connections", [HELPED] * 2, title="Postgres connections exhausted")
        second = learnt([replace(one, id=f"other-{one.id}") for one in other], "pat-2")
        (hint,) = find_resource_hints([first, second])
        assert len(hint.incident_ids) == 4
        assert "2 patterns" in hint.text

    def test_what_failed_or_is_of_no_resource_or_gives_less_is_no_hint(self, incident: Make) -> None:
        failed = learnt(did(incident, "Increase memory limit", [FAILED] * 5))
        other = learnt(did(incident, "Roll back the release", [HELPED] * 5))
        less = learnt(did(incident, "Scale down the worker threads", [HELPED] * 5))
        rare = learnt(did(incident, "Increase memory limit", [HELPED] * 2))
        assert find_resource_hints([failed, other, less, rare]) == []


class TestUpkeep:
    USE = RunbookUse("queue", "Queue grows", "# Queue grows\n\nRestart the consumer first.\n", shown=3)

    def find(self, pattern: Pattern | None, use: RunbookUse, **more: object) -> list[Insight]:
        around = Surroundings(today=date(2026, 3, 2), runbooks=(use,), **more)  # type: ignore[arg-type]
        return find_upkeep([pattern] if pattern else [], {"pat-1": "queue"}, around)

    def test_a_runbook_that_lacks_what_worked_is_told_so(self, incident: Make) -> None:
        pattern = learnt(did(incident, "Add partitions to the topic", [HELPED, HELPED, HELPED]))
        (found,) = self.find(pattern, self.USE)
        assert found.text == (
            "Queue grows does not say what ended Checkout queue is growing: “Add partitions to the topic” "
            "worked in 3 of 3"
        )
        assert (found.action.kind, found.action.subject) == (ActionKind.EDIT_RUNBOOK, "queue")
        (waiting,) = self.find(pattern, self.USE, reviews={"pat-1": "rev-1"})
        assert (waiting.action.kind, waiting.action.subject) == (ActionKind.OPEN_REVIEW, "rev-1")

    def test_a_runbook_that_says_it_in_other_words_lacks_nothing(self, incident: Make) -> None:
        pattern = learnt(did(incident, "Restarted consumer", [HELPED, HELPED, HELPED]))
        assert self.find(pattern, self.USE) == []

    def test_an_alert_that_the_runbook_does_not_name_is_told(self, incident: Make) -> None:
        pattern = learnt(did(incident, "Restart consumer", [HELPED] * 3, alerts=("QueueGrowing",)))
        (found,) = self.find(pattern, self.USE)
        assert found.text.startswith("Queue grows does not name QueueGrowing, which 3 incidents")
        assert self.find(pattern, replace(self.USE, alerts=("QueueGrowing",))) == []

    def test_advice_that_fails_or_harms_contradicts_the_runbook(self, incident: Make) -> None:
        failing = learnt(did(incident, "Restart the consumer", [FAILED] * 6))
        (found,) = self.find(failing, self.USE)
        assert found.kind is InsightKind.RUNBOOK_CONTRADICTED
        assert "says “Restart the consumer”, which worked in 0 of 6 incidents" in found.text
        (harm,) = self.find(learnt(did(incident, "Restart the consumer", [WORSE, WORSE, HELPED])), self.USE)
        assert "which made it worse in 2 of 3 incidents" in harm.text
        few = learnt(did(incident, "Restart the consumer", [FAILED] * 3))
        assert self.find(few, self.USE) == []

    def test_a_runbook_whose_use_fails_more_often_than_it_helps_is_contradicted(self) -> None:
        bad = replace(self.USE, resolved_ids=("a", "b"), failed_ids=("c",), recurred_ids=("b",))
        (found,) = self.find(None, bad)
        assert found.text == "Queue grows ended 1 of the 3 incidents that it was used for; 1 came back"
        assert found.incident_ids == ("c", "b")
        assert self.find(None, replace(bad, recurred_ids=())) == []
        assert self.find(None, replace(bad, failed_ids=())) == []

    def test_a_review_that_is_late_asks_to_be_marked(self) -> None:
        late = replace(self.USE, review_due=date(2026, 2, 20), opened=20)
        (found,) = self.find(None, late)
        assert found.text == "Queue grows was to be reviewed 10 days ago, and it was opened 20 times since"
        assert (found.action.kind, found.weight) == (ActionKind.MARK_REVIEWED, 3.0)
        assert self.find(None, replace(late, review_due=date(2026, 3, 2))) == []

    def test_runbooks_that_nobody_found_are_one_insight_once_searches_were_watched_long_enough(self) -> None:
        idle = [RunbookUse(f"r{n}", f"Runbook {n}", "") for n in range(8)]
        around = Surroundings(runbooks=(self.USE, *idle), watched_days=30.0)
        (found,) = find_upkeep([], {}, around)
        assert found.text == (
            "8 runbooks were in no answer for 30 days: Runbook 0, Runbook 1, Runbook 2, Runbook 3, Runbook 4 and 3 more"
        )
        assert found.runbook_ids == tuple(f"r{n}" for n in range(8))
        assert find_upkeep([], {}, replace(around, watched_days=10.0)) == []


class TestGaps:
    def search(self, number: int, query: str, who: str, day: int = 0) -> FailedSearch:
        return FailedSearch(f"s{number}", query, who, NOON + timedelta(days=day, seconds=number))

    def test_like_searches_of_several_people_are_one_gap(self) -> None:
        found = find_gaps(
            [
                self.search(1, "grafana login fails", "ana"),
                self.search(2, "login to Grafana failing", "ben"),
                self.search(3, "grafana login", "cem"),
                self.search(4, "vault sealed", "ana"),
            ]
        )
        (gap,) = found
        assert gap.text == (
            "“grafana login fails” and 1 like it: 3 people searched 3 times and found nothing that fits"
        )
        assert sorted(gap.search_ids) == ["s1", "s2", "s3"]
        assert (gap.action.kind, gap.action.subject) == (ActionKind.WRITE_RUNBOOK, "grafana login fails")

    def test_one_person_repeating_it_counts_once(self) -> None:
        many = [self.search(n, "vault sealed", "ana") for n in range(50)]
        assert find_gaps(many) == []
        (gap,) = find_gaps([*many, self.search(51, "vault is sealed", "ben")])
        assert gap.weight == 2.0

    def test_one_person_who_comes_back_on_three_days_misses_something(self) -> None:
        (gap,) = find_gaps([self.search(day, "vault sealed", "local", day) for day in range(3)])
        assert gap.text == "“vault sealed”: one person, on 3 days, searched 3 times and found nothing that fits"
        assert gap.weight == 1.0

    def test_hosts_and_numbers_do_not_keep_searches_apart(self) -> None:
        one = self.search(1, "node ip-10-0-3-4 not ready", "ana")
        assert len(find_gaps([one, self.search(2, "node worker-17 not ready", "ben")])) == 1

    def test_nothing_is_made_of_searches_without_words(self) -> None:
        assert find_gaps([self.search(1, "???", "ana"), self.search(2, "!", "ben"), self.search(3, "", "cem")]) == []


def test_insights_do_not_depend_on_the_order_in_which_things_are_told(incident: Make) -> None:
    titles = ["Disk almost full on database", "Checkout queue is growing", "Postgres connections exhausted"]
    acts = ["Delete old logs", "Increase memory limit", "Close idle connections"]
    patterns = []
    for n, (title, act) in enumerate(zip(titles, acts, strict=True)):
        told = did(incident, act, [HELPED, HELPED, WORSE, WORSE, HELPED], title=title)
        patterns.append(learnt([replace(one, id=f"{n}-{one.id}") for one in told], f"pat-{n}"))
    uses = tuple(RunbookUse(f"r{n}", f"Runbook {n}", f"{acts[n]}\n") for n in range(3))
    searches = tuple(FailedSearch(f"s{n}", "vault sealed", f"p{n}", NOON) for n in range(4))
    around = Surroundings(NOON.date(), {}, uses, searches, 40.0)
    backwards = Surroundings(NOON.date(), {}, uses[::-1], searches[::-1], 40.0)
    covered = {"pat-0": "r0", "pat-1": "r1"}
    found = find_insights(patterns, covered=covered, around=around)
    assert found == find_insights(patterns[::-1], covered=covered, around=backwards)
    assert len({insight.kind for insight in found}) >= 5
    assert [insight.weight for insight in found] == sorted((insight.weight for insight in found), reverse=True)
