"""What people do with drafts: read, edit, approve, reject, take back, promote."""

import hashlib

import pytest

from kb.errors import InvalidInput
from kb.principal import DISK, Face, Principal, Role
from kb.review_records import DraftChanged, DraftKind, PersonNeeded, ReviewDecided, ReviewNotFound, ReviewStatus
from kb.runbook import ReviewState, RunbookType
from tests.learner.draft_stage import ANNA, BEN, HELPED, WORSE, Stage, new_stage

OPEN, APPROVED, REJECTED, UNDONE = ReviewStatus
QUEUES = "# Queues\n\nRead the log.\n"
MCP = Principal("helper", Role.AGENT, Face.MCP)


@pytest.fixture
def stage() -> Stage:
    """A draft waits for a review."""
    stage = new_stage()
    stage.learn("pat-a", 3)
    stage.drafter.run()
    return stage


@pytest.fixture
def patched() -> Stage:
    """A patch of a published runbook waits for a review."""
    stage = new_stage()
    stage.edit_on_disk("static/queues.md", QUEUES)
    stage.runbooks.publish("queues", ANNA, digest=sha256(QUEUES))
    stage.covers["pat-a"] = "queues"
    stage.learn("pat-a", 3)
    stage.drafter.run()
    return stage


def test_the_queue_tells_what_waits(stage: Stage) -> None:
    (item,) = stage.reviews.queue()
    assert (item.title, item.pattern_name, item.frequency) == ("Queue growing", "Queue growing", 3)
    assert 0 < item.confidence < 1
    assert stage.reviews.queue(APPROVED) == []


def test_a_page_has_text_diff_evidence_and_the_digest_to_decide_with(stage: Stage) -> None:
    page = stage.reviews.page(stage.only_review().id)
    assert page.text == stage.text("queue-growing")
    assert page.digest == sha256(page.text) == page.review.draft.text_sha256
    assert page.diff.startswith("--- /dev/null\n+++ b/queue-growing\n@@ -0,0 +1,")
    assert page.incident_ids == stage.pattern("pat-a").evidence.incident_ids
    assert page.pattern == stage.pattern("pat-a")
    with pytest.raises(ReviewNotFound):
        stage.reviews.page("none")


def test_approval_publishes_for_search_in_the_name_of_a_person(stage: Stage) -> None:
    page = stage.approve(stage.only_review())
    assert (page.review.status, page.review.reviewer, page.review.is_pending) == (APPROVED, "anna", False)
    stored = stage.runbooks.get("queue-growing")
    assert (stored.state, stored.author, stored.document.path) == (
        ReviewState.PUBLISHED,
        "sre-kb learner",
        "dynamic/patterns/queue-growing.md",
    )
    assert stored.document.runbooks[0].type is RunbookType.DYNAMIC
    with pytest.raises(ReviewDecided):
        stage.reviews.approve(page.review.id, ANNA, digest=page.digest)


def test_only_the_text_that_was_seen_can_be_decided_on(stage: Stage) -> None:
    page = stage.reviews.page(stage.only_review().id)
    stage.learn("pat-a", 3)
    stage.drafter.run()
    with pytest.raises(DraftChanged):
        stage.reviews.approve(page.review.id, ANNA, digest=page.digest)
    with pytest.raises(DraftChanged):
        stage.reviews.reject(page.review.id, ANNA, digest=page.digest, reason="old")
    assert stage.runbooks.get("queue-growing").state is ReviewState.DRAFT
    assert stage.only_review().status is OPEN


def test_what_somebody_wrote_on_disk_is_what_is_read_and_approved(stage: Stage) -> None:
    mine = stage.text("queue-growing") + "\nCall the queue team.\n"
    stage.edit_on_disk("dynamic/patterns/queue-growing.md", mine)
    page = stage.reviews.page(stage.only_review().id)
    assert (page.text, page.digest, page.review.draft.text_sha256) == (mine, sha256(mine), sha256(mine))
    assert page.notice == "disk has edited it."
    approved = stage.approve(stage.only_review())
    assert (approved.text, approved.review.draft.edited_by) == (mine, "disk")
    assert stage.runbooks.get("queue-growing").state is ReviewState.PUBLISHED


def test_an_edit_that_nobody_has_read_is_not_approved(stage: Stage) -> None:
    page = stage.reviews.page(stage.only_review().id)
    stage.files["dynamic/patterns/queue-growing.md"] += b"\nCall eve.\n"  # no sync has seen it yet
    with pytest.raises(DraftChanged):
        stage.reviews.approve(page.review.id, ANNA, digest=page.digest)
    assert stage.runbooks.get("queue-growing").state is not ReviewState.PUBLISHED
    assert stage.only_review().status is OPEN


def test_a_rejected_draft_is_nowhere_to_be_found_and_keeps_its_history(stage: Stage) -> None:
    review = stage.only_review()
    text = stage.text("queue-growing")
    with pytest.raises(InvalidInput):
        stage.reject(review, reason=" ")
    page = stage.reject(review, reason="a test system")
    assert (page.review.status, page.review.reason, page.text) == (REJECTED, "a test system", text)
    assert list(stage.runbooks.documents()) == []
    assert stage.runbooks.version_text("queue-growing", 1).decode() == text


def test_an_edit_makes_the_text_a_persons(stage: Stage) -> None:
    mine = stage.text("queue-growing") + "\nCall the queue team.\n"
    page = stage.reviews.edit(stage.only_review().id, mine, ANNA)
    assert (page.text, page.review.draft.edited_by, page.review.revision) == (mine, "anna", 2)
    assert stage.runbooks.get("queue-growing").state is ReviewState.DRAFT
    stage.learn("pat-a", 9, actions=(("Scale out", HELPED),))
    stage.drafter.run()
    assert stage.text("queue-growing") == mine
    for nothing in ("", " \n", "# \ud800"):
        with pytest.raises(InvalidInput):
            stage.reviews.edit(page.review.id, nothing, ANNA)


def test_an_approval_taken_back_leaves_a_draft_that_waits_again(stage: Stage) -> None:
    page = stage.approve(stage.only_review())
    waiting = stage.reviews.undo(page.review.id, ANNA, reason="too early")
    assert (waiting.review.status, waiting.text) == (OPEN, page.text)
    assert stage.runbooks.get("queue-growing").state is ReviewState.DRAFT
    assert stage.reviews.page(page.review.id).review.status is UNDONE
    with pytest.raises(ReviewDecided):
        stage.reviews.undo(page.review.id, ANNA)
    assert not stage.drafter.run().has_changes
    stage.approve(waiting.review)
    assert stage.runbooks.get("queue-growing").state is ReviewState.PUBLISHED


def test_a_rejection_taken_back_brings_the_draft_back(stage: Stage) -> None:
    text = stage.text("queue-growing")
    rejected = stage.reject(stage.only_review())
    waiting = stage.reviews.undo(rejected.review.id, ANNA)
    assert (waiting.review.status, waiting.text, stage.text("queue-growing")) == (OPEN, text, text)
    assert stage.runbooks.get("queue-growing").state is ReviewState.DRAFT
    assert not stage.drafter.run().has_changes


def test_a_change_taken_back_gives_the_runbook_its_published_text_back(stage: Stage) -> None:
    stage.approve(stage.only_review())
    before = stage.text("queue-growing")
    stage.learn("pat-a", 3, actions=(("Restart the consumer", HELPED), ("Purge the queue", WORSE)))
    stage.drafter.run()
    changed = stage.approve(stage.only_review())
    assert stage.text("queue-growing") == changed.text != before
    waiting = stage.reviews.undo(changed.review.id, ANNA)
    assert stage.text("queue-growing") == before
    assert stage.runbooks.get("queue-growing").state is ReviewState.PUBLISHED
    assert (waiting.text, waiting.diff) == (changed.text, changed.diff)


def test_an_approved_patch_is_the_runbooks_text_and_can_be_taken_back(patched: Stage) -> None:
    page = patched.reviews.page(patched.only_review().id)
    assert page.diff.startswith("--- a/queues\n+++ b/queues\n@@ -1,3 +1,")
    approved = patched.approve(page.review)
    stored = patched.runbooks.get("queues")
    assert (patched.text("queues"), stored.state, stored.author) == (page.text, ReviewState.PUBLISHED, "anna")
    patched.reviews.undo(approved.review.id, ANNA)
    assert patched.text("queues") == QUEUES
    assert patched.runbooks.get("queues").state is ReviewState.PUBLISHED


def test_undoing_a_patch_does_not_publish_what_was_not(patched: Stage) -> None:
    patched.runbooks.withdraw("queues", ANNA, digest=sha256(QUEUES))
    approved = patched.approve(patched.only_review())
    assert patched.runbooks.get("queues").state is ReviewState.PUBLISHED
    patched.reviews.undo(approved.review.id, ANNA)
    assert patched.text("queues") == QUEUES
    assert patched.runbooks.get("queues").state is ReviewState.UNREVIEWED


def test_a_patch_for_a_text_that_has_changed_is_not_approved(patched: Stage) -> None:
    page = patched.reviews.page(patched.only_review().id)
    patched.edit_on_disk("static/queues.md", "# Queues\n\nAsk ben.\n")
    with pytest.raises(DraftChanged):
        patched.reviews.approve(page.review.id, ANNA, digest=page.digest)
    assert patched.text("queues") == "# Queues\n\nAsk ben.\n"
    assert patched.only_review().status is OPEN


def test_a_rejected_patch_leaves_the_runbook_alone(patched: Stage) -> None:
    patched.reject(patched.only_review())
    assert patched.text("queues") == QUEUES
    patched.drafter.run()
    assert patched.text("queues") == QUEUES


def test_an_edited_patch_is_kept_and_newer_evidence_offered(patched: Stage) -> None:
    review = patched.only_review()
    mine = QUEUES + "\nRestart the consumer when QueueGrowing fires.\n"
    assert patched.reviews.edit(review.id, mine, ANNA).text == mine
    patched.learn("pat-a", 4, actions=(("Scale out", HELPED),))
    assert patched.drafter.run().offered == [review.id]
    page = patched.reviews.page(review.id)
    assert (page.text, patched.text("queues")) == (mine, QUEUES)
    assert "+- Fix: Scale out" in page.offer_diff
    patched.approve(page.review)
    assert patched.text("queues") == mine


def test_an_edited_patch_of_a_runbook_that_has_changed_says_so_and_can_be_edited_again(patched: Stage) -> None:
    review = patched.only_review()
    patched.reviews.edit(review.id, QUEUES + "\nMine.\n", ANNA)
    patched.edit_on_disk("static/queues.md", QUEUES + "\nTheirs.\n")
    patched.drafter.run()
    page = patched.reviews.page(review.id)
    assert (page.text, "cannot be approved" in page.notice) == (QUEUES + "\nMine.\n", True)
    with pytest.raises(DraftChanged):
        patched.approve(review)
    both = QUEUES + "\nTheirs.\n\nMine.\n"
    patched.reviews.edit(review.id, both, ANNA)
    assert patched.reviews.page(review.id).notice == "anna has edited it."
    patched.approve(review)
    assert patched.text("queues") == both


def test_nothing_is_undone_over_a_later_edit(stage: Stage) -> None:
    approved = stage.approve(stage.only_review())
    stage.edit_on_disk("dynamic/patterns/queue-growing.md", approved.text + "\nMore.\n")
    with pytest.raises(DraftChanged):
        stage.reviews.undo(approved.review.id, ANNA)
    assert stage.text("queue-growing").endswith("\nMore.\n")


def test_promotion_is_an_act_of_its_own(stage: Stage) -> None:
    with pytest.raises(InvalidInput):
        stage.reviews.promote("queue-growing", ANNA)
    approved = stage.approve(stage.only_review())
    promoted = stage.reviews.promote("queue-growing", ANNA)
    assert (promoted.document.id, promoted.document.path) == ("queue-growing", "static/learned/queue-growing.md")
    assert promoted.document.runbooks[0].type is RunbookType.STATIC
    assert (promoted.state, promoted.document.sha256) == (ReviewState.PUBLISHED, approved.digest)
    with pytest.raises(InvalidInput):
        stage.reviews.undo(approved.review.id, ANNA)
    assert not stage.drafter.run().has_changes


def test_a_promotion_cut_off_after_the_move_is_completed_by_the_same_act(stage: Stage) -> None:
    stage.approve(stage.only_review())
    stage.files["static/learned/queue-growing.md"] = stage.files.pop("dynamic/patterns/queue-growing.md")
    stage.runbooks.sync(DISK)
    assert stage.runbooks.get("queue-growing").state is ReviewState.UNREVIEWED
    assert stage.drafter.run().settled == []
    assert stage.runbooks.get("queue-growing").state is ReviewState.UNREVIEWED
    assert stage.reviews.promote("queue-growing", ANNA).state is ReviewState.PUBLISHED


def test_a_promoted_runbook_is_changed_like_any_other(stage: Stage) -> None:
    stage.approve(stage.only_review())
    stage.reviews.promote("queue-growing", ANNA)
    text = stage.text("queue-growing")
    stage.learn("pat-a", 3, actions=(("Restart the consumer", HELPED), ("Purge the queue", WORSE)))
    stage.drafter.run()
    assert stage.only_review().draft.document_id == "queue-growing"
    assert stage.text("queue-growing") == text


@pytest.mark.parametrize("who", [MCP, BEN, Principal("hook", Role.ADMIN, Face.WEBHOOK)])
def test_only_a_person_who_may_publish_approves_takes_back_or_promotes(stage: Stage, who: Principal) -> None:
    page = stage.reviews.page(stage.only_review().id)
    with pytest.raises(PersonNeeded):
        stage.reviews.approve(page.review.id, who, digest=page.digest)
    stage.approve(page.review)
    with pytest.raises(PersonNeeded):
        stage.reviews.undo(page.review.id, who)
    with pytest.raises(PersonNeeded):
        stage.reviews.promote("queue-growing", who)
    assert stage.runbooks.get("queue-growing").document.path == "dynamic/patterns/queue-growing.md"


def test_an_agent_neither_edits_nor_rejects(stage: Stage) -> None:
    page = stage.reviews.page(stage.only_review().id)
    with pytest.raises(PersonNeeded):
        stage.reviews.edit(page.review.id, "# Mine\n", MCP)
    with pytest.raises(PersonNeeded):
        stage.reviews.reject(page.review.id, MCP, digest=page.digest, reason="no")
    assert stage.only_review() == page.review


def test_a_review_whose_pattern_is_gone_can_still_be_read(stage: Stage) -> None:
    review = stage.only_review()
    with stage.records.change(ANNA) as change:
        change.patterns.move(dict.fromkeys(stage.pattern("pat-a").evidence.incident_ids))
    page = stage.reviews.page(review.id)
    assert (page.pattern, page.incident_ids, page.title) == (None, (), "Queue growing")
    assert stage.reviews.queue()[0].frequency == 0


def test_a_later_draft_of_another_kind_is_not_confused_with_this_one(stage: Stage) -> None:
    stage.approve(stage.only_review())
    stage.learn("pat-b", 3, alerts=("DiskFull",))
    stage.drafter.run()
    assert [item.review.draft.kind for item in stage.reviews.queue(None)] == [DraftKind.PATTERN, DraftKind.PATTERN]
    assert [item.title for item in stage.reviews.queue()] == ["Disk full"]


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
