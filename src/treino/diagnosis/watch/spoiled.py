"""Which operation made NaN or infinity: by the values that the nodes of a graph have saved, or, where a
constant is to blame, as it was made.
"""

import math
from typing import Any

import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.record.lines import here
from treino.diagnosis.watch import graph

SAVED = ("_saved_result", "_saved_self", "_saved_other", "_saved_mat1", "_saved_mat2", "_saved_input")

STEEP = {
    **dict.fromkeys(("log", "log2", "log10", "log1p", "log_"), "log"),
    **dict.fromkeys(("div", "__truediv__", "__rdiv__", "true_divide", "reciprocal"), "division"),
    **dict.fromkeys(("sqrt", "rsqrt"), "sqrt"),
    **dict.fromkeys(("exp", "expm1"), "exp"),
}
LARGE = 65_536  # values of a result that is looked at


class Spoils:
    """The first result since the last backward that was not finite, of arguments that were: told of each
    torch function while lines are looked at.
    """

    def __init__(self) -> None:
        self.found: tuple[str, Site | None] | None = None

    def observe(self, name: str, args: Any, result: Any) -> None:
        """A function gave a result."""
        operation = STEEP.get(name)
        if operation is None or self.found is not None or not isinstance(result, torch.Tensor):
            return
        if result.numel() > LARGE or not result.is_floating_point() or result.is_sparse or result.is_meta:
            return
        given = (a for a in args if isinstance(a, torch.Tensor) and a.is_floating_point())
        spoiled = not math.isfinite(float(result.detach().sum()))
        if spoiled and all(bool(torch.isfinite(a.detach()).all()) for a in given):
            self.found = operation, here()

    def take(self) -> tuple[str, Site | None]:
        """What was found, once."""
        found, self.found = self.found, None
        return found or ("", None)


def culprit(root: Any, nodes: list[Any], *, steep: bool) -> tuple[str, Any]:
    """The operation's name ("" where none is to blame) and its node.

    steep: where all values are those of spoiled weights, look for the slope that spoiled them.
    """
    if any(not bool(torch.isfinite(p.detach().sum())) for p in graph.leaves(nodes)):
        return _steep(nodes) if steep else ("", None)
    made = sorted((n for n in nodes if not hasattr(n, "variable")), key=lambda n: n._sequence_nr())
    for node in made:
        try:
            name = _outside(node)
            if name:
                return name, node
            before = _spoiled_input(node)
            if before is not None:
                return before.name().replace("Backward0", "").replace("Backward1", "").lower(), before
        except (AttributeError, RuntimeError):
            continue
    return _steep(nodes) if steep else ("", None)


def _outside(node: Any) -> str:
    """The name of an operation whose argument lies outside of its domain."""
    name = node.name()
    if name.startswith(("LogBackward", "Log10Backward", "Log2Backward")):
        return "log" if bool((node._saved_self <= 0).any()) else ""
    if name == "SqrtBackward0":
        return "" if bool(torch.isfinite(node._saved_result).all()) else "sqrt"
    if name == "ExpBackward0":
        return "" if bool(torch.isfinite(node._saved_result).all()) else "exp"
    if name == "DivBackward0":
        other = node._saved_other
        return "division" if other is not None and bool((other == 0).any()) else ""
    if name.startswith("Pow"):
        return "" if bool(torch.isfinite(node._saved_self).all()) else "pow"
    if "Softmax" in name:
        return "softmax" if bool(torch.isnan(node._saved_result).any()) else ""
    return ""


def _spoiled_input(node: Any) -> Any:
    """The node that gave this one an argument with NaN."""
    for place, attribute in enumerate(("_saved_self", "_saved_other")):
        value = getattr(node, attribute, None)
        if isinstance(value, torch.Tensor) and value.is_floating_point() and bool(torch.isnan(value).any()):
            following = node.next_functions
            return following[min(place, len(following) - 1)][0] if following else None
    return None


def _steep(nodes: list[Any]) -> tuple[str, Any]:
    """An operation whose slope is infinite at zero: its value was finite, the gradient that it gave was
    not.
    """
    for node in nodes:
        if node.name() in ("SqrtBackward0", "LinalgVectorNormBackward0", "NormBackward1"):
            return "sqrt", node
    return "", None
