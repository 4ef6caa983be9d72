"""Saved generations: whole or not there, whatever kills the save, and never served when a byte of them is wrong."""

import json
import os
import random
import shutil
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from indexer import generation_files
from indexer.embed import HashingEmbedder
from indexer.errors import IndexCorrupt, IndexOutdated
from indexer.generation import Generation
from indexer.generation_files import load_generation, read_generation, save_generation, search_index_text
from indexer.sealed_folder import MANIFEST, seal
from tests.indexer.toy_store import ToySource, built_from_scratch, edited, open_index

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def generations(tmp_path_factory: pytest.TempPathFactory) -> list[Generation]:
    """Three generations of one store, from three of its revisions."""
    folder = tmp_path_factory.mktemp("generations")
    return [built_from_scratch(edited(5, 12 + n), folder / str(n)).at_revision(12 + n) for n in range(3)]


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Generation:
    """A generation of another store."""
    return built_from_scratch(edited(99, 30), tmp_path_factory.mktemp("stranger"))


def load(folder: Path) -> tuple[Generation | None, list[IndexCorrupt | IndexOutdated]]:
    problems: list[IndexCorrupt | IndexOutdated] = []
    return load_generation(folder, problems), problems


def test_what_is_saved_is_loaded_to_the_last_byte(generations: list[Generation], tmp_path: Path) -> None:
    save_generation(generations[0], tmp_path)
    loaded, problems = load(tmp_path)
    assert loaded is not None
    assert problems == []
    assert loaded.content_digest() == generations[0].content_digest()
    assert (loaded.id, loaded.revision, loaded.model_id) == (generations[0].id, 12, "hashing-64")
    assert [loaded.chunks[row] for row in range(len(loaded.chunks))] == [
        generations[0].chunks[row] for row in range(len(loaded.chunks))
    ]


def test_an_empty_index_is_saved_and_loaded_too(tmp_path: Path) -> None:
    empty = built_from_scratch(ToySource(), tmp_path / "0")
    save_generation(empty, tmp_path / "1")
    loaded, problems = load(tmp_path / "1")
    assert loaded is not None
    assert (loaded.content_digest(), problems) == (empty.content_digest(), [])


def test_the_two_last_generations_are_kept_and_the_pointer_names_the_last(
    generations: list[Generation], tmp_path: Path
) -> None:
    for generation in generations:
        save_generation(generation, tmp_path)
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == sorted(["CURRENT", f"gen-{generations[1].id}", f"gen-{generations[2].id}"])
    loaded, _ = load(tmp_path)
    assert loaded is not None
    assert loaded.id == generations[2].id


def test_saving_again_writes_only_the_pointer(generations: list[Generation], tmp_path: Path) -> None:
    folder = save_generation(generations[0], tmp_path)
    before = (folder / MANIFEST).stat().st_mtime_ns
    save_generation(generations[0].at_revision(77), tmp_path)
    assert (folder / MANIFEST).stat().st_mtime_ns == before
    loaded, _ = load(tmp_path)
    assert loaded is not None
    assert loaded.revision == 77


def test_other_releases_and_empty_folders_are_told_apart_from_damage(
    generations: list[Generation], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load(tmp_path / "none") == (None, [])
    save_generation(generations[0], tmp_path)
    monkeypatch.setattr(generation_files, "RECIPE", 10_000)
    loaded, problems = load(tmp_path)
    assert loaded is None
    assert [type(problem) for problem in problems] == [IndexOutdated]


def test_the_search_index_for_other_tools_lists_every_runbook(generations: list[Generation]) -> None:
    body = json.loads(search_index_text(generations[0]))
    assert body["id"] == generations[0].id
    assert [entry["id"] for entry in body["entries"]] == [card.id for card in generations[0].cards]
    assert sum(entry["chunks"] for entry in body["entries"]) == body["chunks"]


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the product catches it."""


def steps_of(generation: Generation, folder: Path) -> list[str]:
    names: list[str] = []
    save_generation(generation, folder, step=names.append)
    return names


def killing_at(number: int) -> Callable[[str], None]:
    seen = 0

    def step(_name: str) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            raise Killed

    return step


@pytest.mark.slow
def test_a_save_killed_after_any_sub_step_leaves_the_old_or_the_new_generation(
    generations: list[Generation], tmp_path: Path
) -> None:
    save_generation(generations[0], tmp_path / "steps")
    names = steps_of(generations[1], tmp_path / "steps")
    assert {"folder made", "files written", "manifest", "renamed", "CURRENT written", "CURRENT renamed"} <= set(names)
    trials = 0
    first_new = names.index("CURRENT renamed") + 1
    for round_number, (old, new) in enumerate(pairwise([*generations, *generations, *generations])):
        for number in range(1, len(names) + 1):
            folder = tmp_path / f"{round_number}-{number}"
            save_generation(old, folder)
            with pytest.raises(Killed):
                save_generation(new, folder, step=killing_at(number))
            loaded, problems = load(folder)
            assert loaded is not None
            expected = new if number >= first_new else old
            assert (loaded.id, loaded.content_digest()) == (expected.id, expected.content_digest())
            assert problems == []
            save_generation(new, folder)  # the next start
            assert not list(folder.glob(".tmp-*"))
            trials += 1
            shutil.rmtree(folder)
    assert trials >= 300


def test_every_file_is_synced_before_the_rename_and_the_folder_after_it(
    generations: list[Generation], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[tuple[str, str]] = []
    real_fsync, real_rename, real_replace = os.fsync, Path.rename, Path.replace

    def fsync(descriptor: int) -> None:
        events.append(("sync", os.readlink(f"/proc/self/fd/{descriptor}")))
        real_fsync(descriptor)

    def rename(self: Path, target: Path) -> Path:
        events.append(("rename", str(target)))
        return real_rename(self, target)

    def replace_file(self: Path, target: Path) -> Path:
        events.append(("rename", str(target)))
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "rename", rename)
    monkeypatch.setattr(Path, "replace", replace_file)
    final = save_generation(generations[0], tmp_path)
    temporary = tmp_path / f".tmp-{final.name}"
    at = events.index(("rename", str(final)))
    synced = {path for kind, path in events[:at] if kind == "sync"}
    assert synced == {str(temporary), *(str(temporary / path.name) for path in final.iterdir())}
    assert events[at + 1] == ("sync", str(tmp_path))
    [kind, path], renamed, last = events[at + 2 :]
    assert (kind, Path(path).parent) == ("sync", tmp_path)
    assert renamed == ("rename", str(tmp_path / "CURRENT"))
    assert last == ("sync", str(tmp_path))


def test_a_full_disk_leaves_the_last_save_in_place(
    generations: list[Generation], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_generation(generations[0], tmp_path)

    def no_space(*_args: object, **_kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", no_space)
    with pytest.raises(OSError, match="No space"):
        save_generation(generations[1], tmp_path)
    loaded, problems = load(tmp_path)
    assert loaded is not None
    assert (loaded.id, problems) == (generations[0].id, [])
    assert not list(tmp_path.glob(".tmp-*"))


def truncate(path: Path, chance: random.Random, _stranger: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: chance.randrange(len(content))] if content else b"x")


def flip_a_bit(path: Path, chance: random.Random, _stranger: Path) -> None:
    content = bytearray(path.read_bytes() or b"\0")
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def zero_the_tail(path: Path, chance: random.Random, _stranger: Path) -> None:
    content = path.read_bytes()
    keep = chance.randrange(len(content)) if content else 0
    path.write_bytes(content[:keep] + bytes(len(content) - keep) + b"\0")


def swap_with_another_corpus(path: Path, _chance: random.Random, stranger: Path) -> None:
    other = stranger / path.name
    path.write_bytes(other.read_bytes() + (b" " if other.read_bytes() == path.read_bytes() else b""))


def append(path: Path, chance: random.Random, _stranger: Path) -> None:
    path.write_bytes(path.read_bytes() + chance.randbytes(chance.randint(1, 64)))


def delete(path: Path, _chance: random.Random, _stranger: Path) -> None:
    path.unlink()


def empty(path: Path, _chance: random.Random, _stranger: Path) -> None:
    path.write_bytes(b"" if path.stat().st_size else b"x")


MUTATIONS: Sequence[Callable[[Path, random.Random, Path], None]] = (
    truncate,
    flip_a_bit,
    zero_the_tail,
    swap_with_another_corpus,
    append,
    delete,
    empty,
)


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_no_mutation_of_a_saved_file_is_ever_served(
    mutation: Callable[[Path, random.Random, Path], None],
    generations: list[Generation],
    stranger: Generation,
    tmp_path: Path,
) -> None:
    """72 of each of seven kinds, 504 in all; every tenth heals through a start of the index."""
    chance = random.Random(zlib.crc32(mutation.__name__.encode()))
    theirs = save_generation(stranger, tmp_path / "stranger")
    ours = save_generation(generations[0], tmp_path / "ours")
    for number in range(72):
        folder = tmp_path / str(number) / "index"
        shutil.copytree(tmp_path / "ours", folder)
        files = sorted((folder / ours.name).iterdir())
        mutation(files[chance.randrange(len(files))], chance, theirs)
        loaded, problems = load(folder)
        assert loaded is None
        assert [type(problem) for problem in problems] == [IndexCorrupt]
        if number % 10 == 0:
            said: list[str] = []
            index = open_index(folder.parent, said=said)
            assert index.load().degraded == "index: being built"
            index.refresh(edited(5, 12))
            index.close()
            assert index.current.content_digest() == generations[0].content_digest()
            assert len(said) == 1
            healed, problems = load(folder)
            assert healed is not None
            assert (healed.content_digest(), problems) == (generations[0].content_digest(), [])
        shutil.rmtree(folder.parent)


@pytest.mark.parametrize("mutation", [truncate, flip_a_bit, zero_the_tail, append, delete, empty])
def test_a_damaged_pointer_costs_nothing_but_a_comparison_with_the_store(
    mutation: Callable[[Path, random.Random, Path], None], generations: list[Generation], tmp_path: Path
) -> None:
    chance = random.Random(1)
    for number in range(20):
        folder = tmp_path / str(number)
        save_generation(generations[0], folder)
        mutation(folder / "CURRENT", chance, folder)
        loaded, problems = load(folder)
        assert loaded is not None
        assert loaded.content_digest() == generations[0].content_digest()
        assert loaded.revision == -1
        assert [problem.path.name for problem in problems] == ["CURRENT"]


def test_when_the_last_generation_is_damaged_the_one_before_serves(
    generations: list[Generation], tmp_path: Path
) -> None:
    save_generation(generations[0], tmp_path)
    last = save_generation(generations[1], tmp_path)
    flip_a_bit(last / "chunk_vectors.npy", random.Random(2), last)
    loaded, problems = load(tmp_path)
    assert loaded is not None
    assert (loaded.id, loaded.revision) == (generations[0].id, -1)
    assert [problem.path.name for problem in problems] == ["chunk_vectors.npy"]


@pytest.mark.parametrize(
    "name",
    [
        "cards.json",
        "lexical.ids.npy",
        "lexical.chunk_starts.npy",
        "fields.n_rows.npy",
        "chunks.n_rows.npy",
        "ngrams.n_rows.npy",
        "table.offsets.npy",
        "chunks.jsonb",
        "card_vectors.npy",
        "card_keys.npy",
        "chunk_vectors.npy",
        "chunk_keys.npy",
    ],
)
def test_a_well_sealed_part_of_another_index_is_refused(
    name: str, generations: list[Generation], stranger: Generation, tmp_path: Path
) -> None:
    """What a bug or a hand could do: every digest is right, and the parts are of two corpora."""
    theirs = save_generation(stranger, tmp_path / "theirs")
    ours = save_generation(generations[0], tmp_path / "ours")
    shutil.copyfile(theirs / name, ours / name)
    seal(ours, generation_files.facts_of(generations[0]))
    with pytest.raises(IndexCorrupt):
        read_generation(ours)


def test_vectors_of_another_length_and_an_id_of_other_content_are_refused(
    generations: list[Generation], tmp_path: Path
) -> None:
    ours = save_generation(generations[0], tmp_path)
    np.save(ours / "chunk_vectors.npy", np.zeros((len(generations[0].chunks), 32), dtype=np.float32))
    seal(ours, generation_files.facts_of(generations[0]))
    with pytest.raises(IndexCorrupt, match="dimension of chunk vectors"):
        read_generation(ours)
    shutil.rmtree(ours)
    ours = save_generation(replace(generations[0], id="0123456789abcdef"), tmp_path)
    with pytest.raises(IndexCorrupt, match="calls itself 0123456789abcdef"):
        read_generation(ours)


def test_arrays_that_could_run_code_are_refused(generations: list[Generation], tmp_path: Path) -> None:
    ours = save_generation(generations[0], tmp_path)
    np.save(ours / "chunk_keys.npy", np.array([print], dtype=object), allow_pickle=True)
    seal(ours, generation_files.facts_of(generations[0]))
    with pytest.raises(IndexCorrupt, match="unexpected layout"):
        read_generation(ours)


def test_an_embedder_of_another_dimension_is_another_model(generations: list[Generation], tmp_path: Path) -> None:
    save_generation(generations[0], tmp_path / "index")
    index = open_index(tmp_path, embedder=HashingEmbedder(dimension=16), said=[])
    assert index.load().has_vectors is False
    index.close()
