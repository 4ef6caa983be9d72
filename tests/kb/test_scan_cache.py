"""What is known of files that were read before, and when it may be believed."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from kb.folder_scan import FileStamp
from kb.scan_cache import ScanCache

SECOND = 1_000_000_000
STAMP = FileStamp(size_bytes=4, mtime_ns=100 * SECOND, ctime_ns=100 * SECOND, inode=7)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "scan.json"


def cache_of(tmp_path: Path, file: Path | None = None) -> ScanCache:
    return ScanCache(tmp_path, file)


def test_an_unchanged_file_is_known_by_its_digest(tmp_path: Path) -> None:
    cache = cache_of(tmp_path)
    cache.remember("a.md", STAMP, "abc", read_at_ns=200 * SECOND)
    assert cache.find_digest("a.md", STAMP) == "abc"
    assert cache.find_digest("b.md", STAMP) is None


@pytest.mark.parametrize(
    "changed",
    [
        FileStamp(5, 100 * SECOND, 100 * SECOND, 7),
        FileStamp(4, 101 * SECOND, 100 * SECOND, 7),
        FileStamp(4, 100 * SECOND, 101 * SECOND, 7),
        FileStamp(4, 100 * SECOND, 100 * SECOND, 8),
    ],
)
def test_a_file_that_differs_in_anything_has_to_be_read(tmp_path: Path, changed: FileStamp) -> None:
    cache = cache_of(tmp_path)
    cache.remember("a.md", STAMP, "abc", read_at_ns=200 * SECOND)
    assert cache.find_digest("a.md", changed) is None


@pytest.mark.parametrize(("read_after_s", "believed"), [(0, False), (1.999, False), (2, True), (60, True)])
def test_a_file_read_within_two_seconds_of_its_change_is_read_again(
    tmp_path: Path, read_after_s: float, believed: bool
) -> None:
    cache = cache_of(tmp_path)
    cache.remember("a.md", STAMP, "abc", read_at_ns=int((100 + read_after_s) * SECOND))
    assert (cache.find_digest("a.md", STAMP) == "abc") is believed


def test_a_file_whose_change_time_was_moved_is_judged_by_the_later_time(tmp_path: Path) -> None:
    moved = FileStamp(4, 50 * SECOND, 100 * SECOND, 7)
    cache = cache_of(tmp_path)
    cache.remember("a.md", moved, "abc", read_at_ns=101 * SECOND)
    assert cache.find_digest("a.md", moved) is None


def test_it_is_there_again_after_it_was_saved(tmp_path: Path, file: Path) -> None:
    cache = cache_of(tmp_path, file)
    cache.remember("ä\u2028.md", STAMP, "abc", read_at_ns=200 * SECOND)
    cache.remember("gone.md", STAMP, "def", read_at_ns=200 * SECOND)
    cache.forget_others(frozenset({"ä\u2028.md"}))
    cache.save()
    again = cache_of(tmp_path, file)
    assert again.find_digest("ä\u2028.md", STAMP) == "abc"
    assert again.find_digest("gone.md", STAMP) is None


def test_a_cache_with_one_wrong_letter_is_not_believed(tmp_path: Path, file: Path) -> None:
    cache = cache_of(tmp_path, file)
    cache.remember("a.md", STAMP, "abc", read_at_ns=200 * SECOND)
    cache.save()
    file.write_bytes(file.read_bytes().replace(b'"abc"', b'"abd"'))
    assert cache_of(tmp_path, file).find_digest("a.md", STAMP) is None


@pytest.mark.parametrize(
    "body",
    [
        {"format": 2, "root": "", "files": {}},
        {"format": 1, "files": {}},
        {"format": 1, "root": "ROOT", "files": {"a.md": [4]}},
        {"format": 1, "root": "ROOT", "files": []},
        [],
        None,
    ],
)
def test_a_cache_of_another_shape_is_not_believed(tmp_path: Path, file: Path, body: object) -> None:
    raw = json.dumps(body).replace("ROOT", str(tmp_path)).encode()
    file.write_bytes(sha256(raw).hexdigest().encode() + b"\n" + raw)
    assert cache_of(tmp_path, file).find_digest("a.md", STAMP) is None


def test_a_cache_of_another_root_is_not_believed(tmp_path: Path, file: Path) -> None:
    cache = cache_of(tmp_path, file)
    cache.remember("a.md", STAMP, "abc", read_at_ns=200 * SECOND)
    cache.save()
    assert ScanCache(tmp_path / "other", file).find_digest("a.md", STAMP) is None


def test_a_place_that_takes_no_file_is_no_harm(tmp_path: Path) -> None:
    cache = cache_of(tmp_path, tmp_path / "nowhere" / "scan.json")
    cache.remember("a.md", STAMP, "abc", read_at_ns=200 * SECOND)
    cache.save()
    assert cache.find_digest("a.md", STAMP) == "abc"


def test_nothing_is_written_when_nothing_changed(tmp_path: Path, file: Path) -> None:
    cache = cache_of(tmp_path, file)
    cache.remember("a.md", STAMP, "abc", read_at_ns=200 * SECOND)
    cache.save()
    file.unlink()
    cache.forget_others(frozenset({"a.md"}))
    cache.save()
    assert not file.exists()
