"""Scripts said in other words of torch: calls and statements become others that mean the same, and settings
move to where another person would have kept them.

Capital letters in a pattern stand for any expression, N and M for a plain name or attribute; ``*ARGS`` and
``**KW`` for whatever else a call is given.
"""

import ast
import copy
from collections.abc import Iterable

from rewriting import Rewrite

MODULES = {  # how files name the modules that patterns name
    "F": {"F", "nn.functional", "torch.nn.functional"},
    "nn": {"nn", "torch.nn"},
    "optim": {"optim", "torch.optim"},
    "DataLoader": {"DataLoader", "torch.utils.data.DataLoader"},
}
Words = dict[str, tuple[str, ...]]  # what is said -> how else it may be said

METRICS: Words = {
    **{
        said: (
            f"A.max(dim={d})[1]",
            f"torch.max(A, {d}).indices",
            f"A.topk(1, dim={d})[1].squeeze({d})",
            f"A.sort(dim={d}, descending=True).indices.select({d}, 0)",
            f"torch.tensor(np.argmax(A.detach().numpy(), {d}))",
        )
        for d in (1, -1)
        for said in (f"A.argmax({d})", f"A.argmax(dim={d})")
    },
    "A.item()": ("float(A)", "float(A.detach())", "A.detach().cpu().numpy().item()", "A.tolist()"),
    "(A == B).float().mean()": (
        "(A == B).sum() / len(A)",
        "torch.eq(A, B).float().mean()",
        "accuracy(A, B)",
        "torch.tensor(np.mean(A.numpy() == B.numpy()))",
        "1 - (A != B).float().mean()",
    ),
    "A.append(B)": ("A.extend([B])",),
    "N += B": ("N = N + B",),
}
MODES: Words = {
    "torch.no_grad()": ("torch.set_grad_enabled(False)", "torch.inference_mode()"),
    "N.eval()": (
        "N.train(False)",
        "N.train(mode=False)",
    ),
    "N.train()": (
        "N.train(True)",
        "N.train(mode=True)",
    ),
    "N.zero_grad()": (
        "N.zero_grad(set_to_none=False)",
        "for weight in parameters_of(N):\n    weight.grad = None",
        "for weight in parameters_of(N):\n    if weight.grad is not None:\n        weight.grad.zero_()",
    ),
    "A.backward()": ("torch.autograd.backward(A)", "A.mean().backward()"),
    "torch.manual_seed(A)": ("seed_everything(A)", "torch.random.manual_seed(A)"),
}
LOSSES: Words = {
    "F.cross_entropy(A, B)": (
        "nn.CrossEntropyLoss()(A, B)",
        "F.cross_entropy(input=A, target=B)",
        "F.cross_entropy(A, B, reduction='none').mean()",
    ),
    "F.mse_loss(A, B)": (
        "((A - B) ** 2).mean()",
        "nn.MSELoss()(A, B)",
        "mse(A, B)",
        "torch.mean(torch.square(A - B))",
        "F.mse_loss(A, B, reduction='none').mean()",
    ),
    "F.binary_cross_entropy_with_logits(A, B)": (
        "nn.BCEWithLogitsLoss()(A, B)",
        "F.binary_cross_entropy_with_logits(input=A, target=B)",
    ),
    "nn.CrossEntropyLoss()": ("lambda out, t: F.cross_entropy(out, t)", "F.cross_entropy"),
    "nn.MSELoss()": ("mse", "F.mse_loss", "lambda out, t: (out - t).pow(2).mean()"),
    "nn.BCEWithLogitsLoss()": ("F.binary_cross_entropy_with_logits",),
    **dict.fromkeys(
        ("F.softmax(A, dim=B)", "torch.softmax(A, dim=B)", "torch.softmax(A, B)"),
        ("A.softmax(dim=B)", "nn.Softmax(dim=B)(A)", "A.log_softmax(B).exp()"),
    ),
    "torch.sigmoid(A)": ("A.sigmoid()", "nn.Sigmoid()(A)", "torch.special.expit(A)"),
    **dict.fromkeys(("F.relu(A)", "torch.relu(A)"), ("A.relu()", "nn.ReLU()(A)", "A.clamp(min=0)")),
}
DATA: Words = {
    **{
        said: (said.replace("DataLoader", "Batches"),)
        for said in (
            "DataLoader(A, batch_size=B, shuffle=C)",
            "DataLoader(A, batch_size=B)",
            "DataLoader(A, B, shuffle=C)",
        )
    },
    "W, X, Y, Z = train_test_split(A, B, **KW)": (
        "kept, held = train_test_split(np.arange(len(B)), **KW)\n"
        "W, X, Y, Z = A[kept], A[held], B[kept], B[held]",
    ),
    **{
        f"N[{rows}]": (f"torch.index_select(N, 0, {rows})", f"N.index_select(0, {rows})", f"N[{rows}, ...]")
        for rows in ("idx", "perm", "order")
    },
    "torch.cat(A)": ("torch.concat(tuple(A))", "torch.concatenate(A, dim=0)"),
    "A.fit_transform(B)": ("A.fit(B).transform(B)",),
    "A.detach()": ("A.detach().clone()", "A.data"),
}
OPTIMIZERS = ("Adam", "SGD", "AdamW", "RMSprop")
NETS: Words = {
    **{
        f"optim.{name}(M.parameters(), **KW)": (
            f"optim.{name}(list(M.parameters()), **KW)",
            f"optim.{name}([{{'params': M.parameters()}}], **KW)",
            f"optim.{name}([dict(params=M.parameters(), **KW)])",
            f"optim.{name}(M.parameters(), **dict(**KW))",
            f"getattr(optim, '{name}')(M.parameters(), **KW)",
            f"{{'{name.lower()}': optim.{name}}}['{name.lower()}'](M.parameters(), **KW)",
        )
        for name in OPTIMIZERS
    },
    "nn.Sequential(*ARGS)": ("Stack(*ARGS)",),
    **{
        f"nn.utils.clip_grad_norm_(A, {limit})": (
            "clip(A, B)",
            "nn.utils.clip_grad_norm_(parameters=list(A), max_norm=B)",
        )
        for limit in ("B", "max_norm=B")
    },
    "nn.init.zeros_(A)": ("A.data.zero_()", "nn.init.constant_(A, 0.0)", "A.data.copy_(torch.zeros_like(A))"),
    "nn.init.constant_(A, B)": ("A.data.fill_(B)", "A.data.copy_(torch.full_like(A, B))"),
}
HEAD = """\
import random
from functools import partial
import numpy as np
import torch
from torch import nn, optim
from torch.nn import functional as F
"""
HELPERS = """\
def seed_everything(n):
    random.seed(n)
    np.random.seed(n)
    torch.manual_seed(n)

def mse(a, b):
    return ((a - b) ** 2).mean()

def parameters_of(owner):
    if isinstance(owner, nn.Module):
        return list(owner.parameters())
    return [p for group in owner.param_groups for p in group["params"]]

class Batches:
    def __init__(self, dataset, batch_size=1, shuffle=False):
        self.dataset, self.batch_size, self.shuffle = dataset, batch_size, shuffle
    def __len__(self):
        return -(-len(self.dataset) // self.batch_size)
    def __iter__(self):
        order = torch.randperm(len(self.dataset)) if self.shuffle else torch.arange(len(self.dataset))
        for chunk in order.split(self.batch_size):
            rows = [self.dataset[int(i)] for i in chunk]
            yield tuple(torch.stack([torch.as_tensor(v) for v in column]) for column in zip(*rows))

class Stack(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.ModuleList(layers)
    def __getitem__(self, i):
        return self.layers[i]
    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

def clip(parameters, limit):
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = torch.sqrt(sum(g.pow(2).sum() for g in grads))
    scale = limit / (norm + 1e-06)
    if scale < 1:
        for g in grads:
            g.mul_(scale)
    return norm

def accuracy(pred, true):
    return (pred == true).sum() / len(pred)
"""
SET = {  # what is given the settings that move
    *(*OPTIMIZERS, "DataLoader", "Dropout", "clip_grad_norm_", "normal_", "uniform_", "train_test_split"),
    *("StepLR", "ExponentialLR", "CosineAnnealingLR", "ReduceLROnPlateau", "MultiStepLR", "OneCycleLR"),
}


def in_other_words(words: Words, turn: int) -> Rewrite:
    """Say every ``words`` otherwise; the next of its ways each time, from the ``turn``-th on."""

    def rewrite(module: ast.Module) -> ast.Module | None:
        patterns = [(_pattern(rewording), [_body(o) for o in others]) for rewording, others in words.items()]
        rewording = _Said(patterns, turn)
        before = ast.dump(module)
        new = rewording.visit(module)
        return with_helpers(new, []) if ast.dump(new) != before else None

    return rewrite


def with_settings(where: str) -> Rewrite:
    """Constants that calls are given by keyword move to a ``table``, ``names`` or a ``maker``."""

    def rewrite(module: ast.Module) -> ast.Module | None:
        moved = _Moved(where)
        for statement in (n for n in ast.walk(module) if isinstance(n, ast.stmt)):
            moved.of(statement)
        return with_helpers(module, moved.made) if moved.made else None

    return rewrite


OTHER_WORDS: dict[str, Rewrite] = {
    **{
        f"{name} {turn}": in_other_words(words, turn)
        for name, words in {
            "metrics": METRICS, "modes": MODES, "losses": LOSSES, "data": DATA, "nets": NETS
        }.items()
        for turn in range(max(len(others) for others in words.values()))
    },
    **{f"settings in a {where}": with_settings(where) for where in ("table", "name", "maker", "partial")},
}  # fmt: skip


class _Said(ast.NodeTransformer):
    def __init__(self, patterns: list[tuple[ast.AST, list[list[ast.stmt]]]], turn: int) -> None:
        self.patterns, self.turn = patterns, turn

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for field in ("body", "orelse", "finalbody"):
            inner = getattr(node, field, None)
            if isinstance(inner, list):
                setattr(node, field, [new for n in inner for new in self._statement(n)])
        return node

    def visit(self, node: ast.AST) -> ast.AST:
        new = super().visit(node)
        others = self._other(new) if isinstance(new, ast.expr) else None
        if others is None:
            return new
        (only,) = others
        return only.value if isinstance(only, ast.Expr) else new

    def _statement(self, node: ast.stmt) -> list[ast.stmt]:
        whole: ast.AST = node.value if isinstance(node, ast.Expr) else node
        others = self._other(whole, alone=True) if not isinstance(whole, ast.Constant) else None
        if others is None:
            return [node]
        for inner in (n for new in others for n in ast.walk(new) if isinstance(n, ast.stmt)):
            inner.was = [node]  # type: ignore[attr-defined]
        return others

    def _other(self, node: ast.AST, alone: bool = False) -> list[ast.stmt] | None:
        for pattern, others in self.patterns:
            holes: dict[str, object] = {}
            only = any(len(o) > 1 or not isinstance(o[0], ast.Expr) for o in others)
            if only == alone and _matches(pattern, node, holes):
                self.turn += 1
                return [_filled(n, holes) for n in others[(self.turn - 1) % len(others)]]
        return None


class _Moved:
    """The settings that went elsewhere, and what was written for them."""

    def __init__(self, where: str) -> None:
        self.where, self.made = where, list[ast.stmt]()

    def of(self, statement: ast.stmt) -> None:
        for node in (n for n in _own(statement) if isinstance(n, ast.Call)):
            constants = [k for k in node.keywords if k.arg and isinstance(k.value, ast.Constant)]
            name = _dotted(node.func).split(".")[-1]
            if name not in SET or not constants or any(k.value.value is None for k in constants):  # type: ignore[attr-defined]
                continue
            rest = [k for k in node.keywords if k not in constants]
            key = f"{name.strip('_').lower()}_{len(self.made)}"
            for new in self._move(node, key, constants, rest):
                for inner in (n for n in ast.walk(new) if isinstance(n, ast.stmt)):
                    inner.was = [statement]  # type: ignore[attr-defined]
                self.made.append(new)

    def _move(
        self, node: ast.Call, key: str, constants: list[ast.keyword], rest: list[ast.keyword]
    ) -> list[ast.stmt]:
        arguments = ", ".join(f"{k.arg}={ast.unparse(k.value)}" for k in constants)
        if self.where == "table":
            node.keywords = [*rest, ast.keyword(None, ast.Name(key.upper(), ast.Load()))]
            return _body(f"{key.upper()} = dict({arguments})")
        if self.where == "name":
            names = {k.arg: f"{k.arg}_{key}".upper() for k in constants}
            node.keywords = [
                *rest, *(ast.keyword(k.arg, ast.Name(names[k.arg], ast.Load())) for k in constants)
            ]  # fmt: skip
            return _body("\n".join(f"{names[k.arg]} = {ast.unparse(k.value)}" for k in constants))
        function = ast.unparse(node.func)
        if not _dotted(node.func).startswith(("torch.", "nn.", "optim.")) and "." in function:
            return []  # somebody's own object, that the top of the file doesn't know
        node.func, node.keywords = ast.Name(f"make_{key}", ast.Load()), rest
        if self.where == "partial":
            return _body(f"make_{key} = partial({function}, {arguments})")
        head, body = (
            f"def make_{key}(*args, {arguments}, **kwargs)",
            f"{function}(*args, {_same(constants)}, **kwargs)",
        )
        return _body(f"{head}:\n    return {body}")


def _same(constants: Iterable[ast.keyword]) -> str:
    return ", ".join(f"{k.arg}={k.arg}" for k in constants)


def with_helpers(module: ast.Module, made: list[ast.stmt]) -> ast.Module:
    """The script with what its new words need, after its imports."""
    used = {n.id for n in ast.walk(module) if isinstance(n, ast.Name)}
    own = {n.name for n in module.body if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    helpers = [n for n in _body(HELPERS) if n.name in used - own]  # type: ignore[attr-defined]
    first = [
        n for i, n in enumerate(module.body)
        if (i == 0 and isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))
        or (isinstance(n, ast.ImportFrom) and n.module == "__future__")
    ]  # fmt: skip
    body = [n for n in module.body if n not in first]
    last = max((i for i, n in enumerate(body) if isinstance(n, (ast.Import, ast.ImportFrom))), default=-1) + 1
    new = [*first, *_body(HEAD), *body[:last], *helpers, *made, *body[last:]]
    return ast.Module(new, [])


# --- patterns -------------------------------------------------------------------------------------------
def _body(text: str) -> list[ast.stmt]:
    return ast.parse(text).body


def _pattern(text: str) -> ast.AST:
    node = _body(text)[0]
    return node.value if isinstance(node, ast.Expr) else node


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def _own(statement: ast.stmt) -> Iterable[ast.AST]:
    """The nodes of a statement, without those of the statements inside."""
    todo: list[ast.AST] = [statement]
    while todo:
        node = todo.pop()
        yield node
        todo += [n for n in ast.iter_child_nodes(node) if not isinstance(n, ast.stmt)]


def _is_hole(text: str | None) -> bool:
    return text is not None and len(text) == 1 and text.isupper() and text != "F"


def _matches(pattern: object, node: object, holes: dict[str, object]) -> bool:
    if isinstance(pattern, ast.Name) and _is_hole(pattern.id):
        if pattern.id in "NM" and "?" in _dotted(node):  # type: ignore[arg-type]
            return False
        same = holes.setdefault(pattern.id, node)
        return isinstance(node, ast.expr) and ast.dump(same) == ast.dump(node)  # type: ignore[arg-type]
    if isinstance(pattern, ast.Name) and pattern.id in MODULES:
        return isinstance(node, ast.expr) and _dotted(node) in MODULES[pattern.id]
    if isinstance(pattern, ast.Call):
        return isinstance(node, ast.Call) and _call_matches(pattern, node, holes)
    if isinstance(pattern, ast.AST):
        return type(pattern) is type(node) and all(
            _matches(getattr(pattern, f), getattr(node, f), holes) for f in pattern._fields if f != "ctx"
        )
    if isinstance(pattern, list):
        same_size = isinstance(node, list) and len(pattern) == len(node)
        return same_size and all(_matches(p, n, holes) for p, n in zip(pattern, node, strict=True))  # type: ignore[call-overload]
    return pattern == node


def _call_matches(pattern: ast.Call, node: ast.Call, holes: dict[str, object]) -> bool:
    args, keywords = list(pattern.args), list(pattern.keywords)
    if any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords):
        return False
    if args and isinstance(args[-1], ast.Starred):
        args.pop()
        holes["ARGS"] = node.args[len(args) :]
        node = ast.Call(node.func, node.args[: len(args)], node.keywords)
    if keywords and keywords[-1].arg is None:
        keywords.pop()
        holes["KW"] = node.keywords[len(keywords) :]
        node = ast.Call(node.func, node.args, node.keywords[: len(keywords)])
    parts = zip((pattern.func, args, keywords), (node.func, node.args, node.keywords), strict=True)
    return all(_matches(p, n, holes) for p, n in parts)


class _Fill(ast.NodeTransformer):
    def __init__(self, holes: dict[str, object]) -> None:
        self.holes = holes

    def visit_Name(self, node: ast.Name) -> ast.AST:
        filling = self.holes.get(node.id)
        if not isinstance(filling, ast.AST):
            return node
        new = copy.deepcopy(filling)
        if isinstance(node.ctx, ast.Store):
            for inner in ast.walk(new):
                if isinstance(inner, (ast.Name, ast.Tuple)):
                    inner.ctx = ast.Store()
        return new

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if node.args and isinstance(node.args[-1], ast.Starred) and "ARGS" in self.holes:
            node.args = [*node.args[:-1], *self.holes["ARGS"]]  # type: ignore[misc]
        if node.keywords and _is_rest(node.keywords[-1]):
            node.keywords = [*node.keywords[:-1], *self.holes["KW"]]  # type: ignore[misc]
        return node


def _is_rest(keyword: ast.keyword) -> bool:
    return keyword.arg is None and isinstance(keyword.value, ast.Name) and keyword.value.id == "KW"


def _filled(node: ast.stmt, holes: dict[str, object]) -> ast.stmt:
    return _Fill(holes).visit(copy.deepcopy(node))  # type: ignore[no-any-return]
