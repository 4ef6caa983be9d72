"""The runbook folders as hostile or careless people leave them: nothing outside is read or written, nothing is dropped
in silence, nothing waits for ever."""

import os
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from kb.directory import Directory, FileText
from kb.errors import StorageUnavailable
from kb.folder_scan import is_held
from kb.runbook import Problem

SECRET = b"root:x:0:0\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.md").write_bytes(SECRET)
    folder = tmp_path / "runbooks"
    (folder / "static").mkdir(parents=True)
    return folder


@pytest.fixture
def directory(root: Path) -> Directory:
    numbers = count(1)
    return Directory(root, new_id=lambda: f"t{next(numbers)}")


def codes(directory: Directory) -> list[tuple[str, str]]:
    return sorted((problem.code, problem.path) for problem in directory.scan().problems)


def put(root: Path, path: str, raw: bytes = b"# A\n") -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(raw)
    return file


class TestScan:
    def test_markdown_files_are_found_by_either_ending_in_any_case(self, root: Path, directory: Directory) -> None:
        for name in ("a.md", "b.MD", "c.markdown", "d.Markdown", "e.txt", "f.mdx", "md", "g.md.bak", "h.md~", "#i.md#"):
            put(root, f"static/{name}")
        assert sorted(directory.scan().files) == [
            "static/a.md",
            "static/b.MD",
            "static/c.markdown",
            "static/d.Markdown",
        ]

    def test_what_editors_and_git_leave_is_no_runbook(self, root: Path, directory: Directory) -> None:
        for name in (".a.md.swp", ".#a.md", "4913", ".git/a.md", "static/.obsidian/b.md"):
            put(root, name)
        (root / "static" / ".#lock.md").symlink_to("user@host.1234:5678")
        assert directory.scan().files == {}
        assert directory.scan().problems == ()

    def test_cache_and_backups_are_reserved_at_the_top_only(self, root: Path, directory: Directory) -> None:
        for path in ("cache/a.md", "backups/daily/b.md", "static/backups/c.md", "static/cache/d.md"):
            put(root, path)
        assert sorted(directory.scan().files) == ["static/backups/c.md", "static/cache/d.md"]

    def test_a_root_that_is_a_link_is_the_folder_it_leads_to(self, root: Path, tmp_path: Path) -> None:
        put(root, "static/a.md")
        (tmp_path / "current").symlink_to(root)
        directory = Directory(tmp_path / "current", new_id=lambda: "t")
        assert list(directory.scan().files) == ["static/a.md"]
        found = directory.find("static/a.md")
        assert isinstance(found, FileText)
        assert found.raw == b"# A\n"

    def test_a_root_that_is_not_there_is_an_error_and_not_an_empty_folder(self, tmp_path: Path) -> None:
        with pytest.raises(StorageUnavailable, match="is not there") as caught:
            Directory(tmp_path / "nowhere", new_id=lambda: "t").scan()
        assert "SRE_KB_RUNBOOKS_DIR" in caught.value.advice

    def test_a_root_that_is_a_file_is_an_error(self, tmp_path: Path) -> None:
        put(tmp_path, "file")
        with pytest.raises(StorageUnavailable):
            Directory(tmp_path / "file", new_id=lambda: "t").scan()

    def test_a_file_over_the_limit_is_reported_unopened(self, root: Path, directory: Directory) -> None:
        with put(root, "static/big.md").open("r+b") as big:
            big.truncate(2 * 1024**3)  # sparse: reading it would take seconds and memory
        assert codes(directory) == [("too-large", "static/big.md")]
        assert "static/big.md" not in directory.scan().files
        (problem,) = directory.scan().problems
        assert "2147483648 bytes" in problem.message

    @pytest.mark.parametrize(
        ("make", "code"),
        [
            (lambda path: os.mkfifo(path), "not-a-file"),
            (lambda path: os.mknod(path, 0o20666, os.makedev(1, 5)), "not-a-file"),  # /dev/zero
            (lambda path: _socket(path), "not-a-file"),
            (lambda path: path.symlink_to("/etc/passwd"), "link-outside"),
            (lambda path: path.symlink_to("../../outside/secret.md"), "link-outside"),
            (lambda path: path.symlink_to("/proc/self/environ"), "link-outside"),
            (lambda path: path.symlink_to("nowhere.md"), "link-broken"),
            (lambda path: path.symlink_to("evil.md"), "link-broken"),  # to itself
            (lambda path: path.symlink_to("/dev/zero"), "link-outside"),
        ],
        ids=["pipe", "device", "socket", "etc", "sibling", "proc", "dangling", "loop", "zero"],
    )
    def test_what_is_no_file_of_the_folder_is_reported_and_not_read(
        self, root: Path, directory: Directory, make: Callable[[Path], None], code: str
    ) -> None:
        try:
            make(root / "static" / "evil.md")
        except PermissionError:
            pytest.skip("making a device needs root")
        assert codes(directory) == [(code, "static/evil.md")]
        assert directory.scan().files == {}
        assert isinstance(directory.find("static/evil.md"), Problem)

    def test_links_to_folders_are_not_followed(self, root: Path, directory: Directory, tmp_path: Path) -> None:
        (root / "static" / "out").symlink_to(tmp_path / "outside")
        (root / "static" / "loop").symlink_to("..")
        assert codes(directory) == [("link-folder", "static/loop"), ("link-folder", "static/out")]
        assert directory.scan().files == {}
        assert directory.find("static/out/secret.md") is None
        assert directory.stamp("static/out/secret.md") is None

    def test_links_to_files_inside_are_read_as_kubernetes_mounts_them(self, root: Path, directory: Directory) -> None:
        put(root, "static/..2026_01_01/a.md", b"# Mounted\n")
        (root / "static" / "..data").symlink_to("..2026_01_01")
        (root / "static" / "a.md").symlink_to("..data/a.md")
        assert list(directory.scan().files) == ["static/a.md"]
        found = directory.find("static/a.md")
        assert isinstance(found, FileText)
        assert found.raw == b"# Mounted\n"
        assert directory.is_link("static/a.md")

    @pytest.mark.parametrize(
        ("name", "code", "shown"),
        [
            (b"caf\xe9.md", "name-not-utf8", "static/caf\\udce9.md"),
            (b"a\nb.md", "name-unprintable", "static/a\\nb.md"),
            (b"a\x1b[31mb.md", "name-unprintable", "static/a\\x1b[31mb.md"),
            ("txt\u202edm.md".encode(), "name-unprintable", "static/txt\\u202edm.md"),
            ("a\u200bb.md".encode(), "name-unprintable", "static/a\\u200bb.md"),
            (b"\x7f.md", "name-unprintable", "static/\\x7f.md"),
        ],
    )
    def test_names_that_could_fool_a_reader_are_reported_as_escapes(
        self, root: Path, directory: Directory, name: bytes, code: str, shown: str
    ) -> None:
        with open(os.fsencode(root / "static") + b"/" + name, "wb") as file:
            file.write(b"# A\n")
        assert codes(directory) == [(code, shown)]
        assert directory.scan().files == {}

    @pytest.mark.parametrize(
        "name",
        [
            "-rf.md",
            "$(reboot).md",
            "a b.md",
            "ünï.md",
            "a'b\".md",
            "%2e%2e.md",
            "con.md",
            "🔥.md",
            "..a.md"[1:] + "x.md",
        ],
    )
    def test_odd_names_that_fool_nobody_are_read(self, root: Path, directory: Directory, name: str) -> None:
        visible = name.lstrip(".")
        put(root, f"static/{visible}")
        assert list(directory.scan().files) == [f"static/{visible}"]

    def test_names_that_other_systems_hold_for_the_same_are_reported(self, root: Path, directory: Directory) -> None:
        put(root, "static/Disk.md")
        put(root, "static/disk.md")
        put(root, "static/caf\u00e9.md")
        put(root, "static/cafe\u0301.md")
        assert codes(directory) == [("twin-names", "static/café.md"), ("twin-names", "static/disk.md")]
        assert len(directory.scan().files) == 4

    def test_a_path_that_is_too_long_is_reported(self, root: Path, directory: Directory) -> None:
        put(root, "/".join(["static", *["x" * 120] * 4, "y" * 60 + ".md"]))
        (problem,) = directory.scan().problems
        assert problem.code == "path-too-long"
        assert "512 are the limit" in problem.message

    def test_folders_nested_without_end_are_reported(self, root: Path, directory: Directory) -> None:
        put(root, "/".join(["d"] * 60) + "/a.md")
        assert [problem.code for problem in directory.scan().problems] == ["too-deep"]

    def test_a_folder_that_cannot_be_entered_holds_what_is_known_below_it(
        self, root: Path, directory: Directory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(root, "static/shut/a.md")
        really_open = os.open

        def shut(path: str | bytes, *args: int, **kwargs: int) -> int:
            if path == b"shut":
                raise PermissionError(13, "Permission denied")
            return really_open(path, *args, **kwargs)

        monkeypatch.setattr(os, "open", shut)
        scan = directory.scan()
        assert [(problem.code, problem.path) for problem in scan.problems] == [("unreadable", "static/shut")]
        assert is_held("static/shut/a.md", scan.held)
        assert not is_held("static/shut-not/a.md", scan.held)

    def test_files_of_ours_that_a_crash_left_are_seen_and_removed(self, root: Path, directory: Directory) -> None:
        put(root, "static/.sre-kb-t1.new")
        put(root, "static/.sre-kb-t1.old")
        scan = directory.scan()
        assert sorted(scan.leftovers) == ["static/.sre-kb-t1.new", "static/.sre-kb-t1.old"]
        directory.remove_leftovers(scan.leftovers)
        assert directory.scan().leftovers == ()

    def test_only_files_of_ours_are_ever_removed_as_leftovers(self, root: Path, directory: Directory) -> None:
        put(root, "static/a.md")
        directory.remove_leftovers(("static/a.md", "../outside/secret.md", "static/.sre-kb-gone.new"))
        assert (root / "static" / "a.md").exists()
        assert (root.parent / "outside" / "secret.md").exists()

    def test_a_thousand_files_are_looked_at_in_an_instant(self, root: Path, directory: Directory) -> None:
        for number in range(1000):
            put(root, f"static/{number % 50}/{number}.md")
        started = time.perf_counter()
        assert len(directory.scan().files) == 1000
        assert time.perf_counter() - started < 1


def _socket(path: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as server:
        here = os.getcwd()
        os.chdir(path.parent)  # the path of a socket may not be long
        try:
            server.bind(path.name)
        finally:
            os.chdir(here)


HOSTILE_PATHS = [
    "",
    ".",
    "..",
    "../outside/secret.md",
    "static/../../outside/secret.md",
    "/etc/passwd",
    "//etc/passwd",
    "static/./../../outside/secret.md",
    "static/\x00.md",
    "static/" + "x" * 300 + ".md",
    "static/nowhere.md",
    "static/a.md/b.md",
    "..\\outside\\secret.md",
    "static/..%2f..%2foutside%2fsecret.md",
]


class TestReadAndWrite:
    @pytest.mark.parametrize("path", HOSTILE_PATHS)
    def test_no_path_leads_out_for_reading(self, root: Path, directory: Directory, path: str) -> None:
        put(root, "static/a.md")
        found = directory.find(path)
        assert found is None or isinstance(found, Problem)
        assert directory.stamp(path) is None

    @pytest.mark.parametrize("path", [path for path in HOSTILE_PATHS if path not in ("static/nowhere.md",)])
    def test_no_path_leads_out_for_writing(self, root: Path, directory: Directory, tmp_path: Path, path: str) -> None:
        put(root, "static/a.md")
        before = sorted(str(file) for file in tmp_path.rglob("*") if "runbooks" not in file.parts)
        try:
            directory.create(path, b"written").keep()
        except StorageUnavailable:
            pass
        else:
            assert path in ("..\\outside\\secret.md", "static/..%2f..%2foutside%2fsecret.md")  # only odd names inside
        assert sorted(str(file) for file in tmp_path.rglob("*") if "runbooks" not in file.parts) == before
        assert (tmp_path / "outside" / "secret.md").read_bytes() == SECRET

    def test_nothing_is_written_through_a_folder_that_is_a_link(
        self, root: Path, directory: Directory, tmp_path: Path
    ) -> None:
        (root / "static" / "out").symlink_to(tmp_path / "outside")
        with pytest.raises(StorageUnavailable):
            directory.create("static/out/new.md", b"written")
        assert [file.name for file in (tmp_path / "outside").iterdir()] == ["secret.md"]

    def test_new_folders_are_made_on_the_way(self, root: Path, directory: Directory) -> None:
        directory.create("dynamic/incidents/2026/a.md", b"# A\n").keep()
        assert (root / "dynamic" / "incidents" / "2026" / "a.md").read_bytes() == b"# A\n"

    def test_a_pipe_put_in_the_place_of_a_file_is_not_waited_for(self, root: Path, directory: Directory) -> None:
        os.mkfifo(root / "static" / "a.md")
        found = directory.find("static/a.md")
        assert isinstance(found, Problem)
        assert found.code == "not-a-file"

    def test_a_file_that_grows_over_the_limit_is_not_read_to_its_end(self, root: Path, directory: Directory) -> None:
        with put(root, "static/big.md").open("r+b") as big:
            big.truncate(2 * 1024**3)
        found = directory.find("static/big.md")
        assert isinstance(found, Problem)
        assert found.code == "too-large"

    def test_a_file_that_changes_while_it_is_read_is_left_for_later(
        self, root: Path, directory: Directory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = put(root, "static/a.md", b"first half")
        really_read = os.read

        def while_reading(handle: int, size: int) -> bytes:
            part = really_read(handle, size)
            with file.open("ab") as writer:
                writer.write(b", second half")
            return part

        monkeypatch.setattr(os, "read", while_reading)
        found = directory.find("static/a.md")
        assert isinstance(found, Problem)
        assert found.code == "still-written"

    def test_a_folder_swapped_for_a_link_never_lets_a_byte_out(self, root: Path, directory: Directory) -> None:
        put(root, "static/inner/secret.md", b"harmless")
        inner, aside = root / "static" / "inner", root / "static" / "aside"
        stop = threading.Event()

        def swap() -> None:
            while not stop.is_set():
                inner.rename(aside)
                inner.symlink_to(root.parent / "outside")
                inner.unlink()
                aside.rename(inner)

        swapper = threading.Thread(target=swap)
        swapper.start()
        seen = set()
        try:
            for _ in range(10_000):
                found = directory.find("static/inner/secret.md")
                seen.add(found.raw if isinstance(found, FileText) else found and found.code)
        finally:
            stop.set()
            swapper.join()
        assert b"harmless" in seen
        assert SECRET not in seen

    def test_a_file_swapped_for_a_link_never_lets_a_byte_out(self, root: Path, directory: Directory) -> None:
        file = put(root, "static/a.md", b"harmless")
        aside = root / "static" / "aside.md"
        stop = threading.Event()

        def swap() -> None:
            while not stop.is_set():
                file.rename(aside)
                file.symlink_to("../../outside/secret.md")
                file.unlink()
                aside.rename(file)

        swapper = threading.Thread(target=swap)
        swapper.start()
        seen = set()
        try:
            for _ in range(10_000):
                found = directory.find("static/a.md")
                seen.add(found.raw if isinstance(found, FileText) else found and found.code)
        finally:
            stop.set()
            swapper.join()
        assert b"harmless" in seen
        assert SECRET not in seen
