"""Whatever people and the learner do in whatever order: nothing published changes without a person, one draft waits for
a pattern, nothing that somebody wrote is lost, and a second run finds nothing to do."""

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kb.errors import KBError
from kb.pattern import ChangeKind, PatternChange
from kb.principal import DISK
from kb.review_records import Review, ReviewStatus
from kb.runbook import ReviewState
from kb.severity import Severity
from tests.learner.draft_stage import ANNA, HELPED, USELESS, WORSE, new_stage

PATTERNS = st.sampled_from(["pat-a", "pat-b", "pat-c"])
ACTIONS = st.sampled_from([("Restart it", HELPED), ("Restart it", USELESS), ("Scale out", HELPED), ("Purge it", WORSE)])
WHICH = st.integers(0, 20)


class Stories(RuleBasedStateMachine):
    """`published` is what people have let be published, by document id; `mine` are texts that they wrote themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = new_stage()
        self.stage.edit_on_disk("static/covering.md", "# Covering\n\nLook at it.\n")
        self.stage.covers["pat-c"] = "covering"
        self.published: dict[str, str] = {}
        self.mine: set[str] = set()
        self.merged: set[str] = set()
        self.has_run = False

    @rule(pattern=PATTERNS, incidents=st.sampled_from([1, 2, 5]), action=ACTIONS)
    def learn(self, pattern: str, incidents: int, action: tuple[str, object]) -> None:
        target = "pat-a" if pattern in self.merged else pattern
        self.stage.learn(
            target,
            incidents,
            actions=(action,),
            alerts=(f"{pattern.title().replace('-', '')}Down",),
            severity=Severity.CRITICAL,
            day=59,
        )
        self.has_run = False

    @rule()
    def run(self) -> None:
        self.stage.turn(hours=8)
        self.stage.drafter.run()
        report = self.stage.drafter.run()
        assert not report.has_changes, report
        self.has_run = True

    @precondition(lambda self: bool(self.waiting()))
    @rule(which=WHICH)
    def approve(self, which: int) -> None:
        review = self.pick(self.waiting(), which)
        digest = self.stage.reviews.page(review.id).digest
        try:
            page = self.stage.reviews.approve(review.id, ANNA, digest=digest)
        except KBError:
            return
        assert page.digest == digest
        self.published[page.review.draft.document_id] = page.text

    @precondition(lambda self: bool(self.waiting()))
    @rule(which=WHICH)
    def reject(self, which: int) -> None:
        self.stage.reject(self.pick(self.waiting(), which))

    @precondition(lambda self: bool(self.waiting()))
    @rule(which=WHICH)
    def edit(self, which: int) -> None:
        review = self.pick(self.waiting(), which)
        text = self.stage.reviews.page(review.id).text + "\nMine.\n"
        try:
            self.stage.reviews.edit(review.id, text, ANNA)
        except KBError:
            return
        self.mine.add(text)

    @precondition(lambda self: bool(self.decided()))
    @rule(which=WHICH)
    def undo(self, which: int) -> None:
        review = self.pick(self.decided(), which)
        self.has_run = False
        try:
            self.stage.reviews.undo(review.id, ANNA)
        except KBError:
            return
        if review.status is ReviewStatus.APPROVED:
            self.note_published(review.draft.document_id)

    @rule(which=WHICH)
    def edit_on_disk(self, which: int) -> None:
        path = sorted(self.stage.files)[which % len(self.stage.files)]
        text = self.stage.files[path].decode() + "\nFrom disk.\n"
        self.stage.edit_on_disk(path, text)
        self.mine.add(text)
        self.published = {key: said for key, said in self.published.items() if self.path_of(key) != path}

    @precondition(lambda self: any(path.startswith("dynamic/") for path in self.stage.files))
    @rule(which=WHICH)
    def remove(self, which: int) -> None:
        paths = sorted(path for path in self.stage.files if path.startswith("dynamic/"))
        path = paths[which % len(paths)]
        self.published = {key: said for key, said in self.published.items() if self.path_of(key) != path}
        self.stage.turn(minutes=1)
        del self.stage.files[path]
        self.stage.runbooks.sync(DISK)

    @precondition(lambda self: bool(self.published))
    @rule(which=WHICH)
    def promote(self, which: int) -> None:
        document_id = sorted(self.published)[which % len(self.published)]
        try:
            self.stage.reviews.promote(document_id, ANNA)
        except KBError:
            return

    @precondition(lambda self: "pat-b" not in self.merged)
    @rule()
    def merge(self) -> None:
        with self.stage.records.change(ANNA) as change:
            sizes = change.patterns.sizes()
            if not sizes.get("pat-a") or not sizes.get("pat-b"):
                return
            moved = [one.stored.incident.id for one in change.incidents.learnt() if one.stored.pattern_id == "pat-b"]
            change.patterns.record([PatternChange(ChangeKind.MERGED, "pat-b", ("pat-a",), len(moved), 0)])
            change.patterns.move(dict.fromkeys(moved, "pat-a"))
        self.merged.add("pat-b")
        self.has_run = False

    @invariant()
    def what_people_published_is_as_they_left_it(self) -> None:
        for document_id, text in self.published.items():
            stored = self.stage.runbooks.get(document_id)
            assert (self.stage.text(document_id), stored.state) == (text, ReviewState.PUBLISHED)

    @invariant()
    def nothing_is_published_that_nobody_published(self) -> None:
        published = {
            stored.document.id for stored in self.stage.runbooks.documents() if stored.state is ReviewState.PUBLISHED
        }
        assert published == self.published.keys()

    @invariant()
    def nothing_that_somebody_wrote_is_lost(self) -> None:
        kept = set()
        for name in {one.draft.document_id for one in self.stage.all_reviews()} | {"covering"}:
            try:
                versions = self.stage.runbooks.versions(name)
            except KBError:
                continue
            kept |= {self.stage.runbooks.version_text(name, version.number).decode() for version in versions}
        for review in self.stage.all_reviews():
            kept.add(review.draft.text)
        live = {raw.decode() for raw in self.stage.files.values()}
        assert {text for text in self.mine if text.endswith("From disk.\n")} <= kept | live

    @invariant()
    def one_draft_waits_for_a_pattern(self) -> None:
        waiting = self.waiting()
        assert max(Counter((one.draft.pattern_id, one.draft.kind) for one in waiting).values(), default=0) <= 1
        if self.has_run:
            present = ["pat-a" if one.draft.pattern_id in self.merged else one.draft.pattern_id for one in waiting]
            assert max(Counter(present).values(), default=0) <= 1

    def waiting(self) -> list[Review]:
        return [one for one in self.stage.all_reviews() if one.status is ReviewStatus.OPEN]

    def decided(self) -> list[Review]:
        return [one for one in self.stage.all_reviews() if one.status in (ReviewStatus.APPROVED, ReviewStatus.REJECTED)]

    def note_published(self, document_id: str) -> None:
        """What is published of a document after a person has taken a decision back."""
        stored = self.stage.runbooks.get(document_id)
        if stored.state is ReviewState.PUBLISHED:
            self.published[document_id] = self.stage.text(document_id)
        else:
            self.published.pop(document_id, None)

    def path_of(self, document_id: str) -> str:
        return self.stage.runbooks.get(document_id).document.path

    @staticmethod
    def pick(reviews: list[Review], which: int) -> Review:
        return reviews[which % len(reviews)]


TestStories = Stories.TestCase
TestStories.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
