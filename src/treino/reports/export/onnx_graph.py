"""ONNX models of runs: raw columns or decoded pictures in, predictions out.

Every column is an input of its own. Numbers, booleans (0, 1), dates (seconds since 1970-01-01) and times of
day (seconds since midnight) are float64, NaN if missing. Classes are text as in a file, with or without
surrounding blanks (of hashed columns and texts: spaces); "" or one of the table's missing words if missing.
The decoded pixels of pictures are one input. The preparation is computed in float64 and the network in
float32, as treino does. Operators: https://onnx.ai/onnx/operators/
"""

import json
import logging
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
import onnx
import onnx.compose
import onnx.inliner
import torch
from onnx import TensorProto
from torch import Tensor, nn

from treino.base.errors import Refusal, TreinoError, cause
from treino.data.links import Link
from treino.data.preparation.preparation import Preparation
from treino.data.preparation.trees import tree_tables
from treino.engine.arguments import without_arguments
from treino.engine.ensemble import Ensemble
from treino.engine.nets import Residual
from treino.engine.user_module import module_copy
from treino.folders.prediction import reading_of
from treino.folders.prediction_columns import free_name
from treino.folders.stored_run import StoredRun
from treino.reports.export import targets_of
from treino.reports.export.onnx_columns import column_inputs, form_of
from treino.reports.export.onnx_values import DOUBLE, FLOAT, OPSET, OnnxGraph, Value

ONNX_LAYER = Refusal(
    "A layer {name} has no form in ONNX here, and onnxscript is not installed, by which torch writes one.",
    "Install it: pip install onnxscript; or export your own network by [[format=pt2]].",
)
ONNX_NETWORK = Refusal(
    "torch can't write the network of {run} as ONNX: {cause}", "Export it by [[format=pt2]]."
)
ONNX_ARRAYS = Refusal(
    "An ONNX model answers rows of one array with one answer each, and those of {run} are others.",
    "Use [[format=pt2]]: a program that takes the arrays as forward does.",
)

RESIZED = "resized"  # the name of the pixels in the run's size, which the export checks
ACTIVATIONS: dict[type[nn.Module], tuple[str, dict[str, Any]]] = {
    nn.ReLU: ("Relu", {}),
    nn.LeakyReLU: ("LeakyRelu", {"alpha": 0.01}),
    nn.Tanh: ("Tanh", {}),
    nn.Sigmoid: ("Sigmoid", {}),
}


def model_of(run: StoredRun) -> Any:
    """Return the ONNX model of a run: preparation, network, and metadata that describes its outputs."""
    prep, spec = run.preparation, run.spec
    if prep.target_shape or prep.apart:
        raise ONNX_ARRAYS(run=run.name)
    graph = OnnxGraph([*input_forms(prep)], reading_of(run))
    x = prepared(graph, prep)
    if len(shape := run.item_shape or ()) > 1:
        x = x.put("Reshape", [-1, *shape])
    net = run.module.eval()
    members = net.members if isinstance(net, Ensemble) else [net]
    each = [_network(run, member, x) for member in members]
    for name, one, part in targets_of(run):
        own = each
        if len(run.by_target) > 1:
            own = [output.put("Gather", np.arange(part.start, part.stop), axis=1) for output in each]
        (_classes if spec.classes else _numbers)(graph, one, own, name)
    facts = {
        "run": run.name,
        "task": "classification" if spec.classes else "regression",
        "target": spec.resolved.target,
        "classes": json.dumps(list(spec.classes), ensure_ascii=False),
        "columns": json.dumps(input_forms(prep), ensure_ascii=False),
        "versions": json.dumps(dict(spec.versions)),
    }
    if prep.targets:
        classes = {one.name: list(one.classes) for one in prep.targets}
        facts["targets"] = json.dumps(classes, ensure_ascii=False)
    return graph.model(facts)


def _classes(graph: OnnxGraph, run: StoredRun, each: list[Value], name: str) -> None:
    """Add the predicted class and the probabilities of all classes. each: each ensemble member's outputs."""
    classes, shares = run.spec.classes, []
    for output in each:
        if run.spec.outputs == 1:
            no, yes = output.put("Neg").put("Sigmoid"), output.put("Sigmoid")
            shares.append(no.put("Concat", yes, axis=1))
        else:
            shares.append(output.put("Softmax", axis=1))
    share = _mean(shares)
    if run.threshold is None:
        place = share.put("ArgMax", axis=1, keepdims=0)
    else:
        second = share.put("Gather", np.int64(1), axis=1)
        place = second.put("GreaterOrEqual", np.float32(run.threshold)).cast(TensorProto.INT64)
    named = graph.put("Gather", np.array(classes, dtype=object), place, axis=0)
    graph.output(f"prediction{name}", named, TensorProto.STRING)
    graph.output(f"probabilities{name}", share, FLOAT, len(classes))


def _numbers(graph: OnnxGraph, run: StoredRun, each: list[Value], target: str) -> None:
    """Add the number in the target's units and, if the run has one, its interval's ends."""
    spec = run.spec
    link = run.preparation.link
    each = [output.put("Exp") for output in each] if link.kind == "exp" else each
    several = middle = _mean(each)
    if link.joint:  # quantiles, or a mean and a deviation
        several = _ordered(link, middle)
        each, middle = [_point(link, _ordered(link, output)) for output in each], _point(link, several)
    limits = getattr(run.module, "limits", None)
    if limits is not None:
        middle = middle.put("Max", limits[0]).put("Min", limits[1])
    line = (middle.cast() * spec.target_scale + spec.target_mean).put("Squeeze", [1])
    log = run.preparation.target_log
    value = line.put("Exp") if log else line
    ends = {"prediction": value}
    result = run.trusted.result
    known = None if result is None else result.prediction_intervals
    if known is not None and known.quantile is not None:
        half: Any = known.quantile
        if known.offset is not None and len(each) > 1:  # quantile × (deviation of the members + offset)
            all_K = each[0].put("Concat", *each[1:], axis=1).cast()
            apart = all_K - all_K.put("ReduceMean", [1])
            spread = (apart * apart).put("ReduceMean", [1]).put("Sqrt") * spec.target_scale + known.offset
            half = spread.put("Squeeze", [1]) * known.quantile
        low, high = line - half, line + half
        low, high = (low.put("Exp"), high.put("Exp")) if log else (low, high)
        if known.floor is not None:
            low = low.put("Max", value.put("Min", known.floor))
        ends |= {"low": low, "high": high}
    for place, further in enumerate(link.names):
        one = several.put("Gather", np.int64(1 if link.form.width else place), axis=1).cast()
        shift = 0.0 if link.form.width else spec.target_mean
        ends[further] = ((one / 2.0).put("Exp") if link.form.width else one) * spec.target_scale + shift
    for name, end in ends.items():
        graph.output(f"{name}{target}", end, DOUBLE)


def _ordered(link: Link, output: Value) -> Value:
    if link.kind != "quantiles":
        return output
    return output.put("TopK", np.array([len(link.levels)]), axis=1, largest=0, outputs=2)


def _point(link: Link, output: Value) -> Value:
    """The output that is the prediction, ``[N, 1]``."""
    return output.put("Gather", np.array([link.point]), axis=1)


def _mean(each: list[Value]) -> Value:
    return each[0] if len(each) == 1 else each[0].put("Mean", *each[1:])


def input_forms(prep: Preparation) -> dict[str, str]:
    """Describe what each input holds."""
    if prep.fit is not None:
        return {"pixels": "uint8 [rows, height, width, channels]: decoded, upright, of any size"}
    if not prep.programs:
        return {"x": "all columns in their order" if prep.kind == "table" else "pixels from 0 to 255"}
    return {program.column: form_of(program) for program in prep.programs}


# ---- the preparation


def prepared(graph: OnnxGraph, p: Preparation) -> Value:
    """Return ``[N, D]`` float32: the network's inputs, computed from the graph's inputs."""
    if p.fit is not None:
        raw = resized(graph, p) / p.divisor
    elif not p.programs:
        raw = graph.input("x", DOUBLE, len(p.inputs)) / p.divisor
    else:
        raw = graph.put("Concat", *(column_inputs(graph, program) for program in p.programs), axis=1)
        raw = raw.put("Concat", _tree_answers(graph, raw, p), axis=1) if p.trees else raw
    mean, scale = p.mean_and_scale
    x = (raw - mean) / np.where(scale == 0, 1.0, scale)
    if p.clip is not None:
        low = np.where(p.scaled, -p.clip, -np.inf)
        x = x.put("Max", low).put("Min", -low)
    if (scale == 0).any():  # constant in the training rows
        x = graph.put("Where", scale == 0, 0.0, x)
    return x.cast(FLOAT)


def _tree_answers(graph: OnnxGraph, raw: Value, p: Preparation) -> Value:
    """Return ``[N, K]`` float64: what the trees answer. All rows go down all trees, a level at a time."""
    answer_T, root_T, *tables = tree_tables([tree.parts for tree in p.trees])
    *_rest, left_M, right_M = tables
    column, number, left, right = (graph.put("Identity", table) for table in tables)
    node = raw.put("Slice", [0], [1], [1]).cast(TensorProto.INT64).put("Mul", [0]).put("Add", root_T)
    front_U = root_T  # the nodes of a level
    while True:
        below = raw.put("GatherElements", column.put("Gather", node), axis=1)
        below = below.put("LessOrEqual", number.put("Gather", node))
        node = below.put("Where", left.put("Gather", node), right.put("Gather", node))
        front_U = np.union1d(left_M[front_U], right_M[front_U])
        if (left_M[front_U] == front_U).all():  # all are leaves
            break
    return number.put("Gather", node).put("MatMul", np.eye(p.answers)[answer_T])


# ---- pictures of any size, resized to the run's size as Pillow does it


def resized(graph: OnnxGraph, preparation: Preparation) -> Value:
    """Return ``[N, C*H*W]`` float64 pixels from 0 to 255, computed from the input ``pixels``
    ``[N, height, width, C]`` uint8.

    Each axis is resampled by a matrix product. Pillow rounds to whole grey levels after each, this doesn't:
    pixels differ by one grey level at most.
    """
    assert preparation.picture_shape is not None
    channels, height, width = preparation.picture_shape
    x = graph.input("pixels", TensorProto.UINT8, "height", "width", channels)
    x = x.put("Transpose", perm=[0, 3, 1, 2]).cast(FLOAT)
    vertical, horizontal = _weights(x, preparation.fit or "crop", height, width)
    x = vertical.put("MatMul", x.put("MatMul", horizontal.put("Transpose", perm=[1, 0])))
    x = x.put("Reshape", [-1, channels * height * width])
    return x.put("Cast", called=RESIZED, to=DOUBLE)


def _weights(x: Value, fit: str, *sizes: int) -> list[Value]:
    """Return resampling weights for height and width, ``[size, own]`` float32, by the rule ``fit``: the
    share of each picture pixel in each network input pixel; 0 in the borders of a padded picture."""
    graph, shape = x.graph, x.put("Shape").cast()
    axes = [(float(size), shape.put("Gather", np.int64(n), axis=0)) for n, size in enumerate(sizes, 2)]
    factor = graph.put("Min" if fit == "pad" else "Max", *(graph.put("Div", size, own) for size, own in axes))
    weights = []
    for size, own in axes:
        first: Any = 0.0
        inner: Any = size
        last, offset = own, first
        if fit == "crop":
            first = ((own - graph.put("Div", size, factor)) / 2.0).put("Max", 0.0)
            last = own - first
        elif fit == "pad":
            inner = (own * factor).put("Round").put("Max", 1.0)
            offset = graph.put("Sub", size, inner) // 2
        scale = (last - first) / inner
        place = graph.put("Sub", np.arange(size)[:, None], offset)
        pixel = graph.put("Range", 0.0, own, 1.0) + 0.5
        apart = (pixel - ((place + 0.5) * scale + first)).put("Abs")
        share = graph.put("Sub", 1.0, apart / scale.put("Max", 1.0)).put("Max", 0.0)
        within = place.put("GreaterOrEqual", 0.0).put("And", place.put("Less", inner))
        share = within.put("Where", share, 0.0)
        weights.append((share / share.put("ReduceSum", [1]).put("Max", 1e-9)).cast(FLOAT))
    return weights


# ---- layers


def _network(run: StoredRun, net: nn.Module, x: Value) -> Value:
    """Return the output of a network for ``x``: of layers that are known here, else as torch writes it."""
    kept = len(x.graph.nodes), len(x.graph.constants)
    try:
        return _layers(net, x)
    except TreinoError as unknown_layer:
        del x.graph.nodes[kept[0] :], x.graph.constants[kept[1] :]
        try:
            return _by_torch(net, x, run.item_shape or (run.spec.inputs,))
        except ImportError:
            raise unknown_layer from None
        except Exception as error:
            raise ONNX_NETWORK(run=run.name, cause=cause(error)) from error


def _by_torch(net: nn.Module, x: Value, shape: Sequence[int]) -> Value:
    """Return the output of a network that torch exports by tracing it.
    https://docs.pytorch.org/docs/stable/onnx.html

    Raises:
        ImportError: onnxscript isn't installed.
    """
    import_module("onnxscript")  # which torch needs
    plain, rows = without_arguments(module_copy(net)).eval(), torch.export.Dim("rows", min=1)
    given: dict[str, Any] = {"dynamic_shapes": ({0: rows},), "opset_version": OPSET, "verbose": False}
    silent = logging.root.manager.disable
    logging.disable(logging.WARNING)  # torch tells of operators of torchvision, which no one asked for
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(plain, (torch.zeros(2, *shape),), dynamo=True, **given)
    finally:
        logging.disable(silent)
    assert program is not None
    model = onnx.inliner.inline_local_functions(program.model_proto)
    model = onnx.compose.add_prefix(model, free_name(f"network_{len(x.graph.nodes)}_", x.graph.taken))
    x.graph.put("Identity", x, called=model.graph.input[0].name)
    x.graph.nodes += model.graph.node
    x.graph.constants += model.graph.initializer
    return Value(x.graph, model.graph.output[0].name).put("Flatten", axis=1)


def _layers(net: nn.Module, x: Value) -> Value:
    """Return the output of a network or a layer for ``x``."""
    if isinstance(net, nn.Sequential):
        y = x
        for layer in net:
            y = _layers(layer, y)
        return y + x if isinstance(net, Residual) else y
    own: Any = net  # torch types the sizes of its layers loosely
    if isinstance(net, nn.Linear):
        return x.put("Gemm", *_tensors(net.weight, net.bias), transB=1)
    if isinstance(net, nn.Conv2d) and net.padding_mode == "zeros" and not isinstance(net.padding, str):
        window = _window(own) | {"dilations": _pair(own.dilation), "group": net.groups}
        return x.put("Conv", *_tensors(net.weight, net.bias), **window)
    if isinstance(net, nn.BatchNorm1d | nn.BatchNorm2d) and net.affine and net.track_running_stats:
        values = net.weight, net.bias, net.running_mean, net.running_var
        return x.put("BatchNormalization", *values, epsilon=net.eps)
    if isinstance(net, nn.GroupNorm) and net.affine:
        return _group_norm(net, x)
    if isinstance(net, nn.MaxPool2d) and not net.ceil_mode:
        return x.put("MaxPool", **_window(own), dilations=_pair(own.dilation))
    if isinstance(net, nn.AvgPool2d) and not net.ceil_mode and net.divisor_override is None:
        return x.put("AveragePool", **_window(own), count_include_pad=int(net.count_include_pad))
    if isinstance(net, nn.AdaptiveAvgPool2d) and _pair(own.output_size) == [1, 1]:
        return x.put("GlobalAveragePool")
    if isinstance(net, nn.Flatten) and (net.start_dim, net.end_dim) == (1, -1):
        return x.put("Flatten", axis=1)
    if isinstance(net, nn.Dropout | nn.Identity):
        return x
    if isinstance(net, nn.SiLU):
        return x * x.put("Sigmoid")
    if isinstance(net, nn.GELU):
        erf = (x * np.float32(0.5**0.5)).put("Erf")
        return x * np.float32(0.5) * (erf + np.float32(1.0))
    if type(net) in ACTIVATIONS:
        operator, attributes = ACTIVATIONS[type(net)]
        return x.put(operator, **attributes)
    raise ONNX_LAYER(name=type(net).__name__)


def _tensors(*values: Tensor | None) -> list[Tensor]:
    return [value for value in values if value is not None]


def _window(net: Any) -> dict[str, Any]:
    """Return how the kernel of a convolution or pool is moved over pictures."""
    pads = _pair(net.padding) * 2
    return {"kernel_shape": _pair(net.kernel_size), "strides": _pair(net.stride), "pads": pads}


def _pair(size: Any) -> list[int]:
    return [size, size] if isinstance(size, int) else list(size)


def _group_norm(net: nn.GroupNorm, x: Value) -> Value:
    """Return the normalised channels. Each group is a channel of InstanceNormalization: GroupNormalization of
    this version of ONNX has one factor for each group and not for each channel."""
    groups = x.put("Reshape", [0, net.num_groups, -1])
    ends = np.ones(net.num_groups, np.float32), np.zeros(net.num_groups, np.float32)
    normal = groups.put("InstanceNormalization", *ends, epsilon=net.eps).put("Reshape", x.put("Shape"))
    return normal * net.weight.reshape(-1, 1, 1) + net.bias.reshape(-1, 1, 1)
