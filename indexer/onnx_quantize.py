"""The only home of the onnx package: rewrites a fused graph so that eight bits lose little.

Some channels of a transformer reach values thirty times the others'. One scale for all rounds the others away. So each
channel is divided by its size before a matrix product and the matrix's row multiplied by it: the product is the same,
and what is rounded is even. (The idea is SmoothQuant's; the divisions stay explicit here, as this model normalises
after its residuals.)
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Peaks = Mapping[str, NDArray[np.float32]]  # by tensor name: the largest absolute value of each channel

# How much of a channel's size moves into the weights. Of .5 to 1.0, these kept cosines to fp32 highest on runbooks
# that were not calibrated on (mean .9983); after a GELU the range is wider.
_MOVED = 0.7
_MOVED_AFTER_GELU = 0.8
_FLOOR = 0.25  # quantile below which a channel's peak counts as this quantile: a rare peak may not have been seen
_TINY = 1e-5


def matmul_inputs(graph: Path) -> list[str]:
    """Names of the tensors that are multiplied by weights, in the graph's order."""
    model = onnx.load(graph)
    weights = {tensor.name for tensor in model.graph.initializer}
    return list(dict.fromkeys(node.input[0] for node in model.graph.node if _is_weighing(node, weights)))


def expose(graph: Path, names: Sequence[str], target: Path) -> None:
    """Write the graph with the tensors `names` among its outputs."""
    model = onnx.load(graph)
    for name in names:
        model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    onnx.save(model, target)


def smooth_graph(graph: Path, peaks: Peaks, target: Path) -> None:
    """Write the graph with the same results and evener numbers in front of each matrix product."""
    model = onnx.load(graph)
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    products: dict[str, list[onnx.NodeProto]] = {}
    for node in model.graph.node:
        if _is_weighing(node, weights.keys()):
            products.setdefault(node.input[0], []).append(node)
    nodes = []
    for node in model.graph.node:
        source = node.input[0] if node.input else ""
        if source in products and node is products[source][0]:
            scales = _scales(peaks[source], [numpy_helper.to_array(weights[one.input[1]]) for one in products[source]])
            divided = f"{source}_smooth"
            model.graph.initializer.append(numpy_helper.from_array(1 / scales, f"{divided}_by"))
            nodes.append(helper.make_node("Mul", [source, f"{divided}_by"], [divided], name=f"{divided}_mul"))
            for one in products.pop(source):
                matrix = numpy_helper.to_array(weights[one.input[1]]) * scales[:, None]
                weights[one.input[1]].CopyFrom(numpy_helper.from_array(matrix, one.input[1]))
                one.input[0] = divided
        nodes.append(node)
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del model.graph.node[:]
    model.graph.node.extend(copies)
    onnx.save(model, target)


def store_apart(graph: Path, target: Path) -> None:
    """Write the graph with its weights in a file beside it, which is mapped into memory when a session opens: word
    embeddings that nobody asks for stay on disk. (In full precision: 55 MB less, open in 45 ms instead of 170.)"""
    onnx.save_model(
        onnx.load(graph),
        target,
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location=f"{target.name}.data",
        size_threshold=1024,
    )


def _is_weighing(node: onnx.NodeProto, weights: Collection[str]) -> bool:
    return node.op_type == "MatMul" and node.input[1] in weights


def _scales(peaks: NDArray[np.float32], matrices: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """(channels,): what each is divided by; their geometric mean is 1."""
    moved = _MOVED_AFTER_GELU if len(peaks) > min(matrix.shape[1] for matrix in matrices) else _MOVED
    seen = np.maximum(np.maximum(peaks, np.quantile(peaks, _FLOOR)), _TINY)
    heights = np.maximum(np.max([np.abs(matrix).max(axis=1) for matrix in matrices], axis=0), _TINY)
    logs = moved * np.log(seen) - (1 - moved) * np.log(heights)
    return np.asarray(np.exp(logs - logs.mean()), dtype=np.float32)
