"""ONNX graphs that bring pictures of any size to a run's size, as Pillow does.

Each axis is resampled by a matrix product with the weights of a bilinear filter, which averages where a
picture gets smaller. Pillow rounds to whole grey levels after each axis and these graphs don't, so that
pixels differ by one grey level at most.
"""

from typing import Any, NamedTuple

import numpy as np
from onnx import ModelProto, TensorProto, helper

from treino.data.preparation.preparation import Preparation
from treino.reports.export.onnx_graph import OnnxGraph

RESIZED = "resized"  # the name of the pixels in the run's size, which the export checks


class PixelAxis(NamedTuple):
    """Where one axis of a picture goes: its pixels from ``first`` to ``last`` become ``inner`` pixels, which
    begin at ``offset`` among the ``size`` pixels of the network. All but ``size`` are names in the graph."""

    own: str
    first: str
    last: str
    inner: str
    offset: str
    size: int


def resized(graph: OnnxGraph, preparation: Preparation) -> str:
    """Return ``[N, C*H*W]`` float64 pixels from 0 to 255, computed from the input ``pixels``
    ``[N, height, width, C]`` uint8."""
    assert preparation.picture_shape is not None
    channels, height, width = preparation.picture_shape
    x = graph.input("pixels", TensorProto.UINT8, ("rows", "height", "width", channels))
    x = graph.put("Cast", graph.put("Transpose", x, perm=[0, 3, 1, 2]), to=TensorProto.FLOAT)
    vertical, horizontal = _axes(graph, x, preparation.fit or "crop", height, width)
    x = graph.put("MatMul", x, graph.put("Transpose", _weights(graph, horizontal), perm=[1, 0]))
    x = graph.put("MatMul", _weights(graph, vertical), x)
    x = graph.put("Reshape", x, graph.constant([-1, channels * height * width], np.int64))
    graph.nodes.append(helper.make_node("Cast", [x], [RESIZED], to=TensorProto.DOUBLE))
    return RESIZED


def _axes(graph: OnnxGraph, x: str, fit: str, height: int, width: int) -> tuple[PixelAxis, PixelAxis]:
    """Return how height and width are resized, by the rule that brings pictures to one size."""
    shape, zero = graph.put("Cast", graph.put("Shape", x), to=TensorProto.DOUBLE), graph.constant(0.0)
    sizes = {2: height, 3: width}
    whole = {axis: graph.constant(float(size)) for axis, size in sizes.items()}
    own = {axis: graph.put("Gather", shape, graph.constant(axis, np.int64), axis=0) for axis in sizes}
    factors = [graph.put("Div", whole[axis], own[axis]) for axis in sizes]
    factor = graph.put("Min" if fit == "pad" else "Max", *factors)
    axes = []
    for axis, size in sizes.items():
        first, last, inner, offset = zero, own[axis], whole[axis], zero
        if fit == "crop":
            over = graph.put("Sub", own[axis], graph.put("Div", whole[axis], factor))
            first = graph.put("Max", graph.calculated("Div", over, 2.0), zero)
            last = graph.put("Sub", own[axis], first)
        elif fit == "pad":
            inner = graph.put("Round", graph.put("Mul", own[axis], factor))
            inner = graph.put("Max", inner, graph.constant(1.0))
            offset = graph.put("Floor", graph.calculated("Div", graph.put("Sub", whole[axis], inner), 2.0))
        axes.append(PixelAxis(own[axis], first, last, inner, offset, size))
    return axes[0], axes[1]


def _weights(graph: OnnxGraph, axis: PixelAxis) -> str:
    """Return ``[size, own]`` float32: the share of each pixel in each of the network's; 0 in the borders of a
    padded picture."""
    scale = graph.put("Div", graph.put("Sub", axis.last, axis.first), axis.inner)
    place = graph.put("Sub", graph.constant(np.arange(float(axis.size))[:, None]), axis.offset)
    middle = graph.put("Add", axis.first, graph.put("Mul", graph.calculated("Add", place, 0.5), scale))
    pixel = graph.put("Range", graph.constant(0.0), axis.own, graph.constant(1.0))
    apart = graph.put("Abs", graph.put("Sub", graph.calculated("Add", pixel, 0.5), middle))
    wide = graph.put("Max", scale, graph.constant(1.0))
    share = graph.put("Sub", graph.constant(1.0), graph.put("Div", apart, wide))
    share = graph.put("Max", share, graph.constant(0.0))
    within = graph.put(
        "And", graph.put("GreaterOrEqual", place, graph.constant(0.0)), graph.put("Less", place, axis.inner)
    )
    share = graph.put("Where", within, share, graph.constant(0.0))
    total = graph.put("ReduceSum", share, graph.constant([1], np.int64))
    share = graph.put("Div", share, graph.put("Max", total, graph.constant(1e-9)))
    return graph.put("Cast", share, to=TensorProto.FLOAT)


def with_pixels(made: Any) -> Any:
    """Return the model with the resized pixels of pictures as another output; for other rows, itself."""
    if not any(RESIZED in node.output for node in made.graph.node):
        return made
    shown = ModelProto()
    shown.CopyFrom(made)
    shown.graph.output.append(helper.make_tensor_value_info(RESIZED, TensorProto.DOUBLE, ["rows", "pixels"]))
    return shown
