"""The first value run backward that is not finite: the operation that made it, while its graph is there."""

from typing import Any

import torch

from treino.diagnosis.finding import Site
from treino.diagnosis.record.hooks import Hooks
from treino.diagnosis.record.learning import NonFinite
from treino.diagnosis.record.lines import here
from treino.diagnosis.record.log import Log
from treino.diagnosis.record.tape import Tape
from treino.diagnosis.record.values import Node

MOST = 20_000  # nodes of a graph that are looked at
NAMES = {"log": "log", "log2": "log", "log10": "log", "sqrt": "sqrt", "div": "division", "exp": "exp"}
NORMS = ("norm", "linalg_norm", "linalg_vector_norm", "cdist", "dist", "pairwise_distance")
Culprit = tuple[str, str]  # in words, and as torch calls it


class Finiteness:
    """Looks into the graph of a value that is not finite."""

    def __init__(self, log: Log, hooks: Hooks, tape: Tape) -> None:
        self._log, self._hooks, self._tape = log, hooks, tape
        self._told: set[Site | None] = set()
        self._lines: dict[str, Site | None] = {}  # the newest line of an operation that trained

    def install(self) -> None:
        """Remember where such operations are."""
        for name in (*NAMES, "pow", *NORMS):
            self._tape.observe(self._seen(name), name)

    def _seen(self, name: str) -> Any:
        def observe(result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
            if node is not None and node.grad and node.site is not None:
                self._lines[name] = node.site

        return observe

    def tell(self, root: torch.Tensor, value: float) -> None:
        """A value that isn't finite is about to be run backward."""
        site = here()
        if site in self._told:
            return
        self._told.add(site)
        said, name = culprit(root)
        self._log.tell_here(NonFinite, operation=said, at=self._lines.get(name))


def culprit(root: torch.Tensor) -> Culprit:
    """The earliest operation whose argument lies outside of its domain, of finite parameters; of spoiled
    ones, one whose slope is infinite at zero; two empty strings where none is known.
    """
    todo, known = [root.grad_fn], {root.grad_fn}
    for node in todo:
        for following, _ in node.next_functions if node is not None else ():
            if following is not None and following not in known and len(known) < MOST:
                known.add(following)
                todo.append(following)
    nodes: list[Any] = [n for n in todo if n is not None]
    leaves = [n.variable for n in nodes if hasattr(n, "variable")]
    made = sorted((n for n in nodes if not hasattr(n, "variable")), key=lambda n: n._sequence_nr())
    if all(bool(torch.isfinite(p.detach().sum())) for p in leaves):
        for node in made:
            try:
                found = outside(node)
            except (AttributeError, RuntimeError):
                continue  # what it saved is gone
            if found[0]:
                return found
        return "", ""
    for node in made:
        if node.name() == "SqrtBackward0":
            return "sqrt", "sqrt"
        if "NormBackward" in node.name() and "Batch" not in node.name() and "Layer" not in node.name():
            return "sqrt", "norm"
    return "", ""


def outside(node: Any) -> Culprit:
    """The operation of a node whose argument lies outside of its domain."""
    name = node.name()
    if name.startswith(("LogBackward", "Log10Backward", "Log2Backward")):
        return ("log", name.split("Backward")[0].lower()) if bool((node._saved_self <= 0).any()) else ("", "")
    if name.startswith("Sqrt") and not bool(torch.isfinite(node._saved_result).all()):
        return "sqrt", "sqrt"
    if name.startswith("Exp") and not bool(torch.isfinite(node._saved_result).all()):
        return "exp", "exp"
    if name.startswith("Div"):
        other = node._saved_other
        return ("division", "div") if other is not None and bool((other == 0).any()) else ("", "")
    if name.startswith("Pow") and not bool(torch.isfinite(node._saved_self).all()):
        return "pow", "pow"
    return "", ""
