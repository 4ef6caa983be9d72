"""The exported model: made once, by one process, checked at every start and made again when damaged."""

import contextlib
import multiprocessing
import os
import shutil
import subprocess
import sys
from multiprocessing.queues import Queue
from pathlib import Path

import numpy as np
import pytest

from indexer.embedders import open_embedder
from indexer.errors import EmbedderUnavailable
from indexer.model_files import TOKENIZER, ModelFolder, bundled_model
from indexer.onnx_export import GRAPH, PROBES, export_key, open_onnx
from indexer.sealed_folder import check_sealed, seal

pytestmark = [pytest.mark.model, pytest.mark.slow]


def open_in_child(models_dir: Path, answers: "Queue[tuple[list[str], bytes]]") -> None:
    said: list[str] = []
    embedder = open_embedder("", models_dir, report=said.append)
    answers.put((said, embedder.embed_query("disk full").tobytes()))


def test_a_damaged_export_is_made_again_by_one_of_two_processes_that_start_at_once(
    models_dir: Path, tmp_path: Path
) -> None:
    sound = open_embedder("", models_dir)
    key = export_key(bundled_model())
    shutil.copytree(models_dir / key, tmp_path / key)
    with (tmp_path / key / f"{GRAPH}.data").open("r+b") as weights:
        weights.seek(1_000_003)
        byte = weights.read(1)[0]
        weights.seek(1_000_003)
        weights.write(bytes([byte ^ 1]))
    (tmp_path / ".tmp-99999-left-by-a-killed-export").mkdir()

    context = multiprocessing.get_context("spawn")
    answers: Queue[tuple[list[str], bytes]] = context.Queue()
    processes = [context.Process(target=open_in_child, args=(tmp_path, answers)) for _ in range(2)]
    for process in processes:
        process.start()
    outcomes = [answers.get(timeout=500) for _ in processes]
    for process in processes:
        process.join(10)

    assert sorted(len(said) for said, _ in outcomes) == [0, 1]
    assert {vector for _, vector in outcomes} == {sound.embed_query("disk full").tobytes()}
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([key, "export.lock"])
    facts = check_sealed(tmp_path / key).facts
    assert float(str(facts["worst_cosine"])) > 0.9999
    assert (facts["precision"] == "int8") is (float(str(facts["worst_cosine_int8"])) >= 0.99)


def test_an_export_that_gives_other_vectors_on_this_machine_is_made_again(models_dir: Path, tmp_path: Path) -> None:
    """As when a data folder moves to a CPU that rounds otherwise: the files are whole, the vectors are not these."""
    open_embedder("", models_dir)
    key = export_key(bundled_model())
    shutil.copytree(models_dir / key, tmp_path / key)
    probes = np.load(tmp_path / key / "probes.npy")
    np.save(tmp_path / key / "probes.npy", probes[:, ::-1])
    seal(tmp_path / key, check_sealed(models_dir / key).facts)
    said: list[str] = []
    embedder = open_embedder("", tmp_path, report=said.append)
    assert len(said) == 1
    np.testing.assert_allclose(embedder.embed_query(PROBES[0]), probes[0], atol=1e-4)


def test_serving_imports_no_torch(models_dir: Path, repository: Path) -> None:
    open_embedder("", models_dir)
    script = (
        "import sys, pathlib\n"
        "from indexer.embedders import open_embedder\n"
        f"open_embedder('', pathlib.Path({str(models_dir)!r})).embed_query('disk full')\n"
        "print([name for name in ('torch', 'transformers', 'sentence_transformers', 'sklearn') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", script], cwd=repository, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_a_tokenizer_that_was_tampered_with_is_refused_before_anything_is_served(
    models_dir: Path, tmp_path: Path
) -> None:
    published = bundled_model()
    (tmp_path / TOKENIZER).write_bytes((published.path / TOKENIZER).read_bytes() + b" ")
    with pytest.raises(EmbedderUnavailable, match=r"tokenizer\.json is not the published file"):
        open_onnx(ModelFolder(published.name, tmp_path, published.pinned), models_dir)


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where a folder should be")
    with pytest.raises(EmbedderUnavailable, match="cannot be written") as caught:
        open_embedder("", tmp_path / "models")
    assert "SRE_KB_DATA_DIR" in caught.value.advice


def test_recent_queries_are_not_embedded_again(models_dir: Path) -> None:
    embedder = open_embedder("", models_dir)
    assert embedder.embed_query("once") is embedder.embed_query("once")
    np.testing.assert_array_equal(embedder.embed_query("once"), embedder.embed_passages(["once"])[0])


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has a priority of its own on Linux only")
def test_an_embedder_that_gives_way_slows_only_its_own_threads(models_dir: Path) -> None:
    polite = open_embedder("", models_dir, niceness=7)
    seen: set[int] = set()

    def look(_done: int, _total: int) -> None:
        for task in Path("/proc/self/task").iterdir():
            with contextlib.suppress(ProcessLookupError):
                seen.add(os.getpriority(os.PRIO_PROCESS, int(task.name)))

    before = os.getpriority(os.PRIO_PROCESS, 0)
    texts = [f"text number {number}" for number in range(8)]
    vectors = polite.embed_passages(texts, progress=look)
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
    assert vectors.tobytes() == open_embedder("", models_dir).embed_passages(texts).tobytes()
    assert before + 7 in seen
