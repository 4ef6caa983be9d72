"""What has to be done to bring records in step with files."""

from hypothesis import given
from hypothesis import strategies as st

from kb.sync_plan import Move, SyncPlan, plan_sync

PATHS = st.sampled_from(["a.md", "b.md", "x/a.md", "y/a.md", "y/b.md"])
STATES = st.dictionaries(PATHS, st.sampled_from(["1", "2", "3"]))


def nobody(path: str) -> bool:
    return False


def test_every_kind_of_change_is_told_apart() -> None:
    known = {"same.md": "1", "edited.md": "2", "old-name.md": "3", "gone.md": "4"}
    seen = {"same.md": "1", "edited.md": "5", "new-name.md": "3", "new.md": "6"}
    assert plan_sync(known, seen, nobody) == SyncPlan(
        added=("new.md",),
        edited=("edited.md",),
        moved=(Move("old-name.md", "new-name.md"),),
        removed=("gone.md",),
        unchanged=("same.md",),
    )


def test_a_copy_is_no_move() -> None:
    plan = plan_sync({"a.md": "1"}, {"a.md": "1", "b.md": "1"}, nobody)
    assert (plan.added, plan.moved) == (("b.md",), ())


def test_of_several_files_with_the_same_bytes_the_one_of_the_same_name_moved() -> None:
    plan = plan_sync({"x/one.md": "1", "x/two.md": "1"}, {"y/two.md": "1", "y/three.md": "1"}, nobody)
    assert set(plan.moved) == {Move("x/two.md", "y/two.md"), Move("x/one.md", "y/three.md")}


def test_what_cannot_be_looked_at_is_not_removed() -> None:
    plan = plan_sync({"a.md": "1", "shut/b.md": "2"}, {}, lambda path: path.startswith("shut/"))
    assert plan.removed == ("a.md",)


@given(STATES, STATES)
def test_every_known_and_every_seen_path_is_accounted_for_once(known: dict[str, str], seen: dict[str, str]) -> None:
    plan = plan_sync(known, seen, nobody)
    left = [move.old_path for move in plan.moved]
    arrived = [move.new_path for move in plan.moved]
    assert sorted([*plan.edited, *plan.unchanged, *plan.removed, *left]) == sorted(known)
    assert sorted([*plan.edited, *plan.unchanged, *plan.added, *arrived]) == sorted(seen)


@given(STATES, STATES)
def test_carrying_a_plan_out_leaves_nothing_to_do(known: dict[str, str], seen: dict[str, str]) -> None:
    plan = plan_sync(known, seen, nobody)
    after = dict(known)
    for path in plan.removed:
        del after[path]
    for move in plan.moved:
        after[move.new_path] = after.pop(move.old_path)
    for path in (*plan.edited, *plan.added):
        after[path] = seen[path]
    assert after == seen
    assert plan_sync(after, seen, nobody).is_empty
