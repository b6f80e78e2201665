"""Find the operation behind a line's first non-finite loss, while the graph exists."""

from collections.abc import Callable
from typing import Any

import torch

from treino_doctor.finding import Site
from treino_doctor.record.lines import here
from treino_doctor.record.observer import Observer, Recording
from treino_doctor.record.outcomes import NonFinite
from treino_doctor.record.reach import in_order
from treino_doctor.record.values import Node

MOST = 20_000  # maximum number of nodes of a graph examined
NAMES = {n: n for n in ("log", "sqrt", "exp", "pow")} | {"log2": "log", "log10": "log", "div": "division"}
# Operation -> which entries of what its node saved are outside its domain, or gave what is not finite.
WRONG: dict[str, Callable[[Any], torch.Tensor]] = {
    **dict.fromkeys(("log", "log2", "log10"), lambda node: node._saved_self <= 0),
    **dict.fromkeys(("sqrt", "exp"), lambda node: ~torch.isfinite(node._saved_result)),
    "div": lambda node: node._saved_other == 0,
    "pow": lambda node: ~torch.isfinite(node._saved_self),
}
NORMS = ("norm", "linalg_norm", "linalg_vector_norm", "cdist", "dist", "pairwise_distance")
Culprit = tuple[str, str]  # (the operation in words, its name in torch)


class Finiteness(Observer):
    """Searches the graph of a non-finite value for the cause."""

    def __init__(self, of: Recording) -> None:
        super().__init__(of)
        self._sites: set[Site | None] = set()
        self._lines: dict[str, Site | None] = {}  # newest line of each operation with gradients

    def install(self) -> None:
        self._tape.observe(self._seen, *NAMES, *NORMS)

    def _seen(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        if node is not None and node.grad and node.site is not None:
            self._lines[node.op] = node.site

    def tell(self, root: torch.Tensor) -> None:
        """Log a non-finite value that is about to be run backward."""
        site = here()
        if site in self._sites:
            return
        self._sites.add(site)
        operation, name = culprit(root)
        self._log.tell_here(NonFinite, operation=operation, at=self._lines.get(name))


def culprit(root: torch.Tensor) -> Culprit:
    """The operation that made a value non-finite: the earliest whose argument is outside its domain; if
    parameters aren't finite either, one with an infinite slope at zero. ("", "") if none is known."""
    nodes = in_order(root.grad_fn, MOST)
    leaves = [n.variable for n in nodes if hasattr(n, "variable")]
    made = [n for n in nodes if not hasattr(n, "variable")]
    finite = all(bool(torch.isfinite(p.detach().sum())) for p in leaves)
    return next(filter(any, map(outside if finite else steep, made)), ("", ""))


def steep(node: Any) -> Culprit:
    """A square root or a norm, whose slope at zero is infinite."""
    name = node.name()
    norm = "NormBackward" in name and "Batch" not in name and "Layer" not in name
    return ("sqrt", "norm") if norm else ("sqrt", "sqrt") if name == "SqrtBackward0" else ("", "")


def outside(node: Any) -> Culprit:
    """An operation whose argument is outside its domain."""
    name = node.name().split("Backward")[0].lower()
    try:
        wrong = name in WRONG and bool(WRONG[name](node).any())
    except (AttributeError, RuntimeError):
        wrong = False  # its saved tensors were freed
    return (NAMES[name], name) if wrong else ("", "")
