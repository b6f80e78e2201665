"""A graph of ONNX that is being built, and values in it that are used like arrays."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from treino.data.readers import ReaderOptions
from treino.folders.prediction_columns import free_name

OPSET, IR = 20, 9
LEARNT, RUNTIME = "ai.onnx.ml", "com.microsoft"
DOMAINS = {LEARNT: 4, RUNTIME: 1}
"""The versions of operators that are not ONNX's own: LabelEncoder, and onnxruntime's Tokenizer of texts."""
DOUBLE, FLOAT = TensorProto.DOUBLE, TensorProto.FLOAT


def value_info(name: str, kind: int, *shape: Any) -> Any:
    """Describe an input or output with any number of rows of this shape."""
    return helper.make_tensor_value_info(name, kind, ["rows", *shape])


@dataclass
class OnnxGraph:
    """An ONNX graph being built. taken: the names of its inputs, which are columns of the user's. reading:
    how text cells are read. known: the shapes of values that ONNX can't infer."""

    taken: Sequence[str] = ()
    reading: ReaderOptions = field(default_factory=ReaderOptions)
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)
    inputs: list[onnx.ValueInfoProto] = field(default_factory=list)
    outputs: list[onnx.ValueInfoProto] = field(default_factory=list)
    known: list[onnx.ValueInfoProto] = field(default_factory=list)

    def put(
        self, operator: str, *operands: Any, called: str = "", outputs: int = 1, **attributes: Any
    ) -> "Value":
        """Add a node, and return its first output. operands: values, or numbers and arrays, which become
        constants of their type."""
        name = called or free_name(f"{operator.lower()}_{len(self.nodes)}", self.taken)
        names = [each.name if isinstance(each, Value) else self._constant(each) for each in operands]
        made = [name, *(free_name(f"{name}_{k}", self.taken) for k in range(1, outputs))]
        self.nodes.append(helper.make_node(operator, names, made, **attributes))
        return Value(self, name)

    def _constant(self, value: Any) -> str:
        name = free_name(f"constant_{len(self.constants)}", self.taken)
        array = value.detach().numpy() if isinstance(value, Tensor) else np.asarray(value)
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def input(self, name: str, kind: int, *shape: Any) -> "Value":
        self.inputs.append(value_info(name, kind, *shape))
        return Value(self, name)

    def output(self, name: str, value: "Value", kind: int, *shape: Any) -> None:
        name = free_name(name, self.taken)
        self.put("Identity", value, called=name)
        self.outputs.append(value_info(name, kind, *shape))

    def model(self, facts: dict[str, str]) -> Any:
        """Return the model of this graph. facts: its metadata."""
        made = helper.make_graph(
            self.nodes, "treino", self.inputs, self.outputs, self.constants, value_info=self.known
        )
        opsets = [helper.make_opsetid("", OPSET)]
        used = {node.domain for node in self.nodes}
        opsets += [helper.make_opsetid(name, opset) for name, opset in DOMAINS.items() if name in used]
        model = helper.make_model(made, producer_name="treino", ir_version=IR, opset_imports=opsets)
        helper.set_model_props(model, facts)
        onnx.checker.check_model(model, full_check=True)
        return model


@dataclass(frozen=True, eq=False)
class Value:
    """A value in a graph, used in expressions like a float64 array."""

    graph: OnnxGraph
    name: str

    def put(self, operator: str, *others: Any, **attributes: Any) -> "Value":
        """Apply an operator to this value, as its first operand."""
        return self.graph.put(operator, self, *others, **attributes)

    def cast(self, kind: int = DOUBLE) -> "Value":
        return self.put("Cast", to=kind)

    def column(self) -> "Value":
        """Reshape ``[N]`` to ``[N, 1]``."""
        return self.put("Unsqueeze", [1])

    def __add__(self, other: Any) -> "Value":
        return self.put("Add", other)

    def __sub__(self, other: Any) -> "Value":
        return self.put("Sub", other)

    def __mul__(self, other: Any) -> "Value":
        return self.put("Mul", other)

    def __truediv__(self, other: Any) -> "Value":
        return self.put("Div", other)

    def __floordiv__(self, other: float) -> "Value":
        return (self / float(other)).put("Floor")

    def __mod__(self, other: float) -> "Value":
        return self - self // other * float(other)
