"""Smoothing moves size between a matrix and what it is multiplied with, and changes no result."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from indexer.onnx_model import quantize_graph
from indexer.onnx_quantize import expose, matmul_inputs, smooth_graph, store_apart

pytestmark = pytest.mark.integration

CHANNELS = 64


@pytest.fixture
def uneven() -> NDArray[np.float32]:
    """Rows whose channel 3 is a hundred times the others."""
    rows = np.random.default_rng(1).standard_normal((20, CHANNELS)).astype(np.float32)
    rows[:, 3] *= 100
    return rows


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """x -> Identity -> y; y @ a and y @ b are the outputs."""
    chance = np.random.default_rng(2)
    weights = [chance.standard_normal((CHANNELS, 8)).astype(np.float32) for _ in range(2)]
    weights[0][3] /= 100
    weights[1][3] /= 100
    model = helper.make_model(
        helper.make_graph(
            [
                helper.make_node("Identity", ["x"], ["y"]),
                helper.make_node("MatMul", ["y", "a"], ["p"]),
                helper.make_node("MatMul", ["y", "b"], ["q"]),
            ],
            "uneven",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", CHANNELS])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 8]) for name in "pq"],
            [numpy_helper.from_array(matrix, name) for matrix, name in zip(weights, "ab", strict=True)],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=10,
    )
    onnx.save(model, tmp_path / "graph.onnx")
    return tmp_path / "graph.onnx"


def run(path: Path, rows: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return list(session.run(None, {"x": rows}))


def error(found: list[NDArray[np.float32]], expected: list[NDArray[np.float32]]) -> float:
    pairs = zip(found, expected, strict=True)
    return float(max(np.abs(a - b).max() / np.abs(b).max() for a, b in pairs))


def test_a_smoothed_graph_gives_the_same_results(graph: Path, uneven: NDArray[np.float32], tmp_path: Path) -> None:
    assert matmul_inputs(graph) == ["y"]
    smooth_graph(graph, {"y": np.abs(uneven).max(axis=0)}, tmp_path / "smooth.onnx")
    assert error(run(tmp_path / "smooth.onnx", uneven), run(graph, uneven)) < 1e-5


def test_smoothed_numbers_lose_a_tenth_as_much_in_eight_bits(
    graph: Path, uneven: NDArray[np.float32], tmp_path: Path
) -> None:
    smooth_graph(graph, {"y": np.abs(uneven).max(axis=0)}, tmp_path / "smooth.onnx")
    quantize_graph(graph, tmp_path / "plain8.onnx")
    quantize_graph(tmp_path / "smooth.onnx", tmp_path / "smooth8.onnx")
    expected = run(graph, uneven)
    plain, smooth = (
        error(run(tmp_path / "plain8.onnx", uneven), expected),
        error(run(tmp_path / "smooth8.onnx", uneven), expected),
    )
    assert smooth < plain / 10
    assert smooth < 0.03


def test_a_tensor_can_be_seen_from_outside(graph: Path, uneven: NDArray[np.float32], tmp_path: Path) -> None:
    expose(graph, ["y"], tmp_path / "exposed.onnx")
    np.testing.assert_array_equal(run(tmp_path / "exposed.onnx", uneven)[2], uneven)


def test_weights_can_stand_in_a_file_of_their_own(graph: Path, uneven: NDArray[np.float32], tmp_path: Path) -> None:
    target = tmp_path / "apart" / "model.onnx"
    target.parent.mkdir()
    store_apart(graph, target)
    assert sorted(path.name for path in target.parent.iterdir()) == ["model.onnx", "model.onnx.data"]
    assert error(run(target, uneven), run(graph, uneven)) == 0.0
