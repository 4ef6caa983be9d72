"""A new folder of runbooks gets the bundled ones, and nothing that a server wrote beside them."""

from pathlib import Path

from api.bundled import provide_runbooks


def test_runbooks_are_copied_and_what_is_none_is_not(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for path in ("static/cache/redis.md", "cache/patterns.json", "backups/daily/x.md", ".git/config", "static/a.md"):
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text("x")
    assert provide_runbooks(tmp_path / "runbooks", source)
    copied = {path.relative_to(tmp_path / "runbooks").as_posix() for path in (tmp_path / "runbooks").rglob("*.*")}
    assert copied == {"static/cache/redis.md", "static/a.md"}


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "runbooks").mkdir()
    assert not provide_runbooks(tmp_path / "runbooks", tmp_path)
    assert list((tmp_path / "runbooks").iterdir()) == []
