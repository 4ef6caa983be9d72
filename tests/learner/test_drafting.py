"""What the learner asks people to review, when, and how often."""

from dataclasses import replace

import pytest

from kb.pattern import ChangeKind, PatternChange
from kb.principal import DISK
from kb.review_records import DraftKind, ReviewStatus
from kb.runbook import ReviewState
from kb.severity import Severity
from learner.draft_rules import DraftRules
from learner.drafting import Drafter
from tests.learner.draft_stage import ANNA, EVE, HELPED, USELESS, WORSE, Stage, new_stage

OPEN, APPROVED, REJECTED = ReviewStatus.OPEN, ReviewStatus.APPROVED, ReviewStatus.REJECTED


@pytest.fixture
def stage() -> Stage:
    return new_stage()


def test_a_recurring_pattern_becomes_a_draft_that_waits(stage: Stage) -> None:
    stage.learn("pat-a", 3)
    report = stage.drafter.run()
    review = stage.only_review()
    assert report.opened == [review.id]
    assert (review.draft.kind, review.draft.document_id) == (DraftKind.PATTERN, "queue-growing")
    stored = stage.runbooks.get("queue-growing")
    assert stored.document.path == "dynamic/patterns/queue-growing.md"
    assert (stored.state, stored.author) == (ReviewState.DRAFT, "sre-kb learner")
    assert stored.document.sha256 == review.draft.text_sha256
    assert stored.document.runbooks[0].alerts == ("QueueGrowing",)


def test_a_second_run_changes_nothing(stage: Stage) -> None:
    stage.learn("pat-a", 3)
    stage.drafter.run()
    before, revision = stage.all_reviews(), stage.runbooks.revision()
    assert not stage.drafter.run().has_changes
    assert not stage.new_drafter().run().has_changes
    assert (stage.all_reviews(), stage.runbooks.revision()) == (before, revision)


@pytest.mark.parametrize(
    ("incidents", "more", "kind"),
    [
        (2, {"severity": Severity.LOW}, None),
        (1, {"severity": Severity.CRITICAL}, DraftKind.INCIDENT),
        (1, {"severity": Severity.CRITICAL, "success": False}, None),
        (1, {"severity": Severity.CRITICAL, "actions": ()}, None),
        (3, {"actions": (), "diagnosis": ()}, None),
        (3, {"actions": ()}, DraftKind.PATTERN),
        (12, {"diagnosis": ()}, DraftKind.RESOLUTION),
        (12, {}, DraftKind.PATTERN),
        (4, {"diagnosis": ()}, DraftKind.PATTERN),
    ],
)
def test_a_pattern_is_worth_one_draft_or_none(
    stage: Stage, incidents: int, more: dict[str, object], kind: DraftKind | None
) -> None:
    stage.learn("pat-a", incidents, day=55, **more)
    stage.drafter.run()
    assert [review.draft.kind for review in stage.all_reviews()] == ([kind] if kind else [])


def test_each_kind_has_its_folder(stage: Stage) -> None:
    stage.learn("pat-a", 1, alerts=("VolumeGone",), severity=Severity.CRITICAL, day=58)
    stage.learn("pat-b", 12, alerts=("CertExpired",), diagnosis=())
    stage.drafter.run()
    assert sorted(stage.files) == [
        "dynamic/incidents/2026-05-02-volume-gone.md",
        "dynamic/resolutions/auto-generated/cert-expired.md",
    ]


def test_new_evidence_updates_the_open_draft_and_never_adds_a_second(stage: Stage) -> None:
    stage.learn("pat-a", 3)
    stage.drafter.run()
    first = stage.only_review()
    stage.learn("pat-a", 2, actions=(("Scale the consumer out", HELPED),))
    report = stage.drafter.run()
    review = stage.only_review()
    assert report.updated == [review.id] == [first.id]
    assert (review.revision, review.draft.evidence_count) == (2, 5)
    stored = stage.runbooks.get("queue-growing")
    assert (stored.version, stored.document.sha256) == (2, review.draft.text_sha256)
    assert "Scale the consumer out" in stage.text("queue-growing")


def test_a_little_more_of_the_same_leaves_the_text_under_its_reviewers_eyes(stage: Stage) -> None:
    stage.learn("pat-a", 20)
    stage.drafter.run()
    stage.learn("pat-a", 1)
    assert not stage.drafter.run().has_changes
    stage.learn("pat-a", 1)
    assert stage.drafter.run().updated == [stage.only_review().id]


def test_a_persons_edit_stays_and_newer_evidence_is_offered_beside_it(stage: Stage) -> None:
    stage.learn("pat-a", 3)
    stage.drafter.run()
    mine = stage.text("queue-growing") + "\n## Escalation\n\nCall the queue team.\n"
    stage.edit_on_disk("dynamic/patterns/queue-growing.md", mine)
    assert stage.runbooks.get("queue-growing").state is ReviewState.DRAFT
    stage.drafter.run()
    assert stage.reviews.page(stage.only_review().id).offer_diff == ""
    stage.learn("pat-a", 3, actions=(("Scale the consumer out", HELPED),))
    report = stage.drafter.run()
    page = stage.reviews.page(stage.only_review().id)
    assert report.offered == [page.review.id]
    assert page.text == mine == stage.text("queue-growing")
    assert page.review.draft.edited_by == "disk"
    assert "Scale the consumer out" in page.offer_diff
    assert "newer evidence" in page.notice
    assert not stage.drafter.run().has_changes


def test_no_more_drafts_a_day_than_the_limit(stage: Stage) -> None:
    stage = new_stage(DraftRules(max_new_a_day=2))
    for name in "abcde":
        stage.learn(f"pat-{name}", 3, alerts=(f"Alert{name.upper()}",))
    assert (len(stage.drafter.run().opened), stage.drafter.run().waiting) == (2, 3)
    stage.turn(hours=14)
    assert stage.drafter.run().opened == []
    stage.turn(hours=2)
    assert len(stage.drafter.run().opened) == 2
    assert len(stage.all_reviews()) == 4


def test_a_single_incident_is_news_only_for_so_long_and_few_a_day(stage: Stage) -> None:
    for number in range(5):
        stage.learn(f"pat-{number}", 1, alerts=(f"Gone{number}",), severity=Severity.CRITICAL, day=50)
    stage.learn("pat-old", 1, alerts=("OldTrouble",), severity=Severity.CRITICAL, day=40)
    stage.learn("pat-z", 3, alerts=("QuietTrouble",), severity=Severity.LOW)
    stage.drafter.run()
    kinds = [review.draft.kind for review in stage.all_reviews()]
    assert kinds == [DraftKind.PATTERN, *[DraftKind.INCIDENT] * 3]
    stage.turn(days=1)
    assert len(stage.drafter.run().opened) == 2
    stage.turn(days=1)
    assert stage.drafter.run().opened == []


def test_a_draft_is_looked_after_when_its_group_is_no_news_any_more(stage: Stage) -> None:
    stage.learn("pat-a", 1, severity=Severity.CRITICAL, day=55)
    stage.drafter.run()
    mine = stage.reviews.page(stage.only_review().id).text + "\nMore.\n"
    stage.edit_on_disk("dynamic/incidents/2026-04-29-queue-growing.md", mine)
    later = Drafter(
        stage.records,
        stage.runbooks,
        patterns=tuple,
        pattern=stage.pattern,
        covers=lambda _: None,
        now=stage.now,
    )
    assert later.run().offered == [stage.only_review().id]
    assert stage.only_review().draft.edited_by == "disk"


def test_nothing_is_added_while_people_have_enough_to_read(stage: Stage) -> None:
    stage = new_stage(DraftRules(max_waiting=2))
    for name in "abc":
        stage.learn(f"pat-{name}", 3, alerts=(f"Alert{name.upper()}",))
    stage.drafter.run()
    stage.turn(days=1)
    assert (stage.drafter.run().waiting, len(stage.all_reviews())) == (1, 2)
    stage.approve(stage.all_reviews()[0])
    assert len(stage.drafter.run().opened) == 1


def test_no_source_fills_the_queue_and_others_come_first(stage: Stage) -> None:
    stage = new_stage(DraftRules(max_new_a_day=4, max_of_one_source=2))
    for number in range(6):
        stage.learn(f"pat-e{number}", 3, by=EVE, severity=Severity.CRITICAL, alerts=(f"Eve{number}Down",))
    stage.learn("pat-z", 3, severity=Severity.LOW, alerts=("QuietTrouble",))
    stage.learn("pat-y", 3, by=ANNA, severity=Severity.LOW, alerts=("OtherTrouble",))
    report = stage.drafter.run()
    opened = [review.draft.document_id for review in stage.all_reviews()]
    assert opened == ["quiet-trouble", "eve0-down", "other-trouble", "eve1-down"]
    assert report.waiting > 0


def test_a_rejected_draft_is_not_asked_about_again_until_the_evidence_has_clearly_changed(stage: Stage) -> None:
    stage.learn("pat-a", 4)
    stage.drafter.run()
    stage.reject(stage.only_review())
    assert stage.files == {}
    assert not stage.drafter.run().has_changes
    stage.learn("pat-a", 4)
    assert not stage.drafter.run().has_changes
    stage.learn("pat-a", 1)
    report = stage.drafter.run()
    review = stage.only_review()
    assert report.opened == [review.id]
    assert review.draft.document_id == "queue-growing"
    assert [version.state for version in stage.runbooks.versions("queue-growing")] == [
        ReviewState.DRAFT,
        ReviewState.RETIRED,
        ReviewState.DRAFT,
    ]


def test_a_rejected_draft_is_asked_about_when_people_do_something_else_now(stage: Stage) -> None:
    stage.learn("pat-a", 4)
    stage.drafter.run()
    stage.reject(stage.only_review())
    stage.learn("pat-a", 2, actions=(("Restart the consumer", USELESS), ("Scale out", HELPED)))
    assert not stage.drafter.run().has_changes
    stage.learn("pat-a", 8, actions=(("Restart the consumer", USELESS), ("Scale out", HELPED)))
    assert len(stage.drafter.run().opened) == 1


def test_an_approved_runbook_stays_as_it_is_until_somebody_approves_a_change(stage: Stage) -> None:
    stage.learn("pat-a", 4)
    stage.drafter.run()
    stage.approve(stage.only_review())
    published = stage.text("queue-growing")
    stage.learn("pat-a", 1)
    assert not stage.drafter.run().has_changes
    stage.learn("pat-a", 2, actions=(("Restart the consumer", HELPED), ("Purge the queue", WORSE)))
    report = stage.drafter.run()
    review = stage.only_review()
    assert report.opened == [review.id]
    assert (review.draft.kind, review.draft.document_id) == (DraftKind.PATTERN, "queue-growing")
    assert stage.text("queue-growing") == published
    assert stage.runbooks.get("queue-growing").state is ReviewState.PUBLISHED
    assert "+### What made it worse" in stage.reviews.page(review.id).diff
    stage.approve(review)
    assert "Purge the queue" in stage.text("queue-growing")
    assert stage.runbooks.get("queue-growing").state is ReviewState.PUBLISHED


def test_incidents_that_people_take_out_ask_for_a_change_of_what_they_had_said(stage: Stage) -> None:
    stage.learn("pat-a", 4)
    wrong = stage.learn("pat-a", 3, actions=(("Restart the consumer", HELPED), ("Purge the queue", WORSE)))
    stage.drafter.run()
    stage.approve(stage.only_review())
    with stage.records.change(ANNA) as change:
        change.patterns.move(dict.fromkeys(wrong))
    stage.drafter.run()
    page = stage.reviews.page(stage.only_review().id)
    assert "-### What made it worse" in page.diff
    assert "Purge the queue" not in page.text


def test_a_runbook_that_people_edited_after_approval_gets_a_part_added(stage: Stage) -> None:
    stage.learn("pat-a", 4)
    stage.drafter.run()
    stage.approve(stage.only_review())
    stage.edit_on_disk("dynamic/patterns/queue-growing.md", stage.text("queue-growing") + "\nAsk the queue team.\n")
    stage.learn("pat-a", 3, actions=(("Scale out", HELPED), ("Purge the queue", WORSE)))
    stage.drafter.run()
    page = stage.reviews.page(stage.only_review().id)
    assert page.review.draft.kind is DraftKind.PATCH
    assert "\nAsk the queue team.\n" in page.text
    assert [line for line in page.diff.splitlines() if line.startswith("-") and not line.startswith("---")] == []


def test_a_covered_pattern_gets_a_patch_and_no_file(stage: Stage) -> None:
    stage.edit_on_disk("static/queues.md", "# Queues\n\nRead the log.\n")
    stage.covers["pat-a"] = "queues"
    stage.learn("pat-a", 3)
    stage.drafter.run()
    review = stage.only_review()
    page = stage.reviews.page(review.id)
    assert (review.draft.kind, review.draft.document_id) == (DraftKind.PATCH, "queues")
    assert sorted(stage.files) == ["static/queues.md"]
    assert stage.text("queues") == "# Queues\n\nRead the log.\n"
    assert page.text.startswith("# Queues\n\nRead the log.\n")
    assert any(line.startswith("+- Alert seen with it: QueueGrowing (inc-") for line in page.diff.splitlines())
    assert any(line.startswith("+- Fix: Restart the consumer, worked in 3 of 3") for line in page.diff.splitlines())
    assert not stage.drafter.run().has_changes


def test_the_patch_of_one_runbook_of_many_stands_with_that_one(stage: Stage) -> None:
    text = "# Agent\n\n## Alert: QueueStuck\n\nLook.\n\n## Alert: DiskFull\n\nEmpty it.\n"
    stage.edit_on_disk("static/agent.md", text)
    stage.covers["pat-a"] = "agent-queue-stuck"
    stage.learn("pat-a", 3)
    stage.drafter.run()
    page = stage.reviews.page(stage.only_review().id)
    assert page.review.draft.document_id == "agent"
    assert "Look.\n\n<!-- learned pat-a -->\n### Learned from incidents" in page.text
    stage.edit_on_disk("static/agent.md", text.replace("Look.", "Look twice."))
    stage.drafter.run()
    assert "Look twice.\n\n<!-- learned pat-a -->\n" in stage.reviews.page(page.review.id).text
    stage.approve(stage.only_review())
    assert stage.runbooks.get("agent-queue-stuck").document.id == "agent"


def test_a_pattern_whose_patch_is_rejected_gets_a_runbook_of_its_own_once(stage: Stage) -> None:
    stage.edit_on_disk("static/queues.md", "# Queues\n\nRead the log.\n")
    stage.covers["pat-a"] = "queues"
    stage.learn("pat-a", 3)
    stage.drafter.run()
    stage.reject(stage.only_review(), reason="another kind of queue")
    stage.turn(minutes=1)
    stage.drafter.run()
    assert stage.only_review().draft.document_id == "queue-growing"
    stage.reject(stage.only_review())
    stage.turn(minutes=1)
    assert not stage.drafter.run().has_changes


def test_a_runbook_of_the_very_alert_needs_no_twin_when_its_patch_is_rejected(stage: Stage) -> None:
    stage.edit_on_disk("static/queues.md", "---\nalerts: [QueueGrowing]\n---\n# Queues\n\nRead the log.\n")
    stage.covers["pat-a"] = "queues"
    stage.learn("pat-a", 3)
    stage.drafter.run()
    stage.reject(stage.only_review(), reason="enough is said")
    stage.turn(minutes=1)
    assert not stage.drafter.run().has_changes


def test_a_patch_follows_the_runbook_it_is_for(stage: Stage) -> None:
    stage.edit_on_disk("static/queues.md", "# Queues\n\nRead the log.\n")
    stage.covers["pat-a"] = "queues"
    stage.learn("pat-a", 3)
    stage.drafter.run()
    stage.edit_on_disk("static/queues.md", "# Queues\n\nRead the other log.\n")
    assert stage.drafter.run().updated == [stage.only_review().id]
    assert stage.reviews.page(stage.only_review().id).text.startswith("# Queues\n\nRead the other log.\n")
    said = "# Queues\n\nQueueGrowing: restart the consumer.\n"
    stage.edit_on_disk("static/queues.md", said)
    assert len(stage.drafter.run().closed) == 1
    assert [review.status for review in stage.all_reviews()] == [REJECTED]
    assert stage.text("queues") == said


def test_a_runbook_that_says_it_all_is_left_alone(stage: Stage) -> None:
    stage.edit_on_disk("static/queues.md", "# Queues\n\nQueueGrowing: restart the consumer.\n")
    stage.covers["pat-a"] = "queues"
    stage.learn("pat-a", 3)
    assert not stage.drafter.run().has_changes
    assert stage.all_reviews() == []


def test_of_two_patterns_that_became_one_a_single_draft_waits(stage: Stage) -> None:
    stage.learn("pat-a", 3)
    moved = stage.learn("pat-b", 4, alerts=("QueueStuck",))
    stage.drafter.run()
    with stage.records.change(ANNA) as change:
        change.patterns.record([PatternChange(ChangeKind.MERGED, "pat-b", ("pat-a",), 4, 7)])
        change.patterns.move(dict.fromkeys(moved, "pat-a"))
    stage.drafter.run()
    assert sorted(review.status for review in stage.all_reviews()) == [OPEN, REJECTED]
    assert len(stage.files) == 1
    assert not stage.drafter.run().has_changes


def test_a_draft_whose_incidents_people_took_out_is_put_away(stage: Stage) -> None:
    ids = stage.learn("pat-a", 3)
    stage.drafter.run()
    with stage.records.change(ANNA) as change:
        change.patterns.move(dict.fromkeys(ids))
    assert len(stage.drafter.run().closed) == 1
    assert stage.files == {}


def test_a_draft_that_somebody_deleted_stays_deleted(stage: Stage) -> None:
    stage.learn("pat-a", 3)
    stage.drafter.run()
    stage.turn(minutes=1)
    del stage.files["dynamic/patterns/queue-growing.md"]
    stage.runbooks.sync(DISK)
    assert stage.drafter.run().closed == [stage.all_reviews()[0].id]
    assert not stage.drafter.run().has_changes
    assert stage.files == {}


def test_a_draft_published_through_another_face_needs_no_review_any_more(stage: Stage) -> None:
    stage.learn("pat-a", 3)
    stage.drafter.run()
    stage.runbooks.publish("queue-growing", ANNA, digest=stage.only_review().draft.text_sha256)
    stage.drafter.run()
    assert [(review.status, review.reviewer) for review in stage.all_reviews()] == [(APPROVED, "sre-kb learner")]
    assert not stage.drafter.run().has_changes


def test_names_that_are_taken_get_a_number(stage: Stage) -> None:
    stage.edit_on_disk("static/queue-growing.md", "# Somebody's\n")
    stage.learn("pat-a", 3)
    stage.learn("pat-b", 3)
    stage.drafter.run()
    assert sorted(review.draft.document_id for review in stage.all_reviews()) == ["queue-growing-2", "queue-growing-3"]
    assert stage.text("queue-growing") == "# Somebody's\n"


def test_two_learnings_of_the_same_incidents_give_the_same_bytes() -> None:
    texts = []
    for _ in range(2):
        stage = new_stage()
        stage.learn("pat-a", 5, lessons=("Alert on lag",))
        stage.drafter.run()
        texts.append(stage.files)
    assert texts[0] == texts[1]


def test_a_draft_of_a_pattern_whose_name_makes_no_id_has_one(stage: Stage) -> None:
    stage.learn("pat-a", 3, title="\u96ea\u5d29", alerts=())
    stage.learn("pat-b", 3, title="Search", alerts=())
    stage.drafter.run()
    assert sorted(review.draft.document_id for review in stage.all_reviews()) == ["pat-a", "search-runbook"]


def test_a_review_that_was_changed_meanwhile_is_left_alone(stage: Stage) -> None:
    stage.learn("pat-a", 3)
    stage.drafter.run()
    review = stage.only_review()
    with stage.records.change(ANNA) as change:
        newer = change.reviews.put(replace(review.draft, edited_by="anna"))
    assert stage.drafter._put(review, replace(review.draft, offer="x")) is None
    assert stage.only_review() == newer
