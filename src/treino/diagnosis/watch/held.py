"""Tensors that a module holds as plain attributes, where ``parameters()`` does not look."""

import ast
import weakref
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.source import (
    call_name,
    called,
    function_of,
    names_in,
    statement_at,
    tree,
)
from treino.diagnosis.watch import graph

SAME = graph.PASS | {"ExpBackward0", "NegBackward0", "SoftplusBackward0", "SigmoidBackward0", "TanhBackward0"}
SAME |= {"AbsBackward0", "SoftmaxBackward0", "ReluBackward0"}
PRODUCTS = {"MmBackward0": (0, 1), "BmmBackward0": (0, 1), "MvBackward0": (0, 1), "AddmmBackward0": (1, 2)}
WEIGHTS_AT = {
    "AddmmBackward0": (0,),
    "ConvolutionBackward0": (1, 2),
    "NativeLayerNormBackward0": (1, 2),
    "NativeBatchNormBackward0": (1, 2),
    "EmbeddingBackward0": (0,),
}
BETWEEN = ("MulBackward0", "AddBackward0", "SubBackward0", "DivBackward0", "PreluKernelBackward0")
DRAWN = ("randn", "randn_like", "normal_", "xavier_uniform_", "xavier_normal_", "kaiming_uniform_")
DEEP = 8


class Held:
    """One such tensor: its module, its name there, and whether its gradient is wanted for itself."""

    __slots__ = ("module", "name", "total")

    def __init__(self, module: nn.Module, name: str, p: torch.Tensor) -> None:
        self.module, self.name = weakref.ref(module), name
        self.total = _total(p)

    def same(self, p: torch.Tensor) -> bool:
        """Whether all its values are still those of the first sight."""
        return _total(p) == self.total

    def file(self) -> str:
        """The file of the module's own class."""
        module = self.module()
        init = getattr(type(module), "__init__", None) if module is not None else None
        return init.__code__.co_filename if hasattr(init, "__code__") else ""  # type: ignore[union-attr]

    def made_at(self) -> Site | None:
        """The line of its class that gives the attribute its value."""
        module, path = self.module(), self.file()
        source = tree(path) if path else None
        if module is None or source is None:
            return None
        kinds = {kind.__name__ for kind in type(module).__mro__}
        classes = [n for n in ast.walk(source) if isinstance(n, ast.ClassDef) and n.name in kinds]
        inside = [n for kind in classes for n in ast.walk(kind)]
        gives = [n for n in inside if isinstance(n, (ast.Assign, ast.AnnAssign, ast.Expr)) and self._gives(n)]
        found = [(not _opens(n), n.lineno) for n in gives]
        return Site(path, min(found)[1]) if found else None

    def _gives(self, node: Any) -> bool:
        if isinstance(node, ast.Expr):  # self.scales.append(...), self.register_buffer("scale", ...)
            call = node.value
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
                return False
            named = any(getattr(a, "value", None) == self.name for a in call.args)
            return named or (
                call.func.attr in ("append", "extend") and _attribute(call.func.value, self.name)
            )
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        flat = [n for t in targets for n in (t.elts if isinstance(t, ast.Tuple) else [t])]
        inner = [n.value if isinstance(n, ast.Subscript) else n for n in flat]
        return any(_attribute(n, self.name) for n in inner)

    def asked_for(self) -> bool:
        """Whether the source reads its gradient: scores of importance, updates by hand."""
        source = tree(self.file()) if self.file() else None
        if source is None:
            return True
        hooked = called(source, "register_hook")
        grads = [n for n in ast.walk(source) if isinstance(n, ast.Attribute) and n.attr == "grad"]
        return any(self.name in names_in(n) for n in (*hooked, *grads))

    def opened(self) -> bool:
        """Whether the module itself asks for its gradient as it is made."""
        site = self.made_at()
        statement, around = (statement_at(site), function_of(site)) if site is not None else (None, None)
        return getattr(around, "name", "") == "__init__" and statement is not None and _opens(statement)

    def drawn(self) -> bool:
        """Whether its values are drawn as those of weights are."""
        site = self.made_at()
        source = tree(site.file) if site is not None else None
        lines = [c.lineno for c in called(source, *DRAWN)] if source is not None else []
        return site is not None and site.line in lines


def holder(modules: Iterable[nn.Module], p: torch.Tensor) -> Held | None:
    """The module that has a tensor among its attributes, its buffers, or in a list or table of these."""
    for module in modules:
        for name, value in vars(module).items():
            if value is p:
                return Held(module, name, p)
            if isinstance(value, (list, tuple)) and any(v is p for v in value):
                return Held(module, name, p)
            inner = next((k for k, v in value.items() if v is p), None) if type(value) is dict else None
            if inner is not None:
                return Held(module, inner if name == "_buffers" else name, p)
    return None


def kept_at(modules: Iterable[nn.Module], p: torch.Tensor) -> Site | None:
    """The line that puts the module with a parameter into a plain list or table of another module."""
    for module in modules:
        for name, value in vars(module).items():
            if name.startswith("_") or not isinstance(value, (list, tuple, dict)):
                continue
            parts = [
                v for v in (value.values() if isinstance(value, dict) else value) if isinstance(v, nn.Module)
            ]
            if any(q is p for part in parts for q in part.parameters()):
                return _listing(Held(module, name, p).made_at())
    return None


def weighs(nodes: list[Any], p: torch.Tensor, *, drawn: bool, opened: bool) -> bool:
    """Whether a tensor works as weights do: it multiplies or shifts whole batches and is nowhere a batch.

    drawn: its values are those of weights, so that picked rows of it are an embedding.
    opened: its module asks for its gradient, so that it may stand among rows, as a token of its own.
    """
    users: dict[Any, list[tuple[Any, int]]] = defaultdict(list)
    for node in nodes:
        for i, (before, _) in enumerate(node.next_functions):
            users[before].append((node, i))
    start = next((n for n in nodes if getattr(n, "variable", None) is p), None)
    todo, weight = [(start, 0)], False
    for node, depth in todo:
        for user, i in users[node]:
            name = user.name()
            picked = drawn and node is start and name in ("IndexBackward0", "IndexSelectBackward0")
            if picked or (opened and name == "CatBackward0"):
                weight = True
            elif name in SAME:
                todo += [(user, depth + 1)] if depth < DEEP else []
            elif i in WEIGHTS_AT.get(name, ()):
                weight = True
            elif name in PRODUCTS and i in PRODUCTS[name]:
                other = user.next_functions[sum(PRODUCTS[name]) - i][0]
                if _is_leaf(other):
                    return False  # rows of data that meet a layer
                weight = True
            elif name == "ConvolutionBackward0":
                return False
            elif name in BETWEEN and len(user.next_functions) > 1:
                out, own = graph.shape_of(user), tuple(p.shape) if node is start else graph.shape_of(node)
                other = user.next_functions[1 - i][0] if i < 2 else None
                narrow = graph.size(own) < graph.size(out) or (not out and not own)
                weight = weight or (narrow and not _is_leaf(other))
    return weight


def _is_leaf(node: Any) -> bool:
    """Whether this is a leaf, or a view of one."""
    for _ in range(DEEP):
        if node is None or hasattr(node, "variable"):
            return node is not None
        if node.name() not in graph.PASS:
            return False
        node = node.next_functions[0][0]
    return False


def _attribute(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == name


def _opens(node: ast.AST) -> bool:
    """Whether a statement makes something that is to be learned."""
    asks = any(isinstance(n, ast.keyword) and n.arg == "requires_grad" for n in ast.walk(node))
    return asks or any(call_name(c) == "requires_grad_" for c in called(node, "requires_grad_"))


def _listing(site: Site | None) -> Site | None:
    """The line that makes the list: that of the only return, where a function of the file makes it."""
    value = getattr(statement_at(site), "value", None) if site is not None else None
    if site is None or not isinstance(value, ast.Call) or not isinstance(value.func, ast.Name):
        return site
    module = tree(site.file)
    made = [n for n in ast.walk(module) if getattr(n, "name", "") == value.func.id] if module else []
    given = [n for f in made for n in ast.walk(f) if isinstance(n, ast.Return) and n.value is not None]
    return Site(site.file, given[0].lineno) if len(made) == len(given) == 1 else site


def _total(p: torch.Tensor) -> float:
    values = p.detach().double()
    return float(values.sum()) + float(values.abs().sum())
