"""ONNX graphs of a preparation and a network: raw columns in, predictions out.

Every column is an input of its own. Numbers, booleans (0, 1), dates (seconds since 1970-01-01) and times of
day (seconds since midnight) are float64, NaN if missing. Classes are text as in a file, with or without
surrounding blanks; "" or one of the table's missing words if missing. The decoded pixels of pictures are one
input. The preparation is computed in float64 and the network in float32, as treino does. Operators:
https://onnx.ai/onnx/operators/
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from treino.base.errors import Refusal
from treino.base.words import N_, setting
from treino.data.preparation.encoders import (
    DAY,
    DateEncoder,
    Encoder,
    HashingEncoder,
    NumberEncoder,
    OneHotEncoder,
    RankEncoder,
    TimeEncoder,
)
from treino.data.preparation.preparation import Preparation
from treino.data.preparation.trees import Tree, ways
from treino.data.readers import ReaderOptions
from treino.engine.ensemble import Ensemble
from treino.engine.nets import Residual

ONNX_LAYER = Refusal(
    "onnx_layer",
    N_("A layer {name} has no form in ONNX here."),
    N_("Export your own network by [[format=pt2]]."),
)
ONNX_HASHED = Refusal(
    "onnx_hashed",
    N_("ONNX has no hash, and the words of column '{name}' are hashed."),
    N_("Train with {kinds}, or export [[format=script]]."),
)

OPSET, IR = 20, 9
BLANKS = r"[\t-\r\x1c-\x1f\x{85}\pZ]*"  # blanks that Arrow strips from a cell, in RE2's syntax
DAYS_TO_ERA, ERA = 719468, 146097  # proleptic Gregorian days: 0000-03-01 to 1970-01-01; in 400 years
ACTIVATIONS: dict[type[nn.Module], tuple[str, dict[str, Any]]] = {
    nn.ReLU: ("Relu", {}),
    nn.LeakyReLU: ("LeakyRelu", {"alpha": 0.01}),
    nn.Tanh: ("Tanh", {}),
    nn.Sigmoid: ("Sigmoid", {}),
}


@dataclass
class OnnxGraph:
    """An ONNX graph being built: nodes, constants and inputs. reading: how text cells are read."""

    reading: ReaderOptions
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)
    inputs: list[onnx.ValueInfoProto] = field(default_factory=list)

    def put(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output. Return the output's name."""
        name = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def constant(self, value: Any, kind: Any = np.float64) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype=kind), name))
        return name

    def input(self, name: str, kind: int, shape: Sequence[Any]) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, kind, list(shape)))
        return name

    def column(self, name: str) -> str:
        """Reshape ``[N]`` to ``[N, 1]``."""
        return self.put("Unsqueeze", name, self.constant([1], np.int64))

    def calculated(self, operator: str, name: str, value: float) -> str:
        """Apply an operator with a number as its right operand."""
        return self.put(operator, name, self.constant(value))

    def remainder(self, name: str, by: float) -> str:
        """Return the remainder of a floor division, never below 0."""
        whole = self.put("Floor", self.calculated("Div", name, by))
        return self.put("Sub", name, self.calculated("Mul", whole, by))


def prepared(graph: OnnxGraph, preparation: Preparation, pixels: str | None = None) -> str:
    """Return ``[N, D]`` float32: the network's inputs, computed from the columns, the graph's inputs. pixels:
    the pixels of pictures ``[N, D]`` in the run's size, if there are any instead of columns."""
    p = preparation
    if pixels is not None:
        raw = graph.calculated("Div", pixels, p.divisor)
    elif not p.encoders:
        size = len(p.inputs)
        raw = graph.put("Cast", graph.input("x", TensorProto.DOUBLE, ("rows", size)), to=TensorProto.DOUBLE)
        raw = graph.calculated("Div", raw, p.divisor)
    else:
        raw = graph.put("Concat", *(_encoded(graph, encoder) for encoder in p.encoders), axis=1)
        leaves = [_leaves(graph, tree, raw) for tree in p.trees]
        raw = graph.put("Concat", raw, *leaves, axis=1) if leaves else raw
    mean, scale = np.array(p.mean), np.array(p.scale)
    x = graph.put("Sub", raw, graph.constant(mean))
    x = graph.put("Div", x, graph.constant(np.where(scale == 0, 1.0, scale)))
    if p.clip is not None:
        low = np.where(p.scaled, -p.clip, -np.inf)
        x = graph.put("Min", graph.put("Max", x, graph.constant(low)), graph.constant(-low))
    if (scale == 0).any():  # constant in the training rows
        x = graph.put("Where", graph.constant(scale == 0, np.bool_), graph.constant(0.0), x)
    return graph.put("Cast", x, to=TensorProto.FLOAT)


def answer(graph: OnnxGraph, net: nn.Module, x: str, item_shape: Sequence[int] | None = None) -> list[str]:
    """Return the outputs ``[N, C]`` of the network, or of each ensemble member. item_shape: the shape to
    which each row of ``x`` is reshaped.
    """
    if item_shape is not None and len(item_shape) > 1:
        x = graph.put("Reshape", x, graph.constant([-1, *item_shape], np.int64))
    if isinstance(net, Ensemble):
        return [_layers(graph, member, x) for member in net.members]
    return [_layers(graph, net, x)]


def mean(graph: OnnxGraph, outputs: Sequence[str]) -> str:
    """Return the mean of the outputs."""
    if len(outputs) == 1:
        return outputs[0]
    return graph.put("Mean", *outputs)


# ---- columns


def _encoded(graph: OnnxGraph, encoder: Encoder) -> str:
    """Return ``[N, K]`` float64: a column's raw inputs."""
    if isinstance(encoder, HashingEncoder):
        raise ONNX_HASHED(name=encoder.column, kinds=setting("kinds", f"{encoder.column}=one-hot"))
    if isinstance(encoder, OneHotEncoder):
        return _cast(graph, _levels(graph, encoder))
    if isinstance(encoder, RankEncoder):
        return _rank(graph, encoder)
    cells = graph.input(encoder.column, TensorProto.DOUBLE, ("rows",))
    value, absent = graph.column(cells), graph.column(graph.put("IsNaN", cells))
    if isinstance(encoder, NumberEncoder):
        return _number(graph, encoder, value, absent)
    if isinstance(encoder, TimeEncoder):
        parts = _circle(graph, graph.calculated("Div", value, DAY), absent)
    else:
        parts = _date(graph, encoder, value, absent)
    return graph.put("Concat", *parts, *_flag(graph, encoder, absent), axis=1)


def _number(graph: OnnxGraph, encoder: NumberEncoder | RankEncoder, value: str, absent: str) -> str:
    if encoder.fill is not None:
        value = graph.put("Where", absent, graph.constant(encoder.fill), value)
    means = _means(graph, encoder, value) if isinstance(encoder, NumberEncoder) and encoder.values else []
    parts = (*_binned(graph, value, encoder.edges), *means, *_flag(graph, encoder, absent))
    return graph.put("Concat", *parts, axis=1)


def _means(graph: OnnxGraph, encoder: NumberEncoder, value: str) -> list[str]:
    """Return the target means of each value; 0 for a value that has none."""
    equal = _cast(graph, graph.put("Equal", value, graph.constant(np.array(encoder.values)[None])))
    mean_LK = np.array(encoder.means).reshape(len(encoder.values), -1)
    return [graph.put("MatMul", equal, graph.constant(mean_LK))]


def _binned(graph: OnnxGraph, value: str, edges: Sequence[float]) -> list[str]:
    """Return the number and, for each bin, the share of the bin below it."""
    if len(edges) < 2:
        return [value]
    low, high = np.array(edges[:-1]), np.array(edges[1:])
    within = graph.put("Min", graph.put("Max", value, graph.constant(low)), graph.constant(high))
    share = graph.put("Div", graph.put("Sub", within, graph.constant(low)), graph.constant(high - low))
    return [value, share]


def _leaves(graph: OnnxGraph, tree: Tree, raw: str) -> str:
    """Return 1 for the leaf in which a row lies, else 0."""
    cells = graph.put("Gather", raw, graph.constant(tree.columns, np.int64), axis=1)
    below = _cast(graph, graph.put("LessOrEqual", cells, graph.constant(tree.thresholds)))
    way_SL, left_L = ways()
    passed = graph.put("MatMul", below, graph.constant(way_SL))
    return _cast(graph, graph.put("Equal", passed, graph.constant(left_L)))


def _flag(graph: OnnxGraph, encoder: Any, absent: str) -> list[str]:
    return [_cast(graph, absent)] if encoder.flag else []


def _cast(graph: OnnxGraph, name: str) -> str:
    return graph.put("Cast", name, to=TensorProto.DOUBLE)


def _levels(graph: OnnxGraph, encoder: OneHotEncoder | RankEncoder) -> str:
    """Return ``[N, L]``: whether a cell equals each level; level "" stands for missing."""
    if not encoder.numeric:
        cells = graph.column(graph.input(encoder.column, TensorProto.STRING, ("rows",)))
        text = encoder.column in graph.reading.text
        nothing = "|".join(map(re.escape, ("",) if text else ("", *(graph.reading.missing or ()))))
        truth = {*encoder.levels} <= {"", "false", "true"}  # read from true, True and TRUE
        words = [f"{w}|{w.title()}|{w.upper()}" if truth else re.escape(w) for w in encoder.levels]
        each = [
            f"{BLANKS}(?:{word if level else nothing}){BLANKS}"
            for level, word in zip(encoder.levels, words, strict=True)
        ]
        return graph.put("Concat", *(graph.put("RegexFullMatch", cells, pattern=p) for p in each), axis=1)
    cells = graph.column(graph.input(encoder.column, TensorProto.DOUBLE, ("rows",)))
    numbers = [float(level) if level else np.nan for level in encoder.levels]
    equal = graph.put("Equal", cells, graph.constant(numbers))
    if "" not in encoder.levels:
        return equal
    nothing = graph.put("And", graph.put("IsNaN", cells), graph.constant(np.isnan(numbers), np.bool_))
    return graph.put("Or", equal, nothing)  # onnxruntime has no Where of truth values


def _rank(graph: OnnxGraph, encoder: RankEncoder) -> str:
    """Return the level's rank; the fill value if missing or unknown."""
    each = _cast(graph, _levels(graph, encoder))
    axis = graph.constant([1], np.int64)
    code = graph.put(
        "ReduceSum", graph.put("Mul", each, graph.constant(np.arange(float(len(encoder.levels))))), axis
    )
    absent = graph.put("Equal", graph.put("ReduceSum", each, axis), graph.constant(0.0))
    return _number(graph, encoder, code, absent)


def _circle(graph: OnnxGraph, turn: str, absent: str) -> list[str]:
    """Return a share of a turn as a point on a circle; the centre if missing."""
    angle = graph.calculated("Mul", turn, 2 * np.pi)
    angle = graph.put("Where", absent, graph.constant(0.0), angle)
    # the cosine as a sine: not every runtime has Cos in float64
    points = [graph.put("Sin", angle), graph.put("Sin", graph.calculated("Add", angle, np.pi / 2))]
    return [graph.put("Where", absent, graph.constant(0.0), point) for point in points]


def _date(graph: OnnxGraph, encoder: DateEncoder, second: str, absent: str) -> list[str]:
    second = graph.put("Where", absent, graph.constant(encoder.fill), second)
    days = graph.calculated("Div", graph.calculated("Sub", second, encoder.origin), DAY)
    parts = _binned(graph, days, encoder.edges)
    day = graph.put("Floor", graph.calculated("Div", second, DAY))
    turns = {
        "month": lambda: graph.calculated("Div", _month(graph, day), 12.0),
        "weekday": lambda: graph.calculated(
            "Div", graph.remainder(graph.calculated("Add", day, 3.0), 7.0), 7.0
        ),
        "hour": lambda: graph.calculated("Div", graph.remainder(second, DAY), DAY),
    }
    for part in encoder.parts:
        parts += _circle(graph, turns[part](), absent)
    return parts


def _month(graph: OnnxGraph, day: str) -> str:
    """Return the month, from 0 (January), of days since 1970-01-01 (Hinnant 2013, "chrono-compatible
    low-level date algorithms", civil_from_days).
    """

    def whole(name: str, by: float) -> str:
        return graph.put("Floor", graph.calculated("Div", name, by))

    of_era = graph.remainder(graph.calculated("Add", day, float(DAYS_TO_ERA)), float(ERA))
    leap = graph.put("Sub", of_era, whole(of_era, 1460.0))
    leap = graph.put("Sub", graph.put("Add", leap, whole(of_era, 36524.0)), whole(of_era, 146096.0))
    year = whole(leap, 365.0)
    before = graph.put("Add", graph.calculated("Mul", year, 365.0), whole(year, 4.0))
    of_year = graph.put("Sub", of_era, graph.put("Sub", before, whole(year, 100.0)))
    march = whole(graph.calculated("Add", graph.calculated("Mul", of_year, 5.0), 2.0), 153.0)
    return graph.remainder(graph.calculated("Add", march, 2.0), 12.0)


# ---- layers


def _layers(graph: OnnxGraph, net: nn.Module, x: str) -> str:
    if isinstance(net, nn.Sequential):
        before = x
        for layer in net:
            x = _layers(graph, layer, x)
        return graph.put("Add", before, x) if isinstance(net, Residual) else x
    if isinstance(net, nn.Linear):
        weight = graph.constant(net.weight.detach().numpy(), np.float32)
        bias = graph.constant(
            np.zeros(net.out_features) if net.bias is None else net.bias.detach().numpy(), np.float32
        )
        return graph.put("Gemm", x, weight, bias, transB=1)
    if isinstance(net, nn.Conv2d) and net.padding_mode == "zeros" and not isinstance(net.padding, str):
        window = _window(net, net.kernel_size) | {"dilations": _pair(net.dilation), "group": net.groups}
        return graph.put("Conv", x, *_floats(graph, net.weight, net.bias), **window)
    if isinstance(net, nn.BatchNorm1d | nn.BatchNorm2d) and net.affine and net.track_running_stats:
        values = _floats(graph, net.weight, net.bias, net.running_mean, net.running_var)
        return graph.put("BatchNormalization", x, *values, epsilon=net.eps)
    if isinstance(net, nn.GroupNorm) and net.affine:
        return _group_norm(graph, net, x)
    if isinstance(net, nn.MaxPool2d) and not net.ceil_mode:
        return graph.put("MaxPool", x, **_window(net, net.kernel_size), dilations=_pair(net.dilation))
    if isinstance(net, nn.AvgPool2d) and not net.ceil_mode and net.divisor_override is None:
        counted = int(net.count_include_pad)
        return graph.put("AveragePool", x, **_window(net, net.kernel_size), count_include_pad=counted)
    if isinstance(net, nn.AdaptiveAvgPool2d) and _pair(net.output_size) == [1, 1]:
        return graph.put("GlobalAveragePool", x)
    if isinstance(net, nn.Flatten) and (net.start_dim, net.end_dim) == (1, -1):
        return graph.put("Flatten", x, axis=1)
    if isinstance(net, nn.Dropout | nn.Identity):
        return x
    if isinstance(net, nn.SiLU):
        return graph.put("Mul", x, graph.put("Sigmoid", x))
    if isinstance(net, nn.GELU):
        inner = graph.put("Erf", graph.put("Mul", x, graph.constant(0.5**0.5, np.float32)))
        half = graph.put("Mul", x, graph.constant(0.5, np.float32))
        return graph.put("Mul", half, graph.put("Add", inner, graph.constant(1.0, np.float32)))
    if type(net) in ACTIVATIONS:
        operator, attributes = ACTIVATIONS[type(net)]
        return graph.put(operator, x, **attributes)
    raise ONNX_LAYER(name=type(net).__name__)


def _floats(graph: OnnxGraph, *values: Tensor | None) -> list[str]:
    return [graph.constant(value.detach().numpy(), np.float32) for value in values if value is not None]


def _window(net: Any, kernel: Any) -> dict[str, Any]:
    """Return how the kernel of a convolution or pool is moved over pictures."""
    sizes = {"kernel_shape": _pair(kernel), "strides": _pair(net.stride)}
    return sizes | {"pads": _pair(net.padding) * 2}


def _pair(size: Any) -> list[int]:
    return [size, size] if isinstance(size, int) else list(size)


def _group_norm(graph: OnnxGraph, net: nn.GroupNorm, x: str) -> str:
    """Return the normalised channels. Each group is a channel of InstanceNormalization: GroupNormalization of
    this version of ONNX has one factor for each group and not for each channel.
    """
    groups = graph.put("Reshape", x, graph.constant([0, net.num_groups, -1], np.int64))
    ones, zeros = (graph.constant([value] * net.num_groups, np.float32) for value in (1.0, 0.0))
    normal = graph.put("InstanceNormalization", groups, ones, zeros, epsilon=net.eps)
    normal = graph.put("Reshape", normal, graph.put("Shape", x))
    factor, shift = _floats(graph, net.weight.reshape(-1, 1, 1), net.bias.reshape(-1, 1, 1))
    return graph.put("Add", graph.put("Mul", normal, factor), shift)


def model(graph: OnnxGraph, outputs: Sequence[tuple[str, int, Sequence[Any]]], facts: dict[str, str]) -> Any:
    """Return the model with these outputs: names, types and shapes. facts: its metadata."""
    values = [helper.make_tensor_value_info(name, kind, list(shape)) for name, kind, shape in outputs]
    made = helper.make_graph(graph.nodes, "treino", graph.inputs, values, graph.constants)
    onnx_model = helper.make_model(
        made, producer_name="treino", ir_version=IR, opset_imports=[helper.make_opsetid("", OPSET)]
    )
    helper.set_model_props(onnx_model, facts)
    onnx.checker.check_model(onnx_model, full_check=True)
    return onnx_model


def strings(values: Sequence[str]) -> NDArray[np.object_]:
    return np.array(list(values), dtype=object)
