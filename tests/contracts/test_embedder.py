"""What every embedder promises, run over the test twin, the bundled model and sentence-transformers itself."""

import threading
from pathlib import Path

import numpy as np
import pytest

from indexer.embed import Embedder, HashingEmbedder
from indexer.embedders import open_embedder
from indexer.errors import EmbedderUnavailable
from indexer.model_files import bundled_model
from indexer.torch_model import SentenceTransformerEmbedder

TEXTS = (
    "KubePodCrashLooping: pod restarts again and again",
    "Filesystem is almost out of space on /var/lib/postgresql",
    "",
    "   \n\t ",
    "Überlauf — 日本語 🚨 \x00 control",
    "lone \ud800 surrogate",
    "word " * 2_000,
)


@pytest.fixture(scope="module")
def onnx_embedder(models_dir: Path) -> Embedder:
    return open_embedder("", models_dir)


@pytest.fixture(scope="module")
def torch_embedder() -> Embedder:
    return SentenceTransformerEmbedder(str(bundled_model().path), device="cpu")


class EmbedderContract:
    """Inherited once for each embedder."""

    @pytest.fixture
    def embedder(self) -> Embedder:
        raise NotImplementedError

    def test_passages_are_unit_vectors_in_input_order(self, embedder: Embedder) -> None:
        vectors = embedder.embed_passages(TEXTS)
        assert vectors.shape == (len(TEXTS), embedder.dimension)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
        backwards = embedder.embed_passages(TEXTS[::-1])
        np.testing.assert_allclose(backwards[::-1], vectors, atol=1e-5)

    def test_no_passages_give_an_empty_matrix(self, embedder: Embedder) -> None:
        assert embedder.embed_passages([]).shape == (0, embedder.dimension)

    def test_a_query_is_a_read_only_unit_vector(self, embedder: Embedder) -> None:
        vector = embedder.embed_query(TEXTS[0])
        assert vector.shape == (embedder.dimension,)
        assert vector.dtype == np.float32
        assert abs(float(np.linalg.norm(vector)) - 1.0) < 1e-5
        with pytest.raises(ValueError, match="read-only"):
            vector[0] = 0.0

    def test_a_text_is_nearest_to_itself(self, embedder: Embedder) -> None:
        passages = embedder.embed_passages(TEXTS[:2])
        for row, text in enumerate(TEXTS[:2]):
            assert int(np.argmax(passages @ embedder.embed_query(text))) == row

    def test_asking_twice_gives_the_same_bits(self, embedder: Embedder) -> None:
        assert embedder.embed_passages(TEXTS).tobytes() == embedder.embed_passages(TEXTS).tobytes()
        assert embedder.embed_query("disk full").tobytes() == embedder.embed_query("disk full").tobytes()

    def test_progress_ends_with_all_texts_done(self, embedder: Embedder) -> None:
        seen: list[tuple[int, int]] = []
        embedder.embed_passages(TEXTS[:3], progress=lambda done, total: seen.append((done, total)))
        assert seen[-1] == (3, 3)
        assert [done for done, _ in seen] == sorted(done for done, _ in seen)

    def test_the_model_id_is_one_line_that_a_file_can_hold(self, embedder: Embedder) -> None:
        assert embedder.model_id
        assert embedder.model_id.isprintable()

    def test_many_threads_may_ask_at_once(self, embedder: Embedder) -> None:
        alone = embedder.embed_query("many threads").copy()
        answers: list[bytes] = []

        def ask(number: int) -> None:
            embedder.embed_query(f"another query {number}")
            answers.append(embedder.embed_query("many threads").tobytes())

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [alone.tobytes()] * 8


class TestHashingEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return HashingEmbedder()

    def test_its_vectors_can_be_computed_by_hand(self) -> None:
        # blake2b of "disk" begins fa82e3e7 b6, of "full" 25e1de53 e2: buckets 7 and 3, both even, so both count -1.
        vector = HashingEmbedder(dimension=8).embed_query("disk FULL, full")
        np.testing.assert_allclose(vector, [0, 0, 0, -2 / 5**0.5, 0, 0, 0, -1 / 5**0.5], rtol=1e-6)
        assert HashingEmbedder(dimension=8).embed_query("!").tolist() == [1, 0, 0, 0, 0, 0, 0, 0]


@pytest.mark.model
@pytest.mark.slow
class TestOnnxEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self, onnx_embedder: Embedder) -> Embedder:
        return onnx_embedder

    def test_a_vector_does_not_depend_on_its_neighbours(self, embedder: Embedder) -> None:
        together = embedder.embed_passages(TEXTS)
        alone = np.vstack([embedder.embed_passages([text]) for text in TEXTS])
        assert together.tobytes() == alone.tobytes()

    def test_it_agrees_with_sentence_transformers(self, embedder: Embedder, torch_embedder: Embedder) -> None:
        cosines = np.sum(torch_embedder.embed_passages(TEXTS) * embedder.embed_passages(TEXTS), axis=1)
        assert cosines.min() > 0.98  # in eight bits, on texts as odd as these; on runbooks it is .995 and more
        assert cosines[:2].min() > 0.99


@pytest.mark.model
@pytest.mark.slow
class TestSentenceTransformerEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self, torch_embedder: Embedder) -> Embedder:
        return torch_embedder

    def test_its_model_id_names_the_weights_and_not_only_the_path(self, embedder: Embedder) -> None:
        path, _, digest = embedder.model_id.rpartition("@")
        assert path == str(bundled_model().path)
        assert len(digest) == 16


@pytest.mark.model
@pytest.mark.slow
def test_a_model_that_does_not_exist_is_a_clear_error_and_no_other_model(tmp_path: Path) -> None:
    with pytest.raises(EmbedderUnavailable, match="no-such-model") as caught:
        open_embedder(str(tmp_path / "no-such-model"), tmp_path)
    assert "SRE_KB_EMBEDDING_MODEL" in caught.value.advice
